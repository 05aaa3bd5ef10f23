package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestLab builds the lab netdash is for, over HTTP, with ip and bridge as
// judges, and takes it down again.
func TestLab(t *testing.T) {
	s := start(t)
	bare := calmWorld(t)
	// What is opened once and kept (idle database connections, the host's
	// sockets) is there after a first round.
	warmUp(t, s)
	before := s.holdings(t)

	t.Run("loopback", func(t *testing.T) { loopbackLab(t, s) })
	t.Run("pair", func(t *testing.T) { pairLab(t, s) })
	t.Run("bridge on host", func(t *testing.T) { bridgeLab(t, s, "host") })
	t.Run("bridge in a namespace", func(t *testing.T) {
		post[topology.NamespaceState](t, s, "/namespaces", `{"name":"sw"}`)
		bridgeLab(t, s, "sw")
		s.remove(t, "/namespaces/sw")
	})

	eventually(t, func() string { return difference(bare, world(t)) })
	if mounts := nettest.Shell(t, "grep /run/netns/ /proc/self/mountinfo || true"); mounts != "" {
		t.Errorf("mounts are left: %s", mounts)
	}
	if spec := get[topology.Spec](t, s, "/topology/intended"); !topology.Equal(&spec, &topology.Spec{}) {
		t.Errorf("intended is %+v", spec)
	}
	if snapshot := get[topology.Snapshot](t, s, "/topology"); len(snapshot.Namespaces) != 1 || len(snapshot.Namespaces[0].FDB) != 0 {
		t.Errorf("observed is %+v", snapshot)
	}
	eventually(t, func() string { return before.grown(s.holdings(t)) })
}

// warmUp makes use of everything once.
func warmUp(t *testing.T, s *server) {
	t.Helper()
	e := s.listen(t, "")
	e.snapshot(t)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"A"}`)
	post[topology.Link](t, s, "/bridges", `{"namespace":"host","name":"br0"}`)
	post[veth](t, s, "/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["10.0.0.1/24"]},"b":{"namespace":"host","name":"p1","master":"br0"}}`)
	s.ping(t, `{"namespace":"A","address":"10.0.0.1","count":1}`)
	s.do(t, "POST", "/namespaces/host/bridges/br0/fdb/flush", "").want(t, 200)
	var reads sync.WaitGroup
	for range 20 {
		reads.Go(func() { s.do(t, "GET", "/operations", "") })
	}
	reads.Wait()
	get[items[any]](t, s, "/namespaces/A/firewall")
	s.remove(t, "/namespaces/A")
	s.remove(t, "/namespaces/host/links/br0")
	e.close()
}

// holdings is what the program could leave behind in itself.
type holdings struct {
	files, strays []string // open files; threads in other namespaces
	goroutines    float64
}

func (s *server) holdings(t testing.TB) holdings {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	var h holdings
	fds, err := filepath.Glob(proc + "fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil {
			h.files = append(h.files, target)
		}
	}
	own, err := os.Readlink(proc + "ns/net")
	if err != nil {
		t.Fatal(err)
	}
	threads, err := filepath.Glob(proc + "task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		if ns, err := os.Readlink(thread); err == nil && ns != own {
			h.strays = append(h.strays, thread+" "+ns)
		}
	}
	// Metrics are gathered by goroutines of their own, of which some are counted.
	h.goroutines = s.metric(t, "go_goroutines")
	for range 9 {
		h.goroutines = min(h.goroutines, s.metric(t, "go_goroutines"))
	}
	return h
}

// metric reads one value of /metrics.
func (s *server) metric(t testing.TB, name string) float64 {
	t.Helper()
	for line := range bytes.Lines(s.do(t, "GET", "//metrics", "").want(t, 200).body) {
		var value float64
		if n, err := fmt.Sscanf(string(line), name+" %g", &value); n == 1 && err == nil {
			return value
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}

// grown tells what there is now more than before.
func (h holdings) grown(now holdings) string {
	switch {
	case len(now.files) > len(h.files):
		return fmt.Sprintf("%d files are open, %d before:\n%s", len(now.files), len(h.files), strings.Join(now.files, "\n"))
	case len(now.strays) > 0:
		return fmt.Sprintf("threads in other namespaces: %v", now.strays)
	case now.goroutines > h.goroutines:
		return fmt.Sprintf("%v goroutines, %v before", now.goroutines, h.goroutines)
	}
	return ""
}

// loopbackLab: a namespace whose lo is down cannot even reach itself.
func loopbackLab(t *testing.T, s *server) {
	t.Helper()
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"test","loopback_up":false}`)
	lo := get[topology.Link](t, s, "/namespaces/test/links/lo")
	if lo.AdminUp || lo.OperState != "down" || slices.Contains(lo.Flags, "UP") || len(lo.Addresses) != 0 {
		t.Errorf("lo is %+v", lo)
	}
	if flags := fmt.Sprint(nettest.IP(t, "test", "link", "show", "lo")[0]["flags"]); flags != "[LOOPBACK]" {
		t.Errorf("ip says of lo: %s", flags)
	}
	firewall := get[topology.Firewall](t, s, "/namespaces/test/firewall")
	if len(firewall.Chains) != 0 || len(firewall.Tools) == 0 || slices.ContainsFunc(firewall.Tools, func(tool topology.FirewallTool) bool { return tool.Text != "" || tool.Error != "" }) {
		t.Errorf("firewall %+v", firewall)
	}
	if rules := nettest.Shell(t, "ip netns exec test nft list ruleset"); rules != "" {
		t.Errorf("nft says %s", rules)
	}
	const ping = `{"namespace":"test","address":"127.0.0.1","count":2,"interval_ms":20}`
	if r := s.ping(t, ping); r.Error != "network is unreachable" || r.Received != 0 {
		t.Errorf("ping with lo down: %+v", r)
	}
	if out, err := shell(t.Context(), "ip netns exec test ping -c1 -W1 127.0.0.1"); err == nil || !strings.Contains(strings.ToLower(out), "network is unreachable") {
		t.Errorf("ping(8) says %v %s", err, out)
	}

	up := read[topology.Link](t, s.do(t, "PATCH", "/namespaces/test/links/lo", `{"admin_up":true}`).want(t, 200))
	if !up.AdminUp || up.Sync != topology.InSync || !slices.ContainsFunc(up.Addresses, func(a topology.Address) bool { return a.CIDR == "127.0.0.1/8" }) {
		t.Errorf("lo is %+v", up)
	}
	if r := s.ping(t, ping); r.Error != "" || r.Received != 2 || r.Loss != 0 || r.RTTMS == nil {
		t.Errorf("ping with lo up: %+v", r)
	}
	nettest.Shell(t, "ip netns exec test ping -c1 -W1 127.0.0.1")
	s.remove(t, "/namespaces/test")
}

// pairLab: two namespaces and a cable between them.
func pairLab(t *testing.T, s *server) {
	t.Helper()
	nettest.Shell(t, "ip netns add reference")
	for _, name := range []string{"A", "B", "C", "D"} {
		made := post[topology.NamespaceState](t, s, "/namespaces", fmt.Sprintf(`{"name":%q}`, name))
		if id := strings.TrimSpace(nettest.Shell(t, "stat -L -c %d-%i /run/netns/"+name)); made.ID != id {
			t.Errorf("%s has the id %s, stat says %s", name, made.ID, id)
		}
	}
	// Bound exactly as ip netns add binds it.
	for _, name := range []string{"A", "B"} {
		if mine, ips := bound(t, name), bound(t, "reference"); mine != ips {
			t.Errorf("mount of %s: %s\nby ip netns add: %s", name, mine, ips)
		}
		if list := nettest.Shell(t, "ip netns list"); !strings.Contains("\n"+list, "\n"+name) {
			t.Errorf("ip netns list says %q", list)
		}
	}
	nettest.Shell(t, "ip netns delete reference")

	// What happens in the host's namespace meanwhile.
	seen := monitor(t)
	const body = `{"a":{"namespace":%q,"name":"veth0","addresses":["192.168.1.1/24"]},"b":{"namespace":%q,"name":"veth0","addresses":["192.168.1.2/24"]}}`
	pair := post[veth](t, s, "/veths", fmt.Sprintf(body, "A", "B"))
	second := post[veth](t, s, "/veths", fmt.Sprintf(body, "C", "D"))
	if lines := seen(); strings.Contains(lines, "veth") {
		t.Errorf("a veth end showed on host:\n%s", lines)
	}

	// Four fresh namespaces: all ends have one ifindex.
	for _, p := range []veth{pair, second} {
		isPeer(t, s, p.A, p.B)
		isPeer(t, s, p.B, p.A)
		if p.A.Ifindex != p.B.Ifindex || p.A.Ifindex != pair.A.Ifindex {
			t.Errorf("the ifindexes are %d and %d", p.A.Ifindex, p.B.Ifindex)
		}
	}
	for from, address := range map[string]string{"A": "192.168.1.2", "B": "192.168.1.1"} {
		nettest.Shell(t, "ip netns exec "+from+" ping -c1 -W3 "+address)
		r := s.ping(t, fmt.Sprintf(`{"namespace":%q,"address":%q,"count":2,"interval_ms":20,"timeout_ms":5000}`, from, address))
		if r.Received != 2 || r.Replies[0].From != address {
			t.Errorf("ping from %s: %+v", from, r)
		}
	}
	if r := s.ping(t, `{"namespace":"A","to_namespace":"B","count":1,"timeout_ms":5000}`); r.Address != "192.168.1.2" || r.Received != 1 {
		t.Errorf("ping A to B: %+v", r)
	}
	for _, name := range []string{"A", "B", "C", "D"} {
		s.remove(t, "/namespaces/"+name)
	}
}

// bound describes how a name under /run/netns is bound.
func bound(t *testing.T, name string) string {
	t.Helper()
	// Without what belongs to the mount alone: ids, inode, name, peer group.
	mount := nettest.Shell(t, fmt.Sprintf(`awk '$5 == "/run/netns/%s" {$1 = $2 = $4 = $5 = ""; sub("shared:[0-9]+", "shared"); print}' /proc/self/mountinfo`, name))
	return strings.TrimSpace(mount) + "; " + strings.TrimSpace(nettest.Shell(t, "stat -L -c '%a %U %F' /run/netns/"+name))
}

// isPeer checks a veth end, and what it says of its peer, against ip.
func isPeer(t *testing.T, s *server, end, peer *topology.Link) {
	t.Helper()
	said := nettest.IP(t, end.Namespace, "link", "show", end.Name)[0]
	if said["ifindex"] != float64(end.Ifindex) || said["link_index"] != float64(peer.Ifindex) || said["address"] != end.MAC {
		t.Errorf("%s/%s is %+v, ip says %v", end.Namespace, end.Name, end, said)
	}
	other := "host" // which has no name for ip
	for _, id := range nettest.IP(t, end.Namespace, "netns", "list-id") {
		if name, ok := id["name"].(string); ok && id["nsid"] == said["link_netnsid"] {
			other = name
		}
	}
	if other != peer.Namespace {
		t.Errorf("ip says that the peer of %s/%s is in %q", end.Namespace, end.Name, other)
	}
	want := topology.Peer{Known: true, Namespace: peer.Namespace, Name: peer.Name, Ifindex: peer.Ifindex, Key: peer.Key}
	now := get[topology.Link](t, s, "/namespaces/"+end.Namespace+"/links/"+end.Name)
	for _, l := range []*topology.Link{end, &now} {
		if l.Peer == nil || *l.Peer != want {
			t.Errorf("%s/%s has the peer %+v, want %+v", l.Namespace, l.Name, l.Peer, want)
		}
		if !l.AdminUp || !l.Managed || l.Sync != topology.InSync {
			t.Errorf("%s/%s is %+v", l.Namespace, l.Name, l)
		}
	}
	eventually(t, func() string {
		if l := get[topology.Link](t, s, "/namespaces/"+end.Namespace+"/links/"+end.Name); l.OperState != "up" || !l.Carrier {
			return fmt.Sprintf("%s/%s is %s", l.Namespace, l.Name, l.OperState)
		}
		return ""
	})
}

// monitor notes what ip monitor reports of the host's links until the function
// it gives is called, which answers what that was.
func monitor(t *testing.T) func() string {
	t.Helper()
	cmd := exec.Command("ip", "-o", "monitor", "link")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	// A link that comes and goes marks a point in what is reported.
	mark := func(name string) string {
		var before strings.Builder
		tries := time.NewTicker(200 * time.Millisecond) // the first ones may come too early
		defer tries.Stop()
		deadline := time.After(patience)
		for {
			select {
			case line := <-lines:
				if strings.Contains(line, name) {
					return before.String()
				}
				before.WriteString(line + "\n")
			case <-tries.C:
				nettest.Shell(t, "ip link add "+name+" type bridge && ip link delete "+name)
			case <-deadline:
				t.Fatal("ip monitor reports nothing")
			}
		}
	}
	mark("start0")
	return func() string { return mark("end0") }
}
