package topology

import (
	"cmp"
	"slices"
	"strconv"
)

// Route tells whether an observed route is intended.
func (x *Intent) Route(o *RouteState, v *View) bool {
	key := o.spec().key()
	return slices.ContainsFunc(x.in(o.Namespace).routes, func(r Route) bool {
		return r.key() == key && r == seeRoute(o, r, v)
	})
}

// Routes judges the routes of a namespace. missing are the intended ones that
// are not there, as they are shown; instead are the observed ones that have taken
// the place of such a one: the kernel has one route by destination and metric.
func (x *Intent) Routes(namespace string, observed []*RouteState, v *View) (out []Difference, missing, instead []*RouteState) {
	wants := x.in(namespace).routes
	if len(wants) == 0 {
		return nil, nil, nil
	}
	have := make(map[routeKey][]*RouteState, len(observed))
	for _, o := range observed {
		if o.Sync != Missing {
			k := o.spec().key()
			have[k] = append(have[k], o)
		}
	}
	for _, want := range wants {
		there := have[want.key()]
		if slices.ContainsFunc(there, func(o *RouteState) bool { return seeRoute(o, want, v) == want }) {
			continue
		}
		there = slices.DeleteFunc(there, func(o *RouteState) bool {
			return !replaceable(o) || !x.HasLink(LinkRef{namespace, v.name(namespace, o.Link)})
		})
		if len(there) == 0 {
			out = append(out, Difference{Subject: want.subject(), Kind: DifferenceMissing, Intended: routeWords(want)})
			missing = append(missing, missingRoute(want))
			continue
		}
		instead = append(instead, there...)
		got := slices.MinFunc(there, func(a, b *RouteState) int {
			return cmp.Or(cmp.Compare(a.Gateway, b.Gateway), cmp.Compare(a.Link, b.Link))
		})
		out = append(out, Difference{want.subject(), DifferenceChanged, "route", routeWords(want), routeWords(seeRoute(got, want, v))})
	}
	return out, missing, instead
}

// replaceable tells the routes somebody has asked for from those that the kernel
// makes for an address or hears of in router advertisements.
func replaceable(o *RouteState) bool { return o.Protocol != "kernel" && o.Protocol != "ra" }

// missingRoute is an intended route as it is shown where there is none.
func missingRoute(r Route) *RouteState {
	o := &RouteState{
		Namespace: r.Namespace, Destination: r.Destination, Family: "inet", Gateway: r.Gateway, Link: r.Link,
		Metric: r.key().metric, Protocol: "boot", Scope: "global", Type: "unicast", Managed: true, Sync: Missing,
	}
	switch {
	case r.is6():
		o.Family = "inet6"
		if o.Destination == "::/0" {
			o.Destination = "default"
		}
	case r.Gateway == "":
		o.Scope = "link"
	}
	return o
}

// place is what a MAC table tells its entries apart by.
func (f fdbItem) place() string { return f.namespace + "/" + f.bridge + " " + f.key() }

// Entry tells how an observed FDB entry stands: a static one that is intended
// on another port has drifted.
func (x *Intent) Entry(e *FDBEntry, v *View) Sync {
	is := seeEntry(e, v)
	switch {
	case e.State != "learned" && x.ports[is.id()]:
		return InSync
	case e.State == "static" && x.places[is.place()]:
		return Drifted
	}
	return Foreign
}

// seeEntry writes an observed entry as an intended one would be written.
func seeEntry(e *FDBEntry, v *View) fdbItem {
	return fdbItem{e.Namespace, v.name(e.Namespace, e.Bridge), FDBSpec{e.MAC, v.name(e.Namespace, e.Port), e.VLAN}}
}

// FDB judges the MAC tables of a namespace, of which observed need not hold what
// was learned. The differences are those of each bridge, by its intended name;
// missing are the intended entries that are not there, as they are shown.
func (x *Intent) FDB(namespace string, observed []*FDBEntry, v *View) (byBridge map[string][]Difference, missing []*FDBEntry) {
	wants := x.in(namespace).fdb
	if len(wants) == 0 {
		return nil, nil
	}
	have := make(map[string]*FDBEntry, len(wants))
	for _, o := range observed {
		if is := seeEntry(o, v); o.Sync != Missing && o.State != "learned" && x.places[is.place()] {
			have[is.place()] = o
		}
	}
	byBridge = map[string][]Difference{}
	for _, want := range wants {
		d := Difference{Subject: linkKey{want.namespace, want.bridge}.String() + " " + want.MAC, Kind: DifferenceMissing, Intended: fdbWords(want.FDBSpec)}
		if o := have[want.place()]; o != nil {
			is := seeEntry(o, v)
			if is.Port == want.Port {
				continue
			}
			if o.State == "static" {
				d.Kind, d.Field, d.Observed = DifferenceChanged, "port", fdbWords(is.FDBSpec)
			}
		}
		if d.Kind == DifferenceMissing {
			missing = append(missing, &FDBEntry{
				Namespace: want.namespace, Bridge: want.bridge, MAC: want.MAC, Port: want.Port, VLAN: want.VLAN,
				State: staticOrLocal(want), Managed: true, Sync: Missing,
			})
		}
		byBridge[want.bridge] = append(byBridge[want.bridge], d)
	}
	return byBridge, missing
}

func fdbWords(e FDBSpec) string {
	if e.VLAN == 0 {
		return e.Port
	}
	return e.Port + " vlan " + strconv.Itoa(e.VLAN)
}

// staticOrLocal tells what the kernel calls an intended entry: one on the bridge
// itself is local.
func staticOrLocal(e fdbItem) string {
	if e.Port == e.bridge {
		return "local"
	}
	return "static"
}
