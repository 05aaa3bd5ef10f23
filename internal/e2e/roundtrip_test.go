package e2e

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// furnished is a document with one of everything that the kernel of any machine
// can do.
const furnished = `
name: everything
namespaces:
  - name: A
    loopback_addresses: [10.9.0.1/32, "fd00:9::1/128"]
  - name: B
    loopback_up: false
  - {name: quiet, ipv6: false}
  - name: sw
bridges:
  - namespace: sw
    name: br0
    mac: 02:00:00:00:01:00
    mtu: 1400
    alias: "the bridge: # 1"
    addresses: [10.1.0.254/24, 10.1.0.253/24, "fd00:1::254/64"]
    stp: true
    ageing_seconds: 100
    forward_delay_seconds: 4
    hello_seconds: 1
    max_age_seconds: 7
    priority: 4096
    multicast_snooping: false
    fdb:
      - {mac: "02:00:00:00:00:09", port: pA}
      - {mac: "02:00:00:00:00:0a", port: br0}
  - {namespace: host, name: br1, addresses: [10.2.0.254/24]}
  - {namespace: sw, name: down, mac: "02:00:00:00:01:02", admin_up: false} # without ports a bridge has a random MAC
veths:
  - a: {namespace: A, name: eth0, mac: "02:00:00:00:01:01", mtu: 1400, alias: x, addresses: [10.1.0.1/24, "fd00:1::1/64"]}
    b:
      namespace: sw
      name: pA
      master: br0
      bridge_port: {cost: 5, priority: 7, hairpin: true, guard: true, root_block: true, learning: false, flood: false, mcast_flood: false, bcast_flood: false, isolated: true}
  - a: {namespace: B, name: eth0, addresses: [10.2.0.2/24]}
    b: {namespace: host, name: pB, master: br1}
  - a: {namespace: quiet, name: eth0, addresses: [10.2.0.3/24]}
    b: {namespace: host, name: pQ, master: br1, bridge_port: {isolated: false}}
  - a: {namespace: A, name: direct, addresses: [10.3.0.1/30]}
    b: {namespace: B, name: direct, addresses: [10.3.0.2/30]}
  - a: {namespace: A, name: idle, admin_up: false}
    b: {namespace: A, name: idle2}
routes:
  - {namespace: A, destination: default, gateway: 10.1.0.254}
  - {namespace: A, destination: default, gateway: 10.3.0.2, metric: 50}
  - {namespace: A, destination: "fd00:7::/64", gateway: "fd00:1::254", metric: 7}
  - {namespace: B, destination: 10.8.0.0/16, gateway: 10.3.0.1, link: direct}
  - {namespace: B, destination: 10.7.0.0/16, link: eth0}
`

var (
	kernelNumbers = regexp.MustCompile(`\.(ifindex|link_index|link_netnsid|group_fwd_mask) = `)
	anyMAC        = regexp.MustCompile(`([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}`)
	eui64         = regexp.MustCompile(`fe80::[0-9a-f:]*ff:fe[0-9a-f:]*`)
	fixed         = []string{"02:00:00:00:01:00", "02:00:00:00:01:01", "02:00:00:00:01:02", "02:00:00:00:00:09", "02:00:00:00:00:0a", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}
)

// unnumbered leaves the kernel's numbers of links out of a world.
func unnumbered(world []string) []string {
	return slices.DeleteFunc(slices.Clone(world), func(l string) bool { return kernelNumbers.MatchString(l) })
}

// withoutMACs leaves out the kernel's numbers, and the MACs nobody asked for with
// what it makes of them: link-local addresses and the groups they listen to.
func withoutMACs(world []string) []string {
	out := unnumbered(world)
	for i, l := range out {
		l = eui64.ReplaceAllString(l, "EUI64")
		out[i] = anyMAC.ReplaceAllStringFunc(l, func(mac string) string {
			if slices.Contains(fixed, mac) {
				return mac
			}
			return "MAC"
		})
	}
	return out
}

// TestRoundTrip: what is exported, deleted and put back is what it was.
func TestRoundTrip(t *testing.T) {
	s := start(t)
	bare := unnumbered(calmWorld(t))
	s.put(t, furnished, "application/yaml").want(t, http.StatusOK)
	was := calmWorld(t)
	if len(was) < 500 || !strings.Contains(strings.Join(was, "\n"), "linkinfo.info_slave_data.isolated = true") {
		t.Fatalf("the comparison sees only %d lines", len(was))
	}
	const path = "/topology/intended"
	asYAML := s.do(t, "GET", path, "", "Accept: application/yaml").want(t, http.StatusOK)
	asJSON := s.do(t, "GET", path, "").want(t, http.StatusOK)
	withMACs := s.do(t, "GET", path+"?macs=true", "", "Accept: application/yaml").want(t, http.StatusOK)

	for _, c := range []struct {
		name, text, media string
		see               func([]string) []string
	}{
		{"YAML", string(asYAML.body), "application/yaml", withoutMACs},
		{"JSON", string(asJSON.body), "application/json", withoutMACs},
		{"with MACs", string(withMACs.body), "text/yaml", unnumbered},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.put(t, "{}", "application/json").want(t, http.StatusOK)
			eventually(t, func() string { return difference(bare, unnumbered(world(t))) })
			put := s.put(t, c.text, c.media).want(t, http.StatusOK)
			now := calmWorld(t)
			if d := difference(c.see(was), c.see(now)); d != "" {
				t.Errorf("it differs:\n%s", d)
			}
			if c.name != "with MACs" && difference(unnumbered(was), unnumbered(now)) == "" {
				t.Error("all MACs came back by themselves: the test sees no MACs")
			}
			tag, operations := put.header.Get("Etag"), put.header.Get("Netdash-Operation")
			if tag != `"`+operations+`"` || tag != s.do(t, "GET", path, "").header.Get("Etag") {
				t.Errorf("ETag %s, operation %s", tag, operations)
			}
			again := s.put(t, c.text, c.media).want(t, http.StatusOK)
			if strings.TrimSpace(string(again.body)) != `{"changes":[]}` || again.header.Get("Netdash-Operation") != "" || again.header.Get("Etag") != tag {
				t.Errorf("put again: %s %v", again.body, again.header)
			}
		})
	}
}

// TestPutKeepsWhatStays: a document that changes one thing does that one thing;
// links keep their ifindex, their MAC, and what netdash remembers of them, also
// when they are missing and over a restart.
func TestPutKeepsWhatStays(t *testing.T) {
	s := start(t)
	s.put(t, furnished, "application/yaml").want(t, http.StatusOK)
	before := calmWorld(t)
	macs := s.do(t, "GET", "/topology/intended?macs=true", "").want(t, http.StatusOK)

	renamed := strings.NewReplacer("name: direct, addresses: [10.3.0.2/30]", "name: cable, addresses: [10.3.0.2/30]", "link: direct", "link: cable").Replace(furnished)
	dry := s.do(t, "PUT", "/topology/intended?dry_run=true", renamed, "Content-Type: application/yaml").want(t, http.StatusOK)
	if d := difference(before, world(t)); d != "" {
		t.Errorf("a dry run has changed:\n%s", d)
	}
	done := s.put(t, renamed, "application/yaml").want(t, http.StatusOK)
	if !bytes.Equal(dry.body, done.body) {
		t.Errorf("announced\n%s\ndone\n%s", dry.body, done.body)
	}
	for _, c := range commands(t, done) {
		if !strings.Contains(c, "direct") && !strings.Contains(c, "cable") {
			t.Errorf("for a renaming it did %s", c)
		}
	}
	if !strings.Contains(string(done.body), "name cable") || nettest.IP(t, "B", "link", "show", "cable")[0]["ifname"] != "cable" {
		t.Errorf("it is not renamed: %s", done.body)
	}
	s.put(t, furnished, "application/yaml").want(t, http.StatusOK)
	if d := difference(before, calmWorld(t)); d != "" {
		t.Errorf("there and back it differs:\n%s", d)
	}
	if now := s.do(t, "GET", "/topology/intended?macs=true", ""); !bytes.Equal(now.body, macs.body) {
		t.Errorf("MACs are forgotten: %s\nwere %s", now.body, macs.body)
	}

	// Also of a link that is not there at the moment.
	nettest.Shell(t, "ip -n A link delete direct")
	eventually(t, func() string {
		if l := get[*topology.Snapshot](t, s, "/topology").Namespace("A").Link("direct"); l == nil || l.Sync != topology.Missing {
			return "netdash has not seen that the cable is gone"
		}
		return ""
	})
	for _, text := range []string{strings.Replace(furnished, "name: everything", "name: other", 1), furnished} {
		s.put(t, text, "application/yaml").want(t, http.StatusOK)
	}
	s.stop(t)
	s = startOn(t, s.DB)
	if now := s.do(t, "GET", "/topology/intended?macs=true", ""); !bytes.Equal(now.body, macs.body) {
		t.Errorf("MACs are forgotten by and by: %s\nwere %s", now.body, macs.body)
	}
}

// TestPutIsAllOrNothing: what cannot be done leaves everything as it was.
func TestPutIsAllOrNothing(t *testing.T) {
	s := start(t)
	furnish(t, s)
	calmWorld(t)
	was := s.scene(t)
	for _, c := range []struct {
		text, headers string
		status        int
		code          string
		line          int
	}{
		{"namespaces: [{name: A}, {name: A}]", "", 422, "invalid", 1},
		{"namespaces:\n- name: A\n- name: F\n", "", 409, "conflict", 3}, // somebody else's namespace
		{"bridges:\n- namespace: host\n  name: fb\n", "", 409, "conflict", 3},
		{"bridges:\n- namespace: F\n  name: br0\n", "", 422, "invalid", 2},
		{"namespaces:\n- name: A\nbridges: [\n", "", 400, "malformed", 3},
		{"{}", `If-Match: "1"`, 412, "precondition_failed", 0},
		{"{}", `If-Match: 1`, 400, "malformed", 0},
		{"{}", "Content-Type: text/plain", 415, "unsupported_media_type", 0},
		{"{}", "Origin: http://evil.example", 403, "forbidden", 0},
	} {
		a := s.do(t, "PUT", "/topology/intended", c.text, "Content-Type: application/yaml", "X-Test: x", c.headers)
		p := a.problem(t, c.status, c.code)
		if line := 0; c.line > 0 {
			if len(p.Errors) > 0 {
				line = p.Errors[0].Line
			}
			if line != c.line {
				t.Errorf("%s: line %d, want %d\n%s", a.asked, line, c.line, a.body)
			}
		}
		if c.code == "conflict" && p.Hint == "" {
			t.Errorf("%s: no hint", a.asked)
		}
		now := s.scene(t)
		if changed := was.changed(now); changed != "" {
			t.Errorf("%s has changed:\n%s", a.asked, changed)
		}
		was = now
	}
	tag := s.do(t, "GET", "/topology/intended", "").header.Get("Etag")
	s.do(t, "PUT", "/topology/intended", "{}", "If-Match: "+tag).want(t, http.StatusOK)
	if spec := get[topology.Spec](t, s, "/topology/intended"); !topology.Equal(&spec, &topology.Spec{}) {
		t.Errorf("%+v", spec)
	}
	if left := namespaces(t); !slices.Equal(left, []string{"host", "F"}) {
		t.Errorf("%v are left", left)
	}
}
