package netops

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// Most requests name their link with IFLA_IFNAME and let the kernel look it
// up. Where IFLA_IFNAME says something else, or the message has no room for it,
// a finder finds the index first.

// finder finds links of a namespace by name. What it has found stays true only
// for one exchange.
type finder struct {
	space *space
	found map[string]found
}

type found struct {
	link *LinkFacts
	err  error
}

func newFinder(s *space) *finder { return &finder{s, map[string]found{}} }

// skipStats asks for a link without its counters (RTEXT_FILTER_SKIP_STATS in
// linux/rtnetlink.h).
const skipStats = 1 << 3

// all finds the links that some Changes refer to by index, in one exchange.
func (f *finder) all(changes []topology.Change) error {
	var names []string
	for _, c := range changes {
		for _, name := range refersTo(c) {
			if _, known := f.found[name]; !known && name != "" {
				f.found[name] = found{}
				names = append(names, name)
			}
		}
	}
	requests := make([]*nl.NetlinkRequest, len(names))
	for i, name := range names {
		requests[i] = request(unix.RTM_GETLINK, 0, nl.NewIfInfomsg(unix.AF_UNSPEC),
			stringAttr(unix.IFLA_IFNAME, name), u32Attr(unix.IFLA_EXT_MASK, skipStats))
	}
	links := make([]*LinkFacts, len(names))
	errs, err := f.space.exchange(requests, func(i int, body []byte) { links[i] = decodeLink(body) })
	if err != nil {
		return err
	}
	for i, name := range names {
		switch {
		case errs[i] != nil:
			f.found[name] = found{err: linkError(name, errs[i])}
		case links[i] == nil:
			f.found[name] = found{err: fmt.Errorf("look up link %s: no usable answer", name)}
		default:
			f.found[name] = found{link: links[i]}
		}
	}
	return nil
}

// refersTo lists the links whose indexes a Change's request needs.
func refersTo(c topology.Change) []string {
	switch c := c.(type) {
	case topology.Rename:
		return []string{c.Name}
	case topology.Move:
		return []string{c.Name}
	case topology.SetMaster:
		return []string{c.Master}
	case topology.SetBridge:
		return []string{c.Name}
	case topology.AddAddress:
		return []string{c.Link}
	case topology.DeleteAddress:
		return []string{c.Link}
	case topology.DeleteNeighbour:
		return []string{c.Link}
	case topology.AddRoute:
		return []string{c.Route.Link}
	case topology.DeleteRoute:
		return []string{c.Route.Link}
	case topology.AddFDB:
		return []string{c.Bridge, c.Entry.Port}
	case topology.DeleteFDB:
		return []string{c.Bridge, c.Entry.Port}
	}
	return nil
}

// link gives a link that all has looked for.
func (f *finder) link(name string) (*LinkFacts, error) {
	x := f.found[name]
	return x.link, x.err
}

// bridge gives a link that must be a bridge.
func (f *finder) bridge(name string) (*LinkFacts, error) {
	l, err := f.link(name)
	if err == nil && l.Kind != "bridge" {
		err = topology.Errorf(topology.CodeConflict, "", "%s is no bridge", name)
	}
	return l, err
}

// lookUp tells whether there is a link of a name.
func (s *space) lookUp(name string) error {
	f := newFinder(s)
	if err := f.all([]topology.Change{topology.Rename{Name: name}}); err != nil {
		return err
	}
	_, err := f.link(name)
	return err
}

// lookUpBridge finds a bridge by name.
func (s *space) lookUpBridge(name string) (*LinkFacts, error) {
	f := newFinder(s)
	if err := f.all([]topology.Change{topology.Rename{Name: name}}); err != nil {
		return nil, err
	}
	return f.bridge(name)
}
