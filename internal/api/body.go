package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"netdash/internal/topology"
)

// bodyRule is what the body of a request may be. None of the media types is one
// that a form of another site could send without asking first: that keeps such
// forms out.
type bodyRule struct {
	media []string // the first is the one to name
	limit int64    // bytes
	check func([]byte) error
}

func (h *Handler) bodyRule(r *http.Request) bodyRule {
	if r.Method == http.MethodPut && r.URL.Path == prefix+"/topology/intended" {
		return bodyRule{documentMedia, max(h.limits.body, h.limits.document), documentCheck}
	}
	limit := h.limits.body
	if r.URL.Path == prefix+"/positions" {
		limit = max(limit, h.limits.document)
	}
	return bodyRule{[]string{mediaJSON}, limit, syntaxProblem}
}

// readBody reads a request's body before its handler runs, and refuses one that
// is too large, too slow, or not what the rule for it says.
func (h *Handler) readBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		rule := h.bodyRule(r)
		if problem := rule.mediaProblem(r); problem != nil {
			fail(w, r, problem)
			return
		}
		data, problem := h.read(w, r, rule.limit)
		switch {
		case problem != nil:
			w.Header().Set("Connection", "close") // the rest of the body may still be to come
		case len(data) > 0 && r.Header.Get("Content-Type") == "":
			problem = newProblem(codeMediaType, "the body needs the header Content-Type: "+rule.names())
		default:
			problem = rule.check(data)
		}
		if problem != nil {
			fail(w, r, problem)
			return
		}
		exchangeOf(r.Context()).body = data
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		next.ServeHTTP(w, r)
	})
}

// names lists the media types worth naming.
func (rule bodyRule) names() string {
	return strings.Join(rule.media[:min(2, len(rule.media))], " or ")
}

func (rule bodyRule) mediaProblem(r *http.Request) error {
	if given := r.Header.Get("Content-Type"); given != "" {
		if t, _, err := mime.ParseMediaType(given); err != nil || !slices.Contains(rule.media, t) {
			return topology.Errorf(codeMediaType, "", "the body is declared as %q", given).
				WithHint("send it with the header Content-Type: %s", rule.names())
		}
	}
	if given := r.Header.Get("Content-Encoding"); given != "" && given != "identity" {
		return topology.Errorf(codeMediaType, "", "a body packed with %q is not read", given)
	}
	return nil
}

// read reads the whole body, up to a limit, within limits.bodyTime. The deadline is lifted
// again: it would also end the connection's watch for a client that goes away,
// and with it the request.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(h.limits.bodyTime)); err == nil {
		defer func() { _ = conn.SetReadDeadline(time.Time{}) }() // fails only with the connection
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var timeout net.Error
	switch {
	case err == nil:
		return data, nil
	case isA[*http.MaxBytesError](err):
		return nil, topology.Errorf(topology.CodeTooLarge, "", "the body is larger than %d bytes", limit)
	case errors.As(err, &timeout) && timeout.Timeout():
		return nil, topology.Errorf(topology.CodeMalformed, "", "the body did not arrive within %s", h.limits.bodyTime)
	default:
		return nil, &topology.Error{Code: topology.CodeMalformed, Detail: "the body was cut off", Err: err}
	}
}

// syntaxProblem says where a body stops being JSON.
func syntaxProblem(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if !utf8.Valid(data) {
		return newProblem(topology.CodeMalformed, "the body is not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		at := int64(0)
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = s.Offset
		}
		return topology.Errorf(topology.CodeMalformed, "", "the body is not JSON: %s (byte %d)", err.Error(), at)
	}
	return nil
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
