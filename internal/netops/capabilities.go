package netops

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// FeatureIPv6 is whether the kernel speaks IPv6.
const FeatureIPv6 = "ipv6"

// Capabilities says what this kernel can do. Version and Limits are left to
// those who know them.
func (k *Kernel) Capabilities() topology.Capabilities {
	var name unix.Utsname
	release := ""
	if err := unix.Uname(&name); err != nil {
		k.log.Warn("read the kernel's release", "error", err)
	} else {
		release = unix.ByteSliceToString(name.Release[:])
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		k.log.Warn("read the boot id", "error", err)
	}
	return topology.Capabilities{
		Mode:     "host",
		Kernel:   release,
		BootID:   strings.TrimSpace(string(boot)),
		Features: k.features(),
	}
}

// probe tries the features in a namespace that is thrown away at once: what a
// kernel can do shows only by doing it. A feature that could not be tried
// counts as missing.
func (k *Kernel) probe() map[string]bool {
	features := map[string]bool{
		topology.FeatureBridge: false, topology.FeatureVeth: false, topology.FeatureVLANFiltering: false, FeatureIPv6: false,
	}
	err := k.onThread(func() error {
		return os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET))
	}, func() error {
		return probeHere(features)
	})
	if err != nil {
		k.log.Warn("find out what this kernel supports", "error", err)
	}
	return features
}

// probeHere tries the features in the thread's namespace.
func probeHere(features map[string]bool) error {
	socket, err := nl.GetNetlinkSocketAt(netns.None(), netns.None(), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	s := &space{socket: &nl.SocketHandle{Socket: socket}}
	defer socket.Close()

	create := func(name, kind string, settings ...*nl.RtAttr) error {
		info := []*nl.RtAttr{stringAttr(nl.IFLA_INFO_KIND, kind)}
		if settings != nil {
			info = append(info, nestAttr(nl.IFLA_INFO_DATA, settings...))
		}
		return s.send(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewIfInfomsg(unix.AF_UNSPEC),
			stringAttr(unix.IFLA_IFNAME, name), nestAttr(unix.IFLA_LINKINFO, info...))
	}
	var failures []error
	has := func(feature string, err error) {
		features[feature] = err == nil
		// "Operation not supported" is an answer; anything else is a failure to ask.
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EAFNOSUPPORT) {
			failures = append(failures, fmt.Errorf("%s: %w", feature, err))
		}
	}
	has(topology.FeatureVeth, create("veth0", "veth"))
	has(topology.FeatureBridge, create("br0", "bridge", u8Attr(nl.IFLA_BR_VLAN_FILTERING, 1)))
	if features[topology.FeatureBridge] {
		// Without CONFIG_BRIDGE_VLAN_FILTERING the attribute is ignored, and not
		// reported either.
		if l, err := s.lookUp("br0"); err != nil {
			failures = append(failures, err)
		} else if on := l.Bridge.VLANFiltering; on != nil {
			features[topology.FeatureVLANFiltering] = *on
		}
	}
	six, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	has(FeatureIPv6, err)
	if err == nil {
		failures = append(failures, unix.Close(six))
	}
	return errors.Join(failures...)
}
