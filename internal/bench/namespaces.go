package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// namespaces measures how many namespaces are created and deleted in a second,
// one by one.
func (b *bench) namespaces(ctx context.Context, out *report) error {
	n := b.n.namespaces
	var ours, gone, ip, ipGone, ipUp, bare samples // per second
	remove := each(n, "ip netns delete b$i")
	script := func(text string) func() (float64, error) {
		return func() (float64, error) { return b.scriptRate(ctx, n, text) }
	}
	turns := []struct {
		rates *samples
		take  func() (float64, error)
		last  bool // what was made is deleted: leave the kernel the time for it
	}{
		{&ours, func() (float64, error) {
			return rate(n, func(i int) error { return b.server.create(ctx, "/namespaces", `{"name":"b%d"}`, i) })
		}, false},
		{&gone, func() (float64, error) {
			return rate(n, func(i int) error { return b.server.remove(ctx, fmt.Sprintf("/namespaces/b%d", i)) })
		}, true},
		{&ip, script(each(n, "ip netns add b$i")), false},
		{&ipGone, script(remove), true},
		{&ipUp, script(each(n, "ip netns add b$i; ip -n b$i link set lo up")), false},
		{new(samples), script(remove), true},
		{&bare, func() (float64, error) { return floor(n, filepath.Dir(b.db)) }, true},
	}
	for round := range b.n.rounds + 1 { // the first one only warms both sides up
		for _, t := range turns {
			perSecond, err := t.take()
			if err != nil {
				return err
			}
			if t.last {
				time.Sleep(b.n.settle)
			}
			if round > 0 {
				*t.rates = append(*t.rates, perSecond)
			}
		}
	}
	ratio := ours.over(ip)
	out.rows = append(out.rows, row{
		What: "namespaces created one by one, per second", Ours: ours.String(),
		Other: "loop of `ip netns add`: " + ip.String(), Ratio: ratio.String() + "×",
		Target: wanted("≥ 3×", ratio.median() >= 3),
	})
	out.info = append(out.info, row{
		What: "the same, `lo` up on both sides", Ours: ours.String(),
		Other: "loop of `ip netns add`, `ip link set lo up`: " + ipUp.String(), Ratio: ours.over(ipUp).String() + "×",
	}, row{
		What: "the same, and what the kernel and the disk allow", Ours: ours.String(),
		Other: "bare Go, one fsync each: " + bare.String(), Ratio: ours.over(bare).String() + "×",
	}, row{
		What: "namespaces deleted one by one, per second", Ours: gone.String(),
		Other: "loop of `ip netns delete`: " + ipGone.String(), Ratio: gone.over(ipGone).String() + "×",
	})
	return nil
}

// veths measures how many pairs with addresses are created in a second, one by
// one, between two namespaces.
func (b *bench) veths(ctx context.Context, out *report) error {
	n := b.n.veths
	var ours, ip samples // per second
	script := each(n, `ip -n A link add v$i type veth peer name v$i netns B
		ip -n A address add 10.1.$i.1/24 dev v$i
		ip -n B address add 10.1.$i.2/24 dev v$i
		ip -n A link set v$i up
		ip -n B link set v$i up`)
	for round := range b.n.rounds + 1 {
		for _, name := range []string{"A", "B"} {
			if err := b.server.create(ctx, "/namespaces", `{"name":%q}`, name); err != nil {
				return err
			}
		}
		a, err := rate(n, func(i int) error {
			return b.server.create(ctx, "/veths", `{"a":{"namespace":"A","name":"v%d","addresses":["10.1.%d.1/24"]},
				"b":{"namespace":"B","name":"v%d","addresses":["10.1.%d.2/24"]}}`, i, i, i, i)
		})
		if err != nil {
			return err
		}
		for _, name := range []string{"A", "B"} {
			if err := b.server.remove(ctx, "/namespaces/"+name); err != nil {
				return err
			}
		}
		time.Sleep(b.n.settle)
		if _, err := b.outside.run("ip netns add A; ip netns add B"); err != nil {
			return err
		}
		z, err := b.scriptRate(ctx, n, script)
		if err != nil {
			return err
		}
		if _, err := b.outside.run("ip netns delete A; ip netns delete B"); err != nil {
			return err
		}
		time.Sleep(b.n.settle)
		if round > 0 {
			ours, ip = append(ours, a), append(ip, z)
		}
	}
	out.info = append(out.info, row{
		What: "veth pairs with two addresses created one by one, per second", Ours: ours.String(),
		Other: "loop of five `ip`: " + ip.String(), Ratio: ours.over(ip).String() + "×",
	})
	return nil
}

// rate does something n times and tells how often a second that went.
func rate(n int, f func(i int) error) (float64, error) {
	began := time.Now()
	for i := range n {
		if err := f(i); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// scriptRate tells how many of the n things that a script does it does a second,
// where netdash does not see it.
func (b *bench) scriptRate(ctx context.Context, n int, script string) (float64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	took, err := b.outside.run(script)
	return float64(n) / took.Seconds(), err
}
