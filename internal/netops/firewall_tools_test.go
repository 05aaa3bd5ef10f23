package netops

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

var allTools = []string{"nft", "iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"}

// toolsOf gives what each tool says, by its name.
func toolsOf(t *testing.T, f *topology.Firewall) map[string]topology.FirewallTool {
	t.Helper()
	byName := map[string]topology.FirewallTool{}
	var names []string
	for _, tool := range f.Tools {
		byName[tool.Tool] = tool
		names = append(names, tool.Tool)
	}
	if strings.Join(names, " ") != strings.Join(allTools, " ") {
		t.Fatalf("tools are %v", names)
	}
	return byName
}

// needTools skips without iptables, or on a kernel that lacks the older one.
func needTools(t *testing.T, ns string, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed (Debian: iptables)")
		}
		out, err := exec.Command("ip", "netns", "exec", ns, tool, "-S").CombinedOutput()
		if err != nil && strings.Contains(string(out), "does not exist") {
			t.Skipf("this kernel lacks what %s needs: %s", tool, out)
		}
	}
}

// Each tool's text is what the tool itself prints in the namespace.
func TestFirewallTools(t *testing.T) {
	k := pingKernel(t)
	ns, scratch := nettest.Namespace(t), nettest.Namespace(t)
	needTools(t, scratch, "iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy")
	nettest.Shell(t, "ip netns exec "+ns+` sh -ec '
		nft "table inet mine { set s { type ipv4_addr; elements = { 10.9.9.9 }; }; chain c { type filter hook input priority 0; ip saddr @s drop comment \"four\"; }; }"
		iptables-nft -A INPUT -p tcp --dport 2201 -j DROP
		ip6tables-nft -A FORWARD -p tcp --dport 2202 -j ACCEPT
		iptables-legacy -A OUTPUT -p udp --dport 2203 -j REJECT
		ip6tables-legacy -P FORWARD DROP'`)
	got := toolsOf(t, readFirewall(t, k, ns))
	times := regexp.MustCompile(`(?m)^(# (?:Generated|Completed).* on ).*$`)
	for name, must := range map[string]string{
		"nft": `ip saddr @s drop comment "four"`, "iptables-nft": "--dport 2201", "ip6tables-nft": "--dport 2202",
		"iptables-legacy": "--dport 2203", "ip6tables-legacy": ":FORWARD DROP",
	} {
		tool := got[name]
		if !tool.Installed || tool.Error != "" || !strings.Contains(tool.Text, must) {
			t.Errorf("%s says %+v", name, tool)
		}
		if !strings.HasPrefix(tool.Command, "ip netns exec "+ns+" ") {
			t.Errorf("%s is run as %q", name, tool.Command)
		}
		printed := nettest.Shell(t, tool.Command+" 2>/dev/null")
		if want, have := times.ReplaceAllString(printed, "$1"), times.ReplaceAllString(tool.Text, "$1"); want != have {
			t.Errorf("%s prints\n%snot\n%s", tool.Command, want, have)
		}
	}
	if !strings.Contains(got["nft"].Text, "10.9.9.9") {
		t.Error("what is in a set is left out")
	}
}

// Reading makes nothing: no table of either kind, which iptables would make by
// being asked for its rules.
func TestFirewallReadingMakesNothing(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	for range 2 {
		for name, tool := range toolsOf(t, readFirewall(t, k, ns)) {
			if tool.Text != "" || tool.Error != "" {
				t.Errorf("%s says %+v of a fresh namespace", name, tool)
			}
		}
	}
	if left := nettest.Shell(t, "ip netns exec "+ns+" sh -c 'nft list ruleset; cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || :'"); left != "" {
		t.Errorf("reading has made %s", left)
	}
}

// A tool that is not there is named where there is something it would show.
func TestFirewallWithoutTools(t *testing.T) {
	k := pingKernel(t)
	ns, empty := nettest.Namespace(t), nettest.Namespace(t)
	nettest.Shell(t, "ip netns exec "+ns+" nft 'table ip t { chain c { type filter hook input priority 0; accept; }; }'")
	t.Setenv("PATH", t.TempDir())
	got, none := readFirewall(t, k, ns), readFirewall(t, k, empty)
	t.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin") // for what cleans up
	tools := toolsOf(t, got)
	if e := tools["nft"].Error; e != "there are rules, but nft is not installed" {
		t.Errorf("of nft: %q", e)
	}
	if e := tools["ip6tables-nft"].Error; e != "" { // there are no rules of its family
		t.Errorf("of ip6tables-nft: %q", e)
	}
	for _, tool := range append(got.Tools, none.Tools...) {
		if tool.Installed || tool.Text != "" {
			t.Errorf("%+v", tool)
		}
	}
	for _, tool := range none.Tools {
		if tool.Error != "" {
			t.Errorf("nothing to show, and %+v", tool)
		}
	}
}

// A very long ruleset is cut at the end of a line, and says so.
func TestFirewallLongText(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	long := strings.Repeat("one of many rules\n", toolText)[:toolText+100]
	err := errors.Join(os.WriteFile(text, []byte(long), 0o600), os.WriteFile(filepath.Join(dir, "nft"), []byte("#!/bin/sh\ncat "+text+"\n"), 0o700))
	if err != nil {
		t.Fatal(err)
	}
	nettest.Shell(t, "ip netns exec "+ns+" nft add table ip t")
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	tool := toolsOf(t, readFirewall(t, k, ns))["nft"]
	if n := len(tool.Text); n > toolText || n < toolText-100 || !strings.HasSuffix(tool.Text, "rules\n") || !strings.Contains(tool.Error, fmt.Sprint(toolText+100)) {
		t.Errorf("%d bytes, error %q", n, tool.Error)
	}
}

// A tool that fails says why; what the others say stays.
func TestFirewallFailingTool(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "iptables-nft-save"), []byte("#!/bin/sh\necho broken >&2; exit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	nettest.Shell(t, "ip netns exec "+ns+" nft 'table ip t { chain c { type filter hook input priority 0; accept; }; }'")
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	got := toolsOf(t, readFirewall(t, k, ns))
	if e := got["iptables-nft"].Error; e != "iptables-nft-save: exit status 3: broken" {
		t.Errorf("of iptables-nft: %q", e)
	}
	if got["nft"].Error != "" || !strings.Contains(got["nft"].Text, "table ip t") {
		t.Errorf("of nft: %+v", got["nft"])
	}
}

func TestForwarding(t *testing.T) {
	k := pingKernel(t)
	ns := nettest.Namespace(t)
	for _, want := range []topology.Forwarding{{}, {IPv4: true}, {IPv6: true}} {
		bit := map[bool]int{true: 1}
		nettest.Shell(t, fmt.Sprintf("ip netns exec %s sysctl -qw net.ipv4.ip_forward=%d net.ipv6.conf.all.forwarding=%d", ns, bit[want.IPv4], bit[want.IPv6]))
		if got := readFirewall(t, k, ns).Forwarding; got != want {
			t.Errorf("forwarding is %+v, want %+v", got, want)
		}
	}
}

func TestUnloaded(t *testing.T) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if unloaded("nf_tables", root) {
		t.Error("it is not loaded where there are no modules")
	}
	dir := root + "/lib/modules/" + unix.ByteSliceToString(u.Release[:])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	list := "kernel/net/netfilter/nf_tables.ko.xz: kernel/net/netfilter/nfnetlink.ko.xz\n"
	if err := os.WriteFile(filepath.Join(dir, "modules.dep"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	if !unloaded("nf_tables", root) || unloaded("tables", root) {
		t.Error("a module that could be loaded and is not is not told from others")
	}
	if err := os.MkdirAll(root+"/sys/module/nf_tables", 0o700); err != nil {
		t.Fatal(err)
	}
	if unloaded("nf_tables", root) {
		t.Error("a module that is loaded is not seen")
	}
}
