package topology

import "slices"

// HostName is the reserved name of the network namespace netdash runs in.
const HostName = "host"

// LoopbackName is the name the kernel gives the loopback link of every
// namespace.
const LoopbackName = "lo"

// Spec is the intended topology: pure data. Every list is optional. In its
// defaults a namespace's loopback is up and a link is up.
type Spec struct {
	Name string `json:"name,omitempty" doc:"Name of the lab, for people."`
	// IPv6 false keeps every link quiet: no link-local address is generated.
	IPv6       *bool       `json:"ipv6,omitempty" doc:"False keeps every link free of generated IPv6 addresses. Default true."`
	Namespaces []Namespace `json:"namespaces,omitempty" doc:"Namespaces. The one netdash runs in, host, is there without being listed."`
	Bridges    []Bridge    `json:"bridges,omitempty" doc:"Bridges."`
	Veths      []Veth      `json:"veths,omitempty" doc:"Veth pairs: cables with two ends."`
	Routes     []Route     `json:"routes,omitempty" doc:"Routes of the main tables. A route over a link that is down waits until that is up."`
}

// Namespace is an intended network namespace, bind-mounted under /run/netns.
// The host namespace is never listed.
type Namespace struct {
	Name              string   `json:"name" doc:"Name under /run/netns."`
	LoopbackUp        *bool    `json:"loopback_up,omitempty" doc:"Bring lo up. Default true."`
	LoopbackAddresses []string `json:"loopback_addresses,omitempty" doc:"Further addresses of lo, in CIDR form."`
	IPv6              *bool    `json:"ipv6,omitempty" doc:"Overrides the Spec's ipv6 for this namespace."`
}

// Identity is what netdash remembers of an intended link beside what was
// asked for. It is no part of the document: it never appears in JSON.
type Identity struct {
	// ID is the link's row; 0 before it is first stored. Two Specs' links with
	// one ID are the same link, whatever their names: that is how a rename is
	// told from a deletion and a creation.
	ID int64
	// MAC is the address the kernel chose when none was asked for, kept so that
	// a repaired link gets the one its neighbours know.
	MAC string
}

// Bridge is an intended Linux bridge.
type Bridge struct {
	Identity  `json:"-"`
	Namespace string   `json:"namespace" doc:"Namespace it lives in; host for netdash's own."`
	Name      string   `json:"name" doc:"Link name, 1 to 15 bytes."`
	MAC       string   `json:"mac,omitempty" doc:"Fixed MAC address. Default: the kernel's choice."`
	MTU       int      `json:"mtu,omitempty" doc:"MTU in bytes. Default: the kernel's."`
	Alias     string   `json:"alias,omitempty" doc:"Free text, up to 255 bytes."`
	AdminUp   *bool    `json:"admin_up,omitempty" doc:"Whether the link is set up. Default true."`
	Addresses []string `json:"addresses,omitempty" doc:"Addresses in CIDR form."`
	BridgeAttributes
	FDB []FDBSpec `json:"fdb,omitempty" doc:"Static MAC table entries."`
}

// BridgeAttributes are the settings of a bridge; an absent one is left as the
// kernel has it. Times are whole seconds (the kernel's unit is 1/100 s, see
// IFLA_BR_* in linux/if_link.h).
type BridgeAttributes struct {
	STP                 *bool `json:"stp,omitempty" doc:"Spanning tree protocol."`
	AgeingSeconds       *int  `json:"ageing_seconds,omitempty" minimum:"0" maximum:"1000000" doc:"How long a learned MAC stays without being seen. 0 never keeps one: the bridge floods like a hub."`
	ForwardDelaySeconds *int  `json:"forward_delay_seconds,omitempty" minimum:"2" maximum:"30" doc:"STP forward delay."`
	HelloSeconds        *int  `json:"hello_seconds,omitempty" minimum:"1" maximum:"10" doc:"STP hello time."`
	MaxAgeSeconds       *int  `json:"max_age_seconds,omitempty" minimum:"6" maximum:"40" doc:"STP maximum message age."`
	Priority            *int  `json:"priority,omitempty" minimum:"0" maximum:"65535" doc:"STP bridge priority."`
	MulticastSnooping   *bool `json:"multicast_snooping,omitempty" doc:"IGMP and MLD snooping."`
	VLANFiltering       *bool `json:"vlan_filtering,omitempty" doc:"Filter by VLAN (needs CONFIG_BRIDGE_VLAN_FILTERING)."`
}

// PortAttributes are the settings of a bridge port (IFLA_BRPORT_*); an absent
// one is left as the kernel has it.
type PortAttributes struct {
	Cost           *int  `json:"cost,omitempty" minimum:"1" maximum:"65535" doc:"STP path cost."`
	Priority       *int  `json:"priority,omitempty" minimum:"0" maximum:"63" doc:"STP port priority."`
	Hairpin        *bool `json:"hairpin,omitempty" doc:"Send frames back out of the port they came in by."`
	Guard          *bool `json:"guard,omitempty" doc:"Drop STP BPDUs that arrive here."`
	RootBlock      *bool `json:"root_block,omitempty" doc:"Never become the root port."`
	FastLeave      *bool `json:"fastleave,omitempty" doc:"Leave multicast groups at once."`
	Learning       *bool `json:"learning,omitempty" doc:"Learn source MACs here."`
	Flood          *bool `json:"flood,omitempty" doc:"Flood frames for unknown unicast MACs to this port."`
	MulticastFlood *bool `json:"mcast_flood,omitempty" doc:"Flood multicast to this port."`
	BroadcastFlood *bool `json:"bcast_flood,omitempty" doc:"Flood broadcast to this port."`
	Isolated       *bool `json:"isolated,omitempty" doc:"Talk only to ports that are not isolated."`
}

// FDBSpec is an intended static entry of a bridge's MAC table.
type FDBSpec struct {
	MAC  string `json:"mac" doc:"Unicast MAC address."`
	Port string `json:"port" doc:"Bridge port it is reached by; the bridge's own name for a local entry."`
	VLAN int    `json:"vlan,omitempty" minimum:"0" maximum:"4094" doc:"VLAN, 0 for none."`
}

// Veth is an intended veth pair.
type Veth struct {
	A End `json:"a" doc:"One end."`
	B End `json:"b" doc:"The other end."`
}

// End is one end of an intended veth pair.
type End struct {
	Identity   `json:"-"`
	Namespace  string          `json:"namespace" doc:"Namespace this end lives in; host for netdash's own."`
	Name       string          `json:"name" doc:"Link name, 1 to 15 bytes."`
	MAC        string          `json:"mac,omitempty" doc:"Fixed MAC address. Default: the kernel's choice."`
	MTU        int             `json:"mtu,omitempty" doc:"MTU in bytes. Default: the kernel's."`
	Alias      string          `json:"alias,omitempty" doc:"Free text, up to 255 bytes."`
	AdminUp    *bool           `json:"admin_up,omitempty" doc:"Whether the link is set up. Default true."`
	Master     string          `json:"master,omitempty" doc:"Bridge of the same namespace this end is a port of."`
	Addresses  []string        `json:"addresses,omitempty" doc:"Addresses in CIDR form."`
	BridgePort *PortAttributes `json:"bridge_port,omitempty" doc:"Settings as a bridge port; needs a master."`
}

// Route is an intended route of the main table.
type Route struct {
	Namespace   string `json:"namespace" doc:"Namespace whose table it is in."`
	Destination string `json:"destination" doc:"Network in CIDR form, or default."`
	Gateway     string `json:"gateway,omitempty" doc:"Next hop address."`
	Link        string `json:"link,omitempty" doc:"Link it leaves by. Default: the one the gateway is reached by."`
	Metric      int    `json:"metric,omitempty" minimum:"0" maximum:"2147483647" doc:"Priority; lower wins."`
}

// Clone gives a deep copy that shares nothing with s.
func (s *Spec) Clone() *Spec {
	c := *s
	c.IPv6 = clonePtr(s.IPv6)
	c.Namespaces = slices.Clone(s.Namespaces)
	for i := range c.Namespaces {
		n := &c.Namespaces[i]
		n.LoopbackUp, n.IPv6 = clonePtr(n.LoopbackUp), clonePtr(n.IPv6)
		n.LoopbackAddresses = slices.Clone(n.LoopbackAddresses)
	}
	c.Bridges = slices.Clone(s.Bridges)
	for i := range c.Bridges {
		b := &c.Bridges[i]
		b.AdminUp = clonePtr(b.AdminUp)
		b.Addresses = slices.Clone(b.Addresses)
		b.FDB = slices.Clone(b.FDB)
		// Attribute values are replaced whole, never written through, so the
		// pointers inside may be shared.
	}
	c.Veths = slices.Clone(s.Veths)
	for i := range c.Veths {
		for _, e := range []*End{&c.Veths[i].A, &c.Veths[i].B} {
			e.AdminUp = clonePtr(e.AdminUp)
			e.Addresses = slices.Clone(e.Addresses)
			e.BridgePort = clonePtr(e.BridgePort)
		}
	}
	c.Routes = slices.Clone(s.Routes)
	return &c
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// isTrue reads an optional bool whose default is true.
func isTrue(p *bool) bool { return p == nil || *p }
