package lab

import (
	"context"
	"fmt"

	"netdash/internal/topology"
)

// Drift tells in what the observed topology is not the intended one, the Plan
// that would mend what can be mended, and what netdash does about it by itself.
// Namespaces in which an edit is at work do not count. What could not be read
// whole is not in sync.
func (l *Lab) Drift(context.Context) (*topology.DriftReport, error) {
	l.mu.RLock()
	intent, repairs, mode := l.intent, l.repairs, l.settings.Repair
	l.mu.RUnlock()
	if repairs.Mode != mode { // just set
		repairs = topology.RepairState{Mode: mode, State: topology.RepairIdle}
	}
	observed := l.observer.Snapshot()
	report := &topology.DriftReport{Differences: observed.Differences(), Repair: repairs}
	report.InSync = len(report.Differences) == 0 && incomplete(intent, observed) == nil
	report.Plan.Changes = []topology.ChangeRecord{}
	if !report.InSync {
		m, err := intent.DriftOf(observed, nil)
		if err != nil {
			return nil, fmt.Errorf("plan a repair: %w", err)
		}
		report.Plan.Changes = m.Plan.Records()
	}
	return report, nil
}

// incomplete gives the first namespace with something intended in it of which
// not all could be read; nil if there is none.
func incomplete(intent *topology.Intent, observed *topology.Snapshot) *topology.NamespaceState {
	for _, n := range observed.Namespaces {
		if n.Incomplete != "" && intent.Uses(n.Name) {
			return n
		}
	}
	return nil
}
