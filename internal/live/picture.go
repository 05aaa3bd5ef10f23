package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"netdash/internal/topology"
)

// Picture is a Snapshot written down, shared by all who want it: nothing of it
// may be written to.
type Picture struct {
	Seq      uint64 // as in the Snapshot
	Revision int64
	// JSON is the Snapshot, as in GET /topology.
	JSON []byte

	message *Frame // the first of a websocket; JSON is a part of it

	packed packed
}

// Packed gives JSON as pack makes it, which is done once for all who want it.
func (p *Picture) Packed(pack func([]byte) []byte) []byte { return p.packed.from(p.JSON, pack) }

// Version tells which Snapshot there is now, by its numbers, without making it.
func (l *Live) Version() (seq uint64, revision int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	if l.snapshot != nil {
		return l.snapshot.Seq, l.snapshot.Revision
	}
	return l.hub.seq, l.revision
}

// gallery keeps the newest Picture. What a namespace comes to is written down
// once and kept until that namespace changes: one change among a thousand
// namespaces costs writing one of them, and copying the others.
type gallery struct {
	mu     sync.Mutex
	begun  time.Time // when the newest was begun
	newest *Picture
	of     *topology.Snapshot
	parts  map[*topology.NamespaceState][]byte // of newest.JSON
}

// Picture gives the Snapshot as of now, or as of a moment since it was asked for,
// as JSON. Of many who ask at the same time, one waits for the writing and the
// others share what it got.
func (l *Live) Picture() (*Picture, error) {
	asked := time.Now()
	g := &l.gallery
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.newest != nil && !g.begun.Before(asked) {
		return g.newest, nil
	}
	begun := time.Now()
	s := l.Snapshot()
	if s != g.of {
		if err := g.draw(s); err != nil {
			return nil, fmt.Errorf("write the topology: %w", err)
		}
	}
	g.begun = begun
	return g.newest, nil
}

// draw writes a Snapshot down. What has not changed since the newest Picture is
// the same object there, and copied from it.
func (g *gallery) draw(s *topology.Snapshot) error {
	var b bytes.Buffer
	if g.newest != nil {
		b.Grow(len(g.newest.message.Text) + 4<<10)
	}
	fmt.Fprintf(&b, `{"type":"snapshot","seq":%d,"revision":%d,"topology":`, s.Seq, s.Revision)
	from := b.Len()
	fmt.Fprintf(&b, `{"seq":%d,"revision":%d,"namespaces":[`, s.Seq, s.Revision)
	places := make([][2]int, len(s.Namespaces)) // the buffer may move meanwhile
	for i, n := range s.Namespaces {
		if i > 0 {
			b.WriteByte(',')
		}
		begin := b.Len()
		if part := g.parts[n]; part != nil {
			b.Write(part)
		} else {
			part, err := json.Marshal(n)
			if err != nil {
				return err
			}
			b.Write(part)
		}
		places[i] = [2]int{begin, b.Len()}
	}
	b.WriteString("]}")
	to := b.Len()
	b.WriteByte('}')

	message := b.Bytes()
	parts := make(map[*topology.NamespaceState][]byte, len(places))
	for i, p := range places {
		parts[s.Namespaces[i]] = message[p[0]:p[1]:p[1]]
	}
	g.newest = &Picture{Seq: s.Seq, Revision: s.Revision, JSON: message[from:to:to], message: &Frame{Text: message}}
	g.of, g.parts = s, parts
	return nil
}
