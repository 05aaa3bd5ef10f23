package live

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"netdash/internal/topology"
)

// Frame is a message ready to be sent to any number of clients. It must not be
// written to.
type Frame struct {
	Text []byte // JSON

	seq   uint64 // of an event; 0 for what is not numbered
	about string // the object it tells of, as clients tell them apart; none: it is never left out
	does  effect // to the object

	packed packed
}

// Packed gives the text as pack makes it, which is done once for all clients.
func (f *Frame) Packed(pack func([]byte) []byte) []byte { return f.packed.from(f.Text, pack) }

// packed is a text in the one form in which it is packed.
type packed struct {
	once  sync.Once
	bytes []byte
}

func (p *packed) from(text []byte, pack func([]byte) []byte) []byte {
	p.once.Do(func() { p.bytes = pack(text) })
	return p.bytes
}

// effect is what an event does to its object.
type effect uint8

const (
	tells   effect = iota // of something that happened: never left out
	adds                  // the object, which was not there
	changes               // the object, which it brings as a whole
	removes               // the object
	ends                  // makes what was told of changes worthless, but has to be told itself
)

// effects are those of events, by their verbs; the others tell.
var effects = map[string]effect{
	"added": adds, "changed": changes, "moved": changes, "progress": changes, "removed": removes, "committed": ends, "failed": ends,
}

func newFrame(e *topology.Event, text []byte) *Frame {
	f := &Frame{Text: text, seq: e.Seq}
	f.about, f.does = about(e)
	return f
}

// about tells what an event is about, and what it does to it. Two events are about
// the same object if the later one leaves nothing of the earlier: that is why
// addresses, which links bring as well, are about none, nor are namespaces that
// are missing, which come with all their lists.
func about(e *topology.Event) (string, effect) {
	noun, verb, _ := strings.Cut(e.Type, ".")
	does := effects[verb]
	var key []string
	switch {
	case e.Namespace != nil && e.Namespace.ID != "":
		// What is in it goes with it, so that it comes and goes is always told.
		if key = []string{e.Namespace.ID}; does == removes {
			does = ends
		} else if does == adds {
			does = tells
		}
	case e.Link != nil:
		key = []string{e.Link.Key}
	case e.Route != nil:
		r := e.Route
		key = []string{r.Namespace, r.Family, r.Destination, r.Gateway, r.Link, strconv.Itoa(r.Metric), ghost(r.Sync)}
	case e.Neighbour != nil:
		key = []string{e.Neighbour.Namespace, e.Neighbour.Link, e.Neighbour.Address}
	case e.FDB != nil:
		key = []string{e.FDB.Namespace, e.FDB.Bridge, e.FDB.MAC, strconv.Itoa(e.FDB.VLAN), ghost(e.FDB.Sync)}
	case e.Operation != nil:
		key = []string{strconv.FormatInt(e.Operation.ID, 10)}
	case e.Drift != nil:
		key = []string{e.Drift.Namespace}
	case e.Repair != nil:
		key = []string{""}
	}
	if key == nil || does == tells {
		return "", tells
	}
	return noun + "\n" + strings.Join(key, "\n"), does
}

func ghost(s topology.Sync) string {
	if s == topology.Missing {
		return "missing"
	}
	return ""
}

// coalesce leaves out what later events of the list make worthless: changes of an
// object that is changed again or removed, and all of one that appears and
// disappears.
func coalesce(list []*Frame) []*Frame {
	type place struct{ added, changed int } // in list, from 1; 0: is not in it
	left := slices.Clone(list)
	objects := map[string]*place{}
	for i, f := range list {
		if f.about == "" {
			continue
		}
		o := objects[f.about]
		if o == nil {
			o = &place{}
			objects[f.about] = o
		}
		if o.changed > 0 && f.does != adds {
			left[o.changed-1] = nil
			o.changed = 0
		}
		switch f.does {
		case adds:
			*o = place{added: i + 1}
		case changes:
			o.changed = i + 1
		case removes:
			if o.added > 0 {
				left[o.added-1], left[i] = nil, nil
				o.added = 0
			}
		case tells, ends:
		}
	}
	return slices.DeleteFunc(left, func(f *Frame) bool { return f == nil })
}

// after gives the frame as it is sent to one who was last sent another: it tells
// how many between the two were left out.
func (f *Frame) after(seq uint64) *Frame {
	if f.seq == seq+1 {
		return f
	}
	text := fmt.Appendf(make([]byte, 0, len(f.Text)+32), `{"coalesced":%d,`, f.seq-seq-1)
	return &Frame{Text: append(text, bytes.TrimPrefix(f.Text, []byte("{"))...), seq: f.seq}
}
