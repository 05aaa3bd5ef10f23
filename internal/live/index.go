package live

// add and drop keep an index of links by something about them; the zero key
// stands for nothing.

func add[K comparable](index map[K]map[*link]bool, k K, x *link) {
	var none K
	if k == none {
		return
	}
	if index[k] == nil {
		index[k] = map[*link]bool{}
	}
	index[k][x] = true
}

func drop[K comparable](index map[K]map[*link]bool, k K, x *link) {
	delete(index[k], x)
	if len(index[k]) == 0 {
		delete(index, k)
	}
}
