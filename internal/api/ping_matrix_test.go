package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

// asked is a matrix in which all reach all but the last, and what was asked for.
func askedMatrix(s *site) *topology.MatrixRequest {
	asked := &topology.MatrixRequest{}
	s.world.matrix = func(_ context.Context, r topology.MatrixRequest, report func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
		*asked = r
		summary := &topology.MatrixSummary{Warnings: []string{"lo is down"}, DurationMS: 1}
		report(topology.MatrixPart{Warnings: summary.Warnings})
		for _, to := range slices.Backward(r.Namespaces) { // out of order, column by column
			var column []topology.MatrixCell
			for _, from := range r.Namespaces {
				if from == to {
					continue
				}
				cell := topology.MatrixCell{From: from, To: to, Address: "10.0.0.1", Sent: 1, OK: true, Received: 1, RTTMS: 0.1}
				if to == r.Namespaces[len(r.Namespaces)-1] {
					cell = topology.MatrixCell{From: from, To: to, Reason: topology.PingNoAddress, Detail: to + " has no address"}
				} else {
					summary.Reached++
				}
				summary.Pairs++
				column = append(column, cell)
			}
			report(topology.MatrixPart{Cells: column})
		}
		return summary, nil
	}
	return asked
}

func TestMatrix(t *testing.T) {
	s := serve(t, nil)
	asked := askedMatrix(s)
	for _, name := range []string{"A", "B", "C"} {
		s.do(t, "POST", "/api/v1/namespaces", fmt.Sprintf(`{"name":%q}`, name)).want(t, 201)
	}
	result := read[topology.MatrixResult](t, s.do(t, "POST", "/api/v1/ping-matrix", `{"namespaces":["B","4-2A","C"]}`).want(t, 200))
	if want := []string{"B", "A", "C"}; !slices.Equal(asked.Namespaces, want) || !slices.Equal(result.Namespaces, want) || asked.Count != 1 || asked.TimeoutMS != 1000 || asked.Family != "" {
		t.Errorf("asked %+v, answered %v", asked, result.Namespaces)
	}
	var order []string
	for _, c := range result.Cells {
		order = append(order, c.From+c.To)
	}
	if !slices.Equal(order, []string{"BA", "BC", "AB", "AC", "CB", "CA"}) || result.Summary.Pairs != 6 || result.Summary.Reached != 4 || len(result.Summary.Warnings) != 1 {
		t.Errorf("%v, %+v", order, result.Summary)
	}
}

// TestMatrixByDefault: without names it is about all that have a name and an
// address.
func TestMatrixByDefault(t *testing.T) {
	s := serve(t, nil)
	asked := askedMatrix(s)
	s.do(t, "POST", "/api/v1/ping-matrix", `{}`).problem(t, topology.CodeConflict)
	for _, name := range []string{"A", "B", "empty"} {
		s.do(t, "POST", "/api/v1/namespaces", fmt.Sprintf(`{"name":%q}`, name)).want(t, 201)
	}
	s.do(t, "POST", "/api/v1/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["10.0.0.1/24"]},"b":{"namespace":"B","name":"eth0","addresses":["10.0.0.2/24"]}}`).want(t, 201)
	addressed := func(name string) *topology.NamespaceState {
		n := namespaceState(name, "4-9"+name, false)
		n.Links[0].Addresses = []topology.Address{{CIDR: "10.0.0.9/24", Scope: "global"}}
		return n
	}
	unnamed, local := addressed("4-77"), addressed("local")
	unnamed.Names, local.Links[0].Addresses[0].Scope = []string{}, "host"
	s.world.foreign = []*topology.NamespaceState{addressed("foreign"), unnamed, local}
	for _, accept := range []string{"application/json", mediaNDJSON} {
		s.do(t, "POST", "/api/v1/ping-matrix", `{}`, "Accept: "+accept).want(t, 200)
		if !slices.Equal(asked.Namespaces, []string{"A", "B", "foreign"}) {
			t.Errorf("asked about %q", asked.Namespaces)
		}
	}
	// host only if the lab gave it an address.
	s.do(t, "POST", "/api/v1/bridges", `{"namespace":"host","name":"br0","addresses":["10.0.0.254/24"]}`).want(t, 201)
	s.do(t, "POST", "/api/v1/ping-matrix", `{}`).want(t, 200)
	if !slices.Equal(asked.Namespaces, []string{"host", "A", "B", "foreign"}) {
		t.Errorf("asked about %q", asked.Namespaces)
	}
}

func TestMatrixRefused(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	for body, pointer := range map[string]string{
		`{"namespaces":["A"]}`:                     "/namespaces",
		`{"namespaces":["A","4-2A"]}`:              "/namespaces/1",
		`{"namespaces":["A","host"],"count":11}`:   "/count",
		`{"namespaces":["A","host"],"family":"4"}`: "/family",
		`{"names":["A","host"]}`:                   "/names",
	} {
		p := s.do(t, "POST", "/api/v1/ping-matrix", body).problem(t, topology.CodeInvalid)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
			t.Errorf("%s: %+v", body, p.Errors)
		}
	}
	s.do(t, "POST", "/api/v1/ping-matrix", `{"namespaces":["A","none"]}`).problem(t, topology.CodeNotFound)
	s.world.matrix = func(context.Context, topology.MatrixRequest, func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
		return nil, topology.Errorf(topology.CodeBusy, "", "a ping matrix is under way")
	}
	for _, accept := range []string{"application/json", mediaNDJSON} {
		s.do(t, "POST", "/api/v1/ping-matrix", `{"namespaces":["A","host"]}`, "Accept: "+accept).problem(t, topology.CodeBusy)
	}
}

// streamMatrix starts a streamed matrix.
func (s *site) streamMatrix(ctx context.Context, t *testing.T) *bufio.Scanner {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/ping-matrix", strings.NewReader(`{"namespaces":["host","A"]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", mediaNDJSON)
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != mediaNDJSON {
		t.Fatalf("status %d, %v", resp.StatusCode, resp.Header)
	}
	return bufio.NewScanner(resp.Body)
}

// TestStreamedMatrix: what is known is with the client before the rest is; it ends
// when the client goes.
func TestStreamedMatrix(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	taken := make(chan struct{})
	s.world.matrix = func(ctx context.Context, r topology.MatrixRequest, report func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
		report(topology.MatrixPart{Warnings: []string{"beware"}})
		report(topology.MatrixPart{Cells: []topology.MatrixCell{{From: "host", To: "A", OK: true}}})
		select {
		case <-taken:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		report(topology.MatrixPart{Cells: []topology.MatrixCell{{From: "A", To: "host", Reason: topology.PingTimeout}}})
		return &topology.MatrixSummary{Pairs: 2, Reached: 1, Warnings: []string{"beware"}}, errors.New("the socket at /secret broke")
	}
	lines := s.streamMatrix(t.Context(), t)
	next := func(want string, has map[string]any) {
		t.Helper()
		var line map[string]any
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &line) != nil || line["type"] != want {
			t.Fatalf("%s, want a %s", lines.Text(), want)
		}
		for k, v := range has {
			if fmt.Sprint(line[k]) != fmt.Sprint(v) {
				t.Errorf("%s: %s is not %v", lines.Text(), k, v)
			}
		}
	}
	next("start", map[string]any{"namespaces": "[host A]"})
	next("warning", map[string]any{"detail": "beware"})
	next("cell", map[string]any{"from": "host", "to": "A", "ok": true})
	close(taken)
	next("cell", map[string]any{"from": "A", "ok": false, "reason": "timeout"})
	next("summary", map[string]any{"pairs": 2, "reached": 1})
	if strings.Contains(lines.Text(), "secret") || !strings.Contains(lines.Text(), `"error":`) {
		t.Errorf("%s", lines.Text())
	}
	if lines.Scan() {
		t.Errorf("one more line: %s", lines.Text())
	}
}

func TestMatrixEnds(t *testing.T) {
	for name, end := range map[string]func(context.CancelFunc, *site){
		"the client goes": func(cancel context.CancelFunc, _ *site) { cancel() },
		"netdash stops":   func(_ context.CancelFunc, s *site) { s.handler.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, nil)
			s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
			ended := make(chan struct{})
			s.world.matrix = func(ctx context.Context, _ topology.MatrixRequest, report func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
				defer close(ended)
				report(topology.MatrixPart{})
				<-ctx.Done()
				return &topology.MatrixSummary{}, ctx.Err()
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s.streamMatrix(ctx, t).Scan()
			end(cancel, s)
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Fatal("the matrix goes on")
			}
		})
	}
}
