package netops

import (
	"fmt"
	"sync"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// NSID asks what a namespace calls another one: its nsid there, or false if it
// has none. Both are given as ids.
func (k *Kernel) NSID(in, of topology.NamespaceID) (int32, bool, error) {
	s, release, err := k.acquireID(in)
	if err != nil {
		return 0, false, err
	}
	defer release()
	other, releaseOther, err := k.acquireID(of)
	if err != nil {
		return 0, false, err
	}
	defer releaseOther()
	req, err := s.request(unix.RTM_GETNSID, 0)
	if err != nil {
		return 0, false, err
	}
	req.AddData(nl.NewRtGenMsg())
	req.AddData(nl.NewRtAttr(unix.NETNSA_FD, nl.Uint32Attr(uint32(other.ns.Fd()))))
	answer, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWNSID)
	if err != nil {
		return 0, false, fmt.Errorf("nsid of %s in %s: %w", of, in, err)
	}
	for _, b := range answer {
		for t, v := range attributes(b, unix.SizeofRtGenmsg) {
			if t == unix.NETNSA_NSID {
				id := int32(u32(v))
				return id, id >= 0, nil
			}
		}
	}
	return 0, false, nil
}

// acquireID is acquire for an identity, without a search where it is open.
func (k *Kernel) acquireID(id topology.NamespaceID) (*space, func(), error) {
	k.mu.Lock()
	s := k.spaces[id]
	if id == k.host.id {
		s = k.host
	}
	if s == nil || k.closed {
		k.mu.Unlock()
		return k.acquire(id.String())
	}
	s.users++
	k.mu.Unlock()
	return s, sync.OnceFunc(func() { k.release(s) }), nil
}
