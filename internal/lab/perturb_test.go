package lab_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// largeLab has twenty namespaces: hosts on two switches and on a bridge of the
// host, a pair of their own, and a router between them; of everything that can be
// asked for some.
func largeLab(s *topology.Spec) error {
	host := func(i int, port topology.End) {
		name := fmt.Sprintf("h%02d", i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: name})
		network := map[string]int{"sw1": 1, "sw2": 2, "host": 3}[port.Namespace]
		end := topology.End{Namespace: name, Name: "eth0", Addresses: []string{fmt.Sprintf("10.%d.0.%d/24", network, i), fmt.Sprintf("fd0%d::%d/64", network, i)}, MTU: port.MTU}
		switch i % 4 {
		case 0:
			end.MAC = fmt.Sprintf("02:00:00:00:01:%02x", i)
		case 1:
			end.Alias = "host " + strconv.Itoa(i)
		case 2:
			end.Addresses = append(end.Addresses, fmt.Sprintf("10.%d.0.%d/24", network, 100+i))
		}
		s.Veths = append(s.Veths, topology.Veth{A: end, B: port})
		s.Routes = append(s.Routes,
			topology.Route{Namespace: name, Destination: "default", Gateway: fmt.Sprintf("10.%d.0.253", network)},
			topology.Route{Namespace: name, Destination: "::/0", Gateway: fmt.Sprintf("fd0%d::253", network)})
		if i%3 == 0 {
			s.Routes = append(s.Routes, topology.Route{Namespace: name, Destination: "10.77.0.0/16", Link: "eth0", Metric: 50})
		}
	}
	s.Bridges = []topology.Bridge{
		{
			Namespace: "sw1", Name: "br0", BridgeAttributes: topology.BridgeAttributes{AgeingSeconds: new(60), Priority: new(4096)},
			FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:01", Port: "p1"}, {MAC: "02:00:00:00:00:02", Port: "p2"}},
		},
		{Namespace: "sw2", Name: "br0", MAC: "02:00:00:00:02:00", MTU: 1400, Alias: "the second", BridgeAttributes: topology.BridgeAttributes{
			STP: down, MulticastSnooping: down, ForwardDelaySeconds: new(4),
		}, FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:03", Port: "p8"}}},
		{Namespace: "host", Name: "br0", Addresses: []string{"10.3.0.254/24", "fd03::254/64"}},
	}
	for i := 1; i <= 7; i++ {
		port := topology.End{Namespace: "sw1", Name: fmt.Sprint("p", i), Master: "br0"}
		if i%2 == 0 {
			port.BridgePort = &topology.PortAttributes{Hairpin: up, Learning: down, Cost: new(i)}
		}
		host(i, port)
	}
	for i := 8; i <= 12; i++ {
		host(i, topology.End{Namespace: "sw2", Name: fmt.Sprint("p", i), Master: "br0", MTU: 1400, BridgePort: &topology.PortAttributes{Isolated: up}})
	}
	for i := 13; i <= 15; i++ {
		host(i, topology.End{Namespace: "host", Name: fmt.Sprint("p", i), Master: "br0", Alias: "port"})
	}
	s.Namespaces = append(s.Namespaces, topology.Namespace{Name: "sw1", IPv6: down}, topology.Namespace{Name: "sw2"},
		topology.Namespace{Name: "router", LoopbackAddresses: []string{"10.255.0.1/32", "fdff::1/128"}},
		topology.Namespace{Name: "left"}, topology.Namespace{Name: "right", LoopbackUp: down})
	for i, place := range []string{"sw1", "sw2", "host"} {
		end := topology.End{Namespace: "router", Name: fmt.Sprint("eth", i+1), Addresses: []string{fmt.Sprintf("10.%d.0.253/24", i+1), fmt.Sprintf("fd0%d::253/64", i+1)}}
		port := topology.End{Namespace: place, Name: "uplink", Master: "br0"}
		if place == "sw2" {
			end.MTU, port.MTU = 1400, 1400
		}
		s.Veths = append(s.Veths, topology.Veth{A: end, B: port})
	}
	s.Veths = append(s.Veths, topology.Veth{
		A: topology.End{Namespace: "left", Name: "eth0", Addresses: []string{"10.4.0.1/30"}, MTU: 9000},
		B: topology.End{Namespace: "right", Name: "eth0", Addresses: []string{"10.4.0.2/30"}, MTU: 9000, MAC: "02:00:00:00:04:02"},
	}, topology.Veth{ // with one end down, and a route that sleeps
		A: topology.End{Namespace: "left", Name: "eth1", Addresses: []string{"10.5.0.1/30"}},
		B: topology.End{Namespace: "right", Name: "eth1", Addresses: []string{"10.5.0.2/30"}, AdminUp: down},
	})
	s.Routes = append(s.Routes, topology.Route{Namespace: "left", Destination: "default", Gateway: "10.4.0.2"},
		topology.Route{Namespace: "right", Destination: "10.9.0.0/16", Gateway: "10.5.0.1"},
		topology.Route{Namespace: "host", Destination: "10.1.0.0/24", Gateway: "10.3.0.253"})
	return nil
}

// vandal does with ip and bridge what reconcile has to mend.
type vandal struct {
	*rand.Rand
	spec *topology.Spec
	// follows: netdash knows a link again under another name or elsewhere. Where
	// it does not, a bridge that is renamed, or a pair of which both ends are, is
	// foreign from then on and stays.
	follows bool

	lines    map[string][]string // of ip -batch and bridge -batch, by program and namespace
	strayed  map[int]bool        // veths of which an end has been renamed or moved
	foreign  string              // a namespace that is nobody's
	numbered int
}

func (v *vandal) ip(namespace, format string, args ...any) {
	v.lines["ip "+namespace] = append(v.lines["ip "+namespace], fmt.Sprintf(format, args...))
}

func (v *vandal) bridge(namespace, format string, args ...any) {
	v.lines["bridge "+namespace] = append(v.lines["bridge "+namespace], fmt.Sprintf(format, args...))
}

// end picks an end of a veth.
func (v *vandal) end() (*topology.End, int) {
	i := v.IntN(len(v.spec.Veths))
	if v.IntN(2) == 0 {
		return &v.spec.Veths[i].A, i
	}
	return &v.spec.Veths[i].B, i
}

// vandalism are the ways to disturb a lab.
var vandalism = map[string]func(*vandal){
	"delete a link": func(v *vandal) { e, _ := v.end(); v.ip(e.Namespace, "link delete dev %s", e.Name) },
	"delete a bridge": func(v *vandal) {
		b := v.spec.Bridges[v.IntN(3)]
		v.ip(b.Namespace, "link delete dev %s", b.Name)
	},
	"down": func(v *vandal) { e, _ := v.end(); v.ip(e.Namespace, "link set dev %s down", e.Name) },
	"up":   func(v *vandal) { v.ip("right", "link set dev eth1 up") },
	"bridge down": func(v *vandal) {
		b := v.spec.Bridges[v.IntN(3)]
		v.ip(b.Namespace, "link set dev %s down", b.Name)
	},
	"rename": func(v *vandal) {
		e, i := v.end()
		if v.follows || !v.strayed[i] {
			v.strayed[i] = true
			v.numbered++
			v.ip(e.Namespace, "link set dev %s down", e.Name)
			v.ip(e.Namespace, "link set dev %s name stray%d up", e.Name, v.numbered)
		}
	},
	"rename a bridge": func(v *vandal) {
		if b := v.spec.Bridges[v.IntN(3)]; v.follows {
			v.ip(b.Namespace, "link set dev %s down", b.Name)
			v.ip(b.Namespace, "link set dev %s name other up", b.Name)
		}
	},
	"move": func(v *vandal) {
		e, i := v.end()
		if to := append(v.spec.Namespaces, topology.Namespace{Name: v.foreign}); v.follows || !v.strayed[i] {
			v.strayed[i] = true
			v.ip(e.Namespace, "link set dev %s netns %s", e.Name, to[v.IntN(len(to))].Name)
		}
	},
	"re-address": func(v *vandal) {
		if e, _ := v.end(); len(e.Addresses) > 0 {
			v.ip(e.Namespace, "address delete %s dev %s", e.Addresses[v.IntN(len(e.Addresses))], e.Name)
			v.ip(e.Namespace, "address add 10.66.0.%d/24 dev %s", 1+v.IntN(200), e.Name)
		}
	},
	"flush": func(v *vandal) { e, _ := v.end(); v.ip(e.Namespace, "address flush dev %s", e.Name) },
	"add an address": func(v *vandal) {
		e, _ := v.end()
		v.ip(e.Namespace, "address add %s dev %s", []string{"10.1.0.200/24", "10.2.0.200/24", "fd01::200/64", "10.88.0.1/16"}[v.IntN(4)], e.Name)
	},
	"unplug": func(v *vandal) {
		if e, _ := v.end(); e.Master != "" {
			v.ip(e.Namespace, "link set dev %s nomaster", e.Name)
		}
	},
	"MTU": func(v *vandal) {
		e, _ := v.end()
		v.ip(e.Namespace, "link set dev %s mtu %d", e.Name, 1180+v.IntN(200))
	},
	"MTU of a bridge": func(v *vandal) {
		v.ip("sw2", "link set dev br0 mtu 1300")
	},
	"MAC": func(v *vandal) {
		var asked []*topology.End // on the host the kernel's choice is not kept to
		for i := range v.spec.Veths {
			for _, e := range []*topology.End{&v.spec.Veths[i].A, &v.spec.Veths[i].B} {
				if e.MAC != "" || e.Namespace != "host" {
					asked = append(asked, e)
				}
			}
		}
		e := asked[v.IntN(len(asked))]
		v.ip(e.Namespace, "link set dev %s address 02:66:00:00:00:%02x", e.Name, v.IntN(256))
	},
	"MAC of a bridge": func(v *vandal) { v.ip("sw2", "link set dev br0 address 02:66:00:00:00:%02x", v.IntN(256)) },
	"alias":           func(v *vandal) { e, _ := v.end(); v.ip(e.Namespace, "link set dev %s alias vandal", e.Name) },
	"address generation": func(v *vandal) {
		e, _ := v.end()
		v.ip(e.Namespace, "link set dev %s addrgenmode %s", e.Name, []string{"none", "eui64"}[v.IntN(2)])
	},
	"delete a namespace": func(v *vandal) { v.ip("", "netns delete %s", v.spec.Namespaces[v.IntN(len(v.spec.Namespaces))].Name) },
	"replace a namespace": func(v *vandal) {
		n := v.spec.Namespaces[v.IntN(len(v.spec.Namespaces))].Name
		v.ip("", "netns delete %s", n)
		v.ip("", "netns add %s", n)
	},
	"delete a route": func(v *vandal) {
		r := v.spec.Routes[v.IntN(len(v.spec.Routes))]
		words := r.Destination
		if r.Metric != 0 {
			words += " metric " + strconv.Itoa(r.Metric)
		}
		v.ip(r.Namespace, "route delete %s", words)
	},
	"replace a route": func(v *vandal) {
		i := 1 + v.IntN(7)
		v.ip(fmt.Sprintf("h%02d", i), "route replace default via 10.1.0.66")
	},
	"delete a static entry": func(v *vandal) {
		b := v.spec.Bridges[v.IntN(2)]
		e := b.FDB[v.IntN(len(b.FDB))]
		v.bridge(b.Namespace, "fdb delete %s dev %s master", e.MAC, e.Port)
	},
	"move a static entry": func(v *vandal) { v.bridge("sw1", "fdb replace 02:00:00:00:00:01 dev p3 master static") },
	"lo down":             func(v *vandal) { v.ip(v.spec.Namespaces[v.IntN(len(v.spec.Namespaces))].Name, "link set dev lo down") },
	"lo up":               func(v *vandal) { v.ip("right", "link set dev lo up") },
	"addresses of lo": func(v *vandal) {
		v.ip("router", "address delete 10.255.0.1/32 dev lo")
		v.ip("left", "address add 10.254.0.9/32 dev lo")
	},
	"bridge settings": func(v *vandal) {
		switch v.IntN(3) {
		case 0:
			v.ip("sw1", "link set dev br0 type bridge ageing_time 12300 priority 8192")
		case 1:
			v.ip("sw2", "link set dev br0 type bridge mcast_snooping 1 forward_delay 700")
		case 2:
			v.ip("sw2", "link set dev br0 type bridge stp_state 1")
		}
	},
	"port settings": func(v *vandal) {
		switch v.IntN(2) {
		case 0:
			v.ip("sw1", "link set dev p%d type bridge_slave hairpin off learning on cost 77", 2*(1+v.IntN(3)))
		case 1:
			v.ip("sw2", "link set dev p%d type bridge_slave isolated off", 8+v.IntN(5))
		}
	},
}

// disturb does one thing of vandalism, or notes it for strike.
func (v *vandal) disturb(what string) { vandalism[what](v) }

// strike carries out what is noted. Commands about what is gone already fail.
func (v *vandal) strike(t *testing.T) (done string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(v.lines)) {
		program, namespace, _ := strings.Cut(key, " ")
		args := []string{"-force", "-batch", "-"}
		if namespace != "" && namespace != "host" {
			args = append([]string{"-n", namespace}, args...)
		}
		cmd := exec.Command(program, args...)
		cmd.Stdin = strings.NewReader(strings.Join(v.lines[key], "\n") + "\n")
		out, _ := cmd.CombinedOutput() // partly
		done += key + ": " + strings.Join(v.lines[key], "; ") + "\n" + string(out)
	}
	clear(v.lines)
	clear(v.strayed)
	return done
}

func newVandal(t *testing.T, m *machine, seed uint64) *vandal {
	t.Helper()
	spec, _ := m.Intended()
	v := &vandal{
		Rand: rand.New(rand.NewPCG(seed, 0)), spec: spec.Clone(), lines: map[string][]string{}, strayed: map[int]bool{}, foreign: nettest.Namespace(t),
	}
	// Find out whether links are known again.
	nettest.Shell(t, "ip -n left link set dev eth0 down && ip -n left link set dev eth0 name stray")
	snapshot, err := m.live.Observe(t.Context(), []string{"left"})
	if err != nil {
		t.Fatal(err)
	}
	v.follows = snapshot.Namespace("left").Link("stray").Intended != nil
	if !v.follows {
		t.Log("netdash does not know renamed links again yet: bridges, and both ends of a pair, are not renamed")
	}
	nettest.Shell(t, "ip -n left link set dev stray name eth0 && ip -n left link set dev eth0 up")
	if _, err := m.Reconcile(t.Context(), lab.Request{}, nil); err != nil { // for the route
		t.Fatal(err)
	}
	return v
}

// album is what ip says of every namespace, and bridge of those with a bridge,
// normalised and by namespace, in as few processes as possible: starting them is
// what takes the time.
func album(t *testing.T, namespaces []string, bridges []topology.Bridge) map[string][]string {
	t.Helper()
	var scripts [2]strings.Builder
	for i, n := range namespaces {
		in := ""
		if n != "host" {
			in = "-n " + n
		}
		fmt.Fprintf(&scripts[i%2], "echo '@ %s'\nip %s -j -d -batch - << EOF\naddress show\nroute show table all\nEOF\n", n, in)
		if slices.ContainsFunc(bridges, func(b topology.Bridge) bool { return b.Namespace == n }) {
			fmt.Fprintf(&scripts[i%2], "bridge %s -j fdb show\n", in)
		}
	}
	out := map[string][]string{}
	texts, errs := [2][]byte{}, [2]error{}
	var both sync.WaitGroup
	for i := range scripts {
		both.Go(func() { texts[i], errs[i] = exec.Command("sh", "-c", scripts[i].String()).CombinedOutput() })
	}
	both.Wait()
	for i, text := range texts {
		if errs[i] != nil {
			t.Logf("%v", errs[i]) // shows in what is missing
		}
		for part := range strings.SplitSeq(string(text), "@ ") {
			if name, rest, ok := strings.Cut(part, "\n"); ok {
				out[name] = photograph(t, rest)
			}
		}
	}
	return out
}

// photograph reads JSON lists, and gives one line for each object in them.
func photograph(t *testing.T, text string) []string {
	t.Helper()
	var lines []string
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var list []map[string]any
		if err := d.Decode(&list); err != nil {
			return append(lines, text) // an error of ip's
		}
		for _, o := range list {
			if settled := still(o); len(settled) > 0 {
				line, err := json.Marshal(settled)
				if err != nil {
					t.Fatal(err)
				}
				lines = append(lines, string(line))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// moving are the fields that differ from one making of the same thing to the
// next, or change by themselves: numbers the kernel gives, carrier and what
// follows from it, timers, STP's doings.
var moving = map[string]bool{
	"ifindex": true, "link_index": true, "link_netnsid": true, "operstate": true, "tentative": true, "dadfailed": true, "qdisc": true,
	"state": true, "id": true, "no": true, "designated_port": true, "designated_cost": true, "designated_bridge": true, "designated_root": true,
	"root_id": true, "root_port": true, "root_path_cost": true, "topology_change": true, "topology_change_detected": true, "topology_change_ack": true, "config_pending": true,
	"secondary": true, "label": true, // which a rename numbers (inetdev_changename in net/ipv4/devinet.c)
}

// still gives an object of ip's without what is moving; nothing when the kernel
// has made it by itself.
func still(o map[string]any) map[string]any {
	mac, _ := o["mac"].(string)
	local, _ := o["local"].(string)
	dst, _ := o["dst"].(string)
	switch {
	case mac != "" && (o["state"] == "" || strings.HasPrefix(mac, "33:33:") || strings.HasPrefix(mac, "01:00:5e:")):
		return nil // learned, or a multicast group
	case strings.HasPrefix(local, "fe80:") || strings.HasPrefix(dst, "fe80:") || o["table"] == "local" && strings.Contains(dst, ":"):
		return nil // link-local, when there is carrier; and what follows when an address is no duplicate
	case local == "127.0.0.1" || local == "::1" || strings.HasPrefix(dst, "127.") || dst == "::1":
		return nil // which lo keeps when it has been up once
	}
	out := map[string]any{}
	for k, x := range o {
		if moving[k] && !(k == "state" && mac != "") || strings.HasSuffix(k, "_timer") {
			continue
		}
		switch x := x.(type) {
		case map[string]any:
			out[k] = still(x)
		case []any:
			list := []string{}
			for _, e := range x {
				switch e := e.(type) {
				case map[string]any:
					if e := still(e); e != nil {
						list = append(list, fmt.Sprint(e))
					}
				case string:
					if e != "LOWER_UP" && e != "NO-CARRIER" && e != "M-DOWN" && e != "linkdown" {
						list = append(list, e)
					}
				}
			}
			slices.Sort(list)
			out[k] = list
		default:
			out[k] = x
		}
	}
	return out
}

// unlike tells in what two albums differ, nothing if in nothing.
func unlike(before, after map[string][]string) string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(before)) {
		if slices.Equal(before[n], after[n]) {
			continue
		}
		for _, l := range before[n] {
			if !slices.Contains(after[n], l) {
				fmt.Fprintf(&b, "- %s %s\n", n, l)
			}
		}
		for _, l := range after[n] {
			if !slices.Contains(before[n], l) {
				fmt.Fprintf(&b, "+ %s %s\n", n, l)
			}
		}
	}
	return b.String()
}

// settleTime bounds the wait for what the kernel does by itself after a repair.
const settleTime = 10 * time.Second

// TestReconcileBringsBack disturbs a lab of twenty namespaces at random with ip
// and bridge, and reconciles: five hundred times nothing may differ afterwards,
// and ip and bridge must say of every namespace what they said at the beginning.
func TestReconcileBringsBack(t *testing.T) {
	const rounds = 500
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, largeLab)
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("NETDASH_TEST_SEED"), 10, 64); err == nil {
		seed = given
	}
	v := newVandal(t, m, seed)
	names := []string{"host", v.foreign}
	for _, n := range v.spec.Namespaces {
		names = append(names, n.Name)
	}
	before := album(t, names, v.spec.Bridges)
	kinds := slices.Sorted(maps.Keys(vandalism))
	drifted, began := 0, time.Now()
	for round := range rounds {
		for range 1 + v.IntN(5) {
			v.disturb(kinds[v.IntN(len(kinds))])
		}
		done := v.strike(t)
		fail := func(format string, args ...any) {
			t.Helper()
			t.Fatalf("NETDASH_TEST_SEED=%d, round %d: %s\nafter\n%s", seed, round, fmt.Sprintf(format, args...), done)
		}
		r, err := m.Reconcile(t.Context(), lab.Request{Author: "test", Text: "reconcile"}, nil)
		if err != nil {
			ops, _ := m.Operations(t.Context(), 0, 1)
			fail("%v, in\n%s", err, strings.Join(ops[0].Commands, "\n"))
		}
		if r.Operation != nil {
			drifted++
		}
		if d, err := m.Drift(t.Context()); err != nil || !d.InSync || len(d.Differences) > 0 || len(d.Plan.Changes) > 0 {
			fail("left is %+v, %v", d, err)
		}
		// A port learns which bridge it belongs to when it has carrier, which the kernel
		// sees in its own time (br_port_carrier_check, linkwatch).
		wrong := unlike(before, album(t, names, v.spec.Bridges))
		for since := time.Now(); wrong != "" && time.Since(since) < settleTime; {
			wrong = unlike(before, album(t, names, v.spec.Bridges))
		}
		if wrong != "" {
			fail("ip and bridge differ:\n%s\nreconcile did\n%s", wrong, strings.Join(r.Plan.Commands(), "\n"))
		}
	}
	t.Logf("%d of %d rounds drifted, %s a round", drifted, rounds, time.Since(began)/rounds)
	if drifted < rounds*8/10 {
		t.Errorf("only %d of %d rounds had something to mend", drifted, rounds)
	}
}
