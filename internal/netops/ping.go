package netops

import (
	"context"
	"errors"
	"fmt"
	"math"
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
	match := newEchoMatch(target, req.Size)
	var socket *pingSocket
	err = k.Do(req.Namespace, func() (err error) {
		socket, err = openPingSocket(target, match.id, req.TTL)
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
		waiting:  make([]time.Time, req.Count),
		onReply:  onReply,
		result: topology.PingResult{
			Namespace: req.Namespace,
			Address:   target.String(),
			Replies:   []topology.PingReply{},
		},
	}
	defer context.AfterFunc(ctx, socket.interrupt)()
	err = p.run(ctx)
	p.sum()
	return &p.result, err
}

// completePing fills in what a request leaves to its defaults, which are those
// its type documents, and refuses what is out of bounds.
func completePing(req *topology.PingRequest) error {
	var wrong []topology.FieldError
	for _, f := range []struct {
		pointer           string
		value             *int
		usual, least, max int
	}{
		{"/count", &req.Count, 3, 1, 100},
		{"/interval_ms", &req.IntervalMS, 200, 10, 10000},
		{"/timeout_ms", &req.TimeoutMS, 1000, 10, 10000},
		{"/size", &req.Size, 56, 0, 65000},
		{"/ttl", &req.TTL, 64, 1, 255},
	} {
		if *f.value == 0 {
			*f.value = f.usual
		}
		if *f.value < f.least || *f.value > f.max {
			wrong = append(wrong, topology.FieldError{
				Pointer: f.pointer, Detail: fmt.Sprintf("must be between %d and %d", f.least, f.max),
			})
		}
	}
	if (req.Address == "") == (req.ToNamespace == "") {
		wrong = append(wrong, topology.FieldError{Pointer: "/address", Detail: "give either address or to_namespace"})
	}
	if wrong != nil {
		return &topology.Error{Code: topology.CodeInvalid, Subject: req.Namespace, Detail: "cannot ping like this", Fields: wrong}
	}
	return nil
}

func (k *Kernel) identity(namespace string) (topology.NamespaceID, error) {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return topology.NamespaceID{}, err
	}
	defer release()
	return s.id, nil
}

// pinger is a ping under way. One goroutine does all of it: it sends when a
// request is due and otherwise waits for packets, so that a reply that is there
// when sending returns, as over a veth, costs no change of goroutines.
type pinger struct {
	socket            *pingSocket
	match             *echoMatch
	count             int
	interval, timeout time.Duration
	tried             int         // requests sent or tried to
	waiting           []time.Time // when request seq (from 1) at seq-1 was sent; zero once it is answered
	first             int         // no request before this index waits
	rtts              []time.Duration
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
				p.result.Error = err.Error()
				return nil
			}
			// Keep the pace, but never make up for a lost time in a burst.
			if due = due.Add(p.interval); due.Before(now) {
				due = now
			}
		}
		until, more := p.nextEvent(due)
		if !more {
			return nil
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

// send sends the next request. A request the kernel does not take has its
// answer at once, unless it is the first: then there will be no other.
func (p *pinger) send() error {
	seq := p.tried + 1
	p.tried = seq
	message, err := p.match.request(seq)
	if err != nil {
		return err
	}
	p.waiting[seq-1] = time.Now()
	if err := p.socket.send(message); err != nil {
		p.waiting[seq-1] = time.Time{}
		if seq > 1 {
			p.reply(topology.PingReply{Seq: seq, Error: err.Error()})
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
	for p.first < p.tried && p.waiting[p.first].IsZero() {
		p.first++
	}
	out, left := p.first < p.tried, p.tried < p.count
	if out {
		at = p.waiting[p.first].Add(p.timeout)
	}
	if left && (!out || due.Before(at)) {
		at = due
	}
	return at, out || left
}

// expire gives up requests that have had no answer until now.
func (p *pinger) expire(now time.Time) {
	for i := p.first; i < p.tried; i++ {
		sent := p.waiting[i]
		if sent.IsZero() {
			continue
		}
		if now.Sub(sent) < p.timeout {
			return // later ones were sent later
		}
		p.waiting[i] = time.Time{}
		p.reply(topology.PingReply{Seq: i + 1, Error: fmt.Sprintf("no reply within %d ms", p.timeout.Milliseconds())})
	}
}

// take looks whether a packet answers a request that waits. A duplicate, or one
// that comes too late, does not.
func (p *pinger) take(packet *pingPacket) {
	a, ok := p.match.answer(packet)
	if !ok || a.seq < 1 || a.seq > p.tried || p.waiting[a.seq-1].IsZero() {
		return
	}
	sent := p.waiting[a.seq-1]
	p.waiting[a.seq-1] = time.Time{}
	reply := topology.PingReply{Seq: a.seq, From: packet.from.String(), Error: a.problem}
	if a.problem == "" {
		arrived := packet.arrived
		if arrived.Before(sent) { // the wall clock was set meanwhile
			arrived = packet.read
		}
		rtt := arrived.Sub(sent)
		p.rtts = append(p.rtts, rtt)
		p.result.Received++
		reply.TTL, reply.RTTMS = packet.ttl, milliseconds(rtt)
	}
	p.reply(reply)
}

func (p *pinger) reply(r topology.PingReply) {
	p.result.Replies = append(p.result.Replies, r)
	if p.onReply != nil {
		p.onReply(r)
	}
}

// sum fills in loss and round trips. Requests that could not be sent are lost.
func (p *pinger) sum() {
	if p.tried > 0 {
		p.result.Loss = float64(p.tried-p.result.Received) / float64(p.tried)
	}
	p.result.RTTMS = summary(p.rtts)
}

// summary is the last line of ping(8). Its mdev is the standard deviation of
// the whole population (finish() in iputils' ping_common.c).
func summary(rtts []time.Duration) *topology.RTT {
	if len(rtts) == 0 {
		return nil
	}
	s := topology.RTT{Min: math.Inf(1)}
	n := float64(len(rtts))
	for _, d := range rtts {
		ms := milliseconds(d)
		s.Min, s.Max = min(s.Min, ms), max(s.Max, ms)
		s.Avg += ms / n
	}
	for _, d := range rtts {
		off := milliseconds(d) - s.Avg
		s.Mdev += off * off / n
	}
	s.Mdev = math.Sqrt(s.Mdev)
	return &s
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
