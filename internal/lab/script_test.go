package lab_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netdash/internal/netops"
	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/topology/export"
)

var shells = []string{"sh", "dash", "bash --posix"}

// scriptCase is a Spec whose script is held against an edit to the same Spec.
type scriptCase struct {
	name  string
	spec  topology.Spec
	needs string // feature of the kernel
}

func scriptCases() []scriptCase {
	veth := func(a, b topology.End) topology.Veth { return topology.Veth{A: a, B: b} }
	return []scriptCase{
		{"nothing", topology.Spec{}, ""},
		{"two hosts", topology.Spec{
			Namespaces: []topology.Namespace{{Name: "A", LoopbackUp: down}, {Name: "B", LoopbackAddresses: []string{"10.9.9.9/32", "2001:db8:9::9/128"}}},
			Veths: []topology.Veth{
				veth(topology.End{Namespace: "A", Name: "eth0", MAC: "02:00:00:00:00:0a", MTU: 1400, Alias: `to "B", it's $HOME; #1`, Addresses: []string{"10.0.0.1/24", "10.0.0.7/24", "2001:db8::1/64"}},
					topology.End{Namespace: "B", Name: "eth0", MTU: 9000, Addresses: []string{"10.0.0.2/24", "2001:db8::2/64"}}),
				veth(topology.End{Namespace: "A", Name: "eth1", AdminUp: down, Addresses: []string{"10.1.0.1/24"}}, topology.End{Namespace: "B", Name: "eth1"}),
				veth(topology.End{Namespace: "A", Name: "x"}, topology.End{Namespace: "A", Name: "y", Addresses: []string{"169.254.1.1/16"}}),
			},
			Routes: []topology.Route{
				{Namespace: "A", Destination: "default", Gateway: "10.0.0.2"},
				{Namespace: "A", Destination: "10.7.0.0/16", Link: "eth0", Metric: 7},
				{Namespace: "A", Destination: "10.8.0.0/16", Gateway: "10.1.0.2"}, // its link is down
				{Namespace: "B", Destination: "default", Gateway: "fe80::fe", Link: "eth0"},
				{Namespace: "B", Destination: "2001:db8:7::/48", Gateway: "2001:db8::1"},
			},
		}, ""},
		{"a bridge on the host", topology.Spec{
			Name:       "Küche's $(reboot)\nreboot",
			Namespaces: []topology.Namespace{{Name: "A"}, {Name: "B"}},
			Bridges: []topology.Bridge{{
				Namespace: "host", Name: "br0", MAC: "02:00:00:00:00:99", MTU: 1400, Alias: "the switch", Addresses: []string{"10.1.0.254/24", "2001:db8:1::fe/64"},
				FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:42", Port: "p1"}, {MAC: "02:00:00:00:00:43", Port: "br0"}},
			}},
			Veths: []topology.Veth{
				veth(topology.End{Namespace: "A", Name: "eth0", Addresses: []string{"10.1.0.1/24"}}, topology.End{Namespace: "host", Name: "p1", Master: "br0"}),
				veth(topology.End{Namespace: "host", Name: "p2", Master: "br0", MAC: "02:00:00:00:00:02"}, topology.End{Namespace: "B", Name: "eth0", Addresses: []string{"10.1.0.2/24"}}),
				veth(topology.End{Namespace: "host", Name: "h0", Addresses: []string{"10.2.0.1/24"}}, topology.End{Namespace: "host", Name: "h1"}),
			},
			Routes: []topology.Route{
				{Namespace: "A", Destination: "default", Gateway: "10.1.0.254"},
				{Namespace: "host", Destination: "10.3.0.0/16", Gateway: "10.1.0.1", Metric: 20},
			},
		}, ""},
		{"settings of bridges and ports", topology.Spec{
			Namespaces: []topology.Namespace{{Name: "sw"}, {Name: "A"}},
			Bridges: []topology.Bridge{
				// Without ports: one that begins to forward is a change of topology, during
				// which a bridge with STP ages its table faster.
				{Namespace: "sw", Name: "stp", BridgeAttributes: topology.BridgeAttributes{
					STP: up, AgeingSeconds: new(60), ForwardDelaySeconds: new(2), HelloSeconds: new(1), MaxAgeSeconds: new(6), Priority: new(4096), MulticastSnooping: down,
				}},
				{Namespace: "sw", Name: "br0"},
				{Namespace: "sw", Name: "br1", AdminUp: down},
			},
			Veths: []topology.Veth{
				veth(topology.End{Namespace: "A", Name: "eth0"}, topology.End{Namespace: "sw", Name: "p1", Master: "br0", BridgePort: &topology.PortAttributes{
					Cost: new(77), Priority: new(9), Hairpin: up, Guard: up, RootBlock: up, FastLeave: up,
					Learning: down, Flood: down, MulticastFlood: down, BroadcastFlood: down, Isolated: up,
				}}),
				veth(topology.End{Namespace: "A", Name: "eth1"}, topology.End{Namespace: "sw", Name: "p2", Master: "br0"}),
			},
		}, ""},
		{"VLANs", topology.Spec{
			Bridges: []topology.Bridge{{
				Namespace: "host", Name: "br0", BridgeAttributes: topology.BridgeAttributes{VLANFiltering: up},
				FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:42", Port: "br0", VLAN: 1}},
			}},
		}, topology.FeatureVLANFiltering},
		{"quiet", topology.Spec{
			IPv6:       down,
			Namespaces: []topology.Namespace{{Name: "A"}, {Name: "B", IPv6: up}},
			Veths:      []topology.Veth{veth(topology.End{Namespace: "A", Name: "eth0"}, topology.End{Namespace: "B", Name: "eth0"})},
		}, ""},
		{"names", topology.Spec{
			Name:       "*/ `id` \\ ' \" {{.}}",
			Namespaces: []topology.Namespace{{Name: "it's"}, {Name: "$(reboot)"}, {Name: ";rm"}, {Name: `a"b\c`}, {Name: "*"}, {Name: "#x"}, {Name: "{{x}}${HOME}"}, {Name: "é`id`"}, {Name: "~"}, {Name: "1234"}},
			Bridges:    []topology.Bridge{{Namespace: "host", Name: "up"}},
			Veths: []topology.Veth{
				veth(topology.End{Namespace: "it's", Name: "$(reboot)", Addresses: []string{"10.0.0.1/24"}}, topology.End{Namespace: "host", Name: `";rm|&`, Master: "up"}),
				veth(topology.End{Namespace: "$(reboot)", Name: "type"}, topology.End{Namespace: ";rm", Name: "*"}),
				veth(topology.End{Namespace: `a"b\c`, Name: `\n$$`}, topology.End{Namespace: "1234", Name: "it's"}),
			},
		}, ""},
	}
}

// TestScriptRebuildsTheLab: the script of a Spec, run by plain shells with real
// ip and bridge, gives what an edit to that Spec gives, and takes all of it
// away again.
func TestScriptRebuildsTheLab(t *testing.T) {
	nettest.Require(t)
	for _, c := range scriptCases() {
		t.Run(c.name, func(t *testing.T) {
			if nettest.InWorld() != "" {
				inScriptWorld(t, &c.spec)
				return
			}
			if c.needs != "" && !features(t)[c.needs] {
				t.Skip("this kernel lacks " + c.needs)
			}
			// Carrier, link-local addresses and port states come a little later than
			// what causes them, so a difference counts once everything had its time.
			difference := ""
			for _, patience := range []string{"1s", "8s"} {
				seen := worlds(t, patience, append([]string{"lab"}, shells...)...)
				difference = ""
				for i, shell := range shells {
					if diff := cmp.Diff(seen[0], seen[1+i]); diff != "" {
						difference += fmt.Sprintf("by %s (+), not as by the lab (-):\n%s", shell, diff)
					}
				}
				if difference == "" {
					return
				}
			}
			t.Errorf("%s\nthe script:\n%s", difference, export.Script(&c.spec))
		})
	}
}

func features(t *testing.T) map[string]bool {
	t.Helper()
	k, err := netops.New(netops.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	return k.Capabilities().Features
}

// worlds runs this test on several machines at once, and gives what each looks
// like after patience.
func worlds(t *testing.T, patience string, builders ...string) []map[string]any {
	t.Helper()
	seen, errs := make([]map[string]any, len(builders)), make([]error, len(builders))
	var wg sync.WaitGroup
	for i, builder := range builders {
		wg.Go(func() {
			report, err := nettest.World(t, patience+" "+builder)
			if err == nil {
				err = json.Unmarshal(report, &seen[i])
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return seen
}

func inScriptWorld(t *testing.T, spec *topology.Spec) {
	t.Helper()
	wait, builder, _ := strings.Cut(nettest.InWorld(), " ")
	patience, err := time.ParseDuration(wait)
	if err != nil {
		t.Fatal(err)
	}
	// The first namespace ever changes how /run/netns is mounted.
	nettest.Shell(t, "ip netns add first && ip netns delete first")
	var seen map[string]any
	if builder == "lab" {
		m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
		m.edit(t, func(s *topology.Spec) error { *s = *spec.Clone(); return nil })
		time.Sleep(patience)
		seen = nettest.Observe(t)
	} else {
		empty := nettest.Observe(t)
		run := scriptOf(t, spec, builder)
		if said, err := run(); err != nil || said != "" {
			t.Fatalf("%v\n%s", err, said)
		}
		time.Sleep(patience)
		seen = nettest.Observe(t)
		if said, err := run("down"); err != nil || said != "" {
			t.Errorf("down: %v\n%s", err, said)
		}
		if diff := cmp.Diff(empty, nettest.Observe(t)); diff != "" {
			t.Errorf("left over (+):\n%s", diff)
		}
	}
	report, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	nettest.Report(t, report)
}

// scriptOf gives a way to run a Spec's script in a shell.
func scriptOf(t *testing.T, spec *topology.Spec, shell string) func(args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), export.FileName(spec.Name)+".sh")
	if err := os.WriteFile(file, export.Script(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	words := append(strings.Fields(shell), file)
	return func(args ...string) (string, error) {
		out, err := exec.Command(words[0], slices.Concat(words[1:], args)...).CombinedOutput()
		return string(out), err
	}
}

// TestScriptHarmsNothing: a script that cannot build its lab leaves everything
// as it was, says why, and fails; and one can take down what is half gone.
func TestScriptHarmsNothing(t *testing.T) {
	nettest.NoLeaks(t)
	spec := topology.Spec{
		Namespaces: []topology.Namespace{{Name: "A"}, {Name: "it's"}},
		Bridges:    []topology.Bridge{{Namespace: "host", Name: "br0"}},
		Veths: []topology.Veth{{
			A: topology.End{Namespace: "A", Name: "eth0", Addresses: []string{"10.1.0.1/24"}},
			B: topology.End{Namespace: "host", Name: "p1", Master: "br0"},
		}},
		Routes: []topology.Route{{Namespace: "A", Destination: "default", Gateway: "10.1.0.254"}},
	}
	nettest.Shell(t, "ip netns add first && ip netns delete first")
	for _, shell := range shells {
		run := scriptOf(t, &spec, shell)
		for obstacle, c := range map[string]struct{ remove, says string }{
			`ip netns add "it's" && ip -n "it's" link add br0 type bridge`: {`ip netns delete "it's"`, "there is already a namespace it's"},
			"ip link add p1 type bridge":                                   {"ip link delete p1", "there is already a link p1"},
		} {
			nettest.Shell(t, obstacle)
			before := nettest.Observe(t)
			if said, err := run(); err == nil || strings.TrimSpace(said) != c.says {
				t.Errorf("%s, after %s: %v %s", shell, obstacle, err, said)
			}
			if diff := cmp.Diff(before, nettest.Observe(t)); diff != "" {
				t.Errorf("%s, after %s:\n%s", shell, obstacle, diff)
			}
			nettest.Shell(t, c.remove)
		}
		before := nettest.Observe(t)

		// A command in the middle that fails: the route's.
		ip, err := exec.LookPath("ip")
		if err != nil {
			t.Fatal(err)
		}
		broken := filepath.Join(t.TempDir(), "ip")
		if err := os.WriteFile(broken, []byte("#!/bin/sh\ncase \"$*\" in *route*) echo refused >&2; exit 2;; esac\nexec "+ip+" \"$@\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		path := os.Getenv("PATH")
		t.Setenv("PATH", filepath.Dir(broken)+":"+path)
		said, err := run()
		t.Setenv("PATH", path)
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 || said != "refused\nfailed: taking down what was built\n" {
			t.Errorf("%s, with a command that fails: %v %s", shell, err, said)
		}
		if diff := cmp.Diff(before, nettest.Observe(t)); diff != "" {
			t.Errorf("%s, with a command that fails:\n%s", shell, diff)
		}

		// Half gone, then gone.
		if said, err := run(); err != nil {
			t.Fatalf("%s: %v %s", shell, err, said)
		}
		// A deleted namespace takes its cables with it a moment later.
		nettest.Shell(t, "ip netns delete A; while ip link show dev p1 >/dev/null 2>&1; do sleep 0.05; done")
		if said, err := run("down"); err != nil {
			t.Errorf("%s, half gone: %v %s", shell, err, said)
		}
		if diff := cmp.Diff(before, nettest.Observe(t)); diff != "" {
			t.Errorf("%s, half gone:\n%s", shell, diff)
		}
		if said, err := run("sideways"); err == nil || !strings.HasPrefix(said, "usage: ") {
			t.Errorf("%s: %v %s", shell, err, said)
		}
	}
}

// TestScriptCasesCoverASpec: each field of a Spec is used by some case.
func TestScriptCasesCoverASpec(t *testing.T) {
	used := map[string]bool{}
	for _, c := range scriptCases() {
		if err := topology.Validate(&c.spec); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		fieldsOf(reflect.ValueOf(c.spec), used)
	}
	for _, field := range slices.Sorted(maps.Keys(used)) {
		if !used[field] {
			t.Errorf("no case has %s", field)
		}
	}
	if len(used) < 50 {
		t.Errorf("only %d fields were found", len(used))
	}
}

// fieldsOf notes each field below v, and whether it is set.
func fieldsOf(v reflect.Value, used map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		fieldsOf(v.Elem(), used)
	case reflect.Slice:
		fieldsOf(reflect.Zero(v.Type().Elem()), used)
		for i := range v.Len() {
			fieldsOf(v.Index(i), used)
		}
	case reflect.Struct:
		for f, value := range v.Fields() {
			if f.Type == reflect.TypeFor[topology.Identity]() {
				continue // no part of a document
			}
			name := v.Type().Name() + "." + f.Name
			used[name] = used[name] || !value.IsZero()
			fieldsOf(value, used)
		}
	}
}
