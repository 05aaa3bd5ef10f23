package netops

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// exchange makes requests of the namespace, all in one datagram: the kernel does
// them in order and without a pause, going on after one it refuses
// (netlink_rcv_skb in net/netlink/af_netlink.c). It gives each one's refusal,
// nil for what is done, and hands what they answer to answer. An error beside
// that means that the outcome of some is not known.
func (s *space) exchange(requests []*nl.NetlinkRequest, answer func(i int, body []byte)) ([]error, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	socket, err := s.routeSocket()
	if err != nil {
		return nil, err
	}
	socket.Socket.Lock()
	defer socket.Socket.Unlock()
	n := uint32(len(requests))
	first := atomic.AddUint32(&socket.Seq, n) - n + 1
	// Only the last is acknowledged; of the others a refusal comes unasked.
	requests[n-1].Flags |= unix.NLM_F_ACK
	var datagram []byte
	for i, r := range requests {
		r.Seq = first + uint32(i)
		datagram = append(datagram, r.Serialize()...)
		datagram = append(datagram, make([]byte, nlAlign(len(datagram))-len(datagram))...)
	}
	fd := socket.Socket.GetFd()
	if err := unix.Sendto(fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	errs := make([]error, n)
	last := false
	for !last {
		err := receive(fd, func(m syscall.NetlinkMessage) {
			i := m.Header.Seq - first
			switch {
			case i >= n: // of an earlier request that was given up
			case m.Header.Type == unix.NLMSG_ERROR:
				errs[i] = ackError(m)
				last = last || i == n-1
			case answer != nil:
				answer(int(i), m.Data)
			}
		})
		if errors.Is(err, unix.EAGAIN) {
			err = await(fd)
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return errs, fmt.Errorf("the kernel's answer: %w", err)
		}
	}
	return errs, nil
}

// await waits for something to receive. It is hardly ever needed: the kernel has
// answered by the time sendto returns.
func await(fd int) error {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(answerTimeout.Milliseconds()))
	if err == nil && n == 0 {
		err = unix.EAGAIN
	}
	return os.NewSyscallError("poll", err)
}

// ackError reads an acknowledgement: nil, or the errno with the kernel's own
// words for it where it has some (struct nlmsgerr and its attributes, see
// linux/netlink.h).
func ackError(m syscall.NetlinkMessage) error {
	if len(m.Data) < unix.SizeofNlMsgerr {
		return errors.New("the kernel's acknowledgement is cut short")
	}
	errno := -int32(u32(m.Data))
	if errno == 0 {
		return nil
	}
	var err error = unix.Errno(errno)
	if m.Header.Flags&unix.NLM_F_ACK_TLVS == 0 {
		return err
	}
	echoed := unix.NLMSG_HDRLEN
	if m.Header.Flags&unix.NLM_F_CAPPED == 0 {
		echoed = int(u32(m.Data[4:]))
	}
	for t, v := range attributes(m.Data, 4+nlAlign(echoed)) {
		if t == unix.NLMSGERR_ATTR_MSG {
			err = fmt.Errorf("%w: %s", err, unix.ByteSliceToString(v))
		}
	}
	return err
}

func nlAlign(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }
