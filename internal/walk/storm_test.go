package walk

import (
	"testing"
)

// TestStorm: thousands of equal frames are told apart.
func TestStorm(t *testing.T) {
	e := evidence(t, 3)
	frame := arpFrame(1, 1, 2, broadcastMAC)
	for i := range 500 {
		e.through(10*i, frame, 1, 2, 3)
	}
	w := Explain(e)
	if len(w.Decisions) != 500 {
		t.Errorf("%d decisions", len(w.Decisions))
	}
}
