package walk

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// hopsOf writes the hops of a frame, each with what it came from.
func hopsOf(w *Walk, frame int) string {
	names := map[int]string{}
	var out []string
	for _, f := range w.Frames {
		for _, h := range f.Hops {
			names[h.ID] = h.Namespace + "/" + h.Link
			if f.ID == frame {
				out = append(out, strings.TrimSuffix(names[h.From]+">"+names[h.ID]+" "+h.Direction+" "+h.End, " "))
			}
		}
	}
	return strings.Join(out, "; ")
}

func TestExplain(t *testing.T) {
	e := evidence(t, 3)
	e.through(0, arpFrame(1, 1, 2, broadcastMAC), 1, 2, 3).through(20, arpFrame(2, 2, 1, hostMAC(1)), 2, 1)
	e.through(30, request(1), 1, 2).through(40, reply(1), 2, 1)
	w := Explain(e)
	wantVerdicts(t, w, "1 p1>p2,p3 flood broadcast new", "2 p2>p1 forward known new", "3 p1>p2 forward known refreshed", "4 p2>p1 forward known refreshed")
	if got, want := hopsOf(w, 1), ">h1/eth0 out; h1/eth0>sw/p1 in; sw/p1>sw/p2 out; sw/p2>h2/eth0 in taken; sw/p1>sw/p3 out; sw/p3>h3/eth0 in taken"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, want := hopsOf(w, 4), "h2/eth0>h2/eth0 out; h2/eth0>sw/p2 in; sw/p2>sw/p1 out; sw/p1>h1/eth0 in taken"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for i, answers := range []int{0, 1, 0, 3} {
		if f := w.Frames[i]; f.Answers != answers || f.Seq != i/2 {
			t.Errorf("%+v", f)
		}
	}
	if d := w.Decisions[2]; d.Detail != "known on p2, learned 10 µs ago" || d.Entry.Port != "p2" || *d.Entry.AgeSeconds != 10e-6 || d.US != 31 || !d.At.Equal(at(31)) {
		t.Errorf("%+v", d)
	}
}

// TestTies: stamps alone do not tell what came first.
func TestTies(t *testing.T) {
	e := evidence(t, 3)
	frame := arpFrame(1, 1, 2, broadcastMAC)
	for _, p := range []string{"sw/11 in", "sw/12 out", "sw/13 out", "h3/2 in", "h2/2 in", "h1/2 out"} {
		e.seesAt(7, frame, p) // all at once
	}
	e.seesAt(6, frame, "sw/2 in") // as old as when it came in, or older
	if got, want := hopsOf(Explain(e), 1), ">h1/eth0 out; h1/eth0>sw/p1 in; sw/p1>sw/p2 out; sw/p1>sw/p3 out; sw/p1>sw/br0 in taken; sw/p2>h2/eth0 in taken; sw/p3>h3/eth0 in taken"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestRepeated: equal frames, as when nobody answers, are told apart; one of them
// is lost on a cable.
func TestRepeated(t *testing.T) {
	e := evidence(t, 2)
	frame := arpFrame(1, 1, 2, broadcastMAC)
	e.through(0, frame, 1, 2)
	e.sees(1_000_000, frame, "h1/2 out", "sw/11 in", "sw/12 out")
	e.through(2_000_000, frame, 1, 2)
	w := Explain(e)
	if len(w.Frames) != 3 || len(w.Decisions) != 3 {
		t.Fatalf("%+v", w)
	}
	for i, end := range []string{"taken", "lost", "taken"} {
		if hops := w.Frames[i].Hops; hops[len(hops)-1].End != end {
			t.Errorf("%d: %+v", i, hops)
		}
	}
}

// TestUnseen: a cable that leads to where nobody looks.
func TestUnseen(t *testing.T) {
	e := evidence(t, 2)
	port(e.Snapshot, 2).Peer = &topology.Peer{Ifindex: 7}
	e.knows(2, 2, "learned").sees(0, request(1), "h1/2 out", "sw/11 in", "sw/12 out")
	if got := hopsOf(Explain(e), 1); !strings.HasSuffix(got, "sw/p1>sw/p2 out unseen") {
		t.Error(got)
	}
	// A link that the Snapshot does not have yet.
	e.sees(10, request(2), "h1/9 out")
	if w := Explain(e); w.Frames[1].Hops[0].Link != "if9" {
		t.Errorf("%+v", w.Frames)
	}
}

// TestOthers: what is not of this ping is left out.
func TestOthers(t *testing.T) {
	e := evidence(t, 3)
	other := request(1)
	copy(other[len(other)-16:], "another")
	e.through(0, request(1), 1, 2).through(10, other, 1, 2)
	e.through(20, arpFrame(1, 3, 1, broadcastMAC), 3, 1, 2)                        // nobody of ours asks
	e.through(30, arpFrame(2, 3, 2, broadcastMAC), 3, 1, 2)                        // nobody asked
	e.sees(40, []byte{1, 2, 3}, "h1/2 out").sees(40, make([]byte, 60), "h1/2 out") // nothing at all
	w := Explain(e)
	if len(w.Frames) != 1 || w.Frames[0].Kind != EchoRequest || w.Frames[0].Length != len(request(1)) {
		t.Errorf("%+v", w.Frames)
	}
	if w := Explain(evidence(t, 2)); w.Frames == nil || w.Decisions == nil || len(w.Frames)+len(w.Decisions) != 0 {
		t.Errorf("of nothing: %+v", w)
	}
}

// TestErrors: an error is told of the request it quotes.
func TestErrors(t *testing.T) {
	e := evidence(t, 2)
	quoted := ipv4Packet(1, 2, 1, echoBody(8, 3))
	failure := ethernet(hostMAC(2), hostMAC(1), typeIPv4, ipv4Packet(2, 1, 64, append([]byte{11, 0, 0, 0, 0, 0, 0, 0}, quoted...)))
	e.through(0, request(3), 1, 2).through(10, failure, 2, 1)
	if f := Explain(e).Frames[1]; f.Kind != ICMPError || f.Seq != 3 || f.Answers != 1 {
		t.Errorf("%+v", f)
	}
}

func TestLook(t *testing.T) {
	s := lab(3)
	s.Namespaces = append(s.Namespaces, &topology.NamespaceState{Name: "apart", Links: []*topology.Link{{Name: "lo"}}})
	h1 := s.Namespace("h1")
	h1.Routes = []*topology.RouteState{{Gateway: "10.1.0.254"}, {Gateway: "fe80::1"}, {Link: "eth0"}}
	h1.Links[0].Addresses = append(h1.Links[0].Addresses, topology.Address{CIDR: "fd00::1/64"})
	scope, err := Look(s, "h1", netip.MustParseAddr("10.2.0.9"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(scope.Places); got != "[{h1 1} {sw 4} {h2 1} {h3 1}]" {
		t.Errorf("places %s", got)
	}
	if !slices.Equal(scope.Bridges, []topology.LinkRef{{Namespace: "sw", Name: "br0"}}) {
		t.Errorf("bridges %v", scope.Bridges)
	}
	if got := fmt.Sprint(scope.Flow); got != "{[10.1.0.1 10.2.0.9] [10.1.0.1 10.1.0.254 10.2.0.9]}" {
		t.Errorf("flow %s", got)
	}
	if scope, err = Look(s, "h1", netip.MustParseAddr("fe80::9%eth0")); err != nil || fmt.Sprint(scope.Flow) != "{[fd00::1 fe80::9] [fd00::1 fe80::1 fe80::9]}" {
		t.Errorf("%v %v", err, scope)
	}
	for address, code := range map[string]topology.Code{"ff02::1": topology.CodeInvalid, "224.0.0.1": topology.CodeInvalid, "255.255.255.255": topology.CodeInvalid} {
		if _, err := Look(s, "h1", netip.MustParseAddr(address)); topology.CodeOf(err) != code {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := Look(lab(MaxNamespaces-1), "h1", netip.MustParseAddr("10.1.0.2")); err != nil {
		t.Error(err)
	}
	if _, err := Look(lab(MaxNamespaces), "h1", netip.MustParseAddr("10.1.0.2")); err == nil || !strings.Contains(err.Error(), "/walk frames can get from h1 to 257 namespaces; a walk watches 256 at most") {
		t.Error(err)
	}
}

// FuzzParse: whatever a frame holds, it is read without harm.
func FuzzParse(f *testing.F) {
	for _, b := range [][]byte{request(1), reply(1), arpFrame(1, 1, 2, broadcastMAC), {}, make([]byte, 14)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for n := range len(b) + 1 {
			if p, ok := parse(b[:n]); ok && p.kind == "" {
				t.Errorf("%x is of no kind", b[:n])
			}
		}
	})
}
