package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
)

// tab is a page of netdash in a real, headless Chromium. It notes everything a
// page must never do: log an error, break its own security policy, ask another
// host.
type tab struct {
	t   testing.TB
	ctx context.Context

	mu     sync.Mutex
	faults []string
}

// screenshots names the directory screenshots are kept in; without it they are
// not taken.
const screenshots = "NETDASH_SCREENSHOTS"

// chromium starts the browser of all tests, once. Its context ends with stopChromium.
var chromium = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	stopChromium = func() { closeBrowser(); stop() }
	return ctx, chromedp.Do(ctx)
})

// stopChromium ends it, if it was started, and removes what it has written.
var stopChromium = func() {}

// browse opens the page of s in a profile of its own.
func browse(t testing.TB, s *server) *tab {
	t.Helper()
	nettest.Require(t)
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx}
	home, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			b.shot("failed")
		}
		closeTab()
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.faults) > 0 {
			t.Errorf("in the browser:\n%s", strings.Join(b.faults, "\n"))
		}
	})
	// The tab is made by the first run and would end with its deadline.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(event any) { b.note(event, home.Host) }); err != nil {
		t.Fatal(err)
	}
	b.run(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
		_, err1 := cdp.Call(ctx, page, log.Enable, cdp.Empty{})
		_, err2 := cdp.Call(ctx, page, network.Enable, network.EnableParams{})
		_, err3 := cdp.Call(ctx, page, runtime.Enable, cdp.Empty{})
		return errors.Join(err1, err2, err3)
	}), chromedp.EmulateViewport(1440, 900), chromedp.Navigate(s.URL))
	b.see(`[data-testid="connection"][data-state="live"]`)
	return b
}

// note keeps what is a fault.
func (b *tab) note(event any, home string) {
	var fault string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		fault = fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			fault = fmt.Sprintf("console error: %+v", e.Args)
		}
	case *log.EventEntryAdded:
		// A refused request is logged by the browser, too; whether the page may
		// make one is for the test of that page to say.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			fault = "log: " + e.Entry.Text
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err != nil || u.Host != home && u.Scheme != "data" && u.Scheme != "blob" {
			fault = "a request to " + e.Request.URL
		}
	}
	if fault != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, fault)
	}
}

func (b *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// do runs a script.
func (b *tab) do(js string) {
	b.t.Helper()
	b.run(chromedp.Evaluate[chromedp.Void](js))
}

// value gives what an expression is in the page.
func value[T any](b *tab, js string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits until an expression is true in the page.
func (b *tab) until(what, js string) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+js+")"))
		cancel()
		// While the page is loaded anew there is nobody to ask.
		if err != nil && !strings.Contains(err.Error(), "navigated") {
			b.t.Fatalf("%s: %v", js, err)
		}
		if is {
			return
		}
	}
	b.shot("failed " + b.t.Name())
	b.t.Fatalf("not in the page: %s\nthe page: %s", what, value[string](b, pageState))
}

// pageState tells what a page that is not as it should be looks like instead.
const pageState = `JSON.stringify({
	document: document.readyState, visible: document.visibilityState, now: Math.round(performance.now()),
	connection: document.querySelector('[data-testid="connection"]')?.dataset.state,
	socket: globalThis.ahead?.socket?.readyState, // null once it is the page's own
	dialog: document.querySelector('dialog')?.innerText,
	text: document.body.innerText.slice(0, 500),
	loaded: performance.getEntriesByType('resource').map((e) => [new URL(e.name).pathname, Math.round(e.startTime), Math.round(e.responseEnd), e.responseStatus].join(' ')),
}, null, 1)`

func quote(s string) string {
	out, _ := json.Marshal(s)
	return string(out)
}

func (b *tab) see(selector string) {
	b.t.Helper()
	b.until(selector, "document.querySelector("+quote(selector)+")")
}

func (b *tab) gone(selector string) {
	b.t.Helper()
	b.until("the end of "+selector, "!document.querySelector("+quote(selector)+")")
}

// reads waits until an element's text holds something.
func (b *tab) reads(selector, text string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%q in %s", text, selector), fmt.Sprintf("document.querySelector(%s)?.textContent.includes(%s)", quote(selector), quote(text)))
}

// click clicks an element with the mouse, where it is on the screen.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.see(selector)
	b.clickAt(selector, 0.5, 0.5)
}

func (b *tab) clickAt(selector string, x, y float64) {
	b.t.Helper()
	at := value[[2]float64](b, fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.scrollIntoView?.({block: 'nearest'});
		const r = e.getBoundingClientRect(); return [r.x + r.width * %g, r.y + r.height * %g] })()`, quote(selector), x, y))
	b.run(chromedp.MouseClickXY(at[0], at[1]))
}

// card clicks the head of a card or a bar of the graph, beside its buttons.
func (b *tab) card(node string) {
	b.t.Helper()
	selector := fmt.Sprintf("[data-node=%q]", node)
	b.see(selector)
	b.settle()
	at := value[[2]float64](b, fmt.Sprintf(`(() => { const r = document.querySelector(%s).getBoundingClientRect(); return [r.x + 40, r.y + 14] })()`, quote(selector)))
	b.run(chromedp.MouseClickXY(at[0], at[1]))
}

// settle waits until nothing in the graph moves any more.
func (b *tab) settle() {
	b.t.Helper()
	const where = `JSON.stringify([...document.querySelectorAll('[data-node]')].map((e) => { const r = e.getBoundingClientRect(); return [r.x, r.y] }))`
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(80 * time.Millisecond) {
		now := value[string](b, where)
		if now == last {
			return
		}
		last = now
	}
	b.t.Fatal("the graph does not come to rest")
}

// fill types into the input, or chooses in the select, of that name.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	selector := fmt.Sprintf("dialog [name=%q]", name)
	b.see(selector)
	if value[string](b, "document.querySelector("+quote(selector)+").tagName") == "SELECT" {
		b.do(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.value = %s; e.dispatchEvent(new Event('change', {bubbles: true})) })()`, quote(selector), quote(text)))
		b.until(text+" chosen", fmt.Sprintf("document.querySelector(%s).value === %s", quote(selector), quote(text)))
		return
	}
	keys := text
	if text == "" {
		keys = kb.Delete
	}
	// Quicker than a person, this can be before the dialog has taken the focus.
	for end := time.Now().Add(patience); time.Now().Before(end); {
		b.do(fmt.Sprintf("(() => { const e = document.querySelector(%s); e.focus(); e.select() })()", quote(selector)))
		b.run(chromedp.KeyEvent(keys))
		if value[string](b, fmt.Sprintf("document.querySelector(%s).value", quote(selector))) == text {
			return
		}
	}
	b.t.Fatalf("%s does not take %q", selector, text)
}

// submit sends the open form and waits until it has closed.
func (b *tab) submit() {
	b.t.Helper()
	b.see(`dialog [data-testid="preview"][data-pending="false"]`) // the button has its place then
	b.click(`dialog [data-testid="submit"]`)
	b.gone("dialog")
}

func (b *tab) key(k string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(k))
}

// shot keeps a screenshot, where these are wanted.
func (b *tab) shot(name string) {
	dir := os.Getenv(screenshots)
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	time.Sleep(400 * time.Millisecond) // transitions end
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"), png, 0o600); err != nil {
		b.t.Error(err)
	}
}
