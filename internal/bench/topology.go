package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// star builds namespaces h0, h1, …, each with an eth0 that is plugged into a
// bridge in a namespace of its own.
func (b *bench) star(ctx context.Context, n int) error {
	if err := b.server.create(ctx, "/namespaces", `{"name":"sw"}`); err != nil {
		return err
	}
	if err := b.server.create(ctx, "/bridges", `{"namespace":"sw","name":"br0"}`); err != nil {
		return err
	}
	for i := range n {
		if err := b.server.create(ctx, "/namespaces", `{"name":"h%d"}`, i); err != nil {
			return err
		}
		err := b.server.create(ctx, "/veths", `{"a":{"namespace":"h%d","name":"eth0","addresses":["10.0.%d.%d/16"]},
			"b":{"namespace":"sw","name":"p%d","master":"br0"}}`, i, i/200, 1+i%200, i)
		if err != nil {
			return err
		}
	}
	return nil
}

// clear takes the star away.
func (b *bench) clear(ctx context.Context, n int) error {
	for i := range n {
		if err := b.server.remove(ctx, fmt.Sprintf("/namespaces/h%d", i)); err != nil {
			return err
		}
	}
	return b.server.remove(ctx, "/namespaces/sw")
}

// topology measures how long reading a star takes, and how netdash starts on it.
func (b *bench) topology(ctx context.Context, out *report) error {
	if err := b.star(ctx, b.n.star); err != nil {
		return err
	}
	var bytes int64
	get := func(status int, header ...string) func() error {
		return func() (err error) {
			_, bytes, err = b.server.call(ctx, status, http.MethodGet, "/topology", "", header...)
			return err
		}
	}
	var plain, packed, same, changed, loop, starts, requests samples // ms, the last one per second
	var size int64
	for round := range b.n.rounds {
		p50, err := b.repeat(nil, get(http.StatusOK))
		if err != nil {
			return err
		}
		plain, size = append(plain, p50), bytes
		took, err := b.inside.run(readAll(b.n.star))
		if err != nil {
			return err
		}
		loop = append(loop, milliseconds(took))
		if p50, err = b.repeat(nil, get(http.StatusOK, "Accept-Encoding", "gzip")); err != nil {
			return err
		}
		packed = append(packed, p50)
		if p50, err = b.unchanged(ctx); err != nil {
			return err
		}
		same = append(same, p50)
		mtu := 1400
		if p50, err = b.repeat(func() error {
			mtu++
			_, _, err := b.server.call(ctx, http.StatusOK, http.MethodPatch, "/namespaces/h0/links/eth0", fmt.Sprintf(`{"mtu":%d}`, mtu+round*b.n.gets))
			return err
		}, get(http.StatusOK)); err != nil {
			return err
		}
		changed = append(changed, p50)
		perSecond, err := flood(ctx, b.server.url, "/api/v1/namespaces/h0/links/eth0", b.n.requests)
		if err != nil {
			return err
		}
		requests = append(requests, perSecond)
		if err := b.restart(ctx); err != nil {
			return err
		}
		starts = append(starts, milliseconds(b.server.ready))
	}
	out.rows = append(out.rows, row{
		What: fmt.Sprintf("`GET /topology` with %d namespaces (%d KiB), ms", b.n.star+1, size>>10), Ours: plain.String(),
		Other: "loop of `ip -j` and `bridge -j`: " + loop.String(), Ratio: number(loop.over(plain).median()) + "×",
		Target: "–",
	})
	out.info = append(out.info,
		row{What: "`GET /topology`, gzip, ms", Ours: packed.String()},
		row{What: "`GET /topology` right after a change, ms", Ours: changed.String()},
		row{What: "`GET /topology`, not changed (ETag), ms", Ours: same.String()},
		row{
			What: fmt.Sprintf("start, until all of %d namespaces is read and served, ms", b.n.star+1), Ours: starts.String(),
			Other: "the same loop: " + loop.String(), Ratio: loop.over(starts).String() + "×",
		},
		row{What: "`GET` of one link, requests per second", Ours: requests.String()})
	return b.clear(ctx, b.n.star)
}

// unchanged gives the median time, in milliseconds, of a GET of a topology that
// the client has already.
func (b *bench) unchanged(ctx context.Context) (float64, error) {
	var took samples
	deadline := time.Now().Add(newsPatience)
	for len(took) < b.n.gets {
		header, _, err := b.server.call(ctx, http.StatusOK, http.MethodGet, "/topology", "")
		if err != nil {
			return 0, err
		}
		ms, err := timed(func() error {
			_, _, err := b.server.call(ctx, http.StatusNotModified, http.MethodGet, "/topology", "", "If-None-Match", header.Get("ETag"))
			return err
		})
		switch changed, ok := errors.AsType[statusError](err); {
		case err == nil:
			took = append(took, ms)
		case ok && changed == http.StatusOK && time.Now().Before(deadline):
			// The kernel did something, such as giving an address after its check for
			// duplicates.
		default:
			return 0, err
		}
	}
	return took.median(), nil
}

// repeat gives the median time, in milliseconds, of b.n.gets calls of f, each
// after one of before.
func (b *bench) repeat(before, f func() error) (float64, error) {
	var took samples
	for range b.n.gets {
		if before != nil {
			if err := before(); err != nil {
				return 0, err
			}
		}
		ms, err := timed(f)
		if err != nil {
			return 0, err
		}
		took = append(took, ms)
	}
	return took.median(), nil
}
