package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"time"
	"unicode/utf8"

	"netdash/internal/topology"
)

// readBody reads a request's body before its handler runs, and refuses one that
// is too large, too slow, not called JSON or not JSON. A type that must be
// application/json also keeps other sites' forms out: they cannot send it.
func (h *Handler) readBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		if problem := mediaProblem(r); problem != nil {
			fail(w, r, problem)
			return
		}
		data, problem := h.read(w, r)
		switch {
		case problem != nil:
			w.Header().Set("Connection", "close") // the rest of the body may still be to come
		case len(data) > 0 && r.Header.Get("Content-Type") == "":
			problem = newProblem(codeMediaType, "the body needs the header Content-Type: application/json")
		default:
			problem = syntaxProblem(data)
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

func mediaProblem(r *http.Request) error {
	if given := r.Header.Get("Content-Type"); given != "" {
		if t, _, err := mime.ParseMediaType(given); err != nil || t != "application/json" {
			return topology.Errorf(codeMediaType, "", "the body is declared as %q", given).
				WithHint("send JSON with the header Content-Type: application/json")
		}
	}
	if given := r.Header.Get("Content-Encoding"); given != "" && given != "identity" {
		return topology.Errorf(codeMediaType, "", "a body packed with %q is not read", given)
	}
	return nil
}

// read reads the whole body within limits.bodyTime. The deadline is lifted
// again: it would also end the connection's watch for a client that goes away,
// and with it the request.
func (h *Handler) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(h.limits.bodyTime)); err == nil {
		defer func() { _ = conn.SetReadDeadline(time.Time{}) }() // fails only with the connection
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.limits.body))
	var timeout net.Error
	switch {
	case err == nil:
		return data, nil
	case isA[*http.MaxBytesError](err):
		return nil, topology.Errorf(topology.CodeTooLarge, "", "the body is larger than %d bytes", h.limits.body)
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
