package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/document"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// put makes a document the intended topology.
func (s *server) put(t testing.TB, text, media string) answer {
	t.Helper()
	return s.do(t, http.MethodPut, "/topology/intended", text, "Content-Type: "+media)
}

// promise is a ping that an example's head says works.
var promise = regexp.MustCompile(`(?m)^#   (\S+) -> (\S+)( .*)?$`)

// TestExampleFiles: each example becomes what it says, one after the other on one
// machine, and its pings work.
func TestExampleFiles(t *testing.T) {
	s := start(t)
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%v %v", files, err)
	}
	readme, err := os.ReadFile("../../examples/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			spec, err := document.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if spec.Name != name || !strings.Contains(string(readme), "("+name+".yaml)") {
				t.Errorf("it is called %s; examples/README.md names it: %v", spec.Name, strings.Contains(string(readme), name+".yaml"))
			}
			a := s.put(t, string(text), "application/yaml").want(t, http.StatusOK)
			if a.header.Get("Netdash-Operation") == "" || len(commands(t, a)) == 0 {
				t.Errorf("nothing was done: %s", a.body)
			}
			judgeSpec(t, spec)
			again := s.put(t, string(text), "application/yaml").want(t, http.StatusOK)
			if again.header.Get("Netdash-Operation") != "" || len(commands(t, again)) != 0 {
				t.Errorf("put again it does %s", again.body)
			}
			if strings.Contains(string(text), "sysctl -w net.ipv4.ip_forward=1") {
				nettest.Shell(t, "ip netns exec router sysctl -w net.ipv4.ip_forward=1")
			}
			if name == "loop-with-stp" {
				judgeLoop(t)
			}
			keepPromises(t, string(text))
			if name == "loop-with-stp" {
				judgeQuiet(t)
			}
		})
	}
	s.put(t, "{}", "application/json").want(t, http.StatusOK)
	if left := namespaces(t); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

func keepPromises(t *testing.T, text string) {
	t.Helper()
	promises := promise.FindAllStringSubmatch(text, -1)
	if len(promises) < 2 {
		t.Errorf("only %d pings are promised", len(promises))
	}
	for _, p := range promises {
		in := "ip netns exec " + p[1] + " "
		if p[1] == "host" {
			in = ""
		}
		if out, err := shell(t.Context(), in+"ping -c1 -W5 "+p[2]); err != nil {
			t.Errorf("%s -> %s: %v\n%s", p[1], p[2], err, out)
		}
	}
}

// judgeSpec compares what ip says with what a document asks for.
func judgeSpec(t *testing.T, spec *topology.Spec) {
	t.Helper()
	names := []string{"host"}
	for _, n := range spec.Namespaces {
		names = append(names, n.Name)
	}
	have := namespaces(t)
	slices.Sort(have)
	slices.Sort(names)
	if !slices.Equal(have, names) {
		t.Fatalf("there are the namespaces %v, not %v", have, names)
	}
	links := map[string]map[string]any{}
	routes := map[string][]map[string]any{}
	for _, ns := range names {
		answers := nettest.Batch(t, "ip", ns, "address show", "route show")
		for _, l := range answers[0] {
			links[ns+"/"+l["ifname"].(string)] = l
		}
		routes[ns] = answers[1]
		if lo := links[ns+"/lo"]; ns != "host" && !isUp(lo) {
			t.Errorf("%s/lo is %v", ns, lo["flags"])
		}
	}
	expect := func(ns, name, kind, master string, addresses []string) {
		l := links[ns+"/"+name]
		if l == nil {
			t.Errorf("there is no %s/%s", ns, name)
			return
		}
		delete(links, ns+"/"+name)
		info, _ := l["linkinfo"].(map[string]any)
		if info["info_kind"] != kind || fmt.Sprint(l["master"]) != strings.ReplaceAll(master, "none", "<nil>") || !isUp(l) {
			t.Errorf("%s/%s: kind %v, master %v, flags %v", ns, name, info["info_kind"], l["master"], l["flags"])
		}
		var got []string
		for _, a := range l["addr_info"].([]any) {
			if a := a.(map[string]any); a["scope"] == "global" {
				got = append(got, fmt.Sprintf("%v/%v", a["local"], a["prefixlen"]))
			}
		}
		if !slices.Equal(got, addresses) {
			t.Errorf("%s/%s has %v, not %v", ns, name, got, addresses)
		}
	}
	for _, b := range spec.Bridges {
		expect(b.Namespace, b.Name, "bridge", "none", b.Addresses)
	}
	for _, v := range spec.Veths {
		for _, e := range []topology.End{v.A, v.B} {
			master := e.Master
			if master == "" {
				master = "none"
			}
			expect(e.Namespace, e.Name, "veth", master, e.Addresses)
		}
	}
	for _, r := range spec.Routes {
		if !slices.ContainsFunc(routes[r.Namespace], func(o map[string]any) bool { return o["dst"] == r.Destination && o["gateway"] == r.Gateway }) {
			t.Errorf("%s has no route to %s by %s: %v", r.Namespace, r.Destination, r.Gateway, routes[r.Namespace])
		}
	}
	for key := range links {
		if !strings.HasSuffix(key, "/lo") {
			t.Errorf("there is %s too", key)
		}
	}
}

func isUp(link map[string]any) bool {
	flags, _ := link["flags"].([]any)
	return slices.Contains(flags, any("UP"))
}

// ring are the bridges of loop-with-stp.
var ring = []string{"root", "left", "right"}

// judgeLoop waits until the spanning tree is there: one port blocks, all others
// forward.
func judgeLoop(t *testing.T) {
	t.Helper()
	took := eventually(t, func() string {
		count := map[string]int{}
		var blocking string
		for _, ns := range ring {
			for _, p := range nettest.Bridge(t, ns, "link", "show") {
				state := fmt.Sprint(p["state"])
				count[state]++
				if state == "blocking" {
					blocking = ns + "/" + fmt.Sprint(p["ifname"])
				}
			}
		}
		if count["blocking"] != 1 || count["forwarding"] != 8 {
			return fmt.Sprintf("the ports are %v", count)
		}
		if blocking != "right/to-left" { // of the two ends of that cable, the one at the bridge that ranks lower
			return blocking + " is blocking"
		}
		return ""
	})
	t.Logf("the spanning tree took %s", took)
}

// judgeQuiet: the broadcasts of the pings (ARP) do not go round. In a storm a veth
// passes some hundred thousand frames a second.
func judgeQuiet(t *testing.T) {
	t.Helper()
	frames := func() (n float64) {
		for _, ns := range ring {
			for _, l := range nettest.IP(t, ns, "-s", "link", "show", "type", "veth") {
				n += l["stats64"].(map[string]any)["rx"].(map[string]any)["packets"].(float64)
			}
		}
		return n
	}
	nettest.Shell(t, "ip -n A neigh flush all; ip netns exec A ping -c1 -W5 10.3.0.3")
	before := frames()
	time.Sleep(time.Second)
	if n := frames() - before; n > 200 {
		t.Errorf("%v frames in a second without anybody sending", n)
	}
	for _, ns := range ring {
		for _, l := range nettest.IP(t, ns, "-d", "link", "show", "type", "bridge") {
			if data := l["linkinfo"].(map[string]any)["info_data"].(map[string]any); data["stp_state"] != 1.0 {
				t.Errorf("%s: stp_state %v", ns, data["stp_state"])
			}
		}
	}
}
