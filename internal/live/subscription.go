package live

import (
	"context"
	"fmt"
)

// What a subscriber gets at once, and how many events it may be behind before
// what is worthless is left out. One that keeps up gets every event.
const (
	batchFrames = 1024
	batchBytes  = 256 << 10
	longQueue   = 128
)

// Subscription is one client's view of the events. Only one goroutine may call
// Next.
type Subscription struct {
	live *Live
	own  chan struct{} // has room for one: something is there for this one alone

	taken  uint64 // the last event taken in, given or left out
	given  uint64 // the last event given
	begins bool   // a Snapshot is due before any event
	resync bool   // because it fell behind too far

	// Guarded by hub.mu.
	closed  bool
	watches map[string]bool
	samples map[string]*Frame // the newest of each namespace it watches
}

// Subscribe begins a subscription: with the events after *since while these are
// still remembered, otherwise with a Snapshot.
func (l *Live) Subscribe(since *uint64) *Subscription {
	h := &l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &Subscription{live: l, own: make(chan struct{}, 1)}
	if since != nil && h.remembers(*since) {
		s.taken, s.given = *since, *since
	} else {
		s.begins = true
	}
	h.subscribers[s] = true
	return s
}

// Subscribers counts the subscriptions.
func (l *Live) Subscribers() int {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	return len(l.hub.subscribers)
}

// Resyncs counts how often a subscriber fell so far behind that it got a fresh
// Snapshot.
func (l *Live) Resyncs() uint64 {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	return l.hub.resyncs
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.Watch(nil)
	h := &s.live.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subscribers, s)
	s.closed = true
	s.wake()
}

// Next gives the messages that are there, each the text of a websocket frame, at
// least one. It waits for that one until ctx ends, and fails with ErrClosed when
// netdash stops.
func (s *Subscription) Next(ctx context.Context) ([]*Frame, error) {
	for {
		batch, more, err := s.take()
		if len(batch) > 0 || err != nil {
			return batch, err
		}
		select {
		case <-more:
		case <-s.own:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take gives what is there already, and what tells that there is more.
func (s *Subscription) take() (batch []*Frame, more <-chan struct{}, err error) {
	h := &s.live.hub
	h.mu.Lock()
	if !s.begins && !h.remembers(s.taken) {
		s.begins, s.resync = true, true
		h.resyncs++
	}
	if s.begins && !s.closed {
		h.mu.Unlock()
		batch, err = s.begin()
		return batch, nil, err
	}
	var list []*Frame
	closed := s.closed
	if !closed {
		list = h.after(s.taken)
		for name, f := range s.samples {
			batch = append(batch, f)
			delete(s.samples, name)
		}
	}
	closed, more = closed || h.closed, h.wait()
	h.mu.Unlock()

	batch = append(s.choose(list), batch...)
	if len(batch) == 0 && closed {
		return nil, nil, ErrClosed
	}
	return batch, more, nil
}

// begin gives a Snapshot.
func (s *Subscription) begin() (batch []*Frame, err error) {
	h := &s.live.hub
	for s.begins {
		p, err := s.live.Picture()
		if err != nil {
			return nil, err
		}
		h.mu.Lock()
		if h.remembers(p.Seq) { // otherwise it took too long to write
			s.begins, s.taken, s.given = false, p.Seq, p.Seq
			batch = []*Frame{p.message}
		}
		h.mu.Unlock()
	}
	if s.resync {
		s.resync = false
		batch = append([]*Frame{{Text: fmt.Appendf(nil, `{"type":"resync","seq":%d}`, s.given)}}, batch...)
	}
	return batch, nil
}

// choose takes what a batch may hold of the events that are due.
func (s *Subscription) choose(list []*Frame) []*Frame {
	if len(list) == 0 {
		return nil
	}
	last := list[len(list)-1].seq
	if len(list) > longQueue {
		list = coalesce(list)
	}
	bytes := 0
	for i, f := range list {
		if i == batchFrames || bytes > batchBytes {
			list, last = list[:i], list[i-1].seq
			break
		}
		bytes += len(f.Text)
	}
	batch := make([]*Frame, len(list))
	for i, f := range list {
		batch[i] = f.after(s.given)
		s.given = f.seq
	}
	s.taken = last
	return batch
}

func (s *Subscription) wake() {
	select {
	case s.own <- struct{}{}:
	default:
	}
}
