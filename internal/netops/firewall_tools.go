package netops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

// toolText is how many bytes of what a tool prints are kept.
const toolText = 1 << 20

// ask adds to the answer what a tool prints of its rules, and gives it whole;
// empty where it was not asked. inUse tells whether the kernel has any: without,
// there is nothing to ask, and no tool gets to make or load what it looks for.
func (r *filterReader) ask(tool string, inUse bool, program string, args ...string) string {
	command := append([]string{program}, args...)
	if r.namespace != topology.HostName {
		command = append([]string{"ip", "netns", "exec", r.namespace}, command...)
	}
	_, missing := exec.LookPath(program)
	t := topology.FirewallTool{Tool: tool, Command: strings.Join(command, " "), Installed: missing == nil}
	var whole string
	switch {
	case inUse && !t.Installed:
		t.Error = "there are rules, but " + program + " is not installed"
	case inUse:
		out, err := r.kernel.runIn(r.ctx, r.namespace, program, args...)
		if err != nil {
			t.Error = err.Error()
		}
		if whole, t.Text = out, out; len(out) > toolText {
			t.Text = out[:strings.LastIndexByte(out[:toolText], '\n')+1]
			t.Error = fmt.Sprintf("the first %d of %d bytes; the command shows all", len(t.Text), len(out))
		}
	}
	r.out.Tools = append(r.out.Tools, t)
	return whole
}

// nftTexts asks nft for the text of all rules.
func (k *Kernel) nftTexts(ctx context.Context, namespace string) (ruleTexts, error) {
	// -a adds the handles, -t leaves out what is in named sets.
	out, err := k.runIn(ctx, namespace, "nft", "-a", "-t", "list", "ruleset")
	if errors.Is(err, exec.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseNFT(out), nil
}

// legacy reads ip_tables and ip6_tables, which know nothing of nf_tables and are
// none of nft's business, but filter packets all the same. The kernel makes a
// table when it is first asked for: only those that are there are.
func (r *filterReader) legacy() error {
	for _, v := range []struct{ family, names, tool string }{
		{"ip", "/proc/thread-self/net/ip_tables_names", "iptables-legacy"},
		{"ip6", "/proc/thread-self/net/ip6_tables_names", "ip6tables-legacy"},
	} {
		names, err := r.readFile(v.names)
		if err != nil {
			return err
		}
		tables := strings.Fields(names)
		text := r.ask(v.tool, len(tables) > 0, v.tool+"-save")
		if text != "" {
			r.out.Chains = append(r.out.Chains, parseSave(v.family, text)...)
			continue
		}
		for _, t := range tables {
			why := r.out.Tools[len(r.out.Tools)-1].Error
			r.out.Chains = append(r.out.Chains, topology.FirewallChain{Family: v.family, Table: legacyTable(t), Rules: []string{why}})
		}
	}
	return nil
}

// forwarding reads whether packets are passed on between links.
func (r *filterReader) forwarding() error {
	v4, err := r.readFile("/proc/sys/net/ipv4/ip_forward")
	if err != nil {
		return err
	}
	v6, err := r.readFile("/proc/sys/net/ipv6/conf/all/forwarding")
	if err != nil {
		return err
	}
	on := func(v string) bool { v = strings.TrimSpace(v); return v != "" && v != "0" }
	r.out.Forwarding = topology.Forwarding{IPv4: on(v4), IPv6: on(v6)}
	return nil
}

// readFile reads a file of /proc as the namespace has it; empty if it has none.
func (r *filterReader) readFile(name string) (string, error) {
	var text []byte
	err := r.kernel.Do(r.namespace, func() (err error) {
		text, err = os.ReadFile(name)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return string(text), err
}

// runIn runs a program in a namespace and gives what it prints. errors.Is
// exec.ErrNotFound if it is not installed.
func (k *Kernel) runIn(ctx context.Context, namespace, program string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	// A child is in the namespace of the thread that starts it.
	err := k.Do(namespace, cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// unloaded tells that a part of the kernel could be loaded and is not: whoever
// asks for it then has it loaded (request_module in nfnetlink_rcv_msg). What is
// built in is not among the modules, and of modules in another root, as from
// inside a container, nothing is known.
func unloaded(module, root string) bool {
	if _, err := os.Stat(root + "/sys/module/" + module); err == nil {
		return false
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false
	}
	list, err := os.ReadFile(root + "/lib/modules/" + unix.ByteSliceToString(u.Release[:]) + "/modules.dep")
	return err == nil && bytes.Contains(list, []byte("/"+module+".ko"))
}
