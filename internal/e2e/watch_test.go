package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestEventsWithCounters: the counters of a namespace are those that ip tells,
// and come only to who watches it.
func TestEventsWithCounters(t *testing.T) {
	s := start(t)
	nettest.Shell(t, `set -e; for n in W V; do ip netns add $n; ip netns exec $n sh -c 'for c in all default; do echo 1 >/proc/sys/net/ipv6/conf/$c/disable_ipv6; done'; done
		ip -n W link add e0 type veth peer name e0 netns V
		ip -n W link set e0 up; ip -n V link set e0 up; ip -n W address add 10.0.0.1/24 dev e0; ip -n V address add 10.0.0.2/24 dev e0`)
	quiet, e := s.listen(t, ""), s.listen(t, "?watch=W")
	quiet.snapshot(t)
	e.snapshot(t)
	from := len(e.all())
	nettest.Shell(t, "ip netns exec W ping -q -i0.2 -c8 -s1000 10.0.0.2") // longer than a sample takes
	told := func(m message) *topology.LinkStats {
		if m.Stats == nil || m.Stats.Namespace != "W" {
			return nil
		}
		for i := range m.Stats.Links {
			if l := &m.Stats.Links[i]; l.Name == "e0" {
				return l
			}
		}
		return nil
	}
	e.await(t, from, "rates", func(m message) bool {
		l := told(m)
		return l != nil && l.Rates != nil && l.TxPacketsPerSecond > 1 && l.RxBitsPerSecond > 8000 && m.Stats.IntervalSeconds > 0.5 && m.Stats.IntervalSeconds < 20
	})
	e.await(t, len(e.all()), "the counters that ip tells", func(m message) bool {
		l := told(m)
		if l == nil {
			return false
		}
		// Each time anew: the kernel may send something by itself.
		stats, _ := nettest.IP(t, "W", "-s", "link", "show", "e0")[0]["stats64"].(map[string]any)
		ip := func(way, what string) uint64 {
			one, _ := stats[way].(map[string]any)
			v, _ := one[what].(float64)
			return uint64(v)
		}
		return l.RxBytes == ip("rx", "bytes") && l.TxBytes == ip("tx", "bytes") && l.RxPackets == ip("rx", "packets") && l.TxPackets == ip("tx", "packets") && l.RxBytes > 8000
	})

	// Others are watched from then on, also one that is yet to come.
	if err := e.client.Watch(t.Context(), "V", "later"); err != nil {
		t.Fatal(err)
	}
	e.await(t, len(e.all()), "V", func(m message) bool { return m.Stats != nil && m.Stats.Namespace == "V" })
	from = len(e.all())
	nettest.Shell(t, "ip netns add later")
	e.await(t, from, "later", func(m message) bool { return m.Stats != nil && m.Stats.Namespace == "later" })
	for _, m := range e.since(from) {
		if m.Stats != nil && m.Stats.Namespace == "W" {
			t.Errorf("W is no longer watched, and told at %s", m.At)
		}
	}
	for _, m := range quiet.all() {
		if m.Stats != nil {
			t.Errorf("who watches nothing is told %+v", m.Stats)
		}
	}
}

// TestEventsDocumentedClient runs the program of docs/events.md as it stands.
func TestEventsDocumentedClient(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node")
	}
	doc, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "`links.js` keeps")
	_, rest, _ = strings.Cut(rest, "```js\n")
	program, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/events.md has no program")
	}
	s := start(t)
	dir := t.TempDir()
	files := map[string]string{"links.js": program, "package.json": `{"type": "module"}`}
	for _, name := range []string{"socket.js", "reduce.js"} {
		files[name] = string(s.do(t, "GET", "//static/js/core/"+name, "").want(t, 200).body)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, "--experimental-websocket", "links.js", "ws"+strings.TrimPrefix(s.URL, "http")+"/api/v1/events")
	cmd.Dir = dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var lines []string
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for r := bufio.NewScanner(out); r.Scan(); {
			mu.Lock()
			lines = append(lines, r.Text())
			mu.Unlock()
		}
	}()
	defer func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait() // it was killed
	}()
	prints := func(what string, fits func(line string) bool) {
		t.Helper()
		eventually(t, func() string {
			mu.Lock()
			defer mu.Unlock()
			for _, l := range lines {
				if fits(l) {
					return ""
				}
			}
			return fmt.Sprintf("%s: not printed, but %q", what, lines)
		})
	}
	prints("the links there are", func(l string) bool { return strings.Contains(l, "snapshot host/lo") })
	nettest.Shell(t, "ip netns add N; ip -n N link add v0 type veth peer name v1")
	prints("what is new", func(l string) bool {
		return strings.Contains(l, " host/lo") && strings.Contains(l, " N/lo N/v0 N/v1") || strings.Contains(l, " N/lo N/v1 N/v0")
	})
	prints("counters", func(l string) bool { return strings.HasPrefix(l, "stats host lo ") })
}
