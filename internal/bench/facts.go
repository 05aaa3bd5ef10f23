package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// facts is what there is to know of the machine.
type facts struct {
	Kernel, CPU, Go, IProute, FileSystem, Fsync string
	Cores                                       int
	LoadBefore, LoadAfter                       string
	Date                                        string
}

// machine finds the facts; dir is where the database goes.
func machine(dir string) (facts, error) {
	f := facts{Cores: runtime.NumCPU(), CPU: model(), Go: runtime.Version(), Date: time.Now().UTC().Format("2006-01-02")}
	var err error
	if f.LoadBefore, err = load(); err != nil {
		return f, err
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return f, os.NewSyscallError("uname", err)
	}
	f.Kernel = fmt.Sprintf("%s %s %s", unix.ByteSliceToString(uts.Sysname[:]), unix.ByteSliceToString(uts.Release[:]), runtime.GOARCH)
	out, err := exec.Command("ip", "-V").Output()
	if err != nil {
		return f, fmt.Errorf("ip -V: %w", err)
	}
	f.IProute = strings.TrimSpace(strings.TrimPrefix(string(out), "ip utility, "))
	if f.FileSystem, err = fileSystem(dir); err != nil {
		return f, err
	}
	f.Fsync, err = fsync(dir)
	return f, err
}

// finish adds what is known only after the run.
func (f facts) finish() (facts, error) {
	var err error
	f.LoadAfter, err = load()
	return f, err
}

// load is the load average of the last minute.
func load() (string, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", err
	}
	minute, _, _ := strings.Cut(string(text), " ")
	return minute, nil
}

// model names the processor, as far as the kernel does.
func model() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// fileSystem names the kind of file system a directory is on.
func fileSystem(dir string) (string, error) {
	out, err := exec.Command("findmnt", "--noheadings", "--output", "FSTYPE", "--target", dir).Output()
	if err != nil {
		return "", fmt.Errorf("file system of %s: %w", dir, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// fsync measures what the disk itself asks for: a page appended and brought to
// disk, as a commit of SQLite does once.
func fsync(dir string) (string, error) {
	file, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return "", err
	}
	var took samples
	page := make([]byte, 4096)
	for range 50 {
		ms, err := timed(func() error {
			_, err := file.Write(page)
			return errors.Join(err, file.Sync())
		})
		if err != nil {
			return "", err
		}
		took = append(took, ms)
	}
	return number(took.median()), errors.Join(file.Close(), os.Remove(file.Name()))
}
