package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestBrowserByMouse builds the lab netdash is for with the mouse alone: clicks on
// the ground, cables drawn from card to card. ip and bridge say what came of it.
func TestBrowserByMouse(t *testing.T) {
	s := start(t)
	b := browse(t, s)
	b.see(`[data-testid="empty"]`)
	b.makeAt("namespace", "ns:A", 0.2, 0.7)
	b.makeAt("namespace", "ns:B", 0.7, 0.7)
	b.makeAt("bridge", "br:host/br0", 0.45, 0.25)
	b.shot("made by mouse")

	b.cable("ns:A", "ns:B")
	b.reads(`[data-testid="preview-commands"]`, "ip -n A link add veth0 type veth peer name veth0 netns B")
	b.submit()
	b.see(`[data-cable="A/veth0--B/veth0"][data-state-a="up"][data-state-b="up"]`)
	b.reads(`[data-testid="toast-commands"]`, "ip -n A link add veth0 type veth peer name veth0 netns B")
	wantAddress(t, "A", "veth0", "192.168.1.1/24")
	wantAddress(t, "B", "veth0", "192.168.1.2/24")

	b.cable("ns:B", "br:host/br0")
	b.submit()
	b.see(`[data-cable="B/eth0--host/p1"][data-state-a="up"][data-state-b="up"]`)
	wantMaster(t, "p1", "br0")
	b.cable("br:host/br0", "ns:A") // the other way round
	b.submit()
	b.see(`[data-cable="A/eth0--host/p2"][data-state-a="up"][data-state-b="up"]`)
	wantMaster(t, "p2", "br0")
	wantAddress(t, "A", "eth0", "192.168.2.2/24") // of the subnet that B began

	// A ping by two clicks, over both networks.
	b.click(`[data-node="ns:A"] [data-testid="card-ping"]`)
	b.card("ns:B")
	b.answered()
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-testid="drawer-toggle"]').click()`))

	// A loose end is plugged in; where that is refused, the bridge says why.
	s.do(t, "POST", "/veths", `{"a":{"namespace":"A","name":"more"},"b":{"namespace":"host","name":"loose"}}`).want(t, http.StatusCreated)
	nettest.Shell(t, "ip link add theirs type bridge && ip link set theirs up")
	b.see(`[data-node="br:host/theirs"][data-sync="foreign"]`)
	b.click(`[data-testid="fit"]`)
	b.drag(`[data-port="host/loose"]`, `[data-node="br:host/theirs"]`, 0)
	b.see(`[data-testid="bubble"][data-at="br:host/theirs"]`)
	b.reads(`[data-testid="bubble"]`, "adopt")
	b.shot("bubble")
	b.accessible("bubble")
	b.key(kb.Escape)
	b.gone(`[data-testid="bubble"]`)
	b.drag(`[data-port="host/loose"]`, `[data-node="br:host/br0"]`, 0)
	b.see(`[data-cable="A/more--host/loose"]`)
	eventually(t, func() string { return masterProblem(t, "loose", "br0") })

	// And moved to another bridge.
	s.do(t, "POST", "/bridges", `{"namespace":"host","name":"br1"}`).want(t, http.StatusCreated)
	b.see(`[data-node="br:host/br1"]`)
	b.click(`[data-testid="fit"]`)
	b.drag(`[data-port="host/loose"]`, `[data-node="br:host/br1"]`, 0)
	eventually(t, func() string { return masterProblem(t, "loose", "br1") })
}

// TestBrowserDeletesSeveral chooses with a rectangle and deletes what it touched
// as one operation, which one undo takes back.
func TestBrowserDeletesSeveral(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"C"}`)
	nettest.Shell(t, "ip netns add F")
	whole := calmWorld(t)
	b := browse(t, s)
	b.see(`[data-node="ns:F"]`)
	b.settle()
	box := value[[4]float64](b, `(() => { const all = [...document.querySelectorAll('[data-node]')].map((e) => e.getBoundingClientRect());
		return [Math.min(...all.map((r) => r.left)) - 15, Math.min(...all.map((r) => r.top)) - 15, Math.max(...all.map((r) => r.right)) + 10, Math.max(...all.map((r) => r.bottom)) + 10] })()`)
	b.dragXY([2]float64{box[0], box[1]}, [2]float64{box[2], box[3]}, chromedp.ModifierShift)
	b.see(`[data-testid="chosen"][data-count="4"]`)
	b.shot("several chosen")
	b.accessible("several chosen")
	b.key(kb.Delete)
	b.reads(`[data-testid="consequences"]`, "A/eth0")
	b.reads(`[data-testid="delete-rest"]`, "F")
	b.reads(`[data-testid="preview-curl"]`, "/topology/delete")
	b.submit()
	b.gone(`[data-node="ns:A"]`)
	if all := namespaces(t); slices.Contains(all, "A") || slices.Contains(all, "C") || !slices.Contains(all, "F") {
		t.Errorf("ip has %v", all)
	}
	b.control("z")
	b.see(`[data-cable="A/eth0--B/eth0"][data-state-a="up"][data-state-b="up"]`)
	b.see(`[data-node="ns:C"]`)
	eventually(t, func() string { return difference(whole, calmWorld(t)) })

	// The same by keys: all is chosen, and one of it no longer.
	b.control("a")
	b.see(`[data-testid="chosen"][data-count="4"]`)
	b.run(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-node="ns:C"]').focus()`))
	b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierShift)))
	b.see(`[data-testid="chosen"][data-count="3"]`)
	b.key(kb.Escape)
	b.gone(`[data-testid="chosen"]`)
}

// TestBrowserByKeyboard builds the same lab without a mouse.
func TestBrowserByKeyboard(t *testing.T) {
	s := start(t)
	b := browse(t, s)
	b.see(`[data-testid="empty"]`)
	for _, name := range []string{"A", "B"} {
		b.shortcut("n")
		b.until("the name suggested", fmt.Sprintf(`document.activeElement?.name === 'name' && document.activeElement.value === %q`, name))
		b.enter()
		b.see(fmt.Sprintf(`[data-node="ns:%s"]`, name))
	}
	b.shortcut("b")
	b.enter()
	b.see(`[data-node="br:host/br0"]`)
	b.settle()

	b.walk("ns:A")
	b.shortcut(kb.Enter)
	b.see(`[data-node="ns:A"].selected`)
	b.shortcut("c")
	b.see(`[data-testid="connecting"]`)
	b.walk("ns:B")
	b.shortcut(kb.Enter)
	b.enter()
	b.see(`[data-cable="A/veth0--B/veth0"][data-state-a="up"][data-state-b="up"]`)
	for i, name := range []string{"A", "B"} {
		b.settle()
		b.walk("ns:" + name)
		b.shortcut(kb.Enter)
		b.see(fmt.Sprintf(`[data-inspect="namespace"] [data-link-row="veth0"], [data-node="ns:%s"].selected`, name))
		b.shortcut("c")
		b.walk("br:host/br0")
		b.shortcut(kb.Enter)
		b.enter()
		b.see(fmt.Sprintf(`[data-cable="%s/eth0--host/p%d"][data-state-a="up"][data-state-b="up"]`, name, i+1))
		wantMaster(t, fmt.Sprint("p", i+1), "br0")
	}
	wantAddress(t, "A", "veth0", "192.168.1.1/24")
	wantAddress(t, "B", "eth0", "192.168.2.2/24")
	b.shot("built by keyboard")

	// Ping: p, then the other card.
	b.settle()
	b.walk("ns:A")
	b.shortcut(kb.Enter)
	b.shortcut("p")
	b.see(`.picking-hint`)
	b.walk("ns:B")
	b.shortcut(kb.Enter)
	b.answered()

	// The canvas is one stop of Tab, and the cables of a card can be gone through.
	if stops := value[int](b, `document.querySelectorAll('.canvas [tabindex="0"]').length`); stops != 1 {
		t.Errorf("Tab stops %d times in the graph", stops)
	}
	b.walk("ns:A")
	b.shortcut(kb.PageDown)
	b.until("a cable with the focus", `document.activeElement.dataset.cable`)
	b.shortcut(kb.Enter)
	b.see(`[data-inspect="link"]`)
	b.shortcut(kb.Delete)
	b.see(`[data-testid="consequences"]`)
	b.enter()
	b.until("one cable less", `document.querySelectorAll('[data-cable]').length === 2`)
	b.control("z")
	b.until("the cable again", `document.querySelectorAll('[data-cable]').length === 3`)
}

// TestBrowserTemplates makes labs from templates, each as one operation.
func TestBrowserTemplates(t *testing.T) {
	s := start(t)
	bare := calmWorld(t)
	b := browse(t, s)
	b.click(`[data-testid="empty-star"]`)
	b.fill("count", "0")
	b.see(`dialog [data-testid="field-error"]`)
	b.fill("count", "20")
	b.reads(`[data-testid="preview-commands"]`, "ip netns add h20")
	b.shot("template star")
	b.accessible("template")
	b.submit()
	b.until("all members", `document.querySelectorAll('[data-cable][data-state-a="up"][data-state-b="up"]').length === 20`)
	ports := 0
	for _, l := range nettest.Bridge(t, "host", "link", "show") {
		if l["master"] == "br0" {
			ports++
		}
	}
	if ports != 20 {
		t.Errorf("bridge has %d ports", ports)
	}
	wantAddress(t, "h20", "eth0", "10.0.0.20/24")

	// Beside what is there: other names, other subnets.
	b.shortcut("l")
	b.click(`dialog [data-testid="template-router"]`)
	b.fill("count", "1")
	b.reads(`[data-testid="template-routers"]`, "ip netns exec r1 sysctl -w net.ipv4.ip_forward=1")
	b.reads(`[data-testid="preview-commands"]`, "ip netns add h22")
	b.submit()
	b.see(`[data-node="ns:r1"]`)
	b.see(`[data-node="ns:h22"]`)
	wantAddress(t, "r1", "eth1", "10.0.2.254/24")
	nettest.Shell(t, "ip netns exec r1 sysctl -q -w net.ipv4.ip_forward=1")
	b.ping("h21", "10.0.2.1")
	b.answered()
	b.shot("template router")

	b.control("z")
	b.gone(`[data-node="ns:r1"]`)
	b.control("z")
	b.see(`[data-testid="empty"]`)
	eventually(t, func() string { return difference(bare, calmWorld(t)) })
}

// TestBrowserSearch finds a member of a large lab by name, address and MAC, and
// comes back.
func TestBrowserSearch(t *testing.T) {
	s := start(t)
	s.do(t, "PUT", "/topology/intended", sites(12, 10)).want(t, http.StatusOK)
	b := browse(t, s)
	b.until("every namespace", `document.querySelectorAll('[data-node^="ns:"]').length >= 120`)
	b.settle()
	const view = `document.querySelector('.world').style.transform`
	before := value[string](b, view)
	b.shortcut("/")
	b.until("the search with the focus", `document.activeElement?.name === 'search'`)
	b.key("s7-3")
	b.see(`[data-hit="ns:s7-3"][aria-selected="true"]`)
	b.until("it in sight", inSight("ns:s7-3"))
	b.accessible("search")
	b.key(kb.Escape)
	b.gone(`[data-testid="search"]`)
	b.until("the view of before", view+" === "+quote(before))

	mac := fmt.Sprint(nettest.IP(t, "s3-4", "link", "show", "eth0")[0]["address"])
	for text, hit := range map[string]string{"10.5.0.9": "link:s5-8/eth0", strings.ToUpper(mac): "link:s3-4/eth0", "br11": "link:host/br11"} {
		b.shortcut("/")
		b.until("the search with the focus", `document.activeElement?.name === 'search'`)
		b.key(text)
		b.see(fmt.Sprintf(`[data-hit=%q][aria-selected="true"]`, hit))
		b.shot("search " + hit)
		b.key(kb.Enter)
		b.see(fmt.Sprintf(`[data-testid="inspector"][data-selection=%q]`, hit))
		b.gone(`[data-testid="search"]`)
	}
	b.shortcut("/")
	b.until("the search with the focus", `document.activeElement?.name === 'search'`)
	b.key("no such thing")
	b.see(`[data-testid="search-none"]`)
	b.key(kb.Escape)
}

// TestBrowserIgnores: a difference that is ignored is not told any more, here,
// until it changes; what drifted can become the intention.
func TestBrowserIgnores(t *testing.T) {
	s := start(t)
	furnishPair(t, s)
	b := browse(t, s)
	b.see(`[data-cable="A/eth0--B/eth0"]`)
	nettest.Shell(t, "ip -n A link set eth0 mtu 1400; ip netns add F")
	b.see(`[data-testid="drift-badge"][data-differences="1"]`)
	b.card("ns:A")
	b.click(`[data-object-differences="A"] [data-testid="ignore"]`)
	b.see(`[data-testid="drift-badge"][data-differences="0"]`)
	b.see(`[data-node="ns:A"].calm[data-differences="0"]`)
	b.do("location.reload()")
	b.see(`[data-node="ns:A"].calm`)
	b.see(`[data-testid="drift-badge"][data-differences="0"]`)
	if got := get[topology.DriftReport](t, s, "/topology/drift"); len(got.Differences) != 1 {
		t.Errorf("the server tells %+v", got)
	}

	nettest.Shell(t, "ip -n A link set eth0 mtu 1350")
	b.see(`[data-testid="drift-badge"][data-differences="1"]`)
	b.shortcut("d")
	b.click(`[data-drift="A/eth0"] [data-testid="ignore"]`)
	b.see(`[data-ignored="A/eth0"]`)
	b.shot("ignored")
	b.accessible("ignored")
	b.click(`[data-ignored="A/eth0"] [data-testid="unignore"]`)
	b.click(`[data-drift="A/eth0"] [data-testid="accept"]`)
	b.reads(`[data-testid="preview-curl"]`, `{"mtu":1350}`)
	b.submit()
	b.see(`[data-testid="drift"][data-differences="0"]`)
	if mtu := fmt.Sprint(nettest.IP(t, "A", "link", "show", "eth0")[0]["mtu"]); mtu != "1350" {
		t.Errorf("the MTU is %s", mtu)
	}

	b.card("ns:F")
	b.click(`[data-testid="ignore-foreign"]`)
	b.see(`[data-node="ns:F"].faint`)
	b.see(`[data-ignored="F"]`)
	b.click(`[data-ignored="F"] [data-testid="unignore"]`)
	b.see(`[data-node="ns:F"]:not(.faint)`)
}

// makeAt clicks the ground, as shares of the canvas, and makes what is offered.
// It must stand where the click was.
func (b *tab) makeAt(kind, node string, x, y float64) {
	b.t.Helper()
	b.key(kb.Escape)
	b.clickAt(`[data-testid="graph"]`, x, y)
	b.click(fmt.Sprintf(`[data-testid="spot-%s"]`, kind))
	b.submit()
	b.see(fmt.Sprintf("[data-node=%q]", node))
	b.until(node+" where the click was", fmt.Sprintf(`(() => { const c = document.querySelector('[data-testid="graph"]').getBoundingClientRect(), r = document.querySelector('[data-node=%q] > rect').getBoundingClientRect();
		return Math.hypot(r.x + r.width / 2 - c.x - c.width * %g, r.y + r.height / 2 - c.y - c.height * %g) < 12 })()`, node, x, y))
}

// cable draws one from the handle of a node to another node.
func (b *tab) cable(from, to string) {
	b.t.Helper()
	b.key(kb.Escape)
	b.settle()
	at := b.middle(fmt.Sprintf("[data-node=%q]", from))
	b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	b.drag(fmt.Sprintf("[data-connect=%q]", from), fmt.Sprintf("[data-node=%q]", to), 0)
	b.see("dialog")
}

// drag drags from the middle of one element to the middle of another.
func (b *tab) drag(from, to string, mods chromedp.Modifier) {
	b.t.Helper()
	b.see(from)
	b.see(to)
	b.settle()
	b.dragXY(b.middle(from), b.middle(to), mods)
}

func (b *tab) middle(selector string) [2]float64 {
	b.t.Helper()
	return value[[2]float64](b, fmt.Sprintf(`(() => { const r = document.querySelector(%s).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] })()`, quote(selector)))
}

func (b *tab) dragXY(from, to [2]float64, mods chromedp.Modifier) {
	b.t.Helper()
	with := func(p *input.DispatchMouseEventParams) {
		p.Button, p.Buttons, p.Modifiers = input.MouseButtonLeft, 1, int64(mods)
	}
	b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, from[0], from[1], with, func(p *input.DispatchMouseEventParams) { p.ClickCount = 1 }))
	const steps = 5
	for i := 1; i <= steps; i++ {
		share := float64(i) / steps
		b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, from[0]+(to[0]-from[0])*share, from[1]+(to[1]-from[1])*share, with))
	}
	b.run(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, to[0], to[1], with))
}

// shortcut presses a key that the page takes for itself. Where it opens a form,
// no letter of it gets there, as no letter does from a real keyboard.
func (b *tab) shortcut(key string) {
	b.t.Helper()
	b.run(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		for _, r := range key {
			for _, event := range kb.Encode(r) {
				if event.Type == kb.KeyChar {
					continue
				}
				if _, err := cdp.Call(ctx, page, input.DispatchKeyEvent, *event); err != nil {
					return fmt.Errorf("key %q: %w", key, err)
				}
			}
		}
		return nil
	}))
}

// enter sends the open form with Enter, once the server has said what it would do.
func (b *tab) enter() {
	b.t.Helper()
	b.see(`dialog [data-testid="preview"][data-pending="false"]`)
	b.until("the focus in the form", `document.activeElement?.closest('dialog')`)
	b.key(kb.Enter)
	b.gone("dialog")
}

// walk goes to a node by arrow keys, always the way in which it lies.
func (b *tab) walk(node string) {
	b.t.Helper()
	const arrows = `(() => { const [me, to] = [document.activeElement?.closest('[data-node]') ?? null, document.querySelector('[data-node=%q]')];
		if (me === to) return ''; if (!me) return 'ArrowDown';
		const [p, q] = [me, to].map((e) => e.querySelector('rect').getBoundingClientRect());
		const dx = Math.max(0, q.left - p.right) - Math.max(0, p.left - q.right), dy = Math.max(0, q.top - p.bottom) - Math.max(0, p.top - q.bottom);
		return Math.abs(dx) > Math.abs(dy) ? (dx > 0 ? 'ArrowRight' : 'ArrowLeft') : (dy > 0 ? 'ArrowDown' : 'ArrowUp') })()`
	keys := map[string]string{"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight}
	for range 12 {
		next := value[string](b, fmt.Sprintf(arrows, node))
		if next == "" {
			return
		}
		b.shortcut(keys[next])
	}
	b.t.Fatalf("arrows do not lead to %s", node)
}

// inSight is an expression: a node is on the screen, whole, and not below the list
// of what was found.
func inSight(node string) string {
	return fmt.Sprintf(`(() => { const c = document.querySelector('[data-testid="graph"]').getBoundingClientRect(), r = document.querySelector('[data-node=%q]').getBoundingClientRect(),
		s = document.querySelector('[data-testid="search"]').getBoundingClientRect();
		return r.left > s.right && r.top >= c.top && r.right <= c.right && r.bottom <= c.bottom && r.width > 60 })()`, node)
}

func wantAddress(t testing.TB, namespace, link, cidr string) {
	t.Helper()
	address, length, _ := strings.Cut(cidr, "/")
	text := fmt.Sprint(nettest.IP(t, namespace, "address", "show", link))
	if !strings.Contains(text, "local:"+address+" ") || !strings.Contains(text, "prefixlen:"+length+" ") {
		t.Errorf("ip says of %s/%s: %s", namespace, link, text)
	}
}

func wantMaster(t testing.TB, port, bridge string) {
	t.Helper()
	if problem := masterProblem(t, port, bridge); problem != "" {
		t.Error(problem)
	}
}

// masterProblem tells what is wrong when a port of host is not plugged into a
// bridge.
func masterProblem(t testing.TB, port, bridge string) string {
	t.Helper()
	for _, l := range nettest.Bridge(t, "host", "link", "show") {
		if l["ifname"] == port && l["master"] == bridge {
			return ""
		}
	}
	return port + " is not plugged into " + bridge
}
