package netops

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink/nl"
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
	// early is a subscription opened when the namespace was made, for the first
	// who subscribes.
	early *subscription
}

// firstSockets are opened in a namespace by the thread that makes it, which
// saves entering it again.
type firstSockets struct {
	socket       *nl.SocketHandle
	subscription *subscription
}

func (f *firstSockets) open() (err error) {
	if f.socket, err = openSocket(); err != nil {
		return err
	}
	f.subscription, err = newSubscription()
	return err
}

func (f *firstSockets) close() error {
	if f.socket != nil {
		f.socket.Close()
	}
	if f.subscription != nil {
		return f.subscription.close()
	}
	return nil
}

// know takes a namespace that has just been made into the registry. It must not
// hold Kernel.mu and the space's lock at once: routeSocket takes them the other
// way round.
func (k *Kernel) know(name string, first firstSockets) error {
	return k.in(name, func(s *space) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.socket != nil { // somebody was quicker to open one
			return first.close()
		}
		s.socket, s.early = first.socket, first.subscription
		return nil
	})
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
	err := s.kernel.do(s.ns, func() (err error) {
		s.socket, err = openSocket()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket in namespace %s: %w", s.id, err)
	}
	return s.socket, nil
}

// openSocket opens a socket for requests in the namespace the thread is in.
func openSocket() (*nl.SocketHandle, error) {
	// To no group: what comes is answers only.
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	timeout := unix.NsecToTimeval(answerTimeout.Nanoseconds())
	if err := errors.Join(socket.SetSendTimeout(&timeout), socket.SetReceiveTimeout(&timeout), socket.SetExtAck(true)); err != nil {
		socket.Close()
		return nil, err
	}
	return &nl.SocketHandle{Socket: socket}, nil
}

// closeIfUnused closes file and socket of a space that is gone and that nobody
// uses. Kernel.mu is held.
func (s *space) closeIfUnused() error {
	if !s.gone || s.users > 0 {
		return nil
	}
	if s.socket != nil {
		s.socket.Close()
		s.socket = nil
	}
	if s.early != nil {
		if err := s.early.close(); err != nil {
			return err
		}
		s.early = nil
	}
	return s.ns.Close()
}
