package topology

import (
	"errors"
	"testing"
)

// TestRemove: what is removed together is what is removed one by one, and what
// goes with another may be named.
func TestRemove(t *testing.T) {
	from := lab(t, twoHosts, func(s *Spec) error {
		if err := s.AddBridge(Bridge{Namespace: HostName, Name: "br0", FDB: []FDBSpec{{MAC: "02:00:00:00:00:09", Port: "p1"}}}); err != nil {
			return err
		}
		if err := s.AddVeth(Veth{A: End{Namespace: "A", Name: "eth0", Addresses: []string{"10.0.0.1/24"}}, B: End{Namespace: HostName, Name: "p1", Master: "br0"}}); err != nil {
			return err
		}
		return s.AddRoute(Route{Namespace: "A", Destination: "default", Gateway: "10.0.0.254"})
	})
	alone := edited(t, from, func(s *Spec) error { return s.Remove([]string{"host/br0"}) })
	if e := alone.FindEnd(HostName, "p1"); len(alone.Bridges) != 0 || e == nil || e.Master != "" {
		t.Errorf("without its bridge the port is %+v", e)
	}
	veth := edited(t, from, func(s *Spec) error { return s.Remove([]string{"A/eth0", "host/p1"}) })
	if len(veth.Veths) != 1 || len(veth.Routes) != 0 || len(veth.Bridges[0].FDB) != 0 {
		t.Errorf("without the veth there are %+v, %+v, %+v", veth.Veths, veth.Routes, veth.Bridges)
	}
	all := edited(t, from, func(s *Spec) error { return s.Remove([]string{"B", "A", "host/br0", "A/eth0"}) })
	if len(all.Namespaces)+len(all.Bridges)+len(all.Veths)+len(all.Routes) != 0 {
		t.Errorf("left are %+v", all)
	}
	for subject, code := range map[string]Code{
		"C": CodeNotFound, "A/nope": CodeNotFound, "host": CodeConflict, "A/lo": CodeInvalid, "A/eth0 10.0.0.1/24": CodeInvalid, "a b": CodeInvalid, "": CodeInvalid,
	} {
		s := from.Clone()
		err := s.Remove([]string{"B", subject})
		if CodeOf(err) != code || s.FindNamespace("B") == nil {
			t.Errorf("%q: %v, and B is there: %v", subject, err, s.FindNamespace("B") != nil)
		}
		if e, _ := errors.AsType[*Error](err); code == CodeInvalid && subject != "A/lo" && (len(e.Fields) != 1 || e.Fields[0].Pointer != "/subjects/1") {
			t.Errorf("%q: %+v", subject, e.Fields)
		}
	}
}
