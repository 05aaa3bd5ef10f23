package diagnose

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"netdash/internal/topology"
)

const (
	// pingCount, pingInterval and pingTimeout (ms) bound the ping that comes first.
	// It ends with the first answer.
	pingCount    = 3
	pingInterval = 100
	pingTimeout  = 700

	defaultSize = 56 // payload, as ping(8) sends
	defaultTTL  = 64
	maxHops     = 32
)

// trace is a diagnosis under way.
type trace struct {
	ctx context.Context
	Evidence
	snapshot *topology.Snapshot
	spec     *topology.Spec
	question Question

	ping      *topology.PingResult
	reachable bool
	src, dst  netip.Addr // of the echo request
	way       string
	out       *Diagnosis
	err       error // of the evidence; it ends the diagnosis
}

// Run diagnoses. world is asked after the ping, so that it knows what came of it.
// An error is one of the question (a *topology.Error), or of ctx.
func Run(ctx context.Context, evidence Evidence, world func() (World, error), q Question) (*Diagnosis, error) {
	if q.Size == 0 {
		q.Size = defaultSize
	}
	for tries := 0; ; tries++ {
		t := &trace{ctx: ctx, Evidence: evidence, question: q, way: There}
		if err := t.tryPing(q.Address, q.ToNamespace); err != nil {
			return nil, err
		}
		w, err := world()
		if err != nil {
			return nil, err
		}
		t.snapshot, t.spec = w.Snapshot, w.Intended
		t.out = &Diagnosis{Namespace: q.Namespace, Checks: []Check{}}
		t.run()
		if t.err != nil {
			return nil, t.err
		}
		if t.explained() || tries > 0 {
			t.out.Address, t.out.Reachable = text(t.dst), t.reachable
			t.sum()
			return t.out, nil
		}
	}
}

// explained tells whether the checks say why no answer came. Where they do not, what
// kept it away may just have gone: a spanning tree that was still learning.
func (t *trace) explained() bool {
	first := t.out.FirstBroken
	if first == nil {
		return t.reachable || slices.ContainsFunc(t.out.Checks, func(c Check) bool { return c.Status == Unknown && c.Check != "answer" })
	}
	c := t.out.Checks[*first]
	return c.Check != "neighbour" || c.Repair != nil
}

// tryPing pings until the first answer. That there is nothing to ping, or from, is
// for the checks to say.
func (t *trace) tryPing(address, toNamespace string) error {
	ctx, cancel := context.WithCancel(t.ctx)
	defer cancel()
	result, err := t.Ping(ctx, topology.PingRequest{
		Namespace: t.question.Namespace, Address: address, ToNamespace: toNamespace,
		Count: pingCount, IntervalMS: pingInterval, TimeoutMS: pingTimeout, Size: t.question.Size,
	}, func(r topology.PingReply) {
		if r.Error == "" {
			t.reachable = true
			cancel()
		}
	})
	if t.ctx.Err() != nil {
		return fmt.Errorf("diagnose: %w", t.ctx.Err())
	}
	if t.ping = result; result == nil {
		t.ping = &topology.PingResult{}
	}
	switch topology.CodeOf(err) {
	case "", topology.CodeNotFound, topology.CodeConflict, topology.CodeIncomplete:
		return nil
	}
	if t.reachable { // it was ended
		return nil
	}
	return err
}

// run goes there and back.
func (t *trace) run() {
	n := t.snapshot.Namespace(t.question.Namespace)
	h := &hop{trace: t, ns: n}
	if !h.each(atSource) {
		return
	}
	t.out.Namespace = n.Name
	last, arrived := t.follow(h)
	if !arrived {
		return
	}
	if last != h {
		t.way = Back
		back := &hop{trace: t, ns: last.ns, src: t.dst.WithZone(""), dst: t.src, reply: true}
		if t.dst.Zone() != "" {
			back.dst = t.src.WithZone(last.in.Name)
		}
		before := len(t.out.Checks)
		if _, arrived = t.follow(back); arrived && len(t.out.Checks) == before {
			t.note(Check{Check: "way_back", Way: Back, Status: OK, Subject: last.ns.Name, Sentence: say("way_back", "namespace", n.Name)})
		}
	}
	t.answer(n)
}

// follow takes a packet from namespace to namespace and tells where it ended, and
// whether that is where it belongs.
func (t *trace) follow(h *hop) (last *hop, arrived bool) {
	for range maxHops {
		if h.delivered {
			return h, true
		}
		if !h.each(sending) {
			return h, false
		}
		next := &hop{trace: t, ns: t.snapshot.Namespace(h.to.Namespace), in: h.to, src: h.src, dst: h.dst, reply: h.reply, piece: h.piece, hops: h.hops + 1}
		if !next.each(arriving) {
			return next, false
		}
		h = next
	}
	t.bad(Check{Check: "loop", Subject: h.ns.Name, Sentence: say("loop", "routers", maxHops, "namespace", h.ns.Name)})
	return h, false
}

// answer has the last word: the ping's.
func (t *trace) answer(n *topology.NamespaceState) {
	if t.reachable {
		t.note(Check{Check: "answer", Way: Back, Status: OK, Subject: n.Name, Sentence: say("answer", "address", text(t.dst))})
		return
	}
	if slices.ContainsFunc(t.out.Checks, func(c Check) bool { return c.Status == Unknown || c.Status == Broken }) {
		return
	}
	t.note(Check{Check: "answer", Way: Back, Status: Unknown, Subject: n.Name, Sentence: say("no_answer"), Evidence: t.pingError()})
}

// pingError is what the ping said instead of an answer.
func (t *trace) pingError() string {
	if t.ping.Error != "" {
		return "ping: " + t.ping.Error
	}
	for _, r := range t.ping.Replies {
		switch {
		case r.Error != "" && r.From != "":
			return "ping: from " + r.From + ": " + r.Error
		case r.Error != "":
			return "ping: " + r.Error
		}
	}
	return ""
}

// note adds a check, now that it is known what it says.
func (t *trace) note(c Check) {
	if c.Detail = c.text(); c.Repair != nil {
		c.Repair.Description = c.Repair.text()
	}
	t.out.Checks = append(t.out.Checks, c)
}

// ok notes that nothing is wrong. Of the way back only what is wrong is told.
func (t *trace) ok(check, subject string, s Sentence) bool {
	if t.way == There {
		t.note(Check{Check: check, Way: There, Status: OK, Subject: subject, Sentence: s})
	}
	return true
}

// bad notes a finding, a broken one unless it says otherwise, and tells whether
// there is any use in going on. Where an answer comes, nothing can be broken.
func (t *trace) bad(c Check) (goOn bool) {
	if c.Way = t.way; c.Status == "" {
		c.Status = Broken
	}
	if c.Status == Broken && t.reachable {
		c.Status = Warning
	}
	if c.Status == Broken && t.out.FirstBroken == nil {
		t.out.FirstBroken = new(len(t.out.Checks))
	}
	t.note(c)
	return c.Status != Broken
}

// stop is bad for what leaves nothing to go on with, even where an answer comes.
func (t *trace) stop(c Check) (goOn bool) {
	t.bad(c)
	return false
}

// failed ends the diagnosis with an error of the evidence, unless that only says
// that something is gone, or cannot be read: then the check is unknown.
func (t *trace) failed(check, subject string, err error) bool {
	switch {
	case t.ctx.Err() != nil:
		t.err = fmt.Errorf("diagnose: %w", t.ctx.Err())
		return false
	case topology.CodeOf(err) == topology.CodeInternal:
		t.err = err
		return false
	}
	return t.stop(Check{Check: check, Status: Unknown, Subject: subject, Sentence: say("unreadable", "error", err)})
}

// sum says the outcome in one sentence.
func (t *trace) sum() {
	d := t.out
	warnings := 0
	for _, c := range d.Checks {
		if c.Status == Warning {
			warnings++
		}
	}
	target := d.Address
	if target == "" {
		target = t.question.ToNamespace
	}
	switch {
	case d.Reachable && warnings == 0:
		d.Sentence = say("reached", "namespace", d.Namespace, "target", target)
	case d.Reachable && warnings == 1:
		d.Sentence = say("reached_warning", "namespace", d.Namespace, "target", target)
	case d.Reachable:
		d.Sentence = say("reached_warnings", "namespace", d.Namespace, "target", target, "warnings", warnings)
	case d.FirstBroken != nil:
		c := d.Checks[*d.FirstBroken]
		d.Sentence = say("not_reached", "namespace", d.Namespace, "target", target, "finding", c.Detail)
		if c.Way == Back {
			d.Sentence = say("reply_lost", "namespace", d.Namespace, "target", target, "finding", c.Detail)
		}
	default:
		d.Sentence = say("not_reached_why", "namespace", d.Namespace, "target", target)
		if i := slices.IndexFunc(d.Checks, func(c Check) bool { return c.Status == Unknown }); i >= 0 {
			d.Sentence = say("not_reached_unseen", "namespace", d.Namespace, "target", target, "finding", strings.TrimSuffix(d.Checks[i].Detail, "."))
		}
	}
	d.Summary = d.text()
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
