package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
)

// namespaces lists the host and the names under /run/netns, as ip does.
func namespaces(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("/run/netns")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"host"}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// world writes down, line by line, what ip and bridge say of the host and every
// namespace, without what changes by itself: timers, learned MACs, neighbours,
// and carrier states on their way.
func world(t testing.TB) []string {
	t.Helper()
	nettest.Require(t)
	var lines []string
	for _, ns := range namespaces(t) {
		lines = append(lines, ns)
		in := []string{}
		if ns != "host" {
			in = []string{"-n", ns}
		}
		for _, q := range []struct {
			what, program string
			args          []string
			input         string
		}{
			{"", "ip", []string{"-d", "-b", "-"}, "link show\naddress show\nroute show\n"},
			{"route6", "ip", []string{"-6", "route", "show"}, ""},
			{"fdb", "bridge", []string{"fdb", "show"}, ""},
		} {
			cmd := exec.Command(q.program, append(append([]string{"-j"}, in...), q.args...)...)
			cmd.Stdin = strings.NewReader(q.input)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s in %s: %v", cmd, ns, err)
			}
			for _, o := range objects(t, out) {
				if q.what == "fdb" && o["state"] == "" {
					continue // learned
				}
				settle(o)
				id := ns + " " + q.what
				for _, key := range []string{"ifname", "dev", "dst", "gateway", "metric", "mac", "vlan"} {
					if v, ok := o[key]; ok {
						id += fmt.Sprint(" ", v)
					}
				}
				lines = append(lines, id)
				lines = flat(lines, id+" ", o)
			}
		}
	}
	return lines
}

// flat writes an object as one line for each of its values.
func flat(lines []string, at string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			lines = flat(lines, at+"."+key, value)
		}
	case []any:
		for _, e := range v {
			if o, ok := e.(map[string]any); ok { // an address
				lines = flat(lines, fmt.Sprint(at, "[", o["local"], "]"), o)
			} else {
				lines = append(lines, fmt.Sprint(at, "[] = ", e))
			}
		}
	default:
		lines = append(lines, fmt.Sprint(at, " = ", v))
	}
	return lines
}

// objects reads the JSON lists a program wrote one after the other.
func objects(t testing.TB, out []byte) []map[string]any {
	t.Helper()
	var all []map[string]any
	d := json.NewDecoder(bytes.NewReader(out))
	for d.More() {
		var list []map[string]any
		if err := d.Decode(&list); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		all = append(all, list...)
	}
	return all
}

// settle removes what changes by itself from an object of ip's.
func settle(o map[string]any) {
	for _, volatile := range []string{
		"operstate", "hello_timer", "tcn_timer", "topology_change_timer", "gc_timer",
		"message_age_timer", "forward_delay_timer", "hold_timer", "tentative", "dadfailed",
	} {
		delete(o, volatile)
	}
	if state := o["state"]; state == "listening" || state == "learning" {
		o["state"] = "forwarding" // where STP's timer takes the port
	}
	if flags, ok := o["flags"].([]any); ok {
		kept := []any{}
		for _, f := range flags {
			if f != "LOWER_UP" && f != "NO-CARRIER" && f != "M-DOWN" && f != "linkdown" {
				kept = append(kept, f)
			}
		}
		o["flags"] = kept
	}
	for _, v := range o {
		switch v := v.(type) {
		case map[string]any:
			settle(v)
		case []any:
			for _, e := range v {
				if e, ok := e.(map[string]any); ok {
					settle(e)
				}
			}
		}
	}
}

// difference tells in what two worlds differ, nothing if in nothing.
func difference(before, after []string) string {
	var out []string
	count := map[string]int{}
	for _, l := range before {
		count[l]--
	}
	for _, l := range after {
		count[l]++
	}
	for l, n := range count {
		switch {
		case n < 0:
			out = append(out, "- "+l)
		case n > 0:
			out = append(out, "+ "+l)
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// calm is how long nothing must have changed: the kernel may take a second to
// act on a carrier that comes or goes (linkwatch), with addresses and routes in
// its wake.
const calm = 1300 * time.Millisecond

// calmWorld waits until the world does not change by itself any more.
func calmWorld(t testing.TB) []string {
	t.Helper()
	last, since := world(t), time.Now()
	eventually(t, func() string {
		now := world(t)
		wrong := difference(last, now)
		if wrong != "" {
			last, since = now, time.Now()
		}
		if time.Since(since) < calm {
			wrong = "not yet calm"
		}
		return wrong
	})
	return last
}

// TestWorldSeesEverything: a comparison of worlds that notices nothing would
// make the tests that use it worthless.
func TestWorldSeesEverything(t *testing.T) {
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, "ip -n "+a+" link add br0 type bridge && ip -n "+a+" link add e0 type veth peer name e1 netns "+b+
		" && ip -n "+a+" link set br0 addrgenmode none && ip -n "+a+" link set e0 addrgenmode none && ip -n "+b+" link set e1 addrgenmode none && ip -n "+a+" link set br0 up && ip -n "+a+" link set e0 master br0 up && ip -n "+b+" link set e1 up && ip -n "+b+" addr add 10.0.0.2/24 dev e1")
	calmWorld(t)
	for _, step := range []string{
		"ip link add fb type bridge",
		"ip link delete fb",
		"ip netns add extra",
		"ip netns delete extra",
		"ip -n B link set lo up",
		"ip -n B link set e1 down",
		"ip -n B link set e1 up",
		"ip -n B link set e1 alias x",
		"ip -n B link set e1 mtu 1400",
		"ip -n B link set e1 address 02:00:00:00:00:07",
		"ip -n B addr add 10.0.0.3/24 dev e1",
		"ip -n B addr del 10.0.0.3/24 dev e1",
		"ip -n B addr add fd00::3/64 dev e1 nodad",
		"ip -n B route add 10.9.0.0/16 via 10.0.0.9",
		"ip -n B route add default via 10.0.0.9 metric 7",
		"ip -n A link set br0 type bridge ageing_time 1000",
		"ip -n A link set e0 type bridge_slave hairpin on",
		"bridge -n A fdb add 02:00:00:00:00:99 dev e0 master static",
		"ip -n A link set e0 nomaster",
		"ip -n A link set br0 name br1",
		"ip -n B link set e1 netns A",
		"ip -n A link delete br1",
		"ip -n A link delete e1",
	} {
		before := world(t)
		if again := difference(before, world(t)); again != "" {
			t.Errorf("before %s it differs from itself: %s", step, again)
		}
		nettest.Shell(t, strings.NewReplacer(" A ", " "+a+" ", " B ", " "+b+" ", "netns A", "netns "+a).Replace(step))
		if difference(before, world(t)) == "" {
			t.Errorf("%s was not noticed", step)
		}
	}
}
