package netops

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/walk"
)

func flowOf(addresses ...string) walk.Flow {
	var f walk.Flow
	for _, a := range addresses {
		f.Ends = append(f.Ends, netip.MustParseAddr(a))
	}
	f.Neighbours = f.Ends
	return f
}

func places(names ...string) []walk.Place {
	var out []walk.Place
	for _, n := range names {
		out = append(out, walk.Place{Namespace: n, Links: 2})
	}
	return out
}

// record records while a function runs, and gives what was seen as "ns/index in
// type", with the Ethernet type.
func record(t testing.TB, k *Kernel, f walk.Flow, where []walk.Place, during func()) (*walk.Recording, []string) {
	t.Helper()
	r, err := k.Record(t.Context(), f, where, func(context.Context) { during() })
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, p := range where {
		for _, x := range r.Records[p.Namespace] {
			direction := "in"
			if x.Out {
				direction = "out"
			}
			seen = append(seen, fmt.Sprintf("%s/%d %s %x", p.Namespace, x.Ifindex, direction, x.Data[12:14]))
		}
	}
	return r, seen
}

func TestRecord(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	pingSettle(t, a, b)
	index := func(ns, link string) any { return nettest.IP(t, ns, "link", "show", link)[0]["ifindex"] }
	atA, atB := fmt.Sprintf("%s/%v", a, index(a, "eth0")), fmt.Sprintf("%s/%v", b, index(b, "eth0"))
	for _, c := range []struct{ address, kind string }{{"10.0.0.2", "0800"}, {"fd00::2", "86dd"}} {
		mustPing(t, k, quick(a, c.address)) // so that the neighbours are known
		before := time.Now()
		r, seen := record(t, k, flowOf(c.address), places(a, b), func() {
			mustPing(t, k, quick(a, c.address))
			iputils(t, a, "-c", "1", "-s", "1300", c.address) // of somebody else, to the same address
			iputils(t, a, "-c", "1", "127.0.0.1")             // of no interest
		})
		want := strings.Repeat(" "+atA+" out "+c.kind+" "+atA+" in "+c.kind, 2) + strings.Repeat(" "+atB+" in "+c.kind+" "+atB+" out "+c.kind, 2)
		if got := " " + strings.Join(seen, " "); got != want {
			t.Errorf("%s:\n%s, want\n%s", c.address, got, want)
		}
		if r.Dropped != 0 || len(r.Incomplete) != 0 {
			t.Errorf("%+v", r)
		}
		for _, records := range r.Records {
			for i, x := range records {
				if x.At.Before(before) || x.At.After(time.Now()) || i > 0 && x.At.Before(records[i-1].At) {
					t.Errorf("time of %+v", x)
				}
				if len(x.Data) > x.Length || len(x.Data) < 60 || i < 2 && len(x.Data) != min(x.Length, snapLength) || x.Length > 1400 {
					t.Errorf("%d of %d bytes", len(x.Data), x.Length)
				}
			}
		}
		if sent, got := r.Records[a][0], r.Records[b][0]; !bytes.Equal(sent.Data, got.Data) || got.At.Before(sent.At) {
			t.Errorf("sent %+v, arrived %+v", sent, got)
		}
	}
}

// TestRecordARP: of the questions for neighbours those that matter.
func TestRecordARP(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	pingSettle(t, a, b)
	forget := func() { nettest.Shell(t, fmt.Sprintf("ip -n %s neigh flush all; ip -n %s neigh flush all", a, b)) }
	for address, kind := range map[string]string{"10.0.0.2": "0806", "fd00::2": "86dd"} {
		forget()
		if _, seen := record(t, k, flowOf(address), places(b), func() { mustPing(t, k, quick(a, address)) }); len(seen) < 4 || !strings.HasSuffix(seen[0], kind) {
			t.Errorf("%s: %v", address, seen)
		}
		forget()
		other := map[string]string{"10.0.0.2": "10.9.0.9", "fd00::2": "fd09::9"}[address]
		if _, seen := record(t, k, flowOf(other), places(b), func() { mustPing(t, k, quick(a, address)) }); len(seen) != 0 {
			t.Errorf("looking for %s: %v", other, seen)
		}
	}
	// With more addresses than a filter holds, everything that asks for one is taken.
	f := flowOf("10.9.0.9")
	for i := range maxFilterAddresses + 1 {
		f.Neighbours = append(f.Neighbours, netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}))
	}
	forget()
	if _, seen := record(t, k, f, places(b), func() { mustPing(t, k, quick(a, "10.0.0.2")) }); len(seen) != 2 {
		t.Errorf("%v", seen)
	}
	f = flowOf()
	for i := range maxFilterAddresses {
		f.Ends = append(f.Ends, netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(i)}))
	}
	f.Neighbours = f.Ends
	if _, err := k.Record(t.Context(), f, places(b), func(context.Context) {}); err != nil {
		t.Errorf("the longest filter: %v", err)
	}
}

// TestRecordOverflow: more than a ring holds before it is emptied is counted, and
// much more ends the recording.
func TestRecordOverflow(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	mustPing(t, k, quick(a, "10.0.0.2"))
	ended := false
	r, err := k.Record(t.Context(), flowOf("10.0.0.2"), places(a), func(ctx context.Context) {
		for ctx.Err() == nil {
			iputils(t, a, "-q", "-f", "-c", "5000", "10.0.0.2")
		}
		ended = true
	})
	if err != nil || !ended || len(r.Records[a])+r.Dropped < maxRecords || len(r.Records[a]) > maxRecords || len(r.Incomplete) != 1 || !strings.Contains(r.Incomplete[0], "loop") {
		t.Errorf("%v, %d records, %q", err, len(r.Records[a]), r.Incomplete)
	}

	c := &capture{stop: func() {}, out: walk.Recording{Records: map[string][]walk.Record{}}}
	defer c.close()
	if err := c.open(k, flowOf("10.0.0.2"), places(a)); err != nil {
		t.Fatal(err)
	}
	iputils(t, a, "-q", "-f", "-c", "200", "10.0.0.2") // 400 records for 256 places
	c.collect()
	c.dropped(c.sockets[0])
	if got := c.records + c.out.Dropped; c.records != 256 || got < 400 || got > 402 {
		t.Errorf("%d records, %d dropped", c.records, c.out.Dropped)
	}
}

// TestRecordEnds: however a recording ends, nothing is left open (pingKernel looks).
func TestRecordEnds(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = k.Record(t.Context(), flowOf("10.0.0.2"), places(a, b), func(context.Context) { panic("while it runs") })
	}()
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := k.Record(ctx, flowOf("10.0.0.2"), places(a, b), func(context.Context) { cancel() }); err != nil {
		t.Error(err)
	}
	r, seen := record(t, k, flowOf("10.0.0.2"), places(a, "none"), func() { mustPing(t, k, quick(a, "10.0.0.2")) })
	if len(r.Incomplete) != 1 || r.Incomplete[0] != "none is gone" || len(seen) == 0 {
		t.Errorf("%v, %v", r.Incomplete, seen)
	}
}

// TestRecordDoesNotHoldNamespaces: one that is deleted meanwhile is gone at once.
func TestRecordDoesNotHoldNamespaces(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	if err := k.Apply(t.Context(), topology.CreateNamespace{Name: "doomed"}); err != nil {
		t.Fatal(err)
	}
	nettest.Shell(t, "ip -n "+a+" link add w0 type veth peer name w1 netns doomed")
	r, _ := record(t, k, flowOf("10.0.0.2"), places(a, "doomed"), func() {
		if err := k.Apply(t.Context(), topology.DeleteNamespace{Name: "doomed"}); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(15 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if !strings.Contains(nettest.Shell(t, "ip -n "+a+" link"), "w0") {
				return
			}
			if time.Now().After(end) {
				t.Fatal("the namespace lives on: its veth is still there")
			}
		}
	})
	if len(r.Incomplete) != 1 || r.Incomplete[0] != "doomed was deleted" {
		t.Errorf("%v", r.Incomplete)
	}
}

// TestRecordVLAN: the tag of a frame is beside it, not in it.
func TestRecordVLAN(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	if out := nettest.Shell(t, "ip -n "+a+" link add link eth0 name v10 type vlan id 10 2>&1 || true"); out != "" {
		t.Skip("this kernel lacks vlan: " + out)
	}
	nettest.Shell(t, fmt.Sprintf(`ip -n %[2]s link add link eth0 name v10 type vlan id 10
		ip -n %[1]s addr add 10.10.0.1/24 dev v10; ip -n %[2]s addr add 10.10.0.2/24 dev v10
		ip -n %[1]s link set v10 up; ip -n %[2]s link set v10 up`, a, b))
	mustPing(t, k, quick(a, "10.10.0.2"))
	r, seen := record(t, k, flowOf("10.10.0.2"), places(b), func() { mustPing(t, k, quick(a, "10.10.0.2")) })
	var tags []int
	for _, x := range r.Records[b] {
		tags = append(tags, x.VLAN)
	}
	if got, want := fmt.Sprint(tags), "[10 0 0 10]"; got != want || !strings.HasSuffix(seen[0], "in 0800") {
		t.Errorf("tags %s, want %s: %v", got, want, seen)
	}
}
