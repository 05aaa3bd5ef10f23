package netops

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// equivalence is a Change and the commands that build what it is made on.
type equivalence struct {
	name   string
	lab    string
	change topology.Change
	needs  string // feature of the kernel
}

// TestCommandsAreEquivalent holds each Change's kernel call against its printed
// command: both are done to the same lab, each on a machine of its own, and
// iproute2 must see no difference. In short, on an emulated machine, one case of
// each kind of Change, and those of features that few kernels lack.
func TestCommandsAreEquivalent(t *testing.T) {
	nettest.Require(t)
	features := map[string]bool{}
	if nettest.InWorld() == "" {
		features = newKernel(t).Capabilities().Features
	}
	start := time.Now()
	nettest.Shell(t, "ip link")
	pace := time.Since(start) // how fast this machine is
	kinds := map[string]bool{}
	for _, c := range equivalences() {
		kind := fmt.Sprintf("%T", c.change)
		if testing.Short() && c.needs == "" && kinds[kind] {
			continue
		}
		kinds[kind] = true
		t.Run(c.name, func(t *testing.T) {
			if nettest.InWorld() != "" {
				inWorld(t, c)
				return
			}
			if c.needs != "" && !features[c.needs] {
				t.Skip("this kernel lacks " + c.needs)
			}
			t.Parallel()
			// Carrier, link-local addresses and port states come a little later than
			// what causes them, so a difference counts once everything had its time.
			difference := ""
			for _, patience := range []time.Duration{30 * pace, 2500*time.Millisecond + 30*pace} {
				applied, printed := bothWorlds(t, patience)
				if cmp.Equal(applied.Before, applied.After) {
					t.Fatalf("%T changed nothing that ip or bridge can see", c.change)
				}
				difference = cmp.Diff(printed.After, applied.After)
				if difference == "" {
					return
				}
			}
			t.Errorf("%s (-), Apply (+):\n%s", c.change.Command(), difference)
		})
	}
}

// worldReport is what a world looks like before the Change, which is known of
// the one where it is applied, and after.
type worldReport struct{ Before, After map[string]any }

func bothWorlds(t *testing.T, patience time.Duration) (applied, printed worldReport) {
	t.Helper()
	look := func(world string, r *worldReport) error {
		b, err := nettest.World(t, world+" "+patience.String())
		if err != nil {
			return err
		}
		return json.Unmarshal(b, r)
	}
	done := make(chan error)
	go func() { done <- look("applied", &applied) }()
	err := look("printed", &printed)
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	return applied, printed
}

func inWorld(t *testing.T, c equivalence) {
	t.Helper()
	world, wait, _ := strings.Cut(nettest.InWorld(), " ")
	patience, err := time.ParseDuration(wait)
	if err != nil {
		t.Fatal(err)
	}
	if c.lab != "" {
		nettest.Shell(t, "set -e\n"+c.lab)
	}
	// While nothing is up, nothing comes later than what causes it.
	if _, setUp := c.change.(topology.SetUp); !setUp && !strings.Contains(c.lab, " up") {
		patience = 0
	}
	time.Sleep(patience)
	var r worldReport
	look := func() map[string]any {
		seen := nettest.Observe(t)
		if shows := shown(c.change); shows != "" {
			seen["settings"] = nettest.Shell(t, shows)
		}
		return seen
	}
	if world == "applied" {
		r.Before = look()
		k, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Apply(t.Context(), c.change); err != nil {
			t.Fatal(err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		nettest.Shell(t, c.change.Command())
	}
	time.Sleep(patience)
	r.After = look()
	report, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	nettest.Report(t, report)
}

// shown prints what a Change is about that no other one is.
func shown(c topology.Change) string {
	in := "ip netns exec " + c.Where() + " "
	if c.Where() == topology.HostName {
		in = ""
	}
	switch c := c.(type) {
	case topology.SetSysctl:
		return in + "cat /proc/sys/" + c.Name
	case topology.DeleteNeighbour:
		return in + "ip neighbour show nud permanent"
	case topology.DeleteRule, topology.SetPolicy:
		return in + "nft -a list ruleset"
	}
	return ""
}

// TestEveryChangeHasAnEquivalence finds Changes that nobody compares.
func TestEveryChangeHasAnEquivalence(t *testing.T) {
	var declarations []ast.Decl
	for _, source := range []string{"../topology/change.go", "../topology/change_setting.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("the source is not on this machine")
		}
		if err != nil {
			t.Fatal(err)
		}
		declarations = append(declarations, file.Decls...)
	}
	compared := map[string]bool{}
	for _, c := range equivalences() {
		compared[reflect.TypeOf(c.change).Name()] = true
	}
	n := 0
	for _, d := range declarations {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv == nil || f.Name.Name != "Command" {
			continue
		}
		n++
		if name := f.Recv.List[0].Type.(*ast.Ident).Name; !compared[name] {
			t.Errorf("no equivalence is tested for %s", name)
		}
	}
	if n == 0 {
		t.Error("no Change found in the source")
	}
}
