package netops

import (
	"encoding/binary"
	"iter"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// The facts here are what one netlink message says of one object. Dumps and
// events are decoded by the same code. A fact names other objects only by the
// indexes the kernel gives; turning these into names needs the whole picture
// and is the business of package live.

// LinkFacts is a link (RTM_NEWLINK). Of Link, the fields that need other
// objects (Key, Namespace, Master, Peer, Addresses, Managed, Sync) are unset.
type LinkFacts struct {
	topology.Link
	MasterIndex int   // ifindex of the master, 0 for none
	PeerIndex   int   // ifindex of the peer or lower link, 0 for none
	PeerNSID    int32 // where PeerIndex counts: an nsid, or SameNamespace
	// Of one that is gone because it was moved, since Linux 4.16: its ifindex in
	// its new namespace, 0 if it was not moved, and the old one's nsid for that.
	MovedIndex int
	MovedNSID  int32
	// HoldSeconds is for how long a bridge remembers a MAC it does not see.
	HoldSeconds float64
}

// SameNamespace is the PeerNSID of a peer in the link's own namespace. It is not
// -1 (NETNSA_NSID_NOT_ASSIGNED), which the kernel writes while the peer's
// namespace is being taken down (peernet2id_alloc in net/core/net_namespace.c).
const SameNamespace int32 = -2

// PortFacts are the bridge port settings of a link, as the bridge reports them
// of its own (RTM_NEWLINK of family AF_BRIDGE); Port is nil when the link has
// left its bridge.
type PortFacts struct {
	Ifindex int
	Port    *topology.PortInfo
}

// AddressFacts is an address of the link with that index.
type AddressFacts struct {
	Ifindex int
	topology.Address
}

// RouteFacts is a route of the main table; Ifindex is the link it leaves by.
// Namespace, Link, Managed and Sync are unset. One that Replaces has taken the
// place of another with the same destination and metric, which is not announced
// separately.
type RouteFacts struct {
	Ifindex  int
	Replaces bool
	topology.RouteState
}

// NeighbourFacts is an ARP or ND entry; Namespace and Link are unset.
type NeighbourFacts struct {
	Ifindex int
	topology.Neighbour
}

// FDBFacts is an entry of a bridge's MAC table; the names, Owner, Managed and
// Sync are unset. PortIndex is the bridge's own index for a local entry.
type FDBFacts struct {
	BridgeIndex, PortIndex int
	topology.FDBEntry
}

// Gone wraps the facts of an object that no longer exists.
type Gone struct{ Facts any }

// NSIDGone tells that a namespace has forgotten an nsid, which may now come to
// mean another namespace.
type NSIDGone struct{ NSID int32 }

// decode reads one netlink message into facts, wrapped in Gone for a removal;
// nil for what is of no interest.
func decode(m syscall.NetlinkMessage) any {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return decodeLinkMessage(m.Header.Type, m.Data)
	case unix.RTM_NEWADDR:
		return orNil(decodeAddress(m.Data))
	case unix.RTM_DELADDR:
		return gone(decodeAddress(m.Data))
	case unix.RTM_NEWROUTE:
		f := decodeRoute(m.Data)
		if f != nil {
			f.Replaces = m.Header.Flags&unix.NLM_F_REPLACE != 0
		}
		return orNil(f)
	case unix.RTM_DELROUTE:
		return gone(decodeRoute(m.Data))
	case unix.RTM_NEWNEIGH:
		return decodeNeighbourMessage(m.Data)
	case unix.RTM_DELNEIGH:
		if f := decodeNeighbourMessage(m.Data); f != nil {
			if _, already := f.(Gone); already {
				return f
			}
			return Gone{f}
		}
	case unix.RTM_NEWSTATS:
		return orNil(decodeCounters(m.Data))
	case unix.RTM_DELNSID:
		for t, v := range attributes(m.Data, unix.SizeofRtGenmsg) {
			if t == unix.NETNSA_NSID {
				return NSIDGone{int32(u32(v))}
			}
		}
	}
	return nil
}

func orNil[T any](f *T) any {
	if f == nil {
		return nil
	}
	return *f
}

func gone[T any](f *T) any {
	if f == nil {
		return nil
	}
	return Gone{*f}
}

func decodeLinkMessage(kind uint16, b []byte) any {
	if len(b) < unix.SizeofIfInfomsg {
		return nil
	}
	if b[0] == unix.AF_BRIDGE {
		// The bridge speaks of a port. Its RTM_DELLINK means that the port left,
		// not that the link is gone.
		f := PortFacts{Ifindex: int(u32(b[4:]))}
		if kind == unix.RTM_DELLINK {
			return f
		}
		for t, v := range attributes(b, unix.SizeofIfInfomsg) {
			if t == unix.IFLA_PROTINFO {
				f.Port = decodePort(v)
				return f
			}
		}
		return nil
	}
	if b[0] != unix.AF_UNSPEC {
		return nil // IPv6 announces its own view of links (IFLA_PROTINFO) too
	}
	if kind == unix.RTM_DELLINK {
		return gone(decodeLink(b))
	}
	return orNil(decodeLink(b))
}

func decodeLink(b []byte) *LinkFacts {
	if len(b) < unix.SizeofIfInfomsg || b[0] != unix.AF_UNSPEC {
		return nil
	}
	hardware := binary.NativeEndian.Uint16(b[2:])
	flags := u32(b[8:])
	f := &LinkFacts{PeerNSID: SameNamespace}
	f.Ifindex = int(u32(b[4:]))
	f.Kind = "physical"
	if hardware == unix.ARPHRD_LOOPBACK {
		f.Kind = "loopback"
	}
	f.AdminUp = flags&unix.IFF_UP != 0
	f.Carrier = flags&unix.IFF_LOWER_UP != 0
	f.Flags = linkFlags(flags)
	hasNSID := false
	for t, v := range attributes(b, unix.SizeofIfInfomsg) {
		switch t {
		case unix.IFLA_IFNAME:
			f.Name = text(v)
		case unix.IFLA_ADDRESS:
			f.MAC = net.HardwareAddr(v).String()
		case unix.IFLA_MTU:
			f.MTU = int(u32(v))
		case unix.IFLA_LINK:
			f.PeerIndex = int(u32(v))
		case unix.IFLA_LINK_NETNSID:
			f.PeerNSID, hasNSID = int32(u32(v)), true
		case unix.IFLA_MASTER:
			f.MasterIndex = int(u32(v))
		case unix.IFLA_OPERSTATE:
			f.OperState = operState(v)
		case unix.IFLA_IFALIAS:
			f.Alias = text(v)
		case unix.IFLA_LINKINFO:
			decodeLinkInfo(f, v)
		case unix.IFLA_NEW_IFINDEX:
			f.MovedIndex = int(u32(v))
		case unix.IFLA_NEW_NETNSID:
			f.MovedNSID = int32(u32(v))
		case unix.IFLA_AF_SPEC:
			f.AddressGeneration = addressGeneration(v)
		}
	}
	if hasNSID && f.PeerIndex == 0 {
		// Kernels before 4.16 leave IFLA_LINK out when both ends have the same
		// index in their namespaces.
		f.PeerIndex = f.Ifindex
	}
	return f
}

func decodeLinkInfo(f *LinkFacts, b []byte) {
	var data, slave []byte
	slaveKind := ""
	for t, v := range attributes(b, 0) {
		switch t {
		case unix.IFLA_INFO_KIND:
			f.Kind = text(v)
		case unix.IFLA_INFO_DATA:
			data = v
		case unix.IFLA_INFO_SLAVE_KIND:
			slaveKind = text(v)
		case unix.IFLA_INFO_SLAVE_DATA:
			slave = v
		}
	}
	if f.Kind == "bridge" {
		f.Bridge, f.HoldSeconds = decodeBridge(data), holdSeconds(data)
	}
	if slaveKind == "bridge" {
		f.BridgePort = decodePort(slave)
	}
}

func decodeBridge(b []byte) *topology.BridgeInfo {
	info := &topology.BridgeInfo{}
	seconds := func(v []byte) *int { return new(int(u32(v)) / 100) } // USER_HZ
	for t, v := range attributes(b, 0) {
		switch t {
		case unix.IFLA_BR_STP_STATE:
			info.STP = new(u32(v) != 0)
		case unix.IFLA_BR_AGEING_TIME:
			info.AgeingSeconds = seconds(v)
		case unix.IFLA_BR_FORWARD_DELAY:
			info.ForwardDelaySeconds = seconds(v)
		case unix.IFLA_BR_HELLO_TIME:
			info.HelloSeconds = seconds(v)
		case unix.IFLA_BR_MAX_AGE:
			info.MaxAgeSeconds = seconds(v)
		case unix.IFLA_BR_PRIORITY:
			info.Priority = new(int(u32(v)))
		case unix.IFLA_BR_MCAST_SNOOPING:
			info.MulticastSnooping = new(v[0] != 0)
		case unix.IFLA_BR_VLAN_FILTERING:
			info.VLANFiltering = new(v[0] != 0)
		case unix.IFLA_BR_BRIDGE_ID:
			info.ID = bridgeID(v)
		case unix.IFLA_BR_ROOT_ID:
			info.RootID = bridgeID(v)
		case unix.IFLA_BR_ROOT_PORT:
			info.RootPort = int(u32(v))
		case unix.IFLA_BR_TOPOLOGY_CHANGE:
			info.TopoChange = v[0] != 0
		}
	}
	return info
}

// holdSeconds is the time after which a bridge forgets a MAC: the ageing time, or
// the forward delay while the spanning tree changes (hold_time in
// net/bridge/br_fdb.c).
func holdSeconds(b []byte) float64 {
	hold := map[uint16]float64{}
	for t, v := range attributes(b, 0) {
		hold[t] = float64(u32(v)) / 100 // USER_HZ
	}
	if hold[unix.IFLA_BR_TOPOLOGY_CHANGE] != 0 {
		return hold[unix.IFLA_BR_FORWARD_DELAY]
	}
	return hold[unix.IFLA_BR_AGEING_TIME]
}

// bridgeID writes struct ifla_bridge_id as ip(8) does: priority.address.
func bridgeID(v []byte) string {
	if len(v) < 8 {
		return ""
	}
	id := strconv.FormatUint(uint64(v[0])<<8|uint64(v[1]), 16)
	for len(id) < 4 {
		id = "0" + id
	}
	return id + "." + net.HardwareAddr(v[2:8]).String()
}

var portStates = []string{"disabled", "listening", "learning", "forwarding", "blocking"} // BR_STATE_*

func decodePort(b []byte) *topology.PortInfo {
	p := &topology.PortInfo{}
	bools := map[uint16]**bool{
		unix.IFLA_BRPORT_MODE: &p.Hairpin, unix.IFLA_BRPORT_GUARD: &p.Guard, unix.IFLA_BRPORT_PROTECT: &p.RootBlock,
		unix.IFLA_BRPORT_FAST_LEAVE: &p.FastLeave, unix.IFLA_BRPORT_LEARNING: &p.Learning,
		unix.IFLA_BRPORT_UNICAST_FLOOD: &p.Flood, unix.IFLA_BRPORT_MCAST_FLOOD: &p.MulticastFlood,
		unix.IFLA_BRPORT_BCAST_FLOOD: &p.BroadcastFlood, unix.IFLA_BRPORT_ISOLATED: &p.Isolated,
	}
	for t, v := range attributes(b, 0) {
		switch t {
		case unix.IFLA_BRPORT_STATE:
			if int(v[0]) < len(portStates) {
				p.State = portStates[v[0]]
			}
		case unix.IFLA_BRPORT_PRIORITY:
			p.Priority = new(int(u32(v)))
		case unix.IFLA_BRPORT_COST:
			p.Cost = new(int(u32(v)))
		case unix.IFLA_BRPORT_NO:
			p.Number = int(u32(v))
		default:
			if field := bools[t]; field != nil {
				*field = new(v[0] != 0)
			}
		}
	}
	return p
}

// addressGeneration reads IFLA_INET6_ADDR_GEN_MODE out of IFLA_AF_SPEC.
func addressGeneration(b []byte) string {
	for family, v := range attributes(b, 0) {
		if family != unix.AF_INET6 {
			continue
		}
		for t, v := range attributes(v, 0) {
			if t == unix.IFLA_INET6_ADDR_GEN_MODE && int(v[0]) < 4 {
				return []string{"eui64", "none", "stable-privacy", "random"}[v[0]]
			}
		}
	}
	return ""
}

func operState(v []byte) string {
	states := []string{"unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"} // IF_OPER_*
	if int(v[0]) < len(states) {
		return states[v[0]]
	}
	return "unknown"
}

// linkFlags names flags as ip(8) does (print_link_flags in ip/ipaddress.c).
func linkFlags(flags uint32) []string {
	out := []string{}
	if flags&unix.IFF_UP != 0 && flags&unix.IFF_RUNNING == 0 {
		out = append(out, "NO-CARRIER")
	}
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{unix.IFF_LOOPBACK, "LOOPBACK"},
		{unix.IFF_BROADCAST, "BROADCAST"},
		{unix.IFF_POINTOPOINT, "POINTOPOINT"},
		{unix.IFF_MULTICAST, "MULTICAST"},
		{unix.IFF_NOARP, "NOARP"},
		{unix.IFF_ALLMULTI, "ALLMULTI"},
		{unix.IFF_PROMISC, "PROMISC"},
		{unix.IFF_MASTER, "MASTER"},
		{unix.IFF_SLAVE, "SLAVE"},
		{unix.IFF_UP, "UP"},
		{unix.IFF_LOWER_UP, "LOWER_UP"},
		{unix.IFF_DORMANT, "DORMANT"},
	} {
		if flags&f.bit != 0 {
			out = append(out, f.name)
		}
	}
	return out
}

// attributes iterates over the attributes that follow a fixed header; the type
// comes without its flag bits. It ends at the first attribute that does not
// fit, and skips those without a value.
func attributes(b []byte, header int) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		if len(b) < header {
			return
		}
		for b := b[align(header):]; len(b) >= unix.SizeofRtAttr; {
			size := int(binary.NativeEndian.Uint16(b))
			if size < unix.SizeofRtAttr || size > len(b) {
				return
			}
			t := binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
			if v := b[unix.SizeofRtAttr:size]; len(v) > 0 && !yield(t, v) {
				return
			}
			b = b[min(align(size), len(b)):]
		}
	}
}

func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

// u32 reads a number of up to four bytes in the machine's order.
func u32(v []byte) uint32 {
	switch len(v) {
	case 0:
		return 0
	case 1:
		return uint32(v[0])
	case 2, 3:
		return uint32(binary.NativeEndian.Uint16(v))
	}
	return binary.NativeEndian.Uint32(v)
}

func text(v []byte) string {
	if i := slices.Index(v, 0); i >= 0 {
		v = v[:i]
	}
	return string(v)
}

func address(v []byte) (netip.Addr, bool) { return netip.AddrFromSlice(v) }
