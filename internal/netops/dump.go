package netops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Contents is everything in a namespace at one moment, or nearly so: the kernel
// answers one kind of object after the other.
type Contents struct {
	Links      []LinkFacts
	Addresses  []AddressFacts
	Routes     []RouteFacts // main table
	Neighbours []NeighbourFacts
	FDB        []FDBFacts
}

// dumpTries is how often an interrupted dump is repeated before its namespace
// counts as incomplete.
const dumpTries = 8

// dump reads a namespace. A dump the kernel marks as interrupted
// (NLM_F_DUMP_INTR: the list changed meanwhile, entries may be missing) is
// repeated; when that does not help the error says so and there are no
// Contents: partial is not empty.
func (s *space) dump(ctx context.Context) (*Contents, error) {
	c := &Contents{}
	for _, d := range []struct {
		what string
		into func() error
	}{
		{"links", func() error {
			return dumpInto(ctx, s, &c.Links, unix.RTM_GETLINK, linkRequest(unix.AF_UNSPEC), u32Attr(unix.IFLA_EXT_MASK, skipStats))
		}},
		{"addresses", func() error { return dumpInto(ctx, s, &c.Addresses, unix.RTM_GETADDR, linkRequest(unix.AF_UNSPEC)) }},
		{"routes", func() error { return dumpInto(ctx, s, &c.Routes, unix.RTM_GETROUTE, routeRequest()) }},
		{"neighbours", func() error { return dumpInto(ctx, s, &c.Neighbours, unix.RTM_GETNEIGH, neighbourRequest{}) }},
		{"MAC tables", func() error {
			if !slices.ContainsFunc(c.Links, func(f LinkFacts) bool { return f.Kind == "bridge" }) {
				return nil // of a bridge made meanwhile the subscription tells
			}
			return dumpInto(ctx, s, &c.FDB, unix.RTM_GETNEIGH, linkRequest(unix.AF_BRIDGE))
		}},
	} {
		if err := d.into(); err != nil {
			return nil, fmt.Errorf("read the %s: %w", d.what, err)
		}
	}
	return c, nil
}

// dumpInto appends all facts of one kind.
func dumpInto[F any](ctx context.Context, s *space, list *[]F, proto int, data nl.NetlinkRequestData, more ...*nl.RtAttr) error {
	before := len(*list)
	// The answers to RTM_GETX are of type RTM_NEWX, two below.
	kind := uint16(proto - 2)
	return s.dumpAgain(ctx, func() error {
		*list = (*list)[:before]
		return s.dumpList(request(proto, unix.NLM_F_DUMP, data, more...), func(b []byte) {
			if f, ok := decode(message(kind, b)).(F); ok {
				*list = append(*list, f)
			}
		})
	})
}

// dumpAgain makes a dump, and makes it anew while it is interrupted.
func (s *space) dumpAgain(ctx context.Context, dump func() error) error {
	var err error
	for try := range dumpTries {
		if try > 0 {
			select {
			case <-time.After(time.Duration(try) * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		err = dump()
		if !errors.Is(err, errInterrupted) && !errors.Is(err, unix.EINTR) {
			return err
		}
		s.kernel.interrupted.Add(1)
	}
	return fmt.Errorf("the kernel kept changing it: %w", err)
}

func message(kind uint16, data []byte) syscall.NetlinkMessage {
	return syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: kind}, Data: data}
}

// linkRequest asks with struct ifinfomsg, which for an FDB dump is what
// bridge(8) sends; for addresses only its first byte counts.
func linkRequest(family int) nl.NetlinkRequestData { return nl.NewIfInfomsg(family) }

// routeRequest asks for the routes of all families in one dump.
func routeRequest() nl.NetlinkRequestData {
	m := &nl.RtMsg{}
	m.Table = unix.RT_TABLE_MAIN
	return m
}

// neighbourRequest is an empty struct ndmsg: ARP and ND, all links.
type neighbourRequest struct{}

func (neighbourRequest) Len() int          { return unix.SizeofNdMsg }
func (neighbourRequest) Serialize() []byte { return make([]byte, unix.SizeofNdMsg) }
