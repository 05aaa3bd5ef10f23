package api

import (
	"net/http"
	"slices"
	"testing"

	"netdash/internal/topology"
)

func TestReconcile(t *testing.T) {
	s := serve(t, nil)
	const path = "/api/v1/topology/reconcile"
	for body, want := range map[string][]string{
		"": nil, `{}`: nil, `{"subjects":[]}`: {}, `{"subjects":["A","A/eth0"]}`: {"A", "A/eth0"},
	} {
		done := s.do(t, "POST", path, body).want(t, 200)
		if done.Header.Get("Netdash-Operation") == "" || !slices.Equal(s.world.reconciled, want) {
			t.Errorf("%s: reconciled %v, %v", body, s.world.reconciled, done.Header)
		}
		if d := read[topology.DriftReport](t, done); !d.InSync || d.Differences == nil || d.Plan.Changes == nil || d.Repair.Mode != "manual" {
			t.Errorf("%s: %s", body, done.text)
		}
		if r := s.world.requests[len(s.world.requests)-1]; r.Author != "127.0.0.1" || r.Text != "POST "+path || r.DryRun {
			t.Errorf("%s: request %+v", body, r)
		}
	}
	dry := s.do(t, "POST", path+"?dry_run=true", `{"subjects":["A/lo"]}`).want(t, 200)
	if p := read[topology.PlanRecord](t, dry); len(p.Changes) != 1 || p.Changes[0].Command != "ip -n A link set dev lo up" || dry.Header.Get("Netdash-Operation") != "" {
		t.Errorf("dry run: %s, %v", dry.text, dry.Header)
	}
	for body, code := range map[string]topology.Code{
		`{"subject":"A"}`: topology.CodeInvalid, `{"subjects":"A"}`: topology.CodeInvalid, `{"subjects":[1]}`: topology.CodeInvalid, `[]`: topology.CodeInvalid, `{`: topology.CodeMalformed,
	} {
		s.do(t, "POST", path, body).problem(t, code)
	}
	s.world.editErr = topology.Errorf(topology.CodeConflict, "A/eth0", "there is a link eth0 in A that netdash does not manage")
	if p := s.do(t, "POST", path, "").problem(t, topology.CodeConflict); p.Subject != "A/eth0" {
		t.Errorf("%+v", p)
	}
	if d := read[topology.DriftReport](t, s.do(t, "GET", "/api/v1/topology/drift", "").want(t, 200)); !d.InSync {
		t.Errorf("%+v", d)
	}
	s.world.blind = true
	s.do(t, "GET", "/api/v1/topology/drift", "").problem(t, topology.CodeIncomplete)
}

func TestSettings(t *testing.T) {
	s := serve(t, nil)
	const path = "/api/v1/settings"
	if got := read[topology.Settings](t, s.do(t, "GET", path, "").want(t, 200)); got != topology.DefaultSettings() {
		t.Errorf("%+v", got)
	}
	if dry := s.do(t, "PATCH", path+"?dry_run=true", `{"repair":"auto"}`).want(t, 200); dry.text != `{"changes":[]}`+"\n" {
		t.Errorf("dry run: %s", dry.text)
	}
	changed := read[topology.Settings](t, s.do(t, "PATCH", path, `{"repair":"auto","history":0}`).want(t, 200))
	want := topology.Settings{Repair: "auto", Restore: "on_start", History: 0}
	if got := read[topology.Settings](t, s.do(t, "GET", path, "").want(t, 200)); changed != want || got != want {
		t.Errorf("%+v, %+v", changed, got)
	}
	for _, body := range []string{
		`{"repair":"Auto"}`, `{"repair":""}`, `{"repair":1}`, `{"restore":"always"}`, `{"history":-1}`, `{"history":1.5}`, `{"history":"7"}`,
		`{"repairs":"auto"}`, `{"Repair":"auto"}`, `[]`, `"auto"`, ``,
	} {
		a := s.do(t, "PATCH", path, body)
		if a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.text)
		}
	}
	if got := read[topology.Settings](t, s.do(t, "GET", path, "").want(t, 200)); got != want {
		t.Errorf("refused, and yet %+v", got)
	}
}
