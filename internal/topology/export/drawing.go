package export

import (
	"strconv"

	"netdash/internal/topology"
)

// drawing is what a picture shows of a Spec: places with boxes in them, and
// cables between the boxes.
type drawing struct {
	places []*place
	cables []cable
}

// place is a namespace. Its links are rows of one box, but for bridges, which
// have a box of their own, and ports, which are the ends of cables there.
type place struct {
	id      string // place0, place1…
	name    string
	bridges []bridgeBox
	links   []row
	routes  []string
}

type bridgeBox struct {
	id string // bridge0, bridge1…
	row
}

// row is a link: its name, and what there is to say about it.
type row struct {
	id      string // link0, link1…; unused where the box is the link's own
	name    string
	details []string
}

// cable is a veth pair.
type cable struct {
	a, b tip
	up   bool // both ends are to be
}

// tip is an end of a cable.
type tip struct {
	name string
	box  string // id of the place or the bridge it is plugged into
	row  string // id of its row; empty in a bridge
}

// framed tells whether a namespace has more than one box, and so a frame around
// them that has its name.
func (p *place) framed() bool { return len(p.bridges) > 0 }

// hasBox tells whether there is something to show of a namespace beside its
// bridges.
func (p *place) hasBox() bool { return !p.framed() || len(p.links)+len(p.routes) > 0 }

// draw lays a Spec out. The host is there only if the Spec has something on it.
func draw(s *topology.Spec) *drawing {
	d := &drawing{}
	byName := map[string]*place{}
	in := func(namespace string) *place {
		p := byName[namespace]
		if p == nil {
			p = &place{id: "place" + strconv.Itoa(len(d.places)), name: namespace}
			byName[namespace] = p
			d.places = append(d.places, p)
		}
		return p
	}
	for _, n := range s.Namespaces {
		p := in(n.Name)
		if len(n.LoopbackAddresses) > 0 || off(n.LoopbackUp) {
			p.links = append(p.links, row{name: topology.LoopbackName, details: details(n.LoopbackAddresses, "", 0, n.LoopbackUp)})
		}
	}
	bridges := map[[2]string]string{} // ids by namespace and name
	for i, b := range s.Bridges {
		box := bridgeBox{"bridge" + strconv.Itoa(i), row{name: b.Name, details: details(b.Addresses, b.MAC, b.MTU, b.AdminUp)}}
		if b.STP != nil && *b.STP {
			box.details = append(box.details, "STP")
		}
		p := in(b.Namespace)
		p.bridges = append(p.bridges, box)
		bridges[[2]string{b.Namespace, b.Name}] = box.id
	}
	rows := 0
	end := func(e *topology.End) tip {
		p := in(e.Namespace)
		if bridge, ok := bridges[[2]string{e.Namespace, e.Master}]; ok {
			return tip{name: e.Name, box: bridge}
		}
		r := row{"link" + strconv.Itoa(rows), e.Name, details(e.Addresses, e.MAC, e.MTU, e.AdminUp)}
		rows++
		p.links = append(p.links, r)
		return tip{name: e.Name, box: p.id, row: r.id}
	}
	for i := range s.Veths {
		v := &s.Veths[i]
		d.cables = append(d.cables, cable{end(&v.A), end(&v.B), !off(v.A.AdminUp) && !off(v.B.AdminUp)})
	}
	for _, r := range s.Routes {
		p := in(r.Namespace)
		p.routes = append(p.routes, routeText(r))
	}
	return d
}

func off(up *bool) bool { return up != nil && !*up }

func details(addresses []string, mac string, mtu int, up *bool) []string {
	out := append([]string(nil), addresses...)
	if mac != "" {
		out = append(out, mac)
	}
	if mtu != 0 {
		out = append(out, "MTU "+strconv.Itoa(mtu))
	}
	if off(up) {
		out = append(out, "down")
	}
	return out
}

// routeText is a route in the words of ip route. The link's name is left as it
// is.
func routeText(r topology.Route) string {
	text := r.Destination
	if r.Gateway != "" {
		text += " via " + r.Gateway
	}
	if r.Link != "" {
		text += " dev " + r.Link
	}
	if r.Metric != 0 {
		text += " metric " + strconv.Itoa(r.Metric)
	}
	return text
}
