package topology

// MaxMatrix is how many namespaces a matrix can have: 65,280 pairs.
const MaxMatrix = 256

// MatrixRequest asks for a ping from each of some namespaces to each other.
type MatrixRequest struct {
	Namespaces []string `json:"namespaces,omitempty" maxItems:"256" doc:"Two or more; without, all that have a name and an address, and host where the lab uses it."`
	Count      int      `json:"count,omitempty" minimum:"1" maximum:"10" default:"1" doc:"Echo requests for each pair."`
	TimeoutMS  int      `json:"timeout_ms,omitempty" minimum:"10" maximum:"10000" default:"1000" doc:"Milliseconds to wait for each reply."`
	Family     string   `json:"family,omitempty" enum:"inet,inet6" doc:"Only addresses of this family; without, the best address of each pair."`
}

// MatrixCell is what came of pinging one namespace from another. It is OK with
// one reply.
type MatrixCell struct {
	From     string     `json:"from"`
	To       string     `json:"to"`
	Address  string     `json:"address,omitempty" doc:"Which of its addresses was pinged."`
	ToLink   string     `json:"to_link,omitempty" doc:"Its link that has the address."`
	OK       bool       `json:"ok" doc:"Whether there was a reply."`
	Sent     int        `json:"sent"`
	Received int        `json:"received"`
	RTTMS    float64    `json:"rtt_ms,omitempty" doc:"The shortest round trip in milliseconds."`
	Reason   PingReason `json:"reason,omitempty" doc:"Without a reply, the kind of failure: no_address, no_route, neighbour_failed, timeout, …"`
	Detail   string     `json:"detail,omitempty" doc:"The failure in words."`
	Reporter string     `json:"reporter,omitempty" doc:"The address that reported the failure, where somebody did."`
}

// MatrixPart is some of a matrix, as far as it is known: cells that are done and
// what is worth a warning. Nothing is told twice.
type MatrixPart struct {
	Cells    []MatrixCell
	Warnings []string
}

// MatrixSummary is what a matrix comes to.
type MatrixSummary struct {
	Pairs      int      `json:"pairs" doc:"Ordered pairs, without those of a namespace with itself."`
	Reached    int      `json:"reached" doc:"Pairs with a reply."`
	DurationMS float64  `json:"duration_ms"`
	Warnings   []string `json:"warnings" doc:"What may have made it fail, and what the figures do not tell."`
	Error      string   `json:"error,omitempty" doc:"Why it was broken off."`
}

// MatrixResult is a finished matrix.
type MatrixResult struct {
	Namespaces []string      `json:"namespaces" doc:"In the order of the request."`
	Cells      []MatrixCell  `json:"cells" doc:"Row by row, each from one namespace."`
	Summary    MatrixSummary `json:"summary"`
}
