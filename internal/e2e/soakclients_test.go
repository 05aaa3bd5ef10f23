package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"netdash/internal/viewer"
)

// visits are the ways in which clients of the event stream come and go.
var visits = []struct {
	name  string
	share int
	visit func(s *somebody) error
}{
	{"listen and resume", 5, (*somebody).listenAndResume},
	{"leave without a word", 3, (*somebody).leave},
	{"get stuck", 2, (*somebody).getStuck},
	{"talk", 2, (*somebody).talk},
	{"talk nonsense", 2, (*somebody).talkNonsense},
	{"never ask", 1, (*somebody).neverAsk},
}

// visit is one visit to the event stream.
func (s *somebody) visit() {
	at := s.IntN(15)
	for _, v := range visits {
		if at -= v.share; at >= 0 {
			continue
		}
		if err := v.visit(s); err != nil {
			s.note("client: "+v.name, "failed", err.Error())
			s.wrong("a client (%s): %v", v.name, err)
			return
		}
		s.note("client: "+v.name, "ok", "")
		return
	}
}

// while is a time of up to so long that ends with the round.
func (s *somebody) while(most time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.ctx, time.Duration(1+s.Int64N(int64(most))))
}

func (s *somebody) dial(query string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), soakPatience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.URL+"/api/v1/events"+query, nil) //nolint:bodyclose // the answer to an upgrade has none
	if err == nil {
		conn.SetReadLimit(64 << 20)
	}
	return conn, err
}

// follow reads until ctx ends, and gives the number of the last event. Those after
// since, if that is not 0, must have no gap that is not told.
func follow(ctx context.Context, conn *websocket.Conn, since uint64) (uint64, error) {
	last := since
	for {
		_, frame, err := conn.Read(ctx)
		if err != nil && ctx.Err() != nil {
			return last, nil //nolint:nilerr // it has listened long enough
		}
		if err != nil {
			return last, fmt.Errorf("after event %d: %w", last, err)
		}
		var m message
		if err := json.Unmarshal(frame, &m); err != nil {
			return last, fmt.Errorf("frame %.200s: %w", frame, err)
		}
		if m.Topology == nil && m.Type != "resync" && m.Seq-m.Coalesced != last+1 {
			return last, fmt.Errorf("event %d (%s), with %d left out, follows %d", m.Seq, m.Type, m.Coalesced, last)
		}
		last = m.Seq
	}
}

// listenAndResume follows the events, loses its connection, and comes back for
// those it has missed.
func (s *somebody) listenAndResume() error {
	last := uint64(0)
	for query := ""; s.ctx.Err() == nil; query = fmt.Sprintf("?since=%d", last) {
		conn, err := s.dial(query)
		if err != nil {
			return err
		}
		ctx, done := s.while(1500 * time.Millisecond)
		last, err = follow(ctx, conn, last)
		done()
		_ = conn.CloseNow() // ctx has closed it
		if err != nil || s.chance(30) {
			return err
		}
	}
	return nil
}

// leave says goodbye while events are still coming, or does not.
func (s *somebody) leave() error {
	if s.chance(50) {
		conn, err := s.handshake("")
		if err != nil {
			return err
		}
		s.wait(300 * time.Millisecond)
		return abort(conn)
	}
	conn, err := s.dial("")
	if err != nil {
		return err
	}
	s.wait(300 * time.Millisecond)
	return conn.Close(websocket.StatusNormalClosure, "enough")
}

// getStuck takes no more after the first bytes.
func (s *somebody) getStuck() error {
	conn, err := s.handshake("")
	if err != nil {
		return err
	}
	if s.chance(20) {
		<-s.ctx.Done() // until the round ends, or netdash has had enough
	}
	s.wait(3 * time.Second)
	return abort(conn)
}

// talk says something, for which it is shown the door.
func (s *somebody) talk() error {
	conn, err := s.dial("")
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, cancel := context.WithTimeout(s.t.Context(), soakPatience)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		return err
	}
	for {
		if _, _, err = conn.Read(ctx); err != nil {
			break
		}
	}
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		return fmt.Errorf("one that talks is told %w", err)
	}
	return nil
}

// talkNonsense sends no websocket frame, for which it is cut off.
func (s *somebody) talkNonsense() error {
	conn, err := s.handshake("")
	if err != nil {
		return err
	}
	defer conn.Close()
	// Less than the longest header of a frame might be the beginning of one.
	nonsense := make([]byte, 14+s.IntN(4000))
	for i := range nonsense {
		nonsense[i] = byte(s.IntN(256))
	}
	nonsense[0] = 0xff // reserved bits are set: no frame begins so
	_, _ = conn.Write(nonsense)
	if err := conn.SetReadDeadline(time.Now().Add(soakPatience)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "connection reset") {
		return fmt.Errorf("after nonsense: %w", err)
	}
	return nil
}

// neverAsk connects, and says nothing, or half of something.
func (s *somebody) neverAsk() error {
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		return err
	}
	if s.chance(50) {
		_, _ = conn.Write([]byte("GET /api/v1/events HTTP/1.1\r\nHost: 127"))
	}
	s.wait(2 * time.Second)
	return conn.Close()
}

// wait lets up to so much time pass, but not beyond the round.
func (s *somebody) wait(most time.Duration) {
	ctx, cancel := s.while(most)
	defer cancel()
	<-ctx.Done()
}

// handshake opens a websocket by hand and reads no more than the answer's first
// bytes, through a receive buffer that soon is full.
func (s *somebody) handshake(query string) (*net.TCPConn, error) {
	conn, err := viewer.Knock(context.Background(), strings.TrimPrefix(s.URL, "http://"), query)
	if err != nil {
		return nil, err
	}
	if err := conn.SetReadBuffer(4096); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(soakPatience)); err != nil {
		return nil, err
	}
	first := make([]byte, 12)
	if _, err := io.ReadFull(conn, first); err != nil {
		return nil, fmt.Errorf("shake hands: %w", err)
	}
	if string(first) != "HTTP/1.1 101" {
		return nil, fmt.Errorf("the handshake is answered %q", first)
	}
	return conn, nil
}

// abort ends a connection with a reset.
func abort(conn *net.TCPConn) error {
	if err := conn.SetLinger(0); err != nil {
		return err
	}
	return conn.Close()
}
