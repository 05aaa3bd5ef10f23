package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
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

// dialEvents connects and shakes hands, without compression.
func dialEvents(ctx context.Context, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: newsPatience}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "GET /api/v1/events HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", address); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
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
		opcode, size, err := frameHeader(r)
		if err != nil {
			return err
		}
		if cap(text) < size {
			text = make([]byte, size)
		}
		text = text[:size]
		if _, err := io.ReadFull(r, text); err != nil {
			return err
		}
		got := time.Since(m.began)
		if opcode == 1 {
			if err := m.take(text, got); err != nil {
				return err
			}
		}
	}
}

// frameHeader reads the header of a frame (RFC 6455, 5.2), which a server does not
// mask.
func frameHeader(r *bufio.Reader) (opcode byte, size int, err error) {
	b, err := r.Peek(2)
	if err != nil {
		return 0, 0, err
	}
	opcode, size = b[0]&0xf, int(b[1])
	long := 0 // bytes of a size that does not fit
	switch size {
	case 126:
		long = 2
	case 127:
		long = 8
	}
	if b, err = r.Peek(2 + long); err != nil {
		return 0, 0, err
	}
	switch long {
	case 2:
		size = int(binary.BigEndian.Uint16(b[2:]))
	case 8:
		size = int(binary.BigEndian.Uint64(b[2:]))
	}
	_, err = r.Discard(2 + long)
	return opcode, size, err
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
	const tick = time.Second / 100 // USER_HZ
	return used{time.Duration(numbers[0]+numbers[1]) * tick, numbers[2] * unix.Getpagesize()}, nil
}
