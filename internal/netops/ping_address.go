package netops

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// usedAddress is an address of a namespace, as seen in choosing one to ping.
type usedAddress struct {
	addr   netip.Addr
	subnet netip.Prefix // what it is on-link with
	link   string
	down   string // why its link carries nothing: "is down", "has no carrier"; empty if it does
}

// usedAddresses are those by which a namespace can be reached from outside.
type usedAddresses struct {
	id    topology.NamespaceID
	list  []usedAddress
	own   map[netip.Addr]bool // all it has, without zones; to whom it sends over lo
	links map[int]*LinkFacts  // by ifindex
}

// over is what there is to choose from when only one link may be used.
func (u *usedAddresses) over(link string) *usedAddresses {
	near := *u
	near.list = slices.DeleteFunc(slices.Clone(u.list), func(a usedAddress) bool { return a.link != link })
	return &near
}

// loUp tells whether the namespace can send to itself.
func (u *usedAddresses) loUp() bool {
	for _, l := range u.links {
		if l.Kind == "loopback" {
			return l.AdminUp
		}
	}
	return false
}

// choice is an address to ping a namespace by.
type choice struct {
	usedAddress
	shared bool // the sender is in its subnet
	near   bool // over a link of the sender that is up
}

// families says in which families a namespace can be reached.
type families int

const (
	family4 families = 1 << iota
	family6
)

func (f families) String() string {
	return [...]string{"no address", "IPv4", "IPv6", "IPv4 and IPv6"}[f]
}

func familyOf(a netip.Addr) families {
	if a.Is4() {
		return family4
	}
	return family6
}

// families tells in which of some families there is an address.
func (u *usedAddresses) families(of families) (has families) {
	for _, a := range u.list {
		has |= familyOf(a.addr) & of
	}
	return has
}

// best chooses the address of another namespace to ping it by, among those of some
// families: one of a family that the sender has an address of, then one on a subnet
// they share, then one of a link that is up at both ends, then IPv4. One that the
// sender has too is no choice: what is sent there does not leave it.
func (u *usedAddresses) best(to *usedAddresses, of families) (best choice, found bool) {
	bestRank, speaks := -1, u.families(of)
	for _, t := range to.list {
		if u.id != to.id && u.own[t.addr] || familyOf(t.addr)&of == 0 {
			continue
		}
		c := choice{usedAddress: t}
		for _, s := range u.list {
			if s.subnet.Contains(t.addr) {
				c.shared, c.near = true, c.near || s.down == ""
			}
		}
		rank := 0
		for weight, good := range []bool{t.addr.Is4(), c.live(), c.shared, familyOf(t.addr)&speaks != 0} {
			if good {
				rank |= 1 << weight
			}
		}
		if rank > bestRank {
			best, bestRank = c, rank
		}
	}
	return best, bestRank >= 0
}

// live tells whether the links at both ends are up, as far as they are known.
func (c *choice) live() bool { return c.down == "" && (c.near || !c.shared) }

// why says what spoke for the address.
func (c *choice) why(from, to string) string {
	switch {
	case c.shared && c.live():
		return fmt.Sprintf("%s and %s share its subnet, and the links are up", from, to)
	case c.shared:
		return fmt.Sprintf("%s and %s share its subnet; no shared one has links that are up at both ends", from, to)
	case c.down == "":
		return fmt.Sprintf("%s and %s share no subnet; its link is up", from, to)
	}
	return fmt.Sprintf("%s and %s share no subnet, and no link of %s with an address is up", from, to, to)
}

// addresses lists those of a namespace.
func (k *Kernel) addresses(ctx context.Context, namespace string) (*usedAddresses, error) {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return nil, err
	}
	defer release()
	var links []LinkFacts
	var facts []AddressFacts
	err = dumpInto(ctx, s, &links, unix.RTM_GETLINK, linkRequest(unix.AF_UNSPEC))
	if err == nil {
		err = dumpInto(ctx, s, &facts, unix.RTM_GETADDR, linkRequest(unix.AF_UNSPEC))
	}
	if err != nil {
		return nil, refusal(namespace, fmt.Errorf("list addresses: %w", err))
	}
	u := &usedAddresses{id: s.id, own: map[netip.Addr]bool{}, links: map[int]*LinkFacts{}}
	for i := range links {
		u.links[links[i].Ifindex] = &links[i]
	}
	for _, f := range facts {
		subnet, err := netip.ParsePrefix(f.CIDR)
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", namespace, err)
		}
		u.own[subnet.Addr()] = true
		far := f.Scope != "host" && f.Scope != "link" && f.Scope != "nowhere"
		if !far || slices.Contains(f.Flags, "tentative") || slices.Contains(f.Flags, "dadfailed") {
			continue
		}
		a := usedAddress{addr: subnet.Addr(), subnet: subnet}
		if l := u.links[f.Ifindex]; l != nil {
			a.link, a.down = l.Name, whyDown(l)
		}
		u.list = append(u.list, a)
	}
	return u, nil
}

// whyDown says why a link carries nothing; empty if it does.
func whyDown(l *LinkFacts) string {
	switch {
	case !l.AdminUp:
		return "is down"
	case !l.Carrier:
		return "has no carrier"
	}
	return ""
}
