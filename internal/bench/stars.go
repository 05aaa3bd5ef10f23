package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// starCase is a star of hosts around a switch, built as a whole.
type starCase struct {
	hosts int
	ipv6  bool
	// What it is to be faster than ip -batch by, and by with the same settings (0:
	// not compared).
	target, quietTarget float64
}

// starDocument is the Spec of a star.
func starDocument(hosts int, ipv6 bool) (string, error) {
	s := topology.Spec{Namespaces: []topology.Namespace{{Name: "sw"}}, Bridges: []topology.Bridge{{Namespace: "sw", Name: "br0"}}}
	if !ipv6 {
		s.IPv6 = &ipv6
	}
	for i := range hosts {
		host := fmt.Sprint("h", i)
		s.Namespaces = append(s.Namespaces, topology.Namespace{Name: host})
		s.Veths = append(s.Veths, topology.Veth{
			A: topology.End{Namespace: host, Name: "eth0", Addresses: []string{fmt.Sprintf("10.77.%d.%d/16", (i+1)>>8, (i+1)&255)}},
			B: topology.End{Namespace: "sw", Name: fmt.Sprint("p", i), Master: "br0"},
		})
	}
	text, err := json.Marshal(s)
	return string(text), err
}

// starScripts build a star with as few processes of ip as there can be; quiet is
// with what netdash does for ipv6: false (no IPv6 addresses, one queue an end),
// two processes at once.
func starScripts(hosts int) (plain, quiet string) {
	spaces := "{ echo netns add sw; " + each(hosts, "echo netns add h$i") + "; } | ip -batch -\n"
	links := func(queues string) string {
		return "{ echo link add br0 type bridge; echo link set br0 up; " +
			each(hosts, "echo link add p$i up master br0 "+queues+"type veth peer name eth0 netns h$i") + "; } | ip -n sw -batch -\n"
	}
	lines := `printf 'addr add 10.77.%d.%d/16 dev eth0\nlink set lo up\nlink set eth0 up\n' $(((i+1)>>8)) $(((i+1)&255))`
	plain = spaces + links("") + each(hosts, lines+" | ip -n h$i -batch -")
	quiet = "D=$(mktemp -d)\n" + spaces +
		"ip netns exec sw sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'\n" +
		links("numtxqueues 1 numrxqueues 1 ") +
		each(hosts, "{ echo link set eth0 addrgenmode none; "+lines+"; } > $D/$i") + "\n" +
		fmt.Sprintf("seq 0 %d | xargs -P2 -I{} ip -n h{} -batch $D/{}\nrm -r $D", hosts-1)
	return plain, quiet
}

// stars measures how long a star takes as one PUT, and how long to take it away.
func (b *bench) stars(ctx context.Context, out *report) (err error) {
	if b.spaces, err = spaces(); err != nil {
		return err
	}
	for _, c := range b.n.stars {
		if err := b.starCase(ctx, c, out); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) starCase(ctx context.Context, c starCase, out *report) error {
	document, err := starDocument(c.hosts, c.ipv6)
	if err != nil {
		return err
	}
	plain, quiet := starScripts(c.hosts)
	var ours, batch, same, bare, away samples   // ms
	var ends, batchEnds, waits samples          // ms
	for range min(b.n.rounds, b.n.starRounds) { // what comes before has warmed both sides up
		took, err := timed(func() error { return b.put(ctx, document) })
		if err != nil {
			return err
		}
		down, err := b.takeAway(ctx)
		if err != nil {
			return err
		}
		rivals := []rival{
			{&batch, &batchEnds, b.outside, plain}, {&same, new(samples), b.outside, quiet},
		}
		if c.quietTarget == 0 {
			rivals = rivals[:1]
		}
		for _, r := range rivals {
			if err := b.turn(r, c.hosts); err != nil {
				return err
			}
		}
		floor, err := starFloor(c.hosts, !c.ipv6)
		if err != nil {
			return err
		}
		if err := b.settled(); err != nil {
			return err
		}
		ours, bare, away = append(ours, took), append(bare, floor), append(away, down.answered)
		ends, waits = append(ends, down.done), append(waits, down.longest)
	}
	what := fmt.Sprintf("star of %d, ", c.hosts)
	if c.ipv6 {
		what += "IPv6 as the kernel has it"
	} else {
		what += "`ipv6: false`"
	}
	add := func(what, ours, other string, ratio samples, target string) {
		out.rows = append(out.rows, row{What: what, Ours: ours, Other: other, Ratio: ratio.String() + "×", Target: target})
	}
	ratio := batch.over(ours)
	add("`PUT` of the "+what+", ms", ours.String(), "`ip -batch`: "+batch.String(), ratio,
		wanted(fmt.Sprintf("≥ %g×", c.target), ratio.median() >= c.target))
	if c.quietTarget > 0 {
		ratio := same.over(ours)
		add("the same", ours.String(), "`ip -batch`, same settings, two at once: "+same.String(), ratio,
			wanted(fmt.Sprintf("≥ %g×", c.quietTarget), ratio.median() >= c.quietTarget))
		ratio = ours.over(bare)
		add("the same", ours.String(), "bare Go, the kernel's part alone: "+bare.String(), ratio, wanted("≤ 1.3×", ratio.median() <= 1.3))
	}
	if c.quietTarget == 0 {
		return nil
	}
	add(fmt.Sprintf("deleting %d namespaces: answered after, ms", c.hosts+1), away.String(), "–", away.over(away), wanted("≤ 500 ms", away.median() <= 500))
	ratio = ends.over(batchEnds)
	add("the same, until the kernel is done, ms", ends.String(), "`ip -batch`: "+batchEnds.String(), ratio, wanted("≤ 1.25×", ratio.median() <= 1.25))
	add("the same, longest wait of another edit, ms", waits.String(), "–", waits.over(waits), wanted("≤ 200 ms", waits.median() <= 200))
	return nil
}

// put makes netdash's topology what a document says.
func (b *bench) put(ctx context.Context, document string) error {
	_, _, err := b.server.call(ctx, http.StatusOK, http.MethodPut, "/topology/intended", document)
	return err
}

// rival builds a star by script, and takes it away again.
type rival struct {
	built, gone *samples
	shell       *shell
	script      string
}

func (b *bench) turn(r rival, hosts int) error {
	took, err := r.shell.run(r.script)
	if err != nil {
		return err
	}
	time.Sleep(time.Second) // what the kernel still does for the links
	before := time.Now()
	if _, err := r.shell.run("{ " + each(hosts, "echo netns del h$i") + "; echo netns del sw; } | ip -batch -"); err != nil {
		return err
	}
	if err := b.settled(); err != nil {
		return err
	}
	*r.built, *r.gone = append(*r.built, milliseconds(took)), append(*r.gone, milliseconds(time.Since(before)))
	return nil
}

// takenAway is what a deletion of everything took, in milliseconds.
type takenAway struct {
	answered float64 // until netdash answered
	done     float64 // until the kernel had taken everything down
	longest  float64 // the longest another edit waited meanwhile
}

// takeAway deletes everything, while another client edits something else.
func (b *bench) takeAway(ctx context.Context) (t takenAway, err error) {
	time.Sleep(time.Second) // what the kernel still does for the links
	rest := `{"bridges":[{"namespace":"host","name":"other"}]}`
	if err := b.server.create(ctx, "/bridges", `{"namespace":"host","name":"other"}`); err != nil {
		return t, err
	}
	var edits sync.WaitGroup
	stop := make(chan struct{})
	var failed error
	edits.Go(func() {
		for i := 0; failed == nil; i++ {
			took, err := timed(func() error {
				_, _, err := b.server.call(ctx, http.StatusOK, http.MethodPatch, "/namespaces/host/links/other", fmt.Sprintf(`{"alias":"%d"}`, i))
				return err
			})
			t.longest, failed = max(t.longest, took), err
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	began := time.Now()
	err = b.put(ctx, rest)
	t.answered = milliseconds(time.Since(began))
	err = errors.Join(err, b.settled())
	t.done = milliseconds(time.Since(began))
	close(stop)
	edits.Wait()
	if err = errors.Join(err, failed); err != nil {
		return t, err
	}
	return t, b.put(ctx, "{}")
}

// spaces counts the network namespaces the kernel has memory for.
func spaces() (int, error) {
	text, err := os.ReadFile("/proc/slabinfo")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var n int
		if _, err := fmt.Sscanf(line, "net_namespace %d", &n); err == nil {
			return n, nil
		}
	}
	return 0, errors.New("/proc/slabinfo does not tell of net_namespace")
}

// slack is how many objects a slab may keep for later.
const slack = 40

// settled waits until the kernel has taken all deleted namespaces down. It frees the
// memory of the last ones only when it takes the next one down (net_complete_free
// in net/core/net_namespace.c), so it is given another one now and then.
func (b *bench) settled() error {
	for i := range 30_000 {
		n, err := spaces()
		if err != nil || n <= b.spaces+slack {
			return err
		}
		if i%10 == 9 {
			err = apart(func() error { return os.NewSyscallError("unshare", unix.Unshare(unix.CLONE_NEWNET)) })
		}
		if err != nil {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.New("the kernel still has the deleted namespaces after a minute")
}

// starFloor tells how long, in milliseconds, one thread needs to have the kernel
// make a star, and nothing else: no HTTP, no journal, no look at the result.
func starFloor(hosts int, quiet bool) (ms float64, err error) {
	err = apart(func() error {
		ms, err = timed(func() error { return bareStar(hosts, quiet) })
		if err != nil {
			return err
		}
		names, err := filepath.Glob(runDir + "/*")
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := dropName(name); err != nil {
				return err
			}
		}
		return nil
	})
	return ms, err
}
