package lab

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"netdash/internal/topology"
)

// keeper is what KeepRepaired remembers.
type keeper struct {
	lab      *Lab
	announce func(topology.RepairState)
	strains  map[string]*strain // by a difference's subject
}

// strain is how often something has been repaired, or tried in vain, in a row.
type strain struct {
	times int
	last  time.Time
	pause time.Duration // from last on it is left alone
	why   string
}

func (s *strain) until() time.Time { return s.last.Add(s.pause) }

// look repairs what is due, and tells when to look again without being woken; 0
// for never.
func (k *keeper) look(ctx context.Context) time.Duration {
	l := k.lab
	auto := l.Settings().Repair == topology.RepairAuto
	if l.edited.Swap(false) || !auto {
		clear(k.strains)
	}
	if !auto {
		return k.rest("")
	}
	var unread *topology.NamespaceState
	var due []topology.Difference
	begun := false
	_, err := l.perform(ctx, Request{Author: author, Text: "repair: auto", auto: true, Started: func(int64) { begun = true }}, func() (*step, error) {
		spec, _ := l.Intended()
		if unread = incomplete(l.intent, l.observer.Snapshot()); unread == nil {
			due = k.due()
		}
		if len(due) == 0 {
			return &step{before: spec, after: spec}, nil
		}
		s, err := l.draftMending(ctx, subjects(due))
		if err == nil {
			due = slices.DeleteFunc(due, func(d topology.Difference) bool { return !s.mending.Mends(d) })
		}
		return s, err
	})
	switch {
	case ctx.Err() != nil:
		return 0
	case unread != nil:
		return k.readAgain(ctx, unread)
	case err == nil:
		for _, subject := range subjects(due) {
			k.strain(subject, patientFor, "was repaired, and something keeps undoing it")
		}
		next := k.rest("")
		if k.undone(due) {
			next = settleQuiet
		}
		return next
	case begun:
		l.log.Warn("a repair failed", "error", err)
		left := subjects(l.observer.Snapshot().Differences())
		for _, subject := range subjects(due) {
			if slices.Contains(left, subject) {
				k.strain(subject, 1, "could not be repaired: "+err.Error())
			}
		}
		return k.rest("")
	case topology.CodeOf(err) == topology.CodeNotFound: // what differed is gone, or intended no longer
		return max(k.rest(""), settleQuiet)
	case topology.CodeOf(err) == topology.CodeConflict: // until what is in the way goes
		return k.rest(err.Error())
	}
	l.log.Warn("what has drifted cannot be repaired now", "error", err)
	k.strain("", 1, err.Error())
	return k.rest(err.Error())
}

// undone tells whether something that was repaired this moment differs again and
// is not to be left alone. Nobody is told of that when it happened while the
// repair was under way: before and after it the same differs.
func (k *keeper) undone(repaired []topology.Difference) bool {
	left := subjects(k.due())
	return slices.ContainsFunc(subjects(repaired), func(subject string) bool { return slices.Contains(left, subject) })
}

// due lists the differences that are to be repaired now.
func (k *keeper) due() []topology.Difference {
	now := time.Now()
	return slices.DeleteFunc(k.lab.observer.Snapshot().Differences(), func(d topology.Difference) bool {
		s := k.strains[d.Subject]
		return s != nil && now.Before(s.until())
	})
}

// subjects lists what differences are about, each once.
func subjects(differences []topology.Difference) []string {
	var out []string
	for _, d := range differences {
		if len(out) == 0 || out[len(out)-1] != d.Subject { // those of one object come together
			out = append(out, d.Subject)
		}
	}
	return out
}

// strain counts that a subject was repaired or tried. From the time on that is
// given as free, it is left alone for a while.
func (k *keeper) strain(subject string, free int, why string) {
	s := k.strains[subject]
	if s == nil {
		s = &strain{}
		k.strains[subject] = s
	}
	now := time.Now()
	if now.Sub(s.until()) > shortWhile {
		s.times = 0
	}
	s.times, s.last, s.why, s.pause = s.times+1, now, why, 0
	if s.times >= free {
		s.pause = min(firstPause<<min(s.times-free, 10), longestWait)
	}
	if s.pause > 0 {
		k.lab.log.Warn("repair: auto backs off", "subject", subject, "times", s.times, "reason", why, "pause", s.pause)
	}
}

// readAgain reads a namespace again that could not be read whole: less often from
// time to time, and nothing is repaired until it is.
func (k *keeper) readAgain(ctx context.Context, n *topology.NamespaceState) time.Duration {
	const subject = "" // of all
	if s := k.strains[subject]; s == nil || !time.Now().Before(s.until()) {
		k.strain(subject, 1, "not all of "+n.Name+" could be read: "+n.Incomplete)
		if _, err := k.lab.observer.Observe(ctx, []string{n.Name}); err != nil {
			k.lab.log.Warn("a namespace could not be read again", "namespace", n.Name, "error", err)
		}
	}
	return k.rest(k.strains[subject].why)
}

// rest tells how things stand, and when the first pause is over. obstacle is why
// what is due cannot be repaired, empty if there is no reason.
func (k *keeper) rest(obstacle string) time.Duration {
	state := topology.RepairState{Mode: k.lab.Settings().Repair, State: topology.RepairIdle}
	if obstacle != "" {
		state.State, state.Reason = topology.RepairWaiting, obstacle
	}
	now := time.Now()
	var first *strain
	for subject, s := range k.strains {
		switch {
		case now.Sub(s.until()) > shortWhile:
			delete(k.strains, subject)
			continue
		case !now.Before(s.until()):
			continue
		case subject != "":
			state.State = topology.RepairBackingOff
			state.Subjects = append(state.Subjects, subject)
			state.Attempts = max(state.Attempts, s.times)
		}
		if first == nil || s.until().Before(first.until()) {
			first = s
		}
	}
	slices.Sort(state.Subjects)
	if state.State == topology.RepairBackingOff && obstacle == "" {
		state.Reason = fmt.Sprintf("%s %s (%d times in a row)", state.Subjects[0], k.strains[state.Subjects[0]].why, k.strains[state.Subjects[0]].times)
	}
	if first != nil {
		at := first.until().UTC()
		state.NextAt = &at
	}
	k.tell(state)
	if first == nil {
		return 0
	}
	return max(time.Until(first.until()), time.Millisecond)
}

// tell makes a state known, if it is another.
func (k *keeper) tell(state topology.RepairState) {
	l := k.lab
	l.mu.Lock()
	same := reflect.DeepEqual(l.repairs, state)
	l.repairs = state
	l.mu.Unlock()
	if !same {
		k.announce(state)
	}
}
