package walk

import (
	"testing"
	"time"
)

// TestStorm: thousands of equal frames are told apart in no time.
func TestStorm(t *testing.T) {
	e := evidence(t, 3)
	frame := arpFrame(1, 1, 2, broadcastMAC)
	for i := range 4000 {
		e.through(10*i, frame, 1, 2, 3)
	}
	began := time.Now()
	w := Explain(e)
	if len(w.Decisions) != 4000 {
		t.Errorf("%d decisions", len(w.Decisions))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
