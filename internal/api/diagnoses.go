package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"netdash/internal/diagnose"
	"netdash/internal/lab"
	"netdash/internal/topology"
)

type createDiagnosisInput struct{ Body diagnose.Question }

func (h *Handler) createDiagnosis(ctx context.Context, in *createDiagnosisInput) (*one[*diagnose.Diagnosis], error) {
	d, err := h.diagnose(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	for i := range d.Checks {
		h.offer(ctx, &d.Checks[i])
	}
	return &one[*diagnose.Diagnosis]{d}, nil
}

// diagnose runs a diagnosis, which takes the place of a ping.
func (h *Handler) diagnose(ctx context.Context, q diagnose.Question) (*diagnose.Diagnosis, error) {
	if (q.Address == "") == (q.ToNamespace == "") {
		return nil, invalidField("/address", "exactly one of address and to_namespace is needed")
	}
	for _, name := range []*string{&q.Namespace, &q.ToNamespace} {
		if *name == "" {
			continue
		}
		n, err := h.find(*name)
		if err != nil {
			return nil, err
		}
		*name = n.Name
	}
	select {
	case h.pinging <- struct{}{}:
		defer func() { <-h.pinging }()
	default:
		return nil, topology.Errorf(topology.CodeBusy, "", "%d pings are running already", cap(h.pinging)).WithHint("try again when one has ended")
	}
	return diagnose.Run(ctx, h.Kernel, func() (diagnose.World, error) {
		s, err := h.snapshot()
		if err != nil {
			return diagnose.World{}, err
		}
		spec, _ := h.Lab.Intended()
		return diagnose.World{Snapshot: s, Intended: spec}, nil
	}, q)
}

// offer completes a check's repair with what it would do, as the call it stands
// for says itself in a dry run. One that would be refused, or do nothing, is not
// offered.
func (h *Handler) offer(ctx context.Context, c *diagnose.Check) {
	r := c.Repair
	if r == nil {
		return
	}
	r.Request.Path = prefix + r.Request.Path
	if len(r.Changes) > 0 {
		return
	}
	plan, refused := h.rehearse(ctx, r.Request)
	switch {
	case refused != "":
		c.Refuse(refused)
	case len(plan.Changes) == 0:
		c.Repair = nil
	default:
		r.Plan = plan
	}
}

// rehearse makes a call of the API as a dry run, as the client would make it.
func (h *Handler) rehearse(ctx context.Context, q diagnose.Request) (plan topology.PlanRecord, refused string) {
	x := exchangeOf(ctx)
	body, err := json.Marshal(q.Body)
	if err != nil {
		return plan, err.Error()
	}
	ctx = context.WithValue(ctx, chi.RouteCtxKey, (*chi.Context)(nil)) // the call finds its own route
	r, err := http.NewRequestWithContext(ctx, q.Method, q.Path, bytes.NewReader(body))
	if err != nil {
		return plan, err.Error()
	}
	query := r.URL.Query()
	query.Set("dry_run", "true")
	r.URL.RawQuery = query.Encode()
	r.RequestURI, r.Host, r.RemoteAddr, r.Header = r.URL.RequestURI(), x.req.Host, x.req.RemoteAddr, x.req.Header.Clone()
	for _, own := range []string{"Accept", "Accept-Encoding", keyHeader, "Prefer", "If-Match", "Content-Length"} {
		r.Header.Del(own)
	}
	r.Header.Set("Content-Type", mediaJSON)
	if len(q.Body) == 0 {
		r.Body, r.ContentLength = http.NoBody, 0
		r.Header.Del("Content-Type")
	}
	answer := &rehearsal{header: http.Header{}, status: http.StatusOK}
	h.root.ServeHTTP(answer, r)
	if answer.status != http.StatusOK {
		var p Problem
		if err := json.Unmarshal(answer.body.Bytes(), &p); err != nil {
			return plan, fmt.Sprintf("%s %s answers %d", q.Method, q.Path, answer.status)
		}
		return plan, p.Detail
	}
	if err := json.Unmarshal(answer.body.Bytes(), &plan); err != nil {
		return plan, err.Error()
	}
	return plan, ""
}

// rehearsal is the answer to a call that netdash makes of itself.
type rehearsal struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *rehearsal) Header() http.Header         { return a.header }
func (a *rehearsal) WriteHeader(status int)      { a.status = status }
func (a *rehearsal) Write(b []byte) (int, error) { return a.body.Write(b) }

// ApplyBody names one finding of a diagnosis.
type ApplyBody struct {
	diagnose.Question
	Check   string `json:"check" doc:"The finding's check." example:"forwarding"`
	Subject string `json:"subject,omitempty" doc:"The finding's subject. Default: the first of that check." example:"router"`
}

type applyDiagnosisInput struct {
	DryRun
	Body ApplyBody
}

// applyDiagnosis diagnoses anew, so that only what is still so is mended.
func (h *Handler) applyDiagnosis(ctx context.Context, in *applyDiagnosisInput) (*edited, error) {
	d, err := h.diagnose(ctx, in.Body.Question)
	if err != nil {
		return nil, err
	}
	c := d.Find(in.Body.Check, in.Body.Subject)
	switch {
	case c == nil:
		return nil, topology.Errorf(topology.CodeConflict, in.Body.Subject, "there is nothing of the check %q to mend now: %s", in.Body.Check, d.Summary)
	case len(c.Repair.Changes) == 0:
		return nil, topology.Errorf(topology.CodeConflict, c.Subject, "this finding is mended by a call of its own").
			WithHint("%s %s%s", c.Repair.Request.Method, prefix, c.Repair.Request.Path)
	}
	return h.operate(ctx, in.DryRun, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		return h.Lab.Mend(ctx, request, c.Repair.Changes)
	}, func(op *topology.Operation, out *edited) error {
		out.Status, out.Body = http.StatusOK, op
		return nil
	})
}
