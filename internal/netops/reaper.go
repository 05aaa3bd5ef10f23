package netops

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// The kernel takes namespaces down behind, all that have died meanwhile in one
// go, and holds RTNL for as long as their links take (cleanup_net in
// net/core/net_namespace.c, default_device_exit_batch in net/core/dev.c). A
// thousand at once keep every other edit on the machine waiting for the better
// part of a second. A namespace lives while somebody holds it open, so netdash,
// which has them open, lets go of them in batches.

const (
	// reapBatch is how many namespaces may die at once. Smaller ones take longer
	// in all, larger ones hold RTNL for longer.
	reapBatch = 80
	// reapPause is the time after which earlier deaths are no longer reckoned with.
	reapPause = 2 * time.Second
	// reapCourtesy is left to the edits that have waited for a large one to end.
	reapCourtesy = 20 * time.Millisecond
	// reapPatience bounds the wait for a batch: somebody else may keep a namespace
	// of it alive.
	reapPatience = 5 * time.Second
)

// reaper lets go of namespaces.
type reaper struct {
	kernel *Kernel

	mu      sync.Mutex
	queue   []*os.File
	dying   int       // let go since the last wait
	last    time.Time // when
	held    bool      // nothing is let go before release
	running bool
	closed  bool
	done    sync.WaitGroup
}

// letGo closes the file of a namespace that netdash is done with: at once, or
// when those before it are gone.
func (r *reaper) letGo(ns *os.File) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last) > reapPause {
		r.dying = 0
	}
	if r.closed || !r.running && !r.held && r.dying < reapBatch-1 {
		r.dying++
		r.last = time.Now()
		return ns.Close()
	}
	r.queue = append(r.queue, ns)
	r.start(0)
	return nil
}

// start has the queue emptied from then on, if there is need to. r.mu is held.
func (r *reaper) start(after time.Duration) {
	if r.running || r.held || len(r.queue) == 0 {
		return
	}
	r.running = true
	r.done.Go(func() {
		<-time.After(after)
		r.run()
	})
}

// hold has namespaces die only after release: while an operation is at work, the
// kernel shall be, too.
func (r *reaper) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = true
}

func (r *reaper) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
	r.start(reapCourtesy)
}

// close lets go of all at once.
func (r *reaper) close() {
	r.release()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.done.Wait()
}

// run empties the queue.
func (r *reaper) run() {
	sentinel, err := newSentinel(r.kernel)
	if err != nil {
		r.kernel.log.Warn("namespaces that are deleted cannot be let go one after the other", "error", err)
	}
	for {
		batch, quick := r.next()
		if len(batch) == 0 {
			break
		}
		if sentinel != nil && !quick {
			if err := sentinel.place(batch[len(batch)-1]); err != nil {
				r.kernel.log.Debug("watch a namespace die", "error", err)
				quick = true
			}
		}
		for _, ns := range batch {
			if err := ns.Close(); err != nil {
				r.kernel.log.Warn("close a network namespace", "error", err)
			}
		}
		if sentinel != nil && !quick {
			sentinel.wait(r.hurried)
		}
	}
	if sentinel != nil {
		if err := sentinel.close(); err != nil {
			r.kernel.log.Warn("close a network namespace", "error", err)
		}
	}
}

// next takes the next batch; quick says that nobody needs to wait for its end.
func (r *reaper) next() (batch []*os.File, quick bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(len(r.queue), reapBatch)
	switch {
	case r.closed:
		n = len(r.queue)
	case r.held:
		n = 0
	}
	batch = r.queue[:n]
	r.queue = r.queue[n:]
	r.running = n > 0
	r.dying, r.last = n, time.Now()
	return batch, r.closed
}

func (r *reaper) hurried() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// sentinel tells when a namespace has died: a veth end in a namespace of its own
// goes with the other end, which is in the dying one.
type sentinel struct {
	*space
	name string
	n    int
}

func newSentinel(k *Kernel) (*sentinel, error) {
	s := &sentinel{space: &space{kernel: k}}
	err := k.inNewNamespace(func() (err error) {
		s.socket, err = openSocket()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	return s, nil
}

func (s *sentinel) place(in *os.File) error {
	s.n++
	s.name = fmt.Sprint("s", s.n)
	peer := nl.NewRtAttr(nl.VETH_INFO_PEER, nil)
	nl.NewIfInfomsgChild(peer, unix.AF_UNSPEC)
	peer.AddChild(stringAttr(unix.IFLA_IFNAME, "netdash-end"))
	peer.AddChild(u32Attr(unix.IFLA_NET_NS_FD, uint32(in.Fd())))
	return s.send(request(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, nl.NewIfInfomsg(unix.AF_UNSPEC),
		stringAttr(unix.IFLA_IFNAME, s.name), u32Attr(unix.IFLA_NUM_TX_QUEUES, 1), u32Attr(unix.IFLA_NUM_RX_QUEUES, 1),
		nestAttr(unix.IFLA_LINKINFO, stringAttr(nl.IFLA_INFO_KIND, "veth"), nestAttr(nl.IFLA_INFO_DATA, peer))))
}

// wait returns when the end is gone. The question takes RTNL, and so waits with
// everybody else.
func (s *sentinel) wait(hurried func() bool) {
	for deadline := time.Now().Add(reapPatience); time.Now().Before(deadline) && !hurried(); <-time.After(2 * time.Millisecond) {
		if err := s.lookUp(s.name); err != nil {
			return
		}
	}
}

func (s *sentinel) close() error { return s.socket.close() }
