package netops

import (
	"context"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"netdash/internal/topology"
)

// warnings says what may make the matrix fail, and what its figures would not
// tell. It notes how full the machine's neighbour tables are.
func (m *matrix) warnings(ctx context.Context) ([]string, error) {
	var list []string
	host, release, err := m.kernel.acquire(topology.HostName)
	if err != nil {
		return nil, err
	}
	defer release()
	m.tables = map[families]neighbourTable{}
	for _, family := range []families{family4, family6} {
		need := m.neighbours(family)
		if need == 0 {
			continue
		}
		t, err := host.neighbourTable(family)
		if err != nil {
			return nil, err
		}
		m.tables[family] = t
		if t.entries+need > t.limit { // some of them may be there already
			if need, err = m.missing(ctx, family); err != nil {
				return nil, err
			}
		}
		if t.entries+need > t.limit {
			list = append(list, m.tight(family, t, need))
		}
	}
	var silent []string
	for _, n := range m.nodes {
		if !n.gone.Load() && !n.used.loUp() {
			silent = append(silent, n.name)
		}
	}
	if silent != nil {
		list = append(list, fmt.Sprintf("lo is down in %s: it cannot reach itself, and is not told when a neighbour does not answer", some(silent)))
	}
	return append(list, m.sharedAddresses()...), nil
}

// tight has a matrix ping in portions that needs more neighbours of a family than
// there is room for, and says so.
func (m *matrix) tight(family families, t neighbourTable, need int) string {
	portion := max(t.portionOf(), leastPortion)
	if m.portion == 0 {
		m.portion, m.addresses = portion, map[netip.Addr]bool{}
		for _, n := range m.nodes {
			n.asked = map[neighbourKey]string{}
			for a := range n.used.own {
				m.addresses[a] = true
			}
		}
	}
	m.portion = min(m.portion, portion)
	outcome := fmt.Sprintf("so it pings %d pairs at a time and then removes the entries they caused, which takes longer", portion)
	if portion == leastPortion {
		outcome = fmt.Sprintf("so that pairs may fail with %s", topology.PingNeighbourOverflow)
	}
	return fmt.Sprintf("the machine's %s neighbour table, one for all namespaces, holds %d entries, of which %d are taken; this matrix needs %d more, %s. Raise it on the machine: %s",
		family, t.limit, t.entries, need, outcome, raise(family, t.entries+need))
}

// raise is the command that makes room for so many neighbours, and as many again.
func raise(family families, entries int) string {
	version := map[families]string{family4: "ipv4", family6: "ipv6"}[family]
	return fmt.Sprintf("sysctl -w net.%s.neigh.default.gc_thresh3=%d", version, 1<<bits.Len(uint(2*entries)))
}

// neighbours counts the entries that the pairs of a family need: each sender one
// for each target on its link.
func (m *matrix) neighbours(family families) (need int) {
	for _, n := range m.nodes {
		for range n.neighbours(family) {
			need++
		}
	}
	return need
}

// neighbours gives the targets that are on a link of the node.
func (n *matrixNode) neighbours(family families) func(func(netip.Addr) bool) {
	return func(yield func(netip.Addr) bool) {
		for _, p := range n.pairs {
			if p == nil || !p.addr.IsValid() || familyOf(p.addr) != family {
				continue
			}
			for _, a := range n.used.list {
				if a.subnet.Contains(p.addr) {
					if !yield(p.addr) {
						return
					}
					break
				}
			}
		}
	}
}

// missing counts the entries that are needed and not there yet.
func (m *matrix) missing(ctx context.Context, family families) (need int, err error) {
	for _, n := range m.nodes {
		if err := m.remember(ctx, n); err != nil {
			return 0, err
		}
		have := make(map[netip.Addr]bool, len(n.had))
		for key := range n.had {
			have[key.addr] = true
		}
		for a := range n.neighbours(family) {
			if !have[a] {
				need++
			}
		}
	}
	return need, nil
}

// sharedAddresses names those that more than one of the namespaces has.
func (m *matrix) sharedAddresses() (list []string) {
	owners := map[netip.Addr][]string{}
	var order []netip.Addr
	for _, n := range m.nodes {
		seen := map[netip.Addr]bool{}
		for _, a := range n.used.list {
			if seen[a.addr] || familyOf(a.addr)&m.of == 0 {
				continue
			}
			seen[a.addr] = true
			if owners[a.addr] = append(owners[a.addr], n.name); len(owners[a.addr]) == 2 {
				order = append(order, a.addr)
			}
		}
	}
	for _, a := range order {
		if len(list) == maxShared {
			return append(list, fmt.Sprintf("%d more addresses are in more than one namespace", len(order)-maxShared))
		}
		list = append(list, fmt.Sprintf("%s is an address of %s: a reply may come from any of them", a, some(owners[a])))
	}
	return list
}

// maxShared is how many shared addresses are named.
const maxShared = 5

// some lists names, the first few of many.
func some(names []string) string {
	if len(names) > 5 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:5], ", "), len(names)-5)
	}
	return strings.Join(names, ", ")
}

// overflowed warns when the neighbour table was full while the matrix ran.
func (m *matrix) overflowed() string {
	host, release, err := m.kernel.acquire(topology.HostName)
	if err != nil {
		return ""
	}
	defer release()
	for _, family := range []families{family4, family6} {
		before, used := m.tables[family]
		if !used {
			continue
		}
		if now, err := host.neighbourTable(family); err == nil && now.fulls > before.fulls {
			return fmt.Sprintf("the machine's %s neighbour table (%d entries) was full %d times meanwhile. Raise it on the machine: %s",
				family, now.limit, now.fulls-before.fulls, raise(family, max(now.limit, now.entries+m.neighbours(family))))
		}
	}
	return ""
}
