package netops

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"netdash/internal/topology"
)

// A Plan is a list in which each Change finds what those before it have made.
// Most of them do not need each other, though: Run splits the Plan into stages,
// within which only the order in one namespace matters, and does what a
// namespace has in a stage in a few exchanges with the kernel.
//
// RTNL is one lock for the whole machine, so doing more at once would only queue
// for it: only the making of namespaces, which does much outside of it, has more
// than one thread.

const (
	// exchangeSize bounds the Changes of one exchange: those after a refused one
	// are tried as well, and have to be taken back.
	exchangeSize = 64
	// namespaceMakers is how many threads make namespaces.
	namespaceMakers = 2
	// namespaceDroppers is how many threads take names away: each unmount waits
	// for a grace period (namespace_unlock in fs/namespace.c), and these overlap.
	namespaceDroppers = 4
)

// stageKind says which Changes go together.
type stageKind int

const (
	makeNamespaces stageKind = iota
	makeLinks
	settings // of links and addresses, and all removals
	tables   // routes and MAC table entries
	inOrder  // renames, moves, deletions, and what is no request of rtnetlink: one after the other
	dropNamespaces
)

func kindOf(c topology.Change) stageKind {
	switch c.(type) {
	case topology.CreateNamespace:
		return makeNamespaces
	case topology.DeleteNamespace:
		return dropNamespaces
	case topology.CreateBridge, topology.CreateVeth:
		return makeLinks
	case topology.Rename, topology.Move, topology.DeleteLink, topology.SetSysctl, topology.DeleteRule, topology.SetPolicy:
		return inOrder
	case topology.AddRoute, topology.AddFDB:
		return tables
	}
	return settings
}

// runner carries a Plan out.
type runner struct {
	kernel *Kernel
	ctx    context.Context
	plan   topology.Plan
	step   func(done int)

	mu    sync.Mutex
	done  []bool
	errs  map[int]error // of refused Changes, by index
	count int
}

// Run performs a Plan. After an error, or when ctx ends, it stops: done is what
// is done, or may be, in the Plan's order, and rest what is not, what was refused
// first.
// Deleting what is gone already counts as done. step, if not nil, is called
// after each bit of progress with the number of Changes that are done.
func (k *Kernel) Run(ctx context.Context, plan topology.Plan, step func(done int)) (done, rest topology.Plan, err error) {
	r := &runner{kernel: k, ctx: ctx, plan: plan, step: step, done: make([]bool, len(plan)), errs: map[int]error{}}
	for from := 0; from < len(plan) && !r.stopped(); {
		kind, to := kindOf(plan[from]), from+1
		for to < len(plan) && kindOf(plan[to]) == kind {
			to++
		}
		r.stage(kind, from, to)
		from = to
	}
	return r.outcome()
}

func (r *runner) outcome() (done, rest topology.Plan, err error) {
	var refused topology.Plan
	for i, c := range r.plan {
		switch {
		case r.done[i]:
			done = append(done, c)
		case r.errs[i] != nil:
			refused = append(refused, c)
		default:
			rest = append(rest, c)
		}
	}
	for i := range r.plan {
		if err == nil {
			err = r.errs[i]
		}
	}
	if err == nil && len(rest) > 0 {
		err = context.Cause(r.ctx)
	}
	return done, append(refused, rest...), err
}

func (r *runner) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.errs) > 0 || r.ctx.Err() != nil
}

// report notes what became of some Changes.
func (r *runner) report(indexes []int, errs []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, i := range indexes {
		if errs[n] != nil && !alreadyGone(r.plan[i], errs[n]) {
			r.errs[i] = errs[n]
			if !errors.Is(errs[n], errNoAnswer) { // else it may have to be taken back
				continue
			}
		}
		r.done[i] = true
		r.count++
	}
	if r.step != nil {
		r.step(r.count)
	}
}

func (r *runner) stage(kind stageKind, from, to int) {
	switch kind {
	case makeNamespaces:
		r.each(from, to, namespaceMakers)
	case dropNamespaces:
		r.each(from, to, namespaceDroppers)
	case inOrder:
		r.each(from, to, 1)
	default:
		for _, group := range r.groups(from, to) {
			r.group(group)
		}
	}
}

// each performs Changes one by one, so many at a time.
func (r *runner) each(from, to, workers int) {
	share(workers, to-from, func(n int) (more bool) {
		if r.stopped() {
			return false
		}
		i := from + n
		r.report([]int{i}, []error{r.kernel.Apply(context.WithoutCancel(r.ctx), r.plan[i])})
		return true
	})
}

// share has workers do 0 to n-1 between them, in order, and waits for all. One that
// is told that there is no more does nothing further.
func share(workers, n int, do func(i int) (more bool)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(workers, n) {
		all.Go(func() {
			for {
				if i := int(next.Add(1)) - 1; i >= n || !do(i) {
					return
				}
			}
		})
	}
	all.Wait()
}

// groups sorts the Changes of a stage by where they are done; the namespace that
// the Plan is finished with first comes first. A switch so comes after the hosts
// around it: their ends are up before its ports are, and what they send when
// they come up is not flooded.
func (r *runner) groups(from, to int) [][]int {
	byPlace := map[string][]int{}
	for i := from; i < to; i++ {
		byPlace[r.plan[i].Where()] = append(byPlace[r.plan[i].Where()], i)
	}
	out := make([][]int, 0, len(byPlace))
	for _, g := range byPlace {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b []int) int { return a[len(a)-1] - b[len(b)-1] })
	return out
}

// group performs Changes of one namespace, in order.
func (r *runner) group(indexes []int) {
	for len(indexes) > 0 && !r.stopped() {
		n := min(len(indexes), exchangeSize)
		for i := 1; i < n; i++ {
			if usesMasters(r.plan[indexes[i]]) && !usesMasters(r.plan[indexes[i-1]]) {
				n = i
			}
		}
		part := indexes[:n]
		indexes = indexes[n:]
		changes := make([]topology.Change, n)
		for i, at := range part {
			changes[i] = r.plan[at]
		}
		r.report(part, r.kernel.applyIn(changes[0].Where(), changes))
	}
}

// usesMasters tells whether a Change is written by what the kernel has said of
// masters before the exchange, which must not change them then.
func usesMasters(c topology.Change) bool {
	switch c.(type) {
	case topology.AddFDB, topology.DeleteFDB:
		return true
	}
	return false
}

// alreadyGone tells whether a deletion failed because somebody else was first,
// in which case its goal is reached.
func alreadyGone(c topology.Change, err error) bool {
	if topology.CodeOf(err) != topology.CodeNotFound {
		return false
	}
	switch c.(type) {
	case topology.DeleteNamespace, topology.DeleteLink, topology.DeleteAddress, topology.DeleteRoute, topology.DeleteFDB:
		return true
	}
	return false
}
