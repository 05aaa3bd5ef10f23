package export

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// graph is what a DOT file says, as far as this package writes any.
type graph struct {
	label    string
	nodes    map[string]map[string]string // attributes by id; labels as text
	clusters map[string]string            // labels by id
	edges    []graphEdge
}

type graphEdge struct {
	from, to   string // id, or id:port
	attributes map[string]string
}

// dotToken finds the next token: an id, an operator, a string in quotes, or the
// beginning of an HTML string.
var dotToken = regexp.MustCompile(`^(?:[a-zA-Z_][a-zA-Z_0-9]*|-?[0-9]*\.?[0-9]+|--|[{}\[\]=:;,]|"(?:[^"\\]|\\.)*"|<)`)

// parseDot reads the grammar of https://graphviz.org/doc/info/lang.html, without
// what this package never writes (edges between lists, subgraphs in edges,
// compass points, strict, digraph).
type dotParser struct {
	rest  string
	token string
	graph graph
}

func parseDot(text string) (g *graph, err error) {
	p := &dotParser{rest: text, graph: graph{nodes: map[string]map[string]string{}, clusters: map[string]string{}}}
	defer func() {
		if problem := recover(); problem != nil {
			g, err = nil, fmt.Errorf("%v before %.60q", problem, p.rest)
		}
	}()
	p.next()
	p.want("graph")
	p.want("{")
	p.statements(&p.graph.label)
	p.want("}")
	if p.token != "" {
		panic("more after the graph")
	}
	return &p.graph, nil
}

func (p *dotParser) next() {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\n")
		if !strings.HasPrefix(p.rest, "//") {
			break
		}
		_, p.rest, _ = strings.Cut(p.rest, "\n")
	}
	p.token = dotToken.FindString(p.rest)
	if p.token == "" && p.rest != "" {
		panic("no token")
	}
	p.rest = p.rest[len(p.token):]
	if p.token != "<" {
		return
	}
	for depth := 1; depth > 0; { // an HTML string ends with its own >
		i := strings.IndexAny(p.rest, "<>")
		if i < 0 {
			panic("an HTML string without an end")
		}
		depth += map[byte]int{'<': 1, '>': -1}[p.rest[i]]
		p.token += p.rest[:i+1]
		p.rest = p.rest[i+1:]
	}
}

func (p *dotParser) want(token string) {
	if p.token != token {
		panic("want " + token + ", have " + p.token)
	}
	p.next()
}

// value takes an id, or a string, which it gives as text.
func (p *dotParser) value() string {
	v := p.token
	switch {
	case v == "" || strings.ContainsAny(v[:1], "{}[]=:;,") || v == "--":
		panic("want a value, have " + v)
	case v[0] == '"':
		v = strings.Trim(v, `"`)
	case v[0] == '<':
		v = markupText(v[1 : len(v)-1])
	}
	p.next()
	return v
}

func (p *dotParser) statements(label *string) {
	for p.token != "}" {
		id := p.value()
		switch {
		case p.token == "=":
			p.next()
			if v := p.value(); id == "label" {
				*label = v
			}
		case id == "subgraph":
			name := p.value()
			p.want("{")
			var label string
			p.statements(&label)
			p.want("}")
			p.graph.clusters[name] = label
		case p.token == "--" || p.token == ":":
			from := id + p.port()
			p.want("--")
			to := p.value()
			to += p.port()
			p.graph.edges = append(p.graph.edges, graphEdge{from, to, p.attributes()})
		case id == "node" || id == "edge" || id == "graph":
			p.attributes()
		default:
			if p.graph.nodes[id] != nil {
				panic("node " + id + " twice")
			}
			p.graph.nodes[id] = p.attributes()
		}
	}
}

func (p *dotParser) port() string {
	if p.token != ":" {
		return ""
	}
	p.next()
	return ":" + p.value()
}

func (p *dotParser) attributes() map[string]string {
	out := map[string]string{}
	p.want("[")
	for p.token != "]" {
		name := p.value()
		p.want("=")
		if name == "label" && p.token[0] == '<' {
			for _, m := range regexp.MustCompile(` port="(\w+)"`).FindAllStringSubmatch(p.token, -1) {
				out["port "+m[1]] = "there"
			}
		}
		out[name] = p.value()
	}
	p.want("]")
	return out
}

// markupText reads an HTML-like label as Graphviz does: as XML, and then its own
// escapes, of which only \\ may be there. Rows and lines end with a newline.
func markupText(markup string) string {
	d := xml.NewDecoder(strings.NewReader("<label>" + markup + "</label>"))
	var b strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			panic(fmt.Sprintf("%v in %q", err, markup))
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			if !slices.Contains([]string{"label", "b", "br", "table", "tr", "td", "font"}, token.Name.Local) {
				panic("an element " + token.Name.Local)
			}
		case xml.EndElement:
			if token.Name.Local == "br" || token.Name.Local == "td" {
				b.WriteByte('\n')
			}
		default:
			panic(fmt.Sprintf("%T in %q", token, markup))
		}
	}
	text := b.String()
	if strings.Contains(strings.ReplaceAll(text, `\\`, ""), `\`) {
		panic("a backslash alone in " + text)
	}
	return strings.ReplaceAll(text, `\\`, `\`)
}

// asXML is a name as a picture shows it: two characters cannot be written.
func asXML(name string) string {
	return strings.NewReplacer("\ufffe", "\ufffd", "\uffff", "\ufffd").Replace(name)
}

// checkDot reads what Dot writes, and looks for everything that should be there.
func checkDot(t *testing.T, s *topology.Spec) {
	t.Helper()
	text := string(Dot(s))
	g, err := parseDot(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if g.label != title(s) {
		t.Errorf("label %q, want %q", g.label, title(s))
	}
	all := []string{}
	for _, n := range g.nodes {
		all = append(all, strings.Split(n["label"], "\n")...)
	}
	for _, label := range g.clusters {
		all = append(all, label)
	}
	has := func(what string) {
		if !slices.Contains(all, asXML(what)) {
			t.Errorf("%q is nowhere in\n%s", what, text)
		}
	}
	for _, n := range s.Namespaces {
		has(n.Name)
	}
	for _, b := range s.Bridges {
		has(b.Name)
	}
	if len(g.edges) != len(s.Veths) {
		t.Fatalf("%d lines, %d pairs", len(g.edges), len(s.Veths))
	}
	for i, e := range g.edges {
		v := s.Veths[i]
		for _, end := range []struct{ at, label, name string }{{e.from, e.attributes["taillabel"], v.A.Name}, {e.to, e.attributes["headlabel"], v.B.Name}} {
			id, port, _ := strings.Cut(end.at, ":")
			if n := g.nodes[id]; n == nil || port != "" && n["port "+port] == "" {
				t.Errorf("a line ends at %s, which is not there", end.at)
			}
			if want := asXML(end.name); end.label != want {
				t.Errorf("the end of a line is called %q, want %q", end.label, want)
			}
		}
		for _, cidr := range append(v.A.Addresses, v.B.Addresses...) {
			has(cidr)
		}
	}
}

func TestDot(t *testing.T) {
	checkDot(t, twoSites())
	checkDot(t, &topology.Spec{})
	checkDot(t, star(50))
	g, err := parseDot(string(Dot(twoSites())))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.clusters, map[string]string{"cluster_place3": "site2", "cluster_place4": "host"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("frames %v, want %v", got, want)
	}
	if got, want := g.nodes["place0"]["label"], "A\neth0\n10.1.0.1/24\n2001:db8:1::1/64\n02:00:00:00:00:0a\nspare\ndown\ndefault via 10.1.0.254\n10.8.0.0/16 dev spare\n"; got != want {
		t.Errorf("A is %q, want %q", got, want)
	}
	if e := g.edges[0]; e.from != "place0:link0" || e.to != "bridge0" || e.attributes["style"] != "" {
		t.Errorf("%+v", e)
	}
	if e := g.edges[4]; e.attributes["style"] != "dashed" {
		t.Errorf("a pair that is down: %+v", e)
	}
}

// TestDotParser: a reader that takes everything would test nothing.
func TestDotParser(t *testing.T) {
	for _, bad := range []string{
		"", "graph {", "graph { a [label=<x>] } }", "graph { a [label=<<b>x>] }", "graph { a [label=<x & y>] }", `graph { a [label=<\N>] }`,
		"graph { a [label=<x>>] }", `graph { a [label="x] }`, "graph { a -- }", "graph { a [label=it's] }", "graph { a [label=<<blink>x</blink>>] }", "graph { a [x=1] a [x=2] }",
	} {
		if g, err := parseDot(bad); err == nil {
			t.Errorf("%s was read as %+v", bad, g)
		}
	}
}
