package lab

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// Adopt takes foreign namespaces and links into the intended Spec as they are,
// see topology.Adopt. It is an operation with an empty Plan: the kernel is read,
// and not touched. What is taken is filled in before the operation begins.
func (l *Lab) Adopt(ctx context.Context, req Request, subjects []string, taken *topology.Adoption) (*Result, error) {
	return l.assign(ctx, req, subjects, taken, topology.Adopt)
}

// Release takes managed namespaces and links out of the intended Spec, see
// topology.Release. It is an operation with an empty Plan as well.
func (l *Lab) Release(ctx context.Context, req Request, subjects []string, taken *topology.Adoption) (*Result, error) {
	return l.assign(ctx, req, subjects, taken, topology.Release)
}

// assignment changes who manages what subjects name.
type assignment func(s *topology.Spec, observed *topology.Snapshot, subjects []string) (*topology.Spec, *topology.Adoption, error)

// assign fills in taken before the operation begins.
func (l *Lab) assign(ctx context.Context, req Request, subjects []string, taken *topology.Adoption, f assignment) (*Result, error) {
	return l.perform(ctx, req, func() (*step, error) {
		before, _ := l.Intended()
		after, adoption, observed, err := l.lookAndAssign(ctx, before, subjects, f)
		if err != nil {
			return nil, err
		}
		*taken = *adoption
		e := &step{before: before, after: after, from: l.intent, to: topology.NewIntent(after), observed: observed}
		if namespaces := e.namespaces(); len(namespaces) > 0 {
			e.known = e.from.Differences(observed, namespaces...)
			err = e.unchanged()
		}
		return e, err
	})
}

// lookAndAssign assigns by what the kernel has at this moment, in the namespaces
// of the subjects and in those that turn out to belong to it.
func (l *Lab) lookAndAssign(ctx context.Context, before *topology.Spec, subjects []string, f assignment) (*topology.Spec, *topology.Adoption, *topology.Snapshot, error) {
	var looked []string
	for _, s := range subjects {
		namespace, _, _ := strings.Cut(s, "/")
		looked = append(looked, namespace)
	}
	fresh := looked
	for {
		observed, err := l.observer.Observe(ctx, fresh)
		if err != nil {
			return nil, nil, nil, err
		}
		after, adoption, err := f(before, observed, subjects)
		if err != nil {
			return nil, nil, nil, err
		}
		fresh = slices.DeleteFunc(adoption.Namespaces(), func(n string) bool { return slices.Contains(looked, n) })
		if len(fresh) == 0 {
			return after, adoption, observed, nil
		}
		looked = append(looked, fresh...)
	}
}

// unchanged gives an error if what an assignment leads to differs from what is
// observed in more than before: to repair that would touch the kernel.
func (e *step) unchanged() error {
	var wrong []string
	for _, d := range e.to.Differences(e.observed, e.namespaces()...) {
		if !slices.ContainsFunc(e.known, func(k topology.Difference) bool { return reflect.DeepEqual(k, d) }) {
			wrong = append(wrong, d.String())
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return topology.Errorf(topology.CodeConflict, "", "this cannot be taken as it is: %s", strings.Join(wrong, "; "))
}
