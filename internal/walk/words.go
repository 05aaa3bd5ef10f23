package walk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"netdash/internal/topology"
)

// words are reasons as they stand in a sentence.
var words = map[Reason]string{
	Broadcast: "broadcast", Multicast: "multicast", Unknown: "destination not in the MAC table",
	PortDisabled: "disabled: down, or without carrier", PortBlocking: "blocking (STP)", Listening: "listening (STP)", Learning: "learning (STP)",
	Isolated: "isolated, as is the one it came by", FloodOff: "set not to take such floods", TooLong: "has an MTU too small for it",
}

// everyOther says where a flood goes.
func (c *crossing) everyOther() string {
	if len(c.skipped) == 0 {
		return ": to every other port"
	}
	return ": to every other port that may have it" + c.notTo()
}

func (c *crossing) notTo() string {
	if len(c.skipped) == 0 {
		return ""
	}
	var parts []string
	for _, s := range c.skipped {
		parts = append(parts, s.Port+" "+verb(s.Reason))
	}
	return "; " + strings.Join(parts, ", ")
}

func (c *crossing) butPort(port string, why Reason) string { return "port " + port + " " + verb(why) }

func verb(r Reason) string {
	if r == TooLong {
		return words[r]
	}
	return "is " + words[r]
}

// onPort says where the MAC table has a destination, and since when.
func (c *crossing) onPort(e *entry) string {
	text := "known on " + e.port
	switch {
	case e.state == "static":
		return text + " (static entry)"
	case e.seen.IsZero():
		return text
	case e.seen.Equal(e.since):
		return text + ", learned " + ago(c.at.Sub(e.seen))
	}
	return text + ", last seen there " + ago(c.at.Sub(e.seen))
}

func ago(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%.1f s ago", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%.1f ms ago", float64(d.Microseconds())/1e3)
	}
	return fmt.Sprintf("%d µs ago", max(d.Microseconds(), 0))
}

func list(names []string) string { return strings.Join(names, ", ") }

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return list(names)
}

func contains(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

func sortedNames(m map[string]*topology.Link) []string { return slices.Sorted(maps.Keys(m)) }
