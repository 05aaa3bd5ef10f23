package topology

import (
	"slices"
	"strconv"
	"strings"
)

// Change is one atomic step between two states. The concrete types below are
// all there are; netops applies each, store keeps what results, and Command
// writes the iproute2 command that does the same.
type Change interface {
	// Kind is the step's name in a Plan, e.g. "veth.create".
	Kind() string
	// Subject is the object it is about: "A", "A/eth0", "A/eth0 10.0.0.1/24".
	Subject() string
	// Where is the namespace it is done in; host for making and deleting
	// namespaces.
	Where() string
	// Command is the one iproute2 command that has the same effect, to be run
	// in the namespace netdash calls host.
	Command() string
}

// Plan is an ordered list of Changes.
type Plan []Change

// Records writes the Plan as it appears in the API and in the journal.
func (p Plan) Records() []ChangeRecord {
	out := make([]ChangeRecord, len(p))
	for i, c := range p {
		out[i] = ChangeRecord{Kind: c.Kind(), Subject: c.Subject(), Command: c.Command()}
	}
	return out
}

// Commands lists the Plan's commands in order.
func (p Plan) Commands() []string {
	out := make([]string, len(p))
	for i, c := range p {
		out[i] = c.Command()
	}
	return out
}

// CreateNamespace makes a namespace and binds it under /run/netns.
type CreateNamespace struct{ Name string }

// DeleteNamespace removes the name. The kernel takes down everything in the
// namespace, and the other ends of its veth pairs, once nobody uses it.
type DeleteNamespace struct{ Name string }

// CreateBridge makes a bridge, down and without ports. An empty MAC or a zero
// MTU is the kernel's choice.
type CreateBridge struct {
	Namespace, Name string
	MAC             string
	MTU             int
	Attributes      BridgeAttributes
}

// VethEnd is where and how CreateVeth makes one end.
type VethEnd struct {
	Namespace, Name string
	MAC             string
	MTU             int
}

// CreateVeth makes a pair in one call: each end appears where it belongs and
// is at no time anywhere else. With OneQueue each end has one queue instead of
// one a processor, which spares the kernel two RCU waits a pair; plans ask for it
// when they make many.
type CreateVeth struct {
	A, B     VethEnd
	OneQueue bool
}

// DeleteLink removes a link; a veth's other end goes with it.
type DeleteLink struct{ Namespace, Name string }

// SetUp sets a link administratively up or down.
type SetUp struct {
	Namespace, Name string
	Up              bool
}

// Rename gives a link another name. Kernels before 6.2 refuse it while the
// link is up, so plans take it down first.
type Rename struct{ Namespace, Name, To string }

// Move puts a link into another namespace, keeping its name unless To names
// another. The kernel takes it down, out of its bridge, and drops its
// addresses.
type Move struct {
	Namespace, Name string
	ToNamespace     string
	To              string
}

// SetMAC sets a link's MAC address.
type SetMAC struct{ Namespace, Name, MAC string }

// SetMTU sets a link's MTU in bytes.
type SetMTU struct {
	Namespace, Name string
	MTU             int
}

// SetAlias sets a link's alias; an empty one removes it.
type SetAlias struct{ Namespace, Name, Alias string }

// SetMaster plugs a link into a bridge of its namespace, or out of any with an
// empty Master.
type SetMaster struct{ Namespace, Name, Master string }

// SetAddressGeneration switches a link's generation of a link-local IPv6
// address (IN6_ADDR_GEN_MODE_NONE or _EUI64). A bridge port needs no address of
// its own, and a thousand ports that announce one cost more than all the rest.
type SetAddressGeneration struct {
	Namespace, Name string
	On              bool
}

// SetBridge changes settings of a bridge; absent ones stay.
type SetBridge struct {
	Namespace, Name string
	Attributes      BridgeAttributes
}

// SetPort changes settings of a bridge port; absent ones stay.
type SetPort struct {
	Namespace, Name string
	Attributes      PortAttributes
}

// AddAddress adds an address in CIDR form to a link.
type AddAddress struct{ Namespace, Link, CIDR string }

// DeleteAddress removes an address from a link.
type DeleteAddress struct{ Namespace, Link, CIDR string }

// AddRoute adds a route to the main table of its namespace.
type AddRoute struct{ Route Route }

// DeleteRoute removes a route from the main table of its namespace.
type DeleteRoute struct{ Route Route }

// AddFDB adds a static entry to a bridge's MAC table.
type AddFDB struct {
	Namespace, Bridge string
	Entry             FDBSpec
}

// DeleteFDB removes an entry from a bridge's MAC table.
type DeleteFDB struct {
	Namespace, Bridge string
	Entry             FDBSpec
}

// Kinds, subjects and commands, one block a Change.

func (c CreateNamespace) Kind() string    { return "namespace.create" }
func (c CreateNamespace) Subject() string { return c.Name }
func (c CreateNamespace) Where() string   { return HostName }
func (c CreateNamespace) Command() string { return "ip netns add " + quote(c.Name) }

func (c DeleteNamespace) Kind() string    { return "namespace.delete" }
func (c DeleteNamespace) Subject() string { return c.Name }
func (c DeleteNamespace) Where() string   { return HostName }
func (c DeleteNamespace) Command() string { return "ip netns delete " + quote(c.Name) }

func (c CreateBridge) Kind() string    { return "bridge.create" }
func (c CreateBridge) Subject() string { return c.Namespace + "/" + c.Name }
func (c CreateBridge) Where() string   { return c.Namespace }
func (c CreateBridge) Command() string {
	return ip(c.Namespace) + "link add " + named(c.Name) + generic(c.MAC, c.MTU) + " type bridge" + bridgeWords(c.Attributes)
}

func (c CreateVeth) Kind() string    { return "veth.create" }
func (c CreateVeth) Subject() string { return c.A.Namespace + "/" + c.A.Name }
func (c CreateVeth) Where() string   { return c.A.Namespace }
func (c CreateVeth) Command() string {
	if c.B.Namespace == HostName {
		c.A, c.B = c.B, c.A // a pair is symmetric, and the host end is easier to say first
	}
	queues := ""
	if c.OneQueue {
		queues = " numtxqueues 1 numrxqueues 1"
	}
	s := ip(c.A.Namespace) + "link add " + named(c.A.Name) + generic(c.A.MAC, c.A.MTU) + queues +
		" type veth peer name " + quote(c.B.Name) + generic(c.B.MAC, c.B.MTU) + queues
	if c.B.Namespace != c.A.Namespace {
		s += " netns " + netnsWord(c.B.Namespace)
	}
	return s
}

func (c DeleteLink) Kind() string    { return "link.delete" }
func (c DeleteLink) Subject() string { return c.Namespace + "/" + c.Name }
func (c DeleteLink) Where() string   { return c.Namespace }
func (c DeleteLink) Command() string { return ip(c.Namespace) + "link delete " + dev(c.Name) }

func (c SetUp) Kind() string    { return "link.set" }
func (c SetUp) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetUp) Where() string   { return c.Namespace }
func (c SetUp) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + map[bool]string{true: " up", false: " down"}[c.Up]
}

func (c Rename) Kind() string    { return "link.set" }
func (c Rename) Subject() string { return c.Namespace + "/" + c.Name }
func (c Rename) Where() string   { return c.Namespace }
func (c Rename) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " name " + quote(c.To)
}

func (c Move) Kind() string    { return "link.set" }
func (c Move) Subject() string { return c.Namespace + "/" + c.Name }
func (c Move) Where() string   { return c.Namespace }
func (c Move) Command() string {
	s := ip(c.Namespace) + "link set " + dev(c.Name) + " netns " + netnsWord(c.ToNamespace)
	if c.To != "" && c.To != c.Name {
		s += " name " + quote(c.To)
	}
	return s
}

func (c SetMAC) Kind() string    { return "link.set" }
func (c SetMAC) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetMAC) Where() string   { return c.Namespace }
func (c SetMAC) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " address " + c.MAC
}

func (c SetMTU) Kind() string    { return "link.set" }
func (c SetMTU) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetMTU) Where() string   { return c.Namespace }
func (c SetMTU) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " mtu " + strconv.Itoa(c.MTU)
}

func (c SetAlias) Kind() string    { return "link.set" }
func (c SetAlias) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetAlias) Where() string   { return c.Namespace }
func (c SetAlias) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " alias " + quote(c.Alias)
}

func (c SetMaster) Kind() string    { return "link.set" }
func (c SetMaster) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetMaster) Where() string   { return c.Namespace }
func (c SetMaster) Command() string {
	s := ip(c.Namespace) + "link set " + dev(c.Name)
	if c.Master == "" {
		return s + " nomaster"
	}
	return s + " master " + quote(c.Master)
}

func (c SetAddressGeneration) Kind() string    { return "link.set" }
func (c SetAddressGeneration) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetAddressGeneration) Where() string   { return c.Namespace }
func (c SetAddressGeneration) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " addrgenmode " + map[bool]string{true: "eui64", false: "none"}[c.On]
}

func (c SetBridge) Kind() string    { return "link.set" }
func (c SetBridge) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetBridge) Where() string   { return c.Namespace }
func (c SetBridge) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " type bridge" + bridgeWords(c.Attributes)
}

func (c SetPort) Kind() string    { return "link.set" }
func (c SetPort) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetPort) Where() string   { return c.Namespace }
func (c SetPort) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " type bridge_slave" + portWords(c.Attributes)
}

func (c AddAddress) Kind() string    { return "address.add" }
func (c AddAddress) Subject() string { return c.Namespace + "/" + c.Link + " " + c.CIDR }
func (c AddAddress) Where() string   { return c.Namespace }
func (c AddAddress) Command() string {
	return ip(c.Namespace) + "address add " + c.CIDR + " dev " + quote(c.Link)
}

func (c DeleteAddress) Kind() string    { return "address.delete" }
func (c DeleteAddress) Subject() string { return c.Namespace + "/" + c.Link + " " + c.CIDR }
func (c DeleteAddress) Where() string   { return c.Namespace }
func (c DeleteAddress) Command() string {
	return ip(c.Namespace) + "address delete " + c.CIDR + " dev " + quote(c.Link)
}

func (c AddRoute) Kind() string    { return "route.add" }
func (c AddRoute) Subject() string { return c.Route.subject() }
func (c AddRoute) Where() string   { return c.Route.Namespace }
func (c AddRoute) Command() string {
	return ip(c.Route.Namespace) + "route add " + routeWords(c.Route)
}

func (c DeleteRoute) Kind() string    { return "route.delete" }
func (c DeleteRoute) Subject() string { return c.Route.subject() }
func (c DeleteRoute) Where() string   { return c.Route.Namespace }
func (c DeleteRoute) Command() string {
	return ip(c.Route.Namespace) + "route delete " + routeWords(c.Route)
}

func (c AddFDB) Kind() string    { return "fdb.add" }
func (c AddFDB) Subject() string { return c.Namespace + "/" + c.Bridge + " " + c.Entry.MAC }
func (c AddFDB) Where() string   { return c.Namespace }
func (c AddFDB) Command() string { return fdbCommand("add", c.Namespace, c.Bridge, c.Entry) }

func (c DeleteFDB) Kind() string    { return "fdb.delete" }
func (c DeleteFDB) Subject() string { return c.Namespace + "/" + c.Bridge + " " + c.Entry.MAC }
func (c DeleteFDB) Where() string   { return c.Namespace }
func (c DeleteFDB) Command() string { return fdbCommand("delete", c.Namespace, c.Bridge, c.Entry) }

func (r Route) subject() string { return r.Namespace + " " + r.Destination }

// ip starts a command in a namespace.
func ip(namespace string) string {
	if namespace == HostName {
		return "ip "
	}
	return "ip -n " + quote(namespace) + " "
}

// netnsWord names a namespace to `ip link … netns`, which takes a name or a
// process: the host is that of the process that runs the command.
func netnsWord(namespace string) string {
	if namespace == HostName {
		return "$$"
	}
	return quote(namespace)
}

// linkWords are what `ip link add` knows (iplink_parse in iproute2's
// ip/iplink.c); it takes their beginnings for them, too.
var linkWords = strings.Fields(`up down name index link address lladdr broadcast brd txqueuelen qlen txqlen mtu xdp
	xdpgeneric xdpdrv xdpoffload netns multicast allmulticast promisc trailers arp carrier vf master vrf nomaster dynamic
	type alias group mode state numtxqueues numrxqueues addrgenmode link-netns link-netnsid gso_max_size gso_max_segs
	gro_max_size gso_ipv4_max_size gro_ipv4_max_size parentdev parentbus protodown protodown_reason dev help`)

// named names a link that is being made, with a word before it where ip would
// take the name for one of its own.
func named(name string) string {
	if slices.ContainsFunc(linkWords, func(word string) bool { return strings.HasPrefix(word, name) }) {
		return "name " + quote(name)
	}
	return quote(name)
}

// dev names a link where ip would otherwise take its name for a keyword, and
// costs nothing where it would not.
func dev(name string) string { return "dev " + quote(name) }

func generic(mac string, mtu int) string {
	var s string
	if mac != "" {
		s += " address " + mac
	}
	if mtu != 0 {
		s += " mtu " + strconv.Itoa(mtu)
	}
	return s
}

func routeWords(r Route) string {
	s := r.Destination
	if r.Gateway != "" {
		s += " via " + r.Gateway
	}
	if r.Link != "" {
		s += " dev " + quote(r.Link)
	}
	if r.Metric != 0 {
		s += " metric " + strconv.Itoa(r.Metric)
	}
	return s
}

func fdbCommand(verb, namespace, bridge string, e FDBSpec) string {
	s := "bridge "
	if namespace != HostName {
		s += "-n " + quote(namespace) + " "
	}
	s += "fdb " + verb + " " + e.MAC + " dev " + quote(e.Port)
	if e.VLAN != 0 {
		s += " vlan " + strconv.Itoa(e.VLAN)
	}
	if e.Port == bridge {
		return s + " self local"
	}
	return s + " master static"
}

func bridgeWords(a BridgeAttributes) string {
	var w words
	w.bool("stp_state", a.STP)
	w.number("ageing_time", a.AgeingSeconds, 100)
	w.number("forward_delay", a.ForwardDelaySeconds, 100)
	w.number("hello_time", a.HelloSeconds, 100)
	w.number("max_age", a.MaxAgeSeconds, 100)
	w.number("priority", a.Priority, 1)
	w.bool("mcast_snooping", a.MulticastSnooping)
	w.bool("vlan_filtering", a.VLANFiltering)
	return w.String()
}

func portWords(a PortAttributes) string {
	var w words
	w.number("cost", a.Cost, 1)
	w.number("priority", a.Priority, 1)
	w.onOff("hairpin", a.Hairpin)
	w.onOff("guard", a.Guard)
	w.onOff("root_block", a.RootBlock)
	w.onOff("fastleave", a.FastLeave)
	w.onOff("learning", a.Learning)
	w.onOff("flood", a.Flood)
	w.onOff("mcast_flood", a.MulticastFlood)
	w.onOff("bcast_flood", a.BroadcastFlood)
	w.onOff("isolated", a.Isolated)
	return w.String()
}

// words collects "name value" pairs of the attributes that are present.
type words struct{ strings.Builder }

func (w *words) bool(name string, v *bool) {
	if v != nil {
		w.WriteString(" " + name + " " + map[bool]string{true: "1", false: "0"}[*v])
	}
}

// onOff writes a bool for `type bridge_slave`, which takes no numbers.
func (w *words) onOff(name string, v *bool) {
	if v != nil {
		w.WriteString(" " + name + " " + map[bool]string{true: "on", false: "off"}[*v])
	}
}

func (w *words) number(name string, v *int, unit int) {
	if v != nil {
		w.WriteString(" " + name + " " + strconv.Itoa(*v*unit))
	}
}

// quote writes a word for a POSIX shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r))
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Quote writes a word for a POSIX shell: as it is where that is safe, between
// single quotes elsewhere.
func Quote(s string) string { return quote(s) }
