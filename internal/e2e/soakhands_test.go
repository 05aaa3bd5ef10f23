package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	"netdash/internal/topology"
)

// What is worked on has few names, so that those who work meet.
var (
	ownNames     = []string{"n0", "n1", "n2", "n3", "n4", "n5"}
	foreignNames = []string{"f0", "f1", "f2", "n4"}
	linkNames    = []string{"e0", "e1", "e2", "e3", "e4", "br0", "br1"}
)

func one[T any](s *somebody, of []T) T { return of[s.IntN(len(of))] }

// chance is true in so many of a hundred cases.
func (s *somebody) chance(percent int) bool { return s.IntN(100) < percent }

// cidr is an address of one of a few networks.
func (s *somebody) cidr() string {
	if s.chance(20) {
		return fmt.Sprintf("fd00:%d::%x/64", s.IntN(3), 1+s.IntN(200))
	}
	return fmt.Sprintf("10.%d.0.%d/24", 50+s.IntN(3), 1+s.IntN(200))
}

// mac is one of a few.
func (s *somebody) mac() string { return fmt.Sprintf("02:00:00:00:00:%02x", 1+s.IntN(20)) }

// target is a link somebody can see, or none.
type target struct {
	namespace, name string
	bridge, port    string // one of each in that namespace, if there is one
	address         string // of the link, if it has one
	ip              string // the beginning of a command there
}

// look picks a link of any namespace, but not the one netdash is reached by.
func (s *somebody) look(snapshot *topology.Snapshot) target {
	for range 20 {
		n := one(s, snapshot.Namespaces)
		if s.chance(30) {
			n = snapshot.Namespaces[0] // the host, where most bridges are
		}
		if len(n.Links) == 0 {
			continue
		}
		l := one(s, n.Links)
		if (n.Name == topology.HostName && l.Name == topology.LoopbackName) || n.Sync == topology.Missing {
			continue
		}
		x := target{n.Name, l.Name, "br0", "e0", "10.50.0.1", in("ip", n.Name)}
		if len(l.Addresses) > 0 {
			x.address, _, _ = strings.Cut(l.Addresses[0].CIDR, "/")
		}
		for _, l := range n.Links {
			if l.Kind == "bridge" && (x.bridge == "br0" || s.chance(50)) {
				x.bridge = l.Name
			}
			if l.Master != "" && (x.port == "e0" || s.chance(50)) {
				x.port = l.Name
			}
		}
		return x
	}
	return target{"n0", "e0", "br0", "e0", "10.50.0.1", in("ip", "n0")}
}

// in begins a command of ip or bridge in a namespace.
func in(program, namespace string) string {
	if namespace == topology.HostName {
		return program
	}
	return program + " -n " + namespace
}

// here names a namespace as "ip link … netns" wants it: the host's by a process in it.
func here(namespace string) string {
	if namespace == topology.HostName {
		return "$$"
	}
	return namespace
}

// byHand are the things somebody does with ip and bridge. x is a link that was
// there a moment ago, to some namespace.
var byHand = []struct {
	name    string
	share   int
	command func(s *somebody, x target, to string) string
}{
	{"flap", 12, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s link set %s down && sleep 0.0%d && %[1]s link set %[2]s up", x.ip, x.name, s.IntN(6))
	}},
	{"rename", 5, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s link set %s down && %[1]s link set %[2]s name %s up", x.ip, x.name, one(s, linkNames))
	}},
	{"move", 8, func(_ *somebody, x target, to string) string {
		return fmt.Sprintf("%s link set %s netns %s", x.ip, x.name, here(to))
	}},
	{"delete a link", 5, func(_ *somebody, x target, _ string) string { return fmt.Sprintf("%s link delete %s", x.ip, x.name) }},
	{"add a pair", 6, func(s *somebody, x target, to string) string {
		return fmt.Sprintf("%s link add %s up type veth peer name %s netns %s", x.ip, one(s, linkNames), one(s, linkNames), here(to))
	}},
	{"add a bridge", 3, func(_ *somebody, x target, _ string) string {
		return x.ip + " link add br1 up type bridge"
	}},
	{"plug", 4, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s link set %s master %s", x.ip, x.name, x.bridge)
	}},
	{"unplug", 2, func(_ *somebody, x target, _ string) string {
		return fmt.Sprintf("%s link set %s nomaster", x.ip, x.name)
	}},
	{"set a link", 4, func(s *somebody, x target, _ string) string {
		// The kernel tells nobody of an alias while the link is down
		// (netdev_state_change in net/core/dev.c), but of the MTU that follows.
		return fmt.Sprintf("%s link set %s alias by-hand && %[1]s link set %[2]s mtu 1300 && %[1]s link set %[2]s mtu %[3]d", x.ip, x.name, 1301+s.IntN(200))
	}},
	{"MAC", 2, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s link set %s address 02:00:00:00:01:%02x", x.ip, x.name, s.IntN(256))
	}},
	{"address", 6, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s address add %s dev %s", x.ip, s.cidr(), x.name)
	}},
	{"flush", 3, func(_ *somebody, x target, _ string) string {
		return fmt.Sprintf("%s address flush dev %s", x.ip, x.name)
	}},
	{"route", 4, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s route replace 10.%d.0.0/16 dev %s metric %d", x.ip, 60+s.IntN(3), x.name, s.IntN(3))
	}},
	{"no route", 2, func(_ *somebody, x target, _ string) string {
		return fmt.Sprintf("%s route flush dev %s", x.ip, x.name)
	}},
	{"MAC table", 5, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s fdb replace %s dev %s master %s", in("bridge", x.namespace), s.mac(), x.port, one(s, []string{"static", "dynamic"}))
	}},
	{"bridge", 2, func(s *somebody, x target, _ string) string {
		return fmt.Sprintf("%s link set %s type bridge ageing_time %d", x.ip, x.bridge, 100*(1+s.IntN(9)))
	}},
	{"traffic", 4, func(_ *somebody, x target, to string) string {
		return fmt.Sprintf("ip netns exec %s ping -c1 -W1 %s", to, x.address)
	}},
	{"add a namespace", 5, func(s *somebody, _ target, _ string) string { return "ip netns add " + one(s, foreignNames) }},
	{"delete a namespace", 4, func(s *somebody, _ target, to string) string { return "ip netns delete " + to }},
	{"replace a namespace", 2, func(_ *somebody, _ target, to string) string {
		return fmt.Sprintf("ip netns delete %s && ip netns add %[1]s && ip -n %[1]s link set lo up", to)
	}},
	{"second name", 2, func(_ *somebody, _ target, to string) string {
		return fmt.Sprintf("ip -n %s link && touch /run/netns/%[1]s-too && mount --bind /run/netns/%[1]s /run/netns/%[1]s-too && sleep 0.1; ip netns delete %[1]s-too", to)
	}},
	{"nsid", 2, func(_ *somebody, _ target, to string) string { return fmt.Sprintf("ip netns set %s auto", to) }},
	{"nameless namespace", 2, func(_ *somebody, _ target, _ string) string {
		return "unshare --net sh -c 'ip link add x0 type veth peer name x1; sleep 0.2'"
	}},
	{"no namespace", 1, func(s *somebody, _ target, _ string) string {
		return fmt.Sprintf("touch /run/netns/odd%d && sleep 0.0%[1]d && rm /run/netns/odd%[1]d", s.IntN(5))
	}},
}

// meddle does a few things by hand, whosever what they are done to is. Some fail,
// as what they are about is not there any more.
func (s *somebody) meddle() {
	s.wait(400 * time.Millisecond)
	snapshot, ok := s.snapshot()
	if !ok {
		return
	}
	total := 0
	for _, c := range byHand {
		total += c.share
	}
	var script strings.Builder
	var kinds, commands []string
	for range 5 {
		at := s.IntN(total)
		for _, c := range byHand {
			if at -= c.share; at >= 0 {
				continue
			}
			to := one(s, ownNames)
			if n := one(s, snapshot.Namespaces); s.chance(60) && !strings.Contains(n.Name, "-") {
				to = n.Name
			}
			kinds, commands = append(kinds, c.name), append(commands, c.command(s, s.look(snapshot), to))
			fmt.Fprintf(&script, "%s >/dev/null 2>&1 && echo %d\n", commands[len(commands)-1], len(kinds)-1)
			break
		}
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), soakPatience)
	defer cancel()
	out, _ := shell(ctx, script.String()) // the last may have failed
	if ctx.Err() != nil {
		s.wrong("by hand it takes more than %s:\n%s", soakPatience, &script)
	}
	for i, kind := range kinds {
		outcome := "failed"
		if strings.Contains("\n"+out+"\n", fmt.Sprintf("\n%d\n", i)) {
			outcome = "ok"
		}
		s.note("by hand: "+kind, outcome, commands[i])
	}
}

// snapshot is what netdash shows.
func (s *somebody) snapshot() (*topology.Snapshot, bool) {
	var snapshot topology.Snapshot
	ok := s.fetch("/topology", &snapshot)
	return &snapshot, ok && len(snapshot.Namespaces) > 0
}
