package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// tagged is an answer that a client can keep and ask for again by its ETag.
type tagged[T any] struct {
	Status       int
	ETag         string `header:"ETag" doc:"For If-None-Match."`
	CacheControl string `header:"Cache-Control"`
	ContentType  string `header:"Content-Type" hidden:"true"`
	Body         T
}

// Conditional is the header that makes an unchanged answer a 304.
type Conditional struct {
	IfNoneMatch string `header:"If-None-Match" doc:"ETag of an earlier answer; 304 when it is still the same."`
}

// has tells whether an ETag is among those the client has (RFC 9110: weak
// comparison).
func (in Conditional) has(etag string) bool {
	weak := func(s string) string { return strings.TrimPrefix(strings.TrimSpace(s), "W/") }
	for one := range strings.SplitSeq(in.IfNoneMatch, ",") {
		if weak(one) == weak(etag) || weak(one) == "*" {
			return true
		}
	}
	return false
}

func (h *Handler) getTopology(_ context.Context, in *Conditional) (*tagged[*topology.Snapshot], error) {
	s, err := h.snapshot()
	if err != nil {
		return nil, err
	}
	out := &tagged[*topology.Snapshot]{Status: http.StatusOK, CacheControl: "no-cache", Body: s}
	out.ETag = h.topologyTag(s.Seq, s.Revision)
	if in.has(out.ETag) {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// topologyTag is the ETag of a Snapshot. Its numbers start again with the program.
func (h *Handler) topologyTag(seq uint64, revision int64) string {
	return `W/"` + h.boot + "-" + strconv.FormatUint(seq, 10) + "-" + strconv.FormatInt(revision, 10) + `"`
}
