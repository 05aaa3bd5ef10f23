package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"netdash/internal/nettest"
)

// pictures names the directory the pictures of docs/how-frames-travel.md are kept
// in (make pictures); without it they are not taken.
const pictures = "NETDASH_PICTURES"

// TestBrowserLesson does what docs/how-frames-travel.md tells, in this order:
// learning and flooding, forwarding, an unknown destination, filtering.
func TestBrowserLesson(t *testing.T) {
	s := start(t)
	s.intend(t, `
ipv6: false
namespaces: [{name: h1}, {name: h2}, {name: h3}]
bridges: [{namespace: host, name: br0}]
veths:
  - {a: {namespace: h1, name: eth0, mac: "02:00:00:00:00:01", addresses: [10.0.0.1/24]}, b: {namespace: host, name: p1, master: br0}}
  - {a: {namespace: h2, name: eth0, mac: "02:00:00:00:00:02", addresses: [10.0.0.2/24]}, b: {namespace: host, name: p2, master: br0}}
  - {a: {namespace: h3, name: eth0, mac: "02:00:00:00:00:03", addresses: [10.0.0.3/24]}, b: {namespace: host, name: p3, master: br0}}
`)
	b := browse(t, s)
	b.do(`localStorage.setItem('netdash.theme', 'light'); location.reload()`)
	b.run(chromedp.EmulateViewport(1280, 720))
	b.see(`[data-node="br:host/br0"]`)
	b.traced("h1", "h2")
	b.toward("arp_request", "decide", "flood", "broadcast", "new")
	b.picture("frames-flood")
	b.toward("arp_request", "move", "flood", "broadcast", "new")
	b.see(`.walk.there [data-end="quiet"][data-at="h3/eth0"]`)
	b.picture("frames-copies")
	b.toward("arp_reply", "decide", "forward", "known", "new")
	b.picture("frames-forward")
	b.toward("echo_request", "move", "forward", "known", "refreshed")
	b.see(`.walk.there [data-end="taken"][data-at="h2/eth0"]`)

	// The hosts still know each other's MACs, and do not ask once more, which would
	// teach the bridge; that has forgotten them.
	nettest.Shell(t, `ip -n h1 neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent
		ip -n h2 neigh replace 10.0.0.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent`)
	s.do(t, http.MethodPost, "/namespaces/host/bridges/br0/fdb/flush", "").want(t, http.StatusOK)
	b.click(`[data-testid="walk-close"]`)
	b.traced("h1", "h2")
	b.toward("echo_request", "move", "flood", "unknown", "new")
	b.see(`.walk.there [data-end="ignored"][data-at="h3/eth0"]`)
	b.picture("frames-unknown")
	b.click(`[data-testid="walk-close"]`)

	// A bridge that forgets at once is a hub: it floods what br0 then filters.
	s.intend(t, `
ipv6: false
namespaces: [{name: h1}, {name: h2}, {name: h3}]
bridges: [{namespace: host, name: br0}, {namespace: host, name: hub, ageing_seconds: 0}]
veths:
  - {a: {namespace: h1, name: eth0, mac: "02:00:00:00:00:01", addresses: [10.0.0.1/24]}, b: {namespace: host, name: p1, master: hub}}
  - {a: {namespace: h2, name: eth0, mac: "02:00:00:00:00:02", addresses: [10.0.0.2/24]}, b: {namespace: host, name: p2, master: hub}}
  - {a: {namespace: h3, name: eth0, mac: "02:00:00:00:00:03", addresses: [10.0.0.3/24]}, b: {namespace: host, name: p3, master: br0}}
  - {a: {namespace: host, name: up, mac: "02:00:00:00:00:0a", master: hub}, b: {namespace: host, name: p9, mac: "02:00:00:00:00:09", master: br0}}
`)
	b.see(`[data-node="br:host/hub"]`)
	b.do(`document.querySelector('[data-testid="tidy"]').click()`)
	s.ping(t, `{"namespace":"h1","to_namespace":"h2","count":1}`)
	b.settle()
	b.traced("h1", "h2")
	b.toward("echo_request", "decide", "filter", "same_port", "refreshed")
	b.gone(`[data-testid="walk-doubt"]`)
	b.picture("frames-filter")
}

// toward goes to the first step of its kind in which a bridge has decided so.
func (b *tab) toward(frame, kind, verdict, reason, learned string) {
	b.t.Helper()
	wanted := fmt.Sprintf(`[data-decision][data-verdict=%q][data-reason=%q][data-learned=%q]`, verdict, reason, learned)
	steps := value[int](b, `Number(document.querySelector('[data-testid="walk-player"]').dataset.steps)`)
	b.do(`document.querySelector('[data-testid="walk-player"][data-playing="true"] [data-testid="walk-play"]')?.click()`)
	for i := range steps {
		b.do(fmt.Sprintf(`(() => { const e = document.querySelector('[data-testid="walk-timeline"]'); e.value = %d; e.dispatchEvent(new Event('input', {bubbles: true})) })()`, i))
		b.see(fmt.Sprintf(`[data-testid="walk-player"][data-step="%d"]`, i))
		if value[bool](b, fmt.Sprintf(`!!document.querySelector(%s) && !!document.querySelector(%s)`, quote(wanted), quote(fmt.Sprintf(`[data-testid="walk-player"][data-frame=%q][data-kind=%q]`, frame, kind)))) {
			b.see(`.walk.there`)
			return
		}
	}
	b.t.Fatalf("in no %s of %s a bridge decides %s, %s", kind, frame, verdict, reason)
}

// picture keeps a picture for the documents, where these are wanted.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv(pictures)
	if dir == "" {
		return
	}
	b.settle()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	time.Sleep(600 * time.Millisecond) // flashes and transitions end
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if len(png) > 150_000 {
		b.t.Errorf("%s has %d bytes", name, len(png))
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
