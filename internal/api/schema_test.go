package api

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"netdash/internal/document"
)

// served schema, by a validator that is not ours.
func schemaOfSite(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s := serve(t, nil)
	text := s.do(t, "GET", "/api/v1/topology/schema", "").want(t, 200).text
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("spec.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("spec.json") // checks it against its own schema as well
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func judge(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatalf("%v in %s", err, asJSON)
	}
	return schema.Validate(v)
}

// everything is a document with every field.
const everything = `
name: everything
ipv6: true
namespaces:
- {name: A, loopback_up: true, loopback_addresses: [10.9.0.1/32, "fd00:9::1/128"], ipv6: false}
bridges:
- namespace: A
  name: br0
  mac: "02:00:00:00:01:00"
  mtu: 1400
  alias: the bridge
  admin_up: true
  addresses: [10.1.0.254/24, "fd00:1::254/64"]
  stp: true
  ageing_seconds: 100
  forward_delay_seconds: 4
  hello_seconds: 1
  max_age_seconds: 6
  priority: 4096
  multicast_snooping: false
  vlan_filtering: false
  fdb: [{mac: "02:00:00:00:00:09", port: p1, vlan: 0}, {mac: "02:00:00:00:00:0A", port: br0}]
veths:
- a: {namespace: host, name: e0, mac: "02:00:00:00:01:01", mtu: 1400, alias: x, admin_up: false, addresses: [10.1.0.1/24]}
  b:
    namespace: A
    name: p1
    master: br0
    bridge_port:
      {cost: 5, priority: 7, hairpin: true, guard: true, root_block: true, fastleave: true, learning: false, flood: false, mcast_flood: false, bcast_flood: false, isolated: true}
routes:
- {namespace: A, destination: default, gateway: 10.1.0.1, link: br0, metric: 7}
- {namespace: A, destination: "fd00:2::/64", gateway: "fd00:1::1"}
`

func TestSchema(t *testing.T) {
	schema := schemaOfSite(t)
	for _, good := range []string{
		everything, twoHosts, "{}", "namespaces: []", "routes: [{namespace: host, destination: 10.0.0.0/8, link: é}]",
	} {
		if err := judge(t, schema, good); err != nil {
			t.Errorf("%s\n%v", good, err)
		}
	}
	if _, err := document.Parse([]byte(everything)); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"no object": "[]", "unknown list": "links: []", "unknown field": "namespaces: [{name: A, colour: red}]", "unknown in an end": strings.Replace(everything, "alias: x", "alais: x", 1),
		"unknown setting": strings.Replace(everything, "cost: 5", "cots: 5", 1), "unknown bridge setting": strings.Replace(everything, "stp:", "spt:", 1),
		"embedded struct": "bridges: [{namespace: A, name: b, BridgeAttributes: {}}]", "identity": "bridges: [{namespace: A, name: b, ID: 1}]",
		"no name": "namespaces: [{}]", "one end": "veths: [{a: {namespace: A, name: x}}]", "no destination": "routes: [{namespace: A}]", "no port": "bridges: [{namespace: A, name: b, fdb: [{mac: \"02:00:00:00:00:01\"}]}]",
		"number as name": "namespaces: [{name: 5}]", "text as list": "namespaces: A", "null": "namespaces:", "text as number": strings.Replace(everything, "mtu: 1400", `mtu: "1400"`, 1),
		"yes": "ipv6: yes", "fraction": strings.Replace(everything, "hello_seconds: 1", "hello_seconds: 1.5", 1), "range": strings.Replace(everything, "hello_seconds: 1", "hello_seconds: 11", 1),
		"MTU": strings.Replace(everything, "mtu: 1400", "mtu: 67", 1), "long name": "bridges: [{namespace: A, name: sixteen-bytes-xx}]", "slash": "namespaces: [{name: a/b}]",
		"white space": "namespaces: [{name: a b}]", "colon": "bridges: [{namespace: A, name: \"a:b\"}]", "empty name": "namespaces: [{name: \"\"}]", "MAC": strings.Replace(everything, "02:00:00:00:01:00", "02:00:00:00:01", 1),
		"address without length": strings.Replace(everything, "10.1.0.254/24", "10.1.0.254", 1), "address twice": "namespaces: [{name: A, loopback_addresses: [10.0.0.1/8, 10.0.0.1/8]}]",
		"gateway": strings.Replace(everything, "gateway: 10.1.0.1", "gateway: router", 1), "metric": strings.Replace(everything, "metric: 7", "metric: -1", 1), "VLAN": strings.Replace(everything, "vlan: 0", "vlan: 4095", 1),
	} {
		if judge(t, schema, bad) == nil {
			t.Errorf("%s: valid", name)
		}
		if _, err := document.Parse([]byte(bad)); err == nil {
			t.Errorf("%s: what the schema refuses is read", name)
		}
	}
}

// TestExamplesFitTheSchema: as an editor would judge them; what they say of the
// schema is true.
func TestExamplesFitTheSchema(t *testing.T) {
	schema := schemaOfSite(t)
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := judge(t, schema, string(text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if _, err := document.Parse(text); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if !strings.HasPrefix(string(text), "# yaml-language-server: $schema=../docs/spec.schema.json\n") {
			t.Errorf("%s does not name the schema", file)
		}
	}
	kept, err := os.ReadFile("../../docs/spec.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if now := serve(t, nil).do(t, "GET", "/api/v1/topology/schema", "").want(t, 200).text; now != string(kept) {
		t.Error("docs/spec.schema.json is not what is served: write it anew with curl …/api/v1/topology/schema")
	}
}
