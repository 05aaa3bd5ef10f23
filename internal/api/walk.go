package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"netdash/internal/topology"
	"netdash/internal/walk"
)

const (
	// maxWalkRequests is how many echo requests a walk may follow: more nobody looks at.
	maxWalkRequests = 10
	// maxWalkEvents bounds what is kept of what happens meanwhile.
	maxWalkEvents = 10_000
	// newsTime is how long after a walk what happened in it is waited for. The
	// kernel's news takes a millisecond, more on a busy machine.
	newsTime = 50 * time.Millisecond
)

// WalkedPing is the result of a ping and, if it was asked for, the way of its
// frames.
type WalkedPing struct {
	topology.PingResult
	Walk *walk.Walk `json:"walk,omitempty" doc:"With walk: the way of the frames."`
}

// WalkFrameLine is a line of a streamed walk: one frame.
type WalkFrameLine struct {
	Type string `json:"type" enum:"frame"`
	walk.Frame
}

// WalkDecisionLine is a line of a streamed walk: what a bridge decided.
type WalkDecisionLine struct {
	Type string `json:"type" enum:"decision"`
	walk.Decision
}

// WalkSummaryLine is the last line of a streamed walk.
type WalkSummaryLine struct {
	Type string `json:"type" enum:"summary"`
	topology.PingResult
	Walk *walk.Notes `json:"walk,omitempty"`
}

// walkProblem tells what is wrong with a request for a walk.
func walkProblem(in topology.PingRequest) error {
	if in.Walk && in.Count > maxWalkRequests {
		return invalidField("/count", fmt.Sprintf("a walk follows %d requests at most", maxWalkRequests))
	}
	return nil
}

// serveWalk answers a ping whose frames are recorded. Streamed, replies come at
// once; frames and decisions, in the order in which they happened, after the last.
func (h *Handler) serveWalk(ctx context.Context, cancel context.CancelFunc, w http.ResponseWriter, r *http.Request, request topology.PingRequest, stream bool) {
	select {
	case h.walking <- struct{}{}:
		defer func() { <-h.walking }()
	default:
		busy := topology.Errorf(topology.CodeBusy, "", "%d walks are running already", cap(h.walking))
		fail(w, r, busy.WithHint("try again when one has ended, or ping without walk"))
		return
	}
	lines := h.lineWriter(w, cancel)
	out, err := h.walk(ctx, request, func(reply topology.PingReply) {
		if stream {
			lines.write(PingReplyLine{"reply", reply})
		}
	})
	switch {
	case err != nil && !lines.begun():
		fail(w, r, err)
		return
	case !stream:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the client's loss if it is gone
		return
	case err != nil:
		out.Error = problemOf(r.Context(), err).Detail
	}
	summary := WalkSummaryLine{Type: "summary", PingResult: out.PingResult}
	if out.Walk != nil {
		summary.Walk = &out.Walk.Notes
		writeWalk(lines, out.Walk)
	}
	lines.write(summary)
}

// writeWalk writes frames and decisions, each frame before what was decided about
// it.
func writeWalk(lines *lineWriter, w *walk.Walk) {
	decisions := w.Decisions
	for i, f := range w.Frames {
		lines.write(WalkFrameLine{"frame", f})
		for len(decisions) > 0 && (i+1 == len(w.Frames) || decisions[0].At.Before(w.Frames[i+1].Hops[0].At)) {
			lines.write(WalkDecisionLine{"decision", decisions[0]})
			decisions = decisions[1:]
		}
	}
}

// walk pings while frames are recorded. There is a result even with an error, with
// what there is up to there.
func (h *Handler) walk(ctx context.Context, request topology.PingRequest, onReply func(topology.PingReply)) (*WalkedPing, error) {
	out := &WalkedPing{PingResult: topology.PingResult{
		Namespace: request.Namespace, Address: request.Address, Replies: []topology.PingReply{},
	}}
	target, err := h.Kernel.PingTarget(ctx, request)
	if err != nil {
		return out, err
	}
	scope, err := walk.Look(h.Live.Snapshot(), request.Namespace, target)
	if err != nil {
		return out, err
	}
	e := &walk.Evidence{Source: request.Namespace, Target: target, Scope: scope}
	var notes []string
	var failed error
	news := h.listenForWalk(ctx)
	defer news.stop()
	e.Recording, err = h.Kernel.Record(ctx, scope.Flow, scope.Places, func(during context.Context) {
		e.Tables, notes = h.walkTables(during, scope.Bridges)
		e.Snapshot = h.Live.Snapshot()
		var result *topology.PingResult
		result, failed = h.ping(during, request, onReply)
		if result != nil {
			out.PingResult = *result
		}
		if during.Err() != nil && ctx.Err() == nil {
			out.Error, failed = "the walk was ended: there were too many frames", nil
		}
	})
	if err != nil {
		return out, err
	}
	e.Events, err = news.end(newsTime)
	if err != nil {
		notes = append(notes, "what changed meanwhile is not known: "+err.Error())
	}
	for _, p := range scope.Places {
		if n := e.Snapshot.Namespace(p.Namespace); n != nil && n.Incomplete != "" {
			notes = append(notes, p.Namespace+" could not be read: "+n.Incomplete)
		}
	}
	e.Recording.Incomplete = append(e.Recording.Incomplete, notes...)
	out.Walk = walk.Explain(e)
	return out, failed
}

// walkTables reads the MAC tables of the bridges that frames may cross, and tells
// which could not be read.
func (h *Handler) walkTables(ctx context.Context, bridges []topology.LinkRef) (tables []walk.Table, notes []string) {
	for _, b := range bridges {
		entries, err := h.Live.FDB(ctx, b.Namespace, b.Name)
		if err != nil {
			notes = append(notes, fmt.Sprintf("the MAC table of %s/%s could not be read: %s", b.Namespace, b.Name, problemOf(ctx, err).Detail))
			continue
		}
		tables = append(tables, walk.Table{Namespace: b.Namespace, Bridge: b.Name, At: time.Now(), Entries: entries})
	}
	return tables, notes
}

// walkNews collects what happens to bridges during a walk.
type walkNews struct {
	stop   context.CancelFunc
	done   chan struct{}
	events []topology.Event
	err    error
}

func (h *Handler) listenForWalk(ctx context.Context) *walkNews {
	ctx, stop := context.WithCancel(ctx)
	n := &walkNews{stop: stop, done: make(chan struct{})}
	seq, _ := h.Live.Version()
	subscription := h.Subscribe(&seq)
	go func() {
		defer close(n.done)
		defer subscription.Close()
		for {
			frames, err := subscription.Next(ctx)
			if err != nil {
				return // ended, as it must
			}
			for _, f := range frames {
				n.take(f.Text)
			}
		}
	}()
	return n
}

// take keeps an event if a bridge can have become another by it.
func (n *walkNews) take(text []byte) {
	switch {
	case n.err != nil:
		return
	case bytes.HasPrefix(text, []byte(`{"type":"resync"`)):
		n.err = fmt.Errorf("too much happens at once")
		return
	case !bytes.Contains(text, []byte(`"type":"fdb.`)) && !bytes.Contains(text, []byte(`"type":"link.changed"`)):
		return
	}
	var e topology.Event
	if err := json.Unmarshal(text, &e); err != nil {
		n.err = err
		return
	}
	if n.events = append(n.events, e); len(n.events) > maxWalkEvents {
		n.err = fmt.Errorf("more than %d things happened", maxWalkEvents)
	}
}

// end stops listening after some time more and gives what was heard.
func (n *walkNews) end(patience time.Duration) ([]topology.Event, error) {
	defer time.AfterFunc(patience, n.stop).Stop()
	<-n.done
	return n.events, n.err
}
