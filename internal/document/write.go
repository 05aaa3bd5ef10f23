package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// JSON writes a Spec as JSON.
func JSON(spec *topology.Spec) ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(spec); err != nil {
		return nil, fmt.Errorf("spec as JSON: %w", err)
	}
	return text.Bytes(), nil
}

// YAML writes a Spec as YAML, with the names and the order of its JSON. What is
// small is written on one line.
func YAML(spec *topology.Spec) ([]byte, error) {
	text, err := JSON(spec)
	if err != nil {
		return nil, err
	}
	root, err := parseJSON(text)
	if err != nil {
		return nil, fmt.Errorf("spec as YAML: %w", err)
	}
	if len(root.fields) == 0 {
		return []byte("{}\n"), nil
	}
	var w writer
	w.fields(root, 0)
	return w.text, nil
}

// lineLength is up to where an object or a list is written on one line.
const lineLength = 110

// writer writes nodes as YAML.
type writer struct{ text []byte }

func (w *writer) string(s string) { w.text = append(w.text, s...) }

func (w *writer) indent(by int) { w.string("                "[:by]) }

// fields writes the fields of an object below each other. The first begins
// where the writer is.
func (w *writer) fields(n *node, indent int) {
	for i, f := range n.fields {
		if i > 0 {
			w.indent(indent)
		}
		w.string(f.key)
		w.string(":")
		switch {
		case w.line(f.value, indent+len(f.key)):
		case f.value.kind == object:
			w.string("\n")
			w.indent(indent + 2)
			w.fields(f.value, indent+2)
		default:
			w.string("\n")
			w.items(f.value, indent+2)
		}
	}
}

func (w *writer) items(n *node, indent int) {
	for _, item := range n.items {
		w.indent(indent)
		w.string("-")
		if !w.line(item, indent) {
			w.string(" ")
			w.fields(item, indent+2)
		}
	}
}

// line writes a value, after a space, as the rest of a line, unless it is too
// large for one.
func (w *writer) line(n *node, column int) bool {
	begin := len(w.text)
	w.string(" ")
	if isSmall(n) {
		w.flow(n)
		if n.kind > list || column+len(w.text)-begin <= lineLength {
			w.string("\n")
			return true
		}
	}
	w.text = w.text[:begin]
	return false
}

// isSmall tells what reads well on one line: a scalar, a list of such, and an
// object of several of both.
func isSmall(n *node) bool {
	isScalar := func(n *node) bool { return n.kind > list }
	if n.kind == object {
		return len(n.fields) > 1 && !slices.ContainsFunc(n.fields, func(f field) bool {
			return !isScalar(f.value) && (f.value.kind == object || !isSmall(f.value))
		})
	}
	return !slices.ContainsFunc(n.items, func(item *node) bool { return !isScalar(item) })
}

// flow writes a value in one line.
func (w *writer) flow(n *node) {
	switch n.kind {
	case object:
		for i, f := range n.fields {
			w.string([]string{"{", ", "}[min(i, 1)] + f.key + ": ")
			w.flow(f.value)
		}
		w.string("}")
	case list:
		w.string("[")
		for i, item := range n.items {
			if i > 0 {
				w.string(", ")
			}
			w.flow(item)
		}
		w.string("]")
	case str:
		w.scalar(n.text)
	default:
		w.string(n.text)
	}
}

var (
	// plainText is what needs no quotes: names, and IPv4 addresses and prefixes.
	// What has colons gets them: YAML 1.1 takes 52:54:00:12:34:56 for a number of
	// base 60, and goccy/go-yaml [fd00:9::1/128] for a list of an object.
	plainText = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_.-]*|[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?)$`)
	// words are what YAML 1.1 or 1.2 takes for something other than text.
	words = strings.Fields("true false null yes no on off y n")
)

func (w *writer) scalar(s string) {
	if plainText.MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		w.string(s)
		return
	}
	// A JSON string is one of YAML's, but for what is not printable.
	var quoted bytes.Buffer
	e := json.NewEncoder(&quoted)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // cannot fail for a string
	w.string(strings.TrimSuffix(quoted.String(), "\n"))
}
