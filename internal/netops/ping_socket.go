package netops

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// icmpFilter is ICMP_FILTER of linux/icmp.h, an option of level SOL_RAW.
const icmpFilter = 1

// pingBuffer is how many bytes may wait in each direction: 100 requests of the
// largest size that is allowed, at the shortest interval, and their replies.
const pingBuffer = 16 << 20

// pingSocket is a raw ICMP socket to one address. It belongs to the namespace
// of the thread that opened it and may be used from any. net.IPConn would do
// but for zones: it looks them up among the links of the host.
type pingSocket struct {
	file   *os.File
	conn   syscall.RawConn
	to     unix.Sockaddr
	buffer []byte
	space  []byte // for control messages
}

// pingPacket is an ICMP message as it came in. Its data are valid until the
// next is received.
type pingPacket struct {
	from    netip.Addr // with its zone if it is link-local
	ttl     int
	data    []byte // from the ICMP header on
	arrived time.Time
	read    time.Time
}

// since is how long after a request was sent the packet arrived.
func (packet *pingPacket) since(sent time.Time) time.Duration {
	if packet.arrived.Before(sent) { // the wall clock was set meanwhile
		return packet.read.Sub(sent)
	}
	return packet.arrived.Sub(sent)
}

// openPingSocket opens a socket in the thread's namespace that sends to target,
// over a link if one is named, and receives the echo replies to an identifier,
// from anybody, and all ICMP errors.
func openPingSocket(target netip.Addr, link string, id uint16, ttl int) (*pingSocket, error) {
	fd, err := rawSocket(target, ttl)
	if err != nil {
		return nil, err
	}
	s := &pingSocket{
		file:   os.NewFile(uintptr(fd), "icmp"),
		buffer: make([]byte, 1<<16),
		space:  make([]byte, 128),
	}
	if err = filterID(fd, target.Is6(), id); err == nil {
		s.to, err = sendTo(fd, target)
	}
	if err == nil && link != "" {
		err = s.leaveBy(fd, link)
	}
	if err == nil {
		s.conn, err = s.file.SyscallConn()
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// sendTo is where a socket sends to reach an address.
func sendTo(fd int, target netip.Addr) (unix.Sockaddr, error) {
	if target.Is4() {
		return &unix.SockaddrInet4{Addr: target.As4()}, nil
	}
	to := &unix.SockaddrInet6{Addr: target.As16()}
	if target.Zone() != "" {
		index, err := linkIndex(fd, target.Zone())
		if err != nil {
			return nil, pingFieldError("/address", "%v", err)
		}
		to.ZoneId = index
	}
	return to, nil
}

// rawSocket opens a raw ICMP socket of target's family in the thread's namespace,
// which does not block, receives all echo replies and ICMP errors, and has them
// stamped.
func rawSocket(target netip.Addr, ttl int) (int, error) {
	family, proto := unix.AF_INET, unix.IPPROTO_ICMP
	if target.Is6() {
		family, proto = unix.AF_INET6, unix.IPPROTO_ICMPV6
	}
	fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = setRaw(fd, target, ttl); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func setRaw(fd int, target netip.Addr, ttl int) error {
	var errs []error
	option := func(level, name, value int) {
		errs = append(errs, os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, level, name, value)))
	}
	// Only root of the first user namespace may go beyond the machine's limits;
	// the rest must do with what there is.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, pingBuffer)
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, pingBuffer)
	option(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	if target.Is4() {
		option(unix.SOL_IP, unix.IP_TTL, ttl)
		option(unix.SOL_IP, unix.IP_MULTICAST_TTL, ttl)
		var pass uint32
		for _, t := range []ipv4.ICMPType{
			ipv4.ICMPTypeEchoReply, ipv4.ICMPTypeDestinationUnreachable,
			ipv4.ICMPTypeTimeExceeded, ipv4.ICMPTypeParameterProblem, ipv4.ICMPTypeRedirect,
		} {
			pass |= 1 << t
		}
		option(unix.SOL_RAW, icmpFilter, int(int32(^pass))) // a set bit blocks
		return errors.Join(errs...)
	}
	option(unix.SOL_IPV6, unix.IPV6_UNICAST_HOPS, ttl)
	option(unix.SOL_IPV6, unix.IPV6_MULTICAST_HOPS, ttl)
	option(unix.SOL_IPV6, unix.IPV6_RECVHOPLIMIT, 1)
	var filter unix.ICMPv6Filter // here too a set bit blocks
	for i := range filter.Data {
		filter.Data[i] = ^uint32(0)
	}
	for _, t := range []ipv6.ICMPType{
		ipv6.ICMPTypeEchoReply, ipv6.ICMPTypeDestinationUnreachable, ipv6.ICMPTypePacketTooBig,
		ipv6.ICMPTypeTimeExceeded, ipv6.ICMPTypeParameterProblem,
	} {
		filter.Data[t/32] &^= 1 << (t % 32)
	}
	err := unix.SetsockoptICMPv6Filter(fd, unix.SOL_ICMPV6, unix.ICMPV6_FILTER, &filter)
	return errors.Join(append(errs, os.NewSyscallError("setsockopt", err))...)
}

// leaveBy has the socket send over one link, as SO_BINDTODEVICE would, which ping(8)
// uses. A socket that is bound does not hear what the namespace tells itself over
// lo, though: that a neighbour does not answer.
func (s *pingSocket) leaveBy(fd int, link string) error {
	index, err := linkIndex(fd, link)
	if err != nil {
		return pingFieldError("/link", "%v", err)
	}
	inOrder := int(int32(binary.NativeEndian.Uint32(binary.BigEndian.AppendUint32(nil, index)))) // ip(7): in network order
	if to, is6 := s.to.(*unix.SockaddrInet6); is6 {
		if to.ZoneId != 0 && to.ZoneId != index {
			return pingFieldError("/link", "the address is one of another link")
		}
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_UNICAST_IF, inOrder),
			unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_MULTICAST_IF, int(index)))
	} else {
		err = errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_UNICAST_IF, inOrder),
			unix.SetsockoptIPMreqn(fd, unix.SOL_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)}))
	}
	return os.NewSyscallError("setsockopt", err)
}

// filterID keeps the echo replies to other identifiers from waking this ping,
// as ping(8) does (install_filter in iputils' ping.c): a raw socket gets those of every
// ping in its namespace.
func filterID(fd int, is6 bool, id uint16) error {
	// The filter of an IPv4 socket sees the IP header, which X is to skip; that
	// of an IPv6 socket begins with the ICMP header.
	skip := unix.SockFilter{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0}
	reply := uint32(ipv4.ICMPTypeEchoReply)
	if is6 {
		skip = unix.SockFilter{Code: unix.BPF_LDX | unix.BPF_W | unix.BPF_IMM, K: 0}
		reply = uint32(ipv6.ICMPTypeEchoReply)
	}
	program := []unix.SockFilter{
		skip,
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_IND, K: 0}, // type
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: reply, Jf: 3},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 4}, // identifier
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(id), Jt: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
		{Code: unix.BPF_RET | unix.BPF_K, K: 1<<32 - 1},
	}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	return os.NewSyscallError("setsockopt", err)
}

// linkIndex finds a link by name in the namespace of a socket.
func linkIndex(fd int, name string) (uint32, error) {
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request)
	}
	if err != nil {
		return 0, fmt.Errorf("there is no link %s in this namespace", name)
	}
	return request.Uint32(), nil
}

// linkName is the reverse of linkIndex; the number itself if there is none.
func linkName(fd int, index uint32) string {
	request, err := unix.NewIfreq("")
	if err == nil {
		request.SetUint32(index)
		err = unix.IoctlIfreq(fd, unix.SIOCGIFNAME, request)
	}
	if err != nil {
		return fmt.Sprint(index)
	}
	return request.Name()
}

// addressError refuses the address of a ping.
func addressError(format string, args ...any) error {
	return pingFieldError("/address", format, args...)
}

// pingFieldError refuses a ping for one of its fields.
func pingFieldError(pointer, format string, args ...any) error {
	return &topology.Error{
		Code:   topology.CodeInvalid,
		Detail: "cannot ping like this",
		Fields: []topology.FieldError{{Pointer: pointer, Detail: fmt.Sprintf(format, args...)}},
	}
}

func (s *pingSocket) close() { _ = s.file.Close() }

// interrupt ends a receive under way.
func (s *pingSocket) interrupt() { _ = s.file.SetReadDeadline(time.Unix(1, 0)) }

// send hands a message to the kernel, or says in the kernel's words why it did
// not take it, and notes the moment before. It never waits: a full buffer is a
// reason too. The kernel's own time stamp of sending (SOF_TIMESTAMPING_TX_SOFTWARE)
// would be that of the link, after the neighbour has been asked for.
func (s *pingSocket) send(message []byte, at *time.Time) error {
	var sendErr error
	err := s.conn.Control(func(fd uintptr) {
		*at = time.Now()
		sendErr = sendPing(int(fd), message, s.to)
	})
	if err != nil {
		return err
	}
	return sendErr
}

func sendPing(fd int, message []byte, to unix.Sockaddr) error {
	err := unix.Sendto(fd, message, 0, to)
	for err == unix.EINTR {
		err = unix.Sendto(fd, message, 0, to)
	}
	return err
}

// receive waits for a packet until a time and then fails with
// os.ErrDeadlineExceeded; what has arrived by then is always read. It fails so
// too when ctx ends and interrupt is called.
func (s *pingSocket) receive(ctx context.Context, until time.Time) (*pingPacket, error) {
	var packet *pingPacket
	var readErr error
	read := func(fd uintptr) bool {
		packet, readErr = s.read(int(fd))
		return !errors.Is(readErr, unix.EAGAIN)
	}
	// A deadline that has passed would end Read before it has looked.
	err := s.conn.Control(func(fd uintptr) { read(fd) })
	if err == nil && errors.Is(readErr, unix.EAGAIN) {
		if err = s.file.SetReadDeadline(until); err == nil && ctx.Err() != nil {
			// Interrupted before the deadline was set.
			err = os.ErrDeadlineExceeded
		}
		if err == nil {
			err = s.conn.Read(read)
		}
	}
	if err != nil {
		return nil, err
	}
	return packet, os.NewSyscallError("recvmsg", readErr)
}

// read takes one packet from the socket.
func (s *pingSocket) read(fd int) (*pingPacket, error) { return readPing(fd, s.buffer, s.space) }

// readPing takes one packet from a raw ICMP socket into buffer, with space for
// control messages.
func readPing(fd int, buffer, space []byte) (*pingPacket, error) {
	n, controlLen, _, from, err := unix.Recvmsg(fd, buffer, space, 0)
	for err == unix.EINTR {
		n, controlLen, _, from, err = unix.Recvmsg(fd, buffer, space, 0)
	}
	if err != nil {
		return nil, err
	}
	now := time.Now()
	packet := &pingPacket{data: buffer[:n], arrived: now, read: now}
	switch from := from.(type) {
	case *unix.SockaddrInet4:
		packet.from = netip.AddrFrom4(from.Addr)
		// A raw IPv4 socket gives the IP header too.
		if n < ipv4.HeaderLen {
			return packet, nil
		}
		packet.ttl = int(packet.data[8])
		packet.data = packet.data[min(n, int(packet.data[0]&0x0f)*4):]
	case *unix.SockaddrInet6:
		packet.from = netip.AddrFrom16(from.Addr)
		if from.ZoneId != 0 {
			packet.from = packet.from.WithZone(linkName(fd, from.ZoneId))
		}
	}
	packet.control(space[:controlLen])
	return packet, nil
}

// control reads hop limit and time stamp. The kernel stamps a packet by the
// wall clock when it comes in, or when it is read if no socket of the machine
// has asked for stamps until just now. How long it has waited since is taken
// off the monotonic clock, so that setting the clock disturbs one packet at
// most.
func (packet *pingPacket) control(messages []byte) {
	for len(messages) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(messages)
		if err != nil {
			return
		}
		messages = rest
		switch {
		case header.Level == unix.SOL_SOCKET && header.Type == unix.SCM_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})):
			stamp := (*unix.Timespec)(unsafe.Pointer(&data[0]))
			if waited := packet.read.Sub(time.Unix(stamp.Unix())); waited > 0 {
				packet.arrived = packet.read.Add(-waited)
			}
		case header.Level == unix.SOL_IPV6 && header.Type == unix.IPV6_HOPLIMIT && len(data) >= 4:
			packet.ttl = int(*(*int32)(unsafe.Pointer(&data[0])))
		}
	}
}
