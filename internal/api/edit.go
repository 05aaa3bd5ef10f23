package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"netdash/internal/lab"
	"netdash/internal/topology"
)

// DryRun is the query every edit takes.
type DryRun struct {
	DryRun bool `query:"dry_run" doc:"Answer what would be done, as a Plan, and change nothing."`
}

func (d *DryRun) isDryRun() bool { return d.DryRun }

// editInput is the input I of an edit: one that has DryRun in it.
type editInput[I any] interface {
	*I
	isDryRun() bool
}

// edited is the answer to an edit.
type edited struct {
	Status    int
	Operation string `header:"Netdash-Operation" doc:"Number of the operation in the journal; absent when nothing had to be done."`
	Location  string `header:"Location" doc:"Where the new object is."`
	ETag      string `header:"ETag" doc:"Of the intended topology as it is now; for If-Match."`
	Replay    string `header:"Idempotent-Replay" doc:"true when this is what was answered to an earlier request with the same Idempotency-Key." json:",omitempty"`
	Applied   string `header:"Preference-Applied" json:",omitempty"`
	Body      any
}

// place says where in the Spec the body of a request ended up, so that what is
// wrong with the Spec can be said of the body.
type place struct {
	spec string // pointer into the Spec: "/veths/3"
	body string // pointer into the body of what is there: "", "/cidr"
}

// edit runs change on the Spec through lab. done, which a dry run does not
// reach, fills in the answer from what is observed afterwards.
func (h *Handler) edit(ctx context.Context, dry DryRun, change func(*topology.Spec) (place, error), done func(*topology.Snapshot, *edited) error) (*edited, error) {
	return h.operate(ctx, dry, func(ctx context.Context, request lab.Request) (*lab.Result, error) {
		var at place
		result, err := h.Lab.Edit(ctx, request, func(s *topology.Spec) error {
			var err error
			at, err = change(s)
			return err
		})
		if err != nil {
			return nil, h.explain(err, at)
		}
		return result, nil
	}, func(_ *topology.Operation, out *edited) error {
		snapshot, err := h.snapshot()
		if err != nil {
			return err
		}
		return done(snapshot, out)
	})
}

// operate is the way of everything that may come to an operation: perform hands
// the request to lab, done fills in the answer. op is nil when nothing had to be
// done. With an idempotency key done is called once more, just before the
// operation is committed; it must not wait for other edits.
func (h *Handler) operate(ctx context.Context, dry DryRun, perform func(context.Context, lab.Request) (*lab.Result, error), done func(op *topology.Operation, out *edited) error) (*edited, error) {
	x := exchangeOf(ctx)
	request := lab.Request{Author: h.Author(x.req), Text: x.text(), DryRun: dry.DryRun}
	c := callOf(ctx)
	if c != nil {
		request.Started = c.begun
		if c.key != "" {
			request.Answer = h.keepWith(ctx, c, done)
		}
	}
	result, err := perform(ctx, request)
	if err != nil {
		return nil, err
	}
	if dry.DryRun {
		return &edited{Status: http.StatusOK, Body: topology.PlanRecord{Changes: result.Plan.Records()}}, nil
	}
	if c != nil {
		c.committed = result.Operation != nil
	}
	return outcome(result.Operation, done)
}

// outcome answers an operation, or, with none, that nothing had to be done.
func outcome(op *topology.Operation, done func(*topology.Operation, *edited) error) (*edited, error) {
	out := &edited{}
	if op != nil {
		out.Operation = strconv.FormatInt(op.ID, 10)
	}
	if err := done(op, out); err != nil {
		return nil, err
	}
	return out, nil
}

// deleted is what done is for a DELETE.
func deleted(_ *topology.Snapshot, out *edited) error {
	out.Status = http.StatusNoContent
	return nil
}

// unseen is the error of an edit whose object was gone before it could be
// answered: somebody else removed it at the same moment.
func unseen(subject string) error {
	return topology.Errorf(topology.CodeIncomplete, subject, "%s was made, but is not there any more", subject)
}

// explain puts an edit's error into the words of the request: pointers into the
// Spec become pointers into the body, and what the Spec lacks but the kernel
// has is not missing, it is somebody else's.
func (h *Handler) explain(err error, at place) error {
	e, ok := errors.AsType[*topology.Error](err)
	if !ok {
		return err
	}
	told := *e
	told.Fields = make([]topology.FieldError, len(e.Fields))
	for i, f := range e.Fields {
		told.Fields[i] = f
		told.Fields[i].Pointer = at.rebase(f.Pointer)
	}
	snapshot := h.Live.Snapshot()
	if e.Code == topology.CodeNotFound && snapshot != nil && observed(snapshot, e.Subject) {
		return notManaged(e.Subject)
	}
	return &told
}

// rebase turns a pointer into the Spec into one into the body. What lies
// elsewhere in the Spec is no part of the body.
func (p place) rebase(pointer string) string {
	if rest, ok := strings.CutPrefix(pointer, p.spec); ok && p.spec != "" && (rest == "" || rest[0] == '/') {
		return p.body + rest
	}
	for _, list := range []string{"/namespaces/", "/bridges/", "/veths/", "/routes/"} {
		if strings.HasPrefix(pointer, list) {
			return ""
		}
	}
	return pointer
}

func notManaged(subject string) error {
	object, _, _ := strings.Cut(subject, " ") // an address, a route or a MAC table entry comes with its link or namespace
	e := topology.Errorf(topology.CodeNotManaged, subject, "%s was not made by netdash, which changes only what it manages", subject)
	if namespace, _, _ := strings.Cut(object, "/"); !topology.ParseNamespaceID(namespace).IsZero() {
		return e.WithHint("its namespace has no name, and needs one to be adopted: ip netns attach NAME PID")
	}
	return e.WithHint("adopt it to have netdash manage it: %s", topology.AdoptCall(object))
}

// observed tells whether a subject, written as in a Plan, is in the Snapshot:
// "A", "A/eth0", "A/eth0 10.0.0.1/24", "A 10.0.0.0/8", "A/br0 02:00:00:00:00:01".
// Names hold neither white space nor slashes.
func observed(s *topology.Snapshot, subject string) bool {
	object, part, hasPart := strings.Cut(subject, " ")
	namespace, name, hasLink := strings.Cut(object, "/")
	ns := s.Namespace(namespace)
	if ns == nil {
		return false
	}
	if !hasLink {
		return !hasPart || routeTo(ns, part)
	}
	l := ns.Link(name)
	if l == nil || !hasPart || findAddress(l, part) != nil {
		return l != nil
	}
	entry := findFDB(ns, name, topology.FDBSpec{MAC: part})
	return entry != nil && !entry.Managed
}

// routeTo tells whether there is a route that is not netdash's. Of one that is,
// an edit has named something else wrongly.
func routeTo(ns *topology.NamespaceState, destination string) bool {
	for _, r := range ns.Routes {
		if !r.Managed && samePrefix(r.Destination, destination) {
			return true
		}
	}
	return false
}

// samePrefix tells whether two CIDRs, or the word default, say the same.
func samePrefix(a, b string) bool {
	p, err1 := netip.ParsePrefix(a)
	q, err2 := netip.ParsePrefix(b)
	return a == b || err1 == nil && err2 == nil && p == q
}

// snapshot gives the current Snapshot, or an error while there is none: an
// empty answer would be a lie.
func (h *Handler) snapshot() (*topology.Snapshot, error) {
	if s := h.Live.Snapshot(); s != nil {
		return s, nil
	}
	return nil, topology.Errorf(topology.CodeIncomplete, "", "netdash has not looked at this machine yet")
}

// find gives the namespace of that name or id.
func (h *Handler) find(nameOrID string) (*topology.NamespaceState, error) {
	s, err := h.snapshot()
	if err != nil {
		return nil, err
	}
	if ns := s.Namespace(nameOrID); ns != nil {
		return ns, nil
	}
	return nil, topology.Errorf(topology.CodeNotFound, nameOrID, "there is no namespace %s", nameOrID)
}

// findLink gives a namespace and a link of it.
func (h *Handler) findLink(nameOrID, link string) (*topology.NamespaceState, *topology.Link, error) {
	ns, err := h.find(nameOrID)
	if err != nil {
		return nil, nil, err
	}
	if l := ns.Link(link); l != nil {
		return ns, l, nil
	}
	return nil, nil, topology.Errorf(topology.CodeNotFound, ns.Name+"/"+link, "there is no link %s in %s", link, ns.Name)
}

// needManaged gives an error when a namespace that an edit is about to use is
// there, but somebody else's. What is nowhere at all is Validate's to say.
func (h *Handler) needManaged(s *topology.Spec, namespace string) error {
	if namespace == topology.HostName || s.FindNamespace(namespace) != nil {
		return nil
	}
	if snapshot := h.Live.Snapshot(); snapshot != nil && snapshot.Namespace(namespace) != nil {
		return notManaged(namespace)
	}
	return nil
}

// needManagedBridge gives an error when the bridge that a link is to be plugged
// into is there, but somebody else's. An empty name is no bridge.
func (h *Handler) needManagedBridge(s *topology.Spec, namespace, bridge string) error {
	if bridge == "" || s.FindBridge(namespace, bridge) != nil {
		return nil
	}
	if snapshot := h.Live.Snapshot(); snapshot != nil {
		if ns := snapshot.Namespace(namespace); ns != nil && ns.Link(bridge) != nil && ns.Link(bridge).Kind == "bridge" {
			return notManaged(namespace + "/" + bridge)
		}
	}
	return nil
}

// linkPlace finds a link in the Spec.
func linkPlace(s *topology.Spec, namespace, name string) string {
	for i := range s.Bridges {
		if s.Bridges[i].Namespace == namespace && s.Bridges[i].Name == name {
			return fmt.Sprintf("/bridges/%d", i)
		}
	}
	for i := range s.Veths {
		for side, end := range map[string]*topology.End{"a": &s.Veths[i].A, "b": &s.Veths[i].B} {
			if end.Namespace == namespace && end.Name == name {
				return fmt.Sprintf("/veths/%d/%s", i, side)
			}
		}
	}
	for i := range s.Namespaces {
		if name == topology.LoopbackName && s.Namespaces[i].Name == namespace {
			return fmt.Sprintf("/namespaces/%d", i)
		}
	}
	return ""
}

// location is the path of a resource, for the header of that name.
func location(parts ...string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}
