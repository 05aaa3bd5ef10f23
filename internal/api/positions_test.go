package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"netdash/internal/topology"
)

func TestPositions(t *testing.T) {
	s := serve(t, nil)
	if got := s.do(t, "GET", "/api/v1/positions", "").want(t, 200).text; got != `{"items":[]}`+"\n" {
		t.Errorf("none: %s", got)
	}
	body := `{"items":[{"object":"ns:B","x":1,"y":2,"pinned":false},{"object":"ns:A","x":12.5,"y":-40,"pinned":true}]}`
	sorted := `{"items":[{"object":"ns:A","x":12.5,"y":-40,"pinned":true},{"object":"ns:B","x":1,"y":2,"pinned":false}]}` + "\n"
	if got := s.do(t, "PUT", "/api/v1/positions", body).want(t, 200).text; got != sorted {
		t.Errorf("PUT answers %s", got)
	}
	if got := s.do(t, "GET", "/api/v1/positions", "").want(t, 200).text; got != sorted {
		t.Errorf("GET answers %s", got)
	}
	patch := `{"items":[{"object":"ns:B","x":1,"y":2},{"object":"ns:C","forget":true},{"object":"ns:A","x":12.5,"y":-40,"pinned":true}]}`
	a := s.do(t, "PATCH", "/api/v1/positions", patch).want(t, 200)
	if a.text != sorted || a.Header.Get("Netdash-Operation") != "" || len(s.world.requests) != 0 {
		t.Errorf("PATCH answers %s, operation %q", a.text, a.Header.Get("Netdash-Operation"))
	}
	// As many as there may be are more than other bodies.
	var many []string
	for i := range topology.MaxPositions {
		many = append(many, fmt.Sprintf(`{"object":"%0300d","x":-123456.789,"y":-123456.789,"pinned":true}`, i))
	}
	s.do(t, "PUT", "/api/v1/positions", `{"items":[`+strings.Join(many, ",")+`]}`).want(t, 200)
	many = append(many, `{"object":"x","x":1,"y":1,"pinned":true}`)
	pointsAt(t, s.do(t, "PUT", "/api/v1/positions", `{"items":[`+strings.Join(many, ",")+`]}`), "/items")
}

func TestPositionsRefused(t *testing.T) {
	s := serve(t, nil)
	item := func(fields string) string {
		return `{"items":[{"object":"ok","x":1,"y":1,"pinned":true},{` + fields + `}]}`
	}
	for body, want := range map[string][]string{
		item(`"object":"","x":1,"y":1`):                                     {"/items/1/object"},
		item(`"object":"` + strings.Repeat("é", 151) + `","x":1,"y":1`):     {"/items/1/object"},
		item(`"object":"a\u0000b","x":1,"y":1`):                             {"/items/1/object"},
		item(`"object":"a\nb","x":1,"y":1`):                                 {"/items/1/object"},
		item(`"object":"a\u0085b","x":1,"y":1`):                             {"/items/1/object"},
		item(`"object":"ok","x":1,"y":1`):                                   {"/items/1/object"},
		item(`"object":"ok","forget":true`):                                 {"/items/1/object"},
		item(`"object":"a"`):                                                {"/items/1/x", "/items/1/y"},
		item(`"object":"a","x":1`):                                          {"/items/1/y"},
		item(`"object":"a","x":1000001,"y":-1000000.1`):                     {"/items/1/x", "/items/1/y"},
		item(`"object":"a","x":"1","y":1`):                                  {"/items/1/x"},
		item(`"object":"a","x":1,"y":null`):                                 {"/items/1/y"},
		item(`"object":"a","x":1,"y":1,"pinned":"yes"`):                     {"/items/1/pinned"},
		item(`"object":"a","x":1,"y":1,"z":1`):                              {"/items/1/z"},
		item(`"object":7,"x":1,"y":1`):                                      {"/items/1/object"},
		item(`"x":1,"y":1`):                                                 {"/items/1/object"},
		`{"items":null}`:                                                    {"/items"},
		`{}`:                                                                {"/items"},
		`{"items":{}}`:                                                      {"/items"},
		`{"items":[],"more":1}`:                                             {"/more"},
		`{"items":[null]}`:                                                  {"/items/0"},
		item(`"object":"` + strings.Repeat("x", 301) + `","x":1,"y":"nan"`): {"/items/1/y"},
	} {
		pointsAt(t, s.do(t, "PATCH", "/api/v1/positions", body), want...)
	}
	s.do(t, "PATCH", "/api/v1/positions", item(`"object":"a","x":1e400,"y":1`)).problem(t, topology.CodeMalformed)
	s.do(t, "PATCH", "/api/v1/positions", `{"items":[`).problem(t, topology.CodeMalformed)
	s.do(t, "PATCH", "/api/v1/positions", "").problem(t, topology.CodeMalformed)
	s.do(t, "PATCH", "/api/v1/positions?dry_run=true", item(`"object":"a","x":1,"y":1`)).problem(t, topology.CodeInvalid)
	// PUT takes whole positions.
	pointsAt(t, s.do(t, "PUT", "/api/v1/positions", `{"items":[{"object":"a","x":1,"y":1}]}`), "/items/0/pinned")
	pointsAt(t, s.do(t, "PUT", "/api/v1/positions", `{"items":[{"object":"a","forget":true}]}`), "/items/0/forget", "/items/0/pinned", "/items/0/x", "/items/0/y")
	pointsAt(t, s.do(t, "PUT", "/api/v1/positions", `{"items":[{"object":"a","x":1,"y":1,"pinned":true},{"object":"a","x":1,"y":1,"pinned":true}]}`), "/items/1/object")
	// What may look strange and is right: a name in any script, at the edge.
	s.do(t, "PATCH", "/api/v1/positions", item(`"object":"ns:\u202eשלום 👩‍💻 <img onerror=1>","x":-1000000,"y":1000000`)).want(t, 200)
	s.do(t, "PATCH", "/api/v1/positions", item(`"object":"`+strings.Repeat("é", 150)+`","forget":true`)).want(t, 200)
	if len(s.world.positions) != 0 {
		t.Errorf("a refused PUT has set %v", s.world.positions)
	}
}

// pointsAt fails unless the answer is invalid for these fields of the body.
func pointsAt(t *testing.T, a answer, want ...string) {
	t.Helper()
	var got []string
	for _, e := range a.problem(t, topology.CodeInvalid).Errors {
		got = append(got, e.Pointer)
		if e.Detail == "" {
			t.Errorf("%s: no word", e.Pointer)
		}
	}
	slices.Sort(got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%.200s: points at %v, want %v", a.text, got, want)
	}
}
