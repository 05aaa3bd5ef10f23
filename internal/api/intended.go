package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"

	"netdash/internal/document"
	"netdash/internal/lab"
	"netdash/internal/topology"
)

const (
	mediaJSON = "application/json"
	mediaYAML = "application/yaml" // RFC 9512, as are the older names below
)

// documentMedia are the media types of a topology document.
var documentMedia = []string{mediaJSON, mediaYAML, "application/x-yaml", "text/yaml"}

type getIntendedInput struct {
	Conditional
	MACs   bool   `query:"macs" doc:"Write the MACs that the kernel once chose for veth ends as if they had been asked for: a topology made of the answer has the same."`
	Accept string `header:"Accept" hidden:"true"`
}

func (h *Handler) getIntended(_ context.Context, in *getIntendedInput) (*tagged[any], error) {
	spec, revision := h.Lab.Intended()
	if in.MACs {
		spec = spec.WithMACs()
	}
	out := &tagged[any]{Status: http.StatusOK, CacheControl: "no-cache", Body: spec, ETag: revisionTag(revision)}
	if in.has(out.ETag) {
		out.Status = http.StatusNotModified
		return out, nil
	}
	if negotiation.SelectQValueFast(in.Accept, []string{mediaJSON, mediaYAML}) == mediaYAML {
		text, err := document.YAML(spec)
		if err != nil {
			return nil, err
		}
		out.ContentType, out.Body = mediaYAML, text
	}
	return out, nil
}

// revisionTag is the ETag of the intended topology.
func revisionTag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// documentCheck refuses a document before huma does, with the reason. The rest
// is for putIntended to find.
func documentCheck(text []byte) error {
	if len(text) > 0 {
		return nil
	}
	_, err := document.Parse(text)
	return err //nolint:wrapcheck // says all there is to say
}

type putIntendedInput struct {
	DryRun
	IfMatch     string `header:"If-Match" doc:"ETags the intended topology may have; at any other nothing is done (412)."`
	ContentType string `header:"Content-Type" hidden:"true"`
	RawBody     []byte `contentType:"application/yaml"`
}

// read reads the document as what it is declared.
func (in *putIntendedInput) read() (*topology.Spec, error) {
	if t, _, err := mime.ParseMediaType(in.ContentType); err != nil || t != mediaJSON {
		return document.Parse(in.RawBody) //nolint:wrapcheck // says all there is to say
	}
	spec, err := document.ParseJSON(in.RawBody)
	if e, ok := errors.AsType[*topology.Error](err); ok && e.Code == topology.CodeMalformed && e.Hint == "" && in.RawBody[0] != '{' {
		return nil, e.WithHint("send YAML with the header Content-Type: %s", mediaYAML)
	}
	return spec, err //nolint:wrapcheck // says all there is to say
}

func (h *Handler) putIntended(ctx context.Context, in *putIntendedInput) (*edited, error) {
	x := exchangeOf(ctx)
	in.RawBody = x.body // huma takes its own back when the request ends, which the edit may outlive
	spec, err := in.read()
	if err != nil {
		return nil, err
	}
	expected, err := h.expected(strings.Join(x.req.Header.Values("If-Match"), ","))
	if err != nil {
		return nil, err
	}
	var revision int64
	out, err := h.operate(ctx, in.DryRun, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		request.Revision = expected
		result, err := h.Lab.Edit(ctx, request, func(s *topology.Spec) error {
			_, revision = h.Lab.Intended() // no other edit comes between
			spec.Inherit(s)
			*s = *spec
			return nil
		})
		if err != nil {
			return nil, h.explainDocument(err, spec, in.RawBody)
		}
		return result, nil
	}, func(op *topology.Operation, out *edited) error {
		plan := topology.PlanRecord{Changes: []topology.ChangeRecord{}}
		if op != nil {
			revision, plan.Changes = op.ID, op.Changes
		}
		out.Status, out.ETag, out.Body = http.StatusOK, revisionTag(revision), plan
		return nil
	})
	if in.DryRun.DryRun && out != nil {
		out.ETag = revisionTag(revision)
	}
	return out, err
}

// entityTag is one of a list of them (RFC 9110, 8.8.3). Where a list holds
// commas only between its tags is seen by taking the tags off one by one.
var entityTag = regexp.MustCompile(`^[ \t]*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)")?[ \t]*(?:,|$)`)

// expected gives the revision at which an If-Match lets an edit happen, nil for
// any. A weak tag never matches (RFC 9110, 13.1.1).
func (h *Handler) expected(ifMatch string) (*int64, error) {
	if ifMatch == "" || strings.TrimSpace(ifMatch) == "*" {
		return nil, nil //nolint:nilnil // any revision will do
	}
	var tags []string
	for rest := ifMatch; rest != ""; {
		m := entityTag.FindStringSubmatch(rest)
		if m == nil {
			p := newProblem(topology.CodeMalformed, "If-Match is a list of ETags, each in quotes, or *")
			p.Errors = []ProblemField{{Parameter: "If-Match", Detail: "cannot be read from here on: " + rest}}
			return nil, p
		}
		if m[1] == "" && strings.Contains(m[0], `"`) {
			tags = append(tags, `"`+m[2]+`"`)
		}
		rest = rest[len(m[0]):]
	}
	_, revision := h.Lab.Intended()
	if !slices.Contains(tags, revisionTag(revision)) {
		e := topology.Errorf(topology.CodePrecondition, "", "the intended topology is at revision %s, not %s", revisionTag(revision), ifMatch)
		return nil, h.withETag(e.WithHint("read it again and repeat the change"))
	}
	return &revision, nil
}

// withETag answers an unmet precondition with the tag that would have met it.
func (h *Handler) withETag(err error) error {
	_, revision := h.Lab.Intended()
	return huma.ErrorWithHeaders(err, http.Header{"Etag": {revisionTag(revision)}})
}

// explainDocument adds to an error about an object where in the document that
// is.
func (h *Handler) explainDocument(err error, spec *topology.Spec, text []byte) error {
	e, ok := errors.AsType[*topology.Error](err)
	switch {
	case ok && e.Code == topology.CodePrecondition:
		return h.withETag(err)
	case !ok || e.Subject == "" || len(e.Fields) > 0:
		return err
	}
	pointer := subjectPlace(spec, e.Subject)
	line, column := document.Locate(text, pointer)
	if line == 0 {
		return err
	}
	told := *e
	told.Fields = []topology.FieldError{{Pointer: pointer, Detail: e.Detail, Line: line, Column: column}}
	return &told
}

// subjectPlace finds the name of a namespace or a link in a Spec.
func subjectPlace(s *topology.Spec, subject string) string {
	object, _, _ := strings.Cut(subject, " ")
	if namespace, name, isLink := strings.Cut(object, "/"); isLink {
		return linkPlace(s, namespace, name) + "/name"
	}
	return fmt.Sprintf("/namespaces/%d/name", slices.IndexFunc(s.Namespaces, func(n topology.Namespace) bool { return n.Name == object }))
}
