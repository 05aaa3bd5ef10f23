package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"netdash/internal/nettest"
)

// watchMotion notes of every frame from now on where cards and envelopes are, and
// which animations run.
const watchMotion = `globalThis.motion = {most: 0, animations: []};
	const been = new WeakMap();
	(function look() {
		const step = document.querySelector('[data-testid="walk-player"]')?.dataset.step;
		for (const e of document.querySelectorAll('[data-node], [data-moving]')) {
			let at = been.get(e);
			if (!at || at.step !== step) been.set(e, at = {step, places: new Set()});
			if (e.style.visibility !== 'hidden' && e.hasAttribute('transform')) at.places.add(e.getAttribute('transform'));
			motion.most = Math.max(motion.most, at.places.size);
		}
		for (const a of document.getAnimations()) {
			const {duration, iterations} = a.effect.getComputedTiming();
			const name = a.animationName ?? 'slide';
			if ((duration > 1 || iterations === Infinity) && !motion.animations.includes(name)) motion.animations.push(name);
		}
		requestAnimationFrame(look);
	})()`

// TestPageStandsStill: who asks the system for reduced motion sees cards and
// frames where they belong, at once, and nothing that flashes or marches.
func TestPageStandsStill(t *testing.T) {
	for _, wish := range []string{"no-preference", "reduce"} {
		t.Run(wish, func(t *testing.T) {
			s := start(t)
			s.do(t, "PUT", "/topology/intended", sites(1, 3)).want(t, 200)
			b := browse(t, s)
			b.run(chromedp.Func(func(ctx context.Context, page *chromedp.Target) error {
				_, err := cdp.Call(ctx, page, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: wish}},
				})
				return err
			}))
			b.until("all of it", `document.querySelectorAll('[data-node]').length === 5`)
			b.settle()
			b.do(`document.querySelector('[data-node="ns:s0-1"]').focus()`)
			for range 5 {
				b.run(chromedp.KeyEvent(kb.ArrowDown, chromedp.KeyModifiers(chromedp.ModifierShift)))
			}
			moved := b.places()

			b.do(watchMotion)
			b.click(`[data-testid="tidy"]`)
			b.until("the card is back", fmt.Sprintf(`[...document.querySelectorAll('[data-node]')].map((e) => e.dataset.node + ' ' + e.getAttribute('transform')).sort().join('\n') !== %s`, quote(moved)))
			b.settle()
			b.card("br:host/br0")
			b.see(`[data-testid="mac-table"]`)
			b.traced("s0-0", "s0-1")
			b.see(`[data-testid="walk-player"][data-playing="false"]`)
			b.click(`[data-testid="walk-close"]`)
			nettest.Shell(t, "ip -n s0-2 link set eth0 down")
			b.click(`[data-testid="tab-why"]`)
			b.ask("s0-0", "s0-2")
			b.click(`[data-testid="why-start"]`)
			b.see(`.finding`)

			most := value[int](b, "motion.most")
			animations := value[[]string](b, "motion.animations")
			if wish == "reduce" && (most > 2 || len(animations) > 0) {
				t.Errorf("something was in %d places during one step, and these animations ran: %q", most, animations)
			}
			if wish != "reduce" && (most < 5 || len(animations) < 3) {
				t.Errorf("nothing is seen of motion: something was in at most %d places, and these animations ran: %q", most, animations)
			}
		})
	}
}
