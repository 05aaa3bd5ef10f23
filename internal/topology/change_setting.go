package topology

import (
	"strconv"
	"strings"
)

// The Changes of this file are of what the kernel keeps beside the topology and
// no Spec holds: they mend what a diagnosis has found.

// SetSysctl writes a kernel setting of a namespace. Name is its path below
// /proc/sys: "net/ipv4/ip_forward".
type SetSysctl struct{ Namespace, Name, Value string }

// SetARP has a link resolve addresses, or not (IFF_NOARP).
type SetARP struct {
	Namespace, Name string
	On              bool
}

// DeleteNeighbour removes an entry of a namespace's ARP or ND table.
type DeleteNeighbour struct{ Namespace, Link, Address string }

// DeleteRule removes a rule of nf_tables, by its handle.
type DeleteRule struct {
	Namespace, Family, Table, Chain string
	Handle                          uint64
}

// SetPolicy sets what a base chain of nf_tables does with what no rule decides.
type SetPolicy struct {
	Namespace, Family, Table, Chain string
	Accept                          bool
}

func (c SetSysctl) Kind() string    { return "setting.set" }
func (c SetSysctl) Subject() string { return c.Namespace }
func (c SetSysctl) Where() string   { return c.Namespace }
func (c SetSysctl) Command() string {
	name := c.Name
	if !strings.Contains(name, ".") { // the name of a link may have one
		name = strings.ReplaceAll(name, "/", ".")
	}
	return within(c.Namespace) + "sysctl -w " + quote(name+"="+c.Value)
}

func (c SetARP) Kind() string    { return "link.set" }
func (c SetARP) Subject() string { return c.Namespace + "/" + c.Name }
func (c SetARP) Where() string   { return c.Namespace }
func (c SetARP) Command() string {
	return ip(c.Namespace) + "link set " + dev(c.Name) + " arp " + map[bool]string{true: "on", false: "off"}[c.On]
}

func (c DeleteNeighbour) Kind() string    { return "neighbour.delete" }
func (c DeleteNeighbour) Subject() string { return c.Namespace + "/" + c.Link + " " + c.Address }
func (c DeleteNeighbour) Where() string   { return c.Namespace }
func (c DeleteNeighbour) Command() string {
	return ip(c.Namespace) + "neighbour delete " + c.Address + " dev " + quote(c.Link)
}

func (c DeleteRule) Kind() string    { return "rule.delete" }
func (c DeleteRule) Subject() string { return c.Namespace }
func (c DeleteRule) Where() string   { return c.Namespace }
func (c DeleteRule) Command() string {
	return within(c.Namespace) + "nft delete rule " + c.Family + " " + nftName(c.Table) + " " + nftName(c.Chain) + " handle " + strconv.FormatUint(c.Handle, 10)
}

func (c SetPolicy) Kind() string    { return "chain.set" }
func (c SetPolicy) Subject() string { return c.Namespace }
func (c SetPolicy) Where() string   { return c.Namespace }
func (c SetPolicy) Command() string {
	return within(c.Namespace) + "nft chain " + c.Family + " " + nftName(c.Table) + " " + nftName(c.Chain) +
		" '{ policy " + map[bool]string{true: "accept", false: "drop"}[c.Accept] + "; }'"
}

// IPCommand writes a command of ip(8) in a namespace.
func IPCommand(namespace, words string) string { return ip(namespace) + words }

// ExecCommand writes a command of another program in a namespace.
func ExecCommand(namespace, words string) string { return within(namespace) + words }

// within starts a command of another program in a namespace.
func within(namespace string) string {
	if namespace == HostName {
		return ""
	}
	return "ip netns exec " + quote(namespace) + " "
}

// nftName writes a name for nft(8), which splits its arguments anew: one that it
// would read as something else stands between double quotes.
func nftName(name string) string {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '-' || r == '.')) {
			return quote(`"` + name + `"`)
		}
	}
	return quote(name)
}
