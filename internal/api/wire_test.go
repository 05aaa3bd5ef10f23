package api

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// script is a kernel that reports what a test puts in.
type script chan netops.Observation

func (s script) Observations() <-chan netops.Observation { return s }

func (s script) Refresh(context.Context, ...string) error { return nil }

func (s script) Hold([]string) {}

func (s script) Release() {}

func (s script) NSID(_, _ topology.NamespaceID) (int32, bool, error) { return 0, false, nil }

func (s script) FDB(context.Context, string, string) ([]netops.FDBFacts, error) { return nil, nil }

func (s script) Counters(context.Context, string) ([]netops.CounterFacts, error) {
	f := netops.CounterFacts{Ifindex: 7}
	f.RxBytes = 12345
	return []netops.CounterFacts{f}, nil
}

// change makes one event, as long as the alias: of the link 7 or another.
func (s script) change(mtu int, alias string) { s.changeOf(7, mtu, alias) }

func (s script) changeOf(ifindex, mtu int, alias string) {
	f := netops.LinkFacts{PeerNSID: netops.SameNamespace}
	f.Ifindex, f.Name, f.Kind, f.MTU, f.Alias = ifindex, fmt.Sprint("x", ifindex), "dummy", mtu, alias
	s <- netops.Delta{ID: topology.NamespaceID{Dev: 4, Ino: 1}, Facts: f}
}

// broadcast is a site whose events are those of a real Live.
func broadcast(t *testing.T, changes ...func(*Handler)) (*site, script) {
	t.Helper()
	kernel := make(script)
	l := live.New(kernel, kernel, &topology.Spec{}, 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() { close(kernel); <-ran })
	kernel <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: topology.NamespaceID{Dev: 4, Ino: 1}, Name: "host"}}
	s := serve(t, func(c *Config) {
		c.Subscribe = func(since *uint64) Subscription { return l.Subscribe(since) }
	}, changes...)
	return s, kernel
}

// shakeHands opens a websocket without a library and without compression.
func shakeHands(t *testing.T, s *site) *net.TCPConn {
	t.Helper()
	conn, err := viewer.Knock(t.Context(), s.Listener.Addr().String(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// follow reads the events of links up to the one with that MTU, none of which may
// be missing, and tells when each came. It parses no JSON: there are many of it.
func follow(conn net.Conn, ready func(), last int, came func(mtu int)) error {
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; { // the answer to the handshake
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			return err
		}
	}
	number := func(text []byte, field string) (n int) {
		_, rest, _ := bytes.Cut(text, []byte(field))
		_, _ = fmt.Sscan(string(rest[:min(len(rest), 20)]), &n) // 0 if there is none
		return n
	}
	for seq, mtu := 0, 0; mtu != last; {
		_, text, err := viewer.Frame(r, nil)
		if err != nil {
			return err
		}
		n := number(text, `"seq":`)
		if seq != 0 && n-number(text[:min(len(text), 40)], `"coalesced":`) != seq+1 {
			return fmt.Errorf("event %d follows %d: %.100s", n, seq, text)
		}
		if seq == 0 {
			ready()
		}
		if seq = n; bytes.Contains(text[:min(len(text), 60)], []byte("link.")) {
			mtu = number(text, `"mtu":`)
			came(mtu)
		}
	}
	return nil
}

// TestStuckClients has 50 clients listen, of which 5 never read: the others get
// everything, and these are cut off, of which the log tells.
func TestStuckClients(t *testing.T) {
	const readers, stuck, events = 45, 5, 300
	const size = 16 << 10 // all of them are more than TCP takes for who reads nothing
	s, kernel := broadcast(t, func(h *Handler) { h.limits.frameTime = time.Second })
	for range stuck {
		// What the kernel takes in its place is no use to the one that is stuck.
		if err := shakeHands(t, s).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	var all, ready sync.WaitGroup
	var mu sync.Mutex
	sent := make([]time.Time, events+1)
	worst := time.Duration(0)
	for i := range readers {
		conn := shakeHands(t, s)
		ready.Add(1)
		all.Go(func() {
			n := 0
			err := follow(conn, ready.Done, events, func(mtu int) {
				mu.Lock()
				defer mu.Unlock()
				n++
				worst = max(worst, time.Since(sent[mtu]))
			})
			if err != nil || n != events {
				t.Errorf("client %d got %d events: %v", i, n, err)
			}
		})
	}
	ready.Wait()
	eventually(t, "all are there", func() bool { return len(s.handler.sockets) == readers+stuck })
	before := heap()
	for mtu := 1; mtu <= events; mtu++ {
		mu.Lock()
		sent[mtu] = time.Now()
		mu.Unlock()
		kernel.changeOf(mtu, mtu, strings.Repeat("x", size)) // new each time: none can be left out
		time.Sleep(2 * time.Millisecond)
	}
	all.Wait()
	grown := heap() - before
	eventually(t, "the stuck ones are cut off", func() bool { return len(s.handler.sockets) == readers })
	if n := strings.Count(s.log.String(), "does not take its events"); n != stuck {
		t.Errorf("the log tells of %d that were cut off, not %d:\n%s", n, stuck, s.log)
	}
	t.Logf("the latest event came after %s; %d KiB more on the heap", worst, grown>>10)
	// What is remembered of the events, their links, and what is under way.
	if most := 5 * events * size; grown > most {
		t.Errorf("the heap has grown by %d bytes, more than %d", grown, most)
	}
	if worst > 5*time.Second {
		t.Errorf("an event came after %s", worst)
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestWatch: which namespaces' counters come is asked for in the URL, and by
// message.
func TestWatch(t *testing.T) {
	f := &feed{frames: make(chan []byte), watches: make(chan []string, 9)}
	s := serve(t, nil)
	s.listen(t, "?watch=A,B&watch=C", f)
	if got := strings.Join(<-f.watches, " "); got != "A B C" {
		t.Errorf("watches %q", got)
	}
	long := strings.Repeat("namespace,", 500)
	s.do(t, "GET", "/api/v1/events?watch="+long, "", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==").problem(t, topology.CodeMalformed)

	told, kernel := broadcast(t)
	kernel.change(1500, "")
	c, err := viewer.Dial(t.Context(), told.URL, "?watch=host")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	next := func() viewer.Message {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		m, err := c.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	seq := next().Seq
	for range 2 {
		if m := next(); m.Type != "stats" || m.Seq != seq || m.Stats.Namespace != "host" || m.Stats.Links[0].RxBytes != 12345 {
			t.Errorf("%+v %+v", m, m.Stats)
		}
	}
	if err := c.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond)
	kernel.change(1400, "")
	m := next()
	if m.Type == "stats" { // on its way already
		m = next()
	}
	if m.Link == nil || m.Seq != seq+1 {
		t.Errorf("after nothing is watched: %+v", m)
	}
}

func TestParseWatch(t *testing.T) {
	for text, want := range map[string]string{
		`{"watch":["A","B"]}`: `[A B]`, `{"watch":[]}`: `[]`, `{"watch":["host"]}`: `[host]`,
		`{}`: "", `{"watch":null}`: "", `{"watch":"A"}`: "", `{"watch":["A"],"x":1}`: "", `{"watch":["A"]}{}`: "", `["A"]`: "", `{"watch":["A"]`: "", ``: "",
	} {
		got, err := parseWatch([]byte(text))
		if (err != nil) != (want == "") || err == nil && fmt.Sprint(got) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// TestFrames reads what goes out with a reader of its own.
func TestFrames(t *testing.T) {
	long := strings.Repeat("netdash ", 10<<10)
	texts := []string{`"a"`, strings.Repeat("b", 125), strings.Repeat("c", 126), strings.Repeat("d", packFrom), strings.Repeat("e", 1<<16-1), strings.Repeat("f", 1<<16), long, `"z"`}
	for _, packs := range []bool{false, true} {
		var frames []*live.Frame
		for _, text := range texts {
			frames = append(frames, &live.Frame{Text: []byte(text)})
		}
		near, far := net.Pipe()
		w := &wire{Conn: near, patience: 10 * time.Second, packs: packs}
		sent := make(chan error, 1)
		go func() {
			err := w.send(frames)
			sent <- errors.Join(err, near.Close())
		}()
		all, err := io.ReadAll(far)
		if err = errors.Join(err, <-sent); err != nil {
			t.Fatal(err)
		}
		b := bytes.NewReader(all)
		for i, text := range texts {
			first, got, err := viewer.Frame(b, nil)
			if err != nil {
				t.Fatal(err)
			}
			packed := packs && len(text) >= packFrom
			if packed {
				if len(got) > len(text)/10 {
					t.Errorf("message %d is packed to %d of %d bytes", i, len(got), len(text))
				}
				got, err = io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(got), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
			}
			if want := map[bool]byte{false: 0x81, true: 0xc1}[packed]; first != want || string(got) != text || err != nil {
				t.Errorf("message %d (packed: %t): begins with %#x, %d bytes, %v", i, packs, first, len(got), err)
			}
		}
		if b.Len() > 0 {
			t.Errorf("%d bytes more", b.Len())
		}
	}
}

// TestPackedOnce: however many clients get a long message, it is packed once.
func TestPackedOnce(t *testing.T) {
	f := &live.Frame{Text: bytes.Repeat([]byte("x"), packFrom)}
	n := 0
	for range 3 {
		if got := f.Packed(func(b []byte) []byte { n++; return b[:1] }); string(got) != "x" {
			t.Errorf("%q", got)
		}
	}
	if n != 1 {
		t.Errorf("packed %d times", n)
	}
}

// TestWithoutCompression: who does not ask for it gets plain text.
func TestWithoutCompression(t *testing.T) {
	s, kernel := broadcast(t)
	kernel.change(1500, strings.Repeat("x", 2*packFrom))
	conn := shakeHands(t, s)
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for room := make([]byte, 4096); len(got) < 2*packFrom; {
		n, err := conn.Read(room)
		if got = append(got, room[:n]...); err != nil {
			t.Fatal(err)
		}
	}
	if head, _, _ := bytes.Cut(got, []byte("\r\n\r\n")); bytes.Contains(bytes.ToLower(head), []byte("sec-websocket-extensions")) || !bytes.Contains(got, bytes.Repeat([]byte("x"), packFrom)) {
		t.Errorf("%.400s", got)
	}
}
