package export

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"netdash/internal/topology"
)

var update = flag.Bool("update", false, "write testdata anew")

// writers are all formats of this package by the extension of their files.
var writers = map[string]func(*topology.Spec) []byte{
	".sh": Script, ".dot": Dot, ".mmd": Mermaid, ".clab.yml": Containerlab,
}

// twoSites is a lab as a teacher would draw it: a switch on the host with a
// host, a router, and another site behind it with a switch of its own.
func twoSites() *topology.Spec {
	off := false
	return &topology.Spec{
		Name:       "Two sites",
		Namespaces: []topology.Namespace{{Name: "A"}, {Name: "router"}, {Name: "B", LoopbackAddresses: []string{"10.9.9.9/32"}}, {Name: "site2"}},
		Bridges: []topology.Bridge{
			{Namespace: "host", Name: "br0", Addresses: []string{"10.1.0.100/24"}, FDB: []topology.FDBSpec{{MAC: "02:00:00:00:00:09", Port: "p1"}}},
			{Namespace: "site2", Name: "br0", BridgeAttributes: topology.BridgeAttributes{STP: new(true)}},
		},
		Veths: []topology.Veth{
			{
				A: topology.End{Namespace: "A", Name: "eth0", MAC: "02:00:00:00:00:0a", Addresses: []string{"10.1.0.1/24", "2001:db8:1::1/64"}},
				B: topology.End{Namespace: "host", Name: "p1", Master: "br0"},
			},
			{
				A: topology.End{Namespace: "host", Name: "p2", Master: "br0"},
				B: topology.End{Namespace: "router", Name: "lan", Addresses: []string{"10.1.0.254/24"}},
			},
			{
				A: topology.End{Namespace: "router", Name: "wan", MTU: 1400, Addresses: []string{"10.2.0.254/24"}},
				B: topology.End{Namespace: "site2", Name: "p1", Master: "br0", MTU: 1400},
			},
			{
				A: topology.End{Namespace: "B", Name: "eth0", Addresses: []string{"10.2.0.2/24"}},
				B: topology.End{Namespace: "site2", Name: "p2", Master: "br0", BridgePort: &topology.PortAttributes{Hairpin: new(true)}},
			},
			{
				A: topology.End{Namespace: "A", Name: "spare", AdminUp: &off, Alias: "not yet"},
				B: topology.End{Namespace: "host", Name: "uplink", Addresses: []string{"10.3.0.1/24"}},
			},
		},
		Routes: []topology.Route{
			{Namespace: "A", Destination: "default", Gateway: "10.1.0.254"},
			{Namespace: "B", Destination: "10.1.0.0/24", Gateway: "10.2.0.254", Metric: 10},
			{Namespace: "host", Destination: "10.2.0.0/24", Gateway: "10.1.0.254"},
			{Namespace: "A", Destination: "10.8.0.0/16", Link: "spare"},
		},
	}
}

// named is a Spec that has the given names wherever it can.
func named(lab, namespace, link, alias string) *topology.Spec {
	s := &topology.Spec{
		Name:       lab,
		Namespaces: []topology.Namespace{{Name: namespace}, {Name: "other"}, {Name: "namespace0"}},
		Bridges:    []topology.Bridge{{Namespace: "host", Name: link, Alias: alias}, {Namespace: namespace, Name: "br0"}},
		Veths: []topology.Veth{
			{A: topology.End{Namespace: namespace, Name: link, Alias: alias, Addresses: []string{"10.0.0.1/24"}}, B: topology.End{Namespace: "host", Name: "p1", Master: link}},
			{A: topology.End{Namespace: "other", Name: link, MAC: "02:00:00:00:00:01"}, B: topology.End{Namespace: namespace, Name: "p", Master: "br0"}},
			{A: topology.End{Namespace: "other", Name: "l2"}, B: topology.End{Namespace: "host", Name: "h2"}},
		},
		Routes: []topology.Route{{Namespace: namespace, Destination: "10.7.0.0/16", Link: link}},
	}
	return s
}

// odd are names with characters that mean something somewhere.
var odd = []string{
	`it's`, `$(reboot)`, `;rm`, "`id`", `a"b`, `\`, `\N`, `\\`, `*`, `#x;`, `#35;`, `&amp;`, `<b>`, `</td>`, `]]>`, `{{.}}`, `{{{`, `${HOME}`, `$HOME`, `${`,
	`%%{init}%%`, `_x_`, `**x**`, `~`, `!x`, `@x`, `|`, `[x]`, `(x)`, `true`, `null`, `1234`, `1e3`, `end`, `graph`, `subgraph`, `é`, "\u200b", "\ufffe", "\uffff", "\U0001f600", `-x-`[1:], `?`, `>`, `=`, `A`,
}

func TestGolden(t *testing.T) {
	s := twoSites()
	if err := topology.Validate(s); err != nil {
		t.Fatal(err)
	}
	for extension, write := range writers {
		file := filepath.Join("testdata", FileName(s.Name)+extension)
		got := write(s)
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what comes out (go test -update writes it):\n%s", file, got)
		}
	}
}

// TestSameSpecSameBytes: an export depends on the document only, and changes
// nothing.
func TestSameSpecSameBytes(t *testing.T) {
	for extension, write := range writers {
		first := write(twoSites())
		s := twoSites()
		s.Veths[0].B.Identity = topology.Identity{ID: 7, MAC: "02:11:22:33:44:55"}
		s.Bridges[0].Identity = topology.Identity{ID: 8, MAC: "02:11:22:33:44:66"}
		if got := write(s); !bytes.Equal(got, first) {
			t.Errorf("%s differs by what netdash remembers:\n%s", extension, got)
		}
		if !topology.Equal(s, twoSites()) || s.Veths[0].B.Identity.ID != 7 {
			t.Errorf("%s has changed the Spec", extension)
		}
	}
}

// TestNames: whatever names may be, each format stays what it is.
func TestNames(t *testing.T) {
	for _, name := range odd {
		checkNames(t, "lab "+name, name, name, name)
	}
}

func FuzzNames(f *testing.F) {
	for _, name := range odd {
		f.Add("lab\n"+name, name, "l"+name, "alias "+name)
	}
	f.Fuzz(func(t *testing.T, lab, namespace, link, alias string) { checkNames(t, lab, namespace, link, alias) })
}

func checkNames(t *testing.T, lab, namespace, link, alias string) {
	t.Helper()
	s := named(lab, namespace, link, alias)
	if topology.Validate(s) != nil {
		return
	}
	checkShell(t, s)
	checkDot(t, s)
	checkMermaid(t, s)
	checkContainerlab(t, s)
}

// checkShell has sh read a script without running it, and say the names again.
func checkShell(t *testing.T, s *topology.Spec) {
	t.Helper()
	script := Script(s)
	cmd := exec.Command("sh", "-n")
	cmd.Stdin = bytes.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sh -n: %v %s\n%s", err, out, script)
	}
	head, _, _ := strings.Cut(string(script), "set -eu")
	for line := range strings.Lines(head) {
		if !strings.HasPrefix(line, "#") && line != "\n" {
			t.Fatalf("a name has left its comment: %q", line)
		}
	}
	name := s.Namespaces[0].Name
	out, err := exec.Command("sh", "-c", "printf %s "+topology.Quote(name)).Output()
	if err != nil || string(out) != name {
		t.Fatalf("%q is quoted as %s, which is %q (%v)", name, topology.Quote(name), out, err)
	}
}

func TestFileName(t *testing.T) {
	for lab, want := range map[string]string{
		"": "lab", "Two sites": "Two-sites", "../../etc/passwd": "etc-passwd", "a\r\nb": "a--b", `"x";y`: "x--y", "...": "lab",
		"Küche": "K-che", "a.b_c-d": "a.b_c-d", strings.Repeat("x", 300): strings.Repeat("x", 60), "日本": "lab", "_": "lab", "-rf": "rf",
	} {
		if got := FileName(lab); got != want {
			t.Errorf("%q: %q, want %q", lab, got, want)
		}
	}
}

// star is a bridge with n namespaces around it.
func star(n int) *topology.Spec {
	s := &topology.Spec{Name: "star", Namespaces: []topology.Namespace{{Name: "switch"}}, Bridges: []topology.Bridge{{Namespace: "switch", Name: "br0"}}}
	for i := range n {
		name := fmt.Sprint("h", i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: name})
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: name, Name: "eth0", Addresses: []string{fmt.Sprintf("10.0.%d.%d/16", i/250, i%250+1)}},
			B: topology.End{Namespace: "switch", Name: fmt.Sprint("p", i), Master: "br0"},
		})
	}
	return s
}

func BenchmarkStar1000(b *testing.B) {
	s := star(1000)
	for extension, write := range writers {
		b.Run(extension, func(b *testing.B) {
			for b.Loop() {
				write(s)
			}
			b.ReportMetric(float64(len(write(s))), "bytes")
		})
	}
}
