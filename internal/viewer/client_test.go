package viewer

import (
	"fmt"
	"testing"
)

// TestOrder: what is missing is noticed, what was left out on purpose is not.
func TestOrder(t *testing.T) {
	var o Order
	for _, c := range []struct {
		text string
		fine bool
	}{
		{`{"type":"snapshot","seq":7,"topology":{}}`, true},
		{`{"type":"link.added","seq":8}`, true},
		{`{"type":"stats","seq":20}`, true},
		{`{"coalesced":3,"type":"link.changed","seq":12}`, true},
		{`{"type":"link.changed","seq":14}`, false},
		{`{"coalesced":2,"type":"link.changed","seq":14}`, false},
		{`{"type":"link.changed","seq":12}`, false},
		{`{"type":"resync","seq":99}`, true},
		{`{"type":"snapshot","seq":90,"topology":{}}`, true},
		{`{"type":"link.changed","seq":91}`, true},
	} {
		m, err := Parse([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Check(&m); (err == nil) != c.fine {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	var resumed Order
	for i := range 3 {
		m, _ := Parse(fmt.Appendf(nil, `{"type":"link.added","seq":%d}`, 100+i))
		if err := resumed.Check(&m); err != nil {
			t.Error(err)
		}
	}
}
