package walk

import "time"

// Kind is what a frame carries.
type Kind string

// The kinds of frames that belong to a ping.
const (
	ARPRequest             Kind = "arp_request"
	ARPReply               Kind = "arp_reply"
	NeighbourSolicitation  Kind = "neighbour_solicitation"
	NeighbourAdvertisement Kind = "neighbour_advertisement"
	EchoRequest            Kind = "echo_request"
	EchoReply              Kind = "echo_reply"
	ICMPError              Kind = "icmp_error"
	Fragment               Kind = "fragment" // of an echo that is too large for one packet; not its first
)

// Walk is the way of all frames of one ping.
type Walk struct {
	Frames    []Frame    `json:"frames" nullable:"false" doc:"In the order in which they began."`
	Decisions []Decision `json:"decisions" nullable:"false" doc:"What the bridges did with them, in order."`
	Notes
}

// Notes are what is to be known of a walk beside its frames.
type Notes struct {
	// Incomplete says why something may be missing.
	Incomplete string `json:"incomplete,omitempty" doc:"Why something may be missing."`
	Dropped    int    `json:"dropped" doc:"Records that were lost because they came too fast."`
}

// Frame is the journey of one frame, over all branches of a flood.
type Frame struct {
	ID   int  `json:"id" doc:"From 1."`
	Kind Kind `json:"kind" enum:"arp_request,arp_reply,neighbour_solicitation,neighbour_advertisement,echo_request,echo_reply,icmp_error,fragment"`
	Seq  int  `json:"seq,omitempty" doc:"Number of the echo request it is, answers or tells of."`
	// Continues is the frame that brought the same packet to the router that sent
	// this one.
	Continues int    `json:"continues,omitempty" doc:"The frame in which the same packet came to the router that sent this one."`
	Answers   int    `json:"answers,omitempty" doc:"The frame that this one is an answer to."`
	SrcMAC    string `json:"src_mac"`
	DstMAC    string `json:"dst_mac"`
	VLAN      int    `json:"vlan,omitempty" doc:"Of its first hop."`
	SrcIP     string `json:"src_ip,omitempty" doc:"Of ARP, the sender's."`
	DstIP     string `json:"dst_ip,omitempty" doc:"Of ARP, the one that is asked for, or told."`
	TTL       int    `json:"ttl,omitempty" doc:"Time to live, or hop limit."`
	Length    int    `json:"length" doc:"Bytes, with the Ethernet header."`
	Hops      []Hop  `json:"hops" nullable:"false" doc:"In order; each comes after the one it came from."`
}

// Hop is a frame at one link, coming in or going out.
type Hop struct {
	ID int `json:"id" doc:"Unique in the walk."`
	// From is the hop it came from; of the first hop of a frame that continues or
	// answers another, a hop of that one.
	From      int       `json:"from,omitempty" doc:"The hop it came from. Of the first hop of a frame that continues or answers another: the hop of that other by which it came here."`
	At        time.Time `json:"at" doc:"By the kernel's time stamp, but never before the hop it came from."`
	US        float64   `json:"us" doc:"Microseconds since the first hop of the walk."`
	Namespace string    `json:"namespace"`
	Link      string    `json:"link"`
	Direction string    `json:"direction" enum:"in,out" doc:"As the link's namespace sees it."`
	Kind      Kind      `json:"kind"`
	SrcMAC    string    `json:"src_mac"`
	DstMAC    string    `json:"dst_mac"`
	VLAN      int       `json:"vlan,omitempty"`
	End       string    `json:"end,omitempty" enum:"taken,ignored,passed_on,lost,unseen" doc:"Of a hop after which this frame is seen nowhere, and no bridge decides: taken by the namespace itself, ignored there as it is for another MAC, passed_on as another frame, lost on the cable, unseen as the cable leads to where netdash cannot see."`
}

// Verdict is what a bridge did with a frame.
type Verdict string

// The verdicts.
const (
	Flood   Verdict = "flood"   // sent to all ports that may have it
	Forward Verdict = "forward" // sent to the one port the destination is on
	Filter  Verdict = "filter"  // not sent: the destination is where it came from
	Local   Verdict = "local"   // handed to the bridge's own namespace alone
	Drop    Verdict = "drop"
)

// Reason is why, as a code.
type Reason string

// The reasons for verdicts, and for leaving a port out.
const (
	Broadcast    Reason = "broadcast"
	Multicast    Reason = "multicast"
	Unknown      Reason = "unknown"     // destination not in the MAC table
	Known        Reason = "known"       // destination in the MAC table
	SamePort     Reason = "same_port"   // destination on the port it came from, hairpin off
	ForBridge    Reason = "for_bridge"  // destination is an address of the bridge itself
	PortDisabled Reason = "disabled"    // the port is down or has no carrier
	PortBlocking Reason = "blocking"    // by STP
	Listening    Reason = "listening"   // by STP
	Learning     Reason = "learning"    // by STP
	Isolated     Reason = "isolated"    // neither of two isolated ports sends to the other
	FloodOff     Reason = "flood_off"   // the port takes no floods of this sort
	TooLong      Reason = "too_long"    // for the port's MTU
	NoPort       Reason = "no_port"     // there is no port left to send it to
	BridgeDown   Reason = "bridge_down" // the bridge itself does not take frames
	Unexplained  Reason = "unexplained"
)

// Decision is what one bridge did with one frame.
type Decision struct {
	ID            int         `json:"id"`
	Bridge        string      `json:"bridge" doc:"<namespace>/<name>."`
	Frame         int         `json:"frame"`
	Hop           int         `json:"hop" doc:"The hop by which the frame came to the bridge."`
	At            time.Time   `json:"at"`
	US            float64     `json:"us" doc:"Microseconds since the first hop of the walk."`
	InPort        string      `json:"in_port" doc:"The bridge itself, for what its own namespace sends."`
	OutPorts      []string    `json:"out_ports" nullable:"false" doc:"Ports the frame was seen to leave by."`
	ToItself      bool        `json:"to_itself" doc:"Whether the bridge's own namespace got it, too."`
	Verdict       Verdict     `json:"verdict" enum:"flood,forward,filter,local,drop" doc:"By the frames that were seen."`
	Reason        Reason      `json:"reason" enum:"broadcast,multicast,unknown,known,same_port,for_bridge,disabled,blocking,listening,learning,isolated,flood_off,too_long,no_port,bridge_down,unexplained" doc:"By MAC table and ports as they were then."`
	Detail        string      `json:"detail" doc:"The reason in words."`
	Entry         *TableEntry `json:"entry,omitempty" doc:"What the MAC table had for the destination."`
	Skipped       []Skip      `json:"skipped,omitempty" doc:"Ports that could not have it, and why."`
	Learned       *Learned    `json:"learned,omitempty" doc:"What the bridge learned from the frame's source."`
	Contradiction string      `json:"contradiction,omitempty" doc:"In what the frames that were seen and the tables do not agree."`
}

// TableEntry is an entry of a MAC table at one moment.
type TableEntry struct {
	Port       string   `json:"port"`
	State      string   `json:"state" enum:"learned,static,local"`
	AgeSeconds *float64 `json:"age_seconds,omitempty" doc:"How long before the MAC had last been seen as a source; of learned entries."`
}

// Skip is a port that a frame was not sent to.
type Skip struct {
	Port   string `json:"port"`
	Reason Reason `json:"reason" enum:"disabled,blocking,listening,learning,isolated,flood_off,too_long"`
}

// Learned is what a source taught a bridge.
type Learned struct {
	MAC      string `json:"mac"`
	Port     string `json:"port"`
	How      string `json:"how" enum:"new,moved,refreshed"`
	FromPort string `json:"from_port,omitempty" doc:"Where it was before it moved."`
}
