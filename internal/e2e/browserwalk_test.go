package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
)

// threeOnABridge is a lab of three hosts, h1 to h3 by p1 to p3, that say nothing
// by themselves.
const threeOnABridge = `
ipv6: false
namespaces: [{name: h1}, {name: h2}, {name: h3}]
bridges: [{namespace: host, name: br0}]
veths:
  - {a: {namespace: h1, name: eth0, addresses: [10.0.0.1/24]}, b: {namespace: host, name: p1, master: br0}}
  - {a: {namespace: h2, name: eth0, addresses: [10.0.0.2/24]}, b: {namespace: host, name: p2, master: br0}}
  - {a: {namespace: h3, name: eth0, addresses: [10.0.0.3/24]}, b: {namespace: host, name: p3, master: br0}}
`

// intend makes the lab that a document describes.
func (s *server) intend(t testing.TB, yaml string) {
	t.Helper()
	s.do(t, http.MethodPut, "/topology/intended", yaml, "Content-Type: application/yaml", "If-Match: *").want(t, http.StatusOK)
}

func macOf(t testing.TB, namespace, link string) string {
	t.Helper()
	return fmt.Sprint(nettest.IP(t, namespace, "link", "show", link)[0]["address"])
}

// TestBrowserWalk traces a ping over a real bridge and follows the lesson step by
// step: what the frames do, what the bridge says of them, what it learns.
func TestBrowserWalk(t *testing.T) {
	s := start(t)
	s.intend(t, threeOnABridge)
	b := browse(t, s)
	b.see(`[data-node="br:host/br0"]`)
	b.traced("h1", "h2")
	b.until("a walk that is played", `document.querySelector('[data-testid="walk-player"][data-playing="true"]')`)
	b.click(`[data-testid="walk-play"]`)
	b.see(`[data-testid="walk-player"][data-playing="false"]`)
	b.do(`document.querySelector('[data-testid="walk"]') || document.querySelector('[data-testid="tab-walk"]').click()`)
	b.see(`[data-testid="walk-step"]`)
	kinds := value[string](b, `[...document.querySelectorAll('[data-testid="walk-step"]')].map((e) => e.dataset.frame + ' ' + e.dataset.kind).join('\n')`)
	var want []string
	for _, frame := range []string{"arp_request", "arp_reply", "echo_request", "echo_reply"} {
		want = append(want, frame+" move", frame+" decide", frame+" move")
	}
	if kinds != strings.Join(want, "\n") {
		t.Fatalf("the steps are\n%s", kinds)
	}

	b.step(0)
	b.reads(`[data-testid="walk-says"]`, "h1 asks everyone: who has 10.0.0.2?")
	b.arrived(`[data-moving][data-from="h1/eth0"]`, "br:host/br0")
	b.shot("walk-asks")

	b.step(1)
	b.see(`[data-decision="host/br0"][data-verdict="flood"][data-reason="broadcast"][data-learned="new"]`)
	b.reads(`[data-testid="walk-says"]`, "A copy leaves by p2, p3.")
	b.reads(`[data-testid="walk-says"]`, "br0 learns: "+macOf(t, "h1", "eth0")+" (h1) is behind p1.")
	b.see(fmt.Sprintf(`[data-testid="mac-table"] .walk-learns[data-mac=%q]`, macOf(t, "h1", "eth0")))
	b.shot("walk-flood")

	b.key(kb.ArrowRight)
	b.see(`[data-testid="walk-player"][data-step="2"]`)
	b.arrived(`[data-moving][data-to="h2/eth0"]`, "ns:h2")
	b.arrived(`[data-moving][data-to="h3/eth0"]`, "ns:h3")
	b.see(`.walk.there [data-end="taken"][data-at="h2/eth0"]`)
	b.see(`.walk.there [data-end="quiet"][data-at="h3/eth0"]`)
	b.shot("walk-copies")

	b.step(7)
	b.see(`[data-decision="host/br0"][data-verdict="forward"][data-reason="known"]`)
	b.see(fmt.Sprintf(`[data-testid="mac-table"] .walk-looks[data-mac=%q][data-port="p2"]`, macOf(t, "h2", "eth0")))
	b.reads(`[data-testid="walk-frame"]`, macOf(t, "h2", "eth0"))
	b.shot("walk-forward")
	b.key(kb.ArrowLeft)
	b.see(`[data-testid="walk-player"][data-step="6"]`)

	// From the beginning to the end, quickly.
	b.click(`[data-testid="walk-replay"]`)
	b.see(`[data-testid="walk-player"][data-step="0"][data-playing="true"]`)
	b.do(`(() => { const e = document.querySelector('[name="walk-speed"]'); e.value = '4'; e.dispatchEvent(new Event('change', {bubbles: true})) })()`)
	b.see(`[data-testid="walk-player"][data-step="11"][data-playing="false"]`)
	b.reads(`[data-testid="walk-says"]`, "ping 1 went there and back")
	b.click(`[data-testid="walk-close"]`)
	b.gone(`[data-testid="walk-player"], [data-testid="walk-layer"]`)
}

// TestBrowserWalkLost traces a ping that a packet filter drops: its end is where
// it was last seen.
func TestBrowserWalkLost(t *testing.T) {
	s := start(t)
	s.intend(t, threeOnABridge)
	nettest.Shell(t, `ip netns exec h2 nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i meta l4proto icmp drop'`)
	b := browse(t, s)
	b.see(`[data-node="br:host/br0"]`)
	b.traced("h1", "h2")
	last := value[int](b, `Number(document.querySelector('[data-testid="walk-player"]').dataset.steps)`) - 1
	b.step(last)
	b.reads(`[data-testid="walk-says"]`, "h2 takes it, but no answer was seen.")
	b.arrived(`[data-moving][data-to="h2/eth0"]`, "ns:h2")
	b.click(`[data-testid="tab-ping"]`)
	b.see(`[data-testid="ping-run"][data-state="done"] [data-testid="why-not"]`)
}

// traced pings once in the drawer, with the frames traced, and waits for the walk.
func (b *tab) traced(from, to string) {
	b.t.Helper()
	b.do(`document.querySelector('[data-testid="ping-panel"]') || document.querySelector('[data-testid="tab-ping"]').click()`)
	b.see(`[data-testid="ping-form"]`)
	b.do(`document.querySelector('[data-testid="ping-trace"]').checked || document.querySelector('[data-testid="ping-trace"]').click()`)
	b.ask(from, to)
	b.click(`[data-testid="ping-start"]`)
	b.see(`[data-testid="walk-player"]`)
}

// ask chooses source and target in the open form of the drawer.
func (b *tab) ask(from, to string) {
	b.t.Helper()
	b.do(fmt.Sprintf(`(() => { const e = document.querySelector('.drawer [name="from"]'); e.value = %s; e.dispatchEvent(new Event('change', {bubbles: true})) })()`, quote(from)))
	b.do(`(() => { const e = document.querySelector('.drawer [name="to"]'); e.focus(); e.select() })()`)
	b.key(to)
}

// step goes to a step of the walk by its line in the drawer.
func (b *tab) step(i int) {
	b.t.Helper()
	b.do(`document.querySelector('[data-testid="walk"]') || document.querySelector('[data-testid="tab-walk"]').click()`)
	b.click(fmt.Sprintf(`[data-testid="walk-step"][data-index="%d"]`, i))
	b.see(fmt.Sprintf(`[data-testid="walk-player"][data-step="%d"]`, i))
}

// arrived waits until an envelope has come to an edge of a card or bar.
func (b *tab) arrived(envelope, node string) {
	b.t.Helper()
	b.until(envelope+" at "+node, fmt.Sprintf(`(() => {
		const [e, n] = [document.querySelector(%s), document.querySelector(%s)].map((x) => x?.getBoundingClientRect());
		if (!e || !n || !document.querySelector('.walk.there')) return false;
		const [x, y] = [e.x + e.width / 2, e.y + e.height / 2];
		return x > n.x - 8 && x < n.right + 8 && y > n.y - 8 && y < n.bottom + 8;
	})()`, quote(envelope), quote(fmt.Sprintf("[data-node=%q]", node))))
}
