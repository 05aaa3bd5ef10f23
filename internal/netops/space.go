package netops

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

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
	socket *requestSocket // nil until first used
	// early is the socket of a subscription, opened when the namespace was made,
	// for the first who subscribes.
	early *subscription
}

// firstSockets are opened in a namespace by the thread that makes it, which
// saves entering it again.
type firstSockets struct {
	socket       *requestSocket
	subscription *subscription
}

func (f *firstSockets) open(room int) (err error) {
	if f.socket, err = openSocket(); err != nil {
		return err
	}
	f.subscription, err = newSubscription(room)
	return err
}

func (f *firstSockets) close() error {
	var errs []error
	if f.socket != nil {
		errs = append(errs, f.socket.close())
	}
	if f.subscription != nil {
		errs = append(errs, f.subscription.close())
	}
	return errors.Join(errs...)
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

func (s *space) routeSocket() (*requestSocket, error) {
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

// unpin lets go of the mount by which the namespace was opened, which could not be
// unmounted otherwise (EBUSY): a socket's namespace can be had without a path
// (SIOCGSKNS, sock_ioctl in net/socket.c). The file keeps its number, as others
// may be using it.
func (s *space) unpin(sub *subscription) {
	var err error
	control := sub.conn.Control(func(fd uintptr) {
		var ns int
		if ns, err = unix.IoctlRetInt(int(fd), unix.SIOCGSKNS); err != nil {
			return
		}
		err = errors.Join(unix.Dup3(ns, int(s.ns.Fd()), unix.O_CLOEXEC), unix.Close(ns))
	})
	if err = errors.Join(control, err); err != nil {
		s.kernel.log.Debug("the mount of a namespace is kept busy", "namespace", s.id, "error", err)
	}
}

// closeIfUnused closes socket and file of a space that is gone and that nobody
// uses. Kernel.mu is held.
func (s *space) closeIfUnused() error {
	if !s.gone || s.users > 0 {
		return nil
	}
	if s.socket != nil {
		if err := s.socket.close(); err != nil {
			return err
		}
		s.socket = nil
	}
	if s.early != nil {
		if err := s.early.close(); err != nil {
			return err
		}
		s.early = nil
	}
	return s.kernel.reaper.letGo(s.ns)
}
