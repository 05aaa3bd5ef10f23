package topology

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// Sync says how an object stands between intended and observed.
type Sync string

// The states of Sync.
const (
	InSync  Sync = "in_sync" // intended, and the kernel has it so
	Drifted Sync = "drifted" // intended, but the kernel has it otherwise
	Missing Sync = "missing" // intended, but the kernel does not have it
	Foreign Sync = "foreign" // only observed: not netdash's to change
)

// NamespaceID identifies a network namespace while it lives: device and inode
// of its nsfs file. Inodes are reused after deletion and after a reboot.
type NamespaceID struct {
	Dev, Ino uint64
}

// String writes the id as it appears in the API, "<device>-<inode>".
func (id NamespaceID) String() string {
	return strconv.FormatUint(id.Dev, 10) + "-" + strconv.FormatUint(id.Ino, 10)
}

// ParseNamespaceID reads an id as String writes it. What is none is zero.
func ParseNamespaceID(s string) NamespaceID {
	dev, ino, _ := strings.Cut(s, "-")
	d, err := strconv.ParseUint(dev, 10, 64)
	if err != nil {
		return NamespaceID{}
	}
	i, err := strconv.ParseUint(ino, 10, 64)
	if id := (NamespaceID{d, i}); err == nil && id.String() == s {
		return id
	}
	return NamespaceID{}
}

// MarshalText writes the id as String does.
func (id NamespaceID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// IsZero tells whether the id names no namespace.
func (id NamespaceID) IsZero() bool { return id == NamespaceID{} }

// Snapshot is the observed topology: every namespace netdash can see and what
// is in it, plus the intended objects that are missing. Objects in a published
// Snapshot are never changed; a newer Snapshot has new ones.
type Snapshot struct {
	Seq        uint64            `json:"seq" doc:"Number of the last event this picture includes."`
	Revision   int64             `json:"revision" doc:"Number of the last committed operation."`
	Namespaces []*NamespaceState `json:"namespaces" doc:"host first, then by name."`
}

// NamespaceState is an observed namespace with everything in it.
type NamespaceState struct {
	ID      string   `json:"id" doc:"Device and inode of the namespace; empty while it is missing."`
	Name    string   `json:"name" doc:"Its name, or its id when it has none."`
	Names   []string `json:"names" doc:"All its names under /run/netns."`
	Managed bool     `json:"managed"`
	Sync    Sync     `json:"sync" enum:"in_sync,drifted,missing,foreign"`
	// Differences are those of the namespace itself and of what is intended in
	// it but belongs to no link that is there: routes, missing objects.
	Differences []Difference `json:"differences,omitempty" doc:"In what it is not as intended; those of its links are with the links."`
	// Incomplete is the reason why this picture may lack something. Nothing is
	// ever planned because of what an incomplete namespace seems to lack.
	Incomplete string `json:"incomplete,omitempty" doc:"Why this picture may lack something."`
	Inhabitants
	Links      []*Link       `json:"links" doc:"By ifindex; missing ones last."`
	Routes     []*RouteState `json:"routes" doc:"Routes of the main table."`
	Neighbours []*Neighbour  `json:"neighbours"`
	FDB        []*FDBEntry   `json:"fdb" doc:"MAC tables of all bridges of this namespace."`
}

// Link is an observed link, or an intended one that is missing.
type Link struct {
	Key        string      `json:"key" doc:"<namespace id>:<ifindex>; <namespace>/<name> while it is missing."`
	Namespace  string      `json:"namespace"`
	Name       string      `json:"name"`
	Ifindex    int         `json:"ifindex"`
	Kind       string      `json:"kind" doc:"loopback, veth, bridge, … as the kernel calls it; physical for a link without one."`
	MAC        string      `json:"mac"`
	MTU        int         `json:"mtu" doc:"Bytes."`
	AdminUp    bool        `json:"admin_up" doc:"IFF_UP: somebody set it up."`
	OperState  string      `json:"oper_state" doc:"RFC 2863 state: up, down, lowerlayerdown, unknown, …"`
	Carrier    bool        `json:"carrier" doc:"IFF_LOWER_UP: there is a signal."`
	Flags      []string    `json:"flags"`
	Alias      string      `json:"alias,omitempty"`
	Master     string      `json:"master,omitempty" doc:"Bridge this link is a port of."`
	Peer       *Peer       `json:"peer,omitempty"`
	Addresses  []Address   `json:"addresses"`
	Bridge     *BridgeInfo `json:"bridge,omitempty"`
	BridgePort *PortInfo   `json:"bridge_port,omitempty"`
	// AddressGeneration is how the kernel makes its link-local IPv6 address.
	AddressGeneration string `json:"addr_gen_mode,omitempty" doc:"eui64, none, stable-privacy or random."`
	Managed           bool   `json:"managed"`
	Sync              Sync   `json:"sync" enum:"in_sync,drifted,missing,foreign"`
	// Intended names the intended link this one is, when it goes by another
	// name or in another namespace now: somebody renamed or moved it.
	Intended    *LinkRef     `json:"intended,omitempty" doc:"The intended link that this one is, under another name or elsewhere."`
	Differences []Difference `json:"differences,omitempty" doc:"In what it is not as intended."`
}

// Peer is the other end of a veth (or the lower link of a stacked one). It is
// found through nsid and ifindex, never guessed; when its namespace is not
// visible only the ifindex is known.
type Peer struct {
	Known     bool   `json:"known"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Ifindex   int    `json:"ifindex"`
	Key       string `json:"key,omitempty"`
}

// Address is an address of a link.
type Address struct {
	CIDR  string `json:"cidr" doc:"In canonical form."`
	Scope string `json:"scope" doc:"global, link, host, site or a number."`
	// Flags are the kernel's, in the words of ip-address(8): tentative,
	// dadfailed, deprecated, dynamic, …; permanent is not listed.
	Flags []string `json:"flags,omitempty"`
	// Proto is who made it (IFA_PROTO): kernel_lo, kernel_ll, kernel_ra.
	Proto string `json:"protocol,omitempty"`
}

// BridgeInfo is what the kernel reports of a bridge.
type BridgeInfo struct {
	BridgeAttributes
	ID         string `json:"id,omitempty" doc:"STP bridge id."`
	RootID     string `json:"root_id,omitempty" doc:"STP root's bridge id."`
	RootPort   int    `json:"root_port,omitempty"`
	TopoChange bool   `json:"topology_change,omitempty"`
}

// PortInfo is what the kernel reports of a bridge port.
type PortInfo struct {
	State string `json:"state" doc:"STP state: disabled, listening, learning, forwarding, blocking."`
	PortAttributes
	Number int `json:"number" doc:"The bridge's own number of this port."`
}

// RouteState is an observed route of the main table, or a missing intended one.
type RouteState struct {
	Namespace   string `json:"namespace"`
	Destination string `json:"destination" doc:"CIDR; default for 0.0.0.0/0 and ::/0."`
	Family      string `json:"family" enum:"inet,inet6"`
	Gateway     string `json:"gateway,omitempty"`
	Link        string `json:"link,omitempty"`
	Source      string `json:"source,omitempty" doc:"Preferred source address."`
	Metric      int    `json:"metric,omitempty"`
	Protocol    string `json:"protocol" doc:"Who made it: kernel, boot, static, ra, …"`
	Scope       string `json:"scope"`
	Type        string `json:"type" doc:"unicast, blackhole, unreachable, …"`
	// Flags are onlink; multipath, of whose hops only the first is shown;
	// attributes, when it has some that are not shown. Whether a hop can be used
	// now shows in the carrier of its link.
	Flags   []string `json:"flags,omitempty" doc:"onlink, multipath (its first hop is shown), attributes (it has more than is shown)."`
	Managed bool     `json:"managed"`
	Sync    Sync     `json:"sync" enum:"in_sync,drifted,missing,foreign"`
}

// Neighbour is an entry of a namespace's ARP or ND table.
type Neighbour struct {
	Namespace string `json:"namespace"`
	Link      string `json:"link"`
	Address   string `json:"address"`
	MAC       string `json:"mac,omitempty"`
	State     string `json:"state" doc:"reachable, stale, delay, probe, failed, incomplete, permanent, noarp."`
	Router    bool   `json:"router,omitempty"`
}

// FDBEntry is an entry of a bridge's MAC table.
type FDBEntry struct {
	Namespace string `json:"namespace"`
	Bridge    string `json:"bridge"`
	MAC       string `json:"mac"`
	Port      string `json:"port"`
	VLAN      int    `json:"vlan,omitempty"`
	State     string `json:"state" enum:"learned,static,local"`
	// AgeSeconds is how long ago the MAC was last seen as a source; only in
	// answers read freshly from the kernel, only for learned entries.
	AgeSeconds *float64 `json:"age_seconds,omitempty"`
	// Owner is the link that has this MAC, where one can be seen.
	Owner   *LinkRef `json:"owner,omitempty"`
	Managed bool     `json:"managed"`
	Sync    Sync     `json:"sync,omitempty" enum:"in_sync,drifted,missing,foreign" doc:"Of static entries only."`
}

// LinkRef names a link.
type LinkRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Namespace finds a namespace by name, or by id; nil when there is none.
func (s *Snapshot) Namespace(nameOrID string) *NamespaceState {
	// Behind host they are sorted: most often this finds it.
	if i := sort.Search(len(s.Namespaces), func(i int) bool { return i > 0 && s.Namespaces[i].Name >= nameOrID }); i < len(s.Namespaces) && s.Namespaces[i].Name == nameOrID {
		return s.Namespaces[i]
	}
	for _, n := range s.Namespaces {
		if n.Name == nameOrID {
			return n
		}
	}
	for _, n := range s.Namespaces {
		if n.ID == nameOrID && n.ID != "" {
			return n
		}
		for _, name := range n.Names {
			if name == nameOrID {
				return n
			}
		}
	}
	return nil
}

// byName indexes the namespaces by what they go by, for who looks for many.
func (s *Snapshot) byName() map[string]*NamespaceState {
	m := make(map[string]*NamespaceState, len(s.Namespaces))
	for _, n := range s.Namespaces {
		m[n.Name] = n
	}
	return m
}

// Link finds a link of the namespace by name; nil when there is none.
func (n *NamespaceState) Link(name string) *Link {
	for _, l := range n.Links {
		if l.Name == name {
			return l
		}
	}
	return nil
}

// OperationState is where an Operation stands.
type OperationState string

// The states of an Operation.
const (
	OperationRunning   OperationState = "running"
	OperationCommitted OperationState = "committed"
	OperationFailed    OperationState = "failed"
	OperationUndone    OperationState = "undone"
)

// Operation is a Plan that was journaled, and what became of it.
type Operation struct {
	ID         int64          `json:"id"`
	State      OperationState `json:"state" enum:"running,committed,failed,undone"`
	Author     string         `json:"author"`
	Request    string         `json:"request" doc:"What was asked, e.g. POST /api/v1/veths."`
	Changes    []ChangeRecord `json:"changes"`
	Commands   []string       `json:"commands" doc:"The same as iproute2 commands, in order."`
	Error      string         `json:"error,omitempty"`
	StartedAt  time.Time      `json:"started_at"`
	DurationMS float64        `json:"duration_ms"`
	Progress   *Progress      `json:"progress,omitempty" doc:"How far a large operation that runs has come."`
	Undoes     int64          `json:"undoes,omitempty" doc:"The operation that this one undid."`
	UndoneBy   int64          `json:"undone_by,omitempty" doc:"The operation that undid this one."`
	IntentOnly bool           `json:"intent_only,omitempty" doc:"Only what is intended changed; the kernel was left as it was."`
}

// LargePlan is the number of Changes above which an operation reports its
// progress, and its events leave its Changes out.
const LargePlan = 50

// Progress is how many of an Operation's Changes are done.
type Progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// ChangeRecord is a Change as it is written in a Plan and in the journal.
type ChangeRecord struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject"`
	Command string `json:"command"`
}

// Event is one numbered thing that happened: to the observed topology
// (Origin "kernel" or "operation:<id>"), to an operation, or to the positions of
// the drawing (Origin "positions"). Exactly one of the
// object fields is set, named by the first half of Type. For a removal it is
// the object as it last was.
type Event struct {
	Type      string          `json:"type"`
	Seq       uint64          `json:"seq"`
	At        time.Time       `json:"at"`
	Origin    string          `json:"origin"`
	Namespace *NamespaceState `json:"namespace,omitempty"`
	Link      *Link           `json:"link,omitempty"`
	Address   *AddressEvent   `json:"address,omitempty"`
	Route     *RouteState     `json:"route,omitempty"`
	Neighbour *Neighbour      `json:"neighbour,omitempty"`
	FDB       *FDBEntry       `json:"fdb,omitempty"`
	Operation *Operation      `json:"operation,omitempty"`
	Drift     *DriftEvent     `json:"drift,omitempty"`
	Repair    *RepairState    `json:"repair,omitempty"`
	Stats     *Stats          `json:"stats,omitempty"`
	Positions *PositionsEvent `json:"positions,omitempty"`
	// Reason is why an entry of a MAC table is gone, where the kernel lets it be
	// told.
	Reason RemovalReason `json:"reason,omitempty" enum:"expired,flushed,deleted"`
}

// RemovalReason is why an entry of a MAC table is gone.
type RemovalReason string

// The reasons why a bridge has forgotten a MAC.
const (
	Expired RemovalReason = "expired" // it was learned, and not seen for the ageing time
	Flushed RemovalReason = "flushed" // it was learned, and removed before its time, by somebody or with its port
	Deleted RemovalReason = "deleted" // it was static or local
)

// DriftEvent tells that what one namespace differs in has changed. It holds all
// of that namespace's differences; without any it is as intended again.
type DriftEvent struct {
	Namespace   string       `json:"namespace"`
	Differences []Difference `json:"differences"`
	InSync      bool         `json:"in_sync" doc:"Whether the whole topology is as intended."`
	Total       int          `json:"total" doc:"Number of differences in the whole topology."`
}

// DriftReport is in what the observed topology is not the intended one, and
// the Plan that would make it so.
type DriftReport struct {
	InSync      bool         `json:"in_sync"`
	Differences []Difference `json:"differences"`
	Plan        PlanRecord   `json:"plan"`
	Repair      RepairState  `json:"repair" doc:"What netdash does about it by itself."`
}

// PlanRecord is a Plan as it is written in answers.
type PlanRecord struct {
	Changes []ChangeRecord `json:"changes" doc:"What would be done, in order."`
}

// AddressEvent is an address with the link it belongs to.
type AddressEvent struct {
	Namespace string `json:"namespace"`
	Link      string `json:"link"`
	Key       string `json:"key"`
	Address
}
