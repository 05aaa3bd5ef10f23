package document

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds on what is handed to the YAML library, which takes some 600 bytes of
// memory for each token, and whose time grows with the square of the depth and
// of the fields of one object.
const (
	maxMarks = 1 << 19 // bytes that can end a token: far more than there are in 10 000 namespaces
	maxKeys  = 100     // fields of one object; a bridge has the most, 18
)

// parseYAML reads YAML into nodes.
func parseYAML(text []byte) (*node, error) {
	marks := 0
	for _, b := range text {
		if strings.IndexByte("\n:-,[]{}\"'#&*!|>?%", b) >= 0 {
			marks++
		}
	}
	if marks > maxMarks {
		return nil, tooMuch("the document has too many values to be read as YAML").WithHint("send it as JSON")
	}
	tokens := lexer.Tokenize(string(text))
	if err := guard(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlProblem(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, empty()
	}
	return yamlNode(file.Docs[0].Body)
}

// yamlProblem says where a text stops being YAML. The library's own rendering
// of its error takes as long as the document is large.
func yamlProblem(err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		p := e.GetToken().Position
		return malformed(p.Line, p.Column, "this is not YAML: %s", e.GetMessage())
	}
	return malformed(1, 1, "this is not YAML")
}

// guard refuses what could make reading a document take forever, and what a Spec
// has no use for.
func guard(tokens token.Tokens) error {
	var g guardian
	for _, t := range tokens {
		if err := g.see(t); err != nil {
			return err
		}
		g.last = t
	}
	return nil
}

// guardian follows which collections are open.
type guardian struct {
	open    []collection
	last    *token.Token
	started bool // there has been something of the document
	headed  bool // there has been a ---
	ended   bool // there has been a ...
}

type collection struct {
	flow   bool // in brackets or braces
	column int  // of a block's dashes or keys
	keys   int
}

var refused = map[token.Type]string{
	token.AnchorType:     "anchors are not read: write it out",
	token.AliasType:      "aliases are not read: write it out (a text that begins with * needs quotes)",
	token.TagType:        "tags are not read (a text that begins with ! needs quotes)",
	token.MergeKeyType:   "merge keys are not read: write it out",
	token.MappingKeyType: "keys marked with ? are not read",
	token.DirectiveType:  "directives are not read",
}

func (g *guardian) see(t *token.Token) error {
	line, column := t.Position.Line, t.Position.Column
	fail := func(what string) error { return malformed(line, column, "%s", what) }
	if what := refused[t.Type]; what != "" {
		return fail(what)
	}
	switch t.Type {
	case token.CommentType:
		return nil
	case token.DocumentHeaderType:
		if g.started || g.headed {
			return fail("only one document is read")
		}
		g.headed = true
		return nil
	case token.DocumentEndType:
		g.ended = true
		return nil
	case token.MappingStartType, token.SequenceStartType:
		g.open = append(g.open, collection{flow: true})
	case token.MappingEndType, token.SequenceEndType:
		if g.inFlow() {
			g.open = g.open[:len(g.open)-1]
		}
	case token.SequenceEntryType:
		if !g.inFlow() {
			g.block(column)
		}
	case token.MappingValueType:
		if !g.inFlow() && g.last != nil {
			g.block(g.last.Position.Column)
		}
		if len(g.open) > 0 {
			top := &g.open[len(g.open)-1]
			if top.keys++; top.keys > maxKeys {
				return fail("this object has more fields than any can have")
			}
		}
	default:
	}
	if g.ended {
		return fail("only one document is read")
	}
	g.started = true
	if len(g.open) > maxDepth {
		return tooDeep(line, column)
	}
	return nil
}

func (g *guardian) inFlow() bool { return len(g.open) > 0 && g.open[len(g.open)-1].flow }

// block closes the blocks that end before a dash or key in that column, and
// opens the one it is the first of.
func (g *guardian) block(column int) {
	top := len(g.open) - 1
	for top >= 0 && g.open[top].column > column {
		top--
	}
	g.open = g.open[:top+1]
	if top < 0 || g.open[top].column < column {
		g.open = append(g.open, collection{column: column})
	}
}

// yamlNode makes a node of one of the library's. What guard has let through is
// no deeper than it should be.
func yamlNode(n ast.Node) (*node, error) {
	p := n.GetToken().Position
	out := &node{line: p.Line, column: p.Column, text: n.GetToken().Value}
	switch n := n.(type) {
	case *ast.MappingNode:
		return yamlObject(out, n.IsFlowStyle, n.Values)
	case *ast.MappingValueNode: // an object of one field
		return yamlObject(out, n.IsFlowStyle, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		out.kind = list
		for _, v := range n.Values {
			item := rejoined(v)
			if item == nil {
				var err error
				if item, err = yamlNode(v); err != nil {
					return nil, err
				}
			}
			out.items = append(out.items, item)
		}
	case *ast.StringNode:
		out.kind, out.text = str, n.Value
	case *ast.LiteralNode:
		out.kind, out.text = str, n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		out.kind = number
	case *ast.BoolNode:
		out.kind = boolean
	case *ast.NullNode:
		out.kind = null
	default:
		return nil, malformed(p.Line, p.Column, "this is not read here")
	}
	return out, nil
}

// rejoined gives the text that the library has taken apart: in a list inside of
// braces it reads fd00::1/64 as an object, though YAML has one begin with a
// colon and a space. It gives nil for what is anything else.
func rejoined(v ast.Node) *node {
	m, ok := v.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) != 1 {
		return nil
	}
	key, rest := m.Values[0].Key.GetToken(), m.Values[0].Value.GetToken()
	if _, scalar := m.Values[0].Value.(ast.ScalarNode); !scalar || isQuoted(key) || isQuoted(rest) {
		return nil
	}
	at := key.Position
	if rest.Position.Line != at.Line || rest.Position.Column != at.Column+utf8.RuneCountInString(key.Value)+1 {
		return nil
	}
	return &node{kind: str, line: at.Line, column: at.Column, text: key.Value + ":" + rest.Value}
}

func isQuoted(t *token.Token) bool {
	return t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
}

func yamlObject(out *node, flow bool, values []*ast.MappingValueNode) (*node, error) {
	out.kind = object
	for _, v := range values {
		key := v.Key.GetToken()
		f := field{key: key.Value, line: key.Position.Line, column: key.Position.Column}
		if s, ok := v.Key.(*ast.StringNode); ok {
			f.key = s.Value
		}
		value, err := yamlNode(v.Value)
		if err != nil {
			return nil, err
		}
		if n, ok := v.Value.(*ast.NullNode); ok && n.GetToken().Type == token.ImplicitNullType {
			value.line, value.column = f.line, f.column // nothing stands nowhere
		}
		f.value = value
		out.fields = append(out.fields, f)
	}
	if !flow && len(out.fields) > 0 {
		out.line, out.column = out.fields[0].line, out.fields[0].column
	}
	return out, nil
}
