package topology

// PingRequest asks for ICMP echo requests from inside a namespace. Exactly one
// of Address and ToNamespace is set.
type PingRequest struct {
	Namespace   string `json:"namespace" doc:"Namespace the echo requests leave from."`
	Address     string `json:"address,omitempty" doc:"IPv4 or IPv6 address to ping; %link may follow a link-local one."`
	ToNamespace string `json:"to_namespace,omitempty" doc:"Ping the best address of this namespace instead."`
	Link        string `json:"link,omitempty" doc:"Send over this link of the namespace, even if the best route leads elsewhere."`
	Count       int    `json:"count,omitempty" minimum:"1" maximum:"100" default:"3" doc:"Echo requests to send."`
	IntervalMS  int    `json:"interval_ms,omitempty" minimum:"10" maximum:"10000" default:"200" doc:"Milliseconds between two requests."`
	TimeoutMS   int    `json:"timeout_ms,omitempty" minimum:"10" maximum:"10000" default:"1000" doc:"Milliseconds to wait for each reply."`
	Size        int    `json:"size,omitempty" minimum:"1" maximum:"65000" default:"56" doc:"Payload bytes."`
	TTL         int    `json:"ttl,omitempty" minimum:"1" maximum:"255" default:"64" doc:"Time to live (hop limit)."`
	Walk        bool   `json:"walk,omitempty" doc:"Record the frames at every link, and what the bridges decide; for 10 requests at most."`
}

// PingReply is what came of an echo request: a reply, an error, or something
// besides. Of each request that was sent exactly one is its answer; a duplicate
// and a notice are not.
type PingReply struct {
	Seq       int        `json:"seq" doc:"From 1."`
	From      string     `json:"from,omitempty" doc:"Who answered; with error or notice, who reported it."`
	TTL       int        `json:"ttl,omitempty"`
	RTTMS     float64    `json:"rtt_ms,omitempty" doc:"Round trip in milliseconds, up to the kernel's receive time stamp."`
	Duplicate bool       `json:"duplicate,omitempty" doc:"One more reply to a request that was answered before; not among those received."`
	Reordered bool       `json:"reordered,omitempty" doc:"A later request was answered earlier."`
	Error     string     `json:"error,omitempty" doc:"Why there was no reply, in the kernel's or the router's words."`
	Reason    PingReason `json:"reason,omitempty" doc:"What kind of failure error is: timeout, neighbour_failed, unreachable, prohibited, …"`
	Notice    string     `json:"notice,omitempty" doc:"What somebody said about the request without answering it, such as a redirect."`
}

// IsAnswer tells whether this is what became of the request, rather than
// something besides.
func (r *PingReply) IsAnswer() bool { return !r.Duplicate && r.Notice == "" }

// RTT sums up round trips in milliseconds, as ping(8) does: mdev is the
// standard deviation, and duplicates count.
type RTT struct {
	Min  float64 `json:"min"`
	Avg  float64 `json:"avg"`
	Max  float64 `json:"max"`
	Mdev float64 `json:"mdev"`
}

// PingResult is a finished ping. Loss is a share between 0 and 1.
type PingResult struct {
	Namespace   string      `json:"namespace"`
	Link        string      `json:"link,omitempty" doc:"The link it was sent over, where one was asked for."`
	Address     string      `json:"address"`
	ToNamespace string      `json:"to_namespace,omitempty" doc:"The namespace that was asked for."`
	ToLink      string      `json:"to_link,omitempty" doc:"Its link that has the address."`
	Chosen      string      `json:"chosen,omitempty" doc:"Why this of its addresses."`
	Sent        int         `json:"sent"`
	Received    int         `json:"received"`
	Duplicates  int         `json:"duplicates,omitempty" doc:"Replies beyond the first to a request."`
	Reordered   int         `json:"reordered,omitempty" doc:"Replies that came after one to a later request."`
	Errors      int         `json:"errors,omitempty" doc:"ICMP errors in the place of replies."`
	Loss        float64     `json:"loss" doc:"Share of requests without a reply, 0 to 1."`
	DurationMS  float64     `json:"duration_ms" doc:"From the first request to the end."`
	RTTMS       *RTT        `json:"rtt_ms,omitempty"`
	Replies     []PingReply `json:"replies"`
	Error       string      `json:"error,omitempty" doc:"Why nothing could be sent, in the kernel's words."`
	Reason      PingReason  `json:"reason,omitempty" doc:"What kind of failure error is."`
}

// Features a kernel may lack, as named in Capabilities and in errors of code
// unsupported.
const (
	FeatureVLANFiltering = "bridge_vlan_filtering"
	FeatureVeth          = "veth"
	FeatureBridge        = "bridge"
)

// Capabilities says what this netdash on this kernel can do.
type Capabilities struct {
	Mode     string          `json:"mode" enum:"host,sandbox" doc:"host: works on the machine it runs on."`
	Version  string          `json:"version"`
	Kernel   string          `json:"kernel" doc:"Kernel release, as uname -r."`
	BootID   string          `json:"boot_id"`
	Features map[string]bool `json:"features" doc:"What this kernel supports."`
	Limits   map[string]int  `json:"limits" doc:"Bounds on requests: body bytes, pings at once, …"`
}
