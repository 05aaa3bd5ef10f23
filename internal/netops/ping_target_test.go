package netops

import (
	"errors"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

func TestPingRefused(t *testing.T) {
	k := pingKernel(t)
	a, _ := pingPair(t)
	for _, c := range []struct {
		req     topology.PingRequest
		code    topology.Code
		pointer string
	}{
		{quick("nowhere", "10.0.0.2"), topology.CodeNotFound, ""},
		{quick("../run", "10.0.0.2"), topology.CodeNotFound, ""},
		{quick(a, "10.0.0"), topology.CodeInvalid, "/address"},
		{quick(a, "example.org"), topology.CodeInvalid, "/address"},
		{quick(a, ""), topology.CodeInvalid, "/address"},
		{quick(a, "0.0.0.0"), topology.CodeInvalid, "/address"},
		{quick(a, "fe80::1"), topology.CodeInvalid, "/address"},
		{quick(a, "fe80::1%nolink"), topology.CodeInvalid, "/address"},
		{quick(a, "fe80::1%a-name-that-is-too-long"), topology.CodeInvalid, "/address"},
		{quick(a, "fd00::2%eth0"), topology.CodeInvalid, "/address"},
		{topology.PingRequest{Namespace: a, Address: "10.0.0.2", Link: "nolink"}, topology.CodeInvalid, "/link"},
		{topology.PingRequest{Namespace: a, Address: "fe80::1%eth0", Link: "lo"}, topology.CodeInvalid, "/link"},
		{topology.PingRequest{Namespace: a, Address: "10.0.0.2", ToNamespace: a}, topology.CodeInvalid, "/address"},
		{topology.PingRequest{Namespace: a, Address: "10.0.0.2", Count: 101}, topology.CodeInvalid, "/count"},
		{topology.PingRequest{Namespace: a, Address: "10.0.0.2", Size: -1}, topology.CodeInvalid, "/size"},
		{topology.PingRequest{Namespace: a, ToNamespace: "nowhere"}, topology.CodeNotFound, ""},
	} {
		_, err := k.Ping(t.Context(), c.req, nil)
		e, ok := errors.AsType[*topology.Error](err)
		if !ok || e.Code != c.code {
			t.Errorf("%+v: %v, want %s", c.req, err, c.code)
			continue
		}
		if c.pointer != "" && (len(e.Fields) != 1 || e.Fields[0].Pointer != c.pointer) {
			t.Errorf("%+v: fields %+v", c.req, e.Fields)
		}
	}
}

func TestPingToNamespace(t *testing.T) {
	k := pingKernel(t)
	a, b, c := nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)
	want := func(from, to, address string) {
		t.Helper()
		got, err := k.bestAddress(t.Context(), topology.PingRequest{Namespace: from, ToNamespace: to})
		if err != nil || got.addr.String() != address || got.link == "" || got.chosen == "" {
			t.Errorf("from %s to %s: %+v, %v, want %s", from, to, got, err, address)
		}
	}
	nettest.Shell(t, "ip -n "+b+" link set lo up; ip -n "+b+" link add v0 type veth peer name v1; ip -n "+b+" link set v0 up; ip -n "+b+" link set v1 up")
	_, err := k.bestAddress(t.Context(), topology.PingRequest{Namespace: a, ToNamespace: b})
	if e, ok := errors.AsType[*topology.Error](err); !ok || e.Code != topology.CodeConflict || e.Subject != b || e.Hint == "" {
		t.Errorf("no address but those of lo and the link: %v", err)
	}
	nettest.Shell(t, "ip -n "+b+" addr add fd09::1/64 dev v0 nodad")
	want(a, b, "fd09::1")
	nettest.Shell(t, "ip -n "+b+" addr add 10.9.0.1/24 dev v0")
	want(a, b, "10.9.0.1")
	pingLink(t, a, "down0", "10.0.3.1/24", "fd03::1/64", b, "down0", "10.0.3.2/24", "fd03::2/64")
	pingLink(t, a, "eth0", "10.0.0.1/24", "fd00::1/64", b, "eth0", "10.0.0.2/24", "fd00::2/64")
	nettest.Shell(t, "ip -n "+a+" link set down0 down")
	want(a, b, "10.0.0.2")
	want(b, a, "10.0.0.1")
	// a has a way to either subnet that is down; to one it has another.
	nettest.Shell(t, "ip -n "+a+" link add br0 type bridge; ip -n "+a+" addr add 10.9.0.7/24 dev br0; ip -n "+a+" addr add 10.0.0.7/24 dev br0")
	want(a, b, "10.0.0.2")
	nettest.Shell(t, "ip -n "+a+" link del br0; ip -n "+a+" link set eth0 down")
	want(a, b, "10.0.3.2") // none is up: still a subnet they share
	nettest.Shell(t, "ip -n "+a+" link set eth0 up; ip -n "+a+" addr add fd00::1/64 dev eth0 nodad")
	r := mustPing(t, k, topology.PingRequest{Namespace: a, ToNamespace: b, IntervalMS: 20})
	wantReplies(t, r, 3, 64)
	if r.ToNamespace != b || r.ToLink != "eth0" || r.Chosen != a+" and "+b+" share its subnet, and the links are up" {
		t.Errorf("%+v", r)
	}
	nettest.Shell(t, "ip -n "+a+" addr flush dev eth0 scope global; ip -n "+a+" addr add fd00::1/64 dev eth0 nodad")
	want(a, b, "fd00::2")
	want(c, b, "10.9.0.1") // no subnet shared: the first of the live
	// Over one link, what it shares counts.
	over := func(link string) string {
		got, err := k.bestAddress(t.Context(), topology.PingRequest{Namespace: a, ToNamespace: b, Link: link})
		if err != nil {
			t.Error(err)
		}
		return got.addr.String()
	}
	nettest.Shell(t, "ip -n "+a+" link set down0 up")
	if got := []string{over("eth0"), over("down0")}; got[0] != "fd00::2" || got[1] != "10.0.3.2" {
		t.Errorf("over eth0 and down0: %q", got)
	}
	// What both have does not lead from one to the other.
	nettest.Shell(t, "ip -n "+a+" addr add 10.0.3.2/24 dev down0; ip -n "+c+" link set lo up")
	want(a, b, "fd00::2")
	nettest.Shell(t, "ip -n "+b+" link del v0; ip -n "+b+" addr flush dev eth0; ip -n "+b+" addr flush dev down0; ip -n "+b+" addr add 10.0.3.2/24 dev down0")
	_, err = k.Ping(t.Context(), topology.PingRequest{Namespace: a, ToNamespace: b}, nil)
	if e, ok := errors.AsType[*topology.Error](err); !ok || e.Code != topology.CodeConflict || e.Subject != b || !strings.Contains(e.Detail, "does not have too") {
		t.Errorf("the only address is the sender's too: %v", err)
	}
	if r := mustPing(t, k, topology.PingRequest{Namespace: b, ToNamespace: b, Count: 1}); r.Received != 1 || r.Address != "10.0.3.2" {
		t.Errorf("itself: %+v", r)
	}
}
