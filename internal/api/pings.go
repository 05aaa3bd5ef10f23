package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"netdash/internal/topology"
)

const mediaNDJSON = "application/x-ndjson"

// PingReplyLine is a line of a streamed ping: one reply.
type PingReplyLine struct {
	Type string `json:"type" enum:"reply"`
	topology.PingReply
}

// PingSummaryLine is the last line of a streamed ping. One that broke off has
// its reason in error.
type PingSummaryLine struct {
	Type string `json:"type" enum:"summary"`
	topology.PingResult
}

type createPingInput struct {
	Accept string `header:"Accept" hidden:"true"`
	Body   topology.PingRequest
}

type createPingOutput struct{ Body func(huma.Context) }

func (h *Handler) createPing(_ context.Context, in *createPingInput) (*createPingOutput, error) {
	request, err := h.pingRequest(in.Body)
	if err != nil {
		return nil, err
	}
	return &createPingOutput{func(hc huma.Context) {
		r, w := humachi.Unwrap(hc)
		select {
		case h.pinging <- struct{}{}:
			defer func() { <-h.pinging }()
		default:
			busy := topology.Errorf(topology.CodeBusy, "", "%d pings are running already", cap(h.pinging))
			fail(w, r, busy.WithHint("try again when one has ended"))
			return
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		forget := context.AfterFunc(h.stopped, cancel)
		defer forget()
		if request.Walk {
			h.serveWalk(ctx, cancel, w, r, request, wantsLines(in.Accept))
			return
		}
		if wantsLines(in.Accept) {
			h.streamPing(ctx, cancel, w, r, request)
			return
		}
		result, err := h.ping(ctx, request, func(topology.PingReply) {})
		if err != nil {
			fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result) // the client's loss if it is gone
	}}, nil
}

// wantsLines tells whether a client asks for NDJSON rather than JSON.
func wantsLines(accept string) bool {
	return negotiation.SelectQValueFast(accept, []string{"application/json", mediaNDJSON}) == mediaNDJSON
}

// ping pings. One that a stop of netdash ends says so; there may be a result
// up to there as well.
func (h *Handler) ping(ctx context.Context, request topology.PingRequest, onReply func(topology.PingReply)) (*topology.PingResult, error) {
	result, err := h.Kernel.Ping(ctx, request, onReply)
	if err != nil && h.stopped.Err() != nil {
		err = topology.Errorf(topology.CodeIncomplete, request.Namespace, "netdash was stopped during the ping")
	}
	return result, err
}

// streamPing sends each reply as it comes. Until the first one is sent a failure
// is still answered as a Problem.
func (h *Handler) streamPing(ctx context.Context, cancel context.CancelFunc, w http.ResponseWriter, r *http.Request, request topology.PingRequest) {
	lines := h.lineWriter(w, cancel)
	result, err := h.ping(ctx, request, func(reply topology.PingReply) {
		lines.write(PingReplyLine{"reply", reply})
	})
	switch {
	case err != nil && !lines.begun():
		fail(w, r, err)
		return
	case err != nil:
		if result == nil {
			result = &topology.PingResult{Namespace: request.Namespace, Address: request.Address, Replies: []topology.PingReply{}}
		}
		result.Error = problemOf(r.Context(), err).Detail
	}
	lines.write(PingSummaryLine{"summary", *result})
}

// pingRequest checks what the schema cannot say and puts names in the place of
// ids. The rest is the kernel's to judge.
func (h *Handler) pingRequest(in topology.PingRequest) (topology.PingRequest, error) {
	from, err := h.find(in.Namespace)
	if err != nil {
		return in, err
	}
	in.Namespace = from.Name
	if (in.Address == "") == (in.ToNamespace == "") {
		return in, invalidField("/address", "exactly one of address and to_namespace is needed")
	}
	if in.ToNamespace != "" {
		to, err := h.find(in.ToNamespace)
		if err != nil {
			return in, err
		}
		in.ToNamespace = to.Name
	}
	if err := walkProblem(in); err != nil {
		return in, err
	}
	span := time.Duration(in.Count-1)*time.Duration(in.IntervalMS)*time.Millisecond + time.Duration(in.TimeoutMS)*time.Millisecond
	if span > h.limits.pingTime {
		return in, invalidField("/count", fmt.Sprintf("with this interval and timeout it would take %s; %s at most", span, h.limits.pingTime))
	}
	return in, nil
}

func invalidField(pointer, detail string) error {
	e := topology.Errorf(topology.CodeInvalid, "", "the request is not valid")
	e.Fields = []topology.FieldError{{Pointer: pointer, Detail: detail}}
	return e
}
