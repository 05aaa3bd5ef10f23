package diagnose

import (
	"context"

	"netdash/internal/topology"
)

// Evidence is what a diagnosis asks of the kernel as it goes; *netops.Kernel is
// one.
type Evidence interface {
	Ping(ctx context.Context, r topology.PingRequest, onReply func(topology.PingReply)) (*topology.PingResult, error)
	// RouteFor tells where a namespace would send a packet.
	RouteFor(ctx context.Context, namespace string, q topology.RouteQuestion) (*topology.RouteAnswer, error)
	Neighbours(ctx context.Context, namespace string) ([]topology.Neighbour, error)
	// Sysctls reads settings, named by their paths below /proc/sys; those that are
	// not there are left out.
	Sysctls(ctx context.Context, namespace string, names ...string) (map[string]string, error)
	// Filter tells what the packet filter of a namespace would do with a packet at
	// these hooks, one after the other.
	Filter(ctx context.Context, namespace string, p topology.Packet, hooks ...topology.FilterHook) (*topology.FilterVerdict, error)
	// BridgeCalls tells whether a bridge, of its own setting, hands IPv4 and IPv6 to
	// their own packet filters.
	BridgeCalls(ctx context.Context, namespace, bridge string) (ipv4, ipv6 bool, err error)
	// BridgeVLANs lists the VLANs of bridges and ports by link.
	BridgeVLANs(ctx context.Context, namespace string) (map[string]topology.VLANs, error)
}

// World is what netdash knows of the topology.
type World struct {
	Snapshot *topology.Snapshot
	Intended *topology.Spec
}
