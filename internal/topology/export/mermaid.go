package export

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"netdash/internal/topology"
)

// Mermaid's own limits, which only the page that draws can raise: maxEdges of
// its configuration, and maxTextSize in characters.
const (
	mermaidEdges = 500
	mermaidSize  = 50000
)

// Mermaid writes a valid Spec as a Mermaid flowchart: a box for each namespace
// with its links and addresses, a hexagon for each bridge, a line for each veth
// pair with the names of both ends.
func Mermaid(s *topology.Spec) []byte {
	d := draw(s)
	var body strings.Builder
	body.WriteString("flowchart LR\n")
	for _, p := range d.places {
		mermaidPlace(&body, p)
	}
	for _, c := range d.cables {
		line := "---"
		if !c.up {
			line = "-.-"
		}
		fmt.Fprintf(&body, "\t%s %s|\"%s – %s\"| %s\n", c.a.box, line, mermaidText(c.a.name), mermaidText(c.b.name), c.b.box)
	}
	return []byte(mermaidHead(s, d, body.Len()) + body.String())
}

func mermaidHead(s *topology.Spec, d *drawing, size int) string {
	head := ""
	if name := title(s); name != "" {
		// What comes between the dashes is YAML, of which JSON is a part.
		quoted, err := json.Marshal(name)
		if err == nil {
			head = "---\ntitle: " + string(quoted) + "\n---\n"
		}
	}
	if len(d.cables) > mermaidEdges || size > mermaidSize {
		head += fmt.Sprintf("%%%% Mermaid draws this only where maxEdges is %d and maxTextSize %d at least.\n", len(d.cables), size)
	}
	return head
}

func mermaidPlace(b *strings.Builder, p *place) {
	indent := "\t"
	if p.framed() {
		fmt.Fprintf(b, "\tsubgraph frame_%s[\"%s\"]\n", p.id, mermaidText(p.name))
		indent = "\t\t"
	}
	for _, bridge := range p.bridges {
		fmt.Fprintf(b, "%s%s{{\"%s\"}}\n", indent, bridge.id, mermaidRow(bridge.row))
	}
	if p.hasBox() {
		var lines []string
		if !p.framed() {
			lines = append(lines, mermaidText(p.name))
		}
		for _, r := range p.links {
			lines = append(lines, mermaidRow(r))
		}
		for _, r := range p.routes {
			lines = append(lines, mermaidText(r))
		}
		fmt.Fprintf(b, "%s%s[\"%s\"]\n", indent, p.id, strings.Join(lines, "<br>"))
	}
	if p.framed() {
		b.WriteString("\tend\n")
	}
}

func mermaidRow(r row) string {
	text := mermaidText(r.name)
	for _, line := range r.details {
		text += " " + mermaidText(line)
	}
	return text
}

// mermaidText writes text for a label in quotes. All but letters, digits and a
// few signs become numbered entities (#34; is a quote): beside the quote and #
// itself, Mermaid's labels take HTML, Markdown and its own comments and
// directives for what they are.
func mermaidText(s string) string {
	var b strings.Builder
	var before rune
	for _, r := range s {
		plain := unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" -./:,", r)
		if r == '_' { // within a word it emphasises nothing
			plain = unicode.IsLetter(before) || unicode.IsDigit(before)
		}
		if plain {
			b.WriteRune(r)
		} else {
			b.WriteString("#" + strconv.Itoa(int(r)) + ";")
		}
		before = r
	}
	return b.String()
}
