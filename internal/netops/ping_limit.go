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
}

type pingRun struct {
	namespace topology.NamespaceID
	stop      context.CancelCauseFunc
}

// begin takes one of the places until done is called. The context it gives ends
// with ctx, or with the namespace (stopPings).
func (l *pingList) begin(ctx context.Context, id topology.NamespaceID) (run context.Context, done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.running) >= MaxPings {
		return nil, nil, topology.Errorf(topology.CodeBusy, "", "%d pings are under way", MaxPings).
			WithHint("try again when one of them has ended")
	}
	ctx, stop := context.WithCancelCause(ctx)
	r := &pingRun{namespace: id, stop: stop}
	l.running[r] = true
	return ctx, func() {
		stop(nil)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.running, r)
	}, nil
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
