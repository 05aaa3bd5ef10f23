package main

import (
	"context"
	"fmt"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// drifts are the changes that make a host differ from what is intended, and
// undo that: told once the difference is.
var drifts = []change{
	{
		make: func(h *host) error { return h.handle.LinkSetDown(h.link) },
		told: func(h *host, e *topology.Event) bool { return h.differs(e, "admin_up") },
	},
	{
		make: func(h *host) error { return h.handle.LinkSetUp(h.link) },
		told: func(h *host, e *topology.Event) bool { return h.inSync(e) },
	},
	{
		make: func(h *host) error { return h.handle.LinkSetMTU(h.link, 1400) },
		told: func(h *host, e *topology.Event) bool { return h.differs(e, "mtu") },
	},
	{
		make: func(h *host) error { return h.handle.LinkSetMTU(h.link, 1500) },
		told: func(h *host, e *topology.Event) bool { return h.inSync(e) },
	},
	{
		make: func(h *host) error { return h.handle.AddrAdd(h.link, h.address) },
		told: func(h *host, e *topology.Event) bool { return h.differs(e, "") },
	},
	{
		make: func(h *host) error { return h.handle.AddrDel(h.link, h.address) },
		told: func(h *host, e *topology.Event) bool { return h.inSync(e) },
	},
}

func (h *host) differs(e *topology.Event, field string) bool {
	return e.Drift != nil && e.Drift.Namespace == h.name && len(e.Drift.Differences) > 0 && e.Drift.Differences[0].Field == field
}

func (h *host) inSync(e *topology.Event) bool {
	return e.Drift != nil && e.Drift.Namespace == h.name && len(e.Drift.Differences) == 0
}

// drift measures the time from a change in the kernel until a websocket client is
// told that a host is not as intended, or is so again.
func (b *bench) drift(ctx context.Context, out *report) error {
	return b.withHosts(ctx, func(_ *netops.Kernel, hosts []*host) error {
		var took pooled // milliseconds
		for range b.n.rounds {
			client, err := b.server.listen(ctx)
			if err != nil {
				return err
			}
			told, err := b.sweep(hosts, client, drifts)
			if err != nil {
				return err
			}
			took = append(took, told)
		}
		for _, q := range []struct {
			name string
			p    float64
		}{{"p50", 0.5}, {"p99", 0.99}} {
			value, rounds := took.quantile(q.p)
			out.rows = append(out.rows, row{
				What:   fmt.Sprintf("drift to websocket client, %d namespaces, %s of %d, ms", b.n.labs, q.name, len(took)*len(took[0])),
				Ours:   spread(value, rounds),
				Other:  "–",
				Ratio:  "–",
				Target: wanted("< 100 ms", value < 100),
			})
		}
		return nil
	})
}
