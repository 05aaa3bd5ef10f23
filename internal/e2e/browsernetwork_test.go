package e2e

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestPageWithoutConnections: whatever the page needs a connection for is lost
// once, as when an address of the machine changes (ERR_NETWORK_CHANGED). It is
// there nevertheless, and does what it is told once.
func TestPageWithoutConnections(t *testing.T) {
	s := start(t)
	b := browse(t, s)
	lost := b.loseEach(t)
	b.do("location.reload()")
	b.until("the page, loaded anew", `performance.getEntriesByType('navigation')[0].type === 'reload' &&
		document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	b.createNamespace("A", true)
	b.see(`[data-node="ns:A"]`)
	for _, path := range []string{"GET /static/dist/js/main.js", "GET /static/css/base.css", "GET /api/v1/positions", "POST /api/v1/namespaces"} {
		if lost(path) != 1 {
			t.Errorf("%s was lost %d times", path, lost(path))
		}
	}
	if done := get[struct{ Items []topology.Operation }](t, s, "/operations").Items; len(done) != 1 {
		t.Errorf("%d operations", len(done))
	}
	if len(nettest.IP(t, "A", "link", "show")) != 1 {
		t.Error("A has not lo alone")
	}
}

// loseEach has each request of the page fail the first time, and gives a count of
// those lost. Spared is what comes over one connection: the page and its first script.
func (b *tab) loseEach(t *testing.T) func(request string) int {
	t.Helper()
	var mu sync.Mutex
	lost := map[string]int{}
	at := chromedp.FromContext(b.ctx).Target
	err := chromedp.Listen(b.ctx, func(event any) {
		e, ok := event.(*fetch.EventRequestPaused)
		if !ok {
			return
		}
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			return // note has it
		}
		what := e.Request.Method + " " + u.Path
		mu.Lock()
		lose := lost[what] == 0 && e.ResourceType != network.ResourceTypeDocument && u.Path != "/static/js/ahead.js"
		if lose {
			lost[what]++
		}
		mu.Unlock()
		// A listener must not wait for an answer; and a page that is loaded anew has
		// dropped its requests, so that there is nothing to answer.
		go func() {
			if lose {
				_, _ = cdp.Call(b.ctx, at, fetch.FailRequest, fetch.FailRequestParams{RequestID: e.RequestID, ErrorReason: network.ErrorReasonConnectionAborted})
			} else {
				_, _ = cdp.Call(b.ctx, at, fetch.ContinueRequest, fetch.ContinueRequestParams{RequestID: e.RequestID})
			}
		}()
	})
	b.run(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, enabled := cdp.Call(ctx, page, fetch.Enable, fetch.EnableParams{})
		return errors.Join(err, enabled)
	}))
	return func(request string) int {
		mu.Lock()
		defer mu.Unlock()
		return lost[request]
	}
}
