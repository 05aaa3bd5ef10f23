package topology

import (
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxPositions is how many objects have a position at most.
const MaxPositions = 20000

// What a Position may be.
const (
	longestObject = 300 // bytes
	farthest      = 1e6
)

// Position is where all viewers see an object of the drawing. It is no part of
// the topology: what the objects are called is up to who draws.
type Position struct {
	Object string  `json:"object" doc:"What the page calls it: 1 to 300 bytes without control characters." example:"ns:A"`
	X      float64 `json:"x" minimum:"-1000000" maximum:"1000000"`
	Y      float64 `json:"y" minimum:"-1000000" maximum:"1000000"`
	Pinned bool    `json:"pinned" doc:"Somebody put it there; false: a layout did."`
}

// PositionChange gives an object a position, or takes it away.
type PositionChange struct {
	Object string   `json:"object" doc:"What the page calls it: 1 to 300 bytes without control characters." example:"ns:A"`
	X      *float64 `json:"x,omitempty" minimum:"-1000000" maximum:"1000000"`
	Y      *float64 `json:"y,omitempty" minimum:"-1000000" maximum:"1000000"`
	Pinned bool     `json:"pinned,omitempty" doc:"Without, it is set only if the object has no position yet."`
	Forget bool     `json:"forget,omitempty" doc:"The object has no position any more."`
}

// Change gives what sets the position, wherever the object was.
func (p Position) Change() PositionChange {
	return PositionChange{Object: p.Object, X: &p.X, Y: &p.Y, Pinned: p.Pinned}
}

// Position gives what the change, which does not forget, sets.
func (c PositionChange) Position() Position {
	return Position{c.Object, *c.X, *c.Y, c.Pinned}
}

// PositionsEvent tells which positions have changed.
type PositionsEvent struct {
	Items    []PositionChange `json:"items"`
	Replaced bool             `json:"replaced,omitempty" doc:"All others are forgotten."`
}

// ValidatePositions tells all that is wrong with changes: an Error of code
// invalid whose Fields point into {"items": changes}.
func ValidatePositions(changes []PositionChange) error {
	var wrong []FieldError
	say := func(i int, field, detail string) {
		wrong = append(wrong, FieldError{Pointer: fmt.Sprintf("/items/%d/%s", i, field), Detail: detail})
	}
	if len(changes) > MaxPositions {
		wrong = append(wrong, FieldError{Pointer: "/items", Detail: fmt.Sprintf("are more than %d", MaxPositions)})
	}
	first := make(map[string]int, len(changes))
	for i, c := range changes {
		switch j, twice := first[c.Object]; {
		case c.Object == "" || len(c.Object) > longestObject:
			say(i, "object", fmt.Sprintf("must have 1 to %d bytes", longestObject))
		case !utf8.ValidString(c.Object) || strings.ContainsFunc(c.Object, unicode.IsControl):
			say(i, "object", "must be text without control characters")
		case twice:
			say(i, "object", fmt.Sprintf("is that of item %d", j))
		default:
			first[c.Object] = i
		}
		if c.Forget {
			continue
		}
		for j, at := range []*float64{c.X, c.Y} {
			field := []string{"x", "y"}[j]
			switch {
			case at == nil:
				say(i, field, "is required")
			case !(math.Abs(*at) <= farthest): // nor is NaN
				say(i, field, fmt.Sprintf("must be from %.0f to %.0f", -farthest, farthest))
			}
		}
	}
	if wrong == nil {
		return nil
	}
	return &Error{Code: CodeInvalid, Detail: "the positions are not valid", Fields: wrong}
}
