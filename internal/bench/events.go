package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// eventGap lies between the news of a change and the next change.
const eventGap = 3 * time.Millisecond

// host is a namespace of the star that is changed behind netdash's back.
type host struct {
	name    string
	handle  *netlink.Handle
	link    netlink.Link
	address *netlink.Addr
	socket  *nl.NetlinkSocket // while sockets are open
}

// change is one way to change a host.
type change struct {
	make func(*host) error
	told func(*host, *topology.Event) bool // whether netdash tells of it
	seen func(kind uint16, up bool) bool   // whether the kernel does, in its host
}

// changes, one after the other, leave a host as it was.
var changes = []change{
	{
		func(h *host) error { return h.handle.LinkSetDown(h.link) },
		func(h *host, e *topology.Event) bool { return h.hasLink(e, false) },
		func(kind uint16, up bool) bool { return kind == unix.RTM_NEWLINK && !up },
	},
	{
		func(h *host) error { return h.handle.LinkSetUp(h.link) },
		func(h *host, e *topology.Event) bool { return h.hasLink(e, true) },
		func(kind uint16, up bool) bool { return kind == unix.RTM_NEWLINK && up },
	},
	{
		func(h *host) error { return h.handle.AddrAdd(h.link, h.address) },
		func(h *host, e *topology.Event) bool { return h.hasAddress(e, "address.added") },
		func(kind uint16, _ bool) bool { return kind == unix.RTM_NEWADDR },
	},
	{
		func(h *host) error { return h.handle.AddrDel(h.link, h.address) },
		func(h *host, e *topology.Event) bool { return h.hasAddress(e, "address.removed") },
		func(kind uint16, _ bool) bool { return kind == unix.RTM_DELADDR },
	},
}

func (h *host) hasLink(e *topology.Event, up bool) bool {
	return e.Type == "link.changed" && e.Link.Namespace == h.name && e.Link.Name == "eth0" && e.Link.AdminUp == up
}

func (h *host) hasAddress(e *topology.Event, kind string) bool {
	return e.Type == kind && e.Address.Namespace == h.name && e.Address.CIDR == h.address.IPNet.String()
}

// openHost opens a host of the star.
func openHost(kernel *netops.Kernel, i int) (*host, error) {
	h := &host{
		name:    fmt.Sprintf("h%d", i),
		address: &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(10, 9, 0, byte(i)), Mask: net.CIDRMask(32, 32)}},
	}
	err := kernel.Do(h.name, func() (err error) {
		h.handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, err
	}
	if h.link, err = h.handle.LinkByName("eth0"); err != nil {
		h.handle.Close()
		return nil, fmt.Errorf("eth0 of %s: %w", h.name, err)
	}
	return h, nil
}

// withHosts builds the star, opens its hosts, and takes all away after use.
func (b *bench) withHosts(ctx context.Context, use func(*netops.Kernel, []*host) error) error {
	if err := b.star(ctx, b.n.labs); err != nil {
		return err
	}
	if err := openHosts(b.n.labs, use); err != nil {
		return err
	}
	return b.clear(ctx, b.n.labs)
}

// openHosts has the first hosts of the star used.
func openHosts(n int, use func(*netops.Kernel, []*host) error) (err error) {
	kernel, err := netops.New(netops.Options{})
	if err != nil {
		return err
	}
	defer closing(&err, kernel.Close)
	var hosts []*host
	defer func() {
		for _, h := range hosts {
			h.handle.Close()
		}
	}()
	for i := range n {
		h, err := openHost(kernel, i)
		if err != nil {
			return err
		}
		hosts = append(hosts, h)
	}
	return use(kernel, hosts)
}

// events measures the time from a change in the kernel to a websocket client,
// and by turns with it to bare netlink sockets.
func (b *bench) events(ctx context.Context, out *report) error {
	return b.withHosts(ctx, func(kernel *netops.Kernel, hosts []*host) error {
		return b.listenTo(ctx, kernel, hosts, out)
	})
}

func (b *bench) listenTo(ctx context.Context, kernel *netops.Kernel, hosts []*host, out *report) error {
	var ours, bare pooled // milliseconds
	for range b.n.rounds {
		client, err := b.server.listen(ctx)
		if err != nil {
			return err
		}
		told, err := b.sweep(hosts, client, changes)
		if err != nil {
			return err
		}
		sockets, err := openSockets(kernel, hosts)
		if err != nil {
			return err
		}
		seen, err := b.sweep(hosts, sockets, changes)
		if err != nil {
			return err
		}
		ours, bare = append(ours, told), append(bare, seen)
	}
	for _, q := range []struct {
		name  string
		p     float64
		limit float64 // ms
	}{{"p50", 0.5, 1}, {"p99", 0.99, 5}} {
		value, rounds := ours.quantile(q.p)
		other, others := bare.quantile(q.p)
		out.rows = append(out.rows, row{
			What:   fmt.Sprintf("event to websocket client, %d namespaces, %s of %d, ms", b.n.labs, q.name, len(ours)*len(ours[0])),
			Ours:   spread(value, rounds),
			Other:  "event to bare netlink socket: " + spread(other, others),
			Ratio:  number(value/other) + "×",
			Target: wanted(fmt.Sprintf("< %g ms", q.limit), value < q.limit),
		})
	}
	return nil
}

// sweep changes every host in each of the ways, gives how long the news of each took,
// in milliseconds, and closes the listener.
func (b *bench) sweep(hosts []*host, l listener, ways []change) (samples, error) {
	defer l.close()
	var took samples
	for range b.n.sweeps {
		for _, c := range ways {
			for _, h := range hosts {
				time.Sleep(eventGap)
				l.hush()
				began := time.Now()
				made := c.make(h)
				at, err := l.await(h, c)
				if err := errors.Join(made, err); err != nil {
					return nil, fmt.Errorf("change %s: %w", h.name, err)
				}
				took = append(took, milliseconds(at.Sub(began)))
			}
		}
	}
	return took, nil
}
