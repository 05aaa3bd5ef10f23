package api

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/topology"
	"netdash/internal/walk"
)

// quiet is a stream of events in which nothing happens.
type quiet struct{}

func (quiet) Next(ctx context.Context) ([]*live.Frame, error) { <-ctx.Done(); return nil, ctx.Err() }
func (quiet) Watch([]string)                                  {}
func (quiet) Close()                                          {}

// echoOnLoopback is an echo request from 127.0.0.1 to itself.
func echoOnLoopback(seq uint16) []byte {
	b := make([]byte, 14+20+8+16)
	b[12], b[14], b[14+8], b[14+9] = 8, 0x45, 64, 1
	copy(b[14+12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	b[34] = 8
	binary.BigEndian.PutUint16(b[34+6:], seq)
	copy(b[34+8:], "noncenonce")
	return b
}

func walkSite(t *testing.T) *site {
	t.Helper()
	s := serve(t, nil)
	s.world.subscribe = func(*uint64) Subscription { return quiet{} }
	s.world.ping = func(_ context.Context, r topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		reply := topology.PingReply{Seq: 1, From: r.Address}
		each(reply)
		return pingResult(r, reply), nil
	}
	s.world.record = func(ctx context.Context, f walk.Flow, places []walk.Place, during func(context.Context)) (*walk.Recording, error) {
		if len(places) != 1 || places[0].Namespace != "host" || len(f.Ends) != 1 || f.Ends[0] != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%v in %v", f, places)
		}
		during(ctx)
		data := echoOnLoopback(1)
		return &walk.Recording{Dropped: 2, Incomplete: []string{"A is gone"}, Records: map[string][]walk.Record{"host": {
			{Ifindex: 1, Out: true, At: time.Unix(1, 0), Data: data, Length: len(data)},
			{Ifindex: 1, At: time.Unix(1, 1000), Data: data, Length: len(data)},
		}}}, nil
	}
	return s
}

const walkBody = `{"namespace":"host","address":"127.0.0.1","count":1,"walk":true}`

func TestWalk(t *testing.T) {
	s := walkSite(t)
	a := s.do(t, "POST", "/api/v1/pings", walkBody).want(t, 200)
	r := read[WalkedPing](t, a)
	if r.Received != 1 || r.Walk == nil || r.Walk.Dropped != 2 || r.Walk.Incomplete != "A is gone" || len(r.Walk.Frames) != 1 || r.Walk.Decisions == nil {
		t.Fatalf("%s", a.text)
	}
	if f := r.Walk.Frames[0]; f.Kind != walk.EchoRequest || len(f.Hops) != 2 || f.Hops[1].US != 1 || f.Hops[1].From != f.Hops[0].ID || f.Hops[1].End != "taken" {
		t.Errorf("%s", a.text)
	}
	if plain := s.do(t, "POST", "/api/v1/pings", strings.Replace(walkBody, "true", "false", 1)).want(t, 200).text; strings.Contains(plain, "walk") {
		t.Errorf("without walk: %s", plain)
	}

	var types []string
	for line := range strings.Lines(s.do(t, "POST", "/api/v1/pings", walkBody, "Accept: "+mediaNDJSON).want(t, 200).text) {
		var l struct {
			Type string
			Walk *walk.Notes
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		types = append(types, l.Type)
		if l.Type == "summary" && (l.Walk == nil || l.Walk.Dropped != 2) {
			t.Errorf("%s", line)
		}
	}
	if strings.Join(types, " ") != "reply frame summary" {
		t.Errorf("lines %v", types)
	}
}

// TestWalkRefused: what cannot be walked is said before anything is sent.
func TestWalkRefused(t *testing.T) {
	s := walkSite(t)
	s.world.ping = nil // would panic
	for _, c := range []struct {
		body string
		code topology.Code
	}{
		{strings.Replace(walkBody, `"count":1`, `"count":11`, 1), topology.CodeInvalid},
		{strings.Replace(walkBody, "127.0.0.1", "224.0.0.1", 1), topology.CodeInvalid},
	} {
		for _, accept := range []string{"application/json", mediaNDJSON} {
			s.do(t, "POST", "/api/v1/pings", c.body, "Accept: "+accept).problem(t, c.code)
		}
	}
	s.world.record = func(context.Context, walk.Flow, []walk.Place, func(context.Context)) (*walk.Recording, error) {
		return nil, topology.Errorf(topology.CodeForbidden, "host", "no CAP_NET_RAW")
	}
	s.do(t, "POST", "/api/v1/pings", walkBody).problem(t, topology.CodeForbidden)
}

// TestWalksAtOnce: one more than are allowed is told so, and there is room again
// once they have ended.
func TestWalksAtOnce(t *testing.T) {
	s := walkSite(t)
	begun, release := make(chan struct{}), make(chan struct{})
	ping := s.world.ping
	s.world.ping = func(ctx context.Context, r topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
		begun <- struct{}{}
		<-release
		return ping(ctx, r, each)
	}
	ended := make(chan struct{})
	for range cap(s.handler.walking) {
		go func() {
			s.do(t, "POST", "/api/v1/pings", walkBody)
			ended <- struct{}{}
		}()
		<-begun
	}
	s.do(t, "POST", "/api/v1/pings", walkBody).problem(t, topology.CodeBusy)
	close(release)
	for range cap(s.handler.walking) {
		<-ended
	}
	s.world.ping = ping
	s.do(t, "POST", "/api/v1/pings", walkBody).want(t, 200)
}

// TestWalkThatIsEnded: when there are too many frames the ping ends, and there is
// a result all the same; when netdash stops there is none.
func TestWalkThatIsEnded(t *testing.T) {
	s := walkSite(t)
	s.world.ping = func(ctx context.Context, r topology.PingRequest, _ func(topology.PingReply)) (*topology.PingResult, error) {
		<-ctx.Done()
		return pingResult(r), ctx.Err()
	}
	record := s.world.record
	s.world.record = func(ctx context.Context, f walk.Flow, p []walk.Place, during func(context.Context)) (*walk.Recording, error) {
		inner, cancel := context.WithCancel(ctx)
		cancel()
		return record(inner, f, p, during)
	}
	if r := read[WalkedPing](t, s.do(t, "POST", "/api/v1/pings", walkBody).want(t, 200)); r.Error == "" || r.Walk == nil {
		t.Errorf("%+v", r)
	}
	s.world.record = func(ctx context.Context, f walk.Flow, p []walk.Place, during func(context.Context)) (*walk.Recording, error) {
		time.AfterFunc(10*time.Millisecond, s.handler.Close)
		return record(ctx, f, p, during)
	}
	s.do(t, "POST", "/api/v1/pings", walkBody).problem(t, topology.CodeIncomplete)
}
