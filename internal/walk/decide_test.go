package walk

import (
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

// TestContradictions: what was seen and what should have been do not agree, and
// the Decision says so.
func TestContradictions(t *testing.T) {
	for name, c := range map[string]struct {
		evidence func(*Evidence)
		want     string
	}{
		"known, but flooded": {
			func(e *Evidence) { e.knows(2, 2, "learned").through(0, request(1), 1, 2, 3) },
			"1 p1>p2,p3 flood known new BUT by MAC table and ports it should have been sent to p2, but it was sent to p2, p3",
		},
		"unknown, but not flooded": {
			func(e *Evidence) { e.through(0, request(1), 1, 2) },
			"1 p1>p2 forward unknown new BUT by MAC table and ports it should have been sent to p2, p3, but it was sent to p2",
		},
		"known elsewhere": {
			func(e *Evidence) { e.knows(2, 3, "static").through(0, request(1), 1, 2) },
			"1 p1>p2 forward known new BUT by MAC table and ports it should have been sent to p3, but it was sent to p2",
		},
		"known, but not sent": {
			func(e *Evidence) { e.knows(2, 2, "learned").sees(0, request(1), "h1/2 out", "sw/11 in") },
			"1 p1> drop unexplained new BUT it should have been sent to p2, but was not: neither MAC table nor ports say why; a packet filter may",
		},
		"through a blocking port": {
			func(e *Evidence) {
				port(e.Snapshot, 1).BridgePort.State = "blocking"
				e.knows(2, 2, "learned").through(0, request(1), 1, 2)
			},
			"1 p1>p2 forward blocking BUT by MAC table and ports it should have been sent to no port, but it was sent to p2",
		},
		"out by a blocking port": {
			func(e *Evidence) {
				port(e.Snapshot, 2).BridgePort.State = "blocking"
				e.knows(2, 2, "learned").through(0, request(1), 1, 2)
			},
			"1 p1>p2 forward blocking new BUT by MAC table and ports it should have been sent to no port, but it was sent to p2",
		},
		"a broadcast that a port does not get": {
			func(e *Evidence) { e.through(0, arpFrame(1, 1, 2, broadcastMAC), 1, 2) },
			"1 p1>p2 flood broadcast new BUT by MAC table and ports it should have been sent to p2, p3, but it was sent to p2",
		},
		"back to where it came from": {
			func(e *Evidence) { e.knows(2, 1, "learned").through(0, request(1), 1, 1) },
			"1 p1>p1 forward same_port new BUT by MAC table and ports it should have been sent to no port, but it was sent to p1",
		},
	} {
		e := evidence(t, 3)
		c.evidence(e)
		if got := verdicts(Explain(e)); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// TestReasons: why a frame went where it went, or nowhere.
func TestReasons(t *testing.T) {
	for name, c := range map[string]struct {
		evidence func(*Evidence)
		want     string
		detail   string
	}{
		"filter": {
			func(e *Evidence) { e.knows(2, 1, "learned").sees(0, request(1), "h1/2 out", "sw/11 in") },
			"1 p1> filter same_port new", "the destination is on p1, where the frame came from, and hairpin is off there",
		},
		"hairpin": {
			func(e *Evidence) {
				port(e.Snapshot, 1).BridgePort.Hairpin = new(true)
				e.knows(2, 1, "learned").through(0, request(1), 1, 1)
			},
			"1 p1>p1 forward known new", "known on p1, last seen there 2.5 s ago",
		},
		"static": {
			func(e *Evidence) { e.knows(2, 2, "static").through(0, request(1), 1, 2) },
			"1 p1>p2 forward known new", "known on p2 (static entry)",
		},
		"blocking": {
			func(e *Evidence) {
				port(e.Snapshot, 1).BridgePort.State = "blocking"
				e.sees(0, request(1), "h1/2 out", "sw/11 in")
			},
			"1 p1> drop blocking", "port p1 is blocking (STP)",
		},
		"learning": { // it learns already, and passes nothing on yet
			func(e *Evidence) {
				port(e.Snapshot, 1).BridgePort.State = "learning"
				e.sees(0, request(1), "h1/2 out", "sw/11 in")
			},
			"1 p1> drop learning new", "port p1 is learning (STP)",
		},
		"a port that is down": {
			func(e *Evidence) {
				port(e.Snapshot, 2).BridgePort.State = "disabled"
				e.knows(2, 2, "static").sees(0, request(1), "h1/2 out", "sw/11 in")
			},
			"1 p1> drop disabled new", "known on p2 (static entry), but port p2 is disabled: down, or without carrier",
		},
		"all others isolated": {
			func(e *Evidence) {
				for i := range 3 {
					port(e.Snapshot, i+1).BridgePort.Isolated = new(true)
				}
				e.sees(0, request(1), "h1/2 out", "sw/11 in")
			},
			"1 p1> drop isolated new", "destination not in the MAC table, and there is no other port to send it to; p2 is isolated, as is the one it came by, p3 is isolated, as is the one it came by",
		},
		"too long": {
			func(e *Evidence) {
				port(e.Snapshot, 2).MTU = len(request(1)) - ethernetHeader - 4 - 1
				e.knows(2, 2, "static").sees(0, request(1), "h1/2 out", "sw/11 in")
			},
			"1 p1> drop too_long new", "known on p2 (static entry), but port p2 has an MTU too small for it",
		},
		"just not too long": {
			func(e *Evidence) {
				port(e.Snapshot, 2).MTU = len(request(1)) - ethernetHeader - 4
				e.knows(2, 2, "static").through(0, request(1), 1, 2)
			},
			"1 p1>p2 forward known new", "known on p2 (static entry)",
		},
		"for the bridge": {
			func(e *Evidence) {
				e.Snapshot.Namespace("sw").Link("br0").MAC = hostMAC(2)
				e.sees(0, request(1), "h1/2 out", "sw/11 in", "sw/2 in")
			},
			"1 p1> local for_bridge new", "02:00:00:00:00:02 is an address of the bridge itself",
		},
		"of the bridge": { // flags that keep floods away do not count for these
			func(e *Evidence) {
				port(e.Snapshot, 3).BridgePort.BroadcastFlood = new(false)
				e.Source = "sw"
				e.sees(0, arpFrame(1, 9, 2, broadcastMAC), "sw/2 out", "sw/11 out", "h1/2 in", "sw/12 out", "h2/2 in", "sw/13 out", "h3/2 in")
			},
			"1 br0>p1,p2,p3 flood broadcast", "broadcast: to every other port",
		},
		"snooping": {
			func(e *Evidence) {
				frame := arpFrame(1, 1, 2, "33:33:ff:00:00:02")
				e.through(0, frame, 1, 2)
			},
			"1 p1>p2 flood multicast new", "multicast; snooping (mcast_snooping) sends it to the ports that listen",
		},
		"own address as a source": {
			func(e *Evidence) {
				e.Tables[0].Entries = append(e.Tables[0].Entries, &topology.FDBEntry{MAC: hostMAC(1), Port: "br0", State: "local"})
				e.knows(2, 2, "static").through(0, request(1), 1, 2)
			},
			"1 p1>p2 forward known", "known on p2 (static entry)",
		},
	} {
		e := evidence(t, 3)
		c.evidence(e)
		w := Explain(e)
		if got := verdicts(w); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		} else if got := w.Decisions[0].Detail; got != c.detail {
			t.Errorf("%s: %s\nwant %s", name, got, c.detail)
		}
	}
}

// TestNews: what the kernel tells of a MAC table comes late, and much of it the
// frames have taught already.
func TestNews(t *testing.T) {
	// Flushed right before the frame, told after it.
	e := evidence(t, 3).knows(2, 2, "learned").happens(5_000, "fdb.removed", 2, 2)
	wantVerdicts(t, Explain(e.through(0, request(1), 1, 2, 3)), "1 p1>p2,p3 flood unknown new")
	// Told so much later that it cannot be the reason.
	e = evidence(t, 3).knows(2, 2, "learned").happens(5_000+int(delay.Microseconds()), "fdb.removed", 2, 2)
	if w := Explain(e.through(0, request(1), 1, 2, 3)); w.Decisions[0].Contradiction == "" {
		t.Error(verdicts(w))
	}
	// Told before: the table does not have it any more. Before the table was read:
	// the table has the last word.
	e = evidence(t, 3).knows(2, 2, "learned").happens(-5_000, "fdb.removed", 2, 2)
	wantVerdicts(t, Explain(e.through(0, request(1), 1, 2, 3)), "1 p1>p2,p3 flood unknown new")
	e = evidence(t, 3).knows(2, 2, "learned").happens(-2_000_000, "fdb.removed", 2, 2)
	wantVerdicts(t, Explain(e.through(0, request(1), 1, 2)), "1 p1>p2 forward known new")
	// It moved, by frames that nobody here has seen.
	e = evidence(t, 3).knows(2, 2, "learned").happens(-5_000, "fdb.moved", 2, 3)
	w := Explain(e.through(0, request(1), 1, 3))
	wantVerdicts(t, w, "1 p1>p3 forward known new")
	if got := w.Decisions[0].Detail; got != "known on p3, learned 5.0 ms ago" {
		t.Error(got)
	}

	// h1's MAC moves to p3 and back within a moment; the news of it limps behind.
	e = evidence(t, 3).knows(2, 2, "static")
	e.through(0, request(1), 1, 2)
	e.sees(100, request(2), "h3/2 out", "sw/13 in", "sw/12 out", "h2/2 in")
	e.through(200, request(3), 1, 2)
	e.happens(250, "fdb.added", 1, 1).happens(350, "fdb.moved", 1, 3)
	e.through(400, reply(3), 2, 1)
	e.happens(450, "fdb.moved", 1, 1)
	w = Explain(e)
	wantVerdicts(t, w, "1 p1>p2 forward known new", "2 p3>p2 forward known moved p1", "3 p1>p2 forward known moved p3", "4 p2>p1 forward known refreshed")

	// Forgotten and learned anew while a frame passed: both are told later.
	e = evidence(t, 3).knows(2, 2, "static").knows(1, 1, "learned")
	e.through(0, request(1), 1, 2).happens(50, "fdb.removed", 1, 1).happens(60, "fdb.added", 1, 1)
	e.through(100, reply(1), 2, 1)
	wantVerdicts(t, Explain(e), "1 p1>p2 forward known refreshed", "2 p2>p1 forward known refreshed")
}

// TestPortNews: a port that is set otherwise during the walk counts from then on.
func TestPortNews(t *testing.T) {
	e := evidence(t, 3)
	isolated := *port(e.Snapshot, 2)
	isolated.BridgePort = &topology.PortInfo{State: "blocking"}
	e.Events = append(e.Events, topology.Event{Type: "link.changed", At: at(500_000), Link: &isolated})
	e.through(0, request(1), 1, 2, 3)
	e.sees(1_000_000, request(2), "h1/2 out", "sw/11 in", "sw/13 out", "h3/2 in")
	w := Explain(e)
	wantVerdicts(t, w, "1 p1>p2,p3 flood unknown new", "2 p1>p3 flood unknown refreshed")
	if s := w.Decisions[1].Skipped; len(s) != 1 || s[0] != (Skip{"p2", PortBlocking}) || !strings.Contains(w.Decisions[1].Detail, "p2 is blocking (STP)") {
		t.Errorf("%+v", w.Decisions[1])
	}
}

// TestVLANs: the same MAC in another VLAN is another entry.
func TestVLANs(t *testing.T) {
	e := evidence(t, 3)
	e.Snapshot.Namespace("sw").Link("br0").Bridge.VLANFiltering = new(true)
	for vlan, port := range map[int]string{1: "p2", 10: "p3"} {
		e.Tables[0].Entries = append(e.Tables[0].Entries, &topology.FDBEntry{MAC: hostMAC(2), Port: port, VLAN: vlan, State: "static"})
	}
	e.through(0, request(1), 1, 2)
	e.through(100, request(2), 1, 3)
	for _, records := range e.Recording.Records {
		for i := range records {
			if records[i].At.After(at(50)) {
				records[i].VLAN = 10
			}
		}
	}
	w := Explain(e)
	wantVerdicts(t, w, "1 p1>p2 forward known new", "2 p1>p3 forward known new")
	if w.Frames[1].VLAN != 10 {
		t.Errorf("%+v", w.Frames[1])
	}
}

// TestLinksOfVLANs: a frame goes from a link of a VLAN to the one it lies on, which
// gives it its tag, and at the other end the other way round.
func TestLinksOfVLANs(t *testing.T) {
	e := evidence(t, 2)
	for _, name := range []string{"h1", "h2"} {
		n := e.Snapshot.Namespace(name)
		n.Links = append(n.Links, &topology.Link{
			Key: n.ID + ":3", Namespace: name, Name: "v10", Ifindex: 3, Kind: "vlan", MAC: n.Links[0].MAC,
			Peer: &topology.Peer{Known: true, Namespace: name, Name: "eth0", Ifindex: 2, Key: n.Links[0].Key},
		})
	}
	e.knows(2, 2, "static").sees(0, request(1), "h1/3 out", "h1/2 out", "sw/11 in", "sw/12 out", "h2/2 in", "h2/3 in")
	e.Recording.Records["h1"][1].VLAN = 10
	w := Explain(e)
	if got, want := hopsOf(w, 1), ">h1/v10 out; h1/v10>h1/eth0 out; h1/eth0>sw/p1 in; sw/p1>sw/p2 out; sw/p2>h2/eth0 in; h2/eth0>h2/v10 in taken"; got != want || len(w.Frames) != 1 {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if h := w.Frames[0].Hops; h[0].VLAN != 0 || h[1].VLAN != 10 {
		t.Errorf("%+v", h)
	}
}

// TestAgo: how long something is ago, as people say it.
func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 µs ago", 999 * time.Microsecond: "999 µs ago", 1500 * time.Microsecond: "1.5 ms ago", 2100 * time.Millisecond: "2.1 s ago", 95 * time.Second: "95.0 s ago",
	} {
		if got := ago(d); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
}
