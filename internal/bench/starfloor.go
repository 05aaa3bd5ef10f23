package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// bareStar makes a star with as little as the kernel needs for it: each host's
// namespace, then from inside it both ends of its cable in one message, followed
// in the same datagram by the address, lo and the end itself. quiet is without
// IPv6 addresses.
func bareStar(hosts int, quiet bool) error {
	if err := enterNew(filepath.Join(runDir, "sw")); err != nil {
		return err
	}
	sw, err := os.Open(filepath.Join(runDir, "sw"))
	if err != nil {
		return err
	}
	defer sw.Close()
	if quiet {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0); err != nil {
			return err
		}
	}
	if err := send(linkMessage(0, true, text(unix.IFLA_IFNAME, "br0"), nest(unix.IFLA_LINKINFO, text(nl.IFLA_INFO_KIND, "bridge")))); err != nil {
		return fmt.Errorf("bridge: %w", err)
	}
	bridge, err := net.InterfaceByName("br0")
	if err != nil {
		return err
	}
	for i := range hosts {
		if err := enterNew(filepath.Join(runDir, fmt.Sprint("h", i))); err != nil {
			return err
		}
		if err := send(hostMessages(i, uint32(sw.Fd()), uint32(bridge.Index), quiet)...); err != nil {
			return fmt.Errorf("host %d: %w", i, err)
		}
	}
	return nil
}

// enterNew makes a namespace with a name and leaves the thread in it.
func enterNew(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	return errors.Join(
		file.Close(),
		unix.Unshare(unix.CLONE_NEWNET),
		unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""),
	)
}

func dropName(path string) error {
	return errors.Join(unix.Unmount(path, unix.MNT_DETACH), os.Remove(path))
}

// endIndex is what the host's end is numbered; in a fresh namespace it is free. The
// kernel takes a number for a peer only together with one for the link itself
// (veth_newlink), which counts from portIndex.
const (
	endIndex  = 100
	portIndex = 1000
)

// hostMessages are all that is asked for one host, from inside its namespace.
func hostMessages(i int, sw, bridge uint32, quiet bool) []*nl.NetlinkRequest {
	peer := nl.NewRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC).Index = endIndex
	for _, a := range append(oneQueue(), text(unix.IFLA_IFNAME, "eth0")) {
		peer.AddChild(a)
	}
	cable := linkMessage(int32(portIndex+i), true, append(oneQueue(), text(unix.IFLA_IFNAME, fmt.Sprint("p", i)),
		number32(unix.IFLA_NET_NS_FD, sw), number32(unix.IFLA_MASTER, bridge),
		nest(unix.IFLA_LINKINFO, text(nl.IFLA_INFO_KIND, "veth"), nest(nl.IFLA_INFO_DATA, peer)))...)

	address := nl.NewNetlinkRequest(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL)
	header := nl.NewIfAddrmsg(unix.AF_INET)
	header.Prefixlen, header.Index = 16, endIndex
	ip := []byte{10, 77, byte((i + 1) >> 8), byte(i + 1)}
	address.AddData(header)
	address.AddData(nl.NewRtAttr(unix.IFA_LOCAL, ip))
	address.AddData(nl.NewRtAttr(unix.IFA_ADDRESS, ip))

	messages := []*nl.NetlinkRequest{cable, address, setLink(1, true)}
	if quiet {
		messages = append(messages, setLink(endIndex, false,
			nest(unix.IFLA_AF_SPEC, nest(unix.AF_INET6, nl.NewRtAttr(unix.IFLA_INET6_ADDR_GEN_MODE, []byte{nl.IN6_ADDR_GEN_MODE_NONE})))))
	}
	return append(messages, setLink(endIndex, true))
}

func oneQueue() []*nl.RtAttr {
	return []*nl.RtAttr{number32(unix.IFLA_NUM_TX_QUEUES, 1), number32(unix.IFLA_NUM_RX_QUEUES, 1)}
}

// linkMessage makes a link.
func linkMessage(index int32, up bool, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	r := setLink(index, up, attributes...)
	r.Flags |= unix.NLM_F_CREATE | unix.NLM_F_EXCL
	return r
}

// setLink changes a link.
func setLink(index int32, up bool, attributes ...*nl.RtAttr) *nl.NetlinkRequest {
	r := nl.NewNetlinkRequest(unix.RTM_NEWLINK, 0)
	header := nl.NewIfInfomsg(unix.AF_UNSPEC)
	header.Index = index
	if up {
		header.Flags, header.Change = unix.IFF_UP, unix.IFF_UP
	}
	r.AddData(header)
	for _, a := range attributes {
		r.AddData(a)
	}
	return r
}

func text(attribute int, v string) *nl.RtAttr {
	return nl.NewRtAttr(attribute, nl.ZeroTerminated(v))
}

func number32(attribute int, v uint32) *nl.RtAttr {
	return nl.NewRtAttr(attribute, nl.Uint32Attr(v))
}

func nest(attribute int, children ...*nl.RtAttr) *nl.RtAttr {
	a := nl.NewRtAttr(attribute, nil)
	for _, c := range children {
		a.AddChild(c)
	}
	return a
}

// send makes requests of the thread's namespace in one datagram, and gives the
// first refusal.
func send(requests ...*nl.NetlinkRequest) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	requests[len(requests)-1].Flags |= unix.NLM_F_ACK
	var datagram []byte
	for _, r := range requests {
		datagram = append(datagram, r.Serialize()...)
		for len(datagram)%unix.NLMSG_ALIGNTO != 0 {
			datagram = append(datagram, 0)
		}
	}
	if err := unix.Sendto(fd, datagram, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError("sendto", err)
	}
	// The first answer is the first refusal or the last request's acknowledgement.
	answer := make([]byte, 8192)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return os.NewSyscallError("recvfrom", err)
	}
	if n < unix.NLMSG_HDRLEN+4 {
		return errors.New("the kernel's answer is cut short")
	}
	if errno := -int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:])); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}
