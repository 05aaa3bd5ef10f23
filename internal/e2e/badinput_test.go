package e2e

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// refusal is a request, and how it is to be refused.
type refusal struct {
	method, path, body string
	status             int
	code               string
	points             string // "/a/name ?dry_run": what the problem points at, "-" for anything
	headers            []string
}

// TestBadInput: each kind of bad input gets its status and a problem document,
// and changes nothing: not in the kernel, not in what is intended, not in the
// journal.
func TestBadInput(t *testing.T) {
	s := start(t)
	furnish(t, s)
	calmWorld(t)
	was := s.scene(t)
	for _, group := range []struct {
		name  string
		cases []refusal
	}{
		{"names", badNames()},
		{"values", badValues()},
		{"bodies", badBodies()},
		{"references", badReferences()},
		{"foreign", foreignObjects()},
		{"requests", badRequests()},
		{"pings", badPings()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				a := s.do(t, c.method, c.path, c.body, c.headers...)
				p := a.problem(t, c.status, c.code)
				if want := strings.Fields(c.points); c.points != "-" && !slices.Equal(p.pointers(), want) {
					t.Errorf("%s points at %q, want %q\n%s", a.asked, p.pointers(), want, a.body)
				}
				if c.code == "not_managed" && p.Hint == "" {
					t.Errorf("%s: no hint in %s", a.asked, a.body)
				}
				if c.status == http.StatusConflict && p.Subject == "" && len(p.Errors) == 0 {
					t.Errorf("%s: it does not say about what: %s", a.asked, a.body)
				}
				now := s.scene(t)
				if changed := was.changed(now); changed != "" {
					t.Errorf("%s has changed:\n%s", a.asked, changed)
				}
				was = now
			}
			t.Logf("%d refusals", len(group.cases))
		})
	}

	// The comparison would have noticed.
	s.do(t, "PATCH", "/namespaces/A/links/eth0", `{"alias":"x"}`).want(t, http.StatusOK)
	now := s.scene(t)
	if difference(was.world, now.world) == "" || was.intended == now.intended || was.operations == now.operations {
		t.Error("a change was not noticed")
	}
}

const (
	create = http.MethodPost
	edit   = http.MethodPatch
	drop   = http.MethodDelete
	look   = http.MethodGet
)

// pairBody is a pair between A and B with further fields of the first end.
func pairBody(fields string) string {
	return `{"a":{"namespace":"A","name":"n0"` + fields + `},"b":{"namespace":"B","name":"n1"}}`
}

// badNames: names the kernel, a path or a shell would take for something else.
func badNames() (cases []refusal) {
	bad := []string{"", ".", "..", "a/b", "a b", "a\\tb", "a\\nb", "a\\u0000b", "-a", "a\\u00a0b"}
	for _, name := range append(bad, "host", strings.Repeat("n", 129), "4-4026531840") {
		cases = append(cases, refusal{create, "/namespaces", `{"name":"` + name + `"}`, 422, "invalid", "/name", nil})
	}
	for _, name := range append(bad, "sixteen-bytes-xx", "ééééééé1x", "a:b", "a%b", "all", "default") {
		cases = append(cases,
			refusal{create, "/bridges", `{"namespace":"A","name":"` + name + `"}`, 422, "invalid", "/name", nil},
			refusal{create, "/veths", `{"a":{"namespace":"A","name":"n0"},"b":{"namespace":"B","name":"` + name + `"}}`, 422, "invalid", "/b/name", nil},
			refusal{edit, "/namespaces/A/links/eth0", `{"name":"` + name + `"}`, 422, "invalid", "/name", nil},
			refusal{edit, "/namespaces/host/links/br0", `{"name":"` + name + `"}`, 422, "invalid", "/name", nil},
		)
	}
	return cases
}

// badValues: values of fields that cannot be.
func badValues() (cases []refusal) {
	invalid := func(method, path, body, points string) {
		cases = append(cases, refusal{method, path, body, 422, "invalid", points, nil})
	}
	for _, mac := range []string{"01:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "02:00:00:00:00", "02:00:00:00:00:0g", "x", "02:00:00:00:00:00:00:01", "02-00-00-00-00-21", "0200.0000.0022"} {
		invalid(create, "/veths", pairBody(`,"mac":"`+mac+`"`), "/a/mac")
		invalid(create, "/bridges", `{"namespace":"A","name":"n0","mac":"`+mac+`"}`, "/mac")
		invalid(edit, "/namespaces/A/links/eth0", `{"mac":"`+mac+`"}`, "/mac")
		invalid(create, "/namespaces/host/bridges/br0/fdb", `{"mac":"`+mac+`","port":"p1"}`, "/mac")
	}
	for _, mtu := range []string{"-1", "67", "65536", "2147483648", "1500.5"} {
		invalid(create, "/veths", pairBody(`,"mtu":`+mtu), "/a/mtu")
		invalid(create, "/bridges", `{"namespace":"A","name":"n0","mtu":`+mtu+`}`, "/mtu")
		invalid(edit, "/namespaces/A/links/eth0", `{"mtu":`+mtu+`}`, "/mtu")
	}
	for _, cidr := range []string{
		"", "x", "10.0.0.1", "10.0.0.300/24", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/024", "fd00::1/129", "fd00::1%eth0/64",
		"10.0.0.0/24", "10.0.0.255/24", "0.0.0.0/0", "224.0.0.1/24", "ff02::1/64", "::/64", "::ffff:10.0.0.1/120",
	} {
		invalid(create, "/namespaces/A/links/eth0/addresses", `{"cidr":"`+cidr+`"}`, "/cidr")
		invalid(create, "/namespaces/host/links/br0/addresses", `{"cidr":"`+cidr+`"}`, "/cidr")
		invalid(create, "/namespaces/A/links/lo/addresses", `{"cidr":"`+cidr+`"}`, "/cidr")
		invalid(create, "/veths", pairBody(`,"addresses":["10.2.0.1/24","`+cidr+`"]`), "/a/addresses/1")
		invalid(create, "/bridges", `{"namespace":"A","name":"n0","addresses":["`+cidr+`"]}`, "/addresses/0")
		invalid(create, "/namespaces", `{"name":"n","loopback_addresses":["`+cidr+`"]}`, "/loopback_addresses/0")
	}
	invalid(create, "/veths", pairBody(`,"mtu":1279,"addresses":["fd00::1/64"]`), "/a/addresses/0")
	invalid(create, "/veths", pairBody(`,"alias":"`+strings.Repeat("x", 256)+`"`), "/a/alias")
	invalid(edit, "/namespaces/A/links/eth0", `{"alias":"a\u0007b"}`, "/alias")
	for _, b := range []string{
		`"ageing_seconds":-1`, `"ageing_seconds":1000001`, `"hello_seconds":0`, `"hello_seconds":11`, `"forward_delay_seconds":31`,
		`"max_age_seconds":5`, `"priority":65536`, `"priority":-1`,
	} {
		field, _, _ := strings.Cut(strings.Trim(b, `"`), `"`)
		invalid(create, "/bridges", `{"namespace":"A","name":"n0",`+b+`}`, "/"+field)
		invalid(edit, "/namespaces/host/links/br0", `{"bridge":{`+b+`}}`, "/bridge/"+field)
	}
	for _, p := range []string{`"cost":0`, `"cost":65536`, `"priority":64`, `"priority":-1`, `"hairpin":"yes"`} {
		field, _, _ := strings.Cut(strings.Trim(p, `"`), `"`)
		invalid(create, "/veths", `{"a":{"namespace":"host","name":"n0","master":"br0","bridge_port":{`+p+`}},"b":{"namespace":"B","name":"n1"}}`, "/a/bridge_port/"+field)
		invalid(edit, "/namespaces/host/links/p1", `{"bridge_port":{`+p+`}}`, "/bridge_port/"+field)
	}
	for body, points := range map[string]string{
		`{"destination":"x","gateway":"10.1.0.254"}`:                               "/destination",
		`{"destination":"10.5.0.1/16","gateway":"10.1.0.254"}`:                     "/destination",
		`{"destination":"10.5.0.0/16"}`:                                            "/gateway",
		`{"destination":"10.5.0.0/16","gateway":"x"}`:                              "/gateway",
		`{"destination":"10.5.0.0/16","gateway":"fd00::1"}`:                        "/gateway",
		`{"destination":"10.5.0.0/16","gateway":"10.99.0.1"}`:                      "/gateway",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.1"}`:                       "/gateway",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.254","link":"veth0"}`:      "/gateway",
		`{"destination":"10.5.0.0/16","link":"nope"}`:                              "/link",
		`{"destination":"fd01::/64","gateway":"fe80::1"}`:                          "/link",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.254","metric":-1}`:         "/metric",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.254","metric":2147483648}`: "/metric",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.254","metric":"high"}`:     "/metric",
		`{"destination":["10.5.0.0/16"],"gateway":"10.1.0.254"}`:                   "/destination",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.254","namespace":"B"}`:     "/namespace",
		`{"destination":"10.5.0.0/16","gateway":"10.1.0.254","scope":{"a":["b"]}}`: "/scope",
	} {
		invalid(create, "/namespaces/A/routes", body, points)
	}
	for _, vlan := range []string{"-1", "4095", `"1"`} {
		invalid(create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:0a","port":"p1","vlan":`+vlan+`}`, "/vlan")
	}
	return cases
}

// badBodies: bodies that are not what they should be as a whole.
func badBodies() (cases []refusal) {
	for path, body := range map[string]string{
		"/namespaces":                        `{"name":"n"`,
		"/veths":                             strings.TrimSuffix(pairBody(""), "}"),
		"/bridges":                           `{"namespace":"A","name":"n0"`,
		"/namespaces/A/links/eth0/addresses": `{"cidr":"10.7.0.1/24"`,
		"/namespaces/A/routes":               `{"destination":"10.5.0.0/16","gateway":"10.1.0.254"`,
		"/namespaces/host/bridges/br0/fdb":   `{"mac":"02:00:00:00:00:0a","port":"p1"`,
		"/namespaces/A/links/veth0":          `{"mtu":1400`,
	} {
		method := create
		if strings.HasSuffix(path, "/veth0") {
			method = edit
		}
		whole := body + "}"
		cases = append(cases,
			refusal{method, path, body, 400, "malformed", "", nil},
			refusal{method, path, whole + whole, 400, "malformed", "", nil},
			refusal{method, path, "name: n", 400, "malformed", "", nil},
			refusal{method, path, strings.Replace(whole, `{"`, `{"`+"\xff", 1), 400, "malformed", "", nil},
			refusal{method, path, `[` + whole + `]`, 422, "invalid", "-", nil},
			refusal{method, path, `null`, 422, "invalid", "-", nil},
			refusal{method, path, `"text"`, 422, "invalid", "-", nil},
			refusal{method, path, whole[:len(whole)-1] + `,"colour":"red"}`, 422, "invalid", "/colour", nil},
			refusal{method, path, whole[:len(whole)-1] + `,"pad":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", "", nil},
			refusal{method, path, whole, 415, "unsupported_media_type", "", []string{"Content-Type: text/plain"}},
			refusal{method, path, whole, 415, "unsupported_media_type", "", []string{"Content-Type: application/x-www-form-urlencoded"}},
			refusal{method, path, whole, 415, "unsupported_media_type", "", []string{"Content-Type: "}},
			refusal{method, path, whole, 415, "unsupported_media_type", "", []string{"Content-Encoding: gzip"}},
			refusal{method, path, whole, 403, "forbidden", "", []string{"Origin: http://evil.example"}},
			refusal{method, path, whole, 403, "forbidden", "", []string{"Origin: null"}},
			refusal{method, path, whole, 403, "forbidden", "", []string{"Sec-Fetch-Site: cross-site"}},
			refusal{method, path, whole, 403, "forbidden", "", []string{"Host: evil.example"}},
			refusal{method, path, whole, 403, "forbidden", "", []string{"Host: evil.example:8080"}},
			refusal{method, path + "?dry_run=perhaps", whole, 422, "invalid", "?dry_run", nil},
			refusal{method, path + "?dryrun=true", whole, 422, "invalid", "?dryrun", nil},
		)
	}
	for _, c := range [][3]string{
		{"/namespaces", `{}`, "/name"},
		{"/namespaces", `{"name":7}`, "/name"},
		{"/namespaces", `{"name":null}`, "/name"},
		{"/namespaces", `{"name":"n","loopback_up":"no"}`, "/loopback_up"},
		{"/namespaces", `{"name":"n","loopback_addresses":"127.0.0.2/8"}`, "/loopback_addresses"},
		{"/namespaces", `{"Name":"n","name":"n"}`, "/Name"},
		{"/veths", `{"a":{"namespace":"A","name":"n0"}}`, "/b"},
		{"/veths", `{"a":{"namespace":"A","name":"n0"},"b":{"namespace":"B"}}`, "/b/name"},
		{"/veths", `{"a":[],"b":{"namespace":"B","name":"n1"}}`, "/a"},
		{"/veths", pairBody(`,"colour":"red"`), "/a/colour"},
		{"/veths", pairBody(`,"bridge_port":{"cots":1}`), "/a/bridge_port/cots"},
		{"/veths", pairBody(`,"addresses":[5]`), "/a/addresses/0"},
		{"/veths", pairBody(`,"addresses":"10.2.0.1/24"`), "/a/addresses"},
		{"/veths", pairBody(`,"admin_up":1`), "/a/admin_up"},
		{"/veths", pairBody(`,"mtu":"1500"`), "/a/mtu"},
		{"/veths", pairBody(`,"ID":7`), "/a/ID"},
		{"/bridges", `{"namespace":"A","name":"n0","stp":"on"}`, "/stp"},
		{"/bridges", `{"namespace":"A","name":"n0","fdb":[{"mac":"02:00:00:00:00:0a","prot":"x"}]}`, "-"},
		{"/namespaces/A/links/eth0/addresses", `{"cidr":["10.7.0.1/24"]}`, "/cidr"},
		{"/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:0a"}`, "/port"},
	} {
		cases = append(cases, refusal{create, c[0], c[1], 422, "invalid", c[2], nil})
	}
	for body, points := range map[string]string{
		`{"admin_up":"yes"}`: "/admin_up", `{"mtu":"1400"}`: "/mtu", `{"bridge_port":{"colour":1}}`: "/bridge_port/colour",
		`{"ifindex":3}`: "/ifindex", `{"addresses":[]}`: "/addresses", `{"bridge":[]}`: "/bridge",
	} {
		cases = append(cases, refusal{edit, "/namespaces/A/links/eth0", body, 422, "invalid", points, nil})
	}
	return append(cases, refusal{create, "/namespaces", "", 400, "malformed", "-", []string{"Content-Type: application/json"}})
}

// TestRawRequests: what a Go client would not send.
func TestRawRequests(t *testing.T) {
	s := start(t)
	before := s.scene(t)
	host := strings.TrimPrefix(s.URL, "http://")
	for request, want := range map[string]string{
		"POST /api/v1/namespaces HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n" + strings.Repeat("x", 2<<20): "413",
		"POST /api/v1/namespaces HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"name\":":                             "400",
		"POST /api/v1/namespaces HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"name\":\"n\"}":                                             "400",
		"POST /api/v1/namespaces HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"name\":\"n\"}":                                             "403",
		"GET /api/v1/topology HTTP/1.1\r\nHost: " + host + "\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n":                                                         "431",
		"POST http://evil.example/api/v1/namespaces HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}":                   "403",
	} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprint(conn, request) // may be answered before it is all sent
		if strings.HasSuffix(request, "{\"name\":") {
			_ = conn.(*net.TCPConn).CloseWrite()
		}
		got := make([]byte, len("HTTP/1.1 400"))
		if _, err := conn.Read(got); err != nil || !strings.HasSuffix(string(got), " "+want) {
			t.Errorf("%.150q: %q, %v, want %s", request, got, err, want)
		}
		_ = conn.Close()
	}
	if changed := before.changed(s.scene(t)); changed != "" {
		t.Errorf("they have changed:\n%s", changed)
	}
}
