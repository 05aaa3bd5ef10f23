package export

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"netdash/internal/topology"
)

// containerlabImage has iproute2.
const containerlabImage = "ghcr.io/hellt/network-multitool"

// Containerlab writes a valid Spec as a containerlab topology, as far as it can
// be one: a namespace is a container of kind linux, a bridge on the host a node
// of kind bridge, a veth pair a link; all else inside a namespace is a command
// that its container executes. containerlab does not configure the host: what
// is to be done there is listed as comments at the top, with all that is not as
// in the Spec.
//
// It follows the documents and the code of containerlab 0.71, of October 2025.
func Containerlab(s *topology.Spec) []byte {
	s = plain(s)
	c := newContainerlab(s)
	var b strings.Builder
	c.comments(&b, s)
	fmt.Fprintf(&b, "name: %s\n\ntopology:\n", yamlText(FileName(s.Name)))
	if len(s.Namespaces) > 0 {
		b.WriteString("  kinds:\n    linux:\n      image: " + containerlabImage + "\n")
		b.WriteString("      network-mode: none # without the management network, whose eth0 is one more link\n")
	}
	if len(c.nodes) > 0 {
		b.WriteString("  nodes:\n")
	} else {
		b.WriteString("  nodes: {}\n")
	}
	for _, n := range c.nodes {
		fmt.Fprintf(&b, "    %s:\n      kind: %s\n", yamlText(n.name), n.kind)
		for i, line := range n.exec {
			if i == 0 {
				b.WriteString("      exec:\n")
			}
			b.WriteString("        - " + yamlText(line) + "\n")
		}
	}
	for i, l := range c.links {
		if i == 0 {
			b.WriteString("  links:\n")
		}
		b.WriteString(l.yaml())
	}
	return []byte(b.String())
}

// comments writes what somebody has to know and to do.
func (c *containerlab) comments(b *strings.Builder, s *topology.Spec) {
	line := func(text string) { b.WriteString(strings.TrimRight("# "+text, " ") + "\n") }
	// The file is a Go template first, comments included.
	name := strings.ReplaceAll(title(s), "{", "(")
	if name == "" {
		name = "A lab without a name"
	}
	line(name)
	line("")
	line("A topology for containerlab (0.71): containerlab deploy -t " + FileName(s.Name) + ".clab.yml")
	line("The image is one that has iproute2.")
	if len(c.before)+len(c.after)+len(c.notes) == 0 {
		line("Nothing was left out.")
	}
	list := func(items []string, heading ...string) {
		if len(items) == 0 {
			return
		}
		line("")
		for _, text := range heading {
			line(text)
		}
		for _, item := range items {
			line("  " + inert(item))
		}
	}
	list(c.before, "Left out, because containerlab makes no bridges on the host, nor links between two places",
		"there. Before deploying, as root:")
	list(c.after, "Left out, because containerlab makes links to the host, but does not configure them. After", "deploying, as root:")
	list(c.notes, "Not as in the lab:")
	b.WriteString("\n")
}

// yaml writes a link: in one line, or in the long form that has room for MAC
// addresses.
func (l *containerlabLink) yaml() string {
	if l.ends[0].MAC+l.ends[1].MAC == "" || l.nodes[1] == topology.HostName && l.ends[0].MAC == "" {
		return fmt.Sprintf("    - endpoints: [%s, %s]\n      mtu: %d\n",
			yamlQuoted(l.nodes[0]+":"+l.ends[0].Name), yamlQuoted(l.nodes[1]+":"+l.ends[1].Name), l.mtu)
	}
	end := func(i int) string {
		text := "{node: " + yamlQuoted(l.nodes[i]) + ", interface: " + yamlQuoted(l.ends[i].Name)
		if l.ends[i].MAC != "" {
			text += ", mac: " + yamlQuoted(l.ends[i].MAC)
		}
		return text + "}"
	}
	if l.nodes[1] == topology.HostName {
		return fmt.Sprintf("    - type: host\n      endpoint: %s\n      host-interface: %s\n      mtu: %d\n", end(0), yamlQuoted(l.ends[1].Name), l.mtu)
	}
	return fmt.Sprintf("    - type: veth\n      endpoints:\n        - %s\n        - %s\n      mtu: %d\n", end(0), end(1), l.mtu)
}

// plainYAML is text that YAML takes for a string as it is, unless it is one of
// the words that mean something else.
var (
	plainYAML = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9 ._/:@+=-]*[a-zA-Z0-9])?$`)
	wordsYAML = []string{"true", "false", "yes", "no", "on", "off", "y", "n", "null"}
)

func yamlText(s string) string {
	if plainYAML.MatchString(s) && !strings.Contains(s, ": ") && !slices.Contains(wordsYAML, strings.ToLower(s)) {
		return s
	}
	return yamlQuoted(s)
}

// yamlQuoted writes a double-quoted string. Before containerlab reads the file
// as YAML it is a Go template, and $ stands for the environment: both must not
// see their characters.
func yamlQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '{' || r == '$':
			fmt.Fprintf(&b, `\x%02x`, r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// inert keeps a command in a comment from being taken for a template or a
// variable. A { is always between single quotes there, which can be closed and
// opened again.
func inert(command string) string {
	if strings.Contains(command, "{{") || strings.Contains(command, "${") {
		return strings.ReplaceAll(command, "{", "''{")
	}
	return command
}
