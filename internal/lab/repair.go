package lab

import (
	"context"
	"time"

	"netdash/internal/topology"
)

// How KeepRepaired paces itself. A burst of drift (a script at work) is waited
// for, but not for long. Whoever repeats something now and then is a person; what
// has been repaired often in a row is being undone by a program.
const (
	settleQuiet = 100 * time.Millisecond // without news: the burst is over
	settleMost  = 500 * time.Millisecond // after the first news, burst or not
	shortWhile  = 10 * time.Second       // drift so soon after a repair has undone it
	patientFor  = 3                      // repairs in a row without a pause
	firstPause  = time.Second            // doubled from one repair in a row to the next
	longestWait = time.Minute
)

// author is who asks for what netdash does by itself.
const author = "netdash"

// startAfresh forgets what was given up: somebody has changed something.
func (l *Lab) startAfresh() {
	l.edited.Store(true)
	l.mu.RLock()
	idle := l.repairs.State == topology.RepairIdle
	l.mu.RUnlock()
	if !idle {
		l.wake()
	}
}

// wake has KeepRepaired look again.
func (l *Lab) wake() {
	select {
	case l.nudge <- struct{}{}:
	default:
	}
}

// KeepRepaired reconciles what drifts, while the setting repair is auto, until
// ctx ends. drifted holds a value whenever something managed may have ceased to
// be as intended; nothing is done, and nothing is looked at, without.
//
// It waits for its turn as every edit does, so it never meets an operation half
// done, and does nothing while a namespace with something intended in it could
// not be read whole. What is undone again and again is left alone for a while,
// longer from time to time, and all else is repaired meanwhile; an edit, or a
// reconcile somebody asks for, or a quiet while makes it start afresh. announce
// is told of every change of RepairState.
func (l *Lab) KeepRepaired(ctx context.Context, drifted <-chan struct{}, announce func(topology.RepairState)) {
	k := &keeper{lab: l, announce: announce, strains: map[string]*strain{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-drifted:
			if !settled(ctx, drifted) {
				return
			}
		case <-l.nudge:
		case <-timer.C:
		}
		timer.Stop()
		if next := k.look(ctx); next > 0 {
			timer.Reset(next)
		}
	}
}

// settled waits until a burst of drift is over, or has lasted long enough; false
// when ctx ends before.
func settled(ctx context.Context, drifted <-chan struct{}) bool {
	most := time.After(settleMost)
	for {
		select {
		case <-ctx.Done():
			return false
		case <-drifted:
		case <-time.After(settleQuiet):
			return true
		case <-most:
			return true
		}
	}
}
