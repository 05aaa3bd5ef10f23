package api

import (
	"strings"
	"testing"

	"netdash/internal/topology"
)

// TestAdopt: both forms of the answer, as they are documented, and what goes into
// the journal. That the kernel is left alone is for the lab's tests to show.
func TestAdopt(t *testing.T) {
	s := serve(t, nil)
	box := namespaceState("box", "4-99", false)
	box.Links = append(box.Links, link("box", "br9", "bridge", topology.Foreign), link("box", "tap0", "tun", topology.Foreign))
	s.world.foreign = []*topology.NamespaceState{box}
	for _, path := range []string{"/api/v1/topology/adopt", "/api/v1/topology/release"} {
		dry := s.do(t, "POST", path+"?dry_run=true", `{"subjects":["box"]}`).want(t, 200)
		done := s.do(t, "POST", path, `{"subjects":["box"]}`).want(t, 200)
		plan, taken := read[AdoptionPlan](t, dry), read[topology.Adoption](t, done)
		if strings.Join(taken.Subjects, " ") != "box box/br9" || strings.Join(plan.Subjects, " ") != "box box/br9" || len(plan.Warnings) != len(taken.Warnings) {
			t.Errorf("%s: %s, and with dry_run %s", path, done.text, dry.text)
		}
		if !strings.Contains(dry.text, `"changes":[]`) || strings.Contains(done.text, "changes") {
			t.Errorf("%s: %s, and with dry_run %s", path, done.text, dry.text)
		}
		if dry.Header.Get("Netdash-Operation") != "" || done.Header.Get("Netdash-Operation") == "" {
			t.Errorf("%s: operations %q and %q", path, dry.Header.Get("Netdash-Operation"), done.Header.Get("Netdash-Operation"))
		}
		if got := s.world.requests[len(s.world.requests)-1].Text; got != "POST "+path+" box" {
			t.Errorf("journaled as %q", got)
		}
	}
	p := s.do(t, "POST", "/api/v1/topology/adopt", `{"subjects":["box","nope"]}`).problem(t, topology.CodeNotFound)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/subjects/1" || p.Subject != "nope" {
		t.Errorf("%+v", p)
	}
	s.do(t, "POST", "/api/v1/topology/adopt", `{"subjects":[]}`).problem(t, topology.CodeInvalid)
	s.do(t, "POST", "/api/v1/topology/adopt", `{"subject":["box"]}`).problem(t, topology.CodeInvalid)
	s.do(t, "POST", "/api/v1/topology/adopt", "").problem(t, topology.CodeMalformed)
	if got := abridged(strings.Fields(strings.Repeat("x ", 25))); !strings.HasSuffix(got, "x and 5 more") {
		t.Error(got)
	}
}
