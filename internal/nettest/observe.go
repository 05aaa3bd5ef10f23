package nettest

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// macPattern finds MAC addresses; those a test has chosen begin with 02:00:00.
	macPattern = regexp.MustCompile(`\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b`)
	// fromRandomMAC finds addresses the kernel has made of a MAC.
	fromRandomMAC = regexp.MustCompile(`\b(fe80:|[0-9a-f:]+:)[0-9a-f:]+ff:fe[0-9a-f:]+`)
)

// Observe gives what ip, bridge and the mount table say of this machine, by
// namespace, without what differs from one machine to the next.
func Observe(t testing.TB) map[string]any {
	t.Helper()
	world := map[string]any{"mounts": namespaceMounts(t)}
	namespaces := []string{"host"}
	entries, err := os.ReadDir(runDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		namespaces = append(namespaces, e.Name())
	}
	for _, ns := range namespaces {
		ip := Batch(t, "ip", ns, "link show", "address show", "route show table main")
		bridge := Batch(t, "bridge", ns, "link show", "fdb show")
		links := byName(ip[0])
		for name, l := range byName(ip[1]) {
			links[name].(map[string]any)["addr_info"] = l.(map[string]any)["addr_info"]
		}
		world[ns] = normal("", map[string]any{
			"links": links,
			"ports": byName(bridge[0]),
			"inet":  ip[2],
			"inet6": sorted(IP(t, ns, "-6", "route", "show", "table", "main")),
			"fdb":   sorted(configured(bridge[1])),
		})
	}
	return world
}

func byName(links []map[string]any) map[string]any {
	out := map[string]any{}
	for _, l := range links {
		out[l["ifname"].(string)] = l
	}
	return out
}

// normal rewrites what iproute2 says so that two machines with the same
// configuration read the same: without indexes, running timers and numbers
// the kernel draws at random. key is the name v has in its object.
func normal(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if k == "ifindex" || k == "link_index" || k == "tentative" || strings.HasSuffix(k, "_timer") {
				continue
			}
			out[k] = normal(k, x)
		}
		return out
	case []map[string]any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = normal(key, x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = normal(key, x)
		}
		return out
	case string:
		return normalText(key, v)
	case float64:
		if key == "link_netnsid" {
			return "some nsid"
		}
	}
	return v
}

func normalText(key, v string) string {
	switch key {
	case "bridge_id", "root_id": // priority.address
		priority, address, _ := strings.Cut(v, ".")
		if !strings.HasPrefix(address, "2:0:0:") {
			address = "random"
		}
		return priority + "." + address
	case "local", "dst", "prefsrc", "gateway":
		if strings.HasPrefix(v, "fe80::") && !strings.HasPrefix(v, "fe80::ff:fe00:") && fromRandomMAC.MatchString(v) {
			return "of a random MAC"
		}
	}
	return macPattern.ReplaceAllStringFunc(v, func(mac string) string {
		if strings.HasPrefix(mac, "02:00:00:") || strings.HasPrefix(mac, "33:33:") || strings.HasPrefix(mac, "01:00:5e:") ||
			mac == "00:00:00:00:00:00" || mac == "ff:ff:ff:ff:ff:ff" {
			return mac
		}
		return "random"
	})
}

// configured leaves out what traffic has made in a MAC table: learned entries,
// and multicast groups of random addresses.
func configured(entries []map[string]any) []map[string]any {
	return slices.DeleteFunc(entries, func(e map[string]any) bool {
		return e["state"] == "" || strings.HasPrefix(e["mac"].(string), "33:33:ff:")
	})
}

// sorted puts entries in an order of their own, where the kernel's is that of a
// hash table with a random seed or of what came first by itself.
func sorted(entries []map[string]any) []map[string]any {
	slices.SortFunc(entries, func(a, b map[string]any) int { return cmp.Compare(sortKey(a), sortKey(b)) })
	return entries
}

func sortKey(e map[string]any) string {
	b, err := json.Marshal(normal("", e))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// namespaceMounts describes the mounts at and below /run/netns.
func namespaceMounts(t testing.TB) []string {
	t.Helper()
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`:\[?[0-9]+\]?`)
	var out []string
	for line := range strings.Lines(string(table)) {
		// id parent device root point options [propagation…] - type source super
		f := strings.Fields(line)
		if !strings.HasPrefix(f[4], runDir) {
			continue
		}
		end := slices.Index(f, "-")
		point := f[4]
		if st, err := os.Stat(point); err == nil {
			point += " " + st.Mode().String()
		}
		out = append(out, number.ReplaceAllString(strings.Join(append([]string{point, f[3], f[end+1]}, f[5:end]...), " "), ":N"))
	}
	slices.Sort(out)
	return out
}
