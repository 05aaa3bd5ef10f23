package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"netdash/internal/topology"
)

// request is one for the API.
type request struct {
	kind, method, path, body string
	headers                  []string
	statuses                 []int // that are right; nil: what becomes of an edit where others edit too
}

// fair is what an edit may be answered when things change under its feet: it is
// done, what it is about is not there any more or in the way, it cannot be as
// things are, or what it made was gone again at once.
var fair = []int{200, 201, 202, 204, 404, 409, 422, 503}

// send sends a request and judges the answer. It tells whether it was good.
func (s *somebody) send(r request) (answer, bool) {
	ctx, cancel := context.WithTimeout(s.t.Context(), soakPatience)
	defer cancel()
	a, err := s.try(ctx, r.method, r.path, r.body, r.headers...)
	if err != nil {
		s.note(r.kind, "no answer", a.asked)
		s.wrong("%s: %v", a.asked, err)
		s.quit() // while whoever does not answer is still at it
		return a, false
	}
	s.settle(r, a)
	return a, a.status/100 == 2
}

// settle judges an answer and takes note of it.
func (s *somebody) settle(r request, a answer) {
	outcome, why := strconv.Itoa(a.status), ""
	if a.status >= 400 && r.method != http.MethodHead {
		var p problem
		if err := json.Unmarshal(a.body, &p); err != nil || p.Code == "" || p.Detail == "" || p.Status != a.status {
			s.wrong("%s: %d is explained by %s", a.asked, a.status, a.body)
		}
		outcome, why = outcome+" "+p.Code, " ("+p.Subject+": "+p.Detail+")"
	}
	if strings.HasPrefix(r.kind, "refused") && slices.Contains(r.statuses, a.status) {
		outcome = "ok"
	}
	s.note(r.kind, outcome, strings.Join(append([]string{a.asked}, r.headers...), " ")+why)
	if right := r.statuses; right == nil && !slices.Contains(fair, a.status) || right != nil && !slices.Contains(right, a.status) {
		s.wrong("%s (%s): %d %s", a.asked, r.kind, a.status, a.body)
	}
	if !s.rough && strings.Contains(why, "accepted every step") {
		s.wrong("%s (%s) fails though nobody interferes: %s", a.asked, r.kind, a.body)
	}
}

// fetch reads JSON, where that is there to be read.
func (s *somebody) fetch(path string, into any) bool {
	a, ok := s.send(request{kind: "GET", method: http.MethodGet, path: path, statuses: []int{200, 404}})
	if !ok {
		return false
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		s.wrong("%s: %v in %s", a.asked, err, a.body)
		return false
	}
	return true
}

// soakEdits are the requests that change something, made to fit what is intended.
var soakEdits = []struct {
	name  string
	share int
	make  func(s *somebody, spec *topology.Spec) (method, path, body string)
}{
	{"create a namespace", 9, func(s *somebody, _ *topology.Spec) (string, string, string) {
		return "POST", "/namespaces", fmt.Sprintf(`{"name":%q,"loopback_up":%v}`, one(s, ownNames), s.chance(80))
	}},
	{"delete a namespace", 5, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "DELETE", "/namespaces/" + s.place(spec, false), ""
	}},
	{"create a pair", 10, func(s *somebody, spec *topology.Spec) (string, string, string) {
		plugged := `,"master":"br0"` // one end at most: loops are made by others often enough
		if s.chance(50) {
			plugged = fmt.Sprintf(`,"addresses":[%q]`, s.cidr())
		}
		return "POST", "/veths", fmt.Sprintf(`{"a":{"namespace":%q,"name":%q,"addresses":[%q]},"b":{"namespace":%q,"name":%q%s}}`,
			s.place(spec, true), one(s, linkNames), s.cidr(), s.place(spec, true), one(s, linkNames), plugged)
	}},
	{"create a bridge", 6, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "POST", "/bridges", fmt.Sprintf(`{"namespace":%q,"name":%q,"addresses":[%q],"stp":%v}`,
			s.place(spec, true), one(s, []string{"br0", "br0", "br1"}), s.cidr(), s.chance(20))
	}},
	{"delete a link", 4, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "DELETE", s.link(spec), ""
	}},
	{"rename", 4, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "PATCH", s.link(spec), fmt.Sprintf(`{"name":%q}`, one(s, linkNames))
	}},
	{"move", 5, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "PATCH", s.link(spec), fmt.Sprintf(`{"namespace":%q}`, s.place(spec, true))
	}},
	{"flap", 6, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "PATCH", s.link(spec), fmt.Sprintf(`{"admin_up":%v}`, s.chance(50))
	}},
	{"set a link", 4, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "PATCH", s.link(spec), fmt.Sprintf(`{"mtu":%d,"alias":"by HTTP","mac":%q}`, 1280+s.IntN(300), s.mac())
	}},
	{"plug", 4, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "PATCH", s.link(spec), one(s, []string{`{"master":"br0"}`, `{"master":"br1"}`, `{"master":null}`, `{"master":"br0","bridge_port":{"isolated":true,"cost":7}}`})
	}},
	{"add an address", 5, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "POST", s.link(spec) + "/addresses", fmt.Sprintf(`{"cidr":%q}`, s.cidr())
	}},
	{"delete an address", 3, func(s *somebody, spec *topology.Spec) (string, string, string) {
		for _, v := range spec.Veths {
			if len(v.A.Addresses) > 0 && s.chance(40) {
				return "DELETE", fmt.Sprintf("/namespaces/%s/links/%s/addresses/%s", v.A.Namespace, v.A.Name, url.PathEscape(v.A.Addresses[0])), ""
			}
		}
		return "DELETE", s.link(spec) + "/addresses/" + url.PathEscape(s.cidr()), ""
	}},
	{"add a route", 5, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "POST", "/namespaces/" + s.place(spec, true) + "/routes", fmt.Sprintf(`{"destination":"10.%d.0.0/16","gateway":"10.%d.0.%d"}`, 60+s.IntN(3), 50+s.IntN(3), 201+s.IntN(5))
	}},
	{"delete a route", 2, func(s *somebody, spec *topology.Spec) (string, string, string) {
		if len(spec.Routes) > 0 {
			r := one(s, spec.Routes)
			return "DELETE", "/namespaces/" + r.Namespace + "/routes?destination=" + url.QueryEscape(r.Destination), ""
		}
		return "DELETE", "/namespaces/n0/routes?destination=default", ""
	}},
	{"add to a MAC table", 4, func(s *somebody, spec *topology.Spec) (string, string, string) {
		for _, v := range spec.Veths {
			if v.B.Master != "" && s.chance(50) {
				return "POST", fmt.Sprintf("/namespaces/%s/bridges/%s/fdb", v.B.Namespace, v.B.Master), fmt.Sprintf(`{"mac":%q,"port":%q}`, s.mac(), v.B.Name)
			}
		}
		return "POST", "/namespaces/" + s.place(spec, true) + "/bridges/br0/fdb", fmt.Sprintf(`{"mac":%q,"port":%q}`, s.mac(), one(s, linkNames))
	}},
	{"delete from a MAC table", 3, func(s *somebody, spec *topology.Spec) (string, string, string) {
		for _, b := range spec.Bridges {
			if len(b.FDB) > 0 {
				return "DELETE", fmt.Sprintf("/namespaces/%s/bridges/%s/fdb?mac=%s", b.Namespace, b.Name, b.FDB[0].MAC), ""
			}
		}
		return "DELETE", "/namespaces/host/bridges/br0/fdb?mac=" + s.mac(), ""
	}},
	{"undo", 7, func(s *somebody, _ *topology.Spec) (string, string, string) {
		var list items[topology.Operation]
		id := int64(1)
		if s.fetch("/operations?limit=15", &list) && len(list.Items) > 0 {
			id = one(s, list.Items).ID
		}
		return "POST", fmt.Sprintf("/operations/%d/undo", id), ""
	}},
	{"reconcile", 6, func(s *somebody, spec *topology.Spec) (string, string, string) {
		if s.chance(50) {
			return "POST", "/topology/reconcile", fmt.Sprintf(`{"subjects":[%q]}`, s.place(spec, true))
		}
		return "POST", "/topology/reconcile", ""
	}},
	{"adopt", 4, func(s *somebody, _ *topology.Spec) (string, string, string) {
		return "POST", "/topology/adopt", fmt.Sprintf(`{"subjects":[%q]}`, one(s, append([]string{"host/br1", "n0/e0"}, foreignNames...)))
	}},
	{"release", 1, func(s *somebody, spec *topology.Spec) (string, string, string) {
		return "POST", "/topology/release", fmt.Sprintf(`{"subjects":[%q]}`, s.place(spec, false))
	}},
	{"put a star", 1, func(s *somebody, _ *topology.Spec) (string, string, string) {
		return "PUT", "/topology/intended", starDocument(12 + s.IntN(24))
	}},
	{"put one of everything", 1, func(*somebody, *topology.Spec) (string, string, string) {
		return "PUT", "/topology/intended", furnished
	}},
}

// place names an intended namespace, sometimes the host, sometimes any.
func (s *somebody) place(spec *topology.Spec, orHost bool) string {
	switch {
	case orHost && s.chance(25):
		return topology.HostName
	case len(spec.Namespaces) > 0 && s.chance(90):
		return one(s, spec.Namespaces).Name
	}
	return one(s, ownNames)
}

// link is the path of an intended link, sometimes of any.
func (s *somebody) link(spec *topology.Spec) string {
	namespace, name := one(s, ownNames), one(s, linkNames)
	switch n := len(spec.Veths) + len(spec.Bridges); {
	case n == 0 || s.chance(10):
	case s.IntN(n) < len(spec.Veths):
		v := one(s, spec.Veths)
		end := one(s, []topology.End{v.A, v.B})
		namespace, name = end.Namespace, end.Name
	default:
		b := one(s, spec.Bridges)
		namespace, name = b.Namespace, b.Name
	}
	return "/namespaces/" + namespace + "/links/" + name
}

// edit makes one edit, in one of the ways it can be asked for.
func (s *somebody) edit() {
	var spec topology.Spec
	if !s.fetch("/topology/intended", &spec) {
		return
	}
	total := 0
	for _, e := range soakEdits {
		total += e.share
	}
	at := s.IntN(total)
	for _, e := range soakEdits {
		if at -= e.share; at >= 0 {
			continue
		}
		r := request{kind: e.name}
		r.method, r.path, r.body = e.make(s, &spec)
		if r.body != "" && r.body[0] == '\n' {
			r.headers = append(r.headers, "Content-Type: application/yaml")
		}
		s.ask(r)
		return
	}
}

// ask sends an edit as it is, as a dry run, twice at once with one key, without
// waiting for its end, or gives up on it.
func (s *somebody) ask(r request) {
	switch way := s.IntN(100); {
	case way < 10:
		mark := "?"
		if strings.Contains(r.path, "?") {
			mark = "&"
		}
		r.path += mark + "dry_run=true"
		s.send(r)
	case way < 18:
		r.headers = append(r.headers, fmt.Sprintf("Idempotency-Key: %s-%d", strings.ReplaceAll(s.name, " ", "-"), s.Uint64()))
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { s.send(r) })
		}
		both.Wait()
	case way < 24:
		r.headers = append(r.headers, "Prefer: respond-async")
		if a, ok := s.send(r); ok && a.status == http.StatusAccepted && s.chance(50) {
			s.send(request{kind: "cancel", method: "POST", path: "/operations/" + a.header.Get("Netdash-Operation") + "/cancel", statuses: []int{202, 404, 409}})
		}
	case way < 28:
		s.giveUp(r)
	default:
		s.send(r)
	}
}

// giveUp goes away before the answer, most often.
func (s *somebody) giveUp(r request) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(s.IntN(8000))*time.Microsecond)
	defer cancel()
	if a, err := s.try(ctx, r.method, r.path, r.body, r.headers...); err == nil {
		s.settle(r, a)
	} else {
		s.note("give up", "ok", a.asked)
	}
}

// read gets whatever there is to be read.
func (s *somebody) read() {
	s.wait(30 * time.Millisecond)
	snapshot, ok := s.snapshot()
	if !ok {
		return
	}
	x := s.look(snapshot)
	kind := one(s, []string{
		"/namespaces", "/namespaces/N", "/namespaces/N/links", "/namespaces/N/links/L", "/namespaces/N/links/L/addresses",
		"/namespaces/N/routes", "/namespaces/N/neighbours", "/namespaces/N/firewall", "/namespaces/N/bridges/br0/fdb", "/veths", "/bridges",
		"/topology/drift", "/topology/intended?macs=true", "/topology/schema", "/operations", "/operations?limit=500", "/operations/17", "/settings", "/capabilities",
		"/topology/export?format=yaml", "/topology/export?format=sh", "/topology/export?format=dot", "/topology/export?format=mermaid", "/topology/export?format=containerlab",
		"/openapi.json", "//healthz", "//readyz", "//metrics", "//", "//docs", "//static/js/main.js",
	})
	path := strings.NewReplacer("/N", "/"+x.namespace, "/L", "/"+x.name).Replace(kind)
	r := request{kind: "GET " + kind, method: one(s, []string{http.MethodGet, http.MethodGet, http.MethodGet, http.MethodHead}), path: path, statuses: []int{200, 404, 409, 503}} // 409: of a namespace that is half deleted
	if s.chance(30) {
		r.headers = []string{"Accept-Encoding: gzip"}
	}
	s.send(r)
	if s.chance(5) {
		s.send(request{
			kind: "settings", method: "PATCH", path: "/settings", statuses: []int{200},
			body: one(s, []string{`{"repair":"auto"}`, `{"repair":"manual"}`, `{"history":50}`, `{"history":500}`}),
		})
	}
	if s.chance(20) {
		s.send(request{kind: "flush", method: "POST", path: "/namespaces/" + x.namespace + "/bridges/br0/fdb/flush", statuses: []int{200, 404, 409, 503}})
	}
}

// pingAround pings, sometimes reply by reply, and sometimes leaves in between.
func (s *somebody) pingAround() {
	snapshot, ok := s.snapshot()
	if !ok {
		return
	}
	r := request{kind: "ping", method: "POST", path: "/pings", statuses: []int{200, 404, 409, 422, 503}}
	from := s.look(snapshot).namespace
	goal := fmt.Sprintf(`"address":"10.%d.0.%d"`, 50+s.IntN(3), 1+s.IntN(200))
	if s.chance(60) {
		goal = fmt.Sprintf(`"to_namespace":%q`, s.look(snapshot).namespace)
	}
	r.body = fmt.Sprintf(`{"namespace":%q,%s,"count":%d,"interval_ms":10,"timeout_ms":200}`, from, goal, 1+s.IntN(4))
	if s.chance(30) {
		r.headers = []string{"Accept: application/x-ndjson"}
	}
	if s.chance(20) {
		s.giveUp(r)
		return
	}
	s.send(r)
}

// nuisances are requests that are refused, each with the status it deserves.
var nuisances = []request{
	{"malformed", "POST", "/namespaces", `{`, nil, []int{400}},
	{"unknown field", "POST", "/namespaces", `{"nam":"x"}`, nil, []int{422}},
	{"bad name", "POST", "/namespaces", `{"name":"a b"}`, nil, []int{422}},
	{"reserved name", "POST", "/namespaces", `{"name":"host"}`, nil, []int{409, 422}},
	{"bad address", "POST", "/veths", `{"a":{"namespace":"n0","name":"e0","addresses":["10.0.0.300/24"]},"b":{"namespace":"n1","name":"e0"}}`, nil, []int{409, 422}}, // n0 may be somebody else's
	{"long name", "POST", "/bridges", `{"namespace":"host","name":"sixteen-bytes-it"}`, nil, []int{422}},
	{"wrong media", "POST", "/namespaces", `{"name":"x"}`, []string{"Content-Type: text/plain"}, []int{415}},
	{"too large", "POST", "/namespaces", strings.Repeat(" ", 1<<20) + `{"name":"x"}`, nil, []int{413}},
	{"not there", "DELETE", "/namespaces/nobody", "", nil, []int{404}},
	{"no such path", "GET", "/nothing", "", nil, []int{404}},
	{"no such method", "POST", "/topology", `{}`, nil, []int{405}},
	{"old revision", "PUT", "/topology/intended", `{}`, []string{`If-Match: "1"`}, []int{412}},
	{"bad document", "PUT", "/topology/intended", "bridges: [\n", []string{"Content-Type: application/yaml"}, []int{400}},
	{"double", "PUT", "/topology/intended", `{"namespaces":[{"name":"A"},{"name":"A"}]}`, nil, []int{422}},
	{"bad setting", "PATCH", "/settings", `{"repair":"never"}`, nil, []int{422}},
	{"bad format", "GET", "/topology/export?format=word", "", nil, []int{422}},
	{"other origin", "POST", "/namespaces", `{"name":"x"}`, []string{"Origin: http://evil.example"}, []int{403}},
	{"other host", "GET", "/topology", "", []string{"Host: evil.example"}, []int{403}},
	{"ping nobody", "POST", "/pings", `{"namespace":"nobody","address":"10.0.0.1"}`, nil, []int{404}},
	{"bad number", "GET", "/events?since=x", "", nil, []int{400}},
	{"no websocket", "GET", "/events", "", nil, []int{426}},
	{"nothing to cancel", "POST", "/operations/9999999/cancel", "", nil, []int{404}},
	{"bad key", "POST", "/namespaces", `{"name":"n0"}`, []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, []int{400, 422}},
}

// annoy sends what has to be refused.
func (s *somebody) annoy() {
	r := one(s, nuisances)
	r.kind = "refused: " + r.kind
	s.send(r)
	s.wait(50 * time.Millisecond)
}
