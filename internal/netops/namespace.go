package netops

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// NamespaceRef is a namespace as found under RunDir.
type NamespaceRef struct {
	ID    topology.NamespaceID // zero if Err is set
	Name  string               // first of Names; host for the host
	Names []string             // all its names under RunDir, sorted
	// Err tells why a name could not be read as a network namespace: no rights,
	// or a leftover file that nothing is mounted on. Such a name stands alone.
	Err error
}

var errNoNamespace = errors.New("the file is no network namespace (a leftover that nothing is mounted on)")

// List finds every namespace that has a name under RunDir, each once with all
// its names; host first, then by name, and at last the names that could not be
// read. A missing RunDir means that there is none.
func (k *Kernel) List() ([]NamespaceRef, error) {
	entries, err := os.ReadDir(k.runDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	host := NamespaceRef{ID: k.host.id, Name: topology.HostName}
	found := map[topology.NamespaceID]*NamespaceRef{host.ID: &host}
	var named, bad []NamespaceRef
	for _, e := range entries {
		name := e.Name()
		ns, id, err := openNamespace(filepath.Join(k.runDir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
			continue
		case err != nil:
			bad = append(bad, NamespaceRef{Name: name, Names: []string{name}, Err: err})
			continue
		}
		if err := ns.Close(); err != nil {
			return nil, fmt.Errorf("list namespaces: %w", err)
		}
		if found[id] == nil {
			found[id] = &NamespaceRef{ID: id}
		}
		found[id].Names = append(found[id].Names, name) // sorted, as ReadDir is
	}
	for id, ref := range found {
		if id == host.ID {
			continue
		}
		ref.Name = id.String()
		// A file called host does not make a namespace the host.
		if i := slices.IndexFunc(ref.Names, func(n string) bool { return n != topology.HostName }); i >= 0 {
			ref.Name = ref.Names[i]
		}
		named = append(named, *ref)
	}
	slices.SortFunc(named, func(a, b NamespaceRef) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Concat([]NamespaceRef{host}, named, bad), nil
}

// createNamespace makes a namespace and gives it a name, as ip-netns(8) does
// (netns_add in iproute2's ip/ipnetns.c), so that ip and everybody else can use
// it. After a failure nothing is left of it.
func (k *Kernel) createNamespace(name string) error {
	if !validName(name) {
		return topology.Errorf(topology.CodeInvalid, name, "is no name for a namespace")
	}
	if err := k.shareRunDir(); err != nil {
		return refusal(name, err)
	}
	path := filepath.Join(k.runDir, name)
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return refusal(name, err)
	}
	err = f.Close()
	var first firstSockets
	if err == nil {
		err = k.inNewNamespace(func() error {
			if err := os.NewSyscallError("mount", unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, "")); err != nil {
				return err
			}
			return first.open(k.receiveBuffer)
		})
	}
	if err == nil {
		err = k.know(name, first)
	}
	if err != nil {
		err = errors.Join(err, first.close())
		// The mount may stand although the thread found no way back. It fails
		// with EINVAL where there is none.
		_ = unix.Unmount(path, unix.MNT_DETACH)
		return refusal(name, errors.Join(err, os.Remove(path)))
	}
	return nil
}

// deleteNamespace takes a name away (netns_delete in iproute2's
// ip/ipnetns.c). The kernel takes the namespace down once nobody uses it; k
// itself uses it no more.
func (k *Kernel) deleteNamespace(name string) error {
	if !validName(name) {
		return topology.Errorf(topology.CodeInvalid, name, "is no name for a namespace")
	}
	path := filepath.Join(k.runDir, name)
	id, err := identify(path)
	if err != nil {
		return refusal(name, err)
	}
	// Of a leftover file, unmounting fails and removing works; of a mount that
	// could not be removed, removing fails as well.
	detach := os.NewSyscallError("umount", unix.Unmount(path, unix.MNT_DETACH))
	if err := os.Remove(path); err != nil {
		return refusal(name, errors.Join(detach, err))
	}
	k.forget(id)
	return nil
}

// shareRunDir makes RunDir a shared mount point, so that names appear in and
// vanish from all mount namespaces together: without it a namespace deleted
// here would live on in every mount namespace that was copied meanwhile.
func (k *Kernel) shareRunDir() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	// Doing it again walks over all mounts below, so it is done once a mount.
	if id, err := mountID(k.runDir); err == nil && id == k.shared {
		return nil
	}
	if err := os.MkdirAll(k.runDir, 0o755); err != nil {
		return err
	}
	dir, err := os.Open(k.runDir)
	if err != nil {
		return err
	}
	defer dir.Close()
	// ip takes the same lock, so that two do not mount it onto itself at once.
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return os.NewSyscallError("flock", err)
	}
	share := func() error { return unix.Mount("", k.runDir, "none", unix.MS_SHARED|unix.MS_REC, "") }
	err = share()
	if errors.Is(err, unix.EINVAL) { // no mount point yet
		if err := unix.Mount(k.runDir, k.runDir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return os.NewSyscallError("mount", err)
		}
		err = share()
	}
	if err != nil {
		return os.NewSyscallError("mount", err)
	}
	k.shared, err = mountID(k.runDir)
	return err
}

// mountID numbers the mount a path is on.
func mountID(path string) (uint64, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st); err != nil {
		return 0, &fs.PathError{Op: "statx", Path: path, Err: err}
	}
	return st.Mnt_id, nil
}

// openNamespace opens a network namespace. Anything else is never opened: it
// might block, or be a device.
func openNamespace(path string) (*os.File, topology.NamespaceID, error) {
	var id topology.NamespaceID
	var fst unix.Statfs_t
	if err := unix.Statfs(path, &fst); err != nil {
		return nil, id, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	if fst.Type != unix.NSFS_MAGIC {
		return nil, id, &fs.PathError{Op: "open", Path: path, Err: errNoNamespace}
	}
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, id, err
	}
	kind, err := unix.IoctlRetInt(int(f.Fd()), unix.NS_GET_NSTYPE)
	var st unix.Stat_t
	switch {
	case err != nil || kind != unix.CLONE_NEWNET:
		err = &fs.PathError{Op: "open", Path: path, Err: errNoNamespace}
	default:
		err = os.NewSyscallError("fstat", unix.Fstat(int(f.Fd()), &st))
	}
	if err != nil {
		return nil, id, errors.Join(err, f.Close())
	}
	return f, topology.NamespaceID{Dev: st.Dev, Ino: st.Ino}, nil
}

// identify reads device and inode of a file, which for a network namespace are
// its identity.
func identify(path string) (topology.NamespaceID, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return topology.NamespaceID{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return topology.NamespaceID{Dev: st.Dev, Ino: st.Ino}, nil
}

// validName keeps a name inside RunDir, whatever was checked before.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}
