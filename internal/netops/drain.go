package netops

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What is heard of a namespace can be relied on only without gaps. When messages
// do not fit the socket's buffer the kernel says so once (ENOBUFS), and goes on to
// drop what comes until the socket has been read empty (netlink_overrun and
// NETLINK_S_CONGESTED in net/netlink/af_netlink.c). So after a loss the rest of
// what waits is thrown away, and only then the namespace is read anew: read
// earlier, the Dump would be followed by messages that are older than it, and by
// a gap of which nothing tells.

// doubt says whether what is known of a namespace may be wrong. watched.mu guards
// it.
type doubt struct {
	lost   bool      // messages were lost, or the last dump failed
	failed int       // dumps one after the other
	rested time.Time // until when there is no other dump because of a loss
	due    bool      // somebody waits for that
}

// In a storm messages are lost again while a namespace is read because of the
// last loss. Between two dumps for that reason lies a pause, restShare times as
// long as the dump has taken, within these bounds, so that the storm is not made
// longer and viewers see something; after the storm the truth is at most one
// pause away. Dumps that fail one after the other are tried less and less often.
const (
	restShare    = 4
	leastRest    = 50 * time.Millisecond
	greatestRest = 200 * time.Millisecond
	failedRest   = 2 * time.Second // at most, after failures
)

// Overruns tells how often messages were lost: each time a namespace was read
// anew, or one time for several.
func (w *Watcher) Overruns() uint64 { return w.overruns.Load() }

// Dumps tells how often a namespace was read whole.
func (w *Watcher) Dumps() uint64 { return w.dumps.Load() }

// Interrupted tells how often the kernel changed a list while it was read, so that
// it had to be read again.
func (w *Watcher) Interrupted() uint64 { return w.kernel.interrupted.Load() }

// drain hands on all messages that wait, up to a loss, if there is one. n.mu is
// held.
func (w *Watcher) drain(n *watched, fd int) {
	for {
		err := receive(fd, func(m syscall.NetlinkMessage) {
			if n.doubt.lost {
				return // a dump will tell
			}
			if f := decode(m); f != nil {
				w.sendOf(n, Delta{n.id, f})
			}
		})
		switch {
		case err == nil || errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return
		case errors.Is(err, errOverrun):
			w.overruns.Add(1)
			n.doubt.lost = true
		default:
			w.kernel.log.Error("receive from the kernel", "namespace", n.names, "error", err)
			n.doubt.lost = true
			return
		}
	}
}

// heal reads a namespace anew about which there is doubt, or sees to it that this
// is done soon. n.mu is held, and nothing waits in the socket.
func (w *Watcher) heal(n *watched) {
	if !n.doubt.lost || n.doubt.due {
		return
	}
	pause := time.Until(n.doubt.rested)
	if pause <= 0 {
		w.dump(n)
		return
	}
	n.doubt.due = true
	w.done.Go(func() { // who calls is one that Close waits for
		select {
		case <-time.After(pause):
		case <-n.gone:
			return
		}
		if err := n.sub.now(func(fd int) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.doubt.due = false
			w.drain(n, fd)
			w.heal(n)
		}); err != nil {
			w.kernel.log.Debug("read a namespace anew", "namespace", n.id, "error", err) // it was given up
		}
	})
}

// dump reads a namespace and hands it on. One that fails is tried again later.
// n.mu is held.
func (w *Watcher) dump(n *watched) {
	w.dumps.Add(1)
	began := time.Now()
	contents, err := w.contents(n)
	n.doubt.lost = err != nil
	now := time.Now()
	n.doubt.rested = now.Add(min(max(restShare*now.Sub(began), leastRest), greatestRest))
	w.sendOf(n, Dump{n.id, contents, err})
	if err == nil {
		n.doubt.failed = 0
		return
	}
	n.doubt.rested = now.Add(min(leastRest<<min(n.doubt.failed, 8), failedRest))
	n.doubt.failed++
	w.heal(n)
}

func (w *Watcher) contents(n *watched) (*Contents, error) {
	s, release, err := w.kernel.acquireID(n.id)
	if err != nil {
		return nil, err
	}
	defer release()
	return s.dump(w.ctx)
}
