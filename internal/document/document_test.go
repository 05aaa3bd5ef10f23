package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"netdash/internal/topology"
)

const good = `# two hosts and a bridge
name: lab
ipv6: false
namespaces:
- name: A
- name: B
  loopback_up: false
  loopback_addresses: [10.9.0.1/32]
bridges:
- namespace: host
  name: br0
  stp: true
  forward_delay_seconds: 2
  fdb: [{mac: "02:00:00:00:00:09", port: p1}]
veths:
- a: {namespace: A, name: eth0, addresses: [10.0.0.1/24], mtu: 1400}
  b:
    namespace: host
    name: p1
    master: br0
    bridge_port: {isolated: true, cost: 7}
routes:
- {namespace: A, destination: default, gateway: 10.0.0.254, metric: 5}
`

// TestParse: YAML, JSON, and JSON of other make say the same.
func TestParse(t *testing.T) {
	spec, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	var want topology.Spec
	if err := json.Unmarshal(text, &want); err != nil || !reflect.DeepEqual(spec, &want) {
		t.Errorf("%v\n%+v\n%+v", err, spec, want)
	}
	e := spec.Veths[0].B
	if e.Master != "br0" || !*e.BridgePort.Isolated || *e.BridgePort.Cost != 7 || *spec.Bridges[0].ForwardDelaySeconds != 2 || !*spec.Bridges[0].STP ||
		*spec.IPv6 || *spec.Namespaces[1].LoopbackUp || spec.Namespaces[0].LoopbackUp != nil || spec.Routes[0].Metric != 5 || spec.Veths[0].A.MTU != 1400 {
		t.Errorf("%s", text)
	}
	written, err := YAML(spec)
	if err != nil {
		t.Fatal(err)
	}
	pretty, err := JSON(spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		string(text), string(pretty), string(written), "\ufeff" + good, "---\n" + good + "...\n# end\n", strings.ReplaceAll(good, "\n", "\r\n"),
		"\n\n  " + string(text) + "\n", strings.ReplaceAll(string(text), `"`, `'`), strings.Replace(string(text), `"name"`, `name`, 1),
	} {
		again, err := Parse([]byte(other))
		if err != nil || !topology.Equal(spec, again) {
			t.Errorf("%v\n%s", err, other)
		}
	}
	for _, nothing := range []string{"{}", " {}\n", "# nothing\n{}", "---\n{}\n", `{"namespaces":[]}`, "namespaces: []\nveths: []\n"} {
		spec, err := Parse([]byte(nothing))
		if err != nil || !reflect.DeepEqual(spec, &topology.Spec{}) {
			t.Errorf("%q: %v %+v", nothing, err, spec)
		}
	}
	if spec, err := ParseJSON(text); err != nil || !topology.Equal(spec, &want) {
		t.Error(err)
	}
	if _, err := ParseJSON([]byte(good)); topology.CodeOf(err) != topology.CodeMalformed {
		t.Errorf("YAML as JSON: %v", err)
	}
	if y, err := YAML(&topology.Spec{}); err != nil || string(y) != "{}\n" {
		t.Errorf("%q %v", y, err)
	}
}

// TestColons: addresses and MACs need no quotes, wherever they stand.
func TestColons(t *testing.T) {
	for _, text := range []string{
		"namespaces: [{name: A, loopback_addresses: [10.0.0.1/8, fd00:9::1/128, fd00::/64, 2001:db8::7/128]}]",
		"namespaces: [{name: A, loopback_addresses: [ 10.0.0.1/8 , 'fd00:9::1/128',\n  fd00::/64 ,2001:db8::7/128]}]",
		"namespaces:\n- name: A\n  loopback_addresses: [10.0.0.1/8, fd00:9::1/128, fd00::/64, 2001:db8::7/128]",
		"namespaces:\n- name: A\n  loopback_addresses:\n  - 10.0.0.1/8\n  - fd00:9::1/128\n  - fd00::/64\n  - 2001:db8::7/128",
	} {
		spec, err := Parse([]byte(text))
		if err != nil || !slices.Equal(spec.Namespaces[0].LoopbackAddresses, []string{"10.0.0.1/8", "fd00:9::1/128", "fd00::/64", "2001:db8::7/128"}) {
			t.Errorf("%s: %v %+v", text, err, spec)
		}
	}
	for _, text := range []string{"bridges: [{namespace: host, name: b, mac: 02:00:00:00:00:01, addresses: [10.0.0.1/8]}]", "bridges:\n- namespace: host\n  name: b\n  mac: 52:54:00:12:34:56\n"} {
		if spec, err := Parse([]byte(text)); err != nil || len(spec.Bridges[0].MAC) != 17 {
			t.Errorf("%s: %v %+v", text, err, spec)
		}
	}
	for _, text := range []string{"{a: [b: c]}", "{a: ['b':c]}", "{a: [b:'c']}", "{a: [{b: c}]}", "{a: [b: [c]]}", "{a: [b:[c]]}"} {
		root, err := parse([]byte(text))
		if err != nil || root.fields[0].value.items[0].kind != object {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// mistakes are documents, and what is wrong with them where: line, column,
// pointer, and some of the words.
var mistakes = []struct{ text, want string }{
	// Fields.
	{"colour: red\n", `1:1 /colour is no known field; there are name, ipv6, namespaces, bridges, veths, routes`},
	{"name: x\nnamespace:\n- name: A\n", `2:1 /namespace is no known field; did you mean namespaces?`},
	{"namespaces:\n- name: A\n  lopback_up: true\n", `3:3 /namespaces/0/lopback_up is no known field; did you mean loopback_up?`},
	{"namespaces:\n- Name: A\n", "2:3 /namespaces/0/Name is no known field; did you mean name?\n2:3 /namespaces/0/name is required"},
	{`{"bridges": [{"namespace": "host", "name": "br0", "ageing": 3}]}`, `1:51 /bridges/0/ageing is no known field; there are namespace`},
	{"namespaces:\n- name: A\n  a/b~c: 1\n", `3:3 /namespaces/0/a~1b~0c is no known field`},
	{"namespaces:\n- name: A\n  id: 7\n  ID: 7\n", "3:3 /namespaces/0/id is no known\n4:3 /namespaces/0/ID is no known"},
	{"namespaces:\n- name: A\n  5: x\n", "3:3 /namespaces/0/5 is no known field"},
	{"name: x\nipv6: true\nname: y\n", `3:1 /name is there twice, first in line 1`},
	{"namespaces:\n- name: A\n  name: B\n  name: C\n", "3:3 /namespaces/0/name is there twice, first in line 2\n4:3 /namespaces/0/name is there twice, first in line 2"},
	{"{\"namespaces\": [{\"name\": \"A\",\n\"name\": \"B\"}]}", `2:1 /namespaces/0/name is there twice, first in line 1`},
	{"colour: red\ncolour: blue\n", "1:1 /colour is no known\n2:1 /colour is there twice"},
	{"namespaces:\n- loopback_up: true\n", `2:3 /namespaces/0/name is required`},
	{"namespaces:\n- name: A\nveths:\n- a: {namespace: A, name: x}\n", `4:3 /veths/0/b is required`},
	{"namespaces:\n  - name: A\nveths:\n  - a: {name: x}\n    b:\n      namespace: A\n", "4:8 /veths/0/a/namespace is required\n6:7 /veths/0/b/name is required"},
	{"routes:\n- {}\n", "2:3 /routes/0/namespace is required\n2:3 /routes/0/destination is required"},
	// Types.
	{"text\n", `1:1  a document is an object with fields like namespaces, bridges, veths and routes, not the text "text"`},
	{"# a list\n- name: A\n", `2:1  a document is an object`},
	{"null", `1:1  a document is an object with fields like namespaces, bridges, veths and routes, not nothing`},
	{"name: [x]\n", `1:7 /name must be text, not a list`},
	{"name: {x: y}\n", `1:7 /name must be text, not an object; text with colons in it may need quotes`},
	{"name: 5\n", `1:7 /name must be text, not 5: put it in quotes, "5"`},
	{"namespaces:\n- name: true\n", `2:9 /namespaces/0/name must be text, not true: put it in quotes`},
	{"ipv6: yes\n", `1:7 /ipv6 must be true or false, not the text "yes"`},
	{"ipv6: 1\n", `1:7 /ipv6 must be true or false, not 1`},
	{"namespaces: A\n", `1:13 /namespaces must be a list, not the text "A"`},
	{"namespaces:\n  name: A\n", `2:3 /namespaces must be a list, not an object`},
	{"namespaces:\n- A\n", `2:3 /namespaces/0 must be an object with fields like name, loopback_up, loopback_addresses, not the text "A": write {name: "A"}`},
	{"namespaces:\n- name: A\n  loopback_addresses: 10.0.0.1/8\n", `3:23 /namespaces/0/loopback_addresses must be a list, not the text "10.0.0.1/8": write ["10.0.0.1/8"]`},
	{"namespaces:\n- name: A\n  loopback_addresses: [5, 10.0.0.1]\n", "3:24 /namespaces/0/loopback_addresses/0 must be text\n3:27 /namespaces/0/loopback_addresses/1 needs a prefix length"},
	{"bridges:\n- {namespace: host, name: br0, mtu: \"1500\"}\n", `2:37 /bridges/0/mtu must be a number, not text: write it without quotes`},
	{"bridges:\n- {namespace: host, name: br0, mtu: 1500.5}\n", `2:37 /bridges/0/mtu must be a whole number in plain digits, not 1500.5`},
	{"bridges:\n- {namespace: host, name: br0, mtu: 0x5dc}\n", `2:37 /bridges/0/mtu must be a whole number in plain digits, not 0x5dc`},
	{"bridges:\n- {namespace: host, name: br0, mtu: big}\n", `2:37 /bridges/0/mtu must be a whole number, not the text "big"`},
	{"bridges:\n- {namespace: host, name: br0, mtu: 99999999999999999999}\n", `2:37 /bridges/0/mtu is too large a number`},
	{`{"bridges": [{"namespace": "host", "name": "br0", "mtu": 1e3}]}`, `1:58 /bridges/0/mtu must be a whole number in plain digits, not 1e3`},
	{"namespaces:\nname: x\n", `1:1 /namespaces has no value: give it one or leave it out`},
	{"namespaces:\n- name: A\n-\n", `3:3 /namespaces/1 has no value`},
	{"{\"name\": null}", `1:10 /name has no value`},
	{"namespaces:\n- name: A\nveths:\n- a: 5\n  b: [x]\n", "4:6 /veths/0/a must be an object\n5:6 /veths/0/b must be an object"},
	// Values.
	{"namespaces:\n- name: a b\n", `2:9 /namespaces/0/name must not contain white space`},
	{"namespaces:\n- name: host\n", `2:9 /namespaces/0/name host is the name`},
	{"bridges:\n- namespace: host\n  name: sixteen-bytes-xx\n", `3:9 /bridges/0/name is 16 bytes long, the kernel takes 15`},
	{"bridges:\n- namespace: host\n  name: br0\n  mac: 01:00:00:00:00:01\n  mtu: 67\n  hello_seconds: 0\n", "4:8 /bridges/0/mac is a multicast address\n5:8 /bridges/0/mtu must be between 68 and 65535\n6:18 /bridges/0/hello_seconds must be between 1 and 10"},
	{"bridges:\n- namespace: host\n  name: br0\n  addresses:\n  - 10.0.0.1/24\n  - 10.0.0.0/24\n  - 10.0.0.1/24\n", "6:5 /bridges/0/addresses/1 is the network itself\n7:5 /bridges/0/addresses/2 is listed twice"},
	{"name: \"a\\u0007b\"\n", `1:7 /name must be printable text`},
	{"namespaces:\n- name: A\n- name: A\n", `3:9 /namespaces/1/name there is a namespace A already`},
	{"namespaces: [{name: A}]\nveths:\n- {a: {namespace: A, name: x}, b: {namespace: A, name: x}}\n", `3:56 /veths/0/b/name there is a link x in A already`},
	// References.
	{"bridges:\n- {namespace: Z, name: br0}\n", `2:15 /bridges/0/namespace there is no namespace "Z": list it under namespaces`},
	{"namespaces: [{name: A}]\nveths:\n- a: {namespace: A, name: x, master: br9}\n  b: {namespace: A, name: y, bridge_port: {cost: 1}}\n", "3:38 /veths/0/a/master there is no bridge \"br9\" in A\n4:43 /veths/0/b/bridge_port only a bridge port"},
	{"bridges:\n- namespace: host\n  name: br0\n  fdb:\n  - mac: 02:00:00:00:00:01\n    port: p1\n    vlan: 5000\n", "6:11 /bridges/0/fdb/0/port \"p1\" is no port of br0\n7:11 /bridges/0/fdb/0/vlan must be between 1 and 4094"},
	{
		"namespaces: [{name: A}]\nroutes:\n- namespace: A\n  destination: default\n  gateway: 10.0.0.1\n- namespace: A\n  destination: 10.0.0.0/8\n- namespace: A\n  destination: 10.0.0.1/8\n  link: lo\n  metric: -1\n- {namespace: A, destination: 10.0.0.0/8, link: lo, metric: 2147483648}\n",
		"5:12 /routes/0/gateway no link of A has an address\n6:3 /routes/1/gateway a route needs a gateway, a link\n9:16 /routes/2/destination has host bits set\n12:61 /routes/3/metric must be between 0 and 2147483647",
	},
	// Characters, not bytes; and all at once, in the order of the text.
	{"name: é\nnamespaces: [{name: \"é é\"}, {nme: é}]\n", "2:21 /namespaces/0/name must not\n2:29 /namespaces/1/name is required\n2:30 /namespaces/1/nme is no known"},
	{"{\"name\": \"éé\", \"x\": \"\\\"é\\\\\", \"y\": 1}", "1:16 /x is no known\n1:30 /y is no known"},
}

// unreadable are texts that are no document at all.
var unreadable = []struct{ text, want string }{
	{"", "0:0 the document is empty"},
	{"  \n", "0:0 the document is empty"},
	{"# only a comment\n", "0:0 the document is empty"},
	{"---\n...\n", "0:0 the document is empty"},
	{"name: \xff\n", "1:7 this is not UTF-8"},
	{"name: é\nb: \xc3(\n", "2:4 this is not UTF-8"},
	{"name: x\nnamespaces: [{name: A}\n", "2:13 this is not YAML: sequence end token ']' not found"},
	{"name: a: b\n", "1:7 this is not YAML: mapping value is not allowed"},
	{"namespaces:\n\t- name: A\n", "2:1 this is not YAML: found character '\t'"},
	{"name: 'x\n", "1:7 this is not YAML"},
	{"name: x\n---\nname: y\n", "2:1 only one document is read"},
	{"---\n---\n", "2:1 only one document is read"},
	{"name: x\n...\nname: y\n", "3:1 only one document is read"},
	{"%YAML 1.2\n---\nname: x\n", "1:1 directives are not read"},
	{"a: &x [1]\n", "1:4 anchors are not read"},
	{"a: *x\n", "1:4 aliases are not read"},
	{"namespaces:\n- <<: {a: b}\n", "2:3 merge keys are not read"},
	{"name: !!str 5\n", "1:7 tags are not read"},
	{"? name\n: x\n", "1:1 keys marked with ? are not read"},
	{`{"name": "x"`, "1:12 this is not JSON: unexpected end of JSON input"},
	{"{\"name\": \"x\",\n \"ipv6\" true}", "2:9 this is not JSON: invalid character 't' after object key"},
	{`{"name": "x"} {"name": "y"}`, "1:15 this is not JSON: invalid character '{' after top-level value"},
	{`{"é": "x" "y"}`, "1:11 this is not JSON: invalid character '\"' after object key:value pair"},
	{strings.Repeat("[", 33), "1:33 this is nested too deeply"},
	{strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), "1:161 this is nested too deeply"},
	{strings.Repeat("- ", 33) + "x", "1:65 this is nested too deeply"},
}

// told writes an error's fields as the tables above do.
func told(err error) []string {
	var e *topology.Error
	if !errors.As(err, &e) {
		return []string{fmt.Sprint(err)}
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, fmt.Sprintf("%d:%d %s %s", f.Line, f.Column, f.Pointer, f.Detail))
	}
	if len(out) == 0 {
		out = append(out, "0:0 "+e.Detail)
	}
	return out
}

// TestMistakes: every mistake is told, where it is, and nothing else is.
func TestMistakes(t *testing.T) {
	for _, c := range mistakes {
		spec, err := Parse([]byte(c.text))
		if spec != nil || topology.CodeOf(err) != topology.CodeInvalid {
			t.Errorf("%s: %+v, %v", c.text, spec, err)
			continue
		}
		got, want := told(err), strings.Split(c.want, "\n")
		ok := len(got) == len(want)
		for i := range want {
			ok = ok && strings.HasPrefix(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s\nsays\n%s\nwant\n%s", c.text, strings.Join(got, "\n"), c.want)
		}
	}
	t.Logf("%d documents", len(mistakes))
}

func TestUnreadable(t *testing.T) {
	for _, c := range unreadable {
		spec, err := Parse([]byte(c.text))
		if spec != nil || topology.CodeOf(err) != topology.CodeMalformed {
			t.Errorf("%q: %+v, %v", c.text, spec, err)
			continue
		}
		if got := strings.Replace(told(err)[0], "  ", " ", 1); !strings.HasPrefix(got, c.want) || len(told(err)) != 1 {
			t.Errorf("%q\nsays %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestBounds: what is made to take forever, or all memory, is refused soon. The
// limit is for a busy machine under the race detector: without the guard a
// hundred thousand brackets take 84 seconds on an idle one.
func TestBounds(t *testing.T) {
	const n = 100_000
	for name, text := range map[string]string{
		"brackets": strings.Repeat("[", n), "braces": strings.Repeat("{a: ", n), "dashes": strings.Repeat("- ", n), "keys": strings.Repeat("a: ", n),
		"pairs": strings.Repeat("x: y\n", n), "flow pairs": "{" + strings.Repeat("x: y, ", n) + "}", "items": "namespaces:\n" + strings.Repeat("- x\n", n),
		"quoted": strings.Repeat("'' ", n), "comments": strings.Repeat("# x\n", n), "empty JSON lists": "[" + strings.Repeat("[],", maxNodes) + "[]]",
		"JSON braces": strings.Repeat(`{"a":`, n), "newlines": strings.Repeat("\n", n) + "x", "bangs": strings.Repeat("! ", n), "stars": strings.Repeat("*a ", n),
		"unknown JSON fields": `{"namespaces": [{` + strings.Repeat(`"x": 1, `, n) + `"name": "A"}]}`,
		"wrong items":         `{"namespaces": [` + strings.Repeat(`1, `, n) + `1]}`,
		"laughs":              "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
	} {
		began := time.Now()
		_, err := Parse([]byte(text))
		if err == nil {
			t.Errorf("%s: taken", name)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%s: took %s", name, took)
		}
		t.Logf("%s: %s, %v", name, time.Since(began), told(err)[0])
		if fields := told(err); len(fields) > topology.MaxFields {
			t.Errorf("%s: %d fields", name, len(fields))
		}
	}
}

// TestShapes: the decoder can read all there is in a Spec.
func TestShapes(t *testing.T) {
	if len(shapes) != 8 {
		t.Errorf("%d kinds of object: give the new one to the tests", len(shapes))
	}
	for of, s := range shapes {
		for _, name := range s.names {
			field := of.FieldByIndex(s.fields[name].index).Type
			for field.Kind() == reflect.Pointer || field.Kind() == reflect.Slice {
				field = field.Elem()
			}
			switch field.Kind() {
			case reflect.Struct, reflect.String, reflect.Bool, reflect.Int:
			default:
				t.Errorf("%s of %s is a %s", name, of, field)
			}
		}
	}
}

func TestLocate(t *testing.T) {
	for pointer, want := range map[string][2]int{
		"": {2, 1}, "/namespaces/1/name": {6, 9}, "/veths/0/b/master": {20, 13}, "/veths/0/b": {18, 5}, "/veths/1": {}, "/nope": {},
	} {
		if line, column := Locate([]byte(good), pointer); line != want[0] || column != want[1] {
			t.Errorf("%s is at %d:%d, want %v", pointer, line, column, want)
		}
	}
}
