package export

import (
	"fmt"
	"html"
	"strings"

	"netdash/internal/topology"
)

// Dot writes a valid Spec for Graphviz: a box for each namespace with its links
// and addresses, an ellipse for each bridge, a line for each veth pair. What
// is plugged into a bridge is a line with the port's name at its end.
func Dot(s *topology.Spec) []byte {
	d := draw(s)
	var b strings.Builder
	file := FileName(s.Name)
	fmt.Fprintf(&b, "// Draw it with Graphviz: dot -Tsvg %s.dot >%s.svg\n", file, file)
	b.WriteString("// For a lab with many namespaces: sfdp -Goverlap=prism in place of dot.\n")
	b.WriteString("graph {\n")
	if name := title(s); name != "" {
		fmt.Fprintf(&b, "\tlabel=%s labelloc=t fontsize=18\n", htmlLabel(dotText(name)))
	}
	b.WriteString("\trankdir=LR nodesep=0.4 ranksep=1.2 fontname=\"Helvetica\"\n")
	b.WriteString("\tnode [fontname=\"Helvetica\" fontsize=11]\n")
	b.WriteString("\tedge [fontname=\"Helvetica\" fontsize=9]\n\n")
	for _, p := range d.places {
		dotPlace(&b, p)
	}
	for i, c := range d.cables {
		if i == 0 {
			b.WriteString("\n")
		}
		style := ""
		if !c.up {
			style = " style=dashed"
		}
		fmt.Fprintf(&b, "\t%s -- %s [taillabel=%s headlabel=%s%s]\n", dotTip(c.a), dotTip(c.b),
			htmlLabel(dotText(c.a.name)), htmlLabel(dotText(c.b.name)), style)
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

// dotPlace writes the box of a namespace; within a frame, where it has bridges.
func dotPlace(b *strings.Builder, p *place) {
	indent := "\t"
	if p.framed() {
		fmt.Fprintf(b, "\tsubgraph cluster_%s {\n\t\tlabel=%s fontsize=12 style=\"rounded,dashed\" color=gray50\n", p.id, htmlLabel("<b>"+dotText(p.name)+"</b>"))
		indent = "\t\t"
	}
	for _, bridge := range p.bridges {
		fmt.Fprintf(b, "%s%s [shape=ellipse style=filled fillcolor=\"#e3f0e3\" label=%s]\n", indent, bridge.id, htmlLabel(dotRow(bridge.row)))
	}
	if p.hasBox() {
		fmt.Fprintf(b, "%s%s [shape=plain label=%s]\n", indent, p.id, htmlLabel(dotTable(p)))
	}
	if p.framed() {
		b.WriteString("\t}\n")
	}
}

// dotTable is a namespace's box: its name, unless the frame has it, its links,
// its routes.
func dotTable(p *place) string {
	var b strings.Builder
	b.WriteString(`<table border="0" cellborder="1" cellspacing="0" cellpadding="5">`)
	if !p.framed() {
		fmt.Fprintf(&b, `<tr><td bgcolor="#dfe9f5"><b>%s</b></td></tr>`, dotText(p.name))
	}
	for _, r := range p.links {
		port := ""
		if r.id != "" {
			port = ` port="` + r.id + `"`
		}
		fmt.Fprintf(&b, `<tr><td%s>%s</td></tr>`, port, dotRow(r))
	}
	for _, r := range p.routes {
		fmt.Fprintf(&b, `<tr><td><font color="gray35">%s</font></td></tr>`, dotText(r))
	}
	b.WriteString("</table>")
	return b.String()
}

func dotRow(r row) string {
	text := "<b>" + dotText(r.name) + "</b>"
	for _, line := range r.details {
		text += "<br/>" + dotText(line)
	}
	return text
}

func dotTip(t tip) string {
	if t.row == "" {
		return t.box
	}
	return t.box + ":" + t.row
}

// htmlLabel makes a label of HTML-like markup. All labels are, so that one way
// of writing text is enough.
func htmlLabel(markup string) string { return "<" + markup + ">" }

// dotText writes text for an HTML-like label, which Graphviz reads as XML 1.0
// and then once more for escapes of its own (\N is the node's name). XML has no
// way to write some characters; they become U+FFFD.
func dotText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xfffe || r == 0xffff {
			return '\ufffd'
		}
		return r
	}, s)
	return html.EscapeString(strings.ReplaceAll(s, `\`, `\\`))
}
