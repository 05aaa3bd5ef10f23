package netops

import (
	"math"
	"time"

	"netdash/internal/topology"
)

// sum fills in loss and round trips. Requests that could not be sent are lost.
func (p *pinger) sum() {
	if p.tried > 0 {
		p.result.Loss = float64(p.tried-p.result.Received) / float64(p.tried)
	}
	p.result.RTTMS = summary(p.rtts)
}

// summary is the last line of ping(8). Its mdev is the standard deviation of
// the whole population (finish() in iputils' ping_common.c).
func summary(rtts []time.Duration) *topology.RTT {
	if len(rtts) == 0 {
		return nil
	}
	s := topology.RTT{Min: math.Inf(1)}
	n := float64(len(rtts))
	for _, d := range rtts {
		ms := milliseconds(d)
		s.Min, s.Max = min(s.Min, ms), max(s.Max, ms)
		s.Avg += ms / n
	}
	for _, d := range rtts {
		off := milliseconds(d) - s.Avg
		s.Mdev += off * off / n
	}
	s.Mdev = math.Sqrt(s.Mdev)
	return &s
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
