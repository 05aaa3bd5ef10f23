package netops

import (
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"netdash/internal/inhabitants"
	"netdash/internal/topology"
)

// A namespace lives as long as something holds it: a mount, most often a name
// under RunDir, a process in it, or a file or socket somebody keeps open. inotify
// tells of the names. Of the mounts and the processes nothing tells in time, so
// they are looked at once a second. What only an open file holds cannot be found.
//
// What is held open here holds a namespace too, so one that nobody names, lives
// in, or mounts any more has to be given up by itself: this is also why no file
// is needed for each process, to hear of its end sooner.

const (
	// roundEvery is how often it is looked who lives where. A new namespace so is
	// known within two seconds with room to spare, for one readlink a process.
	roundEvery = time.Second
	// confirmAfter is how long a namespace without a name must stay to be taken up:
	// ip netns add is in the new one for a moment before it gives it its name.
	confirmAfter = 150 * time.Millisecond
)

// Inhabited reports who lives in a namespace, when that is not what it was. The
// processes of the host are not reported: they are everybody else.
type Inhabited struct {
	ID topology.NamespaceID
	topology.Inhabitants
}

// discovery finds the namespaces that no name leads to, and who lives in all of
// them.
type discovery struct {
	*Watcher
	mounts   *mountTable
	register *inhabitants.Register
	asking   atomic.Bool // the engines, see Ask
	failed   bool        // the last look: it has been logged
}

func (w *Watcher) newDiscovery() *discovery {
	mounts, err := openMounts(w.kernel.runDir)
	if err != nil {
		w.kernel.log.Warn("namespaces that are mounted elsewhere are not seen", "error", err)
	}
	return &discovery{
		Watcher: w, mounts: mounts,
		register: inhabitants.NewRegister(w.kernel.proc, w.kernel.engines, w.kernel.log),
	}
}

// follow looks again and again until the watch stops.
func (d *discovery) follow() {
	tick := time.NewTicker(roundEvery)
	defer tick.Stop()
	for {
		select {
		case <-d.ctx.Done():
			if err := d.mounts.close(); err != nil {
				d.kernel.log.Warn("close the mount table", "error", err)
			}
			return
		case <-tick.C:
			d.round(confirmAfter)
		}
	}
}

// round looks once. What is new must stay for a while to be taken up.
func (d *discovery) round(stay time.Duration) {
	living, err := d.kernel.proc.Namespaces()
	changed := false
	if err == nil {
		changed, err = d.mounts.refresh()
	}
	if err != nil {
		if !d.failed {
			d.kernel.log.Error("look for namespaces without a name", "error", err)
		}
		d.failed = true
		return // what was not seen may be there
	}
	d.failed = false
	d.lookAtNames(changed)
	if fresh := d.compare(living); len(fresh) > 0 && d.wait(stay) {
		if changed, err = d.mounts.refresh(); err == nil {
			d.lookAtNames(changed)
			for id, pids := range fresh {
				as := &watched{id: id, pids: d.kernel.proc.Lives(pids, id.Ino), points: d.mounts.points[id]}
				d.take(as, func() bool { return d.isNew(id) }) // it may have got a name
			}
		}
	}
	d.retry()
	d.describe()
}

// wait tells whether the watch goes on.
func (d *discovery) wait(stay time.Duration) bool {
	select {
	case <-d.ctx.Done():
		return false
	case <-time.After(stay):
		return true
	}
}

// lookAtNames looks at the names that stand for something else than is known of
// them: one namespace was unmounted and another mounted on the file, or the name
// is a link to a process, which has ended.
func (d *discovery) lookAtNames(changed bool) {
	d.mu.Lock()
	var other []string
	for name, id := range d.names {
		if d.mounts.names[name] != id {
			other = append(other, name)
		}
	}
	if changed {
		for name := range d.mounts.names {
			if _, known := d.names[name]; !known {
				other = append(other, name)
			}
		}
	}
	d.mu.Unlock()
	for _, name := range other {
		d.noticed(name, 0)
	}
}

// compare notes who lives where, gives up the namespaces that nothing holds any
// more, and gives those that are new, with their processes.
func (d *discovery) compare(living map[uint64][]int) map[topology.NamespaceID][]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := map[topology.NamespaceID][]int{}
	for ino, pids := range living {
		if id := (topology.NamespaceID{Dev: d.kernel.host.id.Dev, Ino: ino}); d.isNew(id) {
			fresh[id] = pids
		}
	}
	for id := range d.mounts.points {
		if d.isNew(id) {
			fresh[id] = living[id.Ino]
		}
	}
	for id, n := range d.spaces {
		n.pids, n.points = living[id.Ino], d.mounts.points[id]
		if id == d.kernel.host.id {
			n.pids = nil
		} else if len(n.names)+len(n.pids)+len(n.points) == 0 {
			d.giveUp(id)
			d.send(NamespaceGone{id})
		}
	}
	return fresh
}

// isNew tells whether a namespace is not watched, nor has a name that waits for
// Refresh. w.mu is held.
func (d *discovery) isNew(id topology.NamespaceID) bool {
	return d.spaces[id] == nil &&
		!slices.ContainsFunc(d.mounts.named[id], func(name string) bool { _, held := d.held[name]; return held })
}

// take takes a namespace up, and reads it, if it still is to be.
func (d *discovery) take(as *watched, still func() bool) {
	d.mu.Lock()
	var n *watched
	if d.ctx.Err() == nil && still() {
		n = d.takeUpAnywhere(as)
	}
	d.mu.Unlock()
	if n != nil {
		d.firstLook(n)
	}
}

// takeUpAnywhere takes a namespace up by the first of what holds it by which it
// can be opened. One that is there but cannot be watched is shown as unreadable,
// and tried again with the next round. It gives nil if there is nothing to read.
// w.mu is held.
func (w *Watcher) takeUpAnywhere(as *watched) *watched {
	for _, path := range w.paths(as) {
		n, err := w.takeUp(as, path)
		switch {
		case err == nil:
			return n
		case !notThere(err):
			w.showUnreadable(as, err)
			return nil
		}
	}
	return nil
}

// paths lists where a namespace can be opened. w.mu is held.
func (w *Watcher) paths(n *watched) []string {
	var out []string
	for _, name := range n.names {
		out = append(out, w.path(name))
	}
	out = append(out, n.points...)
	for _, pid := range n.pids {
		out = append(out, w.kernel.proc.NamespacePath(pid))
	}
	return out
}

// retry looks again at what could not be read.
func (d *discovery) retry() {
	d.mu.Lock()
	var blind []*watched
	for _, n := range d.spaces {
		if n.sub == nil {
			blind = append(blind, n)
		}
	}
	d.mu.Unlock()
	for _, old := range blind {
		d.take(old, func() bool { return d.spaces[old.id] == old })
	}
}

// describe reports who lives in the namespaces, where that has changed.
func (d *discovery) describe() {
	d.mu.Lock()
	living := make(map[topology.NamespaceID][]int, len(d.spaces))
	for id, n := range d.spaces {
		if len(n.pids) > 0 || !reflect.ValueOf(n.who).IsZero() {
			living[id] = n.pids
		}
	}
	d.mu.Unlock()
	d.register.NextRound()
	for id, pids := range living {
		who := d.register.Describe(pids)
		d.mu.Lock()
		if n := d.spaces[id]; n != nil && !reflect.DeepEqual(n.who, who) {
			n.who = who
			d.send(Inhabited{id, who})
		}
		d.mu.Unlock()
	}
	if d.register.Pending() && d.asking.CompareAndSwap(false, true) {
		d.done.Go(func() {
			defer d.asking.Store(false)
			d.register.Ask(d.ctx)
		})
	}
}

// lives tells whether something else than a name holds a namespace, of what the
// last round has seen. w.mu is held.
func (w *Watcher) lives(n *watched) bool {
	if slices.ContainsFunc(n.points, func(p string) bool { id, err := identify(p); return err == nil && id == n.id }) {
		return true
	}
	n.pids = w.kernel.proc.Lives(n.pids, n.id.Ino)
	return len(n.pids) > 0
}
