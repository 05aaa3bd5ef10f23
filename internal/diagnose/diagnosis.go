package diagnose

import (
	"netdash/internal/topology"
)

// Question is what does not ping. Exactly one of Address and ToNamespace is set.
type Question struct {
	Namespace   string `json:"namespace" doc:"Namespace the echo requests leave from." example:"A"`
	Address     string `json:"address,omitempty" doc:"IPv4 or IPv6 address that is pinged; %link may follow a link-local one."`
	ToNamespace string `json:"to_namespace,omitempty" doc:"The best address of this namespace is pinged instead."`
	Size        int    `json:"size,omitempty" minimum:"1" maximum:"65000" default:"56" doc:"Payload bytes: large ones find an MTU that is too small."`
}

// Status is how a check came out.
type Status string

// The outcomes of a check.
const (
	OK      Status = "ok"
	Broken  Status = "broken"  // this stops the packet
	Warning Status = "warning" // this is wrong, but does not stop it
	Unknown Status = "unknown" // what would have to be known cannot be seen
)

// Ways a packet goes.
const (
	There = "there" // the echo request
	Back  = "back"  // the reply
)

// Check is one thing that was looked at.
type Check struct {
	Check   string `json:"check" doc:"What was looked at: namespace, loopback, link, carrier, peer, address, subnet, route, gateway, firewall, plugged, bridge, port, stp, isolation, vlan, duplicate_address, mac_conflict, arp, fdb, flood, bridge_netfilter, neighbour, mtu, rp_filter, forwarding, loop, echo, way_back, answer."`
	Way     string `json:"way" enum:"there,back" doc:"Of the echo request or of the reply."`
	Status  Status `json:"status" enum:"ok,broken,warning,unknown"`
	Subject string `json:"subject" doc:"The object it is about: A, A/eth0, host/br0."`
	Detail  string `json:"detail" doc:"What is the case, as a sentence."`
	Sentence
	Evidence string   `json:"evidence,omitempty" doc:"What says so: the kernel's answer, a rule, a setting."`
	Repair   *Repair  `json:"repair,omitempty" doc:"What mends it, where netdash may."`
	Refusal  string   `json:"refusal,omitempty" doc:"Why there is no repair, where netdash would refuse it."`
	Advice   []string `json:"advice,omitempty" doc:"Commands that would mend it where it is not netdash's to change."`
}

// Repair is what mends a finding: one call.
type Repair struct {
	Description string `json:"description"`
	Sentence
	Plan    topology.PlanRecord `json:"plan" doc:"What the call would do now: its dry run."`
	Request Request             `json:"request" doc:"The call that does it."`
	// Changes are set where the repair is of what no Spec holds; the request then
	// asks to have this very diagnosis applied.
	Changes topology.Plan `json:"-"`
}

// Request is a call of the API. Path is below its prefix until the API has put
// that before it.
type Request struct {
	Method string         `json:"method" enum:"POST,PATCH,DELETE"`
	Path   string         `json:"path" example:"/api/v1/topology/reconcile"`
	Body   map[string]any `json:"body,omitempty"`
}

// Diagnosis is what came of a Question.
type Diagnosis struct {
	Namespace   string  `json:"namespace"`
	Address     string  `json:"address" doc:"The address that was pinged; empty when there is none to ping."`
	Reachable   bool    `json:"reachable" doc:"An echo reply came."`
	Checks      []Check `json:"checks" doc:"From the source outward, then the way back, up to the first broken one."`
	FirstBroken *int    `json:"first_broken,omitempty" doc:"Index of the check that says why no reply came; absent when nothing broken was seen."`
	Summary     string  `json:"summary" doc:"The outcome as one sentence."`
	Sentence
}

// Refuse takes the repair back, which netdash itself would refuse.
func (c *Check) Refuse(why string) {
	c.Repair, c.Refusal = nil, why
	c.Detail = say("repair_refused", "finding", c.Detail, "refusal", why).text()
}

// Find gives the check of that kind, about that subject if one is named, that
// has something to mend.
func (d *Diagnosis) Find(check, subject string) *Check {
	for i := range d.Checks {
		c := &d.Checks[i]
		if c.Check == check && (subject == "" || c.Subject == subject) && c.Repair != nil {
			return c
		}
	}
	return nil
}
