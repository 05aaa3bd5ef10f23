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
	nsid, known := int32(0), false
	r := request(unix.RTM_GETNSID, 0, nl.NewRtGenMsg(), u32Attr(unix.NETNSA_FD, uint32(other.ns.Fd())))
	errs, err := s.exchange([]*nl.NetlinkRequest{r}, func(_ int, b []byte) {
		for t, v := range attributes(b, unix.SizeofRtGenmsg) {
			if t == unix.NETNSA_NSID {
				nsid = int32(u32(v))
				known = nsid >= 0
			}
		}
	})
	if err == nil {
		err = errs[0]
	}
	if err != nil {
		return 0, false, fmt.Errorf("nsid of %s in %s: %w", of, in, err)
	}
	return nsid, known, nil
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
