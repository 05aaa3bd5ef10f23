package live

import (
	"encoding/json"
	"errors"
	"sync"
	"time"

	"netdash/internal/topology"
)

// ringSize is how many events are remembered, to be asked for again with ?since=
// and for clients to lag behind. It is bounded in bytes too: a drift.changed of a
// large namespace is long.
const (
	ringSize  = 4096
	ringBytes = 32 << 20
)

// ErrClosed ends a subscription when netdash stops.
var ErrClosed = errors.New("the event stream is closed")

// hub numbers events and remembers the newest. Every subscriber reads them from
// here at its own pace, so one more costs nothing, and one that is stuck neither.
type hub struct {
	mu          sync.Mutex // taken after Live.mu, if both are
	seq         uint64     // changed only with Live.mu held, too
	ring        []*Frame   // of the last ringSize events, by seq modulo
	first       uint64     // seq of the oldest in ring
	bytes       int        // in ring
	news        chan struct{}
	awaited     bool // somebody waits for news
	closed      bool
	subscribers map[*Subscription]bool
	resyncs     uint64 // of subscribers that fell behind too far
	stats       sampling
}

// newHub begins to count at the time in microseconds, so that a number from
// before a restart is never taken for one of now.
func newHub() hub {
	start := uint64(time.Now().UnixMicro())
	return hub{
		seq: start, first: start + 1, ring: make([]*Frame, ringSize), news: make(chan struct{}),
		subscribers: map[*Subscription]bool{}, stats: newSampling(),
	}
}

// send numbers an event and gives it to all. Live.mu is held.
func (h *hub) send(e *topology.Event) error {
	e.Seq = h.seq + 1
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f := newFrame(e, text)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	h.forget(h.seq) // what is ringSize older
	h.ring[h.seq%ringSize] = f
	h.bytes += len(text)
	h.first = max(h.first, h.seq-min(h.seq, ringSize-1))
	for ; h.bytes > ringBytes && h.first < h.seq; h.first++ {
		h.forget(h.first)
	}
	h.tell()
	return nil
}

// skip counts an event that nobody will ask for, if nobody listens, and tells
// whether it did. Live.mu is held.
func (h *hub) skip() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subscribers) > 0 {
		return false
	}
	h.seq++
	h.first = h.seq + 1
	return true
}

func (h *hub) forget(seq uint64) {
	if f := h.ring[seq%ringSize]; f != nil {
		h.bytes -= len(f.Text)
		h.ring[seq%ringSize] = nil
	}
}

// after gives the events after one that is still remembered. h.mu is held.
func (h *hub) after(seq uint64) []*Frame {
	if seq >= h.seq {
		return nil
	}
	list := make([]*Frame, 0, h.seq-seq)
	for n := seq + 1; n <= h.seq; n++ {
		list = append(list, h.ring[n%ringSize])
	}
	return list
}

// remembers tells whether everything after an event is. h.mu is held.
func (h *hub) remembers(seq uint64) bool { return seq+1 >= h.first && seq <= h.seq }

// wait gives what is closed when there is more. h.mu is held.
func (h *hub) wait() <-chan struct{} {
	h.awaited = true
	return h.news
}

// tell wakes those who wait. h.mu is held.
func (h *hub) tell() {
	if h.awaited {
		close(h.news)
		h.news, h.awaited = make(chan struct{}), false
	}
}

func (h *hub) closeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	close(h.stats.stop)
	h.tell()
}
