package lab_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// everything is all that ip and bridge say of every namespace: ifindexes, MACs,
// settings, in the kernel's order. Only timers are left out, and what was
// learned from frames.
func everything(t testing.TB) string {
	t.Helper()
	names := append([]string{"host"}, strings.Fields(nettest.Shell(t, "ls /run/netns"))...)
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "namespace %s\n", n)
		for _, query := range [][]string{{"-d", "address"}, {"-4", "-d", "route", "show", "table", "all"}, {"-6", "-d", "route", "show", "table", "all"}, {"rule"}, {"nexthop"}} {
			for _, o := range nettest.IP(t, n, query...) {
				write(t, &b, o)
			}
		}
		for _, o := range nettest.Bridge(t, n, "fdb") {
			if o["state"] == "static" || o["state"] == "permanent" {
				write(t, &b, o)
			}
		}
		for _, o := range nettest.Bridge(t, n, "vlan") {
			write(t, &b, o)
		}
	}
	return b.String()
}

func write(t testing.TB, b *strings.Builder, o any) {
	t.Helper()
	line, err := json.Marshal(steady(o))
	if err != nil {
		t.Fatal(err)
	}
	b.Write(append(line, '\n'))
}

// steady leaves out what runs by itself: timers and lifetimes.
func steady(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if strings.HasSuffix(k, "_timer") || strings.HasSuffix(k, "_life_time") || k == "expires" {
				delete(v, k)
			} else {
				v[k] = steady(x)
			}
		}
	case []any:
		for i := range v {
			v[i] = steady(v[i])
		}
	}
	return v
}

// settled waits until nothing changes by itself any more (duplicate address
// detection) and gives everything.
func settled(t testing.TB) string {
	t.Helper()
	last := ""
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		busy := detecting(t)
		now := everything(t)
		if now == last && !busy {
			return now
		}
		last = now
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("the kernel does not come to rest (addresses are still checked: %v): %s", detecting(t), difference(last, everything(t)))
	return ""
}

// detecting tells whether duplicate address detection is under way, which never
// begins without a carrier, or a carrier has been seen and not acted upon yet
// (linkwatch_schedule_work in net/core/link_watch.c waits for up to a second).
func detecting(t testing.TB) bool {
	t.Helper()
	for _, n := range append([]string{"host"}, strings.Fields(nettest.Shell(t, "ls /run/netns"))...) {
		for _, l := range nettest.IP(t, n, "address") {
			flags := l["flags"].([]any)
			tentative := slices.ContainsFunc(l["addr_info"].([]any), func(a any) bool { return a.(map[string]any)["tentative"] != nil })
			if slices.Contains(flags, any("LOWER_UP")) && (tentative || slices.Contains(flags, any("NO-CARRIER"))) {
				return true
			}
		}
	}
	return false
}

// difference shows the lines two texts do not have in common.
func difference(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	var out []string
	for _, l := range a {
		if !slices.Contains(b, l) {
			out = append(out, "- "+l)
		}
	}
	for _, l := range b {
		if !slices.Contains(a, l) {
			out = append(out, "+ "+l)
		}
	}
	return strings.Join(out, "\n")
}

// foreign runs a script that makes things which are not netdash's, and removes
// all there is when the test ends.
func foreign(t testing.TB, script string) {
	t.Helper()
	nettest.Shell(t, "set -e\n"+script)
	t.Cleanup(func() { sweep(t) })
}

func sweep(t testing.TB) {
	t.Helper()
	nettest.Shell(t, `
		for n in $(ls /run/netns); do ip netns delete $n; done
		for l in $(ip -br link | sed 's/[@ ].*//'); do
			case $l in lo|tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0) ;; *) ip link delete $l 2>/dev/null || true;; esac
		done`)
}

func (m *machine) adopt(t testing.TB, subjects ...string) *topology.Adoption {
	t.Helper()
	taken := &topology.Adoption{}
	r, err := m.Adopt(t.Context(), lab.Request{Author: "test", Text: t.Name()}, subjects, taken)
	if err != nil {
		t.Fatalf("adopt %v: %v\n%+v", subjects, err, err)
	}
	if len(taken.Subjects) > 0 && (r.Operation == nil || len(r.Plan) > 0 || len(r.Operation.Changes) > 0) {
		t.Fatalf("adopt %v: %+v", subjects, r)
	}
	return taken
}

func (m *machine) release(t testing.TB, subjects ...string) *topology.Adoption {
	t.Helper()
	taken := &topology.Adoption{}
	_, err := m.Release(t.Context(), lab.Request{Author: "test", Text: t.Name()}, subjects, taken)
	if err != nil {
		t.Fatalf("release %v: %v", subjects, err)
	}
	return taken
}

// faithful checks that what is intended is what there is, and that each of the
// subjects stands as it should.
func (m *machine) faithful(t testing.TB, sync topology.Sync, subjects []string) {
	t.Helper()
	spec, revision := m.Intended()
	observed := m.live.Snapshot()
	if observed.Revision != revision {
		t.Errorf("shown at revision %d, intended at %d", observed.Revision, revision)
	}
	if d := topology.NewIntent(spec).Differences(observed); len(d) > 0 {
		t.Errorf("differences: %v", d)
	}
	if rest := topology.Drift(spec, observed); len(rest) > 0 {
		t.Errorf("drift: %v", rest.Commands())
	}
	loaded, _, err := m.store.Load(t.Context())
	if err != nil || !topology.Equal(loaded, spec) {
		t.Errorf("stored %+v, intended %+v (%v)", loaded, spec, err)
	}
	for _, s := range subjects {
		if managed, got := standing(observed, s); got != sync || managed != (sync == topology.InSync) {
			t.Errorf("%s is shown as %s (managed: %v), want %s", s, got, managed, sync)
		}
	}
}

// standing finds how a subject is shown.
func standing(s *topology.Snapshot, subject string) (bool, topology.Sync) {
	object, part, hasPart := strings.Cut(subject, " ")
	namespace, name, isLink := strings.Cut(object, "/")
	n := s.Namespace(namespace)
	switch {
	case n == nil:
		return false, "nowhere"
	case !isLink && !hasPart:
		return n.Managed, n.Sync
	case !isLink:
		for _, r := range n.Routes {
			if r.Destination == part || part == "::/0" && r.Destination == "default" && r.Family == "inet6" {
				return r.Managed, r.Sync
			}
		}
	case hasPart:
		for _, e := range n.FDB {
			if e.Bridge == name && e.MAC == part {
				if e.State == "local" && !e.Managed {
					return false, topology.Foreign // has no sync of its own
				}
				return e.Managed, e.Sync
			}
		}
	case n.Link(name) != nil:
		return n.Link(name).Managed, n.Link(name).Sync
	}
	return false, "nowhere"
}

// adoptions are labs of foreign making, what is adopted of them, and what is to
// come of it.
var adoptions = []struct {
	name, script string
	subjects     []string
	taken        []string
	warnings     []string // what each contains
	intended     []string // parts of the Spec's JSON
}{
	{
		name: "a namespace and the bridge it is plugged into",
		script: `ip netns add B
			ip link add br0 type bridge && ip link set br0 up && ip address add 10.1.0.254/24 dev br0
			ip link add p1 type veth peer name eth0 netns B
			ip link set p1 master br0 up && ip -n B link set eth0 up && ip -n B link set lo up
			ip -n B address add 10.1.0.1/24 brd + dev eth0 && ip -n B address add 2001:db8::1/64 dev eth0 nodad
			ip -n B route add default via 10.1.0.254 && ip -n B -6 route add default via 2001:db8::ff
			ip -n B route add 10.7.0.0/16 dev eth0 metric 7`,
		subjects: []string{"B", "host/br0"},
		taken:    []string{"B", "B/eth0", "host/br0", "host/p1", "B default", "B ::/0", "B 10.7.0.0/16"},
		intended: []string{
			`{"name":"B"}`, `{"namespace":"host","name":"br0","addresses":["10.1.0.254/24"]}`,
			`{"namespace":"host","name":"p1","ipv6":true,"master":"br0"}`, `"addresses":["10.1.0.1/24","2001:db8::1/64"]`,
			`{"namespace":"B","destination":"default","gateway":"10.1.0.254"}`, `{"namespace":"B","destination":"::/0","gateway":"2001:db8::ff"}`,
			`{"namespace":"B","destination":"10.7.0.0/16","link":"eth0","metric":7}`,
		},
	},
	{
		name: "everything that can be set",
		script: `ip netns add B && ip netns add C
			ip -n B link set lo up && ip -n B address add 192.0.2.1/32 dev lo
			ip -n B link add br9 address 02:00:00:00:99:00 type bridge stp_state 1 ageing_time 6000 priority 4096 forward_delay 400 mcast_snooping 0
			ip -n B link set br9 mtu 1300 alias 'the switch'
			ip -n B link add p1 mtu 1400 type veth peer name eth0 netns C
			ip -n B link set p1 master br9 && ip -n B link set p1 type bridge_slave hairpin on learning off cost 77 isolated on
			ip -n B link set p1 addrgenmode none up && ip -n B link set br9 up
			ip -n C link set eth0 address 02:00:00:00:00:77 alias 'to br9' addrgenmode none && ip -n C address add 10.0.0.1/30 dev eth0
			bridge -n B fdb add 02:00:00:00:00:09 dev p1 master static
			bridge -n B fdb add 02:00:00:00:00:0a dev br9 self local`,
		subjects: []string{"C", "B"},
		taken:    []string{"C", "B", "C/eth0", "B/p1", "B/br9", "B/br9 02:00:00:00:00:09", "B/br9 02:00:00:00:00:0a"},
		intended: []string{
			`{"name":"C","loopback_up":false}`, `{"name":"B","loopback_addresses":["192.0.2.1/32"]}`,
			`"mac":"02:00:00:00:99:00","mtu":1300,"alias":"the switch"`,
			`"stp":true,"ageing_seconds":60,"forward_delay_seconds":4,"priority":4096,"multicast_snooping":false`,
			`"mtu":1400,"master":"br9","bridge_port":{"cost":77,"hairpin":true,"learning":false,"isolated":true}`,
			`"alias":"to br9","admin_up":false,"ipv6":false,"addresses":["10.0.0.1/30"]`,
		},
	},
	{
		name: "what a Spec cannot hold stays foreign",
		script: `ip netns add B
			ip -n B link add br0 type bridge forward_delay 0 && ip -n B link set br0 up
			ip -n B tuntap add tap0 mode tap && ip -n B link set tap0 master br0
			ip -n B link add ifb9 type ifb && ip -n B link set ifb9 up && ip -n B address add 10.5.0.1/24 dev ifb9
			ip -n B link add veth0 type veth peer name veth1
			ip -n B link set veth0 up && ip -n B link set veth1 up && ip -n B address add 10.0.0.1/24 dev veth0
			ip -n B address add 10.9.0.1/24 dev veth0 valid_lft 1000 preferred_lft 1000
			ip -n B link add bad0 type veth peer name bad1 && ip -n B address add 10.3.0.0/24 dev bad0
			ip -n B link add vx0 type vxlan id 7 dstport 4789 dev veth0
			ip -n B link add link veth0 name mv0 type macvlan
			ip -n B route add 10.50.0.0/16 via 10.5.0.2
			ip -n B route add 10.51.0.0/16 via 10.0.0.2 src 10.0.0.1
			ip -n B route add 10.52.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3
			ip -n B route add 10.53.0.0/16 via 10.0.0.2 mtu 1400
			ip -n B route add blackhole 10.54.0.0/16
			ip -n B route add 10.55.0.0/16 via 192.0.2.9 dev veth0 onlink
			ip -n B route add 10.56.0.0/16 via 10.0.0.2 proto bird
			ip -n B route add 10.57.0.0/16 dev veth0 scope host
			ip -n B route add 10.58.0.0/16 via 10.0.0.2
			bridge -n B fdb add 02:00:00:00:00:09 dev tap0 master static`,
		subjects: []string{"B"},
		taken:    []string{"B", "B/br0", "B/veth0", "B/veth1", "B 10.58.0.0/16"},
		warnings: []string{
			"B/tap0 stays foreign: it is of kind tun", "B/ifb9 stays foreign: it is of kind ifb", "B/vx0 stays foreign", "B/mv0 stays foreign",
			"B/bad0 stays foreign: of the pair a Spec cannot hold bad0: an address is the network itself", "B/bad1 stays foreign: of the pair a Spec cannot hold bad0", "B/br0 its forward_delay_seconds is 0", "B/br0 its ports tap0 stay foreign",
			"B/br0 02:00:00:00:00:09 is not adopted: its port tap0 stays foreign", "B/veth0 10.9.0.1/24 is not adopted: it has a limited lifetime",
			"B 10.50.0.0/16 is not adopted: its link: there is no link ifb9 of netdash in B", "B 10.51.0.0/16 is not adopted: it prefers the source 10.0.0.1",
			"B 10.52.0.0/16 is not adopted: it has several next hops", "B 10.53.0.0/16 is not adopted: a Spec cannot hold all of it (attributes)",
			"B 10.54.0.0/16 is not adopted: it is of type blackhole", "B 10.55.0.0/16 is not adopted: a Spec cannot hold all of it (onlink)",
			"B 10.56.0.0/16 is not adopted: it is kept by who set it (protocol 12)", "B 10.57.0.0/16 is not adopted: its scope is host",
		},
	},
	{
		name: "one pair of the host",
		script: `ip link add v0 type veth peer name v1 && ip link set v0 up
			ip link add v2 type veth peer name v3`,
		subjects: []string{"host/v1"},
		taken:    []string{"host/v1", "host/v0"},
		intended: []string{`"a":{"namespace":"host","name":"v1","admin_up":false}`},
	},
	{
		name: "a port of an MTU without IPv6",
		script: `ip link add br0 type bridge && ip link add v0 mtu 1000 type veth peer name v1 mtu 1000
			ip link set v0 master br0 up && ip link set v1 up && ip link set br0 up`,
		subjects: []string{"host/v1", "host/br0"},
		taken:    []string{"host/br0", "host/v1", "host/v0"},
		intended: []string{`{"namespace":"host","name":"br0"}`, `{"namespace":"host","name":"v0","mtu":1000,"master":"br0"}`},
	},
	{
		name: "a namespace with two names",
		script: `ip netns add C && touch /run/netns/B && mount --bind /run/netns/C /run/netns/B
			ip -n B link add br0 type bridge`,
		subjects: []string{"C"},
		taken:    []string{"B", "B/br0"},
		warnings: []string{"B is also called C"},
	},
	{
		name: "stable privacy is generation as well",
		script: `ip netns add B && ip -n B link add v0 type veth peer name v1
			ip -n B link set v0 addrgenmode random && ip -n B link set v0 up && ip -n B link set v1 up`,
		subjects: []string{"B"},
		taken:    []string{"B", "B/v0", "B/v1"},
	},
}

// TestAdoptions adopts labs and releases them. ip and bridge must not see any
// difference, ever.
func TestAdoptions(t *testing.T) {
	for _, c := range adoptions {
		t.Run(c.name, func(t *testing.T) {
			nettest.NoLeaks(t)
			foreign(t, c.script)
			m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
			before := settled(t)
			planned := m.planned(t, c.subjects)
			taken := m.adopt(t, c.subjects...)
			if !reflect.DeepEqual(planned, taken) {
				t.Errorf("the dry run said %+v, then it was %+v", planned, taken)
			}
			if got, want := slices.Sorted(slices.Values(taken.Subjects)), slices.Sorted(slices.Values(c.taken)); !slices.Equal(got, want) {
				t.Errorf("took %q, want %q", got, want)
			}
			checkWarnings(t, taken.Warnings, c.warnings)
			m.faithful(t, topology.InSync, taken.Subjects)
			document := intended(t, m)
			for _, part := range c.intended {
				if !strings.Contains(document, part) {
					t.Errorf("no %s in %s", part, document)
				}
			}
			if got := everything(t); got != before {
				t.Errorf("adopting has changed\n%s", difference(before, got))
			}
			again := m.adopt(t, c.subjects...)
			if len(again.Subjects) > 0 {
				t.Errorf("adopted twice: %+v", again)
			}
			m.released(t, before, taken.Subjects)
		})
	}
}

// planned is what a dry run says, which does nothing.
func (m *machine) planned(t testing.TB, subjects []string) *topology.Adoption {
	t.Helper()
	was, seq := intended(t, m), m.live.Snapshot().Revision
	planned := &topology.Adoption{}
	r, err := m.Adopt(t.Context(), lab.Request{DryRun: true}, subjects, planned)
	if err != nil || len(r.Plan) > 0 || r.Operation != nil {
		t.Fatalf("dry run: %+v, %v", r, err)
	}
	if intended(t, m) != was || m.live.Snapshot().Revision != seq {
		t.Error("the dry run has adopted")
	}
	return planned
}

// released releases all that is managed and checks that it is foreign, and there.
func (m *machine) released(t testing.TB, before string, taken []string) {
	t.Helper()
	spec, _ := m.Intended()
	released := m.release(t, allOf(spec)...)
	if got, want := slices.Sorted(slices.Values(released.Subjects)), slices.Sorted(slices.Values(taken)); !slices.Equal(got, want) {
		t.Errorf("released %q, had taken %q", got, want)
	}
	if s := intended(t, m); s != "{}" {
		t.Errorf("still intended: %s", s)
	}
	m.faithful(t, topology.Foreign, taken)
	if got := everything(t); got != before {
		t.Errorf("releasing has changed\n%s", difference(before, got))
	}
}

// allOf names everything a Spec has, as subjects.
func allOf(s *topology.Spec) []string {
	var out []string
	for _, n := range s.Namespaces {
		out = append(out, n.Name)
	}
	for _, b := range s.Bridges {
		out = append(out, b.Namespace+"/"+b.Name)
	}
	for _, v := range s.Veths {
		out = append(out, v.A.Namespace+"/"+v.A.Name, v.B.Namespace+"/"+v.B.Name)
	}
	return out
}

func checkWarnings(t testing.TB, got []topology.Warning, want []string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(got, func(g topology.Warning) bool { return strings.Contains(g.Subject+" "+g.Detail, w) }) {
			t.Errorf("no warning %q", w)
		}
	}
	if len(got) > len(want) {
		t.Errorf("%d warnings, want %d", len(got), len(want))
	}
	if t.Failed() {
		for _, g := range got {
			t.Logf("%s: %s", g.Subject, g.Detail)
		}
	}
}
