package api

import (
	"strings"
	"testing"

	"netdash/internal/topology"
)

// TestLab walks through the calls as somebody who builds a small lab does.
func TestLab(t *testing.T) {
	s := serve(t, nil)
	created := s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	if created.Header.Get("Netdash-Operation") != "1" || created.Header.Get("Location") != "/api/v1/namespaces/A" {
		t.Errorf("headers %v", created.Header)
	}
	if n := read[map[string]any](t, created); n["name"] != "A" || n["sync"] != "in_sync" {
		t.Errorf("namespace %v", n)
	}
	if r := s.world.requests[0]; r.Author != "127.0.0.1" || r.Text != "POST /api/v1/namespaces" || r.DryRun {
		t.Errorf("request %+v", r)
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"B","loopback_up":false}`).want(t, 201)
	if up := s.world.spec.Namespaces[1].LoopbackUp; up == nil || *up {
		t.Error("loopback_up lost")
	}
	s.do(t, "PATCH", "/api/v1/namespaces/B/links/lo", `{"admin_up":true}`).want(t, 200)
	if up := s.world.spec.Namespaces[1].LoopbackUp; up == nil || !*up {
		t.Error("lo not brought up")
	}

	bridge := s.do(t, "POST", "/api/v1/bridges", `{"namespace":"host","name":"br0","stp":false,"ageing_seconds":300}`).want(t, 201)
	if b := read[topology.Link](t, bridge); b.Bridge == nil || b.Bridge.AgeingSeconds == nil || *b.Bridge.AgeingSeconds != 300 {
		t.Errorf("bridge %s", bridge.text)
	}
	if got := bridge.Header.Get("Location"); got != "/api/v1/namespaces/host/links/br0" {
		t.Errorf("Location %s", got)
	}
	veth := s.do(t, "POST", "/api/v1/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["192.168.1.1/24"]},"b":{"namespace":"host","name":"p1","master":"br0"}}`).want(t, 201)
	if v := read[map[string]map[string]any](t, veth); v["a"]["name"] != "eth0" || v["b"]["master"] != "br0" {
		t.Errorf("veth %s", veth.text)
	}
	if pairs := read[Items[VethPair]](t, s.do(t, "GET", "/api/v1/veths", "").want(t, 200)); len(pairs.Items) != 1 || pairs.Items[0].B == nil {
		t.Errorf("veths %+v", pairs)
	}
	if bridges := read[Items[map[string]any]](t, s.do(t, "GET", "/api/v1/bridges", "").want(t, 200)); len(bridges.Items) != 1 {
		t.Errorf("bridges %+v", bridges)
	}

	address := s.do(t, "POST", "/api/v1/namespaces/A/links/eth0/addresses", `{"cidr":"FD00::1/64"}`).want(t, 201)
	if got := address.Header.Get("Location"); got != "/api/v1/namespaces/A/links/eth0/addresses/FD00::1%2F64" {
		t.Errorf("Location %s", got)
	}
	s.do(t, "DELETE", "/api/v1/namespaces/A/links/eth0/addresses/fd00::1%2F64", "").want(t, 204)
	left := read[Items[topology.Address]](t, s.do(t, "GET", "/api/v1/namespaces/A/links/eth0/addresses", "").want(t, 200))
	if len(left.Items) != 1 || left.Items[0].CIDR != "192.168.1.1/24" {
		t.Errorf("addresses %+v", left)
	}

	s.do(t, "POST", "/api/v1/namespaces/A/routes", `{"destination":"default","gateway":"192.168.1.254"}`).want(t, 201)
	s.do(t, "DELETE", "/api/v1/namespaces/A/routes?destination=default&gateway=192.168.1.254", "").want(t, 204)
	s.do(t, "POST", "/api/v1/namespaces/A/routes", `{"destination":"10.0.0.0/8","link":"eth0","metric":5}`).want(t, 201)
	s.do(t, "DELETE", "/api/v1/namespaces/A/routes", `{"destination":"10.0.0.0/8"}`).want(t, 204)
	if len(s.world.spec.Routes) != 0 {
		t.Errorf("routes %+v", s.world.spec.Routes)
	}

	fdb := "/api/v1/namespaces/host/bridges/br0/fdb"
	s.do(t, "POST", fdb, `{"mac":"02:00:00:00:00:09","port":"p1"}`).want(t, 201)
	if table := read[Items[topology.FDBEntry]](t, s.do(t, "GET", fdb, "").want(t, 200)); len(table.Items) != 1 || table.Items[0].State != "static" {
		t.Errorf("MAC table %+v", table)
	}
	s.do(t, "DELETE", fdb+"?mac=02:00:00:00:00:09&port=p1", "").want(t, 204)
	if flushed := read[Flushed](t, s.do(t, "POST", fdb+"/flush", "").want(t, 200)); flushed.Flushed != 3 || s.world.flushed[0] != "host/br0" {
		t.Errorf("flushed %+v %v", flushed, s.world.flushed)
	}

	moved := s.do(t, "PATCH", "/api/v1/namespaces/host/links/p1", `{"master":null,"name":"port1"}`).want(t, 200)
	if l := read[topology.Link](t, moved); l.Name != "port1" || l.Master != "" || s.world.spec.Veths[0].B.Master != "" {
		t.Errorf("unplugged %s", moved.text)
	}
	for _, path := range []string{"/neighbours", "/firewall", "/links", "/links/lo", "/routes", ""} {
		s.do(t, "GET", "/api/v1/namespaces/A"+path, "").want(t, 200)
	}
	s.do(t, "DELETE", "/api/v1/namespaces/host/links/br0", "").want(t, 204)
	s.do(t, "DELETE", "/api/v1/namespaces/A", "").want(t, 204)
	s.do(t, "DELETE", "/api/v1/namespaces/4-2B", "").want(t, 204) // by id
	if n := len(s.world.spec.Namespaces) + len(s.world.spec.Veths) + len(s.world.spec.Bridges); n != 0 {
		t.Errorf("%d objects left: %+v", n, s.world.spec)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	s := serve(t, nil)
	for _, path := range []string{"/veths", "/bridges", "/operations", "/namespaces/host/neighbours", "/namespaces/host/routes"} {
		if a := s.do(t, "GET", "/api/v1"+path, "").want(t, 200); strings.TrimSpace(a.text) != `{"items":[]}` {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	const firewall = `{"items":[],"tools":[],"forwarding":{"ipv4":false,"ipv6":false}}`
	if a := s.do(t, "GET", "/api/v1/namespaces/host/firewall", "").want(t, 200); strings.TrimSpace(a.text) != firewall {
		t.Errorf("firewall: %s", a.text)
	}
}

func TestDryRun(t *testing.T) {
	s := serve(t, nil)
	before := s.world.Snapshot()
	a := s.do(t, "POST", "/api/v1/namespaces?dry_run=true", `{"name":"A"}`).want(t, 200)
	plan := read[topology.PlanRecord](t, a)
	if len(plan.Changes) != 1 || plan.Changes[0].Kind != "namespace.create" || plan.Changes[0].Command == "" {
		t.Errorf("plan %+v", plan)
	}
	if a.Header.Get("Netdash-Operation") != "" || !s.world.requests[0].DryRun || s.world.Snapshot().Revision != before.Revision {
		t.Error("a dry run left something behind")
	}
	s.do(t, "DELETE", "/api/v1/namespaces/nope?dry_run=true", "").problem(t, topology.CodeNotFound)
	p := s.do(t, "POST", "/api/v1/namespaces?dry_run=maybe", `{"name":"A"}`).problem(t, topology.CodeInvalid)
	if len(p.Errors) != 1 || p.Errors[0].Parameter != "dry_run" {
		t.Errorf("errors %+v", p.Errors)
	}
}

func TestForeignObjects(t *testing.T) {
	s := serve(t, nil)
	box := namespaceState("box", "4-99", false)
	br := link("box", "br9", "bridge", topology.Foreign)
	br.Addresses = []topology.Address{{CIDR: "10.9.0.1/24", Scope: "global"}}
	box.Links = append(box.Links, br)
	s.world.foreign = []*topology.NamespaceState{box}
	s.world.onHost = []*topology.Link{link("host", "theirs", "bridge", topology.Foreign)}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/veths", `{"a":{"namespace":"A","name":"e0"},"b":{"namespace":"host","name":"e0"}}`).want(t, 201)

	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "/namespaces/box", ""},
		{"DELETE", "/namespaces/4-99", ""},
		{"DELETE", "/namespaces/box/links/br9", ""},
		{"DELETE", "/namespaces/host/links/dummy0", ""},
		{"PATCH", "/namespaces/box/links/br9", `{"admin_up":false}`},
		{"PATCH", "/namespaces/box/links/lo", `{"admin_up":true}`},
		{"POST", "/namespaces/box/links/br9/addresses", `{"cidr":"10.9.0.2/24"}`},
		{"DELETE", "/namespaces/box/links/br9/addresses/10.9.0.1%2F24", ""},
		{"POST", "/namespaces/box/routes", `{"destination":"10.0.0.0/8","link":"br9"}`},
		{"POST", "/namespaces/box/bridges/br9/fdb", `{"mac":"02:00:00:00:00:09","port":"x"}`},
		{"POST", "/namespaces/box/bridges/br9/fdb/flush", ""},
		{"POST", "/bridges", `{"namespace":"box","name":"br1"}`},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"e"},"b":{"namespace":"box","name":"e"}}`},
		{"POST", "/veths", `{"a":{"namespace":"A","name":"e"},"b":{"namespace":"host","name":"e","master":"theirs"}}`},
		{"PATCH", "/namespaces/host/links/e0", `{"master":"theirs"}`},
	} {
		p := s.do(t, c.method, "/api/v1"+c.path, c.body).problem(t, topology.CodeNotManaged)
		if !strings.Contains(p.Hint, "adopt") || p.Subject == "" {
			t.Errorf("%s %s: %+v", c.method, c.path, p)
		}
	}
	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "/namespaces/nope", ""},
		{"GET", "/namespaces/nope/links", ""},
		{"DELETE", "/namespaces/box/links/nope", ""},
		{"DELETE", "/namespaces/A/links/lo/addresses/10.9.0.1%2F24", ""},
		{"DELETE", "/namespaces/A/routes?destination=10.0.0.0/8", ""},
		{"GET", "/namespaces/A/bridges/lo/fdb", ""},
		{"GET", "/operations/99", ""},
		{"POST", "/pings", `{"namespace":"nope","address":"10.0.0.1"}`},
	} {
		s.do(t, c.method, "/api/v1"+c.path, c.body).problem(t, topology.CodeNotFound)
	}
	s.do(t, "DELETE", "/api/v1/namespaces/host", "").problem(t, topology.CodeConflict)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).problem(t, topology.CodeConflict)
	if p := s.do(t, "POST", "/api/v1/namespaces", `{"name":"host"}`).problem(t, topology.CodeInvalid); p.Errors[0].Pointer != "/name" {
		t.Errorf("errors %+v", p.Errors)
	}
	if len(s.world.spec.Namespaces) != 1 || len(s.world.flushed) != 0 {
		t.Errorf("something changed: %+v", s.world.spec)
	}
}

func TestOperations(t *testing.T) {
	s := serve(t, nil)
	for _, name := range []string{"A", "B", "C"} {
		s.do(t, "POST", "/api/v1/namespaces", `{"name":"`+name+`"}`).want(t, 201)
	}
	page := read[Items[topology.Operation]](t, s.do(t, "GET", "/api/v1/operations?limit=2", "").want(t, 200))
	if len(page.Items) != 2 || page.Items[0].ID != 3 {
		t.Errorf("first page %+v", page)
	}
	page = read[Items[topology.Operation]](t, s.do(t, "GET", "/api/v1/operations?before=2", "").want(t, 200))
	if len(page.Items) != 1 || page.Items[0].ID != 1 {
		t.Errorf("second page %+v", page)
	}
	s.do(t, "GET", "/api/v1/operations/2", "").want(t, 200)
	for _, bad := range []string{"?limit=0", "?limit=9999", "?before=-1", "?limit=x", "?page=2"} {
		p := s.do(t, "GET", "/api/v1/operations"+bad, "").problem(t, topology.CodeInvalid)
		if len(p.Errors) != 1 || p.Errors[0].Parameter == "" || p.Errors[0].Pointer != "" {
			t.Errorf("%s: %+v", bad, p.Errors)
		}
	}
}

func TestUndo(t *testing.T) {
	s := serve(t, nil)
	for _, name := range []string{"A", "B"} {
		s.do(t, "POST", "/api/v1/namespaces", `{"name":"`+name+`"}`).want(t, 201)
	}
	dry := read[topology.PlanRecord](t, s.do(t, "POST", "/api/v1/operations/2/undo?dry_run=true", "").want(t, 200))
	if len(dry.Changes) != 1 || s.world.revision != 2 {
		t.Errorf("dry run %+v at revision %d", dry, s.world.revision)
	}
	done := s.do(t, "POST", "/api/v1/operations/2/undo", "").want(t, 200)
	if o := read[topology.Operation](t, done); o.ID != 3 || o.Undoes != 2 || done.Header.Get("Netdash-Operation") != "3" {
		t.Errorf("%s %v", done.text, done.Header)
	}
	if r := s.world.requests[len(s.world.requests)-1]; r.Text != "POST /api/v1/operations/2/undo" || r.Author == "" {
		t.Errorf("request %+v", r)
	}
	p := s.do(t, "POST", "/api/v1/operations/1/undo", "").problem(t, topology.CodeConflict)
	if p.Subject != "A/eth0" || p.Hint == "" || len(p.Errors) != 1 || p.Errors[0].Detail == "" || p.Errors[0].Pointer != "" {
		t.Errorf("%+v", p)
	}
	s.do(t, "POST", "/api/v1/operations/0/undo", "").problem(t, topology.CodeInvalid)
	s.do(t, "POST", "/api/v1/operations/x/undo", "").problem(t, topology.CodeInvalid)
	s.do(t, "GET", "/api/v1/operations/1/undo", "").want(t, 405)
}

func TestTopology(t *testing.T) {
	s := serve(t, nil)
	first := s.do(t, "GET", "/api/v1/topology", "").want(t, 200)
	tag := first.Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) || first.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("headers %v", first.Header)
	}
	same := s.do(t, "GET", "/api/v1/topology", "", "If-None-Match: \"x\", "+tag).want(t, 304)
	if same.text != "" || same.Header.Get("ETag") != tag {
		t.Errorf("304 with %q %v", same.text, same.Header)
	}
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	changed := s.do(t, "GET", "/api/v1/topology", "", "If-None-Match: "+tag).want(t, 200)
	if snapshot := read[map[string]any](t, changed); snapshot["revision"] != 1.0 {
		t.Errorf("topology %s", changed.text)
	}
	if other := serve(t, nil); other.do(t, "GET", "/api/v1/topology", "").Header.Get("ETag") == tag {
		t.Error("another start has the same ETag")
	}
	head := s.do(t, "HEAD", "/api/v1/topology", "").want(t, 200)
	if head.text != "" || head.Header.Get("ETag") == "" {
		t.Errorf("HEAD %q %v", head.text, head.Header)
	}

	s.world.blind = true
	s.do(t, "GET", "/api/v1/topology", "").problem(t, topology.CodeIncomplete)
	s.do(t, "GET", "/api/v1/namespaces", "").problem(t, topology.CodeIncomplete)
}

func TestIntended(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/bridges", `{"namespace":"A","name":"br0","mac":"02:00:00:00:00:01"}`).want(t, 201)
	asJSON := s.do(t, "GET", "/api/v1/topology/intended", "").want(t, 200)
	if spec := read[topology.Spec](t, asJSON); len(spec.Namespaces) != 1 || len(spec.Bridges) != 1 || asJSON.Header.Get("ETag") != `"2"` {
		t.Errorf("%s %v", asJSON.text, asJSON.Header)
	}
	asYAML := s.do(t, "GET", "/api/v1/topology/intended", "", "Accept: application/yaml").want(t, 200)
	if want := "namespaces:\n  - name: A\nbridges:\n  - {namespace: A, name: br0, mac: \"02:00:00:00:00:01\"}\n"; asYAML.text != want {
		t.Errorf("YAML:\n%s", asYAML.text)
	}
	if got := asYAML.Header.Get("Content-Type"); got != "application/yaml" {
		t.Errorf("type %s", got)
	}
	s.do(t, "GET", "/api/v1/topology/intended", "", `If-None-Match: "2"`).want(t, 304)
}

func TestCapabilities(t *testing.T) {
	s := serve(t, nil)
	c := read[topology.Capabilities](t, s.do(t, "GET", "/api/v1/capabilities", "").want(t, 200))
	if c.Version != "test" || c.Limits["body_bytes"] != 1<<20 || c.Limits["ports"] != 1023 {
		t.Errorf("%+v", c)
	}
}
