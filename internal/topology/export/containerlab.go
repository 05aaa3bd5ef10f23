package export

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"netdash/internal/topology"
)

// containerlab sorts what a Plan does from an empty machine into nodes, the
// commands that they execute, links, and what is left for somebody to do by
// hand.
type containerlab struct {
	nodes []*containerlabNode
	links []containerlabLink
	// before and after are commands for the host: for what containerlab wants to
	// find there, and for the links that it makes there.
	before, after []string
	notes         []string // sentences about what is not as in the Spec

	namespaces map[string]*containerlabNode
	bridges    map[string]*containerlabNode // on the host
	masters    map[linkName]string
	up, quiet  map[linkName]bool // what the Plan brings up, and keeps from making an IPv6 address
	made       map[linkName]bool // by containerlab, which brings them up too
	lowered    map[linkName]bool // those of them that are first taken down again
	noisy      bool              // noted that ports on the host have an IPv6 address
}

type containerlabNode struct {
	name, kind string
	exec       []string
}

// containerlabLink is a veth pair between two nodes. A namespace comes before
// the host.
type containerlabLink struct {
	ends  [2]topology.VethEnd
	nodes [2]string
	mtu   int
}

type linkName struct{ namespace, name string }

// containerName is what Docker takes, as long as the label of a domain may be.
var containerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,59}$`)

// endpointWords have a meaning of their own in place of a node's name.
var endpointWords = []string{topology.HostName, "bridge", "dummy", "macvlan", "mgmt-net", "veth", "vxlan", "vxlan-stitch"}

func isNodeName(name string) bool {
	return containerName.MatchString(name) && !slices.Contains(endpointWords, name)
}

func newContainerlab(s *topology.Spec) *containerlab {
	c := &containerlab{
		namespaces: map[string]*containerlabNode{}, bridges: map[string]*containerlabNode{}, masters: map[linkName]string{},
		up: map[linkName]bool{}, quiet: map[linkName]bool{}, made: map[linkName]bool{}, lowered: map[linkName]bool{},
	}
	plan := topology.Diff(&topology.Spec{}, s)
	for _, change := range plan {
		switch x := change.(type) {
		case topology.SetMaster:
			c.masters[linkName{x.Namespace, x.Name}] = x.Master
		case topology.SetUp:
			c.up[linkName{x.Namespace, x.Name}] = x.Up
		case topology.SetAddressGeneration:
			c.quiet[linkName{x.Namespace, x.Name}] = !x.On
		}
	}
	c.findNodes(s)
	for _, change := range plan {
		c.take(change)
	}
	c.noteDormant(s, plan)
	return c
}

// findNodes makes nodes of the bridges on the host and of the namespaces. A
// bridge's node must have its name; what cannot have it is plugged into by hand.
func (c *containerlab) findNodes(s *topology.Spec) {
	taken := map[string]bool{}
	for _, n := range s.Namespaces {
		taken[n.Name] = true
	}
	for _, b := range s.Bridges {
		if b.Namespace == topology.HostName && isNodeName(b.Name) && !taken[b.Name] {
			taken[b.Name] = true
			c.bridges[b.Name] = &containerlabNode{name: b.Name, kind: "bridge"}
			c.nodes = append(c.nodes, c.bridges[b.Name])
		}
	}
	for i, n := range s.Namespaces {
		node := &containerlabNode{name: n.Name, kind: "linux"}
		if !isNodeName(n.Name) {
			for node.name = "namespace" + strconv.Itoa(i); taken[node.name]; {
				node.name += "x"
			}
			taken[node.name] = true
			c.notes = append(c.notes, "The namespace "+topology.Quote(n.Name)+" is the node "+node.name+": no node can have its name.")
		}
		c.namespaces[n.Name] = node
		c.nodes = append(c.nodes, node)
		if lo := (linkName{n.Name, topology.LoopbackName}); !c.up[lo] {
			c.command(lo, topology.SetUp{Namespace: n.Name, Name: lo.name})
		}
	}
}

// take finds the place of one Change.
func (c *containerlab) take(change topology.Change) {
	namespace, rest, _ := strings.Cut(change.Subject(), "/")
	name, _, _ := strings.Cut(rest, " ")
	k := linkName{namespace, name}
	switch x := change.(type) {
	case topology.CreateNamespace:
		return
	case topology.CreateVeth:
		if x.A.Namespace != x.B.Namespace {
			c.link(x)
			return
		}
	case topology.SetUp:
		if k.name == topology.LoopbackName || c.made[k] && !c.lowered[k] {
			return
		}
	case topology.SetMaster:
		if c.made[k] && c.bridgeOf(k) != nil {
			return
		}
	case topology.SetAddressGeneration:
		if c.made[k] && c.isHostPort(k) {
			if !c.noisy {
				c.noisy = true
				c.notes = append(c.notes, "Ports of bridges on the host have a link-local IPv6 address; in the lab they have none (addrgenmode none).")
			}
			return
		}
	case topology.AddFDB:
		k.name = x.Entry.Port
	case topology.AddRoute:
		k = linkName{x.Route.Namespace, x.Route.Link}
	}
	c.command(k, change)
}

// command has a Change done by its command: inside of the container, which needs
// no -n, or by hand.
func (c *containerlab) command(k linkName, change topology.Change) {
	if k.namespace != topology.HostName {
		node := c.namespaces[k.namespace]
		node.exec = append(node.exec, strings.Replace(change.Command(), " -n "+topology.Quote(k.namespace), "", 1))
		return
	}
	if c.made[k] {
		c.after = append(c.after, change.Command())
	} else {
		c.before = append(c.before, change.Command())
	}
}

// link makes one of containerlab's links of a veth pair. containerlab gives
// both ends one MTU and brings them up at once. What must be down, or have no
// link-local address, is taken down first of all: later on that would cost it
// its other IPv6 addresses too.
func (c *containerlab) link(v topology.CreateVeth) {
	ends := [2]topology.VethEnd{v.A, v.B}
	if v.A.Namespace == topology.HostName {
		ends = [2]topology.VethEnd{v.B, v.A}
	}
	l := containerlabLink{ends: ends, mtu: cmp.Or(ends[0].MTU, 1500)}
	for i, e := range ends {
		k := linkName{e.Namespace, e.Name}
		c.made[k] = true
		l.nodes[i] = c.nodeOf(k)
		if own := cmp.Or(e.MTU, 1500); own != l.mtu {
			c.command(k, topology.SetMTU{Namespace: e.Namespace, Name: e.Name, MTU: own})
		}
		if e.MAC != "" && l.nodes[i] == topology.HostName {
			c.command(k, topology.SetMAC{Namespace: e.Namespace, Name: e.Name, MAC: e.MAC})
		}
		if !c.up[k] || c.quiet[k] && !c.isHostPort(k) {
			c.lowered[k] = true
			c.command(k, topology.SetUp{Namespace: e.Namespace, Name: e.Name})
		}
	}
	c.links = append(c.links, l)
}

// nodeOf names the node a link is to be made at.
func (c *containerlab) nodeOf(k linkName) string {
	if bridge := c.bridgeOf(k); bridge != nil {
		return bridge.name
	}
	if k.namespace == topology.HostName {
		return topology.HostName
	}
	return c.namespaces[k.namespace].name
}

// bridgeOf is the node of the bridge on the host that a link is a port of, nil
// if there is none.
func (c *containerlab) bridgeOf(k linkName) *containerlabNode {
	if !c.isHostPort(k) {
		return nil
	}
	return c.bridges[c.masters[k]]
}

func (c *containerlab) isHostPort(k linkName) bool {
	return k.namespace == topology.HostName && c.masters[k] != ""
}

// noteDormant notes the routes that are in the Spec but not in its Plan: their
// links are down.
func (c *containerlab) noteDormant(s *topology.Spec, plan topology.Plan) {
	awake := s.Clone()
	for i := range awake.Namespaces {
		awake.Namespaces[i].LoopbackUp = nil
	}
	for i := range awake.Bridges {
		awake.Bridges[i].AdminUp = nil
	}
	for i := range awake.Veths {
		awake.Veths[i].A.AdminUp, awake.Veths[i].B.AdminUp = nil, nil
	}
	there := map[topology.Change]bool{}
	for _, change := range plan {
		if r, ok := change.(topology.AddRoute); ok {
			there[r] = true
		}
	}
	for _, change := range topology.Diff(&topology.Spec{}, awake) {
		if r, ok := change.(topology.AddRoute); ok && !there[r] {
			c.notes = append(c.notes, "Left out, because its link is down, and the kernel refuses it: "+r.Command())
		}
	}
}
