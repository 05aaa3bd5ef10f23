package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

const intendedPath = "/api/v1/topology/intended"

const twoHosts = `name: lab
namespaces: [{name: A}, {name: B}]
veths:
- a: {namespace: A, name: eth0}
  b: {namespace: B, name: eth0}
`

func TestPutIntended(t *testing.T) {
	s := serve(t, nil)
	was := s.do(t, "PUT", intendedPath, twoHosts, "Content-Type: application/yaml").want(t, 200)
	if plan := read[topology.PlanRecord](t, was); len(plan.Changes) != 1 || was.Header.Get("Etag") != `"1"` || was.Header.Get("Netdash-Operation") != "1" {
		t.Errorf("%s %v", was.text, was.Header)
	}
	again := s.do(t, "PUT", intendedPath, twoHosts, "Content-Type: application/yaml").want(t, 200)
	if again.text != "{\"changes\":[]}\n" || again.Header.Get("Etag") != `"1"` || again.Header.Get("Netdash-Operation") != "" {
		t.Errorf("%s %v", again.text, again.Header)
	}
	for _, media := range []string{"text/yaml", "application/x-yaml", "application/yaml; charset=utf-8"} {
		s.do(t, "PUT", intendedPath, twoHosts, "Content-Type: "+media).want(t, 200)
	}
	got := s.do(t, "GET", intendedPath, "").want(t, 200)
	s.do(t, "PUT", intendedPath, got.text).want(t, 200)
	if s.world.revision != 1 {
		t.Errorf("revision %d", s.world.revision)
	}
	dry := s.do(t, "PUT", intendedPath+"?dry_run=true", `{}`).want(t, 200)
	if plan := read[topology.PlanRecord](t, dry); len(plan.Changes) != 1 || dry.Header.Get("Etag") != `"1"` || dry.Header.Get("Netdash-Operation") != "" || s.world.revision != 1 {
		t.Errorf("%s %v", dry.text, dry.Header)
	}
	s.do(t, "PUT", intendedPath, `{}`).want(t, 200)
	if spec, _ := s.world.Intended(); !topology.Equal(spec, &topology.Spec{}) {
		t.Errorf("%+v", spec)
	}
	if r := s.world.requests[0]; r.Text != "PUT "+intendedPath || r.Author != "127.0.0.1" || r.DryRun {
		t.Errorf("%+v", r)
	}
}

// TestPutInherits: links go on being the same links.
func TestPutInherits(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "PUT", intendedPath, twoHosts, "Content-Type: application/yaml").want(t, 200)
	end := &s.world.spec.Veths[0].A
	end.ID, end.Identity.MAC = 7, "02:00:00:00:00:07"
	s.do(t, "PUT", intendedPath, strings.Replace(twoHosts, "{namespace: A, name: eth0}", "{namespace: A, name: eth0, mtu: 1400}", 1), "Content-Type: text/yaml").want(t, 200)
	if now := s.world.spec.Veths[0].A; now.Identity != (topology.Identity{ID: 7, MAC: "02:00:00:00:00:07"}) || now.MTU != 1400 {
		t.Errorf("%+v", now)
	}
	plain := read[topology.Spec](t, s.do(t, "GET", intendedPath, "").want(t, 200))
	fixed := read[topology.Spec](t, s.do(t, "GET", intendedPath+"?macs=true", "").want(t, 200))
	if plain.Veths[0].A.MAC != "" || fixed.Veths[0].A.MAC != "02:00:00:00:00:07" || s.world.spec.Veths[0].A.MAC != "" {
		t.Errorf("%+v %+v", plain, fixed)
	}
	if y := s.do(t, "GET", intendedPath+"?macs=true", "", "Accept: application/yaml").want(t, 200); !strings.Contains(y.text, `mac: "02:00:00:00:00:07"`) {
		t.Error(y.text)
	}
}

func TestIfMatch(t *testing.T) {
	s := serve(t, nil)
	revision := func() string { return `"` + strconv.FormatInt(s.world.revision, 10) + `"` }
	n := 0
	put := func(tag string) answer {
		n++
		return s.do(t, "PUT", intendedPath, `{"name":"`+strconv.Itoa(n)+`"}`, "If-Match: "+tag)
	}
	put("*").want(t, 200)
	put(revision()).want(t, 200)
	put(`"99", `+revision()+` , "x,y"`).want(t, 200)
	put(`,,`+revision()+`,`).want(t, 200)
	stay := s.world.revision
	for _, tag := range []string{`"99"`, `W/` + revision(), `"0"`, `"1", "2"`, `"abc"`, `""`, `"99", W/` + revision(), `"a,` + strconv.FormatInt(stay, 10) + `"`, `" ` + strconv.FormatInt(stay, 10) + `"`} {
		a := put(tag)
		if strings.Contains(tag, " "+strconv.FormatInt(stay, 10)) {
			a.problem(t, topology.CodeMalformed) // a space cannot be in a tag
			continue
		}
		p := a.problem(t, topology.CodePrecondition)
		if got := a.Header.Values("Etag"); !slices.Equal(got, []string{revision()}) || p.Hint == "" {
			t.Errorf("%s: ETag %q, %+v", tag, got, p)
		}
	}
	for _, tag := range []string{`4`, `"4`, `4"`, `"1" "2"`, `"1";`, `*, "1"`, `w/"4"`, `W/4`, `'4'`} {
		if p := put(tag).problem(t, topology.CodeMalformed); len(p.Errors) != 1 || p.Errors[0].Parameter != "If-Match" {
			t.Errorf("%s: %+v", tag, p)
		}
	}
	if s.world.revision != stay {
		t.Errorf("revision %d, was %d", s.world.revision, stay)
	}
	// What another edit changes between the check and the edit is lab's to see.
	s.handler.Lab = late{s.world}
	a := put(revision())
	a.problem(t, topology.CodePrecondition)
	if got := a.Header.Get("Etag"); got != revision() || s.world.revision != stay+1 {
		t.Errorf("ETag %s at %d", got, s.world.revision)
	}
}

func TestPutRefused(t *testing.T) {
	s := serve(t, nil, func(h *Handler) { h.limits.document = 2 << 20 })
	was := s.world.revision
	bad := "namespaces:\n- name: A\n  colour: red\n- name: A\nveths:\n- a: {namespace: A, name: x}\n  b: {namespace: Z, name: y}\n"
	p := s.do(t, "PUT", intendedPath, bad, "Content-Type: application/yaml").problem(t, topology.CodeInvalid)
	want := []ProblemField{
		{Pointer: "/namespaces/0/colour", Line: 3, Column: 3},
		{Pointer: "/namespaces/1/name", Line: 4, Column: 9},
		{Pointer: "/veths/0/b/namespace", Line: 7, Column: 18},
	}
	for i := range p.Errors {
		p.Errors[i].Detail = ""
	}
	if !slices.Equal(p.Errors, want) {
		t.Errorf("%+v", p.Errors)
	}
	for _, c := range []struct {
		body, media string
		code        topology.Code
		hint        bool
	}{
		{"", "application/yaml", topology.CodeMalformed, true},
		{"# nothing\n", "application/yaml", topology.CodeMalformed, true},
		{"a: [\n", "application/yaml", topology.CodeMalformed, false},
		{`{"name":`, "application/json", topology.CodeMalformed, false},
		{"name: x\n", "application/json", topology.CodeMalformed, true},
		{`{"colour": 1}`, "application/json", topology.CodeInvalid, false},
		{"name=x", "application/yaml", topology.CodeInvalid, false},
		{twoHosts, "text/plain", codeMediaType, true},
		{twoHosts, "application/x-www-form-urlencoded", codeMediaType, true},
		{twoHosts, "multipart/form-data", codeMediaType, true},
		{twoHosts, "text/yaml; charset", codeMediaType, true},
		{twoHosts, "", codeMediaType, false},
		{`{"name": "` + strings.Repeat("x", 3<<20) + `"}`, "application/json", topology.CodeTooLarge, false},
	} {
		p := s.do(t, "PUT", intendedPath, c.body, "Content-Type: "+c.media).problem(t, c.code)
		if c.hint != (p.Hint != "") {
			t.Errorf("%.20q as %s: hint %q", c.body, c.media, p.Hint)
		}
		if c.code == topology.CodeMalformed && c.body != "" && !c.hint && (len(p.Errors) != 1 || p.Errors[0].Line == 0) {
			t.Errorf("%.20q: %+v", c.body, p.Errors)
		}
	}
	// More than other bodies may have, and YAML only here.
	s.do(t, "PUT", intendedPath, `{"name": "lab"`+strings.Repeat(" ", 1<<20)+`}`).want(t, 200)
	s.do(t, "POST", "/api/v1/namespaces", `{"name": "A"`+strings.Repeat(" ", 1<<20)+`}`).problem(t, topology.CodeTooLarge)
	s.do(t, "POST", "/api/v1/namespaces", "name: A", "Content-Type: application/yaml").problem(t, codeMediaType)
	s.do(t, "POST", intendedPath, twoHosts, "Content-Type: application/yaml").problem(t, codeMethodNotAllowed)
	s.do(t, "PUT", intendedPath+"?dryrun=true", `{}`).problem(t, topology.CodeInvalid)
	if s.world.revision != was+1 {
		t.Errorf("revision %d", s.world.revision)
	}
	// What only the kernel can say is placed in the document, too.
	for subject, want := range map[string]ProblemField{
		"B": {Pointer: "/namespaces/1/name", Line: 2, Column: 32}, "A/eth0": {Pointer: "/veths/0/a/name", Line: 4, Column: 27}, "nowhere": {},
	} {
		s.world.editErr = topology.Errorf(topology.CodeConflict, subject, "it is there").WithHint("adopt it")
		p := s.do(t, "PUT", intendedPath, twoHosts, "Content-Type: application/yaml").problem(t, topology.CodeConflict)
		if want.Line == 0 && len(p.Errors) == 0 {
			continue
		}
		if want.Detail = "it is there"; p.Hint == "" || len(p.Errors) != 1 || p.Errors[0] != want {
			t.Errorf("%s: %+v", subject, p)
		}
	}
}

// late is a lab in which another edit is always a moment earlier.
type late struct{ *world }

func (l late) Edit(ctx context.Context, r lab.Request, change func(*topology.Spec) error) (*lab.Result, error) {
	l.world.revision++
	return l.world.Edit(ctx, r, change)
}

func TestSchemaIsServed(t *testing.T) {
	s := serve(t, nil)
	a := s.do(t, http.MethodGet, "/api/v1/topology/schema", "").want(t, 200)
	if got := a.Header.Get("Content-Type"); got != mediaSchema {
		t.Errorf("type %s", got)
	}
	s.do(t, http.MethodGet, "/api/v1/topology/schema", "", "If-None-Match: "+a.Header.Get("Etag")).want(t, 304)
}
