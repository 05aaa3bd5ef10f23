// Package document reads and writes a topology.Spec as a document: YAML or
// JSON. It reports everything that is wrong with one at once, each thing with
// its line and column.
//
// A document is first read into nodes, which know where they stand, from JSON by
// encoding/json and from YAML by goccy/go-yaml; then the nodes into a Spec. Of
// YAML it takes what JSON can say as well: one document, without anchors,
// aliases, tags and directives.
package document

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"netdash/internal/topology"
)

// maxDepth bounds how deeply a document is nested; a Spec needs six levels.
const maxDepth = 32

// Parse reads a Spec from YAML or JSON. What is neither, or empty, gives a
// topology.Error of code malformed; what cannot be a valid Spec one of code
// invalid, whose Fields are everything that is wrong with it, in the order of
// the text, up to topology.MaxFields.
func Parse(text []byte) (*topology.Spec, error) {
	return read(text, parse)
}

// ParseJSON is Parse for what has to be JSON.
func ParseJSON(text []byte) (*topology.Spec, error) {
	return read(text, parseJSON)
}

// Locate gives line and column, from 1, of what a JSON pointer points at in a
// document that Parse has read; 0, 0 where it has no such thing.
func Locate(text []byte, pointer string) (line, column int) {
	root, err := parse(text)
	if err != nil {
		return 0, 0
	}
	n, whole := root.at(pointer)
	if !whole {
		return 0, 0
	}
	return n.line, n.column
}

func read(text []byte, parse func([]byte) (*node, error)) (*topology.Spec, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	var spec topology.Spec
	d := decoder{}
	d.spec(root, &spec)
	if !d.lost() {
		d.judge(root, &spec)
	}
	if len(d.wrong) == 0 {
		return &spec, nil
	}
	slices.SortStableFunc(d.wrong, func(a, b topology.FieldError) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	e := &topology.Error{Code: topology.CodeInvalid, Detail: "the document is not valid", Fields: d.wrong}
	if len(e.Fields) >= topology.MaxFields {
		e.Fields = e.Fields[:topology.MaxFields]
		e.Detail = fmt.Sprintf("the document is not valid; only %d of its mistakes are listed", topology.MaxFields)
	}
	return nil, e
}

// judge adds what topology.Validate finds, but for what has been said already of
// the same place or of one around it.
func (d *decoder) judge(root *node, spec *topology.Spec) {
	e, ok := errors.AsType[*topology.Error](topology.Validate(spec))
	if !ok {
		return
	}
	said := map[string]bool{}
	for _, f := range d.wrong {
		said[f.Pointer] = true
	}
	for _, f := range e.Fields {
		if !coveredBy(said, f.Pointer) {
			n, _ := root.at(f.Pointer)
			f.Line, f.Column = n.line, n.column
			if strings.HasSuffix(f.Pointer, "/namespace") {
				f.Detail += ": list it under namespaces"
			}
			d.wrong = append(d.wrong, f)
		}
	}
}

func coveredBy(said map[string]bool, pointer string) bool {
	for pointer != "" && !said[pointer] {
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
	return pointer != ""
}

// parse reads YAML or JSON. What begins like JSON is tried as such first: that is
// faster, and what most programs send.
func parse(text []byte) (*node, error) {
	text, err := plain(text)
	if err != nil {
		return nil, err
	}
	start := bytes.TrimLeft(text, whiteSpace)
	if start[0] != '{' && start[0] != '[' {
		return parseYAML(text)
	}
	root, jsonErr := parseJSON(text)
	if jsonErr == nil || topology.CodeOf(jsonErr) == topology.CodeTooLarge {
		return root, jsonErr
	}
	root, err = parseYAML(text)
	if err != nil && bytes.HasPrefix(bytes.TrimLeft(start[1:], whiteSpace), []byte{'"'}) {
		return nil, jsonErr // it was meant to be JSON
	}
	return root, err
}

const whiteSpace = " \t\r\n"

// plain gives a text without its byte order mark, after checking what holds for
// any document.
func plain(text []byte) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch {
	case len(bytes.Trim(text, whiteSpace)) == 0:
		return nil, empty()
	case !utf8.Valid(text):
		valid := 0
		for r, size := utf8.DecodeRune(text); r != utf8.RuneError || size != 1; r, size = utf8.DecodeRune(text[valid:]) {
			valid += size
		}
		line, column := position(text, valid)
		return nil, malformed(line, column, "this is not UTF-8")
	}
	return text, nil
}

// position gives line and column of a byte.
func position(text []byte, at int) (line, column int) {
	before := text[:at]
	line = 1 + bytes.Count(before, []byte{'\n'})
	return line, 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

func empty() error {
	return topology.Errorf(topology.CodeMalformed, "", "the document is empty").WithHint("a topology with nothing in it is written {}")
}

// malformed says where a text stops being a document.
func malformed(line, column int, format string, args ...any) *topology.Error {
	detail := fmt.Sprintf(format, args...)
	e := topology.Errorf(topology.CodeMalformed, "", "line %d, column %d: %s", line, column, detail)
	e.Fields = []topology.FieldError{{Detail: detail, Line: line, Column: column}}
	return e
}
