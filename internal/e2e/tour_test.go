package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTour does what docs/tour.md says: every sh block in order, each of which
// must succeed and write what the text block after it shows.
func TestTour(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "tour.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t)
	blocks := fences(string(text))
	ran, compared := 0, 0
	for i, b := range blocks {
		if b.language != "sh" {
			continue
		}
		ran++
		said, err := shell(t.Context(), "set -eu\n"+b.text, "NETDASH="+s.URL, "LC_ALL=C.UTF-8")
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, b.text, said)
		}
		if i+1 < len(blocks) && blocks[i+1].language == "text" {
			compared++
			if want := strings.TrimRight(blocks[i+1].text, "\n"); !shows(want, said) {
				t.Errorf("\n%s\nsaid\n%s\nbut is printed as\n%s", b.text, said, want)
			}
		}
	}
	if ran < 15 || compared < 15 {
		t.Errorf("only %d blocks were found, %d with what they print", ran, compared)
	}
}

// TestExamples: the calls the documents show are answered.
func TestExamples(t *testing.T) {
	for _, path := range []string{"README.md", "docs/api.md", "docs/spec.md", "examples/README.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		s := start(t)
		ran := 0
		for _, b := range fences(string(text)) {
			if b.language != "sh" || !strings.Contains(b.text, "$NETDASH") {
				continue
			}
			ran++
			script := strings.ReplaceAll(b.text, "http://127.0.0.1:8080", s.URL)
			if said, err := shell(t.Context(), "set -eu\ncd ../../"+filepath.Dir(path)+"\ncurl() { command curl -sSf \"$@\"; }\n"+script); err != nil {
				t.Errorf("%s: %v\n%s", path, err, said)
			}
		}
		if ran == 0 {
			t.Errorf("%s: no examples were found", path)
		}
		s.stop(t)
		clearMachine(t)
	}
}

// TestShows: a comparison that takes everything would test nothing.
func TestShows(t *testing.T) {
	for _, c := range []struct {
		want, said string
		ok         bool
	}{
		{"a\nb", "a\nb", true},
		{"a", "b", false},
		{"a", "a\nb", false},
		{"a\nb", "a", false},
		{"a … c", "a b c", true},
		{"a … c", "a b d", false},
		{"a … c", "a b\nd c", false},
		{"a\n…\nd", "a\nb\nc\nd", true},
		{"…b", "ab", true},
		{"a.c", "abc", false},
		{"", "x", false},
	} {
		if shows(c.want, c.said) != c.ok {
			t.Errorf("%q shows %q: %v", c.want, c.said, !c.ok)
		}
	}
}

// fence is a fenced block of a document.
type fence struct{ language, text string }

var fenced = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$") //nolint:gocritic // in the middle ^ is the beginning of a line

func fences(document string) []fence {
	var out []fence
	for _, m := range fenced.FindAllStringSubmatch(document, -1) {
		out = append(out, fence{m[1], m[2]})
	}
	return out
}

// shows tells whether a printed text is what was said. An ellipsis stands for
// anything within its line; alone on a line, for any lines.
func shows(printed, said string) bool {
	var pattern strings.Builder
	for i, line := range strings.Split(printed, "\n") {
		if line == "…" {
			pattern.WriteString(`(\n.*)*?`)
			continue
		}
		if i > 0 {
			pattern.WriteString(`\n`)
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `.*`))
	}
	return regexp.MustCompile(`^(?:` + pattern.String() + `)$`).MatchString(said)
}
