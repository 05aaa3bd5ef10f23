package topology

import "cmp"

// kind is what has to be known of the items of a list to tell two versions of
// it apart.
type kind[T any] struct {
	key  func(*T) string // the same for the same item, however it has changed
	same func(a, b *T) bool
}

// listDelta is in what two versions of a list differ.
type listDelta[T any] struct {
	// Edits are the items that went or changed, in their old order, then those
	// that came, in their new one.
	Edits []itemEdit[T] `json:"edits,omitempty"`
	// Order is that of the items both versions have, as it was, if it changed.
	Order []string `json:"order,omitempty"`
}

// itemEdit is an item that came (no Before), went (no After) or changed.
type itemEdit[T any] struct {
	Before *T `json:"before,omitempty"`
	After  *T `json:"after,omitempty"`
	// Place is where an item that went was. One without went together with the
	// one before it.
	Place *place `json:"place,omitempty"`
}

// place is a place in a list, by the keys of the items that stayed on either
// side of it; "" at an end.
type place struct {
	Prev string `json:"prev,omitempty"`
	Next string `json:"next,omitempty"`
}

// deltaOf compares two versions of a list. The result shares with both.
func deltaOf[T any](before, after []T, k kind[T]) listDelta[T] {
	var d listDelta[T]
	head, tail := CommonEnds(before, after, k.same)
	came := make(map[string]*T, len(after)-head-tail)
	at := make(map[string]int, len(after)-head-tail)
	for i := head; i < len(after)-tail; i++ {
		key := k.key(&after[i])
		came[key], at[key] = &after[i], i
	}
	var stayed []string
	moved, last, run := false, 0, false // run: the item before went too
	for i := head; i < len(before)-tail; i++ {
		key := k.key(&before[i])
		now, there := came[key]
		switch {
		case !there && run:
			d.Edits = append(d.Edits, itemEdit[T]{Before: &before[i]})
		case !there:
			d.Edits = append(d.Edits, itemEdit[T]{Before: &before[i], Place: placeOf(before, i, len(before)-tail, at, k)})
		default:
			delete(came, key)
			stayed = append(stayed, key)
			moved, last = moved || at[key] < last, at[key]
			if !k.same(&before[i], now) {
				d.Edits = append(d.Edits, itemEdit[T]{Before: &before[i], After: now})
			}
		}
		run = !there
	}
	for i := head; i < len(after)-tail && len(came) > 0; i++ {
		if key := k.key(&after[i]); came[key] != nil {
			d.Edits = append(d.Edits, itemEdit[T]{After: &after[i]})
		}
	}
	if moved {
		d.Order = stayed
	}
	return d
}

// placeOf gives the place of the first item of a run that went. at has what
// stayed before end; behind it everything did.
func placeOf[T any](list []T, i, end int, at map[string]int, k kind[T]) *place {
	p := &place{}
	if i > 0 {
		p.Prev = k.key(&list[i-1])
	}
	for i++; i < len(list); i++ {
		key := k.key(&list[i])
		if _, stayed := at[key]; stayed || i >= end {
			p.Next = key
			break
		}
	}
	return p
}

// revertList takes a listDelta back in a later version of the list. Items that
// came and are still there go, items that went come back to their place, and
// what was in another order is in its old one. merge is asked about each item
// that is there now and that the delta knows, with what it knows of it, and
// about those that have changed and are not there any more; it changes now, or
// says why not.
func revertList[T any](list []T, d listDelta[T], k kind[T], merge func(now, before, after *T)) []T {
	if len(d.Edits) == 0 && len(d.Order) == 0 {
		return list
	}
	at := make(map[string]int, len(list))
	for i := range list {
		at[k.key(&list[i])] = i
	}
	reorder(list, d.Order, at)
	back := make(map[int][]T) // what comes back, by the index it comes before
	gone := make(map[int]bool)
	here := 0
	for _, e := range d.Edits {
		var now *T
		i, there := at[k.key(cmp.Or(e.Before, e.After))]
		if there {
			now = &list[i]
		}
		if e.After == nil && e.Place != nil {
			here = find(*e.Place, at, len(list))
		}
		switch {
		case there:
			merge(now, e.Before, e.After)
			gone[i] = e.Before == nil
		case e.After == nil:
			back[here] = append(back[here], *e.Before)
		case e.Before != nil:
			merge(nil, e.Before, e.After)
		}
	}
	var out []T
	for i := range list {
		out = append(out, back[i]...)
		if !gone[i] {
			out = append(out, list[i])
		}
	}
	return append(out, back[len(list)]...)
}

// reorder puts the items that order names, and that are there, in that order
// into the places they have.
func reorder[T any](list []T, order []string, at map[string]int) {
	var keys []string
	for _, key := range order {
		if _, ok := at[key]; ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return
	}
	in := make(map[int]bool, len(keys))
	items := make([]T, len(keys))
	for i, key := range keys {
		in[at[key]], items[i] = true, list[at[key]]
	}
	for i, n := 0, 0; i < len(list); i++ {
		if in[i] {
			list[i], at[keys[n]] = items[n], i
			n++
		}
	}
}

// find gives the index a place has in a list of n items.
func find(p place, at map[string]int, n int) int {
	if i, ok := at[p.Prev]; ok {
		return i + 1
	}
	if i, ok := at[p.Next]; ok {
		return i
	}
	if p.Prev == "" {
		return 0
	}
	return n
}
