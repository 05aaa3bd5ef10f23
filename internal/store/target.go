package store

import (
	"encoding/json"
	"errors"

	"netdash/internal/topology"
)

// journaled is a target as the journal keeps it: where it differs from the
// rows, and what it has there.
type journaled struct {
	Spans spans          `json:"spans"`
	Part  *topology.Spec `json:"part"`
	// Identities are those of the part's links, in the order of links: they are
	// no part of a Spec's JSON.
	Identities []*topology.Identity `json:"identities"`
}

func encodeTarget(base, target *topology.Spec) (string, error) {
	sp := compare(base, target)
	j := journaled{Spans: sp, Part: sp.cut(target)}
	for l := range links(j.Part) {
		j.Identities = append(j.Identities, l.Identity)
	}
	text, err := json.Marshal(j)
	return string(text), err
}

func decodeTarget(base *topology.Spec, text string) (*topology.Spec, error) {
	var j journaled
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return nil, err
	}
	if j.Part == nil || !j.Spans.fit(base) {
		return nil, errors.New("the target does not fit the topology it starts from")
	}
	for l := range links(j.Part) {
		if len(j.Identities) == 0 {
			return nil, errors.New("a link of the target has no identity")
		}
		*l.Identity = *j.Identities[0]
		j.Identities = j.Identities[1:]
	}
	// The caller may change what it gets, so nothing is shared with base.
	return j.Spans.paste(base, j.Part).Clone(), nil
}

// fit tells whether the spans are inside the lists of s.
func (p spans) fit(s *topology.Spec) bool {
	ok := func(s span, n int) bool { return s.Head >= 0 && s.Tail >= 0 && s.Head+s.Tail <= n }
	return ok(p.Namespaces, len(s.Namespaces)) && ok(p.Bridges, len(s.Bridges)) &&
		ok(p.Veths, len(s.Veths)) && ok(p.Routes, len(s.Routes))
}
