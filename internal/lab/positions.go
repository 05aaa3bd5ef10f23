package lab

import (
	"context"

	"netdash/internal/topology"
)

// Positions of what is drawn are kept and told to everybody, and nothing else:
// they are neither in the topology nor in the journal, and do not wait for edits.

// Positions lists what is placed, by object.
func (l *Lab) Positions(ctx context.Context) ([]topology.Position, error) {
	return l.store.Positions(ctx)
}

// PutPositions makes these, which are valid, the only positions.
func (l *Lab) PutPositions(ctx context.Context, positions []topology.Position) error {
	l.placing.Lock()
	defer l.placing.Unlock()
	if err := l.store.ReplacePositions(ctx, positions); err != nil {
		return err
	}
	e := topology.PositionsEvent{Items: []topology.PositionChange{}, Replaced: true}
	for _, p := range positions {
		e.Items = append(e.Items, p.Change())
	}
	l.observer.Placed(e)
	return nil
}

// PatchPositions makes changes, which are valid, and gives what is stored then
// for the objects they name.
func (l *Lab) PatchPositions(ctx context.Context, changes []topology.PositionChange) ([]topology.Position, error) {
	l.placing.Lock()
	defer l.placing.Unlock()
	made, now, err := l.store.ChangePositions(ctx, changes)
	if err != nil {
		return nil, err
	}
	if len(made) > 0 {
		l.observer.Placed(topology.PositionsEvent{Items: made})
	}
	return now, nil
}
