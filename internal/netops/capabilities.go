package netops

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vishvananda/netlink/nl"
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
	err := k.inNewNamespace(func() error { return probeHere(features) })
	if err != nil {
		k.log.Warn("find out what this kernel supports", "error", err)
	}
	return features
}

// probeHere tries the features in the thread's namespace.
func probeHere(features map[string]bool) (err error) {
	socket, err := openSocket()
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	s := &space{socket: socket}
	defer func() { err = errors.Join(err, socket.close()) }()

	create := func(name, kind string) error {
		return s.send(request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewIfInfomsg(unix.AF_UNSPEC),
			stringAttr(unix.IFLA_IFNAME, name), nestAttr(unix.IFLA_LINKINFO, stringAttr(nl.IFLA_INFO_KIND, kind))))
	}
	var failures []error
	has := func(feature string, err error) {
		features[feature] = err == nil
		// "Operation not supported" is an answer; anything else is a failure to ask.
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EAFNOSUPPORT) {
			failures = append(failures, fmt.Errorf("%s: %w", feature, err))
		}
	}
	has(topology.FeatureVeth, create("end", "veth"))
	has(topology.FeatureBridge, create("bridge", "bridge"))
	if features[topology.FeatureBridge] {
		// On a bridge that exists: taking a refused new one back costs 30 ms.
		has(topology.FeatureVLANFiltering, s.send(setLink("bridge", bridgeInfo([]*nl.RtAttr{u8Attr(nl.IFLA_BR_VLAN_FILTERING, 1)}))))
	}
	six, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	has(FeatureIPv6, err)
	if err == nil {
		failures = append(failures, unix.Close(six))
	}
	return errors.Join(failures...)
}
