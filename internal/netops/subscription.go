package netops

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// groups are the multicast groups a namespace is watched by.
var groups = []int{
	unix.RTNLGRP_LINK, unix.RTNLGRP_NEIGH, unix.RTNLGRP_NSID,
	unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
	unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
}

// receiveBuffer is asked for with SO_RCVBUFFORCE, if nothing else is wanted. It is
// room, not memory: the kernel charges it only as messages wait.
const receiveBuffer = 4 << 20

// subscription is a netlink socket that hears of everything in a namespace. It
// holds no goroutine's thread and no buffer while it waits.
type subscription struct {
	file   *os.File
	conn   syscall.RawConn
	budget *fileBudget // it is counted in; nil before subscribe
}

// errOverrun tells that messages were lost (ENOBUFS): what is known of the
// namespace must be read anew.
var errOverrun = errors.New("the socket overran")

type receiveRoom = [32 << 10]byte

// buffers holds what one recvfrom needs. A multicast message fits: the kernel
// sizes notifications by their content, well below 32 KiB.
var buffers = sync.Pool{New: func() any { return new(receiveRoom) }}

// subscribe opens a subscription in a namespace, and hears of what happens there
// from then on.
func (s *space) subscribe() (*subscription, error) {
	if err := s.kernel.files.take(s.id); err != nil {
		return nil, err
	}
	sub, err := s.subscriptionSocket()
	if err == nil {
		err = sub.join()
	}
	if err != nil {
		s.kernel.files.giveBack()
		return nil, fmt.Errorf("subscribe to namespace %s: %w", s.id, outOfFiles(err))
	}
	sub.budget = &s.kernel.files
	s.unpin(sub)
	return sub, nil
}

// subscriptionSocket gives the socket for a subscription, and opens the one for
// requests with it, which will be needed at once: entering a namespace costs more
// than both.
func (s *space) subscriptionSocket() (*subscription, error) {
	s.mu.Lock()
	sub, both := s.early, s.socket == nil
	s.early = nil
	s.mu.Unlock()
	if sub != nil {
		return sub, nil
	}
	var opened firstSockets
	err := s.kernel.do(s.ns, func() (err error) {
		if both {
			return opened.open(s.kernel.receiveBuffer)
		}
		opened.subscription, err = newSubscription(s.kernel.receiveBuffer)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, opened.close())
	}
	sub, opened.subscription = opened.subscription, nil
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket == nil {
		s.socket, opened.socket = opened.socket, nil
	}
	return sub, opened.close()
}

// newSubscription opens the socket of a subscription in the namespace the thread
// is in, with room for that many bytes of messages. It hears of nothing before join.
func newSubscription(room int) (*subscription, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "netlink")
	// Without CAP_NET_ADMIN in the first user namespace the size is limited by
	// net.core.rmem_max; an overrun is then likelier, and handled.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room); err != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room); err != nil {
			return nil, errors.Join(os.NewSyscallError("setsockopt", err), file.Close())
		}
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &subscription{file: file, conn: conn}, nil
}

// join makes the socket a member of the groups, from any thread, and closes it
// where that fails.
func (s *subscription) join() error {
	address := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	for _, g := range groups {
		address.Groups |= 1 << (g - 1) // all of them are below 32
	}
	var bound error
	err := s.conn.Control(func(fd uintptr) { bound = os.NewSyscallError("bind", unix.Bind(int(fd), address)) })
	if err = errors.Join(err, bound); err != nil {
		return errors.Join(err, s.close())
	}
	return nil
}

// wait calls read with each socket state that may hold messages, until read
// says that it is done or the subscription is closed. read must take what it
// wants with receive and return false to be called again once more has come.
func (s *subscription) wait(read func(fd int) (done bool)) error {
	return s.conn.Read(func(fd uintptr) bool { return read(int(fd)) })
}

// now calls read at once, beside a wait that may be under way.
func (s *subscription) now(read func(fd int)) error {
	return s.conn.Control(func(fd uintptr) { read(int(fd)) })
}

// receive takes one datagram without waiting and gives each of its messages to
// handle. unix.EAGAIN means that there is none, errOverrun that some were lost.
func receive(fd int, handle func(syscall.NetlinkMessage)) error {
	buffer, ok := buffers.Get().(*receiveRoom)
	if !ok {
		buffer = new(receiveRoom)
	}
	defer buffers.Put(buffer)
	n, from, err := unix.Recvfrom(fd, buffer[:], unix.MSG_DONTWAIT|unix.MSG_TRUNC)
	switch {
	case errors.Is(err, unix.ENOBUFS) || n > len(buffer):
		return errOverrun
	case err != nil:
		return err
	}
	if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
		return nil // only the kernel is believed
	}
	messages, err := syscall.ParseNetlinkMessage(buffer[:n])
	if err != nil {
		return errOverrun
	}
	for _, m := range messages {
		handle(m)
	}
	return nil
}

func (s *subscription) close() error {
	if s.budget != nil {
		s.budget.giveBack()
	}
	return s.file.Close()
}
