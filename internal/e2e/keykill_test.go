package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"netdash/internal/api"
	"netdash/internal/lab"
	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/nettest"
	"netdash/internal/store"
	"netdash/internal/topology"
	"netdash/web"
)

// frailArgument makes the test program a netdash that kills itself at a
// checkpoint of an edit: frail DATABASE CHECKPOINT. Checkpoint 0 is the moment at
// which the answer to an edit is about to be sent.
const frailArgument = "-netdash-e2e-frail"

func frail() {
	fmt.Fprintln(os.Stderr, serveFrail(os.Args[2], os.Args[3]))
	os.Exit(3)
}

// serveFrail is cmd/netdash's serve with a checkpoint to die at.
func serveFrail(path, checkpoint string) error {
	ctx := context.Background()
	at, err := strconv.Atoi(checkpoint)
	if err != nil {
		return err
	}
	die := func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	log := slog.New(slog.DiscardHandler)
	kernel, err := netops.New(netops.Options{Logger: log})
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	spec, revision, err := db.Load(ctx)
	if err != nil {
		return err
	}
	watcher, err := kernel.Watch()
	if err != nil {
		return err
	}
	observed := live.New(kernel, watcher, spec, revision, log)
	go observed.Run()
	if err := observed.WaitReady(ctx); err != nil {
		return err
	}
	seen := 0
	edits, err := lab.New(ctx, kernel, observed, db, log, lab.WithCheckpoint(func(string) {
		if seen++; seen == at {
			die()
		}
	}))
	if err != nil {
		return err
	}
	if err := edits.Recover(ctx); err != nil {
		return err
	}
	seen = 0
	handler, err := api.New(api.Config{
		Lab: edits, Live: observed, Kernel: kernel, Logger: log,
		Subscribe: func(since *uint64) api.Subscription { return observed.Subscribe(since) },
		Templates: web.Templates(), Static: web.Static(),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at == 0 {
			w = dying{w, die}
		}
		handler.ServeHTTP(w, r)
	}))
}

// dying is a ResponseWriter that never writes.
type dying struct {
	http.ResponseWriter
	die func()
}

func (d dying) WriteHeader(int)           { d.die() }
func (d dying) Write([]byte) (int, error) { d.die(); return 0, nil }

// askFrail sends one request to a netdash that dies at a checkpoint of it, and
// tells whether it did.
func askFrail(t *testing.T, db string, checkpoint int, method, path, body, key string) (died bool) {
	t.Helper()
	child := exec.Command("/proc/self/exe", frailArgument, db, strconv.Itoa(checkpoint))
	child.Stderr = os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill() // unless it has done that itself
		_ = child.Wait()
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSpace(url)+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Idempotency-Key", key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		return true
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return false
}

// TestKilledWithKey kills netdash at every checkpoint of an edit, and repeats the
// request at the next one: it has been done once then, every time.
func TestKilledWithKey(t *testing.T) {
	nettest.Require(t)
	db := filepath.Join(t.TempDir(), "netdash.db")
	requests := []struct {
		method, path, body string
		status             int
	}{
		{create, "/namespaces", `{"name":"A","loopback_addresses":["10.255.0.1/32"]}`, 201},
		{create, "/veths", `{"a":{"namespace":"A","name":"eth0","addresses":["10.0.0.1/24"]},"b":{"namespace":"host","name":"p1"}}`, 201},
		{edit, "/namespaces/A/links/eth0", `{"name":"wan","mtu":1400}`, 200},
		{drop, "/namespaces/A/links/wan", "", 204},
		{drop, "/namespaces/A", "", 204},
	}
	var rolledBack, kept int
	for i, c := range requests {
		for checkpoint, last := 0, false; !last; checkpoint++ {
			key := fmt.Sprintf("request %d, checkpoint %d", i, checkpoint)
			last = !askFrail(t, db, checkpoint, c.method, c.path, c.body, key)
			if last && checkpoint < 4 {
				t.Fatalf("%s %s has only %d checkpoints", c.method, c.path, checkpoint-1)
			}
			s := startOn(t, db)
			first := s.do(t, c.method, c.path, c.body, "Idempotency-Key: "+key).want(t, c.status)
			if first.header.Get("Idempotent-Replay") == "" {
				rolledBack++
			} else {
				kept++
			}
			if last && first.header.Get("Idempotent-Replay") == "" {
				t.Errorf("%s was answered, then done again", key)
			}
			done := doneOnce(t, s, c.method+" /api/v1"+c.path, i)
			if got := first.header.Get("Netdash-Operation"); got != strconv.FormatInt(done, 10) {
				t.Errorf("%s: answered operation %s, it is %d", key, got, done)
			}
			again := s.do(t, c.method, c.path, c.body, "Idempotency-Key: "+key).want(t, c.status)
			if !bytes.Equal(again.body, first.body) || again.header.Get("Idempotent-Replay") != "true" || again.header.Get("Location") != first.header.Get("Location") {
				t.Errorf("%s: first %s, then %s", key, first.body, again.body)
			}
			s.do(t, create, "/namespaces", `{"name":"other"}`, "Idempotency-Key: "+key).problem(t, 409, "conflict")
			judge(t, s, i)
			if !last {
				setBack(t, s, i)
			}
			s.stop(t)
		}
	}
	if rolledBack == 0 || kept == 0 {
		t.Errorf("%d times rolled back, %d times kept: want both", rolledBack, kept)
	}
	t.Logf("%d times rolled back and done by the repeat, %d times answered from what was kept", rolledBack, kept)
}

// doneOnce gives the operation that the newest request came to, of which there
// must be one since the last setBack.
func doneOnce(t *testing.T, s *server, request string, i int) (id int64) {
	t.Helper()
	var committed []int64
	for _, op := range get[items[topology.Operation]](t, s, "/operations?limit=500").Items {
		if op.State == topology.OperationRunning {
			t.Errorf("operation %d still runs", op.ID)
		}
		if op.State == topology.OperationCommitted && op.Request != request {
			break
		}
		if op.State == topology.OperationCommitted {
			committed = append(committed, op.ID)
		}
	}
	if len(committed) != 1 {
		t.Fatalf("request %d, %s was committed as %v", i, request, committed)
	}
	return committed[0]
}

// judge holds what ip says after request i of TestKilledWithKey.
func judge(t *testing.T, s *server, i int) {
	t.Helper()
	want := []string{
		"A lo 65536 host lo 65536 ", "A eth0 1500 lo 65536 host lo 65536 p1 1500 ", "A lo 65536 wan 1400 host lo 65536 p1 1500 ",
		"A lo 65536 host lo 65536 ", "host lo 65536 ",
	}[i]
	got := nettest.Shell(t, `
		for name in $(ls /run/netns) host; do
			echo $name
			if [ $name = host ]; then ip -o link; else ip -n $name -o link; fi | sed -E 's/^[0-9]+: ([^:@]+)[^ ]* .* mtu ([0-9]+) .*/\1 \2/' | sort
		done`)
	if got := strings.ReplaceAll(got, "\n", " "); got != want {
		t.Errorf("after request %d ip says %q, want %q", i, got, want)
	}
	eventually(t, func() string {
		for _, n := range get[topology.Snapshot](t, s, "/topology").Namespaces {
			for _, l := range n.Links {
				if l.Managed && l.Sync != topology.InSync {
					return fmt.Sprintf("%s/%s is %s", n.Name, l.Name, l.Sync)
				}
			}
		}
		return ""
	})
}

// setBack takes request i of TestKilledWithKey back.
func setBack(t *testing.T, s *server, i int) {
	t.Helper()
	switch i {
	case 0:
		s.remove(t, "/namespaces/A")
	case 1:
		s.remove(t, "/namespaces/A/links/eth0")
	case 2:
		s.do(t, edit, "/namespaces/A/links/wan", `{"name":"eth0","mtu":1500}`).want(t, 200)
	case 3:
		post[veth](t, s, "/veths", `{"a":{"namespace":"A","name":"wan"},"b":{"namespace":"host","name":"p1"}}`)
	case 4:
		post[topology.NamespaceState](t, s, "/namespaces", `{"name":"A"}`)
	}
}
