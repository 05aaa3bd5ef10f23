package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"netdash/internal/topology"
)

func TestExport(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"A"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/bridges", `{"namespace":"host","name":"br0"}`).want(t, 201)
	s.do(t, "POST", "/api/v1/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["10.1.0.1/24"]},"b":{"namespace":"host","name":"p1","master":"br0"}}`).want(t, 201)
	s.world.spec.Name = "../Two \"sites\"\r\nX: y; filename=evil"
	for format, want := range map[string]struct{ media, file, has string }{
		"yaml":         {"application/yaml", "Two--sites---X--y--filename-evil.yaml", "\n- name: A\n"},
		"json":         {"application/json", "Two--sites---X--y--filename-evil.json", "\n      \"name\": \"A\"\n"},
		"sh":           {"text/x-shellscript; charset=utf-8", "Two--sites---X--y--filename-evil.sh", "\n\tip link add p1 type veth peer name eth0 netns A\n"},
		"dot":          {"text/vnd.graphviz; charset=utf-8", "Two--sites---X--y--filename-evil.dot", "<b>eth0</b><br/>10.1.0.1/24"},
		"mermaid":      {"text/vnd.mermaid; charset=utf-8", "Two--sites---X--y--filename-evil.mmd", `place0["A<br>eth0 10.1.0.1/24"]`},
		"containerlab": {"application/yaml", "Two--sites---X--y--filename-evil.clab.yml", `endpoints: ["A:eth0", "br0:p1"]`},
	} {
		a := s.do(t, "GET", "/api/v1/topology/export?format="+format, "").want(t, 200)
		if got := a.Header.Get("Content-Type"); got != want.media {
			t.Errorf("%s: type %s", format, got)
		}
		if got := a.Header.Get("Content-Disposition"); got != "attachment; filename="+want.file {
			t.Errorf("%s: %s, want %s", format, got, want.file)
		}
		if a.Header.Get("ETag") != `"3"` || a.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: headers %v", format, a.Header)
		}
		if !strings.Contains(a.text, want.has) {
			t.Errorf("%s lacks %q:\n%s", format, want.has, a.text)
		}
		if again := s.do(t, "GET", "/api/v1/topology/export?format="+format, ""); again.text != a.text {
			t.Errorf("%s: twice the same gives\n%s\nand\n%s", format, a.text, again.text)
		}
		same := s.do(t, "GET", "/api/v1/topology/export?format="+format, "", `If-None-Match: "3"`).want(t, 304)
		if same.text != "" || same.Header.Get("ETag") != `"3"` {
			t.Errorf("%s: 304 with %q %v", format, same.text, same.Header)
		}
	}
}

// TestExportedSpecs: yaml and json give back the Spec they were made of.
func TestExportedSpecs(t *testing.T) {
	s := serve(t, nil)
	s.do(t, "POST", "/api/v1/namespaces", `{"name":"yes","loopback_up":false}`).want(t, 201)
	s.do(t, "POST", "/api/v1/bridges", `{"namespace":"yes","name":"0x10","mac":"02:00:00:00:00:01","ageing_seconds":0}`).want(t, 201)
	for _, format := range []string{"yaml", "json"} {
		a := s.do(t, "GET", "/api/v1/topology/export?format="+format, "").want(t, 200)
		text, err := yaml.YAMLToJSON([]byte(a.text)) // JSON is YAML
		if err != nil {
			t.Fatalf("%v\n%s", err, a.text)
		}
		var spec topology.Spec
		if err := json.Unmarshal(text, &spec); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !reflect.DeepEqual(&spec, s.world.spec) {
			t.Errorf("%s\ngives %+v, not %+v", a.text, spec, s.world.spec)
		}
	}
}

func TestExportOfNothing(t *testing.T) {
	s := serve(t, nil)
	for format := range exportFormats {
		a := s.do(t, "GET", "/api/v1/topology/export?format="+format, "").want(t, 200)
		if a.text == "" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment; filename=lab.") {
			t.Errorf("%s: %v %q", format, a.Header, a.text)
		}
	}
}

func TestExportFormats(t *testing.T) {
	s := serve(t, nil)
	for query, want := range map[string]string{
		"?format=svg": `expected value to be one of "yaml, json, sh, dot, mermaid, containerlab"`,
		"?format=SH":  `expected value to be one of "yaml, json, sh, dot, mermaid, containerlab"`,
		"?format=":    `required query parameter is missing`,
		"":            `required query parameter is missing`,
	} {
		p := s.do(t, "GET", "/api/v1/topology/export"+query, "").problem(t, topology.CodeInvalid)
		if len(p.Errors) != 1 || p.Errors[0].Parameter != "format" || p.Errors[0].Detail != want {
			t.Errorf("%q: %+v", query, p.Errors)
		}
	}
	field, _ := reflect.TypeFor[exportInput]().FieldByName("Format")
	listed := strings.Split(field.Tag.Get("enum"), ",")
	if len(listed) != len(exportFormats) {
		t.Errorf("%v are described, there are %d", listed, len(exportFormats))
	}
	for format := range exportFormats {
		if !slices.Contains(listed, format) {
			t.Errorf("%s is not described", format)
		}
	}
}
