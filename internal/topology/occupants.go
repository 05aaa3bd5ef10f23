package topology

import "cmp"

// occupants tells which link has which name after a Plan. A repair goes by names,
// and the Plan may have handed these on: what now has the name of an intended
// link need not be that link.
type occupants struct {
	at    map[linkKey]int64 // uids of links
	place map[int64]linkKey // the other way round
}

// occupy follows the names from before through what was done of a Plan to after.
func occupy(before, after *state, done Plan) *occupants {
	o := &occupants{map[linkKey]int64{}, map[int64]linkKey{}}
	for _, l := range before.links {
		o.at[l.linkKey] = l.uid
	}
	relabel := func(from, to linkKey) {
		if uid, ok := o.at[from]; ok {
			delete(o.at, from)
			o.at[to] = uid
		}
	}
	made := func(k linkKey) {
		if l := after.link(k); l != nil {
			o.at[k] = l.uid
		}
	}
	for _, c := range done {
		switch c := c.(type) {
		case Rename:
			relabel(linkKey{c.Namespace, c.Name}, linkKey{c.Namespace, c.To})
		case Move:
			relabel(linkKey{c.Namespace, c.Name}, linkKey{c.ToNamespace, cmp.Or(c.To, c.Name)})
		case DeleteLink:
			delete(o.at, linkKey{c.Namespace, c.Name})
		case CreateBridge:
			made(linkKey{c.Namespace, c.Name})
		case CreateVeth:
			made(linkKey{c.A.Namespace, c.A.Name})
			made(linkKey{c.B.Namespace, c.B.Name})
		}
	}
	for k, uid := range o.at {
		o.place[uid] = k
	}
	return o
}

// identity gives the uid of the link that has a name now, which one of the states
// has too. It is nobody's if that link is seen where the Plan has put it: then
// somebody else has taken the name meanwhile.
func (f *sight) identity(k linkKey, wants []*link) (uid int64, ours bool) {
	if f.touched == nil || f.touched.occupants == nil {
		return wants[0].uid, true
	}
	if uid, ok := f.touched.at[k]; ok {
		return uid, true
	}
	for _, w := range wants {
		place, ok := f.touched.place[w.uid]
		if w.uid == 0 || !ok || f.index.links[place] == nil {
			return w.uid, true
		}
	}
	return 0, false
}
