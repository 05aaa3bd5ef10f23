package live

import (
	"time"

	"netdash/internal/topology"
)

// Drifted gives a channel that holds a value when something has drifted since it
// was last read, or can be read again. A burst is one value.
func (l *Live) Drifted() <-chan struct{} { return l.drifted }

// alarm passes on what an event tells about drift.
func (l *Live) alarm(e *topology.Event) {
	drifted := e.Drift != nil && len(e.Drift.Differences) > 0
	readable := e.Type == "namespace.changed" && e.Namespace.Incomplete == "" && e.Namespace.Sync != topology.Foreign
	if !drifted && !readable {
		return
	}
	select {
	case l.drifted <- struct{}{}:
	default:
	}
}

// Repairing announces what is done about drift.
func (l *Live) Repairing(state topology.RepairState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshot = nil // it says how many events it includes
	l.send(&topology.Event{Type: "repair.changed", At: time.Now(), Origin: "netdash", Repair: &state})
}
