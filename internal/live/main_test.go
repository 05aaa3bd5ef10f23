package live_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/netops"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// watching gives a Live that follows this test's machine.
func watching(t *testing.T) (*live.Live, *netops.Watcher) {
	t.Helper()
	return watchingSpec(t, &topology.Spec{})
}

// watchingSpec gives one that judges by a Spec.
func watchingSpec(t *testing.T, spec *topology.Spec) (*live.Live, *netops.Watcher) {
	t.Helper()
	return watchingWith(t, netops.Options{}, spec)
}

func watchingWith(t *testing.T, options netops.Options, spec *topology.Spec) (*live.Live, *netops.Watcher) {
	t.Helper()
	nettest.NoLeaks(t)
	options.Logger = slog.New(slog.DiscardHandler)
	kernel, err := netops.New(options)
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := kernel.Watch()
	if err != nil {
		t.Fatal(err)
	}
	l := live.New(kernel, watcher, spec, 0, slog.New(slog.DiscardHandler))
	ran := make(chan struct{})
	go func() { defer close(ran); l.Run() }()
	t.Cleanup(func() {
		watcher.Close()
		<-ran
		if err := kernel.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := l.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return l, watcher
}

// eventually waits until check finds nothing wrong.
func eventually(t *testing.T, check func() string) {
	t.Helper()
	var wrong string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if wrong = check(); wrong == "" {
			return
		}
	}
	t.Fatal(wrong)
}

// agrees compares what live shows with what ip and bridge say of every
// namespace, and tells the first difference.
func agrees(t *testing.T, l *live.Live) string {
	t.Helper()
	return isTrue(t, l.Snapshot())
}

// isTrue is agrees for a Snapshot, and a world in which nothing happens any more.
func isTrue(t *testing.T, s *topology.Snapshot) string {
	t.Helper()
	names := []string{"host"}
	for _, line := range strings.Split(strings.TrimSpace(nettest.Shell(t, "ls /run/netns")), "\n") {
		if line != "" {
			names = append(names, line)
		}
	}
	var shown []string
	for _, n := range s.Namespaces {
		shown = append(shown, n.Name)
	}
	sort.Strings(shown[1:])
	if !slices.Equal(shown, names) {
		return fmt.Sprintf("namespaces %v, ip has %v", shown, names)
	}
	for _, name := range names {
		n := s.Namespace(name)
		for what, pair := range map[string][2][]string{
			"links":      {linksOf(n), linksByIP(t, name)},
			"addresses":  {addressesOf(n), addressesByIP(t, name)},
			"routes":     {routesOf(n), routesByIP(t, name)},
			"neighbours": {neighboursOf(n), neighboursByIP(t, name)},
			"fdb":        {fdbOf(n), fdbByBridge(t, name)},
		} {
			sort.Strings(pair[0])
			sort.Strings(pair[1])
			if !slices.Equal(pair[0], pair[1]) {
				return fmt.Sprintf("%s of %s:\nshown %s\nip    %s", what, name, strings.Join(pair[0], "\n      "), strings.Join(pair[1], "\n      "))
			}
		}
	}
	return ""
}

func linksOf(n *topology.NamespaceState) []string {
	var out []string
	for _, l := range n.Links {
		peer := ""
		if l.Peer != nil {
			peer = fmt.Sprint(l.Peer.Ifindex)
		}
		state := ""
		if l.BridgePort != nil {
			state = l.BridgePort.State
		}
		out = append(out, fmt.Sprint(l.Ifindex, " ", l.Name, " ", l.MAC, " ", l.MTU, " ", l.OperState, " ", strings.Join(l.Flags, ","), " alias=", l.Alias, " master=", l.Master, " peer=", peer, " ", l.AddressGeneration, " ", state))
	}
	return out
}

func linksByIP(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	list := nettest.IP(t, name, "-d", "link")
	byIndex := map[float64]string{}
	for _, l := range list {
		byIndex[l["ifindex"].(float64)] = l["ifname"].(string)
	}
	for _, l := range list {
		peer := ""
		if i, ok := l["link_index"]; ok {
			peer = fmt.Sprint(i)
		} else if p, ok := l["link"]; ok {
			for _, other := range list {
				if other["ifname"] == p {
					peer = fmt.Sprint(other["ifindex"])
				}
			}
		}
		state := ""
		if info, ok := l["linkinfo"].(map[string]any); ok {
			if slave, ok := info["info_slave_data"].(map[string]any); ok && info["info_slave_kind"] == "bridge" {
				state = fmt.Sprint(slave["state"])
			}
		}
		flags := []string{}
		for _, f := range l["flags"].([]any) {
			if f != "M-DOWN" { // ip's own, from the peer
				flags = append(flags, f.(string))
			}
		}
		out = append(out, fmt.Sprint(l["ifindex"], " ", l["ifname"], " ", l["address"], " ", l["mtu"], " ", strings.ToLower(fmt.Sprint(l["operstate"])), " ", strings.Join(flags, ","), " alias=", text(l["ifalias"]), " master=", text(l["master"]), " peer=", peer, " ", l["inet6_addr_gen_mode"], " ", state))
	}
	return out
}

func addressesOf(n *topology.NamespaceState) []string {
	var out []string
	for _, l := range n.Links {
		for _, a := range l.Addresses {
			out = append(out, l.Name+" "+a.CIDR+" "+a.Scope+" "+fmt.Sprint(slices.Contains(a.Flags, "tentative")))
		}
	}
	return out
}

func addressesByIP(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for _, l := range nettest.IP(t, name, "address") {
		for _, a := range l["addr_info"].([]any) {
			a := a.(map[string]any)
			out = append(out, fmt.Sprint(l["ifname"], " ", a["local"], "/", a["prefixlen"], " ", a["scope"], " ", a["tentative"] != nil))
		}
	}
	return out
}

func routesOf(n *topology.NamespaceState) []string {
	var out []string
	for _, r := range n.Routes {
		out = append(out, fmt.Sprint(r.Family, " ", r.Destination, " via=", r.Gateway, " dev=", r.Link, " ", r.Metric, " ", r.Protocol))
	}
	return out
}

func routesByIP(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for family, flag := range map[string]string{"inet": "-4", "inet6": "-6"} {
		for _, r := range nettest.IP(t, name, flag, "route", "show", "table", "main") {
			dst := text(r["dst"])
			if dst != "default" && !strings.Contains(dst, "/") {
				dst += map[string]string{"inet": "/32", "inet6": "/128"}[family]
			}
			metric := 0.0
			if m, ok := r["metric"].(float64); ok {
				metric = m
			}
			protocol := text(r["protocol"])
			if protocol == "" {
				protocol = "boot" // ip leaves it out
			}
			out = append(out, fmt.Sprint(family, " ", dst, " via=", text(r["gateway"]), " dev=", text(r["dev"]), " ", metric, " ", protocol))
		}
	}
	return out
}

func neighboursOf(n *topology.NamespaceState) []string {
	var out []string
	for _, x := range n.Neighbours {
		out = append(out, x.Link+" "+x.Address+" "+x.MAC)
	}
	return out
}

func neighboursByIP(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for _, x := range nettest.IP(t, name, "neighbour") {
		out = append(out, fmt.Sprint(x["dev"], " ", x["dst"], " ", text(x["lladdr"])))
	}
	return out
}

func fdbOf(n *topology.NamespaceState) []string {
	var out []string
	for _, e := range n.FDB {
		out = append(out, fmt.Sprint(e.Bridge, " ", e.MAC, " ", e.Port, " ", e.VLAN, " ", e.State))
	}
	return out
}

func fdbByBridge(t *testing.T, name string) []string {
	t.Helper()
	var out []string
	for _, e := range nettest.Bridge(t, name, "fdb") {
		if e["master"] == nil {
			continue
		}
		vlan := 0.0
		if v, ok := e["vlan"].(float64); ok {
			vlan = v
		}
		state := map[string]string{"permanent": "local", "static": "static"}[text(e["state"])]
		if state == "" {
			state = "learned"
		}
		out = append(out, fmt.Sprint(e["master"], " ", e["mac"], " ", e["ifname"], " ", vlan, " ", state))
	}
	return out
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
