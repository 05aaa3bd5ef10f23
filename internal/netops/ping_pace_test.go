package netops

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

func TestPingPace(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	start := time.Now()
	wantReplies(t, mustPing(t, k, topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 6, IntervalMS: 100}), 6, 64)
	if took := time.Since(start); took < 500*time.Millisecond || took > 2*time.Second {
		t.Errorf("6 requests 100 ms apart took %v", took)
	}
}

// Requests do not wait for the replies to those before them.
func TestPingOverlaps(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	// Who does not answer to ARP gets everything at once when it does.
	nettest.Shell(t, fmt.Sprintf(`ip -n %s link set eth0 arp off
		ip netns exec %s sh -c 'cd /proc/sys/net/ipv4/neigh/eth0; echo 50 >retrans_time_ms; echo 100 >mcast_solicit' `, b, a))
	var once sync.WaitGroup
	once.Go(func() {
		time.Sleep(400 * time.Millisecond)
		nettest.Shell(t, "ip -n "+b+" link set eth0 arp on")
	})
	start := time.Now()
	r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 6, IntervalMS: 50, TimeoutMS: 3000})
	took := time.Since(start)
	once.Wait()
	wantReplies(t, r, 6, 64)
	if took > 1500*time.Millisecond {
		t.Errorf("took %v", took)
	}
	// They were sent one after the other and came back together.
	for i, p := range r.Replies {
		if p.Seq != i+1 || i > 0 && p.RTTMS >= r.Replies[i-1].RTTMS {
			t.Errorf("reply %+v after %+v", p, r.Replies[max(0, i-1)])
		}
	}
	if r.RTTMS.Max < 350 || r.RTTMS.Min < 50 {
		t.Errorf("round trips %+v", r.RTTMS)
	}
}

// A ping that is busy elsewhere when replies come, with a listener that takes
// its time or a machine that does, must not take them for late.
func TestPingReadsLate(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	for _, address := range []string{"10.0.0.2", "fd00::2"} {
		wantReplies(t, mustPing(t, k, quick(a, address)), 1, 64) // neighbours know each other
		t.Run(address, func(t *testing.T) {
			target := netip.MustParseAddr(address)
			p := &pinger{match: newEchoMatch(target, 56), count: 2, timeout: 50 * time.Millisecond, requests: make([]echoRequest, 2)}
			p.result.Address = address
			p.socket = pingSocketIn(t, k, a, target, p.match.id)
			foreign := pingSocketIn(t, k, a, target, p.match.id+1)
			// The kernel begins to stamp packets a moment after the first socket
			// asks for it (net_enable_timestamp); one without is stamped when read.
			time.Sleep(100 * time.Millisecond)
			for range 2 {
				if err := p.send(); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * p.timeout)
			if err := p.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.sum()
			wantReplies(t, &p.result, 2, 64)
			if p.result.RTTMS.Max > 50 {
				t.Errorf("round trips %+v", p.result.RTTMS)
			}
			if packet, err := foreign.receive(t.Context(), time.Now()); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a ping with another identifier was woken: %+v, %v", packet, err)
			}
		})
	}
}

// pingSocketIn opens a socket for the length of the test.
func pingSocketIn(t *testing.T, k *Kernel, namespace string, target netip.Addr, id uint16) *pingSocket {
	t.Helper()
	var s *pingSocket
	err := k.Do(namespace, func() (err error) {
		s, err = openPingSocket(target, "", id, 64)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func TestPingsTogether(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			from, to := a, "10.0.0.2"
			if i%4 == 3 {
				from, to = b, "10.0.0.1"
			}
			r, err := k.Ping(t.Context(), topology.PingRequest{Namespace: from, Address: to, Count: 20, IntervalMS: 10}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			seqs := map[int]int{}
			for _, p := range r.Replies {
				seqs[p.Seq]++
			}
			if r.Sent != 20 || r.Received != 20 || len(seqs) != 20 || len(r.Replies) != 20 {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
}

func TestPingBusy(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	started := make(chan struct{})
	for range MaxPings {
		all.Go(func() {
			var once sync.Once
			_, err := k.Ping(ctx, topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 100, IntervalMS: 10000},
				func(topology.PingReply) { once.Do(func() { started <- struct{}{} }) })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
	for range MaxPings {
		<-started
	}
	_, err := k.Ping(t.Context(), quick(a, "10.0.0.2"), nil)
	if e, ok := errors.AsType[*topology.Error](err); !ok || e.Code != topology.CodeBusy || e.Hint == "" {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	all.Wait()
	wantReplies(t, mustPing(t, k, quick(a, "10.0.0.2")), 1, 64)
}

func TestPingCancelled(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	ctx, cancel := context.WithCancel(t.Context())
	var stopped time.Time
	r, err := k.Ping(ctx, topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 5, IntervalMS: 5000}, func(topology.PingReply) {
		time.AfterFunc(50*time.Millisecond, func() { stopped = time.Now(); cancel() })
	})
	if !errors.Is(err, context.Canceled) || time.Since(stopped) > time.Second {
		t.Errorf("%v after %v", err, time.Since(stopped))
	}
	if r.Sent != 1 || r.Received != 1 || len(r.Replies) != 1 || r.Loss != 0 {
		t.Errorf("%+v", r)
	}
	// One that was still out is lost.
	nettest.Shell(t, "ip -n "+b+" link set eth0 down")
	ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	r, err = k.Ping(ctx, topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 5, TimeoutMS: 5000}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || r.Sent != 1 || r.Received != 0 || len(r.Replies) != 0 || r.Loss != 1 {
		t.Errorf("%v, %+v", err, r)
	}
}

// A namespace that is deleted goes at once, not when the last ping has ended.
func TestPingEndsWithNamespace(t *testing.T) {
	k := pingKernel(t)
	a, b := pingPair(t)
	id, err := k.identity(a)
	if err != nil {
		t.Fatal(err)
	}
	r, err := k.Ping(t.Context(), topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 5, IntervalMS: 5000}, func(topology.PingReply) {
		nettest.Shell(t, "ip netns del "+a)
		k.forget(id)
		stopPings(id)
	})
	if e, ok := errors.AsType[*topology.Error](err); !ok || e.Code != topology.CodeNotFound || r.Received != 1 {
		t.Errorf("%v, %+v", err, r)
	}
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		links := nettest.IP(t, b, "link", "show", "type", "veth")
		if len(links) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the other end is still there: %v", links)
		}
	}
}

func TestPingSummary(t *testing.T) {
	ms := func(values ...float64) (out []time.Duration) {
		for _, v := range values {
			out = append(out, time.Duration(v*1e6))
		}
		return out
	}
	if s := summary(nil); s != nil {
		t.Errorf("%+v", s)
	}
	s := summary(ms(1, 2, 3, 4))
	if s.Min != 1 || s.Max != 4 || s.Avg != 2.5 || math.Abs(s.Mdev-math.Sqrt(1.25)) > 1e-12 {
		t.Errorf("%+v", s)
	}
	if s := summary(ms(0.1, 0.1, 0.1)); s.Mdev > 1e-12 || math.IsNaN(s.Mdev) {
		t.Errorf("%+v", s)
	}
}
