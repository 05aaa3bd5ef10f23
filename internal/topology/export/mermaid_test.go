package export

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// A label has nothing in it that Mermaid, HTML or Markdown would act upon.
const mermaidLabel = `"((?:[\p{L}\p{Nd} ./:,_-]|#[0-9]+;|<br>)*)"`

var (
	mermaidNode  = regexp.MustCompile(`^\t+(place\d+|bridge\d+)(?:\[` + mermaidLabel + `\]|\{\{` + mermaidLabel + `\}\})$`)
	mermaidFrame = regexp.MustCompile(`^\tsubgraph (frame_place\d+)\[` + mermaidLabel + `\]$`)
	mermaidEdge  = regexp.MustCompile(`^\t(\w+) (---|-\.-)\|"((?:[\p{L}\p{Nd} ./:,_-]|#[0-9]+;)+) – ((?:[\p{L}\p{Nd} ./:,_-]|#[0-9]+;)+)"\| (\w+)$`)
	entity       = regexp.MustCompile(`#([0-9]+);`)
)

// mermaidPlain is a label as it is drawn.
func mermaidPlain(label string) string {
	return entity.ReplaceAllStringFunc(label, func(e string) string {
		n, err := strconv.Atoi(e[1 : len(e)-1])
		if err != nil {
			panic(err)
		}
		return string(rune(n))
	})
}

// checkMermaid reads what Mermaid writes, line by line, and looks for everything
// that should be there.
func checkMermaid(t *testing.T, s *topology.Spec) {
	t.Helper()
	text := string(Mermaid(s))
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if name := title(s); name != "" {
		var got string
		if lines[0] != "---" || lines[2] != "---" || json.Unmarshal([]byte(strings.TrimPrefix(lines[1], "title: ")), &got) != nil || got != name {
			t.Fatalf("title:\n%s", text)
		}
		lines = lines[3:]
	}
	if lines[0] != "flowchart LR" {
		t.Fatalf("no flowchart:\n%s", text)
	}
	nodes, shown, open := map[string]bool{}, []string{}, 0
	edges := 0
	for _, line := range lines[1:] {
		if m := mermaidNode.FindStringSubmatch(line); len(m) > 1 && !nodes[m[1]] {
			nodes[m[1]] = true
			for part := range strings.SplitSeq(m[2]+m[3], "<br>") {
				shown = append(shown, mermaidPlain(part))
			}
		} else if m := mermaidFrame.FindStringSubmatch(line); m != nil {
			open++
			shown = append(shown, mermaidPlain(m[2]))
		} else if line == "\tend" {
			open--
		} else if m := mermaidEdge.FindStringSubmatch(line); m != nil {
			v := s.Veths[edges]
			edges++
			if !nodes[m[1]] || !nodes[m[5]] || mermaidPlain(m[3]) != v.A.Name || mermaidPlain(m[4]) != v.B.Name {
				t.Errorf("%s is not the pair %+v", line, v)
			}
		} else {
			t.Fatalf("not understood: %s\nin\n%s", line, text)
		}
	}
	if open != 0 || edges != len(s.Veths) {
		t.Errorf("%d frames open, %d lines for %d pairs\n%s", open, edges, len(s.Veths), text)
	}
	has := func(what string) {
		if !slices.ContainsFunc(shown, func(line string) bool { return line == what || strings.HasPrefix(line, what+" ") }) {
			t.Errorf("%q is nowhere in\n%s", what, text)
		}
	}
	for _, n := range s.Namespaces {
		has(n.Name)
	}
	for _, b := range s.Bridges {
		has(b.Name)
	}
}

func TestMermaid(t *testing.T) {
	checkMermaid(t, twoSites())
	checkMermaid(t, &topology.Spec{})
	checkMermaid(t, star(50))
	if got := string(Mermaid(star(501))); !strings.Contains(got, "\n%% Mermaid draws this only where maxEdges is 501 ") {
		t.Errorf("nothing is said of the limits: %.200s", got)
	}
	if got := string(Mermaid(twoSites())); strings.Contains(got, "%%") {
		t.Errorf("a small lab is called big: %.200s", got)
	}
}
