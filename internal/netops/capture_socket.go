package netops

import (
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
	"netdash/internal/walk"
)

const (
	// slotSize holds the kernel's header (80 bytes less the Ethernet header) and
	// snapLength bytes of a frame.
	slotSize   = 256
	snapLength = 176
	blockSize  = 64 << 10
)

// packetSocket sees what all links of one namespace send and receive. The kernel
// puts it into a ring in shared memory (TPACKET_V2, packet(7)): nobody is woken by a frame,
// which costs more than all else, and each has its time when the kernel handles
// it, also before the machine's own time stamps are on.
type packetSocket struct {
	namespace string
	id        topology.NamespaceID
	slots     int

	file *os.File
	ring []byte
	at   int // the slot that is next
}

// open opens the socket in the thread's namespace. It sees nothing yet.
func (s *packetSocket) open() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	s.file = os.NewFile(uintptr(fd), "packet")
	return nil
}

// prepare sets filter and ring.
func (s *packetSocket) prepare(filter []unix.SockFilter) error {
	fd := int(s.file.Fd())
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V2)
	}
	if err == nil {
		err = unix.SetsockoptTpacketReq(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq{
			Block_size: blockSize, Block_nr: uint32(s.slots * slotSize / blockSize), Frame_size: slotSize, Frame_nr: uint32(s.slots),
		})
	}
	if err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	s.ring, err = unix.Mmap(fd, 0, s.slots*slotSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return os.NewSyscallError("mmap", err)
}

// begin has the socket see every link.
func (s *packetSocket) begin() error {
	return os.NewSyscallError("bind", unix.Bind(int(s.file.Fd()), &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL)}))
}

// next takes a record out of the ring; false if there is none.
func (s *packetSocket) next() (r walk.Record, ok bool) {
	slot := s.ring[s.at*slotSize : (s.at+1)*slotSize]
	status := (*uint32)(unsafe.Pointer(&slot[0]))
	if atomic.LoadUint32(status)&unix.TP_STATUS_USER == 0 {
		return r, false
	}
	header := (*unix.Tpacket2Hdr)(unsafe.Pointer(&slot[0]))
	link := (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&slot[align16(int(unsafe.Sizeof(*header)))]))
	r = walk.Record{
		Ifindex: int(link.Ifindex),
		Out:     link.Pkttype == unix.PACKET_OUTGOING,
		At:      time.Unix(int64(header.Sec), int64(header.Nsec)),
		Length:  int(header.Len),
	}
	if header.Status&unix.TP_STATUS_VLAN_VALID != 0 {
		r.VLAN = int(header.Vlan_tci & 0xfff)
	}
	if begin := int(header.Mac); begin < len(slot) {
		r.Data = append(r.Data, slot[begin:min(begin+int(header.Snaplen), len(slot))]...)
	}
	atomic.StoreUint32(status, unix.TP_STATUS_KERNEL)
	s.at = (s.at + 1) % s.slots
	return r, true
}

// drops tells how many frames have not fitted into the ring since it was asked
// last.
func (s *packetSocket) drops() (int, error) {
	stats, err := unix.GetsockoptTpacketStats(int(s.file.Fd()), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	return int(stats.Drops), nil
}

func (s *packetSocket) close() {
	if s.ring != nil {
		_ = unix.Munmap(s.ring) // it is the whole mapping
		s.ring = nil
	}
	if err := s.file.Close(); errors.Is(err, os.ErrClosed) {
		return
	}
}

// align16 is TPACKET_ALIGN of linux/if_packet.h.
func align16(n int) int { return (n + 15) &^ 15 }

func networkOrder(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
