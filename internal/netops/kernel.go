package netops

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"netdash/internal/inhabitants"
	"netdash/internal/topology"
)

// DefaultRunDir is where ip-netns(8) keeps the names of namespaces.
const DefaultRunDir = "/run/netns"

// Options are the settings of a Kernel; the zero value is good.
type Options struct {
	RunDir string       // directory of namespace names; DefaultRunDir if empty
	Logger *slog.Logger // slog.Default() if nil
	// ReceiveBuffer is how many bytes of messages may wait in the socket of each
	// watched namespace; 4 MiB if 0. What does not fit is lost, and the namespace
	// read anew.
	ReceiveBuffer int
	// Engines is where container engines are asked for the names of containers;
	// inhabitants.DefaultEngines() if nil.
	Engines *inhabitants.Engines
}

// Kernel is the network side of the kernel netdash runs on. Its methods may be
// called from any goroutine.
type Kernel struct {
	runDir  string
	log     *slog.Logger
	host    *space
	proc    inhabitants.Proc
	engines *inhabitants.Engines
	// wayBack brings a thread back to the host namespace: setns, which tests
	// replace to see what happens when it fails.
	wayBack func(host *os.File) error
	// features is filled once, by the first who asks (capabilities.go).
	features func() map[string]bool

	files         fileBudget
	receiveBuffer int
	interrupted   atomic.Uint64 // dumps, see dump.go

	threads sync.WaitGroup // threads that are away from the host namespace
	reaper  reaper

	mu     sync.Mutex
	closed bool
	spaces map[topology.NamespaceID]*space // all that are open, without host
	names  map[string]*space               // by the names they were opened by
	shared uint64                          // mount id RunDir had when it was made shared
}

// New takes the network namespace of the calling process for the host. It must
// be called before any thread has been left elsewhere.
func New(opts Options) (*Kernel, error) {
	k := &Kernel{
		runDir:  opts.RunDir,
		log:     opts.Logger,
		proc:    inhabitants.DefaultProc,
		engines: opts.Engines,
		wayBack: setns,

		receiveBuffer: opts.ReceiveBuffer,
		spaces:        map[topology.NamespaceID]*space{},
		names:         map[string]*space{},
	}
	if k.runDir == "" {
		k.runDir = DefaultRunDir
	}
	if k.log == nil {
		k.log = slog.Default()
	}
	if k.receiveBuffer == 0 {
		k.receiveBuffer = receiveBuffer
	}
	if k.engines == nil {
		k.engines = inhabitants.DefaultEngines()
	}
	k.reaper.kernel = k
	ns, id, err := openNamespace("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open the host network namespace: %w", err)
	}
	k.host = &space{kernel: k, id: id, ns: ns}
	k.features = sync.OnceValue(k.probe)
	return k, nil
}

// Close releases everything k holds open, once requests under way are finished;
// later ones fail.
func (k *Kernel) Close() error {
	k.mu.Lock()
	closed := k.closed
	k.closed = true
	k.mu.Unlock()
	if closed {
		return nil
	}
	k.reaper.close()
	k.threads.Wait() // their way back leads through the host's file
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, s := range k.spaces {
		k.drop(s)
	}
	k.host.gone = true
	return k.host.closeIfUnused()
}

// acquire finds a namespace by name, by id, or as host, and keeps it open until
// release is called. While it is held the namespace cannot die, so hold it no
// longer than one request takes.
func (k *Kernel) acquire(namespace string) (s *space, release func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.closed:
		return nil, nil, fmt.Errorf("namespace %s: %w", namespace, os.ErrClosed)
	case namespace == topology.HostName:
		s = k.host
	default:
		if s, err = k.find(namespace); err != nil {
			return nil, nil, err
		}
	}
	s.users++
	return s, sync.OnceFunc(func() { k.release(s) }), nil
}

func (k *Kernel) release(s *space) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s.users--
	if err := s.closeIfUnused(); err != nil {
		k.log.Warn("close a network namespace", "namespace", s.id, "error", err)
	}
}

// forget closes what k holds open of a namespace, so that the kernel can take
// it down; requests under way are finished first. It is called when nothing else
// holds a namespace, and does no harm if something does: the next acquire opens
// it again.
func (k *Kernel) forget(id topology.NamespaceID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.spaces[id]; s != nil {
		k.drop(s)
	} else {
		stopPings(id)
		captures.forget(id)
	}
}

// find looks a namespace up by name or id. k.mu is held.
func (k *Kernel) find(namespace string) (*space, error) {
	s, err := k.byName(namespace)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, refusal(namespace, err)
	}
	id := topology.ParseNamespaceID(namespace)
	switch {
	case id == k.host.id:
		return k.host, nil
	case k.spaces[id] != nil:
		return k.spaces[id], nil
	case !id.IsZero():
		if s, err = k.byID(id); !errors.Is(err, fs.ErrNotExist) {
			return s, refusal(namespace, err)
		}
	}
	return nil, topology.Errorf(topology.CodeNotFound, namespace, "there is no namespace of this name")
}

// byID finds a namespace that is not open by what holds it: a name, a mount or a
// process. k.mu is held.
func (k *Kernel) byID(id topology.NamespaceID) (*space, error) {
	entries, err := os.ReadDir(k.runDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if found, err := identify(filepath.Join(k.runDir, e.Name())); err == nil && found == id {
			return k.byName(e.Name())
		}
	}
	paths, err := k.paths(id)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		ns, found, err := openNamespace(path)
		if err != nil {
			continue
		}
		if found == id {
			// It is closed after this use: nobody would forget it, see acquireAt.
			return &space{kernel: k, id: id, ns: ns, gone: true}, nil
		}
		if err := ns.Close(); err != nil {
			return nil, err
		}
	}
	return nil, fs.ErrNotExist
}

// paths lists where a namespace without a name can be opened.
func (k *Kernel) paths(id topology.NamespaceID) ([]string, error) {
	mounts, err := openMounts(k.runDir)
	if err == nil {
		_, err = mounts.refresh()
		err = errors.Join(err, mounts.close())
	}
	if err != nil {
		return nil, err
	}
	living, err := k.proc.Namespaces()
	if err != nil {
		return nil, err
	}
	paths := mounts.points[id]
	for _, pid := range living[id.Ino] {
		paths = append(paths, k.proc.NamespacePath(pid))
	}
	return paths, nil
}

// acquireAt is acquire for a namespace that should be found at a path, whatever
// it is called. Who calls it calls forget once nothing else holds the namespace.
func (k *Kernel) acquireAt(id topology.NamespaceID, path string) (*space, func(), error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.spaces[id]
	switch {
	case k.closed:
		return nil, nil, fmt.Errorf("namespace %s: %w", id, os.ErrClosed)
	case id == k.host.id:
		s = k.host
	case s == nil:
		ns, found, err := openNamespace(path)
		if err != nil {
			return nil, nil, err
		}
		if found != id {
			return nil, nil, errors.Join(errReplaced, ns.Close())
		}
		s = &space{kernel: k, id: id, ns: ns, names: map[string]bool{}}
		k.spaces[id] = s
	}
	s.users++
	return s, sync.OnceFunc(func() { k.release(s) }), nil
}

// byName finds the namespace that now has a name, opening it if it is new.
// k.mu is held.
func (k *Kernel) byName(name string) (*space, error) {
	if !validName(name) {
		return nil, fs.ErrNotExist
	}
	path := filepath.Join(k.runDir, name)
	id, err := identify(path)
	if old := k.names[name]; old != nil {
		// An inode cannot be reused while its namespace is held open, so the same
		// identity is the same namespace.
		if err == nil && old.id == id {
			return old, nil
		}
		k.unname(name, old)
	}
	if err != nil {
		return nil, err
	}
	ns, id, err := openNamespace(path)
	if err != nil {
		return nil, err
	}
	if id == k.host.id {
		return k.host, ns.Close()
	}
	s := k.spaces[id]
	if s == nil {
		s = &space{kernel: k, id: id, ns: ns, names: map[string]bool{}}
		k.spaces[id] = s
	} else if err := ns.Close(); err != nil {
		return nil, err
	}
	s.names[name] = true
	k.names[name] = s
	return s, nil
}

// unname notes that a space has lost a name, and drops it with the last one.
// k.mu is held.
func (k *Kernel) unname(name string, s *space) {
	delete(k.names, name)
	delete(s.names, name)
	if len(s.names) == 0 {
		k.drop(s)
	}
}

// drop takes a space out of the registry and closes it once nobody uses it.
// k.mu is held.
func (k *Kernel) drop(s *space) {
	delete(k.spaces, s.id)
	for name := range s.names {
		delete(k.names, name)
	}
	s.gone = true
	stopPings(s.id)
	captures.forget(s.id)
	if err := s.closeIfUnused(); err != nil {
		k.log.Warn("close a network namespace", "namespace", s.id, "error", err)
	}
}
