package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestPageShowsNamesAsText: what somebody calls things is shown as it is, and
// never taken for markup.
func TestPageShowsNamesAsText(t *testing.T) {
	s := start(t)
	names := []string{"<b>bold", "שלום", "🚀🌙", `"'&amp;`, "a\u202eb", "x" + strings.Repeat("y", 127)}
	for _, name := range names {
		post[topology.NamespaceState](t, s, "/namespaces", `{"name":`+quote(name)+`}`)
	}
	const long = "fifteen-letters"
	s.do(t, "POST", "/veths", `{"a":{"namespace":"host","name":"`+long+`"},"b":{"namespace":"<b>bold","name":"<i>link"}}`).want(t, 201)
	hostile := `<img src=x onerror="globalThis.broken=1"><script>globalThis.broken=1</script>`
	nettest.Shell(t, "ip link set dev "+long+" alias '"+hostile+"'")
	b := browse(t, s)
	for _, name := range names {
		card := `[...document.querySelectorAll('[data-node]')].find((e) => e.dataset.node === ` + quote("ns:"+name) + `)`
		b.until("the card of "+name, card)
		shown := value[string](b, card+`.querySelector('.card-title').firstChild.textContent`)
		if short, _ := strings.CutSuffix(shown, "…"); !strings.HasPrefix(name, short) || short == "" {
			t.Errorf("%q is shown as %q", name, shown)
		}
	}
	b.reads(`[data-row="host/`+long+`"]`, long)
	b.click(`[data-row="host/` + long + `"] .row-name`)
	b.reads(`[data-inspect="link"]`, hostile)
	for _, tab := range []string{"events", "operations", "drift"} {
		b.click(`[data-testid="tab-` + tab + `"]`)
	}
	b.shot("hostile names")
	if value[bool](b, `'broken' in globalThis || !!document.querySelector('.shell b:not([class]) b, img[src="x"], .inspector script')`) {
		t.Error("a name has become markup")
	}
}

// TestPageInTwoBrowsers: what one does, the other sees, and where a card was put.
func TestPageInTwoBrowsers(t *testing.T) {
	s := start(t)
	mine, theirs := browse(t, s), browse(t, s)
	mine.createNamespace("A", true)
	theirs.see(`[data-node="ns:A"]`)
	mine.createNamespace("B", true)
	s.do(t, "POST", "/veths", `{"a":{"namespace":"A","name":"e0"},"b":{"namespace":"B","name":"e0"}}`).want(t, 201)
	for _, b := range []*tab{mine, theirs} {
		b.see(`[data-cable="A/e0--B/e0"][data-state-a="up"][data-state-b="up"]`)
	}
	nettest.Shell(t, "ip -n B link set e0 down")
	for _, b := range []*tab{mine, theirs} {
		b.see(`[data-cable="A/e0--B/e0"][data-state-b="down"]`)
	}
}

// TestPageComesBack: the page tells that netdash is gone, keeps what it knows,
// greyed, and goes on by itself when it is there again.
func TestPageComesBack(t *testing.T) {
	s := start(t)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"A"}`)
	b := browse(t, s)
	b.see(`[data-node="ns:A"]`)
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.done
	s.over = true
	b.see(`[data-testid="connection"][data-state="reconnecting"]`)
	b.see(`.graph.stale [data-node="ns:A"]`)
	b.shot("gone")
	nettest.Shell(t, "ip netns add Z")
	home, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	startOn(t, s.DB, "--listen", home.Host)
	b.see(`[data-testid="connection"][data-state="live"]`)
	b.see(`.graph:not(.stale) [data-node="ns:Z"]`)
	b.see(`[data-node="ns:A"]`)
}

// TestPageWithAThousand: a thousand namespaces are all there, what changes in one
// is seen, and nothing else is drawn anew.
func TestPageWithAThousand(t *testing.T) {
	s := start(t)
	const bridges, members = 50, 19
	s.do(t, "PUT", "/topology/intended", sites(bridges, members)).want(t, 200)
	b := browse(t, s)
	b.reads(`[data-testid="counts"]`, "1001")
	b.until("every namespace", fmt.Sprintf(`document.querySelectorAll('[data-node^="ns:"]').length >= %d`, bridges*members))
	b.settle()
	b.shot("thousand")
	nettest.Shell(t, "ip -n s7-3 link set eth0 down")
	b.see(`[data-cable="host/p7-3--s7-3/eth0"][data-state-b="down"]`)
}

// sites is a document of bridges with members, and a router between each and the
// next: a thousand namespaces with 50 and 19.
func sites(bridges, members int) string {
	quiet := false
	spec := topology.Spec{Name: "sites", IPv6: &quiet}
	plug := func(bridge int, port, namespace, link string, last int) {
		spec.Veths = append(spec.Veths, topology.Veth{
			A: topology.End{Namespace: namespace, Name: link, Addresses: []string{fmt.Sprintf("10.%d.0.%d/24", bridge, last)}},
			B: topology.End{Namespace: topology.HostName, Name: port, Master: fmt.Sprint("br", bridge)},
		})
	}
	for i := range bridges {
		router, next := fmt.Sprint("r", i), (i+1)%bridges
		spec.Bridges = append(spec.Bridges, topology.Bridge{Namespace: topology.HostName, Name: fmt.Sprint("br", i)})
		spec.Namespaces = append(spec.Namespaces, topology.Namespace{Name: router})
		plug(i, fmt.Sprint("a", i), router, "eth0", 254)
		plug(next, fmt.Sprint("b", i), router, "eth1", 253)
		for j := range members {
			host := fmt.Sprint("s", i, "-", j)
			spec.Namespaces = append(spec.Namespaces, topology.Namespace{Name: host})
			plug(i, fmt.Sprint("p", i, "-", j), host, "eth0", j+1)
		}
	}
	text, _ := json.Marshal(spec) // of what can be nothing but JSON
	return string(text)
}

// axeFile is axe-core as npm installs it.
const axeFile = "../../web/node_modules/axe-core/axe.min.js"

// accessible fails the test where axe finds something wrong with what is shown.
func (b *tab) accessible(state string) {
	b.t.Helper()
	if !value[bool](b, "'axe' in globalThis") {
		axe, err := os.ReadFile(axeFile)
		if err != nil {
			b.t.Fatalf("%v: run make web/node_modules/.package-lock.json", err)
		}
		b.do(string(axe) + ";0")
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})
		.then((r) => r.violations.flatMap((v) => v.nodes.slice(0, 3).map((n) => v.id + ' (' + v.impact + '): ' + n.target.join(' ') + ': ' + n.failureSummary.replace(/\s+/g, ' '))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	if len(found) > 0 {
		b.t.Errorf("%s:\n%s", state, strings.Join(found, "\n"))
	}
}

// TestPageStates goes through what the page can look like, in each theme and
// language: axe must have nothing against it. With NETDASH_SCREENSHOTS it leaves
// a picture of each.
func TestPageStates(t *testing.T) {
	s := start(t)
	b := browse(t, s)
	b.accessible("empty")
	b.shots("empty")
	s.do(t, "PUT", "/topology/intended", sites(2, 4)).want(t, 200)
	nettest.Shell(t, `ip netns add foreign; ip -n s0-1 link set eth0 mtu 1400; ip -n s1-2 link delete eth0; ip -n s0-2 link set eth0 down
		ip netns exec s0-0 ping -c 2 -i 0.2 10.0.0.4 >/dev/null`)
	states := []struct {
		name string
		to   func()
	}{
		{"lab", func() {}},
		{"namespace", func() { b.click(`[data-object="ns:s0-0"], [data-node="ns:s0-0"]`) }},
		{"link", func() { b.click(`[data-link-row="eth0"] [data-object]`) }},
		{"bridge", func() { b.card("br:host/br0"); b.see(`[data-testid="mac-table"]`) }},
		{"form", func() { b.key("v"); b.see(`dialog [data-testid="preview"][data-pending="false"]`) }},
		{"drift", func() { b.escape(); b.click(`[data-testid="drift-badge"]`); b.see(`[data-drift]`) }},
		{"history", func() { b.click(`[data-testid="tab-operations"]`) }},
		{"events", func() { b.click(`[data-testid="tab-events"]`) }},
		{"ping", func() { b.click(`[data-testid="tab-ping"]`) }},
		{"walk", func() {
			b.traced("s0-0", "s0-1")
			b.see(`[data-testid="walk-player"][data-playing="false"]`)
		}},
		{"matrix", func() {
			b.click(`[data-testid="walk-close"]`)
			b.click(`[data-testid="tab-matrix"]`)
			b.click(`[data-testid="matrix-run"]`)
			b.see(`[data-testid="matrix-summary"][data-state="done"]`)
		}},
		{"why", func() {
			b.click(`[data-testid="tab-why"]`)
			b.ask("s0-0", "s0-2")
			b.click(`[data-testid="why-start"]`)
			b.see(`[data-testid="diagnosis"][data-state="done"] [data-first="true"]`)
		}},
		{"document", func() { b.click(`[data-testid="open-document"]`); b.see("dialog") }},
		{"settings", func() { b.escape(); b.click(`[data-testid="open-settings"]`); b.see("dialog") }},
		{"help", func() { b.escape(); b.click(`[data-testid="help"]`); b.see("dialog") }},
	}
	for i, look := range []struct{ theme, language string }{{"dark", "en"}, {"light", "zh-CN"}, {"projector", "en"}} {
		b.do(fmt.Sprintf(`globalThis.before = true; localStorage.setItem('netdash.theme', %q); localStorage.setItem('netdash.language', %q); location.reload()`, look.theme, look.language))
		b.until("the page anew", `!('before' in globalThis)`)
		b.see(`[data-node="br:host/br0"]`)
		b.see(fmt.Sprintf(`html[data-theme=%q]`, look.theme))
		b.see(fmt.Sprintf(`html[lang=%q]`, look.language))
		b.settle()
		for _, state := range states {
			state.to()
			if i > 0 && state.name != "lab" && os.Getenv(screenshots) == "" && testing.Short() {
				continue
			}
			b.accessible(strings.Join([]string{look.theme, look.language, state.name}, " "))
			b.shots(strings.Join([]string{look.theme, state.name}, "-"))
		}
		b.escape()
	}
}

// escape closes what is open.
func (b *tab) escape() {
	b.t.Helper()
	b.key("\x1b")
	b.gone("dialog")
}

// shots keeps a picture in each of the sizes the page is made for.
func (b *tab) shots(name string) {
	if os.Getenv(screenshots) == "" {
		return
	}
	for _, size := range [][2]int64{{1920, 1080}, {1280, 720}} {
		b.run(chromedp.EmulateViewport(size[0], size[1]))
		time.Sleep(200 * time.Millisecond)
		b.shot(fmt.Sprintf("%s-%d", name, size[0]))
	}
	b.run(chromedp.EmulateViewport(1440, 900))
}
