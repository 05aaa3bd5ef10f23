package api

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"netdash/internal/live"
)

// wire is the connection below a websocket. The library shakes hands, reads,
// pings and closes; events go out past it, because it makes a system call of each
// and packs each anew for each client. All that is due to a client goes out with
// one, and a long event is packed once for all.
type wire struct {
	net.Conn
	patience time.Duration // for the client to take what is written

	mu    sync.Mutex // held while whole frames are written
	packs bool       // permessage-deflate, without context takeover, was agreed on
}

// Write is for the library, which writes each of its control frames at once.
func (c *wire) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Small messages cost more time to pack than to send; large ones more to copy
// than to hand over by themselves.
const (
	packFrom = 4 << 10
	copyTo   = 32 << 10
)

// rooms hold what batches are put together in.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

// send writes each frame as a text message (RFC 6455, 5.2), all of them with one
// system call where they are not large.
func (c *wire) send(frames []*live.Frame) error {
	room, _ := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	var parts net.Buffers
	b, from := (*room)[:0], 0
	for _, f := range frames {
		text, first := f.Text, byte(0x81) // final, text
		if c.packs && len(text) >= packFrom {
			text, first = f.Packed(deflated), 0xc1 // RSV1: packed
		}
		b = appendHeader(b, first, len(text))
		if len(text) < copyTo {
			b = append(b, text...)
			continue
		}
		parts = append(parts, b[from:], text) // if b moves, what is here stays as it is
		from = len(b)
	}
	parts = append(parts, b[from:])
	if *room = b; cap(b) > 1<<20 {
		*room = nil
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	if _, err := parts.WriteTo(c.Conn); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	return nil
}

// appendHeader begins a frame. A server does not mask.
func appendHeader(b []byte, first byte, size int) []byte {
	switch {
	case size < 126:
		return append(b, first, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(b, first, 127), uint64(size))
}

// hijacker gives the library the wire in place of the connection.
type hijacker struct {
	http.ResponseWriter
	wire *wire
}

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.wire.Conn = conn
	buffered.Writer.Reset(h.wire)
	return h.wire, buffered, nil
}

// A few clients get every event at once. With many, each is left alone for a
// moment after it got something, so that the next time it gets more with one
// system call: a thousand get twenty batches a second each.
const (
	fewSockets = 10
	socketRest = 50 * time.Microsecond // for each of the others
)

// rest waits for that moment.
func (h *Handler) rest(ctx context.Context) {
	long := time.Duration(len(h.sockets)-fewSockets) * socketRest
	if long <= 0 {
		return
	}
	select {
	case <-time.After(long):
	case <-ctx.Done():
	}
}
