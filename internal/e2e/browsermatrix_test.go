package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
)

// TestBrowserMatrix fills the matrix of a lab with a broken host; every cell of
// the page is compared with what ping(8) says.
func TestBrowserMatrix(t *testing.T) {
	s := start(t)
	s.intend(t, threeOnABridge)
	nettest.Shell(t, "ip -n h3 link set eth0 down")
	b := browse(t, s)
	b.see(`[data-node="br:host/br0"]`)
	b.see(`[data-port="p3"], [data-state-a="down"], [data-state-b="down"]`)
	b.click(`[data-testid="tab-matrix"]`)
	b.click(`[data-testid="matrix-run"]`)
	b.see(`[data-testid="matrix-summary"][data-state="done"][data-pairs="6"][data-reached="2"]`)
	b.shot("matrix")
	b.do(`document.querySelector('[data-testid="matrix-grid"]').focus()`)
	b.key(kb.Home)
	for row, from := range []string{"h1", "h2", "h3"} {
		for column, to := range []string{"h1", "h2", "h3"} {
			b.see(fmt.Sprintf(`[data-testid="matrix-grid"][data-row="%d"][data-column="%d"]`, row, column))
			if from != to {
				cell := fmt.Sprintf(`[data-testid="matrix-cell"][data-from=%q][data-to=%q][data-ok=%q]`, from, to, fmt.Sprint(answers(t, from, "10.0.0."+to[1:])))
				b.see(cell)
			}
			b.key(kb.ArrowRight)
		}
		b.key(kb.Home)
		b.key(kb.ArrowDown)
	}

	// A cell explains itself in words, and leads on.
	b.click(`[data-testid="matrix-failure"][data-reason="link_down"]`)
	b.reads(`[data-testid="matrix-cell"]`, "h3 → h1: link down")
	b.do(`document.querySelector('[data-testid="matrix-grid"]').focus()`)
	b.key(kb.ArrowUp)
	b.see(`[data-testid="matrix-cell"][data-from="h2"][data-to="h1"][data-ok="true"]`)
	b.key(kb.Enter)
	b.until("a finished ping of the cell", `document.querySelector('[data-testid="ping-run"][data-state="done"] h3')?.textContent.includes("h2 → h1")`)
}

// answers tells whether ping(8) gets a reply.
func answers(t testing.TB, from, address string) bool {
	t.Helper()
	return nettest.Shell(t, fmt.Sprintf("ip netns exec %s ping -n -q -c 1 -W 1 %s >/dev/null 2>&1 && echo yes || true", from, address)) != ""
}
