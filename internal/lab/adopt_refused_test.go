package lab_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// refusals are made in one machine, where A is managed and the rest is foreign:
// B is plugged into br0 of the host, C and D have a cable between them, E has one
// to a namespace nobody can see.
const refusalScript = `ip netns add B && ip netns add C && ip netns add D && ip netns add E
	ip link add br0 type bridge && ip link add p1 type veth peer name eth0 netns B && ip link set p1 master br0
	ip link add vx0 type vxlan id 7 dstport 4789
	ip -n C link add eth0 type veth peer name eth0 netns D
	ip -n C link add x0 type veth peer name x1
	ip netns add gone && ip -n E link add eth0 type veth peer name eth0 netns gone
	ip netns exec gone sleep 1000 >/dev/null 2>&1 & echo $! >PIDFILE
	sleep 0.2; umount /run/netns/gone && rm /run/netns/gone
	ip link add y0 type veth peer name y1`

func TestRefusedAdoptions(t *testing.T) {
	nettest.NoLeaks(t)
	pid := filepath.Join(t.TempDir(), "pid")
	foreign(t, strings.ReplaceAll(refusalScript, "PIDFILE", pid))
	t.Cleanup(func() { nettest.Shell(t, "kill $(cat "+pid+")") })
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, func(s *topology.Spec) error {
		s.Namespaces = []topology.Namespace{{Name: "A"}}
		return s.AddVeth(topology.Veth{A: topology.End{Namespace: "A", Name: "eth0"}, B: topology.End{Namespace: "host", Name: "z1"}})
	})
	nettest.Shell(t, "ip link delete z1; ip link set y1 name z1") // takes the name of one that is intended
	kernel, spec := settled(t), intended(t, m)
	operations, err := m.Operations(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		subjects   string
		code       topology.Code
		says, hint string
	}{
		{"nope", topology.CodeNotFound, "there is no namespace nope", "ip netns attach"},
		{"B/nope", topology.CodeNotFound, "there is no link nope in B", ""},
		{"host", topology.CodeInvalid, "the host cannot be adopted", "host/br0"},
		{"B/lo", topology.CodeInvalid, "adopted with its namespace", ""},
		{"B/", topology.CodeInvalid, "a subject is a namespace or a link", ""},
		{"B;B 10.0.0.0/8", topology.CodeInvalid, "/subjects/1 a subject is", ""},
		{"host/vx0", topology.CodeInvalid, "of kind vxlan", ""},
		{"B", topology.CodeNotManaged, "host/p1 is a port of host/br0, which is not managed", `{"subjects": ["B", "host/br0"]}`},
		{"host/p1", topology.CodeNotManaged, "B/eth0 is in B, which is not managed", `{"subjects": ["host/p1", "host/br0", "B"]}`},
		{"C", topology.CodeNotManaged, "D/eth0 is in D", `{"subjects": ["C", "D"]}`},
		{"C/x0", topology.CodeNotManaged, "is in C, which is not managed", `{"subjects": ["C/x0", "C"]}`},
		{"E;E/eth0", topology.CodeInvalid, "it has no name it could be managed by; give it one under /run/netns: ip netns attach NAME", ""},
		{"host/y0", topology.CodeInvalid, "its other end host/z1 has the name of another intended link", ""},
		{"host/z1", topology.CodeConflict, "host/z1 has the name of an intended link, and is another", "release the intended one"},
		{"nope;host/vx0;C", topology.CodeNotFound, "/subjects/1 host/vx0 cannot be adopted", "ip netns attach"},
	} {
		for _, dry := range []bool{true, false} {
			_, err := m.Adopt(t.Context(), lab.Request{DryRun: dry}, strings.Split(c.subjects, ";"), &topology.Adoption{})
			e, _ := errors.AsType[*topology.Error](err)
			if topology.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || !strings.Contains(e.Hint, c.hint) || c.hint == "" && e.Hint != "" {
				t.Errorf("adopt %s: code %s, %v\nhint %q", c.subjects, topology.CodeOf(err), err, e.Hint)
			}
		}
	}
	for _, c := range []struct {
		subject string
		code    topology.Code
	}{
		{"nope", topology.CodeNotFound},
		{"A/nope", topology.CodeNotFound},
		{"host", topology.CodeInvalid},
		{"A/lo", topology.CodeInvalid},
		{"A default", topology.CodeInvalid},
	} {
		if _, err := m.Release(t.Context(), lab.Request{}, []string{"A", c.subject}, &topology.Adoption{}); topology.CodeOf(err) != c.code || !strings.Contains(err.Error(), "/subjects/1") {
			t.Errorf("release %s: %v", c.subject, err)
		}
	}
	if _, err := m.Adopt(t.Context(), lab.Request{Revision: new(int64(77))}, []string{"E"}, &topology.Adoption{}); topology.CodeOf(err) != topology.CodePrecondition {
		t.Errorf("at another revision: %v", err)
	}
	if got := everything(t); got != kernel {
		t.Errorf("what was refused has changed\n%s", difference(kernel, got))
	}
	if now, err := m.Operations(t.Context(), 0, 100); err != nil || len(now) != len(operations) || intended(t, m) != spec {
		t.Errorf("what was refused was done: %v, %v, %s", now, err, intended(t, m))
	}
	// What a Spec cannot hold is in nobody's way unless it is asked for itself.
	taken := m.adopt(t, "E", "C", "D", "A")
	checkWarnings(t, taken.Warnings, []string{"cannot be managed: it has no name it could be managed by; give it one under /run/netns: ip netns attach NAME", "A is managed already"})
	if !slices.Contains(taken.Subjects, "D/eth0") {
		t.Errorf("took %v", taken.Subjects)
	}
	if noted := m.release(t, "B", "host/vx0"); len(noted.Subjects) > 0 {
		t.Errorf("released %v", noted)
	} else {
		checkWarnings(t, noted.Warnings, []string{"B is not managed", "host/vx0 is not managed"})
	}
	all, _ := m.Intended()
	m.release(t, allOf(all)...)
	nettest.Shell(t, "ip netns delete A")
}

// TestReleaseTakesAlong: what could not stay as it is without the released is
// released too, and the rest stays as it is.
func TestReleaseTakesAlong(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	t.Cleanup(func() { sweep(t) })
	m.edit(t, steps[0].edit)
	m.edit(t, steps[1].edit)
	m.edit(t, func(s *topology.Spec) error {
		// By this address the default route would still find a way out of the Spec's A.
		return s.AddAddress("A", "eth0", "10.1.0.9/16")
	})
	before := settled(t)
	planned, err := m.Release(t.Context(), lab.Request{DryRun: true}, []string{"host/br0"}, &topology.Adoption{})
	if err != nil || len(planned.Plan) > 0 || planned.Operation != nil {
		t.Fatalf("%+v, %v", planned, err)
	}
	taken := m.release(t, "host/br0")
	want := []string{"A default", "A/eth1", "B/eth1", "host/br0", "host/br0 02:00:00:00:00:09", "host/p1", "host/p2"}
	if !slices.Equal(taken.Subjects, want) {
		t.Errorf("released %q, want %q", taken.Subjects, want)
	}
	checkWarnings(t, taken.Warnings, []string{
		"host/p1 is released too: it is a port of host/br0", "host/p2 is released too", "A/eth1 is released too: it is the other end of host/p1",
		"B/eth1 is released too", "A default is released too: it leaves by A/eth1",
	})
	m.faithful(t, topology.Foreign, taken.Subjects)
	if managed, sync := standing(m.live.Snapshot(), "A/eth0"); !managed || sync != topology.InSync {
		t.Errorf("A/eth0 is %s", sync)
	}
	if got := everything(t); got != before {
		t.Errorf("releasing has changed\n%s", difference(before, got))
	}
	// And all the way back.
	back := m.adopt(t, "host/br0", "host/p1", "host/p2")
	if got := slices.Sorted(slices.Values(back.Subjects)); !slices.Equal(got, want) {
		t.Errorf("adopted %q, want %q", got, want)
	}
	m.faithful(t, topology.InSync, want)
	if got := everything(t); got != before {
		t.Errorf("adopting has changed\n%s", difference(before, got))
	}
}

// TestReleaseShowsTheOtherEnd: a cable into a namespace of which nothing else was
// managed is foreign at both ends.
func TestReleaseShowsTheOtherEnd(t *testing.T) {
	foreign(t, "ip netns add box; ip link add p1 type veth peer name eth0 netns box")
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	before := settled(t)
	taken := m.adopt(t, "box")
	m.faithful(t, topology.InSync, taken.Subjects)
	m.released(t, before, taken.Subjects)
}

// TestAdoptRenamed: a managed link that somebody has renamed is managed still, and
// can be released by the name it has.
func TestAdoptRenamed(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	t.Cleanup(func() { sweep(t) })
	m.edit(t, steps[0].edit)
	nettest.Shell(t, "ip -n A link set eth0 down; ip -n A link set eth0 name wan; ip -n A link set wan up")
	before := settled(t)
	for _, subject := range []string{"A", "A/wan"} {
		if taken := m.adopt(t, subject); len(taken.Subjects) > 0 || !strings.Contains(taken.Warnings[0].Detail, "is managed already") {
			t.Errorf("adopted %s: %+v", subject, taken)
		}
	}
	if taken := m.release(t, "A/wan"); !slices.Equal(taken.Subjects, []string{"A/eth0", "B/eth0"}) {
		t.Errorf("released %q", taken.Subjects)
	}
	if managed, sync := standing(m.live.Snapshot(), "A/wan"); managed || sync != topology.Foreign {
		t.Errorf("A/wan is %s", sync)
	}
	back := m.adopt(t, "A")
	m.faithful(t, topology.InSync, back.Subjects)
	if !slices.Contains(back.Subjects, "A/wan") {
		t.Errorf("adopted %q", back.Subjects)
	}
	if got := everything(t); got != before {
		t.Errorf("this has changed\n%s", difference(before, got))
	}
}

// TestDeleteAdopted: what was adopted is netdash's to change and to delete.
func TestDeleteAdopted(t *testing.T) {
	empty := fingerprint(t)
	nettest.NoLeaks(t)
	foreign(t, adoptions[0].script)
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.adopt(t, adoptions[0].subjects...)
	m.edit(t, func(s *topology.Spec) error {
		_, _, err := s.PatchLink("B", "eth0", topology.LinkPatch{Name: new("wan"), MTU: new(1400)})
		return err
	})
	if links := nettest.IP(t, "B", "link", "show", "wan"); len(links) != 1 || links[0]["mtu"] != 1400.0 {
		t.Errorf("B/wan is %v", links)
	}
	m.edit(t, func(s *topology.Spec) error { return s.RemoveNamespace("B") })
	m.edit(t, func(s *topology.Spec) error { return s.RemoveLink("host", "br0") })
	if got := fingerprint(t); got != empty {
		t.Errorf("left over:\n%s", got)
	}
}
