package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"netdash/internal/topology"
)

// ringSize is how many events can be asked for again with ?since=; queueSize is
// how many a subscriber may lag behind before it gets a fresh Snapshot instead.
// Both are bounded in bytes too: a drift.changed of a large namespace is long.
const (
	ringSize   = 4096
	ringBytes  = 32 << 20
	queueSize  = 1024
	queueBytes = 16 << 20
)

// ErrClosed ends a subscription when netdash stops.
var ErrClosed = errors.New("the event stream is closed")

// hub numbers events and hands them out. It is guarded by Live.mu.
type hub struct {
	seq         uint64
	ring        []frame // of the last ringSize events, by seq modulo
	first       uint64  // seq of the oldest in ring
	bytes       int     // in ring
	subscribers map[*Subscription]bool
	resyncs     uint64 // of subscribers that fell behind too far
}

// frame is an event ready to be sent.
type frame []byte

// newHub begins to count at the time in microseconds, so that a number from
// before a restart is never taken for one of now.
func newHub() hub {
	start := uint64(time.Now().UnixMicro())
	return hub{seq: start, first: start + 1, ring: make([]frame, ringSize), subscribers: map[*Subscription]bool{}}
}

func (h *hub) send(e *topology.Event) error {
	e.Seq = h.seq + 1
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	h.seq++
	h.bytes += len(b) - len(h.ring[h.seq%ringSize])
	h.ring[h.seq%ringSize] = b
	h.first = max(h.first, h.seq-min(h.seq, ringSize-1))
	for ; h.bytes > ringBytes && h.first < h.seq; h.first++ {
		h.bytes -= len(h.ring[h.first%ringSize])
		h.ring[h.first%ringSize] = nil
	}
	for s := range h.subscribers {
		s.push(b)
	}
	return nil
}

func (h *hub) closeAll() {
	for s := range h.subscribers {
		s.closed = true
		s.wake()
	}
}

// Subscription is one client's view of the events.
type Subscription struct {
	live *Live
	more chan struct{} // has room for one: something is there

	// Guarded by Live.mu.
	queue    []frame
	bytes    int  // in queue
	snapshot bool // a Snapshot is due before the queue
	resync   bool // because the queue overflowed
	closed   bool
}

// Subscribe begins a subscription: with the events after *since while these are
// still remembered, otherwise with a Snapshot.
func (l *Live) Subscribe(since *uint64) *Subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Subscription{live: l, more: make(chan struct{}, 1)}
	h := &l.hub
	if since != nil && *since+1 >= h.first && *since <= h.seq {
		for n := *since + 1; n <= h.seq; n++ {
			s.queue, s.bytes = append(s.queue, h.ring[n%ringSize]), s.bytes+len(h.ring[n%ringSize])
		}
	} else {
		s.snapshot = true
	}
	h.subscribers[s] = true
	s.wake()
	return s
}

// Subscribers counts the subscriptions.
func (l *Live) Subscribers() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.hub.subscribers)
}

// Resyncs counts how often a subscriber fell so far behind that it got a fresh
// Snapshot.
func (l *Live) Resyncs() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hub.resyncs
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	delete(s.live.hub.subscribers, s)
	s.closed = true
	s.wake()
}

// Next gives the next message, as the text of a websocket frame. It waits for
// one until ctx ends, and fails with ErrClosed when netdash stops.
func (s *Subscription) Next(ctx context.Context) ([]byte, error) {
	for {
		if b, err := s.take(); b != nil || err != nil {
			return b, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take gives a message that is there already, nil if there is none.
func (s *Subscription) take() ([]byte, error) {
	l := s.live
	l.mu.Lock()
	switch {
	case s.resync:
		s.resync = false
		seq := l.hub.seq
		l.mu.Unlock()
		return fmt.Appendf(nil, `{"type":"resync","seq":%d}`, seq), nil
	case s.snapshot:
		l.mu.Unlock()
		p, err := l.Picture()
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		h := &l.hub
		if p.Seq+1 < h.first {
			s.wake() // what followed is forgotten already: once more
			return nil, nil
		}
		s.snapshot, s.queue, s.bytes = false, nil, 0
		for n := p.Seq + 1; n <= h.seq; n++ {
			s.queue, s.bytes = append(s.queue, h.ring[n%ringSize]), s.bytes+len(h.ring[n%ringSize])
		}
		return p.message, nil
	}
	defer l.mu.Unlock()
	if len(s.queue) > 0 {
		b := s.queue[0]
		s.queue, s.bytes = s.queue[1:], s.bytes-len(b)
		return b, nil
	}
	if s.closed {
		return nil, ErrClosed
	}
	return nil, nil
}

// push queues a frame. Live.mu is held.
func (s *Subscription) push(b frame) {
	if s.snapshot {
		return // it will be in the Snapshot
	}
	if len(s.queue) >= queueSize || s.bytes > queueBytes {
		s.queue, s.bytes, s.snapshot, s.resync = nil, 0, true, true
		s.live.hub.resyncs++
	} else {
		s.queue, s.bytes = append(s.queue, b), s.bytes+len(b)
	}
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}
