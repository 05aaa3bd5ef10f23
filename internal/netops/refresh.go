package netops

import (
	"context"
	"errors"
	"fmt"
	"os"

	"netdash/internal/topology"
)

// Hold has names that are about to appear or vanish left alone until they are
// asked for with Refresh, or until Release. What makes a namespace is disturbed by
// who listens: the kernel writes out every change for the listener, which takes it
// as long again as the change. And one that is still watched does not die yet.
func (w *Watcher) Hold(names []string) {
	w.kernel.reaper.hold()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = make(map[string]bool, len(names))
	for _, name := range names {
		w.held[name] = false
	}
}

// Release ends Hold, and looks at the names that have come or gone and not been
// asked for.
func (w *Watcher) Release() {
	w.kernel.reaper.release()
	w.mu.Lock()
	held := w.held
	w.held = nil
	w.mu.Unlock()
	for name, noticed := range held {
		if noticed {
			w.lookAt(name, 0)
		}
	}
}

// readers is how many namespaces are read at once.
const readers = 2

// Refresh reads the given namespaces (names, ids, or host) anew and returns when all
// that was observed of them up to now, and the new Dumps, have been taken.
// Names that have come or gone without notice so far are noticed.
func (w *Watcher) Refresh(ctx context.Context, namespaces ...string) error {
	w.mu.Lock()
	if w.ctx.Err() != nil {
		w.mu.Unlock()
		return os.ErrClosed
	}
	w.done.Add(1) // Close waits before it closes the channel
	w.mu.Unlock()
	defer w.done.Done()
	errs := make([]error, len(namespaces))
	share(readers, len(namespaces), func(i int) (more bool) {
		errs[i] = w.read(namespaces[i])
		return errs[i] == nil
	})
	if err := errors.Join(errs...); err != nil {
		return err
	}
	reached := make(chan struct{})
	w.send(Barrier{func() { close(reached) }})
	select {
	case <-reached:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-w.ctx.Done():
		return os.ErrClosed
	}
}

// read reads one namespace anew.
func (w *Watcher) read(name string) error {
	if name != topology.HostName && w.lookAt(name, 0) {
		return nil // it has been read this moment
	}
	w.mu.Lock()
	n := w.spaces[w.idOf(name)]
	w.mu.Unlock()
	if n == nil || n.sub == nil { // what cannot be read stays so until the next round
		return nil
	}
	err := n.sub.now(func(fd int) {
		n.mu.Lock()
		defer n.mu.Unlock()
		w.drain(n, fd)
		w.dump(n)
	})
	select {
	case <-n.gone: // meanwhile, and that has been reported
		return nil
	default:
	}
	if err != nil {
		return fmt.Errorf("read namespace %s anew: %w", name, err)
	}
	return nil
}
