package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// edits is one of each kind of edit, in an order in which they can be done. MACs
// are given so that two worlds can be compared.
var edits = []struct{ method, path, body string }{
	{create, "/namespaces", `{"name":"A"}`},
	{create, "/namespaces", `{"name":"B","loopback_up":false,"loopback_addresses":["10.255.0.1/32"]}`},
	{create, "/namespaces", `{"name":"it's","ipv6":false}`},
	{create, "/bridges", `{"namespace":"host","name":"br0","mac":"02:00:00:00:01:00","addresses":["10.1.0.254/24"],"ageing_seconds":120,"priority":4096}`},
	{create, "/bridges", `{"namespace":"it's","name":"br","mac":"02:00:00:00:01:01","stp":true,"forward_delay_seconds":4,"admin_up":false}`},
	{create, "/veths", `{"a":{"namespace":"A","name":"eth0","mac":"02:00:00:00:02:00","addresses":["10.1.0.1/24","fd01::1/64"]},
		"b":{"namespace":"host","name":"p1","mac":"02:00:00:00:02:01","master":"br0","bridge_port":{"hairpin":true,"cost":7}}}`},
	{create, "/veths", `{"a":{"namespace":"B","name":"v0","mac":"02:00:00:00:03:00","mtu":1400,"alias":"to 'it''s'"},
		"b":{"namespace":"it's","name":"v0","mac":"02:00:00:00:03:01","admin_up":false}}`},
	{create, "/veths", `{"a":{"namespace":"A","name":"x0","mac":"02:00:00:00:04:00"},"b":{"namespace":"B","name":"x1","mac":"02:00:00:00:04:01"}}`},
	{create, "/namespaces/A/routes", `{"destination":"default","gateway":"10.1.0.254"}`},
	{create, "/namespaces/A/routes", `{"destination":"fd02::/64","gateway":"fd01::9","metric":50}`},
	{create, "/namespaces/A/routes", `{"destination":"10.8.0.0/16","link":"x0","metric":3}`},
	{create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:09","port":"p1"}`},
	{create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:0a","port":"br0"}`},
	{create, "/namespaces/B/links/v0/addresses", `{"cidr":"192.168.1.2/24"}`},
	{create, "/namespaces/B/links/lo/addresses", `{"cidr":"10.255.0.2/32"}`},
	{edit, "/namespaces/B/links/lo", `{"admin_up":true}`},
	{edit, "/namespaces/B/links/v0", `{"mtu":1300,"alias":"","mac":"02:00:00:00:03:02"}`},
	{edit, "/namespaces/A/links/eth0", `{"name":"wan"}`},
	{edit, "/namespaces/A/links/wan", `{"admin_up":false}`},
	{edit, "/namespaces/A/links/wan", `{"admin_up":true}`},
	{edit, "/namespaces/it's/links/v0", `{"master":"br","admin_up":true}`},
	{edit, "/namespaces/it's/links/v0", `{"bridge_port":{"learning":false,"isolated":true}}`},
	{edit, "/namespaces/host/links/br0", `{"name":"lan","bridge":{"ageing_seconds":60,"multicast_snooping":false}}`},
	{edit, "/namespaces/B/links/x1", `{"namespace":"it's","name":"x9"}`},
	{edit, "/namespaces/it's/links/x9", `{"namespace":"host"}`},
	{edit, "/namespaces/it's/links/v0", `{"master":null}`},
	{drop, "/namespaces/host/bridges/lan/fdb?mac=02:00:00:00:00:09", ""},
	{drop, "/namespaces/A/routes?destination=fd02::/64", ""},
	{drop, "/namespaces/A/routes", `{"destination":"10.8.0.0/16"}`},
	{drop, "/namespaces/B/links/v0/addresses/192.168.1.2%2F24", ""},
	{drop, "/namespaces/A/links/x0", ""},
	{create, "/namespaces", `{"name":"gone"}`},
	{create, "/veths", `{"a":{"namespace":"gone","name":"g0"},"b":{"namespace":"A","name":"g1"}}`},
	{drop, "/namespaces/gone", ""},
}

// commandsEnv hands the commands to the world that runs them.
const commandsEnv = "NETDASH_E2E_COMMANDS"

// TestDryRunChangesNothing: a dry run answers the commands, changes nothing, and
// what it answers is what is then done. The commands alone, run with sh in
// another world, build the same.
func TestDryRunChangesNothing(t *testing.T) {
	if nettest.InWorld() != "" {
		nettest.Shell(t, "set -e\n"+os.Getenv(commandsEnv))
		text, err := json.Marshal(anonymous(calmWorld(t)))
		if err != nil {
			t.Fatal(err)
		}
		nettest.Report(t, text)
		return
	}
	s := start(t)
	var all []string
	for _, c := range edits {
		separator := "?"
		if strings.Contains(c.path, "?") {
			separator = "&"
		}
		was := s.scene(t)
		a := s.do(t, c.method, c.path+separator+"dry_run=true", c.body).want(t, http.StatusOK)
		plan := commands(t, a)
		if len(plan) == 0 {
			t.Errorf("%s: no commands in %s", a.asked, a.body)
		}
		if id := a.header.Get("Netdash-Operation"); id != "" {
			t.Errorf("%s names operation %s", a.asked, id)
		}
		now := s.scene(t)
		if was.intended == now.intended && was.operations == now.operations && was.changed(now) != "" {
			// The kernel tells of a link that came up as late as a second after; with
			// that past, the same again must change nothing.
			calmWorld(t)
			was = s.scene(t)
			s.do(t, c.method, c.path+separator+"dry_run=true", c.body).want(t, http.StatusOK)
			now = s.scene(t)
		}
		if changed := was.changed(now); changed != "" {
			t.Errorf("%s has changed:\n%s", a.asked, changed)
		}

		done := s.do(t, c.method, c.path, c.body)
		if done.status/100 != 2 {
			t.Fatalf("%s: %d %s", done.asked, done.status, done.body)
		}
		op := get[topology.Operation](t, s, "/operations/"+done.header.Get("Netdash-Operation"))
		if !slices.Equal(op.Commands, plan) || op.State != topology.OperationCommitted || op.Request != c.method+" /api/v1"+c.path {
			t.Errorf("%s was planned as %q, done as %+v", done.asked, plan, op)
		}
		all = append(all, op.Commands...)
	}

	t.Setenv(commandsEnv, strings.Join(all, "\n"))
	text, err := nettest.World(t, "commands")
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(all, "\n"))
	}
	var theirs []string
	if err := json.Unmarshal(text, &theirs); err != nil {
		t.Fatal(err)
	}
	if d := difference(theirs, anonymous(calmWorld(t))); d != "" {
		t.Errorf("by the commands (-) and by netdash (+):\n%s\nthe commands:\n%s", d, strings.Join(all, "\n"))
	}
}

var numbers = regexp.MustCompile(`\.(ifindex|link_index|link_netnsid) = `)

// anonymous leaves out of a world what the kernel numbers as it goes.
func anonymous(lines []string) []string {
	return slices.DeleteFunc(lines, numbers.MatchString)
}

// TestDryRunOfBadInput: a dry run refuses what the real one would.
func TestDryRunOfBadInput(t *testing.T) {
	s := start(t)
	furnish(t, s)
	for _, c := range []refusal{
		{create, "/namespaces", `{"name":"a b"}`, 422, "invalid", "/name", nil},
		{create, "/namespaces", `{"name":"A"}`, 409, "conflict", "-", nil},
		{create, "/namespaces", `{"name":"F"}`, 409, "conflict", "-", nil},
		{drop, "/namespaces/F", "", 409, "not_managed", "", nil},
		{drop, "/namespaces/nope", "", 404, "not_found", "", nil},
		{edit, "/namespaces/A/links/eth0", `{"mtu":1}`, 422, "invalid", "/mtu", nil},
	} {
		s.do(t, c.method, c.path+"?dry_run=true", c.body).problem(t, c.status, c.code)
	}
}
