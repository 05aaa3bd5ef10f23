package document

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// decoder makes a Spec of nodes and collects what is wrong with them. A wrong
// part stays at its zero value.
type decoder struct {
	wrong []topology.FieldError
}

// place is where in the document something is: its JSON pointer, written out
// only when there is something to say of it.
type place struct {
	in   *place
	name string // of a field
	item int    // of a list, or -1
}

func (p *place) String() string {
	switch {
	case p == nil:
		return ""
	case p.item >= 0:
		return p.in.String() + "/" + strconv.Itoa(p.item)
	}
	return p.in.String() + "/" + escape.Replace(p.name)
}

func (d *decoder) fail(p *place, line, column int, format string, args ...any) {
	if len(d.wrong) < topology.MaxFields {
		d.wrong = append(d.wrong, topology.FieldError{Pointer: p.String(), Detail: fmt.Sprintf(format, args...), Line: line, Column: column})
	}
}

// lost tells whether a whole list could not be read. What refers to its items
// would be called wrong because of that.
func (d *decoder) lost() bool {
	return slices.ContainsFunc(d.wrong, func(f topology.FieldError) bool {
		return strings.Count(f.Pointer, "/") < 2 && f.Pointer != "/name" && f.Pointer != "/ipv6"
	})
}

// shape is what a struct of the Spec looks like in a document.
type shape struct {
	fields map[string]part
	names  []string // in order
}

type part struct {
	number   int   // in names
	index    []int // for reflect.Value.FieldByIndex
	required bool
}

// shapes are those of topology.Spec and of all that is in it.
var shapes = shapesOf(map[reflect.Type]*shape{}, reflect.TypeFor[topology.Spec]())

func shapesOf(known map[reflect.Type]*shape, t reflect.Type) map[reflect.Type]*shape {
	switch {
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice:
		return shapesOf(known, t.Elem())
	case t.Kind() != reflect.Struct || known[t] != nil:
		return known
	}
	s := &shape{fields: map[string]part{}}
	known[t] = s
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue // the fields of what is embedded come by themselves
		}
		s.fields[name] = part{len(s.names), f.Index, !strings.Contains(options, "omitempty")}
		s.names = append(s.names, name)
		shapesOf(known, f.Type)
	}
	return known
}

func (d *decoder) spec(root *node, spec *topology.Spec) {
	if root.kind != object {
		d.fail(nil, root.line, root.column, "a document is an object with fields like namespaces, bridges, veths and routes, not %s", root.what())
		return
	}
	d.object(root, reflect.ValueOf(spec).Elem(), nil)
}

// value reads a node into v.
func (d *decoder) value(n *node, v reflect.Value, p *place) {
	if n.kind == null {
		d.fail(p, n.line, n.column, "has no value: give it one or leave it out")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		before := len(d.wrong)
		to := reflect.New(v.Type().Elem())
		if d.value(n, to.Elem(), p); len(d.wrong) == before {
			v.Set(to)
		}
	case reflect.Struct:
		if n.kind != object {
			names := shapes[v.Type()].names
			example := ""
			if n.kind == str && names[0] == "name" {
				example = fmt.Sprintf(": write {name: %q}", n.text)
			}
			d.fail(p, n.line, n.column, "must be an object with fields like %s, not %s%s", strings.Join(names[:min(3, len(names))], ", "), n.what(), example)
			return
		}
		d.object(n, v, p)
	case reflect.Slice:
		d.list(n, v, p)
	case reflect.String:
		d.text(n, v, p)
	case reflect.Bool:
		d.boolean(n, v, p)
	case reflect.Int:
		d.number(n, v, p)
	default:
		d.fail(p, n.line, n.column, "netdash cannot read a %s", v.Type()) // TestShapes: there is none
	}
}

func (d *decoder) object(n *node, v reflect.Value, p *place) {
	s := shapes[v.Type()]
	lines := make([]int, len(s.names)) // in which a field is, 0 for none
	var unknown map[string]int
	at := place{in: p, item: -1}
	for i := range n.fields {
		f := &n.fields[i]
		at.name = f.key
		known, ok := s.fields[f.key]
		line := unknown[f.key]
		if ok {
			line = lines[known.number]
		}
		switch {
		case line != 0:
			d.fail(&at, f.line, f.column, "is there twice, first in line %d", line)
		case ok:
			lines[known.number] = f.line
			d.value(f.value, v.FieldByIndex(known.index), &at)
		default:
			if unknown == nil {
				unknown = map[string]int{}
			}
			unknown[f.key] = f.line
			d.fail(&at, f.line, f.column, "is no known field%s", s.hint(f.key))
		}
	}
	for i, name := range s.names {
		if at.name = name; lines[i] == 0 && s.fields[name].required {
			d.fail(&at, n.line, n.column, "is required")
		}
	}
}

// hint names the field that was probably meant.
func (s *shape) hint(key string) string {
	best, distance := "", 3
	for _, name := range s.names {
		if n := typos(strings.ToLower(key), name); n < distance && n < len(name) {
			best, distance = name, n
		}
	}
	if best == "" {
		return "; there are " + strings.Join(s.names, ", ")
	}
	return "; did you mean " + best + "?"
}

// typos counts the letters by which two words differ (Levenshtein), up to 3.
func typos(a, b string) int {
	if len(a) > len(b)+2 || len(b) > len(a)+2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (d *decoder) list(n *node, v reflect.Value, p *place) {
	if n.kind != list {
		example := ""
		if v.Type().Elem().Kind() == reflect.String && n.kind == str {
			example = fmt.Sprintf(": write [%q]", n.text)
		}
		d.fail(p, n.line, n.column, "must be a list, not %s%s", n.what(), example)
		return
	}
	items := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	at := place{in: p}
	for i, item := range n.items {
		at.item = i
		d.value(item, items.Index(i), &at)
	}
	if len(n.items) > 0 { // an empty list is the same as none
		v.Set(items)
	}
}

func (d *decoder) text(n *node, v reflect.Value, p *place) {
	switch n.kind {
	case str:
		v.SetString(n.text)
	case number, boolean:
		d.fail(p, n.line, n.column, "must be text, not %s: put it in quotes, %q", n.what(), n.text)
	case object:
		d.fail(p, n.line, n.column, "must be text, not an object; text with colons in it may need quotes")
	default:
		d.fail(p, n.line, n.column, "must be text, not %s", n.what())
	}
}

func (d *decoder) boolean(n *node, v reflect.Value, p *place) {
	if n.kind != boolean {
		d.fail(p, n.line, n.column, "must be true or false, not %s", n.what())
		return
	}
	v.SetBool(strings.EqualFold(n.text, "true"))
}

// decimal is how JSON writes whole numbers; YAML has 0x10, 017 and 1_000 too,
// which not every reader takes for the same.
var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (d *decoder) number(n *node, v reflect.Value, p *place) {
	i, err := strconv.ParseInt(n.text, 10, strconv.IntSize)
	switch {
	case n.kind == str && decimal.MatchString(n.text) && err == nil:
		d.fail(p, n.line, n.column, "must be a number, not text: write it without quotes")
	case n.kind != number && !decimal.MatchString(n.text):
		d.fail(p, n.line, n.column, "must be a whole number, not %s", n.what())
	case !decimal.MatchString(n.text):
		d.fail(p, n.line, n.column, "must be a whole number in plain digits, not %s", n.text)
	case err != nil:
		d.fail(p, n.line, n.column, "is too large a number")
	default:
		v.SetInt(i)
	}
}

// what says what there is in place of something else.
func (n *node) what() string {
	switch n.kind {
	case object:
		return "an object"
	case list:
		return "a list"
	case number, boolean:
		return n.text
	case null:
		return "nothing"
	}
	if len(n.text) > 20 || strings.ContainsFunc(n.text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return "text"
	}
	return fmt.Sprintf("the text %q", n.text)
}
