package netops

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"netdash/internal/topology"
)

// Ping sends ICMP echo requests from inside a namespace and hands each answer
// to onReply (if not nil) in the order in which they come: replies, what
// routers report, and requests that went unanswered. The socket belongs to the
// namespace, so no thread is held.
//
// A request that cannot be asked for is a *topology.Error: invalid, not_found,
// conflict (the namespace to ping has no address), busy (MaxPings are under
// way). That nothing could be sent is no error but a result with Error. When
// ctx ends, or the namespace is deleted meanwhile, Ping stops at once with what
// it has so far and the reason.
//
// onReply is called on Ping's own goroutine; while it runs no request is sent,
// but no round trip gets longer: arrivals carry the kernel's time stamps.
func (k *Kernel) Ping(ctx context.Context, req topology.PingRequest, onReply func(topology.PingReply)) (*topology.PingResult, error) {
	if err := completePing(&req); err != nil {
		return nil, err
	}
	id, err := k.identity(req.Namespace)
	if err != nil {
		return nil, err
	}
	ctx, done, err := pings.begin(ctx, id)
	if err != nil {
		return nil, err
	}
	defer done()
	target, err := k.pingTarget(ctx, req)
	if err != nil {
		return nil, err
	}
	match := newEchoMatch(target.addr, req.Size)
	var socket *pingSocket
	err = k.Do(req.Namespace, func() (err error) {
		socket, err = openPingSocket(target.addr, req.Link, match.id, req.TTL)
		return err
	})
	if err != nil {
		return nil, refusal(req.Namespace, err)
	}
	defer socket.close()

	p := &pinger{
		socket:   socket,
		match:    match,
		count:    req.Count,
		interval: time.Duration(req.IntervalMS) * time.Millisecond,
		timeout:  time.Duration(req.TimeoutMS) * time.Millisecond,
		requests: make([]echoRequest, req.Count),
		isOwn: func(a netip.Addr) bool {
			u, err := k.addresses(ctx, req.Namespace)
			return err == nil && u.own[a.WithZone("")]
		},
		onReply: onReply,
		result: topology.PingResult{
			Namespace: req.Namespace, Link: req.Link,
			Address: target.addr.String(), ToNamespace: req.ToNamespace, ToLink: target.link, Chosen: target.chosen,
			Replies: []topology.PingReply{},
		},
	}
	defer context.AfterFunc(ctx, socket.interrupt)()
	began := time.Now()
	err = p.run(ctx)
	p.result.DurationMS = milliseconds(time.Since(began))
	p.sum()
	return &p.result, err
}

// completePing fills in what a request leaves to its defaults, which are those
// its type documents, and refuses what is out of bounds.
func completePing(req *topology.PingRequest) error {
	wrong := complete([]numberField{
		{"/count", &req.Count, 3, 1, 100},
		{"/interval_ms", &req.IntervalMS, 200, 10, 10000},
		{"/timeout_ms", &req.TimeoutMS, 1000, 10, 10000},
		{"/size", &req.Size, 56, 0, 65000},
		{"/ttl", &req.TTL, 64, 1, 255},
	})
	if (req.Address == "") == (req.ToNamespace == "") {
		wrong = append(wrong, topology.FieldError{Pointer: "/address", Detail: "give either address or to_namespace"})
	}
	if wrong != nil {
		return &topology.Error{Code: topology.CodeInvalid, Subject: req.Namespace, Detail: "cannot ping like this", Fields: wrong}
	}
	return nil
}

// numberField is a number of a request.
type numberField struct {
	pointer           string
	value             *int
	usual, least, max int
}

// complete gives the fields that are 0 their usual values, and lists those that
// are out of bounds.
func complete(fields []numberField) (wrong []topology.FieldError) {
	for _, f := range fields {
		if *f.value == 0 {
			*f.value = f.usual
		}
		if *f.value < f.least || *f.value > f.max {
			wrong = append(wrong, topology.FieldError{
				Pointer: f.pointer, Detail: fmt.Sprintf("must be between %d and %d", f.least, f.max),
			})
		}
	}
	return wrong
}

func (k *Kernel) identity(namespace string) (topology.NamespaceID, error) {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return topology.NamespaceID{}, err
	}
	defer release()
	return s.id, nil
}

// maxBesides is how many duplicates and notices are handed on; more are only
// counted. A loop of bridges makes millions of them.
const maxBesides = 1000

// echoRequest is what has become of a request.
type echoRequest struct {
	sent  time.Time
	state requestState
}

type requestState int

const (
	unsent   requestState = iota // or the kernel did not take it
	waiting                      // for a reply
	answered                     // by a reply
	failed                       // by an error, or by the lack of a reply
)

// pinger is a ping under way. One goroutine does all of it: it sends when a
// request is due and otherwise waits for packets, so that a reply that is there
// when sending returns, as over a veth, costs no change of goroutines.
type pinger struct {
	socket            *pingSocket
	match             *echoMatch
	count             int
	interval, timeout time.Duration
	tried             int           // requests sent or tried to
	requests          []echoRequest // request seq (from 1) at seq-1
	first             int           // no request before this index waits
	latest            int           // the highest seq that was answered by a reply
	besides           int           // duplicates and notices
	rtts              []time.Duration
	isOwn             func(netip.Addr) bool // whether the namespace has an address
	onReply           func(topology.PingReply)
	result            topology.PingResult
}

func (p *pinger) run(ctx context.Context) error {
	due := time.Now()
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if now := time.Now(); p.tried < p.count && !now.Before(due) {
			if err := p.send(); err != nil && p.tried == 1 {
				p.result.Error, p.result.Reason = err.Error(), sendReason(err)
				return nil
			}
			// Keep the pace, but never make up for a lost time in a burst.
			if due = due.Add(p.interval); due.Before(now) {
				due = now
			}
		}
		until, more := p.nextEvent(due)
		if !more {
			return p.finish(ctx)
		}
		switch packet, err := p.socket.receive(ctx, until); {
		case err == nil:
			// Packets come in order: what had to arrive before this one has not.
			p.expire(packet.arrived)
			p.take(packet)
		case errors.Is(err, os.ErrDeadlineExceeded):
			p.expire(time.Now())
		default:
			return fmt.Errorf("receive in namespace %s: %w", p.result.Namespace, err)
		}
	}
}

// finish takes what has come with the last answer: duplicates, most likely.
func (p *pinger) finish(ctx context.Context) error {
	for range maxBesides {
		packet, err := p.socket.receive(ctx, time.Now())
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("receive in namespace %s: %w", p.result.Namespace, err)
		}
		p.take(packet)
	}
	return nil
}

// send sends the next request. A request the kernel does not take has its
// answer at once, unless it is the first: then there will be no other.
func (p *pinger) send() error {
	p.tried++
	message, err := p.match.request(p.tried)
	if err != nil {
		return err
	}
	r := &p.requests[p.tried-1]
	r.state = waiting
	if err := p.socket.send(message, &r.sent); err != nil {
		r.state = unsent
		if p.tried > 1 {
			p.reply(topology.PingReply{Seq: p.tried, Error: err.Error(), Reason: sendReason(err)})
		}
		return err
	}
	p.result.Sent++
	return nil
}

// nextEvent is when something must be done even though nothing arrives: the
// next request is due, or the oldest one out has waited long enough. There is
// none when all is done.
func (p *pinger) nextEvent(due time.Time) (at time.Time, more bool) {
	for p.first < p.tried && p.requests[p.first].state != waiting {
		p.first++
	}
	out, left := p.first < p.tried, p.tried < p.count
	if out {
		at = p.requests[p.first].sent.Add(p.timeout)
	}
	if left && (!out || due.Before(at)) {
		at = due
	}
	return at, out || left
}

// expire gives up requests that have had no answer until now.
func (p *pinger) expire(now time.Time) {
	for i := p.first; i < p.tried; i++ {
		r := &p.requests[i]
		if r.state != waiting {
			continue
		}
		if now.Sub(r.sent) < p.timeout {
			return // later ones were sent later
		}
		r.state = failed
		p.reply(topology.PingReply{Seq: i + 1, Error: noReply(p.timeout), Reason: topology.PingTimeout})
	}
}

func noReply(within time.Duration) string {
	return fmt.Sprintf("no reply within %d ms", within.Milliseconds())
}

// take takes a packet for what it is: the answer to a request that waits, a
// duplicate, something said besides, or, when it comes too late, nothing.
func (p *pinger) take(packet *pingPacket) {
	a, ok := p.match.answer(packet)
	if !ok || a.seq < 1 || a.seq > p.tried {
		return
	}
	r := &p.requests[a.seq-1]
	reply := topology.PingReply{Seq: a.seq, From: packet.from.String()}
	switch {
	case a.notice:
		reply.Notice = a.words
	case a.words != "":
		if r.state != waiting {
			return
		}
		r.state = failed
		p.result.Errors++
		reply.Error, reply.Reason = a.words, a.reason
		if a.host && p.isOwn(packet.from) {
			reply.Reason = topology.PingNeighbourFailed
		}
	default:
		if r.state != waiting && r.state != answered {
			return
		}
		rtt := packet.since(r.sent)
		if len(p.rtts) < p.count+maxBesides {
			p.rtts = append(p.rtts, rtt)
		}
		reply.TTL, reply.RTTMS = packet.ttl, milliseconds(rtt)
		p.echoed(r, &reply)
	}
	p.reply(reply)
}

// echoed counts an echo reply.
func (p *pinger) echoed(r *echoRequest, reply *topology.PingReply) {
	if r.state == answered {
		reply.Duplicate = true
		p.result.Duplicates++
		return
	}
	r.state = answered
	p.result.Received++
	if reply.Seq < p.latest {
		reply.Reordered = true
		p.result.Reordered++
	}
	p.latest = max(p.latest, reply.Seq)
}

func (p *pinger) reply(r topology.PingReply) {
	if !r.IsAnswer() {
		if p.besides++; p.besides > maxBesides {
			return
		}
	}
	p.result.Replies = append(p.result.Replies, r)
	if p.onReply != nil {
		p.onReply(r)
	}
}
