package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// learnTime is how soon after being learned a MAC is to be seen; the rest is for
// a machine that is busy with other tests.
const (
	learnTime = time.Second
	busySlack = 2 * time.Second
)

// bridgeLab: three namespaces plugged into a bridge, and its MAC table.
func bridgeLab(t *testing.T, s *server, where string) {
	t.Helper()
	post[topology.Link](t, s, "/bridges", fmt.Sprintf(`{"namespace":%q,"name":"br0","addresses":["10.1.0.254/24"]}`, where))
	nodes := []string{"N1", "N2", "N3"}
	macs := map[string]string{}
	for i, n := range nodes {
		post[topology.NamespaceState](t, s, "/namespaces", fmt.Sprintf(`{"name":%q}`, n))
		pair := post[veth](t, s, "/veths", fmt.Sprintf(
			`{"a":{"namespace":%q,"name":"eth0","addresses":["10.1.0.%d/24"]},"b":{"namespace":%q,"name":"p%d","master":"br0"}}`, n, i+1, where, i+1))
		isPeer(t, s, pair.A, pair.B)
		if port := nettest.IP(t, where, "link", "show", pair.B.Name)[0]; port["master"] != "br0" || pair.B.Master != "br0" || pair.B.BridgePort == nil {
			t.Errorf("port %+v, ip says %v", pair.B, port)
		}
		macs[n] = nettest.IP(t, n, "link", "show", "eth0")[0]["address"].(string)
	}
	pingAll(t, s, append(nodes, where))

	t.Run("MAC table", func(t *testing.T) {
		e := s.listen(t, "")
		e.snapshot(t)
		table := "/namespaces/" + where + "/bridges/br0/fdb"
		agree(t, s, table, where)

		// Flushed.
		from := len(e.all())
		if n := read[struct{ Flushed int }](t, s.do(t, "POST", table+"/flush", "").want(t, 200)).Flushed; n < len(nodes) {
			t.Errorf("%d entries flushed", n)
		}
		for _, n := range nodes {
			e.await(t, from, "fdb.removed of "+n, about("fdb.removed", macs[n]))
		}

		// Learned, by the ping or by something said just before.
		began := time.Now()
		s.ping(t, `{"namespace":"N1","address":"10.1.0.3","count":1,"timeout_ms":5000}`)
		for _, n := range []string{"N1", "N3"} {
			flushed := slices.IndexFunc(e.since(from), about("fdb.removed", macs[n]))
			m := e.await(t, from+flushed, "fdb.added of "+n, about("fdb.added", macs[n]))
			port, owner := "p"+n[1:], topology.LinkRef{Namespace: n, Name: "eth0"}
			if f := m.FDB; f.Namespace != where || f.Bridge != "br0" || f.Port != port || f.State != "learned" || f.Owner == nil || *f.Owner != owner || m.Origin != "kernel" {
				t.Errorf("%s: %+v, origin %s", n, f, m.Origin)
			}
			took := m.Got.Sub(began)
			t.Logf("the MAC of %s was seen %s after the ping began", n, took)
			if took > learnTime+busySlack {
				t.Errorf("the MAC of %s was seen only after %s", n, took)
			}
			if f := entry(t, s, table, macs[n]); f == nil || f.Port != port || f.Owner == nil || *f.Owner != owner || f.AgeSeconds == nil {
				t.Errorf("%s in the table: %+v", n, f)
			}
		}
		agree(t, s, table, where)

		// Aged out.
		from = len(e.all())
		began = time.Now()
		s.do(t, "PATCH", "/namespaces/"+where+"/links/br0", `{"bridge":{"ageing_seconds":1}}`).want(t, 200)
		for _, n := range []string{"N1", "N3"} {
			m := e.await(t, from, "fdb.removed of "+n, about("fdb.removed", macs[n]))
			t.Logf("the MAC of %s was gone %s after ageing was set to 1 s", n, m.Got.Sub(began))
		}
		agree(t, s, table, where)

		// Static ones stay, and are taken back.
		const body = `{"mac":"02:00:00:00:00:09","port":"p2"}`
		if f := post[topology.FDBEntry](t, s, table, body); f.State != "static" || f.Port != "p2" || !f.Managed || f.Sync != topology.InSync {
			t.Errorf("static entry %+v", f)
		}
		s.do(t, "POST", table+"/flush", "").want(t, 200)
		if !slices.ContainsFunc(nettest.Bridge(t, where, "fdb", "show", "br", "br0"), func(o map[string]any) bool {
			return o["mac"] == "02:00:00:00:00:09" && o["ifname"] == "p2" && o["state"] == "static"
		}) {
			t.Error("bridge does not show the static entry")
		}
		s.remove(t, table+"?mac="+url.QueryEscape("02:00:00:00:00:09"))
		if f := entry(t, s, table, "02:00:00:00:00:09"); f != nil {
			t.Errorf("it is still there: %+v", f)
		}
	})

	s.remove(t, "/namespaces/"+where+"/links/br0")
	if port := nettest.IP(t, where, "link", "show", "p1")[0]; port["master"] != nil {
		t.Errorf("without the bridge p1 is %v", port)
	}
	for _, n := range nodes {
		s.remove(t, "/namespaces/"+n)
	}
}

// about fits events of a type about a MAC.
func about(kind, mac string) func(message) bool {
	return func(m message) bool { return m.Type == kind && m.FDB.MAC == mac }
}

// pingAll pings from every namespace to every other, by netdash and by ping(8).
func pingAll(t *testing.T, s *server, all []string) {
	t.Helper()
	for i, from := range all {
		for j, to := range all {
			if i == j {
				continue
			}
			address := fmt.Sprintf("10.1.0.%d", j+1)
			if j == len(all)-1 {
				address = "10.1.0.254"
			}
			r := s.ping(t, fmt.Sprintf(`{"namespace":%q,"to_namespace":%q,"count":1,"timeout_ms":5000}`, from, to))
			if r.Received != 1 || r.Address != address {
				t.Errorf("ping %s to %s: %+v", from, to, r)
			}
			command := "ping -c1 -W5 " + address
			if from != "host" {
				command = "ip netns exec " + from + " " + command
			}
			nettest.Shell(t, command)
		}
	}
}

// entry finds a MAC in a table, nil if it is not there.
func entry(t *testing.T, s *server, table, mac string) *topology.FDBEntry {
	t.Helper()
	for _, f := range get[items[*topology.FDBEntry]](t, s, table).Items {
		if f.MAC == mac {
			return f
		}
	}
	return nil
}

// agree waits until netdash's MAC table and bridge's say the same.
func agree(t *testing.T, s *server, table, where string) {
	t.Helper()
	eventually(t, func() string {
		var shown, said []string
		for _, f := range get[items[topology.FDBEntry]](t, s, table).Items {
			shown = append(shown, fmt.Sprint(f.MAC, " ", f.Port, " ", f.State))
		}
		for _, o := range nettest.Bridge(t, where, "fdb", "show", "br", "br0") {
			if o["master"] == nil {
				continue // the link's own multicast filters
			}
			state := map[any]string{"": "learned", "permanent": "local", "static": "static"}[o["state"]]
			said = append(said, fmt.Sprint(o["mac"], " ", o["ifname"], " ", state))
		}
		slices.Sort(shown)
		slices.Sort(said)
		if !slices.Equal(shown, said) {
			return fmt.Sprintf("netdash shows %q, bridge says %q", shown, said)
		}
		return ""
	})
}
