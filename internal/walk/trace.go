package walk

import (
	"cmp"
	"slices"
	"time"

	"netdash/internal/topology"
)

// hop is a record in its place in a journey.
type hop struct {
	*Record
	*packet
	namespace string
	link      *topology.Link // nil if the Snapshot does not have it
	place     int            // in the order of its namespace

	from  *hop // it came from, as the same frame
	cause *hop // of a hop without from: the hop of another frame that made its namespace send it
	kids  []*hop
	older *hop // the kid of from before this one, in the same namespace
	// passedOn is whether its namespace, a router, sent the packet on as another
	// frame.
	passedOn bool

	at    time.Time // not before from, older or cause
	depth int
	frame *Frame
	id    int
}

func (h *hop) follow(from *hop) {
	h.from = from
	if n := len(from.kids); n > 0 && from.kids[n-1].namespace == h.namespace {
		h.older = from.kids[n-1]
	}
	from.kids = append(from.kids, h)
}

// leads tells whether a frame went on from h to a link.
func (h *hop) leads(link *topology.Link) bool {
	return slices.ContainsFunc(h.kids, func(k *hop) bool { return k.link == link })
}

// tracer puts records together to journeys.
type tracer struct {
	links map[string]map[int]*topology.Link // by namespace and ifindex
	hops  []*hop
	// What enters a cable waits for its other end; both by that end.
	entered map[cable][]*hop
	arrived map[cable][]*hop
}

// cable is the end of a veth, and a frame that comes out there.
type cable struct {
	link *topology.Link
	key  string
}

func newTracer(s *topology.Snapshot) *tracer {
	t := &tracer{links: map[string]map[int]*topology.Link{}, entered: map[cable][]*hop{}, arrived: map[cable][]*hop{}}
	for _, n := range s.Namespaces {
		t.links[n.Name] = map[int]*topology.Link{}
		for _, l := range n.Links {
			if l.Sync != topology.Missing {
				t.links[n.Name][l.Ifindex] = l
			}
		}
	}
	return t
}

// trace takes in all records and links what follows from each other.
func (t *tracer) trace(r *Recording) []*hop {
	for namespace, records := range r.Records {
		t.inside(namespace, records)
	}
	for end, ins := range t.arrived {
		connect(t.entered[end], ins)
	}
	t.order()
	return t.hops
}

// inside links the records of one namespace.
func (t *tracer) inside(namespace string, records []Record) {
	same := map[string][]*hop{} // by key: the same frame
	echoes := map[echo][]*hop{} // packets that came in
	for i := range records {
		p, ok := parse(records[i].Data)
		if !ok {
			continue
		}
		h := &hop{Record: &records[i], packet: p, namespace: namespace, place: i, link: t.links[namespace][records[i].Ifindex]}
		t.hops = append(t.hops, h)
		if h.link != nil {
			t.place(h, same[p.key], echoes)
		}
		same[p.key] = append(same[p.key], h)
		if !h.Out && p.ttl > 0 {
			echoes[h.echo] = append(echoes[h.echo], h)
		}
	}
}

// place finds what a hop followed from among those before it in its namespace,
// and puts it on its cable.
func (t *tracer) place(h *hop, same []*hop, echoes map[echo][]*hop) {
	if peer := t.peer(h.link); h.Out && peer != nil {
		end := cable{peer, h.key}
		t.entered[end] = append(t.entered[end], h)
	}
	if !h.Out && h.link.Kind == "veth" {
		same = nil // nothing within the namespace leads to there
	}
	for _, before := range slices.Backward(same) {
		if before.link != nil && !before.leads(h.link) && leadsTo(before, h) {
			h.follow(before)
			return
		}
	}
	if !h.Out {
		end := cable{h.link, h.key}
		t.arrived[end] = append(t.arrived[end], h)
		return
	}
	if h.ttl == 0 {
		return
	}
	for _, in := range slices.Backward(echoes[h.echo]) {
		if in.kind == h.kind && in.ttl == h.ttl+1 && in.key != h.key {
			h.cause, in.passedOn = in, true
			return
		}
	}
}

// leadsTo tells whether the kernel hands the same frame from one hop to the next
// within a namespace.
func leadsTo(from, to *hop) bool {
	a, b := from.link, to.link
	switch {
	case !from.Out && to.Out: // through a bridge
		return a.Master != "" && a.Master == b.Master
	case from.Out && to.Out: // from a bridge itself, or from a link that lies upon another
		return a.Kind == "bridge" && b.Master == a.Name || liesOn(a, b)
	case !from.Out && !to.Out:
		return b.Kind == "bridge" && a.Master == b.Name || liesOn(b, a)
	default:
		return a == b && a.Kind == "loopback"
	}
}

// liesOn tells whether a link, such as one of a VLAN, sends by another of its
// namespace.
func liesOn(upper, lower *topology.Link) bool {
	return upper.Kind != "veth" && upper.Peer != nil && upper.Peer.Key == lower.Key
}

// peer gives the other end of a veth.
func (t *tracer) peer(l *topology.Link) *topology.Link {
	if l.Kind != "veth" || l.Peer == nil || !l.Peer.Known {
		return nil
	}
	return t.links[l.Peer.Namespace][l.Peer.Ifindex]
}

// stale is how much longer than the next one a frame can have been on a cable. It
// was lost there then.
const stale = 20 * time.Millisecond

// connect links equal frames that entered a cable with those that came out: a
// veth is a queue, from which some may be lost.
func connect(outs, ins []*hop) {
	for i, in := range ins {
		for len(outs) > len(ins)-i && len(outs) > 1 && !outs[1].At.After(in.At) && outs[1].At.Sub(outs[0].At) > stale {
			outs = outs[1:]
		}
		if len(outs) == 0 {
			return
		}
		in.follow(outs[0])
		outs = outs[1:]
	}
}

// order gives every hop its time, and sorts all hops: by time, but what followed
// from another comes after it.
func (t *tracer) order() {
	t.answers()
	placed := map[*hop]bool{}
	for _, h := range t.hops {
		h.settle(placed)
	}
	slices.SortFunc(t.hops, func(a, b *hop) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.depth, b.depth), cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.place, b.place))
	})
}

// settle gives a hop, and first those it came after, its time. The stamps alone
// do not do: what a bridge hands to its own namespace has the stamp of when it came in.
func (h *hop) settle(placed map[*hop]bool) {
	var chain []*hop
	for x := h; x != nil && !placed[x]; x = cmp.Or(x.older, x.from, x.cause) {
		placed[x] = true // also against rings, which equal frames on equal cables could make
		chain = append(chain, x)
	}
	for _, x := range slices.Backward(chain) {
		x.at = x.At
		if before := cmp.Or(x.older, x.from, x.cause); before != nil && before.at.After(x.at) {
			x.at = before.at
		}
		if before := cmp.Or(x.from, x.cause); before != nil {
			x.depth = before.depth + 1
		}
	}
}

// answers finds what made a namespace send a frame that nothing brought there: a
// question it answers.
func (t *tracer) answers() {
	type question struct {
		namespace string
		kind      Kind
		about     any
	}
	asked := map[question][]*hop{}
	var roots []*hop
	for _, h := range t.hops {
		switch {
		case h.Out && h.from == nil && h.cause == nil:
			roots = append(roots, h)
		case h.Out:
		case h.kind == ARPRequest || h.kind == NeighbourSolicitation:
			q := question{h.namespace, h.kind, h.asked}
			asked[q] = append(asked[q], h)
		case h.kind == EchoRequest:
			q := question{h.namespace, h.kind, h.echo}
			asked[q] = append(asked[q], h)
		}
	}
	questions := map[Kind]Kind{ARPReply: ARPRequest, NeighbourAdvertisement: NeighbourSolicitation, EchoReply: EchoRequest, ICMPError: EchoRequest}
	for _, h := range roots {
		q := question{h.namespace, questions[h.kind], any(h.echo)}
		if h.asked != "" {
			q.about = h.asked
		}
		for _, in := range slices.Backward(asked[q]) {
			if in.place < h.place && (in.src == h.dst || h.kind == ICMPError) {
				h.cause = in
				break
			}
		}
	}
}
