package netops

import (
	"context"
	"encoding/binary"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// CounterFacts are the counters of the link with that index.
type CounterFacts struct {
	Ifindex int
	topology.Counters
}

// Counters reads the counters of every link of a namespace, and nothing else of
// them. It needs Linux 4.7.
func (k *Kernel) Counters(ctx context.Context, namespace string) ([]CounterFacts, error) {
	var list []CounterFacts
	err := k.in(namespace, func(s *space) error {
		return dumpInto(ctx, s, &list, unix.RTM_GETSTATS, statsRequest{})
	})
	return list, refusal(namespace, err)
}

// Of linux/if_link.h.
const (
	sizeofIfStatsMsg = 12 // struct if_stats_msg: family, two pads, ifindex, filter mask
	iflaStatsLink64  = 1  // IFLA_STATS_LINK_64
)

// statsRequest asks for struct rtnl_link_stats64 of all links.
type statsRequest struct{}

func (statsRequest) Len() int { return sizeofIfStatsMsg }

func (statsRequest) Serialize() []byte {
	b := make([]byte, sizeofIfStatsMsg)
	binary.NativeEndian.PutUint32(b[8:], 1<<(iflaStatsLink64-1))
	return b
}

func decodeCounters(b []byte) *CounterFacts {
	for t, v := range attributes(b, sizeofIfStatsMsg) {
		if t != iflaStatsLink64 || len(v) < 8*8 {
			continue
		}
		n := func(i int) uint64 { return binary.NativeEndian.Uint64(v[8*i:]) }
		return &CounterFacts{int(u32(b[4:])), topology.Counters{
			RxPackets: n(0), TxPackets: n(1), RxBytes: n(2), TxBytes: n(3),
			RxErrors: n(4), TxErrors: n(5), RxDropped: n(6), TxDropped: n(7),
		}}
	}
	return nil
}
