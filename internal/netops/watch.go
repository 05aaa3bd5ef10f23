package netops

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// Observation is what a Watcher reports: NamespaceSeen, NamespaceGone, Inhabited,
// Delta, Dump or Barrier. Of one namespace they come in the order in which the kernel
// made them true.
type Observation any

// NamespaceSeen reports a namespace that is new or has other names than before.
// A Dump follows a new one.
type NamespaceSeen struct{ NamespaceRef }

// NamespaceGone reports that nothing is seen to hold a namespace any more: no
// name, no process, no mount. Nothing is held of it here then, so the kernel can
// take it down.
type NamespaceGone struct{ ID topology.NamespaceID }

// Delta is one change in a namespace: facts, or Gone.
type Delta struct {
	ID    topology.NamespaceID
	Facts any
}

// Dump is everything in a namespace, read on first sight or on doubt. With an
// Err nothing is known anew and what was known may be stale.
type Dump struct {
	ID       topology.NamespaceID
	Contents *Contents
	Err      error
}

// Barrier calls Reached in its turn: all observations made before it have been
// taken by then.
type Barrier struct{ Reached func() }

// Watcher reports what changes in every namespace that has a name under RunDir, a
// process, or a mount, and in the host. It subscribes first and dumps then, so
// nothing falls between the two.
type Watcher struct {
	kernel *Kernel
	events chan Observation
	ctx    context.Context
	stop   context.CancelFunc
	done   sync.WaitGroup

	mu     sync.Mutex // held while a namespace is taken up or given up
	spaces map[topology.NamespaceID]*watched
	names  map[string]topology.NamespaceID
	held   map[string]bool // names that wait for Refresh; whether they have come or gone

	overruns, dumps atomic.Uint64
}

// watched is a namespace under watch.
type watched struct {
	id    topology.NamespaceID
	names []string
	// As the last round has seen them, see discovery.
	pids   []int    // processes in it; not of the host
	points []string // where it is mounted outside of RunDir
	who    topology.Inhabitants

	sub        *subscription // nil if it cannot be read
	unreadable string        // why
	gone       chan struct{} // closed when it is given up
	mu         sync.Mutex    // held from reading the socket to handing on what was read
	doubt      doubt
}

// Watch starts to watch. Observations must be taken from Observations until it
// is closed, which Close brings about.
func (k *Kernel) Watch() (*Watcher, error) {
	ctx, stop := context.WithCancel(context.Background())
	w := &Watcher{
		kernel: k, events: make(chan Observation, 256), ctx: ctx, stop: stop,
		spaces: map[topology.NamespaceID]*watched{}, names: map[string]topology.NamespaceID{},
	}
	names, err := w.watchNames()
	if err != nil {
		stop()
		return nil, err
	}
	w.done.Go(func() {
		w.start(names)
	})
	return w, nil
}

// Observations gives the channel of what is observed, in order.
func (w *Watcher) Observations() <-chan Observation { return w.events }

// Close ends the watch and waits until nothing of it is left.
func (w *Watcher) Close() {
	w.stop()
	w.mu.Lock()
	for id := range w.spaces {
		w.giveUp(id)
	}
	w.mu.Unlock()
	w.done.Wait()
	close(w.events)
}

// start takes up the host and every name there is, then those that come.
func (w *Watcher) start(names *nameWatch) {
	w.done.Go(func() { names.follow(w) })
	w.mu.Lock()
	host, err := w.takeUp(&watched{id: w.kernel.host.id}, "")
	w.mu.Unlock()
	if err != nil {
		w.kernel.log.Error("watch the host namespace", "error", err)
	} else {
		w.firstLook(host)
	}
	w.lookAtAll()
	rest := w.newDiscovery()
	rest.round(0)
	w.done.Go(rest.follow)
	w.send(Barrier{func() {}})
}

// idOf finds a namespace by name or id. w.mu is held.
func (w *Watcher) idOf(namespace string) topology.NamespaceID {
	if namespace == topology.HostName {
		return w.kernel.host.id
	}
	if id, known := w.names[namespace]; known {
		return id
	}
	return topology.ParseNamespaceID(namespace)
}

func (w *Watcher) path(name string) string { return filepath.Join(w.kernel.runDir, name) }

// lookAtAll compares what is watched with the names that there are.
func (w *Watcher) lookAtAll() {
	entries, err := os.ReadDir(w.kernel.runDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.kernel.log.Error("list namespaces", "error", err)
		return
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	w.mu.Lock()
	for name := range w.names {
		names[name] = true
	}
	w.mu.Unlock()
	list := slices.Collect(maps.Keys(names))
	share(readers, len(list), func(i int) (more bool) {
		w.noticed(list[i], 0)
		return true
	})
}

// errReplaced tells that a name came to mean something else between two looks:
// most often the mount of a new namespace, of which nothing else tells.
var errReplaced = errors.New("the name stands for something else now")

// mountTries is how often a name that is no namespace yet is looked at again,
// waiting twice as long each time from a millisecond: ip netns add makes the
// file first, and there is no event for the mount that follows.
const mountTries = 11

// lookAt finds out what a name stands for now, and tells whether it has taken
// up a namespace, and so read it, because of it.
func (w *Watcher) lookAt(name string, try int) bool {
	n := w.meet(name, try)
	if n != nil {
		w.firstLook(n)
	}
	return n != nil
}

// meet is lookAt without the first look at a namespace that has been taken up,
// which it gives with its lock held.
func (w *Watcher) meet(name string, try int) *watched {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil || !validName(name) {
		return nil
	}
	if w.held[name] {
		w.held[name] = false // it is not waiting any more
	}
	id, err := identify(w.path(name))
	if err == nil && w.names[name] == id {
		return nil
	}
	w.lose(name)
	if err != nil {
		return nil
	}
	if n := w.spaces[id]; n != nil {
		w.names[name] = id
		n.names = append(slices.Clone(n.names), name)
		slices.Sort(n.names)
		w.announce(n)
		return nil
	}
	as := &watched{id: id, names: []string{name}}
	n, err := w.takeUp(as, w.path(name))
	switch {
	case err == nil:
		return n
	case notYet(err) && try < mountTries:
		time.AfterFunc(time.Millisecond<<try, func() { w.noticed(name, try+1) })
	case notYet(err):
		w.kernel.log.Warn("a name is no namespace that can be watched", "name", name, "error", err)
	case !notThere(err):
		w.showUnreadable(as, err)
	}
	return nil
}

// notYet tells whether an error means that something else is where a namespace was
// looked for, which may be about to be mounted there.
func notYet(err error) bool { return errors.Is(err, errNoNamespace) || errors.Is(err, errReplaced) }

// notThere tells whether an error means that there is no namespace where it was
// looked for, or another one.
func notThere(err error) bool {
	return notYet(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH)
}

// noticed is lookAt for a name that is held back where Hold says so.
func (w *Watcher) noticed(name string, try int) {
	w.mu.Lock()
	_, held := w.held[name]
	if held {
		w.held[name] = true
	}
	w.mu.Unlock()
	if !held {
		w.lookAt(name, try)
	}
}

// lose takes a name from the namespace that had it. w.mu is held.
func (w *Watcher) lose(name string) {
	id, known := w.names[name]
	if !known {
		return
	}
	delete(w.names, name)
	n := w.spaces[id]
	n.names = slices.DeleteFunc(slices.Clone(n.names), func(s string) bool { return s == name })
	if len(n.names) > 0 || id == w.kernel.host.id || w.lives(n) {
		w.announce(n)
		return
	}
	w.giveUp(id)
	w.send(NamespaceGone{id})
}

// takeUp begins to watch a namespace, with what is known of it, that should be
// found at a path: subscribe, then dump. The second is for the caller, with
// firstLook; until then the namespace's lock is held. w.mu is held.
func (w *Watcher) takeUp(as *watched, path string) (*watched, error) {
	s, release, err := w.kernel.acquireAt(as.id, path)
	if err != nil {
		return nil, err
	}
	defer release()
	sub, err := s.subscribe()
	if err != nil {
		return nil, err
	}
	n := &watched{id: as.id, names: as.names, pids: as.pids, points: as.points, who: as.who, sub: sub, gone: make(chan struct{})}
	w.enter(n)
	n.mu.Lock()
	w.done.Add(1) // for firstLook, so that Close waits for it
	return n, nil
}

func (w *Watcher) enter(n *watched) {
	for _, name := range n.names {
		w.names[name] = n.id
	}
	w.spaces[n.id] = n
	w.announce(n)
}

// showUnreadable reports a namespace that is there and cannot be watched: netdash
// may not enter it, or has no more files. The next round tries again. w.mu is
// held.
func (w *Watcher) showUnreadable(as *watched, err error) {
	w.kernel.forget(as.id) // it may have been opened
	if w.spaces[as.id] == nil {
		w.kernel.log.Warn("a namespace cannot be watched", "namespace", as.id, "names", as.names, "error", err)
		as.gone = make(chan struct{})
		w.enter(as)
	}
	if message := err.Error(); message != as.unreadable {
		as.unreadable = message
		w.send(Dump{ID: as.id, Err: err})
	}
}

// firstLook reads a namespace that has been taken up, and begins to listen.
func (w *Watcher) firstLook(n *watched) {
	w.dump(n)
	n.mu.Unlock()
	go func() {
		defer w.done.Done()
		err := n.sub.wait(func(fd int) bool {
			n.mu.Lock()
			defer n.mu.Unlock()
			w.drain(n, fd)
			w.heal(n)
			return false
		})
		select {
		case <-n.gone: // closed on purpose
		default:
			w.kernel.log.Error("a watch ended", "namespace", n.id, "error", err)
		}
	}()
}

// giveUp closes all that is held of a namespace. w.mu is held.
func (w *Watcher) giveUp(id topology.NamespaceID) {
	n := w.spaces[id]
	delete(w.spaces, id)
	close(n.gone) // frees a reader that waits to hand something on
	if n.sub != nil {
		if err := n.sub.close(); err != nil {
			w.kernel.log.Warn("close a watch", "error", err)
		}
	}
	if id != w.kernel.host.id {
		w.kernel.forget(id)
	}
}

func (w *Watcher) announce(n *watched) {
	ref := NamespaceRef{ID: n.id, Names: n.names, Name: n.id.String()}
	if n.id == w.kernel.host.id {
		ref.Name = topology.HostName
	} else if i := slices.IndexFunc(n.names, func(s string) bool { return s != topology.HostName }); i >= 0 {
		ref.Name = n.names[i]
	}
	w.send(NamespaceSeen{ref})
}

func (w *Watcher) send(o Observation) {
	select {
	case w.events <- o:
	case <-w.ctx.Done():
	}
}

// sendOf hands on what was read of a namespace, unless it is given up: then
// nobody must wait for its reader.
func (w *Watcher) sendOf(n *watched, o Observation) {
	select {
	case <-n.gone:
		return
	default:
	}
	select {
	case w.events <- o:
	case <-n.gone:
	case <-w.ctx.Done():
	}
}
