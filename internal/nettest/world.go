package nettest

import (
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// worldEnv names the world a process started by World is.
const worldEnv = "NETDASH_TEST_WORLD"

// worldReport is the open file a world writes its report to.
const worldReport = 3

// World runs the calling test once more, in a process with a private machine
// (host and /run/netns) of its own, and gives what it reported. There,
// InWorld gives the world's name and Report the way back.
func World(t *testing.T, name string) []byte {
	t.Helper()
	Require(t)
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := private("-test.run="+strings.Join(parts, "/"), "-test.v")
	cmd.Env = append(cmd.Env, worldEnv+"="+name)
	cmd.ExtraFiles = []*os.File{write}
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	runtime.LockOSThread() // for Pdeathsig, see Main
	defer runtime.UnlockOSThread()
	err = cmd.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	report, readErr := io.ReadAll(read)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("in world %s: %v\n%s", name, err, &output)
	}
	if readErr != nil {
		t.Fatal(readErr)
	}
	return report
}

// InWorld gives the name of the world this process is, empty in the test that
// called World.
func InWorld() string { return os.Getenv(worldEnv) }

// Report hands a world's result to the test that called World.
func Report(t *testing.T, report []byte) {
	t.Helper()
	f := os.NewFile(worldReport, "world report")
	if _, err := f.Write(report); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
