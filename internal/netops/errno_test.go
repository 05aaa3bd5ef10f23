package netops

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// refusedCase is a Change the kernel refuses, and how that must be said.
type refusedCase struct {
	change topology.Change
	code   topology.Code
	detail string // part of it
	cause  unix.Errno
}

// TestRefusals makes each mistake on a lab and sees it explained, with nothing
// changed by it.
func TestRefusals(t *testing.T) {
	nettest.NoLeaks(t)
	k := newKernel(t)
	t.Cleanup(func() { nettest.Shell(t, "ip netns delete A; ip netns delete B") })
	// A: a0 (up, 10.0.0.1/24) and p1, a port of br0; br1 is down, x0 and x1 are a pair.
	nettest.Shell(t, "set -e\n"+port+`
ip -n A link add a0 type veth peer name a0 netns B
ip -n A link set a0 up
ip -n A address add 10.0.0.1/24 dev a0
ip -n A link add br1 type bridge
ip -n A link add x0 type veth peer name x1
ip -n A route add 10.9.0.0/16 via 10.0.0.9
bridge -n A fdb add 02:00:00:00:00:42 dev p1 master static`)
	cases := []refusedCase{
		{topology.SetUp{Namespace: "nowhere", Name: "x"}, topology.CodeNotFound, "no namespace", 0},
		{topology.SetUp{Namespace: "A", Name: "none", Up: true}, topology.CodeNotFound, "no link none", unix.ENODEV},
		{topology.DeleteLink{Namespace: "A", Name: "none"}, topology.CodeNotFound, "no link none", unix.ENODEV},
		{topology.DeleteLink{Namespace: "A", Name: "lo"}, topology.CodeUnsupported, "", unix.EOPNOTSUPP},
		{topology.CreateNamespace{Name: "A"}, topology.CodeConflict, "already", unix.EEXIST},
		{topology.DeleteNamespace{Name: "nowhere"}, topology.CodeNotFound, "", unix.ENOENT},
		{topology.CreateBridge{Namespace: "A", Name: "br0"}, topology.CodeConflict, "already a link", unix.EEXIST},
		{topology.CreateBridge{Namespace: "A", Name: "new", Attributes: topology.BridgeAttributes{STP: new(true), HelloSeconds: new(99)}}, topology.CodeInvalid, "", unix.ERANGE},
		{topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "a0"}, B: topology.VethEnd{Namespace: "B", Name: "new"}}, topology.CodeConflict, "already a link", unix.EEXIST},
		{topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "new"}, B: topology.VethEnd{Namespace: "B", Name: "a0"}}, topology.CodeConflict, "already a link", unix.EEXIST},
		{topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "new"}, B: topology.VethEnd{Namespace: "B", Name: "new", MTU: 20}}, topology.CodeInvalid, "", unix.EINVAL},
		{topology.CreateVeth{A: topology.VethEnd{Namespace: "A", Name: "new"}, B: topology.VethEnd{Namespace: "B", Name: "new", MAC: "01:00:00:00:00:01"}}, topology.CodeInvalid, "", unix.EADDRNOTAVAIL},
		{topology.Rename{Namespace: "A", Name: "x0", To: "a0"}, topology.CodeConflict, "already a link", unix.EEXIST},
		{topology.Rename{Namespace: "A", Name: "none", To: "new"}, topology.CodeNotFound, "no link none", unix.ENODEV},
		{topology.Move{Namespace: "A", Name: "a0", ToNamespace: "B"}, topology.CodeConflict, "already a link", unix.EEXIST},
		{topology.Move{Namespace: "A", Name: "br0", ToNamespace: "B", To: "a0"}, "", "", 0}, // bridges are not moved: only that it is refused
		{topology.Move{Namespace: "A", Name: "a0", ToNamespace: "nowhere"}, topology.CodeNotFound, "no namespace", 0},
		{topology.SetMAC{Namespace: "A", Name: "a0", MAC: "01:00:00:00:00:01"}, topology.CodeInvalid, "", unix.EADDRNOTAVAIL},
		{topology.SetMTU{Namespace: "A", Name: "a0", MTU: 20}, topology.CodeInvalid, "mtu", unix.EINVAL},
		{topology.SetMaster{Namespace: "A", Name: "x0", Master: "none"}, topology.CodeNotFound, "no link none", unix.ENODEV},
		{topology.SetMaster{Namespace: "A", Name: "x0", Master: "x1"}, topology.CodeConflict, "x1 is no bridge", 0},
		{topology.SetMaster{Namespace: "A", Name: "br1", Master: "br0"}, topology.CodeInvalid, "cannot be a port", unix.ELOOP},
		{topology.SetMaster{Namespace: "A", Name: "lo", Master: "br0"}, topology.CodeInvalid, "cannot be a port", unix.EINVAL},
		{topology.SetBridge{Namespace: "A", Name: "x0", Attributes: topology.BridgeAttributes{STP: new(true)}}, topology.CodeConflict, "x0 is no bridge", 0},
		{topology.SetPort{Namespace: "A", Name: "x0", Attributes: topology.PortAttributes{Hairpin: new(true)}}, topology.CodeConflict, "no port", 0},
		{topology.AddAddress{Namespace: "A", Link: "a0", CIDR: "10.0.0.1/24"}, topology.CodeConflict, "already this address", unix.EEXIST},
		{topology.AddAddress{Namespace: "A", Link: "none", CIDR: "10.0.0.1/24"}, topology.CodeNotFound, "no link none", unix.ENODEV},
		{topology.AddAddress{Namespace: "A", Link: "a0", CIDR: "10.0.0"}, topology.CodeInvalid, "CIDR", 0},
		{topology.DeleteAddress{Namespace: "A", Link: "a0", CIDR: "10.0.0.7/24"}, topology.CodeNotFound, "no such address", unix.EADDRNOTAVAIL},
		{topology.AddRoute{Route: topology.Route{Namespace: "A", Destination: "default", Gateway: "172.16.0.1"}}, topology.CodeInvalid, "gateway is not reachable", unix.ENETUNREACH},
		{topology.AddRoute{Route: topology.Route{Namespace: "A", Destination: "default", Gateway: "2001:db8:5::1"}}, topology.CodeInvalid, "gateway is not reachable", 0},
		{topology.AddRoute{Route: topology.Route{Namespace: "A", Destination: "10.9.0.0/16", Gateway: "10.0.0.9"}}, topology.CodeConflict, "already a route", unix.EEXIST},
		{topology.AddRoute{Route: topology.Route{Namespace: "A", Destination: "10.8.0.0/16", Link: "x0"}}, topology.CodeConflict, "down", unix.ENETDOWN},
		{topology.AddRoute{Route: topology.Route{Namespace: "A", Destination: "10.8.0.1/16", Link: "a0"}}, topology.CodeInvalid, "", unix.EINVAL},
		{topology.DeleteRoute{Route: topology.Route{Namespace: "A", Destination: "10.8.0.0/16"}}, topology.CodeNotFound, "no such route", unix.ESRCH},
		{topology.AddFDB{Namespace: "A", Bridge: "br1", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:43", Port: "p1"}}, topology.CodeConflict, "p1 is no port of br1", 0},
		{topology.AddFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:42", Port: "p1"}}, topology.CodeConflict, "already an entry", unix.EEXIST},
		{topology.DeleteFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:43", Port: "p1"}}, topology.CodeNotFound, "no such entry", unix.ENOENT},
		{topology.AddFDB{Namespace: "A", Bridge: "x0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:43", Port: "p1"}}, topology.CodeConflict, "x0 is no bridge", 0},
	}
	if !k.Capabilities().Features[topology.FeatureVLANFiltering] {
		on := topology.BridgeAttributes{VLANFiltering: new(true), Priority: new(7)}
		for _, c := range []topology.Change{
			topology.CreateBridge{Namespace: "A", Name: "new", Attributes: on},
			topology.SetBridge{Namespace: "A", Name: "br0", Attributes: on},
			topology.SetBridge{Namespace: "A", Name: "br0", Attributes: topology.BridgeAttributes{VLANFiltering: new(false)}},
			topology.AddFDB{Namespace: "A", Bridge: "br0", Entry: topology.FDBSpec{MAC: "02:00:00:00:00:43", Port: "p1", VLAN: 7}},
		} {
			cases = append(cases, refusedCase{c, topology.CodeUnsupported, topology.FeatureVLANFiltering, 0})
		}
	}
	settled(t)
	for _, c := range cases {
		before := nettest.Observe(t)
		err := k.Apply(t.Context(), c.change)
		e, ok := errors.AsType[*topology.Error](err)
		switch {
		case !ok:
			t.Errorf("%s: %v, want a *topology.Error", c.change.Command(), err)
			continue
		case c.code != "" && e.Code != c.code, !strings.Contains(e.Detail, c.detail), e.Subject == "", e.Detail == "":
			t.Errorf("%s:\n%s %q %q (%v)\nwant %s, %q", c.change.Command(), e.Code, e.Subject, e.Detail, err, c.code, c.detail)
		case c.cause != 0 && !errors.Is(err, c.cause):
			t.Errorf("%s: cause %v is not kept in: %v", c.change.Command(), c.cause, err)
		}
		if diff := cmp.Diff(before, nettest.Observe(t)); diff != "" {
			t.Errorf("%s was refused, and changed:\n%s", c.change.Command(), diff)
		}
	}
}

// settled waits until carriers, addresses and port states have come to rest.
func settled(t *testing.T) {
	t.Helper()
	last, same := nettest.Observe(t), 0
	for end := time.Now().Add(time.Minute); same < 4; same++ {
		if time.Now().After(end) {
			t.Fatal("the lab does not come to rest")
		}
		time.Sleep(300 * time.Millisecond)
		if now := nettest.Observe(t); !cmp.Equal(last, now) {
			last, same = now, -1
		}
	}
}

func TestVethConflictNamesTheEnd(t *testing.T) {
	k := newKernel(t)
	a, b := nettest.Namespace(t), nettest.Namespace(t)
	apply(t, k, topology.CreateBridge{Namespace: b, Name: "taken"})
	err := k.Apply(t.Context(), topology.CreateVeth{A: topology.VethEnd{Namespace: a, Name: "free"}, B: topology.VethEnd{Namespace: b, Name: "taken"}})
	if e, ok := errors.AsType[*topology.Error](err); !ok || e.Subject != b+"/taken" {
		t.Errorf("%v, want it about %s/taken", err, b)
	}
}

// What a test cannot bring about here is at least translated.
func TestRefusal(t *testing.T) {
	for _, c := range []struct {
		err  error
		code topology.Code
		hint string
	}{
		{unix.EPERM, topology.CodeForbidden, "CAP_NET_ADMIN"},
		{os.NewSyscallError("unshare", unix.EPERM), topology.CodeForbidden, "CAP_SYS_ADMIN"},
		{unix.EXFULL, topology.CodeConflict, "second bridge"},
		{unix.EBUSY, topology.CodeBusy, ""},
		{unix.EAGAIN, topology.CodeBusy, "try again"},
		{unix.EOPNOTSUPP, topology.CodeUnsupported, ""},
		{unix.ENOMEM, topology.CodeInternal, ""},
		{errors.New("else"), topology.CodeInternal, ""},
		{fmt.Errorf("%w: Attribute failed policy validation", unix.EINVAL), topology.CodeInvalid, ""},
	} {
		err := refusal("A/x", c.err)
		e, ok := errors.AsType[*topology.Error](err)
		if !ok || e.Code != c.code || e.Subject != "A/x" || !strings.Contains(e.Hint, c.hint) || !errors.Is(err, c.err) {
			t.Errorf("refusal of %v: %#v", c.err, err)
		}
	}
	if err := refusal("A", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	err := refusal("A", fmt.Errorf("%w: Attribute failed policy validation", unix.EINVAL))
	if e, _ := errors.AsType[*topology.Error](err); !strings.Contains(e.Detail, "Attribute failed policy validation") {
		t.Errorf("the kernel's own words are lost: %q", e.Detail)
	}
}
