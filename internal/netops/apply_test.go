package netops

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// Both ends may get the same ifindex; each must be where it belongs.
func TestVethWithIdenticalIndexes(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	apply(t, k, topology.CreateVeth{A: topology.VethEnd{Namespace: a, Name: "eth0"}, B: topology.VethEnd{Namespace: b, Name: "eth0"}})
	near, far := nettest.IP(t, a, "link", "show", "eth0")[0], nettest.IP(t, b, "link", "show", "eth0")[0]
	if near["ifindex"] != far["ifindex"] {
		t.Errorf("indexes %v and %v; in two fresh namespaces they should be the same", near["ifindex"], far["ifindex"])
	}
	for name, end := range map[string]map[string]any{a: near, b: far} {
		if end["link_index"] != end["ifindex"] || end["link_netnsid"] == nil {
			t.Errorf("in %s: %v", name, end)
		}
	}
	if near["address"] == far["address"] {
		t.Errorf("both ends have the MAC address %v", near["address"])
	}
}

// Nothing of a pair made between two other namespaces may show on the host,
// not even for a moment.
func TestVethIsAtNoTimeOnHost(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	events, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK)
	if err != nil {
		t.Fatal(err)
	}
	defer events.Close()
	apply(t, k,
		topology.CreateVeth{A: topology.VethEnd{Namespace: a, Name: "left"}, B: topology.VethEnd{Namespace: b, Name: "right"}},
		topology.CreateVeth{A: topology.VethEnd{Namespace: "host", Name: "end"}, B: topology.VethEnd{Namespace: a, Name: "peer"}},
		topology.DeleteLink{Namespace: "host", Name: "end"})
	seen := map[string]bool{}
	for deleted := false; !deleted; { // events come in order
		messages, _, err := events.Receive()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			l := decodeLink(m.Data)
			if l == nil {
				continue
			}
			seen[l.Name] = true
			deleted = deleted || m.Header.Type == unix.RTM_DELLINK && l.Name == "end"
		}
	}
	if want := map[string]bool{"end": true}; !cmp.Equal(seen, want) {
		t.Errorf("links seen on the host: %v, want only %v", seen, want)
	}
}

func TestApplyWhenCancelled(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := k.Apply(ctx, topology.CreateNamespace{Name: "never"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	if refs := list(t, k); len(refs) != 1 {
		t.Errorf("it made %+v", refs)
	}
}

// Requests to one namespace share a socket: none may get another's answer.
func TestApplyConcurrently(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	a := nettest.Namespace(t)
	apply(t, k, topology.CreateBridge{Namespace: a, Name: "br0"})
	results := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for range 50 {
				if i%2 == 0 {
					err = errors.Join(err, k.Apply(context.Background(), topology.SetAlias{Namespace: a, Name: "br0", Alias: "x"}))
				} else if refused := k.Apply(context.Background(), topology.SetUp{Namespace: a, Name: "none"}); topology.CodeOf(refused) != topology.CodeNotFound {
					err = errors.Join(err, errors.New("the answer to a request for a missing link is another's"))
				}
			}
			results <- err
		}()
	}
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestCapabilities(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	start := time.Now()
	c := k.Capabilities()
	t.Logf("probed in %v: %v", time.Since(start), c.Features)
	a := nettest.Namespace(t)
	// The judge is what ip can do.
	can := func(command string) bool {
		return nettest.Shell(t, "if ip -n "+a+" "+command+"; then echo yes; fi 2>/dev/null") == "yes\n"
	}
	want := map[string]bool{
		topology.FeatureBridge:        can("link add b1 type bridge"),
		topology.FeatureVeth:          can("link add x type veth peer name y"),
		topology.FeatureVLANFiltering: can("link add b2 type bridge vlan_filtering 1"),
		FeatureIPv6:                   can("address add ::2 dev lo"),
	}
	if !want[topology.FeatureBridge] || !want[topology.FeatureVeth] {
		t.Errorf("there is no kernel netdash works on without bridge and veth: %v", want)
	}
	if diff := cmp.Diff(want, c.Features); diff != "" {
		t.Errorf("features (-want +got):\n%s", diff)
	}
	if got, want := c.Kernel+" "+c.BootID+"\n", nettest.Shell(t, `echo "$(uname -r) $(cat /proc/sys/kernel/random/boot_id)"`); got != want {
		t.Errorf("kernel and boot %q, want %q", got, want)
	}
	if c.Mode != "host" {
		t.Errorf("mode %q", c.Mode)
	}
}
