package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/walk"
)

// walked is a ping with the way of its frames.
type walked struct {
	topology.PingResult
	Walk *walk.Walk
}

// walk pings once, from a namespace to an address, and gives the way of the frames.
// Whatever was walked, its story must hang together.
func (s *server) walk(t testing.TB, from, to string, more ...string) walked {
	t.Helper()
	body := fmt.Sprintf(`{"namespace":%q,"address":%q,"count":1,"walk":true%s}`, from, to, strings.Join(more, ""))
	w := read[walked](t, s.do(t, http.MethodPost, "/pings", body).want(t, http.StatusOK))
	if w.Walk == nil {
		t.Fatalf("no walk: %+v", w)
	}
	if w.Walk.Incomplete != "" || w.Walk.Dropped != 0 {
		t.Errorf("incomplete %q, %d dropped", w.Walk.Incomplete, w.Walk.Dropped)
	}
	coherent(t, w.Walk)
	return w
}

// coherent fails unless every hop comes after the one it came from, by a cable
// or within a namespace, and every decision is about hops that are there.
func coherent(t testing.TB, w *walk.Walk) {
	t.Helper()
	hops := map[int]walk.Hop{}
	for i, f := range w.Frames {
		if f.ID != i+1 || len(f.Hops) == 0 {
			t.Errorf("frame %d: %+v", i, f)
		}
		for j, h := range f.Hops {
			from, ok := hops[h.From]
			if h.From != 0 && (!ok || h.At.Before(from.At)) || j > 0 && h.From == 0 {
				t.Errorf("hop %+v comes from %+v", h, from)
			}
			hops[h.ID] = h
		}
	}
	for i, d := range w.Decisions {
		h, ok := hops[d.Hop]
		if d.ID != i+1 || !ok || h.Link != d.InPort || h.At != d.At || !strings.HasPrefix(d.Bridge, h.Namespace+"/") || d.Detail == "" {
			t.Errorf("decision %+v about %+v", d, h)
		}
		if i > 0 && d.At.Before(w.Decisions[i-1].At) {
			t.Errorf("decision %d is before the one before it", d.ID)
		}
	}
}

// story tells what the bridges decided, one line each: frame, bridge, ports,
// verdict, reason, and what was learned or does not fit.
func (w walked) story() string {
	var lines []string
	for _, d := range w.Walk.Decisions {
		out := strings.Join(d.OutPorts, ",")
		line := fmt.Sprintf("%s %s %s>%s %s %s", w.Walk.Frames[d.Frame-1].Kind, d.Bridge, d.InPort, out, d.Verdict, d.Reason)
		if d.Learned != nil {
			line += strings.TrimSuffix(" "+d.Learned.How+" "+d.Learned.FromPort, " ")
		}
		for _, s := range d.Skipped {
			line += fmt.Sprintf(" !%s:%s", s.Port, s.Reason)
		}
		if d.Contradiction != "" {
			line += " BUT " + d.Contradiction
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// wants fails unless the story is this one.
func (w walked) wants(t testing.TB, story string) {
	t.Helper()
	want := strings.TrimSpace(strings.ReplaceAll(story, "\t", ""))
	if got := w.story(); got != want {
		for _, d := range w.Walk.Decisions {
			t.Logf("%d: %s", d.Frame, d.Detail)
		}
		for _, f := range w.Walk.Frames {
			t.Logf("%d %s %s>%s %s>%s: %s", f.ID, f.Kind, f.SrcMAC, f.DstMAC, f.SrcIP, f.DstIP, way(f))
		}
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// frame gives the frame of a kind; the test fails unless there is one.
func (w walked) frame(t testing.TB, kind walk.Kind, number int) walk.Frame {
	t.Helper()
	for _, f := range w.Walk.Frames {
		if f.Kind == kind {
			if number--; number == 0 {
				return f
			}
		}
	}
	t.Fatalf("there is no such %s: %+v", kind, w.Walk.Frames)
	return walk.Frame{}
}

// way lists where a frame was, with what became of it.
func way(f walk.Frame) string {
	var out []string
	for _, h := range f.Hops {
		line := h.Namespace + "/" + h.Link + ":" + h.Direction
		if h.End != "" {
			line += ":" + h.End
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// star is a document of hosts h1, h2, … with addresses 10.1.0.1, … on ports p1,
// p2, … of a bridge sw/br0.
func star(hosts int) string {
	spec := topology.Spec{
		IPv6:       new(false),
		Namespaces: []topology.Namespace{{Name: "sw"}},
		Bridges:    []topology.Bridge{{Namespace: "sw", Name: "br0"}},
	}
	for i := 1; i <= hosts; i++ {
		spec.Namespaces = append(spec.Namespaces, topology.Namespace{Name: fmt.Sprintf("h%d", i)})
		spec.Veths = append(spec.Veths, topology.Veth{
			A: topology.End{Namespace: fmt.Sprintf("h%d", i), Name: "eth0", MAC: fmt.Sprintf("02:00:00:00:00:%02x", i), Addresses: []string{fmt.Sprintf("10.1.0.%d/24", i)}},
			B: topology.End{Namespace: "sw", Name: fmt.Sprintf("p%d", i), Master: "br0"},
		})
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// build makes a topology and waits until every link carries.
func (s *server) build(t testing.TB, document string) {
	t.Helper()
	s.do(t, http.MethodPut, "/topology/intended", document).want(t, http.StatusOK)
	s.carrying(t)
}

func (s *server) carrying(t testing.TB) {
	t.Helper()
	eventually(t, func() string {
		for _, n := range get[topology.Snapshot](t, s, "/topology").Namespaces {
			for _, l := range n.Links {
				forwards := l.BridgePort == nil || l.BridgePort.State == "forwarding"
				if l.Kind == "veth" && (l.OperState != "up" || !forwards) {
					return n.Name + "/" + l.Name + " is not up"
				}
			}
		}
		return ""
	})
}

// forget empties the MAC table of a bridge and the neighbour tables of all hosts.
func (s *server) forget(t testing.TB, namespace, bridge string) {
	t.Helper()
	s.do(t, http.MethodPost, "/namespaces/"+namespace+"/bridges/"+bridge+"/fdb/flush", "").want(t, http.StatusOK)
	nettest.Shell(t, "for n in $(ls /run/netns); do ip -n $n neigh flush all; ip -n $n neigh flush nud permanent; done")
}

// port sets flags of a port with bridge(8) and waits until netdash has seen it.
func (s *server) port(t testing.TB, namespace, port, flag string, seen func(*topology.PortInfo) bool) {
	t.Helper()
	nettest.Shell(t, fmt.Sprintf("bridge -n %s link set dev %s %s", namespace, port, flag))
	eventually(t, func() string {
		if l := get[topology.Link](t, s, "/namespaces/"+namespace+"/links/"+port); l.BridgePort == nil || !seen(l.BridgePort) {
			return port + " is not " + flag
		}
		return ""
	})
}

func TestWalkStar(t *testing.T) {
	s := start(t)
	s.build(t, star(10))
	s.forget(t, "sw", "br0")
	others := "p10,p2,p3,p4,p5,p6,p7,p8,p9"

	w := s.walk(t, "h1", "10.1.0.2")
	if w.Received != 1 {
		t.Fatalf("%+v", w.PingResult)
	}
	w.wants(t, `arp_request sw/br0 p1>`+others+` flood broadcast new
		arp_reply sw/br0 p2>p1 forward known new
		echo_request sw/br0 p1>p2 forward known refreshed
		echo_reply sw/br0 p2>p1 forward known refreshed`)
	flood := w.frame(t, walk.ARPRequest, 1)
	if len(flood.Hops) != 2+1+2*9 || flood.SrcIP != "10.1.0.1" || flood.DstIP != "10.1.0.2" || flood.DstMAC != "ff:ff:ff:ff:ff:ff" {
		t.Errorf("%+v", flood)
	}
	if got := way(w.frame(t, walk.EchoRequest, 1)); got != "h1/eth0:out h2/eth0:in:taken sw/p1:in sw/p2:out" {
		t.Errorf("echo request: %s", got)
	}
	reply := w.frame(t, walk.EchoReply, 1)
	if got := way(reply); got != "h1/eth0:in:taken h2/eth0:out sw/p1:out sw/p2:in" || reply.Answers != w.frame(t, walk.EchoRequest, 1).ID || reply.Seq != 1 {
		t.Errorf("echo reply: %s, %+v", got, reply)
	}
	// What is said to be learned is what bridge(8) has.
	for _, mac := range []string{"02:00:00:00:00:01 p1", "02:00:00:00:00:02 p2"} {
		if !slices.ContainsFunc(nettest.Bridge(t, "sw", "fdb"), func(e map[string]any) bool {
			return fmt.Sprint(e["mac"], " ", e["ifname"]) == mac
		}) {
			t.Errorf("bridge fdb does not have %s", mac)
		}
	}

	// The neighbour is known, the bridge has forgotten it: unknown unicast.
	s.do(t, http.MethodPost, "/namespaces/sw/bridges/br0/fdb/flush", "").want(t, http.StatusOK)
	w = s.walk(t, "h1", "10.1.0.2")
	w.wants(t, `echo_request sw/br0 p1>`+others+` flood unknown new
		echo_reply sw/br0 p2>p1 forward known new`)
	if got := way(w.frame(t, walk.EchoRequest, 1)); strings.Count(got, ":ignored") != 8 || !strings.Contains(got, "h2/eth0:in:taken") {
		t.Errorf("unknown unicast: %s", got)
	}

	// h2's cable is moved to h9's port; what it sends there moves its MAC.
	nettest.Shell(t, `ip -n sw link set p2 nomaster; ip -n sw link set p9 nomaster
		ip -n h9 link set eth0 down; ip -n h9 link set eth0 name old; ip -n h9 link set old address 02:00:00:00:00:99
		ip -n h2 link set eth0 netns h9; ip -n h9 link set old netns h2 name eth0
		ip -n h2 link set eth0 address 02:00:00:00:00:02; ip -n h2 addr add 10.1.0.2/24 dev eth0
		ip -n h2 link set eth0 addrgenmode none; ip -n h2 link set eth0 up # moved, it would have IPv6 again, which speaks for seconds
		ip -n sw link set p9 master br0`)
	s.up(t, "h2/eth0", "sw/p9")
	nettest.Shell(t, "bridge -n sw fdb replace 02:00:00:00:00:02 dev p3 master dynamic") // h2 may have said something when it came up
	w = s.walk(t, "h2", "10.1.0.1")
	w.wants(t, `arp_request sw/br0 p9>p1,p10,p3,p4,p5,p6,p7,p8 flood broadcast moved p3
		arp_reply sw/br0 p1>p9 forward known refreshed
		echo_request sw/br0 p9>p1 forward known refreshed
		echo_reply sw/br0 p1>p9 forward known refreshed`)
}

// up waits until links carry and netdash knows.
func (s *server) up(t testing.TB, links ...string) {
	t.Helper()
	eventually(t, func() string {
		snapshot := get[topology.Snapshot](t, s, "/topology")
		for _, name := range links {
			namespace, link, _ := strings.Cut(name, "/")
			n := snapshot.Namespace(namespace)
			if n == nil || n.Link(link) == nil {
				return name + " is not there"
			}
			l := n.Link(link)
			if l.OperState != "up" || l.BridgePort != nil && l.BridgePort.State != "forwarding" || l.Peer != nil && !l.Peer.Known {
				return fmt.Sprintf("%s is not up: %+v", name, l)
			}
		}
		return ""
	})
}

func TestWalkStreamed(t *testing.T) {
	s := start(t)
	s.build(t, star(3))
	s.forget(t, "sw", "br0")
	a := s.do(t, http.MethodPost, "/pings", `{"namespace":"h1","to_namespace":"h2","count":2,"interval_ms":20,"walk":true}`, "Accept: application/x-ndjson").want(t, 200)
	var kinds []string
	frames := 0
	for line := range bytes.Lines(a.body) {
		var l struct {
			Type        string
			ID, Frame   int
			Walk        *walk.Notes
			Hops        []walk.Hop
			Sent, Count int
		}
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		kinds = append(kinds, l.Type)
		switch l.Type {
		case "frame":
			if frames++; l.ID != frames || len(l.Hops) == 0 {
				t.Errorf("%s", line)
			}
		case "decision":
			if l.Frame > frames {
				t.Errorf("before its frame: %s", line)
			}
		case "summary":
			if l.Walk == nil || l.Sent != 2 {
				t.Errorf("%s", line)
			}
		}
	}
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, strings.Repeat("reply ", 2)+"frame decision frame decision") || !strings.HasSuffix(got, " summary") || frames != 6 || strings.Count(got, "decision") != 6 {
		t.Errorf("lines: %s", got)
	}
	for body, pointer := range map[string]string{
		`{"namespace":"h1","address":"10.1.0.2","count":11,"walk":true}`: "/count",
	} {
		if p := s.do(t, http.MethodPost, "/pings", body).problem(t, 422, "invalid"); !slices.Equal(p.pointers(), []string{pointer}) {
			t.Errorf("%+v", p)
		}
	}
	s.do(t, http.MethodPost, "/pings", `{"namespace":"h1","address":"224.0.0.1","walk":true}`).problem(t, 422, "invalid")
}
