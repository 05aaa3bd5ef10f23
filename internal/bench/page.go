package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

const (
	pageRounds   = 3
	pagePatience = time.Minute
	pageRest     = time.Second // for the page to come to rest
	pageMoves    = 2 * time.Second
	pageWidth    = 1920
	pageHeight   = 1080
	siteHosts    = 10 // on each bridge of the lab that is drawn
)

// pageProbe is what the page is made to note.
//
//go:embed page.js
var pageProbe string

// drawn is what the page of one lab took, one value a round.
type drawn struct {
	hosts, spaces        int
	paint, usable        samples // ms from the navigation
	bytes                samples // KiB, as transferred
	pan, zoom            samples // frames a second
	heap                 samples // MiB
	changed              pooled  // ms
	panSlowest, zoomSlow samples // ms of a frame, p95
}

// pages measures the page in a headless Chromium, with labs made for real.
func (b *bench) pages(ctx context.Context, out *report) error {
	for _, hosts := range b.n.pages {
		d := &drawn{hosts: hosts}
		var document string
		document, d.spaces = sitesDocument(hosts)
		if err := b.put(ctx, document); err != nil {
			return err
		}
		time.Sleep(b.n.settle)
		for range min(b.n.rounds, pageRounds) {
			if err := b.pageRound(ctx, d); err != nil {
				return fmt.Errorf("page of %d namespaces: %w", d.spaces, err)
			}
		}
		d.report(out)
		if err := b.put(ctx, "{}"); err != nil {
			return err
		}
	}
	return nil
}

// sitesDocument is a lab as people build them: bridges with ten hosts each, and
// a router from each to a bridge in the middle. It has no IPv6, which would talk
// while the page is timed.
func sitesDocument(hosts int) (document string, spaces int) {
	quiet := false
	s := topology.Spec{IPv6: &quiet, Bridges: []topology.Bridge{{Namespace: topology.HostName, Name: "core"}}}
	space := func(name string) string {
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: name})
		return name
	}
	plug := func(name, link, address, port, bridge string) {
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: name, Name: link, Addresses: []string{address}},
			B: topology.End{Namespace: topology.HostName, Name: port, Master: bridge},
		})
	}
	for i := range (hosts + siteHosts - 1) / siteHosts {
		bridge, router := fmt.Sprint("br", i), space(fmt.Sprint("r", i))
		s.Bridges = append(s.Bridges, topology.Bridge{Namespace: topology.HostName, Name: bridge})
		plug(router, "eth0", fmt.Sprintf("10.255.0.%d/24", i+1), fmt.Sprint("c", i), "core")
		plug(router, "eth1", fmt.Sprintf("10.%d.0.254/24", i), fmt.Sprint("r", i), bridge)
		for j := i * siteHosts; j < min(hosts, (i+1)*siteHosts); j++ {
			plug(space(fmt.Sprint("h", j)), "eth0", fmt.Sprintf("10.%d.0.%d/24", i, j%siteHosts+1), fmt.Sprint("p", j), bridge)
		}
	}
	text, _ := json.Marshal(s) // of what can be nothing but JSON
	return string(text), len(s.Namespaces)
}

// pageRound opens the page in a browser that has never seen it, of a lab that
// has never been drawn.
func (b *bench) pageRound(ctx context.Context, d *drawn) error {
	if _, _, err := b.server.call(ctx, 200, "PUT", "/positions", `{"items":[]}`); err != nil {
		return err
	}
	t, err := openTab(ctx)
	if err != nil {
		return err
	}
	defer t.close()
	for _, step := range []func(*drawn) error{t.open(b.server.url), t.first, t.moves, t.weight} {
		if err := step(d); err != nil {
			return err
		}
	}
	return b.pageEvents(t, d)
}

// tab is a page in a browser of its own.
type tab struct {
	ctx   context.Context
	close func()
}

func openTab(ctx context.Context) (*tab, error) {
	ctx, cancel := context.WithTimeout(ctx, pagePatience)
	allocator, stop := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(pageWidth, pageHeight),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true))...)
	ctx, closeTab := chromedp.NewContext(allocator)
	t := &tab{ctx: ctx, close: func() { closeTab(); stop(); cancel() }}
	err := chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		// Chromium would hand every message of the page's socket to chromedp, too.
		_, err1 := cdp.Call(ctx, at, network.Disable, cdp.Empty{})
		_, err2 := cdp.Call(ctx, at, page.Enable, page.EnableParams{})
		_, err3 := cdp.Call(ctx, at, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: pageProbe})
		return errors.Join(err1, err2, err3)
	}))
	if err != nil {
		t.close()
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return t, nil
}

// value gives what an expression is in the page.
func value[T any](t *tab, js string) (T, error) {
	return chromedp.Run(t.ctx, chromedp.Evaluate[T](js))
}

func (t *tab) open(url string) func(*drawn) error {
	return func(d *drawn) error {
		began := fmt.Sprintf("probe.nodes = %d", d.spaces)
		return chromedp.Do(t.ctx, chromedp.Navigate(url), chromedp.Evaluate[chromedp.Void](began))
	}
}

// first waits for the graph and notes when it came, and what it took to load.
func (t *tab) first(d *drawn) error {
	for {
		usable, err := value[float64](t, "probe.usable")
		if err != nil {
			return fmt.Errorf("the graph does not come to rest: %w", err)
		}
		if usable > 0 {
			d.usable = append(d.usable, usable)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	paint, err := value[float64](t, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
	if err != nil {
		return err
	}
	kib, err := value[float64](t, "probe.transferred()")
	if err != nil {
		return err
	}
	d.paint, d.bytes = append(d.paint, paint), append(d.bytes, kib)
	return nil
}

// moves pans and zooms with the mouse, and counts the frames.
func (t *tab) moves(d *drawn) error {
	time.Sleep(pageRest)
	const x, y = pageWidth * 0.4, pageHeight * 0.45
	mouse := func(kind input.DispatchMouseEventType, x, y float64, wheel float64) error {
		p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, DeltaY: wheel}
		if wheel == 0 {
			p.Button, p.Buttons, p.ClickCount = input.MouseButtonLeft, 1, 1
		} else {
			p.DeltaX = 1e-9 // a wheel must have one, and 0 is left out
		}
		return chromedp.Do(t.ctx, chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
			_, err := cdp.Call(ctx, at, input.DispatchMouseEvent, p)
			return err
		}))
	}
	// On the ground: what lies beneath the pointer is no card.
	from, err := value[[2]float64](t, fmt.Sprintf(`(() => { for (let i = 0; i < 4000; i++) {
		const [x, y] = [%[1]g + 300 * Math.cos(i) * i / 4000, %[2]g + 300 * Math.sin(i) * i / 4000];
		const e = document.elementFromPoint(x, y);
		if (e?.closest('[data-testid=graph]') && !e.closest('[data-node],[data-cable],[data-port]')) return [x, y];
	} return [%[1]g, %[2]g] })()`, x, y))
	if err != nil {
		return err
	}
	if err := mouse(input.DispatchMouseEventTypeMousePressed, from[0], from[1], 0); err != nil {
		return err
	}
	rate, slow, err := t.frames(func(s float64) error {
		return mouse(input.DispatchMouseEventTypeMouseMoved, from[0]+250*math.Sin(3*s), from[1]+180*math.Sin(2*s), 0)
	})
	if err := errors.Join(err, mouse(input.DispatchMouseEventTypeMouseReleased, from[0], from[1], 0)); err != nil {
		return err
	}
	d.pan, d.panSlowest = append(d.pan, rate), append(d.panSlowest, slow)
	time.Sleep(pageRest)
	rate, slow, err = t.frames(func(s float64) error {
		return mouse(input.DispatchMouseEventTypeMouseWheel, x, y, 24*math.Copysign(1, math.Sin(4*s)))
	})
	d.zoom, d.zoomSlow = append(d.zoom, rate), append(d.zoomSlow, slow)
	time.Sleep(pageRest)
	return err
}

// frames counts the frames a second while step is repeated with the seconds gone
// by, and gives the time that 95 of 100 frames keep to, in ms.
func (t *tab) frames(step func(float64) error) (rate, slow float64, err error) {
	if _, err := value[bool](t, "probe.frames = [], probe.counting = true"); err != nil {
		return 0, 0, err
	}
	for began := time.Now(); time.Since(began) < pageMoves; {
		if err := step(time.Since(began).Seconds()); err != nil {
			return 0, 0, err
		}
	}
	took, err := value[samples](t, "(probe.counting = false, probe.frames)")
	if err != nil {
		return 0, 0, err
	}
	sum := 0.0
	for _, v := range took {
		sum += v
	}
	return float64(len(took)) / sum * 1000, took.quantile(0.95), nil
}

// weight reads the page's heap, what is garbage taken away.
func (t *tab) weight(d *drawn) error {
	return chromedp.Do(t.ctx, chromedp.Func(func(ctx context.Context, at *chromedp.Target) error {
		if _, err := cdp.Call(ctx, at, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return err
		}
		heap, err := cdp.Call(ctx, at, runtime.GetHeapUsage, cdp.Empty{})
		d.heap = append(d.heap, heap.UsedSize/(1<<20))
		return err
	}))
}

// pageEvents sets links of hosts down and up, and looks when that is seen.
func (b *bench) pageEvents(t *tab, d *drawn) error {
	return openHosts(min(siteHosts, d.hosts), func(_ *netops.Kernel, hosts []*host) error {
		var took samples
		for range b.n.sweeps {
			for _, c := range changes[:2] {
				for _, h := range hosts {
					time.Sleep(100 * time.Millisecond)
					if _, err := value[bool](t, "probe.changed = [], true"); err != nil {
						return err
					}
					began := time.Now()
					if err := c.make(h); err != nil {
						return err
					}
					at, err := t.seen(h.name + "/eth0--")
					if err != nil {
						return fmt.Errorf("%s: %w", h.name, err)
					}
					took = append(took, at-float64(began.UnixNano())/1e6)
				}
			}
		}
		d.changed = append(d.changed, took)
		return nil
	})
}

// seen waits until a cable has been drawn anew, and gives when, in ms since 1970.
func (t *tab) seen(cable string) (float64, error) {
	for {
		at, err := value[float64](t, fmt.Sprintf("probe.changed.find(([what]) => what.startsWith(%q))?.[1] ?? 0", cable))
		if err != nil || at > 0 {
			return at, err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (d *drawn) report(out *report) {
	of := fmt.Sprintf("page of %d namespaces: ", d.spaces)
	large := d.spaces >= 500
	row := func(what string, ours samples, other, target string) {
		out.rows = append(out.rows, row{What: of + what, Ours: ours.String(), Other: other, Ratio: "–", Target: target})
	}
	rate := 60.0
	if large {
		rate = 45
	}
	// A screen of 60 Hz is as smooth as it gets at 59.5.
	smooth := func(s samples) string { return wanted(fmt.Sprintf("≥ %g", rate), s.median() >= rate-0.5) }
	row("first paint, ms", d.paint, "–", wanted("< 1000 ms", d.paint.median() < 1000))
	row("the graph is there and at rest, ms", d.usable, "–", wanted("< 2000 ms", d.usable.median() < 2000))
	row("panning, frames a second", d.pan, "of 100 frames, 95 take at most "+number(d.panSlowest.median())+" ms", smooth(d.pan))
	row("zooming, frames a second", d.zoom, "of 100 frames, 95 take at most "+number(d.zoomSlow.median())+" ms", smooth(d.zoom))
	p50, rounds := d.changed.quantile(0.5)
	p95, _ := d.changed.quantile(0.95)
	out.rows = append(out.rows, row1(fmt.Sprintf("%sa link's change to changed pixels, p50 of %d, ms (p95 %s)", of, len(d.changed)*len(d.changed[0]), number(p95)),
		spread(p50, rounds), wanted("< 50 ms", p50 < 50)))
	row("JavaScript heap, MiB", d.heap, "–", wanted("< 60 MiB", d.heap.median() < 60))
	row("transferred, KiB", d.bytes, "–", wanted("< 500 KiB", d.bytes.median() < 500))
}
