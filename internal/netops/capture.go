package netops

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"netdash/internal/topology"
	"netdash/internal/walk"
)

const (
	// maxRecords bounds the memory of a recording. A ping in a lab of
	// walk.MaxNamespaces needs a fraction; frames that go round in circles do not.
	maxRecords = 20_000
	// collectEvery is how often the rings are emptied, and hurry how often while
	// much comes.
	collectEvery = 50 * time.Millisecond
	hurry        = time.Millisecond
	much         = 100 // records at once
	// settleTime is how long at most frames are waited for after a ping: those of
	// a flood may still be on their way.
	settleTime = 50 * time.Millisecond
	// openAtOnce is how many sockets are made ready, or closed, at the same time.
	// Each waits for the kernel (an RCU grace period: packet_release in
	// net/packet/af_packet.c), mostly for the same one.
	openAtOnce = 32
)

// PingTarget tells which address a ping is about.
func (k *Kernel) PingTarget(ctx context.Context, req topology.PingRequest) (netip.Addr, error) {
	target, err := k.pingTarget(ctx, req)
	return target.addr, err
}

// Record records frames in several namespaces, at every link of each, while
// during runs. It begins before and ends when what was sent has come to rest.
// The context of during ends early when there are too many frames.
//
// A namespace that is not there, or is deleted meanwhile, makes the recording
// incomplete. Without CAP_NET_RAW it fails with a *topology.Error. Nothing is left
// open however it ends.
func (k *Kernel) Record(ctx context.Context, flow walk.Flow, places []walk.Place, during func(context.Context)) (*walk.Recording, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := &capture{stop: stop, out: walk.Recording{Records: map[string][]walk.Record{}}}
	defer c.close()
	if err := c.open(k, flow, places); err != nil {
		return nil, err
	}
	defer captures.add(c)()
	c.leave(k)
	c.during(ctx, during)
	c.settle(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.collect()
	for _, s := range c.sockets {
		c.dropped(s)
	}
	return &c.out, nil
}

// capture is a recording under way.
type capture struct {
	stop context.CancelFunc

	mu      sync.Mutex
	sockets []*packetSocket
	records int
	out     walk.Recording
}

// open opens a socket in each namespace, and has them all begin when they are
// ready.
func (c *capture) open(k *Kernel, flow walk.Flow, places []walk.Place) error {
	for _, p := range places {
		s, release, err := k.acquire(p.Namespace)
		if err == nil {
			socket := &packetSocket{namespace: p.Namespace, id: s.id, slots: ringSlots(p.Links)}
			if err = k.do(s.ns, socket.open); err == nil {
				c.sockets = append(c.sockets, socket)
				c.out.Records[p.Namespace] = nil
			}
			release()
		}
		switch {
		case topology.CodeOf(err) == topology.CodeNotFound:
			c.incomplete(p.Namespace + " is gone")
		case err != nil:
			return refusal(p.Namespace, fmt.Errorf("record frames: %w", err))
		}
	}
	program, err := flowFilter(flow)
	if err != nil {
		return fmt.Errorf("filter of a recording: %w", err)
	}
	if err := c.each(func(s *packetSocket) error { return s.prepare(program) }); err != nil {
		return err
	}
	return c.each((*packetSocket).begin)
}

// each does something with all sockets, many at once.
func (c *capture) each(do func(*packetSocket) error) error {
	var wait sync.WaitGroup
	places := make(chan struct{}, openAtOnce)
	errs := make([]error, len(c.sockets))
	for i, s := range c.sockets {
		places <- struct{}{}
		wait.Go(func() {
			defer func() { <-places }()
			errs[i] = refusal(s.namespace, do(s))
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// during collects while fn runs.
func (c *capture) during(ctx context.Context, fn func(context.Context)) {
	ended, collected := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(collected)
		next := time.NewTimer(collectEvery)
		defer next.Stop()
		for {
			select {
			case <-next.C:
				c.mu.Lock()
				n := c.collect()
				c.mu.Unlock()
				next.Reset(collectEvery)
				if n > much {
					next.Reset(hurry)
				}
			case <-ended:
				return
			}
		}
	}()
	defer func() {
		close(ended)
		<-collected
	}()
	fn(ctx)
}

// settle collects until nothing comes any more.
func (c *capture) settle(ctx context.Context) {
	patience := time.NewTimer(settleTime)
	defer patience.Stop()
	tick := time.NewTicker(settleTime / 20)
	defer tick.Stop()
	for quiet := 0; quiet < 2; quiet++ {
		select {
		case <-tick.C:
		case <-patience.C:
			return
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		if c.collect() > 0 {
			quiet = 0
		}
		c.mu.Unlock()
	}
}

// collect takes what there is and tells how much. c.mu is held.
func (c *capture) collect() int {
	n := 0
	for _, s := range c.sockets {
		before := c.records
		for !c.full() && c.records-before < s.slots { // each has its turn
			r, ok := s.next()
			if !ok {
				break
			}
			c.out.Records[s.namespace] = append(c.out.Records[s.namespace], r)
			c.records++
		}
		if c.records-before >= s.slots/2 {
			c.dropped(s)
		}
		n += c.records - before
	}
	if c.full() {
		c.incomplete(fmt.Sprintf("it ended after %d frames at links: they may go round in a loop", maxRecords))
		c.stop()
	}
	return n
}

// full tells whether there are too many frames. A machine that is busy with them
// may have no time to take them out.
func (c *capture) full() bool { return c.records+c.out.Dropped >= maxRecords }

// dropped counts what did not fit into a socket's ring. c.mu is held.
func (c *capture) dropped(s *packetSocket) {
	if c.full() {
		return // nobody has taken them out since
	}
	n, err := s.drops()
	if err != nil {
		c.incomplete(fmt.Sprintf("%s: how many records were lost is not known: %v", s.namespace, err))
	}
	c.out.Dropped += n
}

// leave closes the sockets in namespaces that were deleted before captures.forget
// could know of them.
func (c *capture) leave(k *Kernel) {
	c.mu.Lock()
	sockets := slices.Clone(c.sockets)
	c.mu.Unlock()
	for _, s := range sockets {
		if _, release, err := k.acquireID(s.id); err == nil {
			release()
		} else {
			c.forget(s.id)
		}
	}
}

// forget closes the socket in a namespace that is about to be deleted, which it
// would keep alive.
func (c *capture) forget(id topology.NamespaceID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.sockets {
		if s.id == id {
			c.collect()
			c.dropped(s)
			go s.close() // it waits for the kernel, and its caller holds Kernel.mu
			c.sockets = slices.Delete(c.sockets, i, i+1)
			c.incomplete(s.namespace + " was deleted")
			return
		}
	}
}

func (c *capture) incomplete(why string) {
	if !slices.Contains(c.out.Incomplete, why) {
		c.out.Incomplete = append(c.out.Incomplete, why)
	}
}

func (c *capture) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.each(func(s *packetSocket) error { s.close(); return nil })
	c.sockets = nil
}

// captures are the recordings under way in this process.
var captures = captureList{all: map[*capture]bool{}}

type captureList struct {
	mu  sync.Mutex
	all map[*capture]bool
}

func (l *captureList) add(c *capture) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[c] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.all, c)
	}
}

// forget has all of them leave a namespace, as stopPings does with pings.
func (l *captureList) forget(id topology.NamespaceID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.all {
		c.forget(id)
	}
}

// ringSlots is how many frames a namespace of so many links may have waiting: a
// dozen floods, which is more than a ping makes between two collections.
func ringSlots(links int) int {
	slots := 256
	for slots < 16*links && slots < 16384 {
		slots *= 2
	}
	return slots
}
