package live_test

import (
	"testing"
	"time"

	"netdash/internal/live"
	"netdash/internal/nettest"
	"netdash/internal/topology"
	"netdash/internal/viewer"
)

// hears gives what is told, in order; it must be listened to until the test ends.
func hears(t *testing.T, l *live.Live) <-chan viewer.Message {
	t.Helper()
	told := make(chan viewer.Message, 10000)
	var order viewer.Order
	follow(t, l, nil, func(m viewer.Message, _ string) {
		if err := order.Check(&m); err != nil {
			t.Error(err)
		}
		told <- m
	})
	return told
}

// entryTold waits for the next event of a MAC's entry.
func entryTold(t *testing.T, told <-chan viewer.Message, mac string) viewer.Message {
	t.Helper()
	m, ok := entryWithin(20*time.Second, told, mac)
	if !ok {
		t.Fatalf("nothing is told of %s", mac)
	}
	return m
}

func entryWithin(long time.Duration, told <-chan viewer.Message, mac string) (viewer.Message, bool) {
	patience := time.After(long)
	for {
		select {
		case m := <-told:
			if m.FDB != nil && m.FDB.MAC == mac {
				return m, true
			}
		case <-patience:
			return viewer.Message{}, false
		}
	}
}

// TestLifeOfAnEntry has a bridge learn, move, forget and lose a MAC in every way
// there is, and looks at what is told of it.
func TestLifeOfAnEntry(t *testing.T) {
	const mac = "02:00:00:00:aa:01"
	l, _ := watching(t)
	sw, one, two := nettest.Namespace(t), nettest.Namespace(t), nettest.Namespace(t)
	sh := func(commands string) {
		nettest.Shell(t, "set -e; SW="+sw+" ONE="+one+" TWO="+two+" MAC="+mac+"; "+commands)
	}
	// Without IPv6 hosts say nothing by themselves.
	sh(`for n in $SW $ONE $TWO; do for c in all default; do ip netns exec $n sh -c "echo 1 >/proc/sys/net/ipv6/conf/$c/disable_ipv6"; done; done
		ip -n $SW link add br0 type bridge ageing_time 30000
		ip -n $SW link set br0 up
		ip -n $SW link add p1 type veth peer name eth0 netns $ONE
		ip -n $SW link add p2 type veth peer name eth0 netns $TWO
		ip -n $SW link set p1 master br0 up; ip -n $SW link set p2 master br0 up
		ip -n $ONE link set eth0 address $MAC up; ip -n $ONE address add 10.0.0.1/24 dev eth0; ip -n $TWO link set eth0 up; ip -n $TWO address add 10.0.0.2/24 dev eth0`)
	told := hears(t, l)
	// What a host says teaches the bridge where it is.
	say := func(host string) string { // one frame, for nobody
		return `ip -n ` + host + ` neigh replace 10.0.0.9 lladdr 02:00:00:00:bb:bb dev eth0 nud permanent; ip netns exec ` + host + ` ping -c1 -W0.1 10.0.0.9 >/dev/null || true`
	}
	learn := func() {
		t.Helper()
		var m viewer.Message
		for tries, ok := 0, false; !ok; tries++ { // its port may not forward yet
			if tries == 20 {
				t.Fatal("the bridge learns nothing")
			}
			sh(say(one))
			m, ok = entryWithin(time.Second, told, mac)
		}
		if m.Type != "fdb.added" || m.FDB.State != "learned" || m.FDB.Port != "p1" || m.Reason != "" {
			t.Fatalf("learned: %s %+v %s", m.Type, m.FDB, m.Reason)
		}
	}
	gone := func(how string, want topology.RemovalReason) {
		t.Helper()
		m := entryTold(t, told, mac)
		if m.Type != "fdb.removed" || m.Reason != want {
			t.Errorf("%s: %s, %q, want %q", how, m.Type, m.Reason, want)
		}
		for _, o := range nettest.Bridge(t, sw, "fdb", "show", "br", "br0") {
			if o["mac"] == mac && o["master"] == "br0" {
				t.Errorf("%s: bridge still shows %v", how, o)
			}
		}
	}
	for how, command := range map[string]string{
		"flushed":       `ip -n $SW link set br0 type bridge fdb_flush`,
		"deleted":       `bridge -n $SW fdb del $MAC dev p1 master`,
		"the port down": `ip -n $SW link set p1 down`,
	} {
		learn()
		sh(command)
		gone(how, topology.Flushed)
		sh(`ip -n $SW link set p1 up`)
	}

	learn()
	sh(`ip -n $SW link set br0 type bridge ageing_time 100`)
	gone("not seen for a second", topology.Expired)
	sh(`ip -n $SW link set br0 type bridge ageing_time 30000`)

	learn()
	sh(`ip -n $ONE link set eth0 address 02:00:00:00:aa:02; ip -n $TWO link set eth0 address $MAC; ` + say(two))
	for {
		// Whose MAC it is changes as well.
		m := entryTold(t, told, mac)
		if m.Type == "fdb.moved" {
			if m.FDB.Port != "p2" || m.FDB.State != "learned" {
				t.Errorf("moved: %+v", m.FDB)
			}
			break
		}
		if m.Type != "fdb.changed" || m.FDB.Port != "p1" {
			t.Fatalf("while it moves: %s %+v", m.Type, m.FDB)
		}
	}
	sh(`bridge -n $SW fdb replace $MAC dev p2 master static`)
	if m := entryTold(t, told, mac); m.Type != "fdb.changed" || m.FDB.State != "static" || m.FDB.Port != "p2" {
		t.Errorf("static: %s %+v", m.Type, m.FDB)
	}
	sh(`ip -n $SW link set p2 down; ip -n $SW link set p2 name q2`)
	if m := entryTold(t, told, mac); m.Type != "fdb.changed" || m.FDB.Port != "q2" {
		t.Errorf("its port renamed: %s %+v", m.Type, m.FDB)
	}
	sh(`bridge -n $SW fdb del $MAC dev q2 master`)
	gone("static and deleted", topology.Deleted)

	sh(`bridge -n $SW fdb add $MAC dev p1 master static; ip -n $SW link del p1`)
	for _, want := range []viewer.Message{
		{Event: topology.Event{Type: "fdb.added"}},
		{Event: topology.Event{Type: "fdb.removed", Reason: topology.Deleted}},
	} {
		if m := entryTold(t, told, mac); m.Type != want.Type || m.Reason != want.Reason {
			t.Errorf("with its port: %s %q", m.Type, m.Reason)
		}
	}
}
