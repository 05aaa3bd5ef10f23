package lab

import (
	"context"

	"netdash/internal/topology"
)

// Drift tells in what the observed topology is not the intended one, and the
// Plan that would make it so. Namespaces in which an edit is at work do not
// count.
func (l *Lab) Drift(context.Context) (*topology.DriftReport, error) {
	spec, _ := l.Intended()
	observed := l.observer.Snapshot()
	report := &topology.DriftReport{Differences: observed.Differences()}
	report.InSync = len(report.Differences) == 0
	report.Plan.Changes = []topology.ChangeRecord{}
	if !report.InSync {
		report.Plan.Changes = topology.Drift(spec, observed).Records()
	}
	return report, nil
}
