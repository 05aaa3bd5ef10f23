package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"netdash/internal/netops"
	"netdash/internal/topology"
)

// place puts a link with that MTU into a namespace of its own.
func (s scripted) place(i, mtu int) {
	id := topology.NamespaceID{Dev: 4, Ino: uint64(100 + i)}
	name := fmt.Sprintf("n%02d", i)
	s <- netops.NamespaceSeen{NamespaceRef: netops.NamespaceRef{ID: id, Name: name, Names: []string{name}}}
	f := netops.LinkFacts{PeerNSID: netops.SameNamespace}
	f.Ifindex, f.Name, f.Kind, f.MTU = 7, "x", "dummy", mtu
	s <- netops.Delta{ID: id, Facts: f}
}

// TestPictureIsTheSnapshot: whatever has changed, it is what the Snapshot comes
// to, and only what has changed is written anew.
func TestPictureIsTheSnapshot(t *testing.T) {
	l, s := scriptedLive(t)
	for i := range 20 {
		s.place(i, 1500)
	}
	for i := range 40 {
		s.place(i%25, 1000+i) // from 20 on they are new
		s.flush()
		p, err := l.Picture()
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(l.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(p.JSON, want) || p.Seq != l.Snapshot().Seq {
			t.Fatalf("after change %d:\n%s\nthe Snapshot is\n%s", i, p.JSON, want)
		}
		var m message
		if err := json.Unmarshal(p.message.Text, &m); err != nil || m.Type != "snapshot" || m.Seq != p.Seq || len(m.Topology.Namespaces) < 21 {
			t.Fatalf("as a message: %.200s, %v", p.message.Text, err)
		}
		if again, _ := l.Picture(); again != p {
			t.Fatal("nothing has changed, and it was written again")
		}
	}
	// A part that is there is taken as it is.
	n := l.Snapshot().Namespace("n03")
	mark := []byte(`"n03, kept"`)
	l.gallery.parts[n] = mark
	s.place(4, 9000)
	s.flush()
	if p, _ := l.Picture(); !bytes.Contains(p.JSON, mark) || !bytes.Contains(p.JSON, []byte("9000")) {
		t.Errorf("what had not changed was written again: %s", p.JSON)
	}
}

// TestPictureIsNeverOld has many ask while there are changes: each gets one that
// has what had happened before it asked.
func TestPictureIsNeverOld(t *testing.T) {
	l, s := scriptedLive(t)
	var all sync.WaitGroup
	pictures := make([][]*Picture, 16)
	for i := range pictures {
		all.Go(func() {
			for range 200 {
				before := l.Snapshot().Seq
				p, err := l.Picture()
				if err != nil || p.Seq < before {
					t.Errorf("picture of %d at %d: %v", p.Seq, before, err)
				}
				pictures[i] = append(pictures[i], p)
			}
		})
	}
	for i := range 400 {
		s.change(1000 + i)
	}
	all.Wait()
	different := map[*Picture]bool{}
	for _, p := range slices.Concat(pictures...) {
		different[p] = true
	}
	t.Logf("%d for %d", len(different), 16*200)
}
