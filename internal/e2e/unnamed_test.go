package e2e

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestUnnamedNamespace: one that only a process lives in is shown and asked about
// by its id, and nobody changes it.
func TestUnnamedNamespace(t *testing.T) {
	cmd := exec.Command("unshare", "-n", "sh", "-c", "ip link set lo up && ip link add br0 type bridge && ip link set br0 up && echo there; exec sleep 600")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	nettest.Require(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(line, err)
	}
	id := strings.TrimSpace(nettest.Shell(t, fmt.Sprintf("stat -L -c %%d-%%i /proc/%d/ns/net", cmd.Process.Pid)))
	s := start(t) // which finds it at once
	n := get[topology.NamespaceState](t, s, "/namespaces/"+id)
	if n.Name != id || n.ID != id || len(n.Names) > 0 || n.Managed || n.Sync != topology.Foreign || n.Link("br0") == nil {
		t.Errorf("%+v", n)
	}
	if len(n.Processes) != 1 || n.Processes[0].PID != cmd.Process.Pid || n.ProcessCount != 1 {
		t.Errorf("who lives there: %+v", n.Inhabitants)
	}
	if l := get[topology.Link](t, s, "/namespaces/"+id+"/links/br0"); l.Namespace != id || l.Key != fmt.Sprintf("%s:%d", id, l.Ifindex) {
		t.Errorf("%+v", l)
	}
	s.do(t, "GET", "/namespaces/"+id+"/links", "").want(t, 200)
	s.do(t, "GET", "/namespaces/"+id+"/bridges/br0/fdb", "").want(t, 200)
	s.do(t, "GET", "/namespaces/"+id+"/neighbours", "").want(t, 200)
	s.do(t, "GET", "/namespaces/"+id+"/firewall", "").want(t, 200)
	ping := read[topology.PingResult](t, s.do(t, "POST", "/pings", `{"namespace":"`+id+`","address":"127.0.0.1","count":1}`).want(t, 200))
	if ping.Received != 1 || ping.Namespace != id {
		t.Errorf("%+v", ping)
	}

	for _, c := range []struct{ method, path, body string }{
		{"DELETE", "/namespaces/" + id, ""},
		{"PATCH", "/namespaces/" + id + "/links/br0", `{"mtu":1400}`},
		{"DELETE", "/namespaces/" + id + "/links/br0", ""},
		{"POST", "/bridges", `{"namespace":"` + id + `","name":"br1"}`},
		{"POST", "/veths", `{"a":{"namespace":"` + id + `","name":"x"},"b":{"namespace":"host","name":"y"}}`},
		{"POST", "/namespaces/" + id + "/links/br0/addresses", `{"cidr":"10.0.0.1/24"}`},
		{"POST", "/namespaces/" + id + "/routes", `{"destination":"default","gateway":"10.0.0.1"}`},
		{"POST", "/namespaces/" + id + "/bridges/br0/fdb", `{"mac":"02:00:00:00:00:01","port":"br0"}`},
	} {
		a := s.do(t, c.method, c.path, c.body)
		a.problem(t, 409, "not_managed")
		if !strings.Contains(string(a.body), "ip netns attach NAME PID") {
			t.Errorf("%s %s: %s", c.method, c.path, a.body)
		}
	}
	for _, subject := range []string{id, id + "/br0"} {
		a := s.do(t, "POST", "/topology/adopt", `{"subjects":["`+subject+`"]}`)
		a.problem(t, 422, "invalid")
		if !strings.Contains(string(a.body), fmt.Sprintf("ip netns attach NAME %d", cmd.Process.Pid)) {
			t.Errorf("adopt %s: %s", subject, a.body)
		}
	}

	// As the hint says it.
	nettest.Shell(t, fmt.Sprintf("ip netns attach named %d", cmd.Process.Pid))
	s.await(t, "named", func(n *topology.NamespaceState) bool { return n != nil && n.ID == id })
	s.do(t, "POST", "/topology/adopt", `{"subjects":["named"]}`).want(t, 200)
	s.do(t, "PATCH", "/namespaces/named/links/br0", `{"mtu":1400}`).want(t, 200)
	s.do(t, "DELETE", "/namespaces/named", "").want(t, 204)
	// Its name is gone; the process is not netdash's to end.
	s.await(t, id, func(n *topology.NamespaceState) bool { return n != nil && n.Name == id && !n.Managed })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	s.await(t, id, func(n *topology.NamespaceState) bool { return n == nil })
	s.do(t, "GET", "/namespaces/"+id, "").problem(t, 404, "not_found")
}

// await waits until a namespace is as it should be.
func (s *server) await(t *testing.T, namespace string, check func(*topology.NamespaceState) bool) {
	t.Helper()
	var n *topology.NamespaceState
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		snapshot := get[topology.Snapshot](t, s, "/topology")
		if n = snapshot.Namespace(namespace); check(n) {
			return
		}
	}
	t.Fatalf("%s is %+v", namespace, n)
}
