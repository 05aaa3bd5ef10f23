// Package viewer is a small Go client of netdash's events, as docs/api.md
// describes them, for tests and benchmarks: it listens, checks that nothing is
// lost, and keeps the topology by what it hears.
//
//	c, err := viewer.Dial(ctx, "http://127.0.0.1:8080", "?watch=A")
//	for {
//		m, err := c.Next(ctx)
//		…
//		picture.Take(&m)
//	}
package viewer

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"nhooyr.io/websocket"

	"netdash/internal/topology"
)

// Message is what netdash sends: a snapshot, an event, a resync or a sample of
// counters.
type Message struct {
	topology.Event
	// Coalesced is how many events were left out right before this one, because
	// later ones make them worthless.
	Coalesced uint64             `json:"coalesced"`
	Revision  int64              `json:"revision"` // of a snapshot
	Topology  *topology.Snapshot `json:"topology"` // of a snapshot

	Got time.Time `json:"-"` // when it came
}

// maxMessage bounds what is taken: a snapshot of a thousand namespaces.
const maxMessage = 64 << 20

// Client is one websocket.
type Client struct {
	conn  *websocket.Conn
	order Order
}

// Dial connects to netdash at a URL such as http://127.0.0.1:8080; query is empty
// or something like ?since=17.
func Dial(ctx context.Context, url, query string) (*Client, error) {
	conn, answer, err := websocket.Dial(ctx, url+"/api/v1/events"+query, &websocket.DialOptions{CompressionMode: websocket.CompressionNoContextTakeover})
	if err != nil {
		if answer != nil {
			return nil, fmt.Errorf("listen to events: %s: %w", answer.Status, err)
		}
		return nil, fmt.Errorf("listen to events: %w", err)
	}
	conn.SetReadLimit(maxMessage)
	return &Client{conn: conn}, nil
}

// Next waits for the next message. It fails when one is missing between this and
// the one before. Where ctx ends, the connection does.
func (c *Client) Next(ctx context.Context) (Message, error) {
	_, text, err := c.conn.Read(ctx)
	got := time.Now() // before anything is done with it
	if err != nil {
		return Message{}, fmt.Errorf("the next event: %w", err)
	}
	m, err := Parse(text)
	m.Got = got
	if err == nil {
		err = c.order.Check(&m)
	}
	return m, err
}

// Watch asks for the counters of these namespaces, and of no others.
func (c *Client) Watch(ctx context.Context, namespaces ...string) error {
	text, err := json.Marshal(map[string][]string{"watch": append([]string{}, namespaces...)})
	if err != nil {
		return err
	}
	return c.Say(ctx, string(text))
}

// Say sends any text, which netdash does not like.
func (c *Client) Say(ctx context.Context, text string) error {
	return c.conn.Write(ctx, websocket.MessageText, []byte(text))
}

// Close cuts the connection.
func (c *Client) Close() error { return c.conn.CloseNow() }

// Parse reads a message.
func Parse(text []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%.200s: %w", text, err)
	}
	return m, nil
}

// Order checks that no message is missing. Its zero value is for a stream that
// begins with a snapshot, or with whatever event there is after ?since=.
type Order struct {
	begun bool
	last  uint64
}

// Check takes the next message.
func (o *Order) Check(m *Message) error {
	switch {
	case m.Type == "resync" || m.Type == "stats": // not numbered
		return nil
	case strings.Contains(m.Type, ".") && o.begun && m.Seq-m.Coalesced != o.last+1:
		return fmt.Errorf("event %d (%s), with %d left out, follows %d", m.Seq, m.Type, m.Coalesced, o.last)
	}
	o.begun, o.last = true, m.Seq
	return nil
}
