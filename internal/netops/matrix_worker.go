package netops

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

const (
	// matrixSlots is how many requests of a worker may be on their way at once. The
	// first to a neighbour is preceded by a broadcast, of which each port of a
	// bridge has a copy wait in the backlog of the processor (netdev_max_backlog,
	// 1000): many at once would drop each other.
	matrixSlots = 4
	// slotTime is how long a request holds its slot at most: one that nobody
	// answers must not hold up the rest.
	slotTime = 2 * time.Millisecond
	// glance is how long a worker waits before it looks whether it is still wanted.
	glance = 20 * time.Millisecond
)

// matrixWorker sends and receives for some of the nodes.
type matrixWorker struct {
	*matrix
	nodes         []*matrixNode
	slots         [matrixSlots]*matrixPair
	sent          []*matrixPair // in the order of sending; those before head wait no more
	head          int
	round         int
	buffer, space []byte
	polled        []unix.PollFd
	polledSockets []*matrixSocket
	polledNodes   []*matrixNode
}

func newMatrixWorker(m *matrix) *matrixWorker {
	return &matrixWorker{matrix: m, buffer: make([]byte, 2048), space: make([]byte, 128)}
}

// run pings every pair of its nodes, as often as is asked for. The targets are
// taken in a circle, so that nobody is asked by all at the same time, and a pair
// finds the neighbour entries that its reverse has just made.
func (w *matrixWorker) run(ctx context.Context) {
	defer func() {
		if w.portion > 0 {
			w.forget(true)
		}
	}()
	for w.round = range w.count {
		all, sent := len(w.matrix.nodes), 0
		for i := range all - 1 {
			step := 1 + i/2
			if i%2 == 1 {
				step = all - step
			}
			for _, n := range w.nodes {
				if ctx.Err() != nil {
					return
				}
				if w.portion > 0 && sent == w.portion {
					w.makeRoom(ctx)
					sent = 0
				}
				w.ping(ctx, n.pairs[(n.index+step)%len(n.pairs)])
				sent++
			}
		}
		if w.portion > 0 {
			w.makeRoom(ctx)
		}
		for w.expire(); w.head < len(w.sent); w.expire() {
			if ctx.Err() != nil {
				return
			}
			w.wait(w.sent[w.head].sentAt.Add(w.timeout))
		}
	}
	for _, n := range w.nodes {
		w.explain(ctx, n)
	}
}

// last tells whether the pair's outcome is known for good after this round.
func (w *matrixWorker) last() bool { return w.round == w.count-1 }

// ping sends a request, when there is a slot for it, and takes the reply if it is
// there at once, as it is between neighbours that know each other.
func (w *matrixWorker) ping(ctx context.Context, p *matrixPair) {
	if p.socket == nil || w.last() && p.isGone() {
		w.tell(p)
		return
	}
	slot := w.slot(ctx)
	seq := w.round<<8 | p.to.index // topology.MaxMatrix fits
	message, err := p.socket.match.request(seq)
	if err != nil {
		p.fail(topology.PingSendError, "%v", err)
		return
	}
	p.waiting, p.sentAt = true, time.Now()
	if err := sendPing(p.socket.fd, message, p.target); err != nil {
		p.waiting = false
		w.refused(p, err)
		if w.last() {
			w.tell(p)
		}
		return
	}
	p.sent++
	p.socket.waiting++
	p.reason = ""
	w.slots[slot] = p
	w.sent = append(w.sent, p)
	w.receive(p.from, p.socket)
}

// slot waits for a slot.
func (w *matrixWorker) slot(ctx context.Context) int {
	for {
		free := time.Now().Add(-slotTime)
		oldest := w.slots[0]
		for i, p := range w.slots {
			if p == nil || !p.waiting || p.sentAt.Before(free) {
				return i
			}
			if p.sentAt.Before(oldest.sentAt) {
				oldest = p
			}
		}
		if ctx.Err() != nil {
			return 0
		}
		w.wait(oldest.sentAt.Add(slotTime))
	}
}

// wait waits for packets, until a time or for a while, and takes them.
func (w *matrixWorker) wait(until time.Time) {
	w.polled, w.polledSockets, w.polledNodes = w.polled[:0], w.polledSockets[:0], w.polledNodes[:0]
	for _, n := range w.nodes {
		if n.gone.Load() {
			n.close() // at once: a socket would keep it alive
		}
		for _, s := range n.sockets {
			if s.waiting > 0 {
				w.polled = append(w.polled, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
				w.polledSockets, w.polledNodes = append(w.polledSockets, s), append(w.polledNodes, n)
			}
		}
	}
	patience := unix.NsecToTimespec(max(min(time.Until(until), glance), 0).Nanoseconds())
	if n, err := unix.Ppoll(w.polled, &patience, nil); err != nil || n == 0 {
		return
	}
	for i := range w.polled {
		if w.polled[i].Revents != 0 {
			w.receive(w.polledNodes[i], w.polledSockets[i])
		}
	}
}

// receive takes the packets that are there for a node, as long as it waits for
// some.
func (w *matrixWorker) receive(n *matrixNode, s *matrixSocket) {
	for s.waiting > 0 {
		packet, err := readPing(s.fd, w.buffer, w.space)
		if err != nil {
			return // nothing is there; what else there can be (ENETDOWN) is told once and is no packet
		}
		a, ok := s.match.read(packet)
		target := a.seq & 0xff
		if !ok || a.notice || a.seq>>8 != w.round || target >= len(n.pairs) || n.pairs[target] == nil {
			continue
		}
		if p := n.pairs[target]; p.waiting && p.addr == a.about {
			w.take(p, packet, a)
		}
	}
}

// take takes the answer to a pair's request.
func (w *matrixWorker) take(p *matrixPair, packet *pingPacket, a echoAnswer) {
	rtt := packet.since(p.sentAt)
	switch {
	case rtt > w.timeout:
		return // expire sees to it
	case a.words == "":
		p.answered(rtt)
	default:
		p.fail(a.reason, "%s", a.words)
		p.reporter = packet.from
		if a.host && p.from.used.own[packet.from.WithZone("")] {
			p.fail(topology.PingNeighbourFailed, "no neighbour answers for %s", p.addr)
			p.reporter = packet.from
		}
	}
	w.end(p)
}

// end ends the wait for the reply to a request.
func (w *matrixWorker) end(p *matrixPair) {
	p.waiting = false
	p.socket.waiting--
	if w.last() && (p.received > 0 || p.reason != "") {
		w.tell(p)
	}
}

// expire gives up what has waited long enough, or for nothing.
func (w *matrixWorker) expire() {
	now := time.Now()
	for ; w.head < len(w.sent); w.head++ {
		p := w.sent[w.head]
		if !p.waiting {
			continue
		}
		if gone := p.isGone(); !gone && now.Sub(p.sentAt) < w.timeout {
			return
		}
		if w.receive(p.from, p.socket); p.waiting { // it may have come meanwhile
			w.end(p)
		}
	}
	w.sent, w.head = w.sent[:0], 0
}

// refused notes why the kernel did not take a request.
func (w *matrixWorker) refused(p *matrixPair, err error) {
	errno, _ := errors.AsType[unix.Errno](err)
	if errno == unix.ENETUNREACH {
		for _, a := range p.from.used.list {
			if a.down != "" && a.subnet.Contains(p.addr) {
				p.fail(topology.PingLinkDown, "%s/%s %s", p.from.name, a.link, a.down)
				return
			}
		}
	}
	switch reason := sendReason(err); reason {
	case topology.PingNoRoute:
		p.fail(reason, "%s has no route to %s: %v", p.from.name, p.addr, err)
	case topology.PingProhibited:
		p.fail(reason, "%s may not send to %s, by its packet filter or a route: %v", p.from.name, p.addr, err)
	default:
		p.fail(reason, "%s cannot send to %s: %v", p.from.name, p.addr, err)
	}
}
