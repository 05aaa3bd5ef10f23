package live

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// sampleEvery is the time between two samples of a namespace's counters.
const sampleEvery = time.Second

// sampling is whose counters are sampled: those of namespaces that somebody
// watches, once for all who do. It is guarded by hub.mu.
type sampling struct {
	watchers map[string]map[*Subscription]bool // by namespace, as they call it
	running  bool
	every    time.Duration // sampleEvery, but for tests
	ran      *sync.WaitGroup
	stop     chan struct{}
}

func newSampling() sampling {
	return sampling{watchers: map[string]map[*Subscription]bool{}, every: sampleEvery, ran: new(sync.WaitGroup), stop: make(chan struct{})}
}

// Watch has the subscriber get the counters of these namespaces, by name or id,
// and of no others, once a second. Those that are not there may come.
func (s *Subscription) Watch(namespaces []string) {
	h := &s.live.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.stats.watchers
	for name := range s.watches {
		if delete(w[name], s); len(w[name]) == 0 {
			delete(w, name)
		}
	}
	s.watches, s.samples = map[string]bool{}, map[string]*Frame{}
	if s.closed || h.closed {
		return
	}
	for _, name := range namespaces {
		if w[name] == nil {
			w[name] = map[*Subscription]bool{}
		}
		w[name][s], s.watches[name] = true, true
	}
	if len(w) > 0 && !h.stats.running {
		h.stats.running = true
		h.stats.ran.Go(s.live.sampleAll)
	}
}

// taken is what the counters of a namespace were.
type taken struct {
	at    time.Time
	links map[*link]topology.Counters
}

// sampleAll samples once a second, until there is nobody to do it for.
func (l *Live) sampleAll() {
	tick := time.NewTicker(l.hub.stats.every)
	defer tick.Stop()
	last := map[*space]*taken{}
	for {
		watched, some := l.watched()
		if !some {
			return
		}
		now := map[*space]*taken{}
		for s, watchers := range watched {
			if now[s] = l.sample(s, last[s], watchers); now[s] == nil {
				delete(now, s)
			}
		}
		last = now
		select {
		case <-tick.C:
		case <-l.hub.stats.stop:
		}
	}
}

// watched gives the namespaces that are watched, and by whom. When nobody
// watches any, there or not, sampling ends.
func (l *Live) watched() (spaces map[*space]map[*Subscription]bool, some bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := &l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.stats.watchers) == 0 {
		h.stats.running = false
		return nil, false
	}
	spaces = map[*space]map[*Subscription]bool{}
	for name, watchers := range h.stats.watchers {
		s := l.called(name)
		if s == nil {
			continue
		}
		if spaces[s] == nil {
			spaces[s] = map[*Subscription]bool{}
		}
		for w := range watchers {
			spaces[s][w] = true
		}
	}
	return spaces, true
}

// called finds a namespace by name or id, nil if there is none.
func (l *Live) called(nameOrID string) *space {
	if s := l.drift.named[nameOrID]; s != nil {
		return s
	}
	for _, s := range l.spaces {
		if s.is(nameOrID) {
			return s
		}
	}
	return nil
}

// sample reads the counters of a namespace and sends them to those who watch.
func (l *Live) sample(s *space, last *taken, watchers map[*Subscription]bool) *taken {
	l.mu.Lock()
	name := s.name
	l.mu.Unlock()
	facts, err := l.kernel.Counters(context.Background(), name)
	if err != nil {
		l.log.Debug("read counters", "namespace", name, "error", err) // it may just have gone
		return nil
	}
	now := &taken{time.Now(), map[*link]topology.Counters{}}
	e := &topology.Event{Type: "stats", At: now.at, Origin: "kernel", Stats: &topology.Stats{Namespace: name, Links: []topology.LinkStats{}}}
	if last != nil {
		e.Stats.IntervalSeconds = now.at.Sub(last.at).Seconds()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range facts {
		e.Stats.Links = appendStats(e.Stats.Links, s.links[f.Ifindex], f, last, now)
	}
	slices.SortFunc(e.Stats.Links, func(a, b topology.LinkStats) int { return cmp.Compare(a.Ifindex, b.Ifindex) })
	e.Seq = l.hub.seq
	text, err := json.Marshal(e)
	if err != nil {
		l.log.Error("counters could not be sent", "namespace", name, "error", err)
		return now
	}
	l.hub.deliver(name, &Frame{Text: text}, watchers)
	return now
}

// appendStats adds a link's counters, if it is known, and its rates, if it was
// there when they were taken last.
func appendStats(list []topology.LinkStats, x *link, f netops.CounterFacts, last, now *taken) []topology.LinkStats {
	if x == nil {
		return list
	}
	now.links[x] = f.Counters
	o := topology.LinkStats{Name: x.facts.Name, Ifindex: f.Ifindex, Key: key(x), Counters: f.Counters}
	if last != nil {
		if was, ok := last.links[x]; ok {
			o.Rates = f.Since(was, now.at.Sub(last.at).Seconds())
		}
	}
	return append(list, o)
}

// deliver gives a sample to those who still watch something; of one that waits
// already for who is slow, the newer takes the place.
func (h *hub) deliver(namespace string, f *Frame, to map[*Subscription]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range to {
		if len(s.watches) > 0 {
			s.samples[namespace] = f
			s.wake()
		}
	}
}
