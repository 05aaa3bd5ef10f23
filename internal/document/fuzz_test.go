package document

import (
	"encoding/json"
	"errors"
	"testing"

	"netdash/internal/topology"
)

// FuzzParse: whatever the text, there is a valid Spec, which survives being
// written and read again, or an error that points into the text.
func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	for _, c := range mistakes {
		f.Add([]byte(c.text))
	}
	for _, c := range unreadable {
		f.Add([]byte(c.text))
	}
	f.Add([]byte(`{"name": "\ud83d\ude00\ud800 <&>\u2028", "namespaces": [{"name": "é"}, {"name": "- x"}, {"name": "1e3"}, {"name": "~"}]}`))
	f.Add([]byte("bridges:\n- namespace: host\n  name: '#'\n  alias: ': #  x'\n- namespace: host\n  name: br0\n  alias: |\n    text\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		spec, err := Parse(text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		if err := topology.Validate(spec); err != nil {
			t.Fatalf("%q gives an invalid Spec: %v", text, err)
		}
		for form, write := range map[string]func(*topology.Spec) ([]byte, error){"YAML": YAML, "JSON": JSON} {
			written, err := write(spec)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Parse(written)
			if err != nil || !topology.Equal(spec, again) {
				t.Fatalf("%q as %s is %q, %v", text, form, written, err)
			}
		}
		var other topology.Spec
		if json.Unmarshal(text, &other) == nil && !topology.Equal(spec, &other) {
			t.Fatalf("%q is read as %+v, by encoding/json as %+v", text, spec, other)
		}
	})
}

func checkError(t *testing.T, text []byte, err error) {
	t.Helper()
	e, ok := errors.AsType[*topology.Error](err)
	if !ok || e.Code != topology.CodeInvalid && e.Code != topology.CodeMalformed && e.Code != topology.CodeTooLarge || e.Detail == "" {
		t.Fatalf("%q: %v", text, err)
	}
	if e.Code == topology.CodeInvalid && len(e.Fields) == 0 {
		t.Fatalf("%q: %v says nothing", text, err)
	}
	lines, last := 1, 0
	for _, b := range text {
		if b == '\n' || b == '\r' { // YAML takes either for the end of a line
			lines++
		}
	}
	for _, f := range e.Fields {
		if f.Detail == "" || f.Line < 1 || f.Line > lines+1 || f.Column < 1 || f.Column > len(text)+1 || f.Line < last {
			t.Fatalf("%q: %+v", text, f)
		}
		last = f.Line
	}
}
