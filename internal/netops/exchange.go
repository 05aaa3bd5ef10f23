package netops

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// exchange makes requests of the namespace, all in one datagram: the kernel does
// them in order and without a pause, going on after one it refuses
// (netlink_rcv_skb in net/netlink/af_netlink.c). It gives each one's refusal,
// nil for what is done, and hands what they answer to answer. With errNoAnswer
// what became of them is not known.
func (s *space) exchange(requests []*nl.NetlinkRequest, answer func(i int, body []byte)) ([]error, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	socket, err := s.routeSocket()
	if err != nil {
		return nil, err
	}
	socket.mu.Lock()
	defer socket.mu.Unlock()
	// Only the last is acknowledged; of the others a refusal comes unasked.
	n := uint32(len(requests))
	requests[n-1].Flags |= unix.NLM_F_ACK
	first := socket.number(requests)
	if err := socket.write(requests); err != nil {
		return nil, err
	}
	errs := make([]error, n)
	for last := false; !last; {
		err := socket.read(func(m syscall.NetlinkMessage) {
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
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
		}
	}
	return errs, nil
}

// errNoAnswer tells that requests may or may not have been carried out.
var errNoAnswer = errors.New("the kernel's answer was lost")

// errInterrupted tells that the kernel changed a list while it was dumped, so
// that entries may be missing.
var errInterrupted = errors.New("the list changed while the kernel was dumping it")

// dumpList makes a dump request and hands each object to handle.
func (s *space) dumpList(r *nl.NetlinkRequest, handle func(body []byte)) error {
	socket, err := s.routeSocket()
	if err != nil {
		return err
	}
	socket.mu.Lock()
	defer socket.mu.Unlock()
	requests := []*nl.NetlinkRequest{r}
	seq := socket.number(requests)
	if err := socket.write(requests); err != nil {
		return err
	}
	interrupted, done, refused := false, false, error(nil)
	for !done {
		err := socket.read(func(m syscall.NetlinkMessage) {
			if m.Header.Seq != seq {
				return
			}
			interrupted = interrupted || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
			switch m.Header.Type {
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				done = true
				// The end of a dump carries an errno, too (netlink_dump_done).
				if len(m.Data) >= 4 && int32(u32(m.Data)) != 0 {
					refused = unix.Errno(-int32(u32(m.Data)))
				}
			default:
				handle(m.Data)
			}
		})
		if err != nil {
			return err
		}
	}
	if refused == nil && interrupted {
		refused = errInterrupted
	}
	return refused
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
