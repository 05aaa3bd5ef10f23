package export

import (
	"fmt"
	"slices"
	"strings"

	"netdash/internal/topology"
)

// Script writes a POSIX shell script that builds a valid Spec with iproute2
// alone, and takes it down again: the commands of Diff, in its order. It
// refuses to begin when one of the lab's names is taken, and takes down what it
// has built when a command fails, so that it harms nothing that is not its own.
func Script(s *topology.Spec) []byte {
	s = plain(s)
	up, down := topology.Diff(&topology.Spec{}, s), topology.Diff(s, &topology.Spec{})
	name, file := title(s), FileName(s.Name)+".sh"
	if name == "" {
		name = "A lab without a name"
	}
	var b strings.Builder
	fmt.Fprintf(&b, scriptHead, name, file, file, file)
	b.WriteString("# Fails if a name of the lab is taken: already, or still.\nfree() {\n")
	b.WriteString(taken(s))
	b.WriteString("\t:\n}\n\n")
	b.WriteString("# Builds the lab.\nup() {\n")
	b.WriteString(lesson(up))
	b.WriteString("\t:\n}\n\n")
	b.WriteString("# Takes the lab down, going on over what is gone already.\ndown() {\n\tset +e\n")
	b.WriteString(lesson(down))
	b.WriteString("\tset -e\n}\n")
	b.WriteString(scriptTail)
	return []byte(b.String())
}

const scriptHead = `#!/bin/sh
# %s
#
# Builds this lab of network namespaces with iproute2, and takes it down again:
#
#	sudo sh %s         build it
#	sudo sh %s down    take it down
#	sudo sh -x %s      build it, showing each command
#
# It does nothing if one of the lab's names is taken. It stops at the first
# command that fails, and takes down what it had built. Commands without -n are
# about the namespace it is run in.
set -eu

fail() {
	printf '%%s\n' "$*" >&2
	exit 1
}

`

const scriptTail = `
# Runs at the end of a build that did not get there.
undo() {
	status=$?
	trap - EXIT
	echo 'failed: taking down what was built' >&2
	down 2>/dev/null
	exit "$status"
}

[ "$(id -u)" = 0 ] || fail 'only root can do this: try sudo'
for tool in ip bridge; do
	command -v "$tool" >/dev/null || fail "there is no command $tool: install iproute2"
done

case ${1-up} in
up)
	free already
	trap undo EXIT
	trap 'exit 1' HUP INT TERM
	up
	trap - EXIT
	;;
down)
	down
	free still
	;;
*)
	fail "usage: sh $0 [up | down]"
	;;
esac
`

// taken writes the checks for what is the lab's outside of its namespaces: their
// names, and those of its links on the host.
func taken(s *topology.Spec) string {
	var namespaces, links []string
	for _, n := range s.Namespaces {
		namespaces = append(namespaces, topology.Quote(n.Name))
	}
	onHost := func(namespace, name string) {
		if namespace == topology.HostName {
			links = append(links, topology.Quote(name))
		}
	}
	for _, b := range s.Bridges {
		onHost(b.Namespace, b.Name)
	}
	for _, v := range s.Veths {
		onHost(v.A.Namespace, v.A.Name)
		onHost(v.B.Namespace, v.B.Name)
	}
	check := func(names []string, test, message string) string {
		if len(names) == 0 {
			return ""
		}
		return "\tfor name in" + wrapped(names) + "; do\n\t\tif " + test + "; then fail " + message + "; fi\n\tdone\n"
	}
	return check(namespaces, `[ -e "/run/netns/$name" ]`, `"there is $1 a namespace $name"`) +
		check(links, `ip link show dev "$name" >/dev/null 2>&1`, `"there is $1 a link $name"`)
}

// wrapped writes words, each after a space, on lines of bearable length.
func wrapped(words []string) string {
	var b strings.Builder
	width := 0
	for _, w := range words {
		if width += len(w) + 1; width > 90 {
			b.WriteString(" \\\n\t\t")
			width = len(w)
		}
		b.WriteString(" " + w)
	}
	return b.String()
}

// lesson writes a Plan's commands in groups, each under a heading.
func lesson(plan topology.Plan) string {
	var b strings.Builder
	last := ""
	ports := slices.ContainsFunc(plan, func(c topology.Change) bool { _, plugs := c.(topology.SetMaster); return plugs })
	for _, c := range plan {
		h := heading(c)
		if h == headingPorts && !ports {
			h = headingQuiet
		}
		if h != last {
			if last != "" {
				b.WriteString("\n")
			}
			b.WriteString("\t# " + h + "\n")
			last = h
		}
		b.WriteString("\t" + c.Command() + "\n")
	}
	return b.String()
}

// These Changes come link by link.
const (
	headingPorts = "Ports, plugged into their bridges; and where no link-local IPv6 address is needed, none."
	headingQuiet = "No link-local IPv6 addresses."
)

// heading says what a command is about, to somebody who is learning.
func heading(c topology.Change) string {
	switch c.(type) {
	case topology.CreateNamespace:
		return "Namespaces: each has links, addresses and routes of its own."
	case topology.CreateBridge:
		return "Bridges: switches made of software."
	case topology.CreateVeth:
		return "Veth pairs: cables with two ends, each made where it belongs."
	case topology.SetMaster, topology.SetPort, topology.SetAddressGeneration:
		return headingPorts
	case topology.AddAddress:
		return "Addresses."
	case topology.SetUp:
		return "Up: until then a link carries nothing."
	case topology.AddRoute:
		return "Routes: where to send what is for another network."
	case topology.AddFDB:
		return "Static entries in the bridges' MAC tables."
	case topology.DeleteLink:
		return "Links. The other end of a veth pair goes with the one that is deleted."
	case topology.DeleteNamespace:
		return "Namespaces, with everything in them."
	}
	return "Settings."
}
