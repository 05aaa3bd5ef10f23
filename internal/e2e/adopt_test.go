package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestAdoptAndRelease: what somebody else has made becomes netdash's at once, for
// readers and for those who listen, and survives a restart as such; and back.
func TestAdoptAndRelease(t *testing.T) {
	s := start(t)
	furnish(t, s)
	nettest.Shell(t, "ip -n F link set fbr alias 'of somebody'")
	before := calmWorld(t)
	intended := string(s.do(t, "GET", "/topology/intended", "").want(t, 200).body)
	const subjects = `{"subjects":["F","host/fb"]}`
	e := s.listen(t, "")
	e.snapshot(t)

	planned := s.do(t, "POST", "/topology/adopt?dry_run=true", subjects).want(t, 200)
	if id := planned.header.Get("Netdash-Operation"); id != "" || !strings.HasPrefix(string(planned.body), `{"changes":[],`) {
		t.Errorf("dry run: operation %q, %s", id, planned.body)
	}
	s.sync(t, "F", topology.Foreign)

	from := len(e.all())
	a := s.do(t, "POST", "/topology/adopt", subjects).want(t, 200)
	taken := read[topology.Adoption](t, a)
	want := []string{"F", "F 10.8.0.0/16", "F default", "F/fbr", "F/fbr 02:00:00:00:00:0f", "F/x0", "F/x1", "host/fb"}
	if got := slices.Sorted(slices.Values(taken.Subjects)); !slices.Equal(got, want) || !slices.Equal(read[topology.Adoption](t, planned).Subjects, taken.Subjects) {
		t.Errorf("took %q, planned %s", got, planned.body)
	}
	s.sync(t, "F", topology.InSync)
	id := a.header.Get("Netdash-Operation")
	for _, link := range []string{"F/x0", "F/x1", "F/fbr", "F/lo", "host/fb"} {
		e.await(t, from, link, func(m message) bool {
			return m.Type == "link.changed" && m.Link.Namespace+"/"+m.Link.Name == link && m.Link.Managed && m.Link.Sync == topology.InSync && m.Origin == "operation:"+id
		})
	}
	e.await(t, from, "F", func(m message) bool {
		return m.Type == "namespace.changed" && m.Namespace.Name == "F" && m.Namespace.Managed
	})
	e.await(t, from, "operation.committed", func(m message) bool { return m.Type == "operation.committed" && fmt.Sprint(m.Operation.ID) == id })
	op := get[topology.Operation](t, s, "/operations/"+id)
	if op.State != topology.OperationCommitted || len(op.Changes) > 0 || op.Request != "POST /api/v1/topology/adopt F host/fb" {
		t.Errorf("journaled as %+v", op)
	}
	if text := difference(before, calmWorld(t)); text != "" {
		t.Errorf("adopting has changed\n%s", text)
	}
	again := s.do(t, "POST", "/topology/adopt", subjects).want(t, 200)
	if again.header.Get("Netdash-Operation") != "" || len(read[topology.Adoption](t, again).Warnings) != 2 {
		t.Errorf("adopted twice: %s", again.body)
	}

	s.stop(t)
	s = startOn(t, s.DB)
	s.sync(t, "F", topology.InSync)
	s.do(t, "PATCH", "/namespaces/F/links/x0", `{"alias":"of netdash"}`).want(t, 200)
	s.do(t, "PATCH", "/namespaces/F/links/x0", `{"alias":""}`).want(t, 200)

	released := read[topology.Adoption](t, s.do(t, "POST", "/topology/release", subjects).want(t, 200))
	if !slices.Equal(released.Subjects, want) || len(released.Warnings) > 0 {
		t.Errorf("released %+v", released)
	}
	s.sync(t, "F", topology.Foreign)
	s.do(t, "DELETE", "/namespaces/F", "").problem(t, 409, "not_managed")
	if now := string(s.do(t, "GET", "/topology/intended", "").want(t, 200).body); now != intended {
		t.Errorf("intended was\n%s\nand is\n%s", intended, now)
	}
	if text := difference(before, calmWorld(t)); text != "" {
		t.Errorf("releasing has changed\n%s", text)
	}
}

// sync checks how a namespace is shown, and every link, route and static MAC in it.
func (s *server) sync(t *testing.T, namespace string, want topology.Sync) {
	t.Helper()
	snapshot := get[topology.Snapshot](t, s, "/topology")
	n := snapshot.Namespace(namespace)
	got := map[string]topology.Sync{n.Name: n.Sync}
	for _, l := range n.Links {
		got[l.Name] = l.Sync
	}
	for _, r := range n.Routes {
		if r.Protocol != "kernel" {
			got[r.Destination] = r.Sync
		}
	}
	for _, e := range n.FDB {
		if e.State == "static" {
			got[e.MAC] = e.Sync
		}
	}
	for object, sync := range got {
		if sync != want {
			t.Errorf("%s in %s is %s, not %s", object, namespace, sync, want)
		}
	}
	if len(got) < 7 {
		t.Errorf("only %v in %s", got, namespace)
	}
}
