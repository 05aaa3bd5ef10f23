package walk

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

// The lab of these tests: h1, h2, h3 on ports p1, p2, p3 of a bridge sw/br0, with
// 10.1.0.1 and 02:00:00:00:00:01 and so on.

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const broadcastMAC = "ff:ff:ff:ff:ff:ff"

func hostMAC(i int) string { return fmt.Sprintf("02:00:00:00:00:%02x", i) }
func hostIP(i int) string  { return fmt.Sprintf("10.1.0.%d", i) }

// lab makes the Snapshot. The host's link has index 2, port pN index 10+N.
func lab(hosts int) *topology.Snapshot {
	sw := &topology.NamespaceState{ID: "4-100", Name: "sw"}
	sw.Links = append(sw.Links, &topology.Link{
		Key: "4-100:2", Namespace: "sw", Name: "br0", Ifindex: 2, Kind: "bridge", MAC: "02:00:00:00:01:00", MTU: 1500, AdminUp: true, Bridge: &topology.BridgeInfo{},
	})
	s := &topology.Snapshot{Namespaces: []*topology.NamespaceState{{ID: "4-1", Name: "host"}}}
	for i := 1; i <= hosts; i++ {
		id, name, port := fmt.Sprintf("4-%d", 100+i), fmt.Sprintf("h%d", i), fmt.Sprintf("p%d", i)
		inside := &topology.Link{
			Key: id + ":2", Namespace: name, Name: "eth0", Ifindex: 2, Kind: "veth", MAC: hostMAC(i), MTU: 1500,
			Addresses: []topology.Address{{CIDR: hostIP(i) + "/24"}},
		}
		outside := &topology.Link{
			Key: fmt.Sprintf("4-100:%d", 10+i), Namespace: "sw", Name: port, Ifindex: 10 + i, Kind: "veth", MTU: 1500, Master: "br0",
			BridgePort: &topology.PortInfo{State: "forwarding"},
		}
		inside.Peer = &topology.Peer{Known: true, Namespace: "sw", Name: port, Ifindex: 10 + i, Key: outside.Key}
		outside.Peer = &topology.Peer{Known: true, Namespace: name, Name: "eth0", Ifindex: 2, Key: inside.Key}
		sw.Links = append(sw.Links, outside)
		s.Namespaces = append(s.Namespaces, &topology.NamespaceState{ID: id, Name: name, Links: []*topology.Link{inside}})
	}
	s.Namespaces = append(s.Namespaces, sw)
	return s
}

func port(s *topology.Snapshot, i int) *topology.Link {
	return s.Namespace("sw").Link(fmt.Sprintf("p%d", i))
}

// evidence of a ping from h1 to h2, of which nothing was recorded yet.
func evidence(t testing.TB, hosts int) *Evidence {
	t.Helper()
	s := lab(hosts)
	target := netip.MustParseAddr(hostIP(2))
	scope, err := Look(s, "h1", target)
	if err != nil {
		t.Fatal(err)
	}
	e := &Evidence{
		Source: "h1", Target: target, Scope: scope, Snapshot: s, Recording: &Recording{Records: map[string][]Record{}},
		Tables: []Table{{Namespace: "sw", Bridge: "br0", At: start.Add(-time.Second)}},
	}
	for _, p := range scope.Places {
		e.Recording.Records[p.Namespace] = nil
	}
	return e
}

// knows puts an entry into the MAC table.
func (e *Evidence) knows(host, port int, state string) *Evidence {
	x := &topology.FDBEntry{Namespace: "sw", Bridge: "br0", MAC: hostMAC(host), Port: fmt.Sprintf("p%d", port), State: state}
	if state == "learned" {
		x.AgeSeconds = new(1.5)
	}
	e.Tables[0].Entries = append(e.Tables[0].Entries, x)
	return e
}

// happens adds an event about an entry.
func (e *Evidence) happens(us int, kind string, host, port int) *Evidence {
	e.Events = append(e.Events, topology.Event{Type: kind, At: at(us), FDB: &topology.FDBEntry{
		Namespace: "sw", Bridge: "br0", MAC: hostMAC(host), Port: fmt.Sprintf("p%d", port), State: "learned",
	}})
	return e
}

func at(us int) time.Time { return start.Add(time.Duration(us) * time.Microsecond) }

// sees records a frame at places such as "h1/2 out" or "sw/11 in", from a time on a
// microsecond apart.
func (e *Evidence) sees(us int, frame []byte, places ...string) *Evidence {
	for i, p := range places {
		e.seesAt(us+i, frame, p)
	}
	return e
}

func (e *Evidence) seesAt(us int, frame []byte, place string) {
	var r Record
	where, direction, _ := strings.Cut(place, " ")
	namespace, index, _ := strings.Cut(where, "/")
	var err error
	if r.Ifindex, err = strconv.Atoi(index); err != nil {
		panic(err)
	}
	r.Out, r.At, r.Length, r.Data = direction == "out", at(us), len(frame), frame
	e.Recording.Records[namespace] = append(e.Recording.Records[namespace], r)
}

// through records a frame from one host through the bridge to others.
func (e *Evidence) through(us int, frame []byte, from int, to ...int) *Evidence {
	e.sees(us, frame, fmt.Sprintf("h%d/2 out", from), fmt.Sprintf("sw/%d in", 10+from))
	for _, i := range to {
		us += 2
		e.sees(us, frame, fmt.Sprintf("sw/%d out", 10+i), fmt.Sprintf("h%d/2 in", i))
	}
	return e
}

func ethernet(src, dst string, kind uint16, body []byte) []byte {
	s, d := parseMAC(src), parseMAC(dst)
	return slices.Concat(d[:], s[:], binary.BigEndian.AppendUint16(nil, kind), body)
}

func arpFrame(op byte, from, to int, dst string) []byte {
	body := []byte{0, 1, 8, 0, 6, 4, 0, op}
	sender, asked := parseMAC(hostMAC(from)), mac{}
	body = append(append(body, sender[:]...), 10, 1, 0, byte(from))
	body = append(append(body, asked[:]...), 10, 1, 0, byte(to))
	return ethernet(hostMAC(from), dst, typeARP, body)
}

// ipv4Packet has the addresses 10.1.0.x.
func ipv4Packet(from, to, ttl byte, body []byte) []byte {
	header := []byte{0x45, 0, 0, byte(20 + len(body)), 0, 0, 0x40, 0, ttl, 1, 0, 0, 10, 1, 0, from, 10, 1, 0, to}
	return append(header, body...)
}

func echoBody(kind, seq byte) []byte {
	return append([]byte{kind, 0, 0, 0, 0x12, 0x34, 0, seq}, "0123456789abcdef"...)
}

func echoFrame(kind, seq byte, from, to int) []byte {
	return ethernet(hostMAC(from), hostMAC(to), typeIPv4, ipv4Packet(byte(from), byte(to), 64, echoBody(kind, seq)))
}

func request(seq byte) []byte { return echoFrame(8, seq, 1, 2) }
func reply(seq byte) []byte   { return echoFrame(0, seq, 2, 1) }

// verdicts writes decisions one a line.
func verdicts(w *Walk) string {
	var lines []string
	for _, d := range w.Decisions {
		line := fmt.Sprintf("%d %s>%s %s %s", d.Frame, d.InPort, strings.Join(d.OutPorts, ","), d.Verdict, d.Reason)
		if d.Learned != nil {
			line += strings.TrimSuffix(" "+d.Learned.How+" "+d.Learned.FromPort, " ")
		}
		if d.Contradiction != "" {
			line += " BUT " + d.Contradiction
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func wantVerdicts(t *testing.T, w *Walk, want ...string) {
	t.Helper()
	if got := verdicts(w); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
