package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// floor tells how many namespaces a second can be made at most: by one thread
// that does what the kernel needs for it, as ip netns add does, and one fsync
// for each, which a journal that survives a power cut needs. dir is where the
// database is.
func floor(n int, dir string) (perSecond float64, err error) {
	err = apart(func() error {
		page, err := os.Create(filepath.Join(dir, "floor"))
		if err != nil {
			return err
		}
		defer closing(&err, page.Close)
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer home.Close()
		began := time.Now()
		for i := range n {
			if err := makeNamespace(filepath.Join(runDir, strconv.Itoa(i)), home); err != nil {
				return fmt.Errorf("make a namespace: %w", err)
			}
			if _, err := page.Write(make([]byte, 4096)); err != nil {
				return err
			}
			if err := page.Sync(); err != nil {
				return err
			}
		}
		perSecond = float64(n) / time.Since(began).Seconds()
		return nil
	})
	return perSecond, err
}

// makeNamespace makes a namespace with a name, and brings the thread home.
func makeNamespace(path string, home *os.File) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0)
	if err != nil {
		return err
	}
	return errors.Join(
		file.Close(),
		unix.Unshare(unix.CLONE_NEWNET),
		unix.Mount("/proc/thread-self/ns/net", path, "none", unix.MS_BIND, ""),
		unix.Setns(int(home.Fd()), unix.CLONE_NEWNET),
	)
}

// apart runs f on a thread of its own with an empty /run/netns of its own. The
// thread ends with it, and with the thread all that f has mounted.
func apart(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if unix.Gettid() == unix.Getpid() {
			result <- apart(f) // the main thread would not end
			runtime.UnlockOSThread()
			return
		}
		result <- func() error {
			if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
				return os.NewSyscallError("unshare", err)
			}
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
				return os.NewSyscallError("mount", err)
			}
			if err := unix.Mount("floor", runDir, "tmpfs", 0, "mode=0755"); err != nil {
				return os.NewSyscallError("mount", err)
			}
			return f()
		}()
	}()
	return <-result
}
