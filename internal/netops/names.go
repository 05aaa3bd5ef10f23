package netops

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// nameWatch follows the names that come and go under RunDir (inotify(7)). A new
// namespace makes no netlink event of its own.
type nameWatch struct {
	file *os.File
	conn syscall.RawConn
}

func (w *Watcher) watchNames() (*nameWatch, error) {
	// ip netns makes the directory with its first name; a watch needs it now.
	if err := os.MkdirAll(w.kernel.runDir, 0o755); err != nil {
		return nil, err
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	_, err = unix.InotifyAddWatch(fd, w.kernel.runDir,
		unix.IN_CREATE|unix.IN_DELETE|unix.IN_MOVED_FROM|unix.IN_MOVED_TO|unix.IN_ONLYDIR)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("inotify_add_watch", err), file.Close())
	}
	conn, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &nameWatch{file, conn}, nil
}

// follow reports names to w until it stops.
func (n *nameWatch) follow(w *Watcher) {
	w.done.Go(func() {
		<-w.ctx.Done()
		if err := n.file.Close(); err != nil {
			w.kernel.log.Warn("close inotify", "error", err)
		}
	})
	buffer := make([]byte, 64<<10)
	err := n.conn.Read(func(fd uintptr) bool {
		for {
			size, err := unix.Read(int(fd), buffer)
			switch {
			case errors.Is(err, unix.EINTR):
			case err != nil:
				return !errors.Is(err, unix.EAGAIN)
			default:
				n.handle(w, buffer[:size])
			}
		}
	})
	if w.ctx.Err() == nil {
		w.kernel.log.Error("the watch for new namespaces ended", "error", err)
	}
}

func (n *nameWatch) handle(w *Watcher, b []byte) {
	for len(b) >= unix.SizeofInotifyEvent {
		e := (*unix.InotifyEvent)(unsafe.Pointer(&b[0]))
		end := unix.SizeofInotifyEvent + int(e.Len)
		if e.Mask&(unix.IN_Q_OVERFLOW|unix.IN_IGNORED) != 0 {
			w.lookAtAll()
		} else {
			w.noticed(text(b[unix.SizeofInotifyEvent:end]), 0)
		}
		b = b[end:]
	}
}
