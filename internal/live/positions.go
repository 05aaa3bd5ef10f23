package live

import (
	"time"

	"netdash/internal/topology"
)

// Placed announces which positions of the drawing have changed.
func (l *Live) Placed(changes topology.PositionsEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshot = nil // it says how many events it includes
	l.send(&topology.Event{Type: "positions.changed", At: time.Now(), Origin: "positions", Positions: &changes})
}
