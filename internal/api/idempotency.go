package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

const (
	keyHeader    = "Idempotency-Key"
	replayHeader = "Idempotent-Replay"
	maxKey       = 255
)

// call is one request for an edit, from its headers to its answer. It goes with
// the request's context.
type call struct {
	key       string // idempotency key; "" for none
	request   [sha256.Size]byte
	started   chan struct{} // closed when the operation is journaled
	operation atomic.Int64  // its number, from then on
	committed bool
	kept      []byte // what the operation was committed with
}

type callKey struct{}

// callOf gives the call a context belongs to, nil in a dry run.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

func newCall(x *exchange) (*call, error) {
	c := &call{started: make(chan struct{})}
	keys, given := x.req.Header[keyHeader]
	if !given {
		return c, nil
	}
	c.key = keys[0]
	wrong := len(keys) > 1 || c.key == "" || len(c.key) > maxKey
	for _, char := range []byte(c.key) {
		wrong = wrong || char < ' ' || char > '~'
	}
	if wrong {
		return nil, topology.Errorf(topology.CodeMalformed, "", "the header %s is not one key of 1 to %d printable ASCII characters", keyHeader, maxKey)
	}
	c.request = sha256.Sum256(append([]byte(x.text()+"\n"), x.body...))
	return c, nil
}

// begun is told when the edit is journaled.
func (c *call) begun(operation int64) {
	if c.operation.CompareAndSwap(0, operation) {
		close(c.started)
	}
}

// header names the operation.
func (c *call) header() http.Header {
	id := c.operation.Load()
	if id == 0 {
		return http.Header{}
	}
	return http.Header{"Netdash-Operation": {strconv.FormatInt(id, 10)}}
}

// calls are those with a key that are under way, by their keys.
type calls struct {
	mu  sync.Mutex
	all map[string]*call
}

// answer is the layer all edits have in common: it runs one and answers it, or
// answers again what its idempotency key stands for.
func (h *Handler) answer(ctx context.Context, dryRun bool, run func(context.Context) (*edited, error)) (*edited, error) {
	x := exchangeOf(ctx)
	c, err := newCall(x)
	if err != nil {
		return nil, err
	}
	if dryRun {
		return run(ctx)
	}
	if c.key != "" {
		if again, err := h.claim(ctx, c); again != nil || err != nil {
			return again, err
		}
	}
	ctx = context.WithValue(ctx, callKey{}, c)
	if wait, ok := respondAsync(x.req.Header); ok {
		return h.answerInTime(ctx, c, wait, run)
	}
	defer h.forget(c)
	return h.complete(ctx, c, run)
}

// complete runs an edit to its end and keeps the answer.
func (h *Handler) complete(ctx context.Context, c *call, run func(context.Context) (*edited, error)) (*edited, error) {
	out, err := run(ctx)
	if err == nil {
		h.keep(ctx, c, keptAnswer{Edited: out}, true)
		return out, nil
	}
	p := problemOf(ctx, err)
	h.keep(ctx, c, keptAnswer{Problem: p, Operation: c.operation.Load()}, c.committed || decided(p.Code))
	header := c.header()
	if had, ok := errors.AsType[huma.HeadersError](err); ok {
		maps.Copy(header, had.GetHeaders())
	}
	return nil, huma.ErrorWithHeaders(p, header)
}

// decided tells whether a refusal speaks of what was asked and not of the
// moment. Only such a one is the answer to a repeat as well; after all others
// nothing was done, and a repeat may succeed.
func decided(code topology.Code) bool {
	switch code {
	case topology.CodeNotFound, topology.CodeConflict, topology.CodeNotManaged, topology.CodeInvalid:
		return true
	}
	return false
}

// claim makes a key this call's until release. When the key stands for an answer
// already, it gives that one.
func (h *Handler) claim(ctx context.Context, c *call) (*edited, error) {
	h.calls.mu.Lock() // also while the database is asked: who is next finds the answer
	defer h.calls.mu.Unlock()
	if other := h.calls.all[c.key]; other != nil {
		if other.request != c.request {
			return nil, c.taken(other.operation.Load())
		}
		return nil, other.underWay()
	}
	kept, known, err := h.Lab.Answer(ctx, c.key)
	switch {
	case err != nil:
		return nil, err
	case !known:
		h.calls.all[c.key] = c
		return nil, nil
	case !bytes.Equal(kept.Request, c.request[:]):
		return nil, c.taken(kept.Operation)
	}
	return replay(kept.Content)
}

// forget frees the key of a call that has been answered.
func (h *Handler) forget(c *call) {
	h.calls.mu.Lock()
	defer h.calls.mu.Unlock()
	delete(h.calls.all, c.key)
}

// taken is the error of a key that stands for another request.
func (c *call) taken(operation int64) error {
	detail := fmt.Sprintf("the %s %q was used for another request", keyHeader, c.key)
	if operation != 0 {
		detail += fmt.Sprintf(", which is operation %d", operation)
	}
	return topology.Errorf(topology.CodeConflict, "", "%s", detail).
		WithHint("a repeat has the same method, path, query and body; everything else needs a key of its own")
}

// underWay is the error of a repeat that comes before the call has ended.
func (c *call) underWay() error {
	e := topology.Errorf(topology.CodeBusy, "", "the request with the %s %q is still under way", keyHeader, c.key).
		WithHint("repeat it in a moment for its answer")
	header := c.header()
	if id := c.operation.Load(); id != 0 {
		e.Subject = fmt.Sprintf("operation %d", id)
		e.Hint += fmt.Sprintf(", or follow GET %s/operations/%d", prefix, id)
	}
	header.Set("Retry-After", "1")
	return huma.ErrorWithHeaders(e, header)
}

// keptAnswer is an answer as it is kept: one of its two forms.
type keptAnswer struct {
	Edited    *edited  `json:"edited,omitempty"`
	Problem   *Problem `json:"problem,omitempty"`
	Operation int64    `json:"operation,omitempty"` // of a Problem
}

// encode writes the answer's body with the very bytes it is sent with.
func (k keptAnswer) encode() ([]byte, error) {
	var b bytes.Buffer
	if err := huma.DefaultJSONFormat.Marshal(&b, k); err != nil {
		return nil, fmt.Errorf("answer to keep: %w", err)
	}
	return b.Bytes(), nil
}

// replay gives a kept answer once more.
func replay(content []byte) (*edited, error) {
	k := keptAnswer{Edited: &edited{Body: &json.RawMessage{}}}
	if err := json.Unmarshal(content, &k); err != nil {
		return nil, fmt.Errorf("kept answer: %w", err)
	}
	if k.Problem == nil {
		k.Edited.Replay = "true"
		return k.Edited, nil
	}
	header := (&call{}).header()
	if k.Operation != 0 {
		header.Set("Netdash-Operation", strconv.FormatInt(k.Operation, 10))
	}
	header.Set(replayHeader, "true")
	return nil, huma.ErrorWithHeaders(k.Problem, header)
}

// keepWith is the answer to commit an operation with: what done makes of the
// moment before. Should it be another one afterwards, keep replaces it; it is
// the answer when netdash dies in between.
func (h *Handler) keepWith(ctx context.Context, c *call, done func(*topology.Operation, *edited) error) func(*topology.Operation) lab.Answer {
	return func(op *topology.Operation) lab.Answer {
		var k keptAnswer
		out, err := outcome(op, done)
		if err != nil {
			k.Problem, k.Operation = problemOf(ctx, err), op.ID
		} else {
			k.Edited = out
		}
		a := lab.Answer{Key: c.key, Request: c.request[:], Operation: op.ID}
		if a.Content, err = k.encode(); err != nil {
			h.Logger.Error("an answer cannot be written", slog.Any("error", err))
		}
		c.kept = a.Content
		return a
	}
}

// keep keeps the answer to a call with a key, if it is one to keep and its
// operation was not committed with it.
func (h *Handler) keep(ctx context.Context, c *call, k keptAnswer, worth bool) {
	if c.key == "" || !worth {
		return
	}
	content, err := k.encode()
	if err == nil && !bytes.Equal(content, c.kept) {
		err = h.Lab.Keep(context.WithoutCancel(ctx), lab.Answer{
			Key: c.key, Request: c.request[:], Operation: c.operation.Load(), Content: content,
		})
	}
	if err != nil {
		// Nothing is lost: what was committed has an answer, all else was not done.
		h.Logger.Warn("the answer to an idempotent request could not be kept", slog.Any("error", err))
	}
}
