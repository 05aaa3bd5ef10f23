package netops

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// meddledPair is pingPair with a third namespace in the middle that hands on what
// pass gives for each frame; echo is the sequence number of an echo reply, else 0.
func meddledPair(t *testing.T, k *Kernel, pass func(echo int, frame []byte) [][]byte) (a, b string) {
	t.Helper()
	a, b = nettest.Namespace(t), nettest.Namespace(t)
	middle := nettest.Namespace(t)
	nettest.Shell(t, strings.NewReplacer("A", a, "B", b, "MID", middle).Replace(`
		ip -n A link add eth0 type veth peer name left netns MID
		ip -n B link add eth0 type veth peer name right netns MID
		for l in left right; do ip -n MID link set $l addrgenmode none up; done
		ip -n A addr add 10.0.0.1/24 dev eth0; ip -n A addr add fd00::1/64 dev eth0 nodad
		ip -n B addr add 10.0.0.2/24 dev eth0; ip -n B addr add fd00::2/64 dev eth0 nodad
		for n in A B; do ip -n $n link set lo up; ip -n $n link set eth0 up; done`))
	var ends []unix.PollFd
	err := k.Do(middle, func() error {
		for _, name := range []string{"left", "right"} {
			fd, err := linkSocket(name)
			if err != nil {
				return err
			}
			ends = append(ends, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var handing sync.WaitGroup
	handing.Go(func() { handOn(ends, stop, pass) })
	t.Cleanup(func() {
		close(stop)
		handing.Wait()
		for _, e := range ends {
			_ = unix.Close(int(e.Fd))
		}
	})
	return a, b
}

// linkSocket opens a socket for all frames of a link of the thread's namespace.
func linkSocket(link string) (int, error) {
	all := int(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	index, err := linkIndex(fd, link)
	if err != nil {
		return 0, err
	}
	return fd, os.NewSyscallError("bind", unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: uint16(all), Ifindex: int(index)}))
}

// handOn carries frames from each of two ends to the other until stop is closed.
func handOn(ends []unix.PollFd, stop chan struct{}, pass func(echo int, frame []byte) [][]byte) {
	buffer := make([]byte, 1<<16)
	for {
		select {
		case <-stop:
			return
		default:
		}
		_, _ = unix.Poll(ends, 20)
		for i := range ends {
			n, from, err := unix.Recvfrom(int(ends[i].Fd), buffer, 0)
			link, _ := from.(*unix.SockaddrLinklayer)
			if err != nil || link.Pkttype == unix.PACKET_OUTGOING {
				continue
			}
			for _, frame := range pass(echoReplyIn(buffer[:n]), append([]byte{}, buffer[:n]...)) {
				_, _ = unix.Write(int(ends[1-i].Fd), frame)
			}
		}
	}
}

// echoReplyIn gives the sequence number of the echo reply in a frame, or 0.
func echoReplyIn(frame []byte) int {
	if len(frame) < 14+40+8 {
		return 0
	}
	switch ip := frame[14:]; {
	case ip[0] == 0x45 && ip[9] == unix.IPPROTO_ICMP && ip[20] == 0:
		return int(binary.BigEndian.Uint16(ip[26:]))
	case ip[0]>>4 == 6 && ip[6] == unix.IPPROTO_ICMPV6 && ip[40] == 129:
		return int(binary.BigEndian.Uint16(ip[46:]))
	}
	return 0
}

func TestPingDuplicates(t *testing.T) {
	k := pingKernel(t)
	a, _ := meddledPair(t, k, func(echo int, frame []byte) [][]byte {
		if echo == 2 {
			return [][]byte{frame, frame, frame}
		}
		return [][]byte{frame}
	})
	for _, address := range []string{"10.0.0.2", "fd00::2"} {
		r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: address, IntervalMS: 50})
		if r.Sent != 3 || r.Received != 3 || r.Loss != 0 || r.Duplicates != 2 || r.Reordered != 0 || len(r.Replies) != 5 {
			t.Errorf("%s: %+v", address, r)
		}
		for _, p := range r.Replies {
			if p.Duplicate && p.Seq != 2 || p.RTTMS <= 0 || p.From != address {
				t.Errorf("%s: %+v", address, p)
			}
		}
		if out, _ := iputils(t, a, "-n", "-c", "3", "-i", "0.05", address); strings.Count(out, "(DUP!)") != 2 || !strings.Contains(out, "+2 duplicates") {
			t.Errorf("ping(8) sees other duplicates: %s", out)
		}
	}
}

func TestPingReordered(t *testing.T) {
	k := pingKernel(t)
	var held []byte
	a, _ := meddledPair(t, k, func(echo int, frame []byte) [][]byte {
		switch echo {
		case 1:
			held = frame
			return nil
		case 3:
			return [][]byte{frame, held}
		}
		return [][]byte{frame}
	})
	for _, address := range []string{"10.0.0.2", "fd00::2"} {
		r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: address, IntervalMS: 50, TimeoutMS: 10000})
		if r.Sent != 3 || r.Received != 3 || r.Reordered != 1 || r.Duplicates != 0 || len(r.Replies) != 3 {
			t.Fatalf("%s: %+v", address, r)
		}
		for i, seq := range []int{2, 3, 1} {
			if p := r.Replies[i]; p.Seq != seq || p.Reordered != (seq == 1) {
				t.Errorf("%s: reply %d: %+v", address, i, p)
			}
		}
		if r.RTTMS.Max < 80 || r.Replies[2].RTTMS != r.RTTMS.Max {
			t.Errorf("%s: the reply that was held came after %+v", address, r.RTTMS)
		}
	}
}

// A router that knows a shorter way says so; the request is answered all the same.
func TestPingRedirected(t *testing.T) {
	k := pingKernel(t)
	a, r, b, sw := nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, "ip -n "+sw+" link add br0 type bridge; ip -n "+sw+" link set br0 up")
	for i, ns := range []string{a, b, r} {
		nettest.Shell(t, strings.NewReplacer("NS", ns, "SW", sw, "PORT", fmt.Sprint("p", i), "HOST", fmt.Sprint(i+1)).Replace(`
			ip -n SW link add PORT up master br0 type veth peer name eth0 netns NS
			ip -n NS link set lo up; ip -n NS link set eth0 up; ip -n NS addr add 10.0.0.HOST/24 dev eth0`))
	}
	nettest.Shell(t, strings.NewReplacer("A", a, "B", b, "ROUTER", r).Replace(`
		ip -n A route add 10.9.0.0/16 via 10.0.0.3; ip -n ROUTER route add 10.9.0.0/16 via 10.0.0.2; ip -n B addr add 10.9.0.1/32 dev lo
		ip netns exec ROUTER sh -c 'cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 1 >conf/all/send_redirects; echo 1 >conf/eth0/send_redirects'`))
	eventually(t, "the bridge forwards", func() bool { return mustPing(t, k, quick(a, "10.0.0.3")).Received == 1 })
	got := mustPing(t, k, topology.PingRequest{Namespace: a, Address: "10.9.0.1", Count: 1, TimeoutMS: 5000})
	if got.Received != 1 || got.Errors != 0 || got.Duplicates != 0 || len(got.Replies) != 2 {
		t.Fatalf("%+v", got)
	}
	notices := 0
	for _, p := range got.Replies {
		if p.Notice != "" {
			notices++
			if p.Notice != "Redirect Host (New nexthop: 10.0.0.2)" || p.From != "10.0.0.3" || p.Error != "" || p.RTTMS != 0 {
				t.Errorf("%+v", p)
			}
		}
	}
	if notices != 1 {
		t.Errorf("%+v", got)
	}
}

// A link that is asked for is taken, whatever the routes say.
func TestPingOverLink(t *testing.T) {
	k := pingKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	pingLink(t, a, "left", "10.0.0.1/24", "fd00::1/64", b, "left", "10.0.0.2/24", "fd00::2/64")
	pingLink(t, a, "right", "10.1.0.1/24", "fd01::1/64", b, "right", "10.1.0.2/24", "fd01::2/64")
	sent := func(link string) float64 {
		t.Helper()
		stats := nettest.IP(t, a, "-s", "link", "show", link)[0]["stats64"].(map[string]any)
		return stats["tx"].(map[string]any)["packets"].(float64)
	}
	pingSettle(t, a, b)
	// For IPv6 there must be a route over it, though it need not be the best.
	nettest.Shell(t, "ip -n "+a+" -6 route add fd00::/64 via fd01::2 dev right metric 9999")
	for _, address := range []string{"10.0.0.2", "fd00::2", "ff02::1"} {
		before := map[string]float64{"left": sent("left"), "right": sent("right")}
		r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: address, Link: "right", Count: 20, IntervalMS: 10})
		if r.Received != 20 || r.Link != "right" {
			t.Errorf("%s: %+v", address, r)
		}
		// The other link carries a word of the kernel's now and then, no request.
		if left, right := sent("left")-before["left"], sent("right")-before["right"]; right < 20 || left > 10 {
			t.Errorf("%s: %v packets left by left, %v by right", address, left, right)
		}
	}
	r := mustPing(t, k, topology.PingRequest{Namespace: a, Address: linkLocal(t, b, "right"), Link: "right", IntervalMS: 20})
	if r.Received != 3 || !strings.HasSuffix(r.Address, "%right") {
		t.Errorf("link-local: %+v", r)
	}
	// Unlike a socket that is bound to the link, ours hears what the namespace says.
	nettest.Shell(t, "ip netns exec "+a+" sh -c 'echo 200 >/proc/sys/net/ipv4/neigh/right/retrans_time_ms'")
	r = mustPing(t, k, topology.PingRequest{Namespace: a, Address: "10.0.0.9", Link: "right", Count: 1, TimeoutMS: 4500})
	if len(r.Replies) != 1 || r.Replies[0].Reason != topology.PingNeighbourFailed || r.Replies[0].Error != "Destination Host Unreachable" {
		t.Errorf("nobody there: %+v", r)
	}
}
