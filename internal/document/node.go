package document

import (
	"strconv"
	"strings"
)

// node is a value of a document, and where it begins. Lines and columns count
// from 1, columns in characters.
type node struct {
	kind         kind
	line, column int
	text         string  // of a scalar: a string's value, anything else as it is written
	fields       []field // of an object, in order, repeated ones too
	items        []*node // of a list
}

// field is a field of an object, and where its key begins.
type field struct {
	key          string
	line, column int
	value        *node
}

// kind is what a node is, in JSON's terms.
type kind uint8

const (
	object kind = iota
	list
	str
	number
	boolean
	null
)

// at finds what a JSON pointer (RFC 6901) points at, or else, not whole, the
// last thing on the way there.
func (n *node) at(pointer string) (found *node, whole bool) {
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		next := n.child(unescape.Replace(key))
		if next == nil {
			return n, pointer == ""
		}
		n = next
	}
	return n, true
}

var (
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
)

// child gives the field of that name, the first if there are several, or the
// item of that number; nil if there is none.
func (n *node) child(key string) *node {
	for i := range n.fields {
		if n.fields[i].key == key {
			return n.fields[i].value
		}
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.items) {
		return n.items[i]
	}
	return nil
}
