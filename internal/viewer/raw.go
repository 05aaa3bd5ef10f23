package viewer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Knock connects to netdash at an address such as 127.0.0.1:8080 and asks for the
// events, without compression, by hand: for clients that misbehave, or that must
// cost nothing. The answer is left to be read.
func Knock(ctx context.Context, address, query string) (*net.TCPConn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /api/v1/events%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n", query, address)
	tcp, ok := conn.(*net.TCPConn)
	if !ok && err == nil {
		err = errors.New("this is not TCP")
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return tcp, nil
}

// Frame reads a frame of a server, which does not mask (RFC 6455, 5.2), into
// buffer, or into a larger one. It gives its first byte, too.
func Frame(r io.Reader, buffer []byte) (first byte, payload []byte, err error) {
	var b [10]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return 0, nil, err
	}
	size := uint64(b[1])
	switch size {
	case 126:
		_, err = io.ReadFull(r, b[2:4])
		size = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		_, err = io.ReadFull(r, b[2:10])
		size = binary.BigEndian.Uint64(b[2:])
	}
	if err == nil && size > maxMessage {
		err = fmt.Errorf("a frame of %d bytes", size)
	}
	if err != nil {
		return 0, nil, err
	}
	if uint64(cap(buffer)) < size {
		buffer = make([]byte, size)
	}
	payload = buffer[:size]
	_, err = io.ReadFull(r, payload)
	return b[0], payload, err
}
