package nettest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const runDir = "/run/netns"

var namespaces atomic.Int64

// Namespace makes a fresh namespace with "ip netns add", removes it when the
// test ends, and gives its name.
func Namespace(t testing.TB) string {
	t.Helper()
	name := "ns" + strconv.FormatInt(namespaces.Add(1), 10)
	Shell(t, "ip netns add "+name)
	t.Cleanup(func() {
		if _, err := os.Lstat(filepath.Join(runDir, name)); err == nil {
			Shell(t, "ip netns delete "+name)
		}
	})
	return name
}

// Shell runs a command with sh and gives what it writes to its standard
// output; the test fails if the command does.
func Shell(t testing.TB, command string) string {
	t.Helper()
	Require(t)
	out, err := run("", "sh", "-c", command)
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

// IP runs "ip -j" with the arguments in a namespace ("host" or "" for the
// test's own) and decodes its answer.
func IP(t testing.TB, namespace string, args ...string) []map[string]any {
	t.Helper()
	return query(t, "ip", namespace, args, "", 1)[0]
}

// Bridge runs "bridge -j" as IP runs "ip -j".
func Bridge(t testing.TB, namespace string, args ...string) []map[string]any {
	t.Helper()
	return query(t, "bridge", namespace, args, "", 1)[0]
}

// Batch runs several commands of ip or bridge in one process with all details,
// and decodes the answer of each.
func Batch(t testing.TB, program, namespace string, commands ...string) [][]map[string]any {
	t.Helper()
	return query(t, program, namespace, []string{"-d", "-batch", "-"}, strings.Join(commands, "\n")+"\n", len(commands))
}

func query(t testing.TB, program, namespace string, args []string, input string, answers int) [][]map[string]any {
	t.Helper()
	Require(t)
	words := []string{"-j"}
	if namespace != "" && namespace != "host" {
		words = append(words, "-n", namespace)
	}
	words = append(words, args...)
	out, err := run(input, program, words...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, words, err, out)
	}
	var all [][]map[string]any
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var objects []map[string]any
		err := d.Decode(&objects)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", program, words, err, out)
		}
		// ip writes {} for each object its filter leaves out.
		all = append(all, slices.DeleteFunc(objects, func(o map[string]any) bool { return len(o) == 0 }))
	}
	if len(all) == 0 && answers == 1 {
		all = append(all, nil) // some commands answer nothing with nothing
	}
	if len(all) != answers {
		t.Fatalf("%s %q: %d answers, want %d\n%s", program, words, len(all), answers, out)
	}
	return all
}

// run gives a program's standard output, or after a failure what it said on
// both.
func run(input, program string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}
