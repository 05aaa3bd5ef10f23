package walk

import (
	"cmp"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"netdash/internal/topology"
)

// Evidence is what a Walk is made of.
type Evidence struct {
	Source    string // namespace that pings
	Target    netip.Addr
	Scope     *Scope
	Recording *Recording
	Snapshot  *topology.Snapshot // as of before the first packet
	Tables    []Table            // of the bridges in scope, as of before the first packet
	Events    []topology.Event   // since
}

// Explain makes a Walk of it.
func Explain(e *Evidence) *Walk {
	t := newTracer(e.Snapshot)
	hops := e.ofThePing(t.trace(e.Recording))
	w := &Walk{
		Frames: []Frame{}, Decisions: []Decision{},
		Notes: Notes{strings.Join(e.Recording.Incomplete, "; "), e.Recording.Dropped},
	}
	if len(hops) == 0 {
		return w
	}
	start := hops[0].at
	var frames []*Frame
	for i, h := range hops {
		h.id = i + 1
		if h.from != nil {
			h.frame = h.from.frame
		} else {
			h.frame = newFrame(h, len(frames)+1)
			frames = append(frames, h.frame)
		}
		h.frame.Hops = append(h.frame.Hops, h.shown(start, e.end(t, h)))
	}
	for _, f := range frames {
		w.Frames = append(w.Frames, *f)
	}
	w.Decisions = newJudge(e).decisions(hops, start)
	return w
}

// ofThePing leaves out what belongs to other traffic: echoes of other pings, and
// questions for neighbours that no packet of this one waited for.
func (e *Evidence) ofThePing(hops []*hop) []*hop {
	first := slices.IndexFunc(hops, func(h *hop) bool {
		return h.kind == EchoRequest && h.namespace == e.Source && h.Out && h.to == e.Target.Unmap().WithZone("")
	})
	if first < 0 { // nothing was sent, which the source's own kernel can say of a request
		first = slices.IndexFunc(hops, func(h *hop) bool { return h.kind == ICMPError && h.namespace == e.Source && h.Out })
	}
	ours := func(h *hop) bool { return first >= 0 && h.echo.flow() == hops[first].echo.flow() }
	visited := map[string]bool{e.Source: true} // namespaces whose own stack had the packet
	for _, h := range hops {
		if h.kind == EchoRequest || h.kind == EchoReply {
			if ours(h) && (h.from == nil || len(h.kids) == 0 && h.link != nil && h.dst == parseMAC(h.link.MAC)) {
				visited[h.namespace] = true
			}
		}
	}
	isEnd := func(a netip.Addr) bool { return slices.Contains(e.Scope.Flow.Ends, a) }
	keep := map[*hop]bool{}
	asked := map[string]bool{}
	return slices.DeleteFunc(hops, func(h *hop) bool {
		switch {
		case h.from != nil:
			keep[h] = keep[h.from]
		case h.kind == Fragment:
			keep[h] = isEnd(h.packet.from) && isEnd(h.to)
		case h.asked == "":
			keep[h] = ours(h)
		case h.kind == ARPRequest || h.kind == NeighbourSolicitation:
			keep[h] = visited[h.namespace] && !h.packet.from.IsUnspecified() // no duplicate address detection
			asked[h.asked] = asked[h.asked] || keep[h]
		default:
			keep[h] = asked[h.asked]
		}
		return !keep[h]
	})
}

func newFrame(h *hop, id int) *Frame {
	f := &Frame{
		ID: id, Kind: h.kind, SrcMAC: h.src.String(), DstMAC: h.dst.String(), VLAN: h.VLAN,
		SrcIP: h.packet.from.String(), DstIP: h.to.String(), TTL: h.ttl, Length: h.Length,
	}
	if h.asked == "" && h.kind != Fragment {
		f.Seq = h.echo.seq
	}
	if h.cause != nil && h.cause.frame != nil {
		if h.cause.kind == h.kind {
			f.Continues = h.cause.frame.ID
		} else {
			f.Answers = h.cause.frame.ID
		}
	}
	return f
}

func (h *hop) shown(start time.Time, end string) Hop {
	out := Hop{
		ID: h.id, At: h.at, US: microseconds(h.at.Sub(start)), Namespace: h.namespace, Link: h.linkName(), Direction: "in",
		Kind: h.kind, SrcMAC: h.src.String(), DstMAC: h.dst.String(), VLAN: h.VLAN, End: end,
	}
	if h.Out {
		out.Direction = "out"
	}
	if before := cmp.Or(h.from, h.cause); before != nil {
		out.From = before.id
	}
	return out
}

func (h *hop) linkName() string {
	if h.link == nil {
		return fmt.Sprintf("if%d", h.Ifindex) // it came after the Snapshot
	}
	return h.link.Name
}

// end tells what became of a frame after a hop that it went nowhere from.
func (e *Evidence) end(t *tracer, h *hop) string {
	switch {
	case len(h.kids) > 0 || h.link == nil:
		return ""
	case h.Out && h.link.Kind == "bridge":
		return "" // for a Decision to tell
	case h.Out:
		if peer := t.peer(h.link); peer != nil {
			if _, watched := e.Recording.Records[peer.Namespace]; watched {
				return "lost"
			}
		}
		return "unseen"
	case h.link.Master != "":
		return ""
	case h.passedOn:
		return "passed_on"
	case h.dst.isGroup() || h.dst == parseMAC(h.link.MAC):
		return "taken"
	}
	return "ignored"
}

func microseconds(d time.Duration) float64 { return math.Round(float64(d.Nanoseconds())) / 1e3 }
