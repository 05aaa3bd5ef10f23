package api

import (
	"strings"
	"testing"

	"netdash/internal/topology"
)

func TestDeleteSeveral(t *testing.T) {
	s := serve(t, nil)
	box := namespaceState("box", "4-99", false)
	s.world.foreign = []*topology.NamespaceState{box}
	for _, name := range []string{"A", "B", "C"} {
		s.do(t, "POST", "/api/v1/namespaces", `{"name":"`+name+`"}`).want(t, 201)
	}
	const path = "/api/v1/topology/delete"
	dry := read[topology.PlanRecord](t, s.do(t, "POST", path+"?dry_run=true", `{"subjects":["A","B"]}`).want(t, 200))
	if len(dry.Changes) == 0 || len(s.world.spec.Namespaces) != 3 {
		t.Errorf("a dry run answered %+v and left %+v", dry, s.world.spec.Namespaces)
	}
	for body, code := range map[string]topology.Code{
		`{"subjects":["A","box"]}`: topology.CodeNotManaged, `{"subjects":["A","nope"]}`: topology.CodeNotFound,
		`{"subjects":["A","host"]}`: topology.CodeConflict, `{"subjects":[]}`: topology.CodeInvalid, `{}`: topology.CodeInvalid,
	} {
		s.do(t, "POST", path, body).problem(t, code)
	}
	if p := s.do(t, "POST", path, `{"subjects":["A","a b"]}`).problem(t, topology.CodeInvalid); len(p.Errors) != 1 || p.Errors[0].Pointer != "/subjects/1" {
		t.Errorf("errors %+v", p.Errors)
	}
	if len(s.world.spec.Namespaces) != 3 {
		t.Errorf("what was refused left %+v", s.world.spec.Namespaces)
	}
	a := s.do(t, "POST", path, `{"subjects":["A","B"]}`).want(t, 200)
	if plan := read[topology.PlanRecord](t, a); len(plan.Changes) == 0 || a.Header.Get("Netdash-Operation") == "" || len(s.world.spec.Namespaces) != 1 {
		t.Errorf("%s left %+v", a.text, s.world.spec.Namespaces)
	}
	if last := s.world.requests[len(s.world.requests)-1]; !strings.Contains(last.Text, "A B") {
		t.Errorf("the journal says %q", last.Text)
	}
}
