package netops

// What comes of a packet at rules, as topology.FilterVerdict has it.
const (
	passes     = "accept"
	drops      = "drop"
	rejects    = "reject"
	translates = "translate"
	notTold    = "unknown"
)

// returns ends a chain without a verdict.
const returns = "return"

// decision is what a rule, or a chain's policy, does to a packet. P says which
// rule that was.
type decision[P any] struct {
	verdict string // empty for none
	by      P
	doubt   string // why it may not be done
}

// weigher keeps, of the decisions in doubt, the first of each sort: a rule in
// doubt decides nothing, but may be why another does not.
type weigher[P any] struct {
	maybe  *decision[P] // may have dropped the packet
	shadow *decision[P] // may have let it pass before something else dropped it
}

// weigh takes what a rule decides. over tells that the chain ends there, with d.
func (w *weigher[P]) weigh(rule decision[P]) (d decision[P], over bool) {
	switch {
	case rule.verdict == "":
		return d, false
	case rule.doubt == "" && rule.verdict == returns:
		return d, true
	case rule.doubt == "":
		return rule, true
	case rule.verdict == passes || rule.verdict == returns:
		if w.shadow == nil {
			w.shadow = &rule
		}
	case w.maybe == nil:
		w.maybe = &rule
	}
	return d, false
}

// final is a decision that ends the packet's way, unless something may have let it
// pass before.
func (w *weigher[P]) final(d decision[P]) decision[P] {
	if w.shadow != nil {
		d.verdict, d.doubt = notTold, w.shadow.doubt
	}
	return d
}

// end is what comes of a packet that nothing decided about.
func (w *weigher[P]) end() decision[P] {
	if w.maybe == nil {
		return decision[P]{verdict: passes}
	}
	d := *w.maybe
	d.verdict = notTold
	return d
}
