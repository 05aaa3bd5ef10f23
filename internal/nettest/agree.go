package nettest

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// Disagreement compares a Snapshot with what ip and bridge say of the host and
// every name under /run/netns, and tells all that differs. What is missing is not in either.
func Disagreement(t testing.TB, s *topology.Snapshot) string {
	t.Helper()
	names := []string{"host"}
	for _, line := range strings.Split(strings.TrimSpace(Shell(t, "ls /run/netns")), "\n") {
		if line != "" {
			names = append(names, line)
		}
	}
	var shown []string
	for _, n := range s.Namespaces {
		if n.Sync != topology.Missing {
			shown = append(shown, n.Name)
		}
	}
	sort.Strings(shown[1:])
	sort.Strings(names[1:])
	if !slices.Equal(shown, names) {
		return fmt.Sprintf("namespaces %v, ip has %v", shown, names)
	}
	var wrong []string
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
				wrong = append(wrong, fmt.Sprintf("%s of %s:\nshown %s\nip    %s", what, name, strings.Join(pair[0], "\n      "), strings.Join(pair[1], "\n      ")))
			}
		}
	}
	return strings.Join(wrong, "\n")
}

func linksOf(n *topology.NamespaceState) []string {
	var out []string
	for _, l := range n.Links {
		if l.Sync == topology.Missing {
			continue
		}
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

func linksByIP(t testing.TB, name string) []string {
	t.Helper()
	var out []string
	list := IP(t, name, "-d", "link")
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
		out = append(out, fmt.Sprint(l["ifindex"], " ", l["ifname"], " ", l["address"], " ", l["mtu"], " ", strings.ToLower(fmt.Sprint(l["operstate"])), " ", strings.Join(flags, ","), " alias=", word(l["ifalias"]), " master=", word(l["master"]), " peer=", peer, " ", l["inet6_addr_gen_mode"], " ", state))
	}
	return out
}

func addressesOf(n *topology.NamespaceState) []string {
	var out []string
	for _, l := range n.Links {
		if l.Sync == topology.Missing {
			continue
		}
		for _, a := range l.Addresses {
			out = append(out, l.Name+" "+a.CIDR+" "+a.Scope+" "+fmt.Sprint(slices.Contains(a.Flags, "tentative")))
		}
	}
	return out
}

func addressesByIP(t testing.TB, name string) []string {
	t.Helper()
	var out []string
	for _, l := range IP(t, name, "address") {
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
		if r.Sync == topology.Missing {
			continue
		}
		out = append(out, fmt.Sprint(r.Family, " ", r.Destination, " via=", r.Gateway, " dev=", r.Link, " ", r.Metric, " ", r.Protocol))
	}
	return out
}

func routesByIP(t testing.TB, name string) []string {
	t.Helper()
	var out []string
	for family, flag := range map[string]string{"inet": "-4", "inet6": "-6"} {
		for _, r := range IP(t, name, flag, "route", "show", "table", "main") {
			dst := word(r["dst"])
			if dst != "default" && !strings.Contains(dst, "/") {
				dst += map[string]string{"inet": "/32", "inet6": "/128"}[family]
			}
			metric := 0.0
			if m, ok := r["metric"].(float64); ok {
				metric = m
			}
			protocol := word(r["protocol"])
			if protocol == "" {
				protocol = "boot" // ip leaves it out
			}
			out = append(out, fmt.Sprint(family, " ", dst, " via=", word(r["gateway"]), " dev=", word(r["dev"]), " ", metric, " ", protocol))
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

func neighboursByIP(t testing.TB, name string) []string {
	t.Helper()
	var out []string
	for _, x := range IP(t, name, "neighbour") {
		out = append(out, fmt.Sprint(x["dev"], " ", x["dst"], " ", word(x["lladdr"])))
	}
	return out
}

func fdbOf(n *topology.NamespaceState) []string {
	var out []string
	for _, e := range n.FDB {
		if e.Sync == topology.Missing {
			continue
		}
		out = append(out, fmt.Sprint(e.Bridge, " ", e.MAC, " ", e.Port, " ", e.VLAN, " ", e.State))
	}
	return out
}

func fdbByBridge(t testing.TB, name string) []string {
	t.Helper()
	var out []string
	for _, e := range Bridge(t, name, "fdb") {
		if e["master"] == nil {
			continue
		}
		vlan := 0.0
		if v, ok := e["vlan"].(float64); ok {
			vlan = v
		}
		state := map[string]string{"permanent": "local", "static": "static"}[word(e["state"])]
		if state == "" {
			state = "learned"
		}
		out = append(out, fmt.Sprint(e["master"], " ", e["mac"], " ", e["ifname"], " ", vlan, " ", state))
	}
	return out
}

func word(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
