package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestKernelRefuses: what only the kernel can refuse is journaled as failed, and
// otherwise leaves everything as it was, also what others had put there.
func TestKernelRefuses(t *testing.T) {
	s := start(t)
	furnish(t, s)
	post[topology.NamespaceState](t, s, "/namespaces", `{"name":"quiet"}`)
	for _, command := range []string{
		// By hand, on what netdash manages.
		"ip -n A route add 10.5.0.0/16 via 10.1.0.254",
		"ip -n A address add 10.7.0.1/24 dev eth0",
		"bridge fdb add 02:00:00:00:00:0a dev p1 master static",
		"ip netns exec quiet sysctl -qw net.ipv6.conf.default.disable_ipv6=1",
		"ip -n B link set veth0 down",
	} {
		nettest.Shell(t, command)
	}
	post[topology.Link](t, s, "/bridges", `{"namespace":"quiet","name":"br0"}`)
	post[veth](t, s, "/veths", `{"a":{"namespace":"A","name":"six","addresses":["fd05::1/64"]},"b":{"namespace":"B","name":"six"}}`)
	own := nettest.IP(t, "host", "link", "show", "p1")[0]["address"]
	type attempt struct {
		refusal
		says string // in the detail
	}
	attempts := []attempt{
		{refusal{create, "/namespaces/A/routes", `{"destination":"10.5.0.0/16","gateway":"10.1.0.254"}`, 409, "conflict", "", nil}, "route"},
		{refusal{create, "/namespaces/A/routes", `{"destination":"10.5.0.0/16","gateway":"10.1.0.253"}`, 409, "conflict", "", nil}, "route"},
		// the kernel's own, made with the address
		{refusal{create, "/namespaces/A/routes", `{"destination":"10.1.0.0/24","link":"eth0"}`, 409, "conflict", "", nil}, "route"},
		{refusal{create, "/namespaces/A/links/eth0/addresses", `{"cidr":"10.7.0.1/24"}`, 409, "conflict", "", nil}, "address"},
		{refusal{create, "/namespaces/A/links/lo/addresses", `{"cidr":"127.0.0.1/8"}`, 409, "conflict", "", nil}, "address"},
		{refusal{create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:0a","port":"p1"}`, 409, "conflict", "", nil}, "entry"},
		// the port's own
		{refusal{create, "/namespaces/host/bridges/br0/fdb", fmt.Sprintf(`{"mac":%q,"port":"p1"}`, own), 409, "conflict", "", nil}, "entry"},
		// its link is down
		{refusal{create, "/namespaces/B/routes", `{"destination":"10.6.0.0/16","gateway":"192.168.1.1"}`, 422, "invalid", "", nil}, "reach"},
		// refused after it is moved
		{refusal{edit, "/namespaces/A/links/six", `{"namespace":"quiet","mac":"02:00:00:00:00:41","mtu":1400}`, 409, "conflict", "", nil}, "IPv6"},
		// refused after the pair is made
		{refusal{create, "/veths", `{"a":{"namespace":"A","name":"n0"},"b":{"namespace":"quiet","name":"n1","addresses":["fd00::1/64"]}}`, 409, "conflict", "", nil}, "IPv6"},
	}
	if !get[topology.Capabilities](t, s, "/capabilities").Features[topology.FeatureVLANFiltering] {
		attempts = append(attempts,
			attempt{refusal{create, "/bridges", `{"namespace":"host","name":"n0","vlan_filtering":true}`, 501, "unsupported", "", nil}, topology.FeatureVLANFiltering},
			attempt{refusal{edit, "/namespaces/host/links/br0", `{"bridge":{"vlan_filtering":true}}`, 501, "unsupported", "", nil}, topology.FeatureVLANFiltering},
			// refused after the rest of it is done
			attempt{refusal{edit, "/namespaces/quiet/links/br0", `{"mtu":1400,"bridge":{"vlan_filtering":true}}`, 501, "unsupported", "", nil}, topology.FeatureVLANFiltering},
			attempt{refusal{edit, "/namespaces/host/links/br0", `{"alias":"x","bridge":{"stp":true,"ageing_seconds":7,"vlan_filtering":true}}`, 501, "unsupported", "", nil}, topology.FeatureVLANFiltering},
			attempt{refusal{edit, "/namespaces/host/links/br0", `{"name":"n0","bridge":{"vlan_filtering":true}}`, 501, "unsupported", "", nil}, topology.FeatureVLANFiltering},
			attempt{refusal{edit, "/namespaces/host/links/br0", `{"admin_up":false,"bridge":{"vlan_filtering":true}}`, 501, "unsupported", "", nil}, topology.FeatureVLANFiltering},
		)
	}
	calmWorld(t)
	was := s.scene(t)
	for _, c := range attempts {
		a := s.do(t, c.method, c.path, c.body)
		p := a.problem(t, c.status, c.code)
		if !strings.Contains(p.Detail, c.says) || p.Subject == "" {
			t.Errorf("%s: it should speak of %q: %s", a.asked, c.says, a.body)
		}
		last := get[items[topology.Operation]](t, s, "/operations?limit=1").Items[0]
		if last.State != topology.OperationFailed || last.Error == "" || !strings.HasSuffix(last.Request, c.path) {
			t.Errorf("%s is journaled as %+v", a.asked, last)
		}
		// What was down for a moment may need another until it is up again.
		var now scene
		var changed string
		for end := time.Now().Add(4 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			now = s.scene(t)
			journal := now.operations
			now.operations = was.operations
			changed = was.changed(now)
			now.operations = journal
			if changed == "" || time.Now().After(end) {
				break
			}
		}
		if changed != "" {
			t.Errorf("%s has changed:\n%s", a.asked, changed)
		}
		was = now
	}
}
