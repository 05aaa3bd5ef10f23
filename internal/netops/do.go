package netops

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Do runs fn on a thread inside a namespace, given by name, by id, or as host.
// What fn opens there it may keep and use anywhere; goroutines it starts are
// not in the namespace. A panic of fn comes back as an error.
func (k *Kernel) Do(namespace string, fn func() error) error {
	s, release, err := k.acquire(namespace)
	if err != nil {
		return err
	}
	defer release()
	return k.do(s.ns, fn)
}

// do is Do for a namespace that is already open.
func (k *Kernel) do(ns *os.File, fn func() error) error {
	return k.onThread(func() error {
		if err := setns(ns); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return nil
	}, fn)
}

// inNewNamespace runs fn on a thread in a network namespace made for it, which
// lives on only by what fn opens or mounts.
func (k *Kernel) inNewNamespace(fn func() error) error {
	return k.onThread(func() error {
		return os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET))
	}, fn)
}

// onThread runs enter and then fn on a thread of their own, locked, and brings
// the thread back to the host namespace. Only after that has been proven is the
// thread unlocked and free for other goroutines: otherwise it ends with its
// goroutine (see runtime.LockOSThread), whatever it was left in. enter must
// leave the thread where it was when it fails.
func (k *Kernel) onThread(enter, fn func() error) error {
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return fmt.Errorf("enter a network namespace: %w", os.ErrClosed)
	}
	k.threads.Add(1)
	k.mu.Unlock()
	defer k.threads.Done()

	result := make(chan error, 1)
	go func() {
		err := errors.New("the function ended its goroutine")
		defer func() { result <- err }() // also after runtime.Goexit
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The runtime parks the main thread where it would end another one,
			// and /proc/self would for ever show a foreign namespace. While it is
			// held here, the work goes to a thread that can end.
			defer runtime.UnlockOSThread()
			err = k.onThread(enter, fn)
			return
		}
		if err = enter(); err != nil {
			runtime.UnlockOSThread()
			return
		}
		defer func() {
			if back := k.wayBack(k.host.ns); back != nil {
				k.log.Error("a thread could not return to the host network namespace and ends", "error", back)
				err = errors.Join(err, fmt.Errorf("return to the host network namespace: %w", back))
				return
			}
			runtime.UnlockOSThread()
		}()
		err = errors.New("the function ended its goroutine")
		err = caught(fn)
	}()
	return <-result
}

// caught runs fn and makes an error of its panic.
func caught(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return fn()
}

func setns(ns *os.File) error {
	return netns.Set(netns.NsHandle(ns.Fd()))
}
