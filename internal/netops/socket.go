package netops

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// answerTimeout bounds the wait for the kernel's answer to one request. It is
// long because RTNL is one lock for the whole machine, and taking a thousand
// namespaces down holds it for seconds.
const answerTimeout = time.Minute

// requestSocket is a NETLINK_ROUTE socket for requests to the namespace it was
// opened in. Those who use it take turns.
type requestSocket struct {
	mu  sync.Mutex
	fd  int
	seq uint32
}

// answerBuffer is room for the answers of one exchange.
const answerBuffer = 1 << 20

// openSocket opens a socket for requests in the namespace the thread is in. It
// reports the kernel's own words for a refusal.
func openSocket() (*requestSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	if err == nil {
		// Without CAP_NET_ADMIN in the first user namespace the default has to do.
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, answerBuffer) != nil {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, answerBuffer)
		}
	}
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("setsockopt", err), unix.Close(fd))
	}
	return &requestSocket{fd: fd}, nil
}

func (r *requestSocket) close() error { return os.NewSyscallError("close", unix.Close(r.fd)) }

// number gives n requests their sequence numbers, and the first of these.
func (r *requestSocket) number(requests []*nl.NetlinkRequest) (first uint32) {
	first = r.seq + 1
	for _, q := range requests {
		r.seq++
		q.Seq = r.seq
	}
	return first
}

// write sends requests in one datagram.
func (r *requestSocket) write(requests []*nl.NetlinkRequest) error {
	var datagram []byte
	for _, q := range requests {
		datagram = append(datagram, q.Serialize()...)
		datagram = append(datagram, make([]byte, nlAlign(len(datagram))-len(datagram))...)
	}
	return os.NewSyscallError("sendto", unix.Sendto(r.fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// read hands on the messages of the next datagram.
func (r *requestSocket) read(handle func(syscall.NetlinkMessage)) error {
	err := receive(r.fd, handle)
	for errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		// Hardly ever: the kernel has answered by the time sendto returns.
		n, poll := unix.Poll([]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}}, int(answerTimeout.Milliseconds()))
		switch {
		case poll == nil && n == 0:
			return fmt.Errorf("await the kernel's answer: %w", unix.EAGAIN)
		case poll != nil && !errors.Is(poll, unix.EINTR):
			return os.NewSyscallError("poll", poll)
		}
		err = receive(r.fd, handle)
	}
	if err != nil {
		return fmt.Errorf("the kernel's answer: %w", err)
	}
	return nil
}
