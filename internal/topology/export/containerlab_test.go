package export

import (
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"netdash/internal/topology"
)

// checkContainerlab looks at a file with the eyes of containerlab: as a Go
// template, as text with variables, and as YAML. Every name must come out.
func checkContainerlab(t *testing.T, s *topology.Spec) {
	t.Helper()
	text := string(Containerlab(s))
	parsed, err := template.New("lab").Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var out strings.Builder
	if err := parsed.Execute(&out, nil); err != nil || out.String() != text {
		t.Fatalf("%v, the template gives\n%s", err, out.String())
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "${") || !strings.HasPrefix(line, "#") && strings.Contains(line, "$") {
			t.Fatalf("a variable in %s", line)
		}
	}
	var file containerlabTopology
	if err := yaml.UnmarshalWithOptions([]byte(text), &file, yaml.Strict()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !containerName.MatchString(file.Name) {
		t.Errorf("the lab is called %q", file.Name)
	}
	for name := range file.Topology.Nodes {
		if !isNodeName(name) {
			t.Errorf("a node is called %q", name)
		}
	}
	if len(file.Topology.Nodes) < len(s.Namespaces) {
		t.Errorf("%d nodes for %d namespaces\n%s", len(file.Topology.Nodes), len(s.Namespaces), text)
	}
	// The comments end where the file begins.
	_, body, _ := strings.Cut(text, "\n\n")
	if !strings.HasPrefix(body, "name: ") || strings.Contains(body, "\n#") {
		t.Errorf("a name has left its comment:\n%s", text)
	}
}

type containerlabTopology struct {
	Name     string
	Topology struct {
		Kinds map[string]struct {
			Image       string
			NetworkMode string `yaml:"network-mode"`
		}
		Nodes map[string]struct {
			Kind string
			Exec []string
		}
		Links []map[string]any
	}
}

func readContainerlab(t *testing.T, s *topology.Spec) (file containerlabTopology, comments string) {
	t.Helper()
	if err := topology.Validate(s); err != nil {
		t.Fatal(err)
	}
	text := string(Containerlab(s))
	if err := yaml.UnmarshalWithOptions([]byte(text), &file, yaml.Strict()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	comments, _, _ = strings.Cut(text, "\n\n")
	return file, comments
}

func TestContainerlab(t *testing.T) {
	checkContainerlab(t, twoSites())
	checkContainerlab(t, &topology.Spec{})
	checkContainerlab(t, star(50))
	file, comments := readContainerlab(t, twoSites())
	if file.Name != "Two-sites" || file.Topology.Kinds["linux"].Image != containerlabImage || file.Topology.Kinds["linux"].NetworkMode != "none" {
		t.Errorf("%+v", file)
	}
	kinds := map[string]string{}
	exec := map[string][]string{}
	for name, n := range file.Topology.Nodes {
		kinds[name] = n.Kind
		exec[name] = n.Exec
	}
	if diff := cmp.Diff(map[string]string{"A": "linux", "B": "linux", "router": "linux", "site2": "linux", "br0": "bridge"}, kinds); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{
		"A": {
			"ip link set dev spare down", "ip link set dev spare alias 'not yet'",
			"ip address add 10.1.0.1/24 dev eth0", "ip address add 2001:db8:1::1/64 dev eth0", "ip route add default via 10.1.0.254 dev eth0",
		},
		"router": {"ip address add 10.1.0.254/24 dev lan", "ip address add 10.2.0.254/24 dev wan"},
		"B":      {"ip address add 10.9.9.9/32 dev lo", "ip address add 10.2.0.2/24 dev eth0", "ip route add 10.1.0.0/24 via 10.2.0.254 dev eth0 metric 10"},
		"site2": {
			"ip link add br0 type bridge stp_state 1", "ip link set dev p1 down", "ip link set dev p2 down",
			"ip link set dev p1 addrgenmode none", "ip link set dev p1 master br0",
			"ip link set dev p2 addrgenmode none", "ip link set dev p2 master br0", "ip link set dev p2 type bridge_slave hairpin on",
			"ip link set dev p1 up", "ip link set dev p2 up", "ip link set dev br0 up",
		},
		"br0": nil,
	}, exec); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]map[string]any{
		{"type": "veth", "mtu": uint64(1500), "endpoints": []any{
			map[string]any{"node": "A", "interface": "eth0", "mac": "02:00:00:00:00:0a"}, map[string]any{"node": "br0", "interface": "p1"},
		}},
		{"mtu": uint64(1500), "endpoints": []any{"router:lan", "br0:p2"}},
		{"mtu": uint64(1400), "endpoints": []any{"router:wan", "site2:p1"}},
		{"mtu": uint64(1500), "endpoints": []any{"B:eth0", "site2:p2"}},
		{"mtu": uint64(1500), "endpoints": []any{"A:spare", "host:uplink"}},
	}, file.Topology.Links); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	before, after, found := strings.Cut(comments, "After\n# deploying")
	if !found {
		t.Fatalf("nothing to do after deploying:\n%s", comments)
	}
	for _, c := range []struct{ where, command string }{
		{before, "ip link add br0 type bridge"},
		{before, "ip address add 10.1.0.100/24 dev br0"},
		{before, "ip link set dev br0 up"},
		{before, "ip route add 10.2.0.0/24 via 10.1.0.254 dev br0"},
		{after, "ip address add 10.3.0.1/24 dev uplink"},
		{after, "bridge fdb add 02:00:00:00:00:09 dev p1 master static"},
		{after, "Left out, because its link is down, and the kernel refuses it: ip -n A route add 10.8.0.0/16 dev spare"},
		{after, "Ports of bridges on the host have a link-local IPv6 address"},
	} {
		if !strings.Contains(c.where, "\n#   "+c.command) {
			t.Errorf("%s is not listed in\n%s", c.command, c.where)
		}
	}
}

// TestContainerlabSpecialLinks: ends that differ, MAC addresses on the host, and
// bridges that cannot be nodes.
func TestContainerlabSpecialLinks(t *testing.T) {
	down := false
	s := &topology.Spec{
		IPv6:       new(false),
		Namespaces: []topology.Namespace{{Name: "A", LoopbackUp: &down}, {Name: "br0", IPv6: new(true)}, {Name: "macvlan"}},
		Bridges:    []topology.Bridge{{Namespace: "host", Name: "br0"}, {Namespace: "host", Name: "it's"}},
		Veths: []topology.Veth{
			{A: topology.End{Namespace: "host", Name: "h0", MAC: "02:00:00:00:00:01", MTU: 9000}, B: topology.End{Namespace: "A", Name: "e0", MAC: "02:00:00:00:00:02", MTU: 1400}},
			{A: topology.End{Namespace: "br0", Name: "e1"}, B: topology.End{Namespace: "host", Name: "h1", Master: "br0", AdminUp: &down}},
			{A: topology.End{Namespace: "macvlan", Name: "e2", MTU: 1300}, B: topology.End{Namespace: "A", Name: "e2"}},
			{A: topology.End{Namespace: "br0", Name: "e3"}, B: topology.End{Namespace: "host", Name: "h3", Master: "it's"}},
			{A: topology.End{Namespace: "host", Name: "x", Master: "br0"}, B: topology.End{Namespace: "host", Name: "y"}},
			{A: topology.End{Namespace: "A", Name: "x"}, B: topology.End{Namespace: "A", Name: "y"}},
		},
	}
	file, comments := readContainerlab(t, s)
	if diff := cmp.Diff([]map[string]any{
		{"type": "host", "mtu": uint64(1400), "endpoint": map[string]any{"node": "A", "interface": "e0", "mac": "02:00:00:00:00:02"}, "host-interface": "h0"},
		{"mtu": uint64(1500), "endpoints": []any{"br0:e1", "host:h1"}},
		{"mtu": uint64(1300), "endpoints": []any{"namespace2:e2", "A:e2"}},
		{"mtu": uint64(1500), "endpoints": []any{"br0:e3", "host:h3"}},
	}, file.Topology.Links); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	nodes := file.Topology.Nodes
	if len(nodes) != 3 || nodes["br0"].Kind != "linux" || nodes["namespace2"].Kind != "linux" {
		t.Errorf("nodes %+v", nodes)
	}
	for _, want := range []string{
		"ip link set dev lo down", "ip link set dev e2 mtu 1500", "ip link set dev e0 down", "ip link set dev e0 addrgenmode none", "ip link set dev e0 up",
		"ip link add name x type veth peer name y", "ip link set dev y addrgenmode none", "ip link set dev y up",
	} {
		if !slices.Contains(nodes["A"].Exec, want) {
			t.Errorf("A does not execute %s: %q", want, nodes["A"].Exec)
		}
	}
	if got := nodes["br0"].Exec; got != nil {
		t.Errorf("br0, which is not quiet, executes %q", got)
	}
	before, after, _ := strings.Cut(comments, "After\n# deploying")
	for _, want := range []string{"ip link add 'it'\\''s' type bridge", "ip link add br0 type bridge", "ip link add y type veth peer name x", "ip link set dev x master br0"} {
		if !strings.Contains(before, "\n#   "+want+"\n") {
			t.Errorf("%s is not to be done before:\n%s", want, before)
		}
	}
	for _, want := range []string{
		"ip link set dev h0 mtu 9000", "ip link set dev h0 address 02:00:00:00:00:01", "ip link set dev h1 down", "ip link set dev h1 master br0",
		"ip link set dev h3 master 'it'\\''s'", "The namespace macvlan is the node namespace2: no node can have its name.",
	} {
		if !strings.Contains(after, "\n#   "+want+"\n") {
			t.Errorf("%s is not to be done after:\n%s", want, after)
		}
	}
}
