package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/topology"
)

// stormRest is how long after a storm the picture may be wrong.
const stormRest = time.Second

const (
	stormName  = "storm"
	stormLinks = 8
)

// storms measures what is wrong a second after a storm of changes of which most
// are lost: the watch of netdash, in this process, with the smallest buffer there
// is.
func (b *bench) storms(ctx context.Context, out *report) error {
	if _, err := b.inside.run("ip netns add " + stormName + `
		ip -n storm link add br0 type bridge; ip -n storm link set br0 up
		` + each(stormLinks/2, "ip -n storm link add e$((2*i)) master br0 type veth peer name e$((2*i+1)); ip -n storm link set e$((2*i+1)) master br0")); err != nil {
		return err
	}
	for _, kind := range []struct {
		what, program string
		line          func(i int) string
	}{
		{"links", "ip", linkLine}, {"a MAC table", "bridge", fdbLine},
	} {
		var wrong, compared int
		var lost uint64
		for range min(b.n.rounds, scaleRounds) {
			w, c, l, err := b.stormRound(ctx, kind.program, kind.line)
			if err != nil {
				return err
			}
			wrong, compared, lost = max(wrong, w), c, max(lost, l)
		}
		out.rows = append(out.rows, row{
			What:  fmt.Sprintf("storm of %d changes of %s, smallest buffer: differences from `%s -j` 1 s after its end", b.n.storm, kind.what, kind.program),
			Ours:  fmt.Sprintf("%d of %d compared; messages were lost %d times", wrong, compared, lost),
			Other: "–", Ratio: "–", Target: wanted("0", wrong == 0),
		})
	}
	_, err := b.inside.run("ip netns del " + stormName)
	return err
}

func linkLine(i int) string {
	name := fmt.Sprintf("dev e%d", i*7%stormLinks)
	return []string{
		fmt.Sprintf("link set %s mtu %d", name, 1300+i%200), "link set " + name + " up",
		fmt.Sprintf("link set %s alias a%d", name, i), "link set " + name + " down",
		"link set " + name + " nomaster", "link set " + name + " master br0",
	}[i*13%17%6]
}

func fdbLine(i int) string {
	verb, mac := "replace", i*7919%3000
	if i%3 == 2 {
		verb = "del"
	}
	return fmt.Sprintf("fdb %s 02:00:00:00:%02x:%02x dev e%d master static", verb, mac>>8, mac&255, i%stormLinks)
}

// stormRound has a storm happen and compares a second later.
func (b *bench) stormRound(ctx context.Context, program string, line func(int) string) (wrong, compared int, lost uint64, err error) {
	kernel, err := netops.New(netops.Options{ReceiveBuffer: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, 0, 0, err
	}
	defer closing(&err, kernel.Close)
	watcher, err := kernel.Watch()
	if err != nil {
		return 0, 0, 0, err
	}
	observed := live.New(kernel, watcher, &topology.Spec{}, 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); observed.Run() }()
	defer func() { watcher.Close(); <-ran }()
	if err := observed.WaitReady(ctx); err != nil {
		return 0, 0, 0, err
	}
	var batch strings.Builder
	for i := range b.n.storm {
		fmt.Fprintln(&batch, line(i))
	}
	file := filepath.Join(filepath.Dir(b.db), "storm")
	if err := os.WriteFile(file, []byte(batch.String()), 0o600); err != nil {
		return 0, 0, 0, err
	}
	// Some lines fail: an entry to delete is not there.
	if _, err := b.inside.run(fmt.Sprintf("%s -force -n %s -batch %s 2>/dev/null || true", program, stormName, file)); err != nil {
		return 0, 0, 0, err
	}
	time.Sleep(stormRest)
	ours := shownOf(observed.Snapshot().Namespace(stormName))
	theirs, err := toldBy(ctx)
	wrong = len(theirs) + len(ours)
	for _, one := range theirs {
		if slices.Contains(ours, one) {
			wrong -= 2
		}
	}
	return wrong, len(theirs), watcher.Overruns(), errors.Join(err, os.Remove(file))
}

// shownOf lists links and MAC table of a namespace as netdash sees it, for
// comparison.
func shownOf(n *topology.NamespaceState) (out []string) {
	if n == nil {
		return nil
	}
	for _, l := range n.Links {
		out = append(out, fmt.Sprint(l.Ifindex, l.Name, l.MTU, slices.Contains(l.Flags, "UP"), l.OperState, l.Master, l.Alias))
	}
	for _, e := range n.FDB {
		out = append(out, fmt.Sprint(e.MAC, e.Port, e.VLAN))
	}
	return out
}

// toldBy lists the same as ip and bridge see it.
func toldBy(ctx context.Context) (out []string, err error) {
	var links []struct {
		Ifindex, MTU                       int
		Ifname, OperState, Master, IfAlias string
		Flags                              []string
	}
	var entries []struct {
		MAC, Ifname, Master string
		VLAN                int
	}
	for _, q := range []struct {
		program, object string
		into            any
	}{{"ip", "link", &links}, {"bridge", "fdb", &entries}} {
		text, err := exec.CommandContext(ctx, q.program, "-j", "-n", stormName, q.object).Output()
		if err == nil {
			err = json.Unmarshal(text, q.into)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", q.program, q.object, err)
		}
	}
	for _, l := range links {
		out = append(out, fmt.Sprint(l.Ifindex, l.Ifname, l.MTU, slices.Contains(l.Flags, "UP"), strings.ToLower(l.OperState), l.Master, l.IfAlias))
	}
	for _, e := range entries {
		if e.Master != "" {
			out = append(out, fmt.Sprint(e.MAC, e.Ifname, e.VLAN))
		}
	}
	return out, nil
}
