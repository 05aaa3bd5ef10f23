package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/viewer"
)

// member is a websocket client that costs next to nothing, so that a thousand of
// them leave the machine to netdash: it reads frames off the connection and looks
// for the number and the MAC in their text.
type member struct {
	conn  net.Conn
	began time.Time
	once  sync.Once
	ready chan struct{} // closed with the snapshot
	last  uint64
	count atomic.Int64
	took  []uint32 // µs; the listening goroutine's
	err   error
	all   chan struct{}
}

func (m *member) listen() {
	defer close(m.all)
	m.err = m.read(bufio.NewReaderSize(m.conn, 32<<10))
}

func (m *member) read(r *bufio.Reader) error {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		return errors.Join(statusError(answer.StatusCode), err)
	}
	var text []byte
	for {
		first, read, err := viewer.Frame(r, text)
		if err != nil {
			return err
		}
		text = read
		got := time.Since(m.began)
		if first&0xf == 1 {
			if err := m.take(text, got); err != nil {
				return err
			}
		}
	}
}

// take counts a message. What was left out for this client is not lost, but every
// event here is one that must not be.
func (m *member) take(text []byte, got time.Duration) error {
	seq, err := number64(text, `"seq":`)
	if err != nil {
		return err
	}
	snapshot := bytes.HasPrefix(text, []byte(`{"type":"snapshot"`))
	spared := uint64(0)
	if bytes.HasPrefix(text, []byte(`{"coalesced":`)) {
		if spared, err = number64(text, `{"coalesced":`); err != nil {
			return err
		}
	}
	if !snapshot && seq-spared != m.last+1 {
		return fmt.Errorf("event %d follows %d: %.100s", seq, m.last, text)
	}
	m.last = seq
	if snapshot {
		m.once.Do(func() { close(m.ready) })
		return nil
	}
	if !bytes.Contains(text[:min(len(text), 64)], []byte("fdb.added")) || !bytes.Contains(text, []byte(`"namespace":"`+crowdSpace+`"`)) {
		return nil // netdash may see other namespaces of the machine
	}
	_, mac, _ := bytes.Cut(text, []byte(`"mac":"`))
	sent, err := timeOf(mac[:min(len(mac), 17)])
	if err != nil {
		return err
	}
	m.took = append(m.took, uint32((got - sent).Microseconds()))
	m.count.Add(1)
	return nil
}

// number64 reads the number after a field's name.
func number64(text []byte, field string) (uint64, error) {
	_, rest, ok := bytes.Cut(text, []byte(field))
	end := bytes.IndexAny(rest, ",}")
	if !ok || end < 0 {
		return 0, fmt.Errorf("no %s in %.100s", field, text)
	}
	return strconv.ParseUint(string(rest[:end]), 10, 64)
}

// used is what netdash has used up to now.
type used struct {
	cpu    time.Duration
	memory int // bytes, resident
	files  int // open
}

func (s *server) used() (u used, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return u, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on, see proc(5)
	if len(fields) < 22 {
		return u, fmt.Errorf("/proc/…/stat: %q", stat)
	}
	var numbers [3]int
	for i, field := range []int{14, 15, 24} { // utime, stime, rss
		if numbers[i], err = strconv.Atoi(fields[field-3]); err != nil {
			return u, err
		}
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", s.cmd.Process.Pid))
	const tick = time.Second / 100 // USER_HZ
	return used{time.Duration(numbers[0]+numbers[1]) * tick, numbers[2] * unix.Getpagesize(), len(files)}, err
}
