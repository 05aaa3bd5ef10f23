package netops

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// answerTimeout bounds the wait for the kernel's answer to one request. It is
// long because RTNL is one lock for the whole machine, and taking a thousand
// namespaces down holds it for seconds.
const answerTimeout = time.Minute

// space is an open namespace.
type space struct {
	kernel *Kernel
	id     topology.NamespaceID
	ns     *os.File

	// Guarded by Kernel.mu.
	names map[string]bool // names it was opened by; nil for host
	users int
	gone  bool // out of the registry: closed with its last user

	mu     sync.Mutex
	socket *nl.SocketHandle // NETLINK_ROUTE; nil until first used
}

// request starts a netlink request to the namespace. Requests share one socket
// and wait for each other; execute them with
// req.Execute(unix.NETLINK_ROUTE, …), which reports the kernel's extended error
// text where there is one.
func (s *space) request(proto, flags int) (*nl.NetlinkRequest, error) {
	socket, err := s.routeSocket()
	if err != nil {
		return nil, err
	}
	req := nl.NewNetlinkRequest(proto, flags)
	req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_ROUTE: socket}
	return req, nil
}

func (s *space) routeSocket() (*nl.SocketHandle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		return s.socket, nil
	}
	err := s.kernel.do(s.ns, func() error {
		// No namespace given: the socket opens where this thread is.
		socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		timeout := unix.NsecToTimeval(answerTimeout.Nanoseconds())
		for _, set := range []error{
			socket.SetSendTimeout(&timeout),
			socket.SetReceiveTimeout(&timeout),
			socket.SetExtAck(true),
		} {
			if set != nil {
				socket.Close()
				return set
			}
		}
		s.socket = &nl.SocketHandle{Socket: socket}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket in namespace %s: %w", s.id, err)
	}
	return s.socket, nil
}

// closeIfUnused closes file and socket of a space that is gone and that nobody
// uses. Kernel.mu is held.
func (s *space) closeIfUnused() error {
	if !s.gone || s.users > 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		s.socket.Close()
		s.socket = nil
	}
	return s.ns.Close()
}
