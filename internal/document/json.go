package document

import (
	"bytes"
	"encoding/json"
	"errors"

	"netdash/internal/topology"
)

// maxNodes bounds the values of a JSON document, and with them the memory that
// reading it takes. A thousand namespaces plugged into a bridge have 15 000.
const maxNodes = 1 << 20

// parseJSON reads JSON into nodes.
func parseJSON(text []byte) (*node, error) {
	text, err := plain(text)
	if err != nil {
		return nil, err
	}
	var whole json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, jsonProblem(text, err)
	}
	r := jsonReader{text: text, line: 1}
	r.next()
	return r.value(0)
}

// jsonProblem says where a text stops being JSON.
func jsonProblem(text []byte, err error) error {
	e, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return &topology.Error{Code: topology.CodeMalformed, Detail: "this is not JSON", Err: err}
	}
	at := len(bytes.TrimRight(text, whiteSpace))
	if int(e.Offset) <= at {
		at = int(e.Offset) - 1 // it counts what has been read, the offending byte too
	}
	line, column := position(text, at)
	return malformed(line, column, "this is not JSON: %s", e.Error())
}

// jsonReader makes nodes of a text that is known to be JSON, so it need not
// look where that leaves no choice.
type jsonReader struct {
	text  []byte
	nodes int

	at     int // where the next token begins
	line   int
	passed int // characters before it in its line
}

// next moves to the next token.
func (r *jsonReader) next() {
	for ; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '\n':
			r.line, r.passed = r.line+1, 0
		case ' ', '\t', '\r', ',', ':':
			r.passed++
		default:
			return
		}
	}
}

// take moves over a token of so many bytes, to the next, and gives the token.
func (r *jsonReader) take(size int) []byte {
	token := r.text[r.at : r.at+size]
	for _, b := range token {
		if b&0xc0 != 0x80 { // the first byte of a character
			r.passed++
		}
	}
	r.at += size
	r.next()
	return token
}

func (r *jsonReader) value(depth int) (*node, error) {
	if r.nodes++; r.nodes > maxNodes {
		return nil, tooMuch("the document has more than %d values", maxNodes)
	}
	n := &node{line: r.line, column: r.passed + 1}
	switch r.text[r.at] {
	case '{', '[':
		if depth == maxDepth {
			return nil, tooDeep(n.line, n.column)
		}
		return n, r.collection(n, depth+1)
	case '"':
		n.kind, n.text = str, r.string()
	case 't', 'n':
		n.kind, n.text = boolean, string(r.take(4))
		if n.text == "null" {
			n.kind = null
		}
	case 'f':
		n.kind, n.text = boolean, string(r.take(5))
	default:
		size := bytes.IndexAny(r.text[r.at:], whiteSpace+",]}")
		if size < 0 {
			size = len(r.text) - r.at
		}
		n.kind, n.text = number, string(r.take(size))
	}
	return n, nil
}

// collection reads an object or a list.
func (r *jsonReader) collection(n *node, depth int) error {
	n.kind = list
	if r.take(1)[0] == '{' {
		n.kind = object
	}
	for r.text[r.at] != '}' && r.text[r.at] != ']' {
		f := field{line: r.line, column: r.passed + 1}
		if n.kind == object {
			f.key = r.string()
		}
		var err error
		if f.value, err = r.value(depth); err != nil {
			return err
		}
		if n.kind == object {
			n.fields = append(n.fields, f)
		} else {
			n.items = append(n.items, f.value)
		}
	}
	r.take(1)
	return nil
}

// string reads a string.
func (r *jsonReader) string() string {
	size, escaped := 1, false
	for ; r.text[r.at+size] != '"'; size++ {
		if r.text[r.at+size] == '\\' {
			escaped = true
			size++ // what follows cannot end it
		}
	}
	token := r.take(size + 1)
	if !escaped {
		return string(token[1:size])
	}
	var s string
	_ = json.Unmarshal(token, &s) // it is known to be one
	return s
}

func tooDeep(line, column int) error {
	return malformed(line, column, "this is nested too deeply; a topology needs six levels")
}

func tooMuch(format string, args ...any) *topology.Error {
	return topology.Errorf(topology.CodeTooLarge, "", format, args...)
}
