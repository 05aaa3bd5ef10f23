package topology

// Stats are the counters of a namespace's links at one moment, and how fast they
// grew since the sample before.
type Stats struct {
	Namespace string `json:"namespace"`
	// IntervalSeconds is the time since the sample before; absent in the first.
	IntervalSeconds float64     `json:"interval_seconds,omitempty" doc:"Time since the sample before; absent in the first."`
	Links           []LinkStats `json:"links" doc:"By ifindex."`
}

// LinkStats are the counters of one link.
type LinkStats struct {
	Name    string `json:"name"`
	Ifindex int    `json:"ifindex"`
	Key     string `json:"key" doc:"As the link's."`
	Counters
	// Rates is nil where there is nothing to compare with: in the first sample, of
	// a new link, and when a counter has gone backwards.
	*Rates
}

// Counters count since the link was made (struct rtnl_link_stats64).
type Counters struct {
	RxBytes   uint64 `json:"rx_bytes"`
	TxBytes   uint64 `json:"tx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	TxPackets uint64 `json:"tx_packets"`
	RxErrors  uint64 `json:"rx_errors"`
	TxErrors  uint64 `json:"tx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxDropped uint64 `json:"tx_dropped"`
}

// Rates are how fast the Counters grow.
type Rates struct {
	RxBitsPerSecond    float64 `json:"rx_bits_per_second"`
	TxBitsPerSecond    float64 `json:"tx_bits_per_second"`
	RxPacketsPerSecond float64 `json:"rx_packets_per_second"`
	TxPacketsPerSecond float64 `json:"tx_packets_per_second"`
}

// Since gives how fast the counters grew in that many seconds; nil when one has
// gone backwards: they are not the same link's then, or were set back.
func (c Counters) Since(old Counters, seconds float64) *Rates {
	if seconds <= 0 || c.RxBytes < old.RxBytes || c.TxBytes < old.TxBytes || c.RxPackets < old.RxPackets || c.TxPackets < old.TxPackets {
		return nil
	}
	return &Rates{
		RxBitsPerSecond:    8 * float64(c.RxBytes-old.RxBytes) / seconds,
		TxBitsPerSecond:    8 * float64(c.TxBytes-old.TxBytes) / seconds,
		RxPacketsPerSecond: float64(c.RxPackets-old.RxPackets) / seconds,
		TxPacketsPerSecond: float64(c.TxPackets-old.TxPackets) / seconds,
	}
}
