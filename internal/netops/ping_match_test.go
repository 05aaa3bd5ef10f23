package netops

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"netdash/internal/topology"
)

// echoReply makes the reply to a request, as the one who was asked would.
func echoReply(t *testing.T, m *echoMatch, seq int) *pingPacket {
	t.Helper()
	data, err := m.request(seq)
	if err != nil {
		t.Fatal(err)
	}
	data[0] = 0 // echo reply
	if m.target.Is6() {
		data[0] = 129
	}
	now := time.Now()
	return &pingPacket{from: m.target, ttl: 64, data: data, arrived: now, read: now}
}

// icmpError makes a report about a request, quoting it after its IP header.
func icmpError(t *testing.T, m *echoMatch, seq int, kind, code byte) *pingPacket {
	t.Helper()
	request, err := m.request(seq)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte{kind, code, 0, 0, 0, 0, 0, 0}
	if m.target.Is6() {
		header := make([]byte, 40)
		header[0], header[6] = 0x60, 58
		copy(header[24:], m.target.AsSlice())
		data = append(data, header...)
	} else {
		header := make([]byte, 20)
		header[0], header[9] = 0x45, 1
		copy(header[16:], m.target.AsSlice())
		data = append(data, header...)
	}
	now := time.Now()
	return &pingPacket{from: netip.MustParseAddr("192.0.2.254"), data: append(data, request...), arrived: now, read: now}
}

func TestPingMatch(t *testing.T) {
	for _, target := range []string{"192.0.2.1", "2001:db8::1"} {
		m := newEchoMatch(netip.MustParseAddr(target), 56)
		other := newEchoMatch(m.target, 56)
		other.id = m.id // a foreign ping that happens to have the same
		stranger := netip.MustParseAddr("192.0.2.66")
		change := func(p *pingPacket, at int, bits byte) *pingPacket { p.data[at] ^= bits; return p }
		from := func(p *pingPacket, a netip.Addr) *pingPacket { p.from = a; return p }
		unreachable := byte(3)
		ip := 20
		if m.target.Is6() {
			unreachable, ip = 1, 40
		}
		for name, c := range map[string]struct {
			packet *pingPacket
			ok     bool
		}{
			"reply":                     {echoReply(t, m, 7), true},
			"other identifier":          {change(echoReply(t, m, 7), 4, 1), false},
			"request":                   {change(echoReply(t, m, 7), 0, 8), false},
			"other ping, same id":       {echoReply(t, other, 7), false},
			"other ping, from stranger": {from(echoReply(t, other, 7), stranger), false},
			"altered":                   {change(echoReply(t, m, 7), 40, 1), false},
			"real, from elsewhere":      {from(echoReply(t, m, 7), stranger), true},
			"error":                     {icmpError(t, m, 7, unreachable, 1), true},
			"error, other identifier":   {change(icmpError(t, m, 7, unreachable, 1), 8+ip+4, 1), false},
			"error, other destination":  {change(icmpError(t, m, 7, unreachable, 1), 8+ip-1, 1), false},
			"error, other ping":         {icmpError(t, other, 7, unreachable, 1), false},
			"error about a reply":       {change(icmpError(t, m, 7, unreachable, 1), 8+ip, 8), false},
			"error about a fragment":    {change(icmpError(t, m, 7, unreachable, 1), 8+6, 58^44), false},
			"some other message":        {icmpError(t, m, 7, 100, 0), false},
		} {
			a, ok := m.answer(c.packet)
			if ok != c.ok || ok && a.seq != 7 {
				t.Errorf("%s, %s: %+v, %v", target, name, a, ok)
			}
			// Nothing short may panic, or match by what it lacks.
			for n := range c.packet.data {
				short := *c.packet
				short.data = short.data[:n]
				if _, ok := m.answer(&short); ok && n < 8+ip+8 {
					t.Errorf("%s, %s: matched by %d bytes", target, name, n)
				}
			}
		}
		small := newEchoMatch(m.target, 4) // too small to be sure who sent it
		if _, ok := small.answer(from(echoReply(t, small, 1), stranger)); ok {
			t.Errorf("%s: a small reply from a stranger counts", target)
		}
	}
}

// Whatever arrives late or unasked must not count; what arrives twice is told, and
// so is what is out of order.
func TestPingCountsOnce(t *testing.T) {
	var got []topology.PingReply
	p := &pinger{
		match:    newEchoMatch(netip.MustParseAddr("192.0.2.1"), 56),
		count:    4,
		timeout:  time.Second,
		requests: make([]echoRequest, 4),
		isOwn:    func(netip.Addr) bool { return false },
		onReply:  func(r topology.PingReply) { got = append(got, r) },
	}
	sent := time.Now()
	p.tried, p.result.Sent = 3, 3
	for i := range 3 {
		p.requests[i] = echoRequest{sent, waiting}
	}
	p.take(echoReply(t, p.match, 2))
	p.take(echoReply(t, p.match, 2)) // duplicate
	p.take(icmpError(t, p.match, 2, 3, 1))
	p.take(echoReply(t, p.match, 0)) // never asked
	p.take(echoReply(t, p.match, 4)) // not yet asked
	p.take(echoReply(t, p.match, 9999))
	p.take(icmpError(t, p.match, 3, 11, 0))
	p.take(echoReply(t, p.match, 3)) // has been reported lost
	p.expire(sent.Add(999 * time.Millisecond))
	p.expire(sent.Add(time.Second))
	p.take(echoReply(t, p.match, 1)) // too late
	p.sum()
	var seqs []int
	for _, r := range got {
		seqs = append(seqs, r.Seq)
	}
	if !slices.Equal(seqs, []int{2, 2, 3, 1}) || p.result.Received != 1 || p.result.Duplicates != 1 || p.result.Errors != 1 || len(p.rtts) != 2 {
		t.Errorf("%+v, %+v", got, p.result)
	}
	if got[0].Error != "" || got[0].Duplicate || !got[1].Duplicate || got[1].Error != "" {
		t.Errorf("%+v", got)
	}
	if got[2].Error != "Time to live exceeded" || got[2].Reason != topology.PingTTLExceeded ||
		got[3].Error != "no reply within 1000 ms" || got[3].Reason != topology.PingTimeout {
		t.Errorf("%+v", got)
	}
	if _, more := p.nextEvent(sent); !more {
		t.Error("the fourth request was forgotten")
	}
}

// Order is that of the first replies, and a flood of duplicates is only counted.
func TestPingOrderAndFlood(t *testing.T) {
	told := 0
	p := &pinger{
		match: newEchoMatch(netip.MustParseAddr("192.0.2.1"), 56), count: 3, tried: 3, timeout: time.Hour,
		requests: make([]echoRequest, 3), onReply: func(topology.PingReply) { told++ },
	}
	for i := range p.requests {
		p.requests[i] = echoRequest{time.Now(), waiting}
	}
	for _, seq := range []int{2, 1, 3, 1} {
		p.take(echoReply(t, p.match, seq))
	}
	var late []bool
	for _, r := range p.result.Replies {
		late = append(late, r.Reordered)
	}
	if !slices.Equal(late, []bool{false, true, false, false}) || p.result.Reordered != 1 || p.result.Duplicates != 1 {
		t.Errorf("%+v", p.result)
	}
	for range 2 * maxBesides {
		p.take(echoReply(t, p.match, 3))
	}
	if p.result.Duplicates != 1+2*maxBesides || told != 3+maxBesides || len(p.result.Replies) != told || len(p.rtts) > 3+maxBesides {
		t.Errorf("%d duplicates, %d told, %d kept, %d round trips", p.result.Duplicates, told, len(p.result.Replies), len(p.rtts))
	}
}

// The wall clock that stamps packets may be set at any time.
func TestPingClockSet(t *testing.T) {
	p := &pinger{match: newEchoMatch(netip.MustParseAddr("192.0.2.1"), 56), count: 1, timeout: time.Second, requests: make([]echoRequest, 1), tried: 1}
	p.requests[0] = echoRequest{time.Now().Add(-30 * time.Millisecond), waiting}
	packet := echoReply(t, p.match, 1)
	packet.arrived = packet.read.Add(-time.Hour)
	p.expire(packet.arrived)
	p.take(packet)
	if len(p.rtts) != 1 || p.rtts[0] < 30*time.Millisecond || p.rtts[0] > time.Second {
		t.Errorf("round trips %v", p.rtts)
	}
}

func TestPingProblemWords(t *testing.T) {
	tooBig := []byte{2, 0, 0, 0, 0, 0, 5, 0}
	fragNeeded := []byte{3, 4, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(fragNeeded[6:], 1400)
	for _, c := range []struct {
		got    problem
		words  string
		reason topology.PingReason
	}{
		{problem4([]byte{3, 13, 0, 0, 0, 0, 0, 0}), "Packet filtered", topology.PingProhibited},
		{problem4(fragNeeded), "Frag needed and DF set (mtu = 1400)", topology.PingTooBig},
		{problem4([]byte{3, 1, 0, 0, 0, 0, 0, 0}), "Destination Host Unreachable", topology.PingUnreachable},
		{problem4([]byte{3, 200, 0, 0, 0, 0, 0, 0}), "Unknown code 200", topology.PingUnreachable},
		{problem4([]byte{11, 1, 0, 0, 0, 0, 0, 0}), "Frag reassembly time exceeded", topology.PingICMPError},
		{problem4([]byte{12, 0, 0, 0, 20, 0, 0, 0}), "Parameter problem: pointer = 20", topology.PingICMPError},
		{problem4([]byte{5, 1, 0, 0, 10, 0, 0, 9}), "Redirect Host (New nexthop: 10.0.0.9)", ""},
		{problem4([]byte{0, 0, 0, 0, 0, 0, 0, 0}), "", ""},
		{problem6(tooBig), "Packet too big: mtu=1280", topology.PingTooBig},
		{problem6([]byte{1, 1, 0, 0, 0, 0, 0, 0}), "Destination unreachable: Administratively prohibited", topology.PingProhibited},
		{problem6([]byte{1, 3, 0, 0, 0, 0, 0, 0}), "Destination unreachable: Address unreachable", topology.PingUnreachable},
		{problem6([]byte{3, 0, 0, 0, 0, 0, 0, 0}), "Time exceeded: Hop limit", topology.PingTTLExceeded},
		{problem6([]byte{4, 1, 0, 0, 0, 0, 0, 6}), "Parameter problem: Unknown header at 6", topology.PingICMPError},
		{problem6([]byte{129, 0, 0, 0, 0, 0, 0, 0}), "", ""},
	} {
		if c.got.words != c.words || c.got.reason != c.reason {
			t.Errorf("%+v, want %q, %q", c.got, c.words, c.reason)
		}
	}
}
