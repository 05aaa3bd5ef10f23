package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestBrowserDrift breaks a lab with ip while somebody watches the page, who
// then repairs it there. ip says whether it is repaired.
func TestBrowserDrift(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.see(`[data-cable="A/eth0--B/eth0"]`)
	b.see(`[data-testid="drift-badge"][data-differences="0"]`)

	nettest.Shell(t, "ip -n A link set eth0 mtu 1400")
	b.see(`[data-testid="drift-badge"][data-differences="1"]`)
	b.see(`[data-row="A/eth0"][data-sync="drifted"]`)
	b.see(`[data-node="ns:A"][data-differences="1"]`)
	b.card("ns:A")
	box := `[data-object-differences="A"] [data-difference="A/eth0"][data-field="mtu"]`
	b.reads(box+` .intended`, "1450")
	b.reads(box+` .observed`, "1400")
	b.click(`[data-object-differences="A"] [data-testid="repair"]`)
	b.reads(`[data-testid="preview-commands"]`, "ip -n A link set dev eth0 mtu 1450")
	b.shot("repair-form")
	b.submit()
	b.see(`[data-testid="drift-badge"][data-differences="0"]`)
	b.gone(`[data-object-differences]`)
	if mtu := fmt.Sprint(nettest.IP(t, "A", "link", "show", "eth0")[0]["mtu"]); mtu != "1450" {
		t.Errorf("after the repair the MTU is %s", mtu)
	}

	b.key(kb.Escape)
	nettest.Shell(t, "ip netns delete B")
	b.see(`[data-row="A/eth0"][data-sync="missing"]`)
	b.see(`[data-node="ns:B"][data-sync="missing"]`)
	b.shot("drift-ghosts")
	b.key("d")
	b.see(`[data-testid="drift"]`)
	b.see(`[data-drift="B"]`)
	b.shot("drift-panel")
	b.click(`[data-testid="repair-all"]`)
	b.reads(`[data-testid="preview-commands"]`, "ip netns add B")
	b.submit()
	b.see(`[data-testid="drift"][data-differences="0"]`)
	b.see(`[data-cable="A/eth0--B/eth0"][data-state-a="up"][data-state-b="up"]`)
	if got := nettest.IP(t, "B", "address", "show", "eth0"); !strings.Contains(fmt.Sprint(got), "192.168.1.2") {
		t.Errorf("after the repair B has %v", got)
	}
}

// TestBrowserRenamed: a link that somebody renamed is shown under both names,
// and is not taken for missing.
func TestBrowserRenamed(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.see(`[data-cable="A/eth0--B/eth0"]`)
	nettest.Shell(t, "ip -n A link set eth0 down && ip -n A link set eth0 name foo && ip -n A link set foo up")
	b.reads(`[data-row="A/foo"]`, "eth0 → foo")
	b.see(`[data-cable="A/foo--B/eth0"][data-state-a="up"]`)
	b.click(`[data-row="A/foo"] .row-name`)
	b.reads(`[data-object-differences="A/eth0"] [data-field="name"] .observed`, "foo")
	b.shot("renamed")
	b.click(`[data-object-differences="A/eth0"] [data-testid="repair"]`)
	b.reads(`[data-testid="preview-commands"]`, "name eth0")
	b.submit()
	b.see(`[data-cable="A/eth0--B/eth0"][data-state-a="up"][data-state-b="up"]`)
	b.see(`[data-testid="drift-badge"][data-differences="0"]`)
}

// TestBrowserUndo undoes and redoes with the keyboard what was made by hand.
func TestBrowserUndo(t *testing.T) {
	s := start(t)
	b := browse(t, s)
	b.createNamespace("A", true)
	b.createNamespace("B", true)
	b.control("z")
	b.gone(`[data-node="ns:B"]`)
	b.reads(`[data-testid="toast"]`, "ip netns add B")
	if slices.Contains(namespaces(t), "B") {
		t.Error("ip still has B")
	}
	b.control("z")
	b.gone(`[data-node="ns:A"]`)
	b.control("Z")
	b.see(`[data-node="ns:A"]`)
	b.click(`[data-testid="redo"]`)
	b.see(`[data-node="ns:B"]`)
	if all := namespaces(t); !slices.Contains(all, "A") || !slices.Contains(all, "B") {
		t.Errorf("ip has %v", all)
	}
	b.click(`[data-testid="tab-operations"]`)
	b.see(`[data-testid="operations"]`)
	b.see(`[data-operation][data-state="undone"][data-undone-by]`)
	b.shot("history")

	// What something later needs cannot be undone; the server says why.
	post[veth](t, s, "/veths", `{"a":{"namespace":"A","name":"eth0"},"b":{"namespace":"B","name":"eth0"}}`)
	b.see(`[data-cable="A/eth0--B/eth0"]`)
	redone := value[string](b, `[...document.querySelectorAll('[data-undoes][data-state="committed"]')].map((e) => e.dataset.operation).sort()[0]`)
	b.click(fmt.Sprintf(`[data-operation=%q] [data-testid="operation-undo"]`, redone))
	b.see(`dialog [data-testid="problem"][data-code="conflict"]`)
	b.shot("undo-conflict")
	b.key(kb.Escape)
	b.gone("dialog")
}

// TestBrowserAdopt takes over what ip made, and gives it back. Neither touches
// the kernel.
func TestBrowserAdopt(t *testing.T) {
	s := start(t)
	nettest.Shell(t, "ip netns add F && ip -n F link add x0 type veth peer name x1 && ip -n F link set x0 up && ip -n F link set x1 up && ip -n F addr add 10.9.0.1/24 dev x0")
	before := calmWorld(t)
	b := browse(t, s)
	b.see(`[data-node="ns:F"][data-sync="foreign"]`)
	b.card("ns:F")
	b.click(`[data-testid="adopt"]`)
	b.reads(`[data-testid="taken"]`, "F/x0")
	b.shot("adopt")
	b.submit()
	b.see(`[data-node="ns:F"][data-sync="in_sync"]`)
	b.click(`[data-testid="more-actions"]`)
	b.click(`[data-testid="release"]`)
	b.submit()
	b.see(`[data-node="ns:F"][data-sync="foreign"]`)
	if d := difference(before, calmWorld(t)); d != "" {
		t.Errorf("the kernel was touched:\n%s", d)
	}
}

// TestBrowserDocument edits the intended topology as a document: wrong, right,
// and too late.
func TestBrowserDocument(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.key("s")
	b.document("namespaces:")
	b.write(`e.value + "\nlinks: []\n"`)
	b.click(`[data-testid="document-check"]`)
	b.see(`[data-testid="document-error"][data-line]:not([data-line=""])`)
	b.shot("document-errors")
	b.click(`[data-testid="document-error"]`)
	b.until("the wrong line selected", `(() => { const e = document.querySelector('[name="document"]'); return document.activeElement === e && e.value.slice(e.selectionStart, e.selectionEnd).startsWith('links') })()`)

	b.write(`e.value.replace("\nlinks: []\n", "").replace("namespaces:", "namespaces:\n  - name: C")`)
	b.click(`[data-testid="document-check"]`)
	b.reads(`[data-testid="preview-commands"]`, "ip netns add C")
	b.shot("document-checked")
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"D"}`)
	b.see(`[data-testid="document-behind"]`)
	b.click(`[data-testid="document-apply"]`)
	b.see(`[data-testid="document-conflict"]`)
	if all := namespaces(t); slices.Contains(all, "C") || !slices.Contains(all, "D") {
		t.Errorf("a document that came too late was applied: ip has %v", all)
	}
	b.click(`[data-testid="document-theirs"]`)
	b.document("name: D")
	b.write(`e.value.replace("namespaces:", "namespaces:\n  - name: C")`)
	b.click(`[data-testid="document-apply"]`)
	b.gone("dialog")
	b.see(`[data-node="ns:C"]`)
	if all := namespaces(t); !slices.Contains(all, "C") || !slices.Contains(all, "D") {
		t.Errorf("ip has %v", all)
	}

	b.key("s")
	b.document("name: C")
	b.do(`URL.createObjectURL = ((make) => (blob) => { blob.text().then((x) => { window.saved = x }); return make.call(URL, blob) })(URL.createObjectURL)`)
	for format, want := range map[string]string{"sh": "ip netns add C", "mermaid": "C", "dot": "graph", "json": `"C"`, "yaml": "name: C", "containerlab": "topology:"} {
		b.do(`window.saved = ''`)
		b.click(`[data-testid="export"]`)
		b.click(fmt.Sprintf(`[data-export=%q]`, format))
		b.until("an export as "+format, fmt.Sprintf("window.saved.includes(%s)", quote(want)))
	}
}

// TestBrowserProgress cancels a large operation half way and finds nothing left
// of it.
func TestBrowserProgress(t *testing.T) {
	s := start(t)
	bare := calmWorld(t)
	b := browse(t, s)
	b.key("s")
	b.until("the document read", `document.querySelector('[data-testid="document"][data-busy=""]')`)
	b.write(`"namespaces:\n" + Array.from({length: 1000}, (_, i) => "  - name: n" + i + "\n").join("")`)
	b.click(`[data-testid="document-apply"]`)
	b.reads(`[data-testid="progress-count"]`, "of ")
	b.shot("progress")
	b.click(`dialog [data-testid="progress-cancel"]`)
	b.see(`dialog [data-testid="problem"]`)
	b.gone(`[data-testid="progress"]`)
	b.key(kb.Escape)
	b.gone("dialog")
	eventually(t, func() string { return difference(bare, world(t)) })
}

// TestBrowserSettings changes a setting, which then holds.
func TestBrowserSettings(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.click(`[data-testid="open-settings"]`)
	b.fill("repair", "auto")
	b.reads(`[data-testid="preview-curl"]`, `{"repair":"auto"}`)
	b.shot("settings")
	b.submit()
	if got := get[topology.Settings](t, s, "/settings"); got.Repair != "auto" {
		t.Errorf("the server has %+v", got)
	}
	nettest.Shell(t, "ip -n A link set eth0 down")
	b.see(`[data-cable="A/eth0--B/eth0"][data-state-a="up"][data-state-b="up"]`)
	eventually(t, func() string {
		if flags := fmt.Sprint(nettest.IP(t, "A", "link", "show", "eth0")[0]["flags"]); !strings.Contains(flags, " UP") {
			return "eth0 has " + flags
		}
		return ""
	})
	b.see(`[data-testid="drift-badge"][data-differences="0"]`)
}

// furnishPair joins A and B by a veth pair.
func furnishPair(t testing.TB, s *server) {
	t.Helper()
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"A"}`)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"B"}`)
	a := s.do(t, "POST", "/veths", `{"a":{"namespace":"A","name":"eth0","mtu":1450,"addresses":["192.168.1.1/24"]},"b":{"namespace":"B","name":"eth0","addresses":["192.168.1.2/24"]}}`)
	a.want(t, http.StatusCreated)
}

// control presses a letter with Ctrl; a capital with Shift as well.
func (b *tab) control(letter string) {
	b.t.Helper()
	mods := []chromedp.Modifier{chromedp.ModifierCtrl}
	if letter != strings.ToLower(letter) {
		mods = append(mods, chromedp.ModifierShift)
	}
	b.run(chromedp.KeyEvent(letter, chromedp.KeyModifiers(mods...)))
}

// document waits until the open document has a text.
func (b *tab) document(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%q in the document", text), fmt.Sprintf(
		`document.querySelector('[data-testid="document"][data-busy=""]') && document.querySelector('[name="document"]').value.includes(%s)`, quote(text)))
}

// write gives the document the value of an expression about its element e.
func (b *tab) write(expression string) {
	b.t.Helper()
	b.do(fmt.Sprintf(`(() => { const e = document.querySelector('[name="document"]'); e.value = %s; e.dispatchEvent(new Event('input', {bubbles: true})) })()`, expression))
}
