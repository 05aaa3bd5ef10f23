package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"netdash/internal/diagnose"
	"netdash/internal/topology"
)

// diagnosed is a site with A and B joined by a cable of which nothing gets an
// answer.
func diagnosed(t *testing.T) *site {
	t.Helper()
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"B"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["10.0.0.1/24"]},"b":{"namespace":"B","name":"eth0","addresses":["10.0.0.2/24"]}}`).want(t, 201)
	s.world.ping = func(_ context.Context, r topology.PingRequest, _ func(topology.PingReply)) (*topology.PingResult, error) {
		return &topology.PingResult{Namespace: r.Namespace, Address: "10.0.0.2", Sent: 3, Replies: []topology.PingReply{}}, nil
	}
	return s
}

// The fake's links are down: the first finding, whose repair is rehearsed as the
// call that it names.
func TestDiagnosisNamesTheCallThatMends(t *testing.T) {
	s := diagnosed(t)
	d := read[diagnose.Diagnosis](t, s.do(t, "POST", "/api/v1/diagnoses", `{"namespace":"A","to_namespace":"B"}`).want(t, 200))
	if d.Reachable || d.FirstBroken == nil || d.Address != "10.0.0.2" || d.Namespace != "A" || !strings.Contains(d.Summary, "does not reach 10.0.0.2") {
		t.Fatalf("%+v", d)
	}
	c := d.Checks[*d.FirstBroken]
	if c.Check != "link" || c.Subject != "A/eth0" || c.Repair == nil {
		t.Fatalf("first broken: %+v", c)
	}
	if r := c.Repair.Request; r.Method != http.MethodPatch || r.Path != "/api/v1/namespaces/A/links/eth0" || r.Body["admin_up"] != any(true) {
		t.Errorf("request %+v", r)
	}
	if len(c.Repair.Plan.Changes) != 1 {
		t.Errorf("plan %+v", c.Repair.Plan)
	}
	last := s.world.requests[len(s.world.requests)-1]
	if !last.DryRun || last.Text != "PATCH /api/v1/namespaces/A/links/eth0?dry_run=true" {
		t.Errorf("rehearsed was %+v", last)
	}
	if got := len(s.world.Settings().Repair); got == 0 || s.world.revision != 3 {
		t.Errorf("the diagnosis changed something: revision %d", s.world.revision)
	}
}

func TestDiagnosisOffersNothingThatIsRefused(t *testing.T) {
	s := diagnosed(t)
	s.world.editErr = topology.Errorf(topology.CodeConflict, "A/eth0", "somebody is in the way")
	d := read[diagnose.Diagnosis](t, s.do(t, "POST", "/api/v1/diagnoses", `{"namespace":"A","address":"10.0.0.2"}`).want(t, 200))
	c := d.Checks[*d.FirstBroken]
	if c.Repair != nil || c.Reason != "link_down" || c.Values["link"] != "A/eth0" || c.Refusal != "somebody is in the way" ||
		c.Detail != "A/eth0 is down (netdash cannot mend it: somebody is in the way)" {
		t.Errorf("%+v", c)
	}
}

func TestDiagnosisIsRefused(t *testing.T) {
	s := diagnosed(t)
	for body, code := range map[string]topology.Code{
		`{"namespace":"A"}`: topology.CodeInvalid,
		`{"namespace":"A","address":"10.0.0.2","to_namespace":"B"}`: topology.CodeInvalid,
		`{"namespace":"nowhere","address":"10.0.0.2"}`:              topology.CodeNotFound,
		`{"namespace":"A","to_namespace":"nowhere"}`:                topology.CodeNotFound,
		`{"namespace":"A","address":"10.0.0.2","size":70000}`:       topology.CodeInvalid,
		`{"namespace":"A","address":"10.0.0.2","depth":3}`:          topology.CodeInvalid,
	} {
		s.do(t, "POST", "/api/v1/diagnoses", body).problem(t, code)
	}
	s.world.ping = func(context.Context, topology.PingRequest, func(topology.PingReply)) (*topology.PingResult, error) {
		return nil, topology.Errorf(topology.CodeInvalid, "A", "cannot ping this address")
	}
	s.do(t, "POST", "/api/v1/diagnoses", `{"namespace":"A","address":"nonsense"}`).problem(t, topology.CodeInvalid)
}

// A diagnosis takes the place of a ping.
func TestDiagnosesAreBounded(t *testing.T) {
	s := diagnosed(t)
	for range cap(s.handler.pinging) {
		s.handler.pinging <- struct{}{}
	}
	s.do(t, "POST", "/api/v1/diagnoses", `{"namespace":"A","to_namespace":"B"}`).problem(t, topology.CodeBusy)
}

// What no Spec holds is mended by having the diagnosis applied.
func TestDiagnosisApply(t *testing.T) {
	s := diagnosed(t)
	s.world.up = true
	s.world.sysctls = map[string]string{"net/ipv4/icmp_echo_ignore_all": "1"}
	s.world.route = func(namespace string, _ topology.RouteQuestion) *topology.RouteAnswer {
		if namespace == "B" {
			return &topology.RouteAnswer{Type: "local", Link: "lo"}
		}
		return &topology.RouteAnswer{Type: "unicast", Link: "eth0", Source: "10.0.0.1"}
	}
	s.world.neighbours = []topology.Neighbour{{Namespace: "A", Link: "eth0", Address: "10.0.0.2", MAC: "02:00:00:00:00:0b", State: "reachable"}}
	d := read[diagnose.Diagnosis](t, s.do(t, "POST", "/api/v1/diagnoses", `{"namespace":"A","to_namespace":"B"}`).want(t, 200))
	if d.FirstBroken == nil || d.Checks[*d.FirstBroken].Check != "echo" || d.Checks[*d.FirstBroken].Repair == nil {
		t.Fatalf("%+v", d)
	}
	r := d.Checks[*d.FirstBroken].Repair
	if r.Request.Path != "/api/v1/diagnoses/apply" || r.Request.Body["check"] != "echo" || r.Request.Body["subject"] != "B" ||
		len(r.Plan.Changes) != 1 || r.Plan.Changes[0].Command != "ip netns exec B sysctl -w net.ipv4.icmp_echo_ignore_all=0" {
		t.Errorf("%+v", r)
	}
	const apply = `{"namespace":"A","to_namespace":"B","check":"echo","subject":"B"}`
	plan := read[topology.PlanRecord](t, s.do(t, "POST", "/api/v1/diagnoses/apply?dry_run=true", apply).want(t, 200))
	if len(plan.Changes) != 1 || plan.Changes[0].Kind != "setting.set" {
		t.Errorf("dry run: %+v", plan)
	}
	a := s.do(t, "POST", "/api/v1/diagnoses/apply", apply).want(t, http.StatusOK)
	if op := read[topology.Operation](t, a); a.Header.Get("Netdash-Operation") == "" || len(op.Commands) != 1 {
		t.Errorf("%s", a.text)
	}
	s.do(t, "POST", "/api/v1/diagnoses/apply", strings.Replace(apply, "echo", "firewall", 1)).problem(t, topology.CodeConflict)
	s.world.up = false // the first broken one is now another, which a call of its own mends
	p := s.do(t, "POST", "/api/v1/diagnoses/apply", `{"namespace":"A","to_namespace":"B","check":"link"}`).problem(t, topology.CodeConflict)
	if p.Hint != "PATCH /api/v1/namespaces/A/links/eth0" {
		t.Errorf("%+v", p)
	}
}
