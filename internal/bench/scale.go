package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"netdash/internal/netops"
)

// scaleRounds is how often the large star is read at most: the loop of ip takes a
// quarter of a minute.
const scaleRounds = 3

// scaleHosts is how many hosts of the large star are changed.
const scaleHosts = 20

// scaled is what is measured of the large star, one value a round.
type scaled struct {
	start, loop          samples // ms
	memory, growth       samples // KiB a namespace
	files                samples // a namespace
	first, gets, packed  samples // ms
	changed, same        samples // ms
	small, bare          samples // requests per second
	healthy, healthyBare samples
	news                 pooled // ms
	size, packedSize     int64
	spaces               int
	empty                used // of netdash with nothing to watch
}

// scale measures what a star of a thousand namespaces costs: to read it at the
// start, to hold it, to show it, and to hear of what changes in it.
func (b *bench) scale(ctx context.Context, out *report) (err error) {
	s := &scaled{spaces: b.n.large + 1}
	if err := b.restart(ctx); err != nil {
		return err
	}
	time.Sleep(b.n.settle) // what the start took is given back
	if s.empty, err = b.server.used(); err != nil {
		return err
	}
	document, err := starDocument(b.n.large, true)
	if err != nil {
		return err
	}
	if err := b.put(ctx, document); err != nil {
		return err
	}
	time.Sleep(b.n.calm) // IPv6 goes on talking for a while, each host with all others
	rival, err := startRival(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, rival.stop)
	for range min(b.n.rounds, scaleRounds) {
		if err := b.scaleRound(ctx, s, rival); err != nil {
			return err
		}
	}
	s.report(out)
	return b.put(ctx, "{}")
}

func (b *bench) scaleRound(ctx context.Context, s *scaled, rival *rivalServer) error {
	took, err := b.inside.run(readAll(b.n.large))
	if err != nil {
		return err
	}
	if err := b.restart(ctx); err != nil {
		return err
	}
	s.loop, s.start = append(s.loop, milliseconds(took)), append(s.start, milliseconds(b.server.ready))
	if err := b.scaleGets(ctx, s); err != nil {
		return err
	}
	link := "/api/v1/namespaces/h0/links/eth0"
	for _, turn := range []struct {
		rate *samples
		url  string
		path string
	}{
		{&s.small, b.server.url, link},
		{&s.bare, rival.url, link},
		{&s.healthy, b.server.url, "/healthz"},
		{&s.healthyBare, rival.url, "/healthz"},
	} {
		rate, err := flood(ctx, turn.url, turn.path, b.n.requests)
		if err != nil {
			return err
		}
		*turn.rate = append(*turn.rate, rate)
	}
	if err := b.scaleEvents(ctx, s); err != nil {
		return err
	}
	// Only now: what all this took is held as well.
	now, err := b.server.used()
	if err != nil {
		return err
	}
	aSpace := func(n int) float64 { return float64(n) / float64(s.spaces) }
	s.memory, s.growth = append(s.memory, aSpace(now.memory>>10)), append(s.growth, aSpace((now.memory-s.empty.memory)>>10))
	s.files = append(s.files, aSpace(now.files-s.empty.files))
	return nil
}

// scaleGets times reads of the whole topology.
func (b *bench) scaleGets(ctx context.Context, s *scaled) error {
	var bytes int64
	get := func(header ...string) func() error {
		return func() (err error) {
			_, bytes, err = b.server.call(ctx, http.StatusOK, http.MethodGet, "/topology", "", header...)
			return err
		}
	}
	gzip := get("Accept-Encoding", "gzip")
	first, err := timed(gzip)
	if err != nil {
		return err
	}
	s.first = append(s.first, first)
	mtu := 1300
	change := func() error {
		mtu = 1300 + (mtu+1)%100
		_, _, err := b.server.call(ctx, http.StatusOK, http.MethodPatch, "/namespaces/h0/links/eth0", fmt.Sprintf(`{"mtu":%d}`, mtu))
		return err
	}
	for _, turn := range []struct {
		took   *samples
		size   *int64
		before func() error
		get    func() error
	}{
		{&s.packed, &s.packedSize, nil, gzip},
		{&s.gets, &s.size, nil, get()},
		{&s.changed, &s.packedSize, change, gzip},
	} {
		p50, err := b.repeat(turn.before, turn.get)
		if err != nil {
			return err
		}
		*turn.took, *turn.size = append(*turn.took, p50), bytes
	}
	same, err := b.unchanged(ctx)
	s.same = append(s.same, same)
	return err
}

// scaleEvents times events, from the kernel to a websocket client.
func (b *bench) scaleEvents(ctx context.Context, s *scaled) error {
	return openHosts(min(scaleHosts, b.n.large), func(_ *netops.Kernel, hosts []*host) error {
		client, err := b.server.listen(ctx)
		if err != nil {
			return err
		}
		told, err := b.sweep(hosts, client, changes)
		s.news = append(s.news, told)
		return err
	})
}

func (s *scaled) report(out *report) {
	at := fmt.Sprintf("%d namespaces", s.spaces)
	row := func(what string, ours samples, other, ratio, target string) row {
		return row{What: what, Ours: ours.String(), Other: other, Ratio: ratio, Target: target}
	}
	faster, rate := s.loop.over(s.start), s.small.over(s.bare)
	out.rows = append(out.rows,
		row("start, until all of "+at+" is read and served, ms", s.start, "loop of `ip -j` and `bridge -j`: "+s.loop.String(), faster.String()+"×",
			wanted("≤ 400 ms", s.start.median() <= 400)+", "+wanted("≥ 40×", faster.median() >= 40)),
		row("memory (RSS) a namespace with "+at+", KiB", s.growth, "–", "–", wanted("≤ 60 KiB", s.growth.median() <= 60)),
		row("open files a namespace", s.files, "–", "–", wanted("≤ 4", s.files.median() <= 4)),
		row(fmt.Sprintf("`GET /topology` with %s, gzip (%d KiB), p50, ms", at, s.packedSize>>10), s.packed, "–", "–", wanted("< 15 ms", s.packed.median() < 15)),
		row("the same, not changed (ETag), p50, ms", s.same, "–", "–", wanted("< 1 ms", s.same.median() < 1)),
		row("`GET` of one link with "+at+", requests per second", s.small, "bare chi handler: "+s.bare.String(), rate.String()+"×", wanted("≥ 0.8×", rate.median() >= 0.8)),
	)
	for _, q := range []struct {
		name  string
		p     float64
		limit float64 // ms
	}{{"p50", 0.5, 1}, {"p99", 0.99, 10}} {
		value, rounds := s.news.quantile(q.p)
		out.rows = append(out.rows, row1(fmt.Sprintf("event to websocket client, %s, %s of %d, ms", at, q.name, len(s.news)*len(s.news[0])),
			spread(value, rounds), wanted(fmt.Sprintf("< %g ms", q.limit), value < q.limit)))
	}
	out.info = append(out.info,
		row("`GET /topology` with "+at+", gzip, the first one after the start, ms", s.first, "", "", ""),
		row("the same, gzip, right after a change, ms", s.changed, "", "", ""),
		row(fmt.Sprintf("the same, not packed (%d KiB), ms", s.size>>10), s.gets, "", "", ""),
		row("memory (RSS) a namespace, with the program itself shared out among them, KiB", s.memory, "", "", ""),
		row("`GET /healthz`, requests per second", s.healthy, "bare chi handler: "+s.healthyBare.String(), s.healthy.over(s.healthyBare).String()+"×", ""),
	)
}

func row1(what, ours, target string) row {
	return row{What: what, Ours: ours, Other: "–", Ratio: "–", Target: target}
}

// restart ends netdash and starts it again on what there is.
func (b *bench) restart(ctx context.Context) (err error) {
	if err := b.server.stop(); err != nil {
		return err
	}
	b.server, err = b.start(ctx)
	return err
}

// readAll is a loop of ip and bridge that reads a star.
func readAll(hosts int) string {
	return each(hosts, `ip -j -n h$i link; ip -j -n h$i addr; ip -j -n h$i route; bridge -j -n h$i fdb`) +
		"; ip -j -n sw link; ip -j -n sw addr; ip -j -n sw route; bridge -j -n sw fdb"
}
