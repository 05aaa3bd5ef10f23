package lab

import (
	"context"
	"strings"
	"time"

	"netdash/internal/topology"
)

// verifyPatience is how long the kernel may take until what was asked for can
// be observed. It is needed where the kernel works on behind: the last traces
// of a deleted namespace.
const verifyPatience = 3 * time.Second

// mendPatience is the same for a repair, which deletes no namespace and may have
// to do with somebody who keeps undoing it, while edits wait.
const mendPatience = time.Second

// verify compares what the kernel reports with what was intended. Differences
// that were there before (step.known), or that lie in objects the Plan has nothing
// to do with, are not this edit's. MACs the kernel has chosen are noted in
// the Spec.
func (l *Lab) verify(ctx context.Context, e *step) error {
	patience := verifyPatience
	if e.mending != nil {
		patience = mendPatience
	}
	deadline := time.Now().Add(patience)
	for wait := time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		observed, err := l.observer.Observe(ctx, e.namespaces())
		if err != nil {
			return err
		}
		var wrong []string
		if e.mending != nil {
			wrong = e.mending.Unmet(observed)
		} else {
			wrong = topology.Unmet(e.from, e.to, e.plan, e.known, observed)
		}
		if len(wrong) == 0 {
			topology.NoteMACs(e.after, observed)
			return nil
		}
		if time.Now().After(deadline) {
			return topology.Errorf(topology.CodeBusy, "", "the kernel accepted every step, but the result is not what was asked for: %s", strings.Join(wrong, "; ")).
				WithHint("something else may be changing it at the same time; look at it, and try again")
		}
		<-time.After(wait)
	}
}
