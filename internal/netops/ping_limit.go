package netops

import (
	"context"
	"sync"

	"netdash/internal/topology"
)

// MaxPings is how many pings may be under way at once. Each has a socket that
// sees every ICMP message to its namespace.
const MaxPings = 32

// pings are those under way in this process.
var pings = pingList{running: map[*pingRun]bool{}}

type pingList struct {
	mu      sync.Mutex
	running map[*pingRun]bool
	places  int // taken by pings; a matrix takes none
}

// pingRun is a socket that pings from a namespace.
type pingRun struct {
	namespace topology.NamespaceID
	stop      func(error)
}

// begin takes one of the places until done is called. The context it gives ends
// with ctx, or with the namespace (stopPings).
func (l *pingList) begin(ctx context.Context, id topology.NamespaceID) (run context.Context, done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.places >= MaxPings {
		return nil, nil, topology.Errorf(topology.CodeBusy, "", "%d pings are under way", MaxPings).
			WithHint("try again when one of them has ended")
	}
	l.places++
	ctx, stop := context.WithCancelCause(ctx)
	r := &pingRun{namespace: id, stop: stop}
	l.running[r] = true
	return ctx, func() {
		stop(nil)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.places--
		delete(l.running, r)
	}, nil
}

// attend has stop called, once at most, when the namespace is deleted before
// leave is called.
func (l *pingList) attend(id topology.NamespaceID, stop func(error)) (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &pingRun{namespace: id, stop: stop}
	l.running[r] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.running, r)
	}
}

// stopPings ends the pings from a namespace. It must be called when the
// namespace is deleted: a socket keeps its namespace alive, with every link in
// it, for as long as the ping lasts.
func stopPings(id topology.NamespaceID) {
	pings.mu.Lock()
	defer pings.mu.Unlock()
	for r := range pings.running {
		if r.namespace == id {
			r.stop(topology.Errorf(topology.CodeNotFound, "", "the namespace was deleted during the ping"))
		}
	}
}
