package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every say() of the package names a reason that has a sentence, with the values that
// the sentence has places for; and no sentence is left over.
func TestSentences(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said, literals := map[string]bool{}, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "sentences.go" {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				literals[literal(n)] = true
			case *ast.CompositeLit:
				if is(n.Type, "Sentence") {
					t.Errorf("%s: a Sentence is made by say()", set.Position(n.Pos()))
				}
			case *ast.CallExpr:
				if is(n.Fun, "say") {
					reason := literal(n.Args[0])
					said[reason] = true
					checkSaid(t, set.Position(n.Pos()), reason, n.Args[1:])
				}
			}
			return true
		})
	}
	for key := range sentences {
		_, value, phrase := strings.Cut(key, ".")
		if phrase && !literals[value] || !phrase && !said[key] {
			t.Errorf("nothing says %q", key)
		}
	}
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func checkSaid(t *testing.T, at token.Position, reason string, values []ast.Expr) {
	t.Helper()
	sentence, ok := sentences[reason]
	if !ok {
		t.Errorf("%s: %q has no sentence", at, reason)
		return
	}
	var want, given []string
	for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
		want = append(want, m[1])
	}
	for i := 0; i < len(values); i += 2 {
		given = append(given, literal(values[i]))
	}
	slices.Sort(want)
	slices.Sort(given)
	if want = slices.Compact(want); len(values)%2 != 0 || !slices.Equal(want, given) {
		t.Errorf("%s: %q has places for %v; given are %v", at, reason, want, given)
	}
}

func is(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// literal is the text of a string literal; empty for any other expression, which
// then is no reason and no name of a value.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

// A mistake that the test above would find does not stop the server, and what a value
// looks like does not matter.
func TestSentenceText(t *testing.T) {
	for want, s := range map[string]Sentence{
		"":                               say("no_such_reason", "link"),
		"{namespace} forwards":           say("forwarding"),
		"{link} has no link eth0":        say("link_missing", "namespace", "{link}", "link", "eth0"),
		"packets of 1500 bytes fit":      say("fits", "mtu", 1500),
		"the packet filter of A drops x": say("filter_drops", "namespace", "A", "packet", "x"),
	} {
		if got := s.text(); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
