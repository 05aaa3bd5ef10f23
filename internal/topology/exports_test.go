package topology_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"netdash/internal/topology"
	"netdash/internal/topology/export"
)

// oddly gives a Spec's objects names that a shell would act upon.
func oddly(t *testing.T, s *topology.Spec) *topology.Spec {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	names := strings.NewReplacer(
		`"A"`, `"it's"`, `"B"`, `"$(reboot)"`, `"C"`, `";rm"`, `"D"`, `"{{x}}"`,
		`"br0"`, `"it's"`, `"br1"`, `"up"`, `"p0"`, "\"`id`\"", `"p1"`, `"$$"`, `"q0"`, `"*"`, `"q1"`, `"a|b>c"`, `"p2"`, `"\"x\""`, `"q2"`, `"\\"`,
	)
	var odd topology.Spec
	if err := json.Unmarshal([]byte(names.Replace(string(text))), &odd); err != nil {
		t.Fatal(err)
	}
	if err := topology.Validate(&odd); err != nil {
		t.Fatal(err)
	}
	return &odd
}

// TestScriptsOfRandomSpecs: any shell can read them, and they have the commands
// of both ways.
func TestScriptsOfRandomSpecs(t *testing.T) {
	for seed := range uint64(300) {
		s := oddly(t, topology.RandomSpec(rand.New(rand.NewPCG(seed, 3))))
		script := export.Script(s)
		cmd := exec.Command("sh", "-n")
		cmd.Stdin = bytes.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("seed %d: %v %s\n%s", seed, err, out, script)
		}
		var commands []string
		for line := range strings.Lines(string(script)) {
			if line := strings.TrimSpace(line); strings.HasPrefix(line, "ip ") || strings.HasPrefix(line, "bridge ") {
				commands = append(commands, line)
			}
		}
		want := append(topology.Diff(&topology.Spec{}, s).Commands(), topology.Diff(s, &topology.Spec{}).Commands()...)
		if !slices.Equal(commands, want) {
			t.Fatalf("seed %d: the script does\n%s\nnot\n%s", seed, strings.Join(commands, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestContainerlabLeavesNothingUnsaid: each step of building a random Spec is a
// node, a link, a command that a node executes, or on the list of what was left
// out.
func TestContainerlabLeavesNothingUnsaid(t *testing.T) {
	counts := map[string]int{}
	for seed := range uint64(1000) {
		s := topology.RandomSpec(rand.New(rand.NewPCG(seed, 4)))
		text := string(export.Containerlab(s))
		var file struct {
			Topology struct {
				Nodes map[string]struct{ Exec []string }
				Links []struct{ Endpoints []string }
			}
		}
		if err := yaml.Unmarshal([]byte(text), &file); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		listed := strings.Split(text, "\n")
		var ends []string // of links, as node:link
		for _, l := range file.Topology.Links {
			ends = append(ends, l.Endpoints...)
		}
		for _, c := range topology.Diff(&topology.Spec{}, s) {
			where := "nowhere"
			namespace, _, _ := strings.Cut(c.Subject(), "/")
			switch c := c.(type) {
			case topology.AddRoute:
				namespace = c.Route.Namespace
			case topology.CreateNamespace:
				if _, ok := file.Topology.Nodes[c.Name]; ok {
					where = "node"
				}
			case topology.CreateVeth:
				if slices.ContainsFunc(file.Topology.Links, func(l struct{ Endpoints []string }) bool { return joins(l.Endpoints, c.A, c.B, s) }) {
					where = "link"
				}
			case topology.SetUp: // a container's lo, and links, are up when they are made
				if c.Name == topology.LoopbackName || isCable(s, c.Namespace, c.Name) {
					where = "up by itself"
				}
			case topology.SetMaster:
				if c.Namespace == topology.HostName && slices.Contains(ends, c.Master+":"+c.Name) {
					where = "link to a bridge"
				}
			case topology.SetAddressGeneration:
				if c.Namespace == topology.HostName && isCable(s, c.Namespace, c.Name) && strings.Contains(text, "Ports of bridges on the host have a link-local IPv6 address") {
					where = "listed in words"
				}
			}
			inside := strings.Replace(strings.Replace(c.Command(), "ip -n "+namespace+" ", "ip ", 1), "bridge -n "+namespace+" ", "bridge ", 1)
			switch {
			case namespace != topology.HostName && slices.Contains(file.Topology.Nodes[namespace].Exec, inside):
				where = "executed"
			case namespace == topology.HostName && slices.Contains(listed, "#   "+c.Command()):
				where = "listed"
			}
			counts[where]++
			if where == "nowhere" {
				t.Fatalf("seed %d: nothing is said of %s in\n%s", seed, c.Command(), text)
			}
		}
	}
	if len(counts) < 7 {
		t.Errorf("only %v came up", counts)
	}
}

// joins tells whether a link is the one between two ends. An end on the host is
// at its bridge, or at host.
func joins(endpoints []string, a, b topology.VethEnd, s *topology.Spec) bool {
	at := func(e topology.VethEnd, endpoint string) bool {
		node, name, _ := strings.Cut(endpoint, ":")
		if e.Namespace == topology.HostName {
			return name == e.Name && (node == topology.HostName || node == s.FindEnd(e.Namespace, e.Name).Master)
		}
		return name == e.Name && node == e.Namespace
	}
	return at(a, endpoints[0]) && at(b, endpoints[1]) || at(b, endpoints[0]) && at(a, endpoints[1])
}

// isCable tells whether a link is an end of a pair between two namespaces.
func isCable(s *topology.Spec, namespace, name string) bool {
	return slices.ContainsFunc(s.Veths, func(v topology.Veth) bool {
		return v.A.Namespace != v.B.Namespace && (v.A.Namespace == namespace && v.A.Name == name || v.B.Namespace == namespace && v.B.Name == name)
	})
}
