package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netdash/internal/topology"
)

// places tells where each node of the graph is drawn, in the drawing.
func (b *tab) places() string {
	b.t.Helper()
	b.settle()
	return value[string](b, `[...document.querySelectorAll('[data-node]')].map((e) => e.dataset.node + ' ' + e.getAttribute('transform')).sort().join('\n')`)
}

// TestPagePlaces: where somebody puts a card, it is for everybody: at once in a
// second browser, in one that comes later, and after netdash was started anew.
func TestPagePlaces(t *testing.T) {
	s := start(t)
	s.do(t, "PUT", "/topology/intended", sites(1, 3)).want(t, 200)
	mine, theirs := browse(t, s), browse(t, s)
	for _, b := range []*tab{mine, theirs} {
		b.until("all of it", `document.querySelectorAll('[data-node]').length === 5`)
	}
	before := mine.places()
	mine.do(`document.querySelector('[data-node="ns:s0-1"]').focus()`)
	for range 5 {
		mine.run(chromedp.KeyEvent(kb.ArrowDown, chromedp.KeyModifiers(chromedp.ModifierShift)))
	}
	moved := mine.places()
	if moved == before {
		t.Fatal("Shift with the arrow keys has not moved the card")
	}
	same := func(b *tab) {
		t.Helper()
		eventually(t, func() string {
			if p := b.places(); p != moved {
				return fmt.Sprintf("not in the same places:\n%s\nwant\n%s", p, moved)
			}
			return ""
		})
	}
	same(theirs)
	eventually(t, func() string {
		for _, p := range get[items[topology.Position]](t, s, "/positions").Items {
			if p.Object == "ns:s0-1" && p.Pinned {
				return ""
			}
		}
		return "the position is not stored"
	})
	mine.do(`location.reload()`)
	same(mine)
	s.stop(t)
	same(browse(t, startOn(t, s.DB)))
}

// TestPageFolds: the members of a large bridge stand in a panel below its bar,
// each with its cable; unfolded by hand, they stay so for this browser.
func TestPageFolds(t *testing.T) {
	s := start(t)
	spec := topology.Spec{Name: "star", Bridges: []topology.Bridge{{Namespace: topology.HostName, Name: "br0"}}}
	for i := range 14 {
		host := fmt.Sprint("h", i)
		spec.Namespaces = append(spec.Namespaces, topology.Namespace{Name: host})
		spec.Veths = append(spec.Veths, topology.Veth{
			A: topology.End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.0.0.%d/24", i+1)}},
			B: topology.End{Namespace: topology.HostName, Name: fmt.Sprint("p", i), Master: "br0"},
		})
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	s.do(t, "PUT", "/topology/intended", string(text)).want(t, 200)
	b := browse(t, s)
	b.see(`[data-panel="br:host/br0"]`)
	b.settle()
	outside := value[[]string](b, `(() => { const p = document.querySelector('[data-panel]').getBoundingClientRect();
		return [...document.querySelectorAll('[data-node^="ns:"]')].filter((e) => { const r = e.getBoundingClientRect(); return r.left < p.left || r.right > p.right || r.top < p.top || r.bottom > p.bottom })
			.map((e) => e.dataset.node) })()`)
	if len(outside) > 0 {
		t.Errorf("not in the panel: %q", outside)
	}
	b.see(`[data-cable="h7/eth0--host/p7"][data-state-a="up"][data-state-b="up"]`)
	b.see(`[data-port="h7/eth0"]`)
	b.see(`[data-port="host/p7"]`)
	b.do(`document.querySelector('[data-testid="fold"]').focus()`)
	b.key(kb.Enter)
	b.gone(`[data-panel]`)
	b.do(`location.reload()`)
	b.see(`[data-node="ns:h7"]`)
	if value[bool](b, `!!document.querySelector('[data-panel]')`) {
		t.Error("folded again after a reload")
	}
	b.click(`[data-testid="fold-all"]`)
	b.see(`[data-panel="br:host/br0"]`)
}
