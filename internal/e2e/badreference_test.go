package e2e

import "net/http"

// badReferences: what is there twice, or not at all, or cannot be combined.
func badReferences() []refusal {
	return []refusal{
		// twice
		{create, "/namespaces", `{"name":"A"}`, 409, "conflict", "-", nil},
		{create, "/bridges", `{"namespace":"host","name":"br0"}`, 409, "conflict", "-", nil},
		{create, "/bridges", `{"namespace":"A","name":"eth0"}`, 409, "conflict", "-", nil},
		{create, "/bridges", `{"namespace":"A","name":"lo"}`, 409, "conflict", "-", nil},
		{create, "/veths", `{"a":{"namespace":"A","name":"eth0"},"b":{"namespace":"B","name":"n1"}}`, 409, "conflict", "-", nil},
		{create, "/veths", `{"a":{"namespace":"A","name":"n0"},"b":{"namespace":"B","name":"veth0"}}`, 409, "conflict", "-", nil},
		{create, "/veths", `{"a":{"namespace":"A","name":"n0"},"b":{"namespace":"A","name":"n0"}}`, 409, "conflict", "-", nil},
		{create, "/veths", pairBody(`,"addresses":["10.2.0.1/24","10.2.0.1/24"]`), 409, "conflict", "/a/addresses/1", nil},
		{create, "/bridges", `{"namespace":"A","name":"n0","addresses":["fd00::1/64","fd00:0::1/64"]}`, 409, "conflict", "/addresses/1", nil},
		{create, "/namespaces/A/links/eth0/addresses", `{"cidr":"10.1.0.1/24"}`, 409, "conflict", "-", nil},
		{create, "/namespaces/A/routes", `{"destination":"default","gateway":"10.1.0.253"}`, 409, "conflict", "-", nil},
		{create, "/namespaces/A/routes", `{"destination":"0.0.0.0/0","gateway":"10.1.0.254"}`, 409, "conflict", "-", nil},
		{create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:09","port":"p1"}`, 409, "conflict", "-", nil},
		{edit, "/namespaces/A/links/eth0", `{"name":"veth0"}`, 409, "conflict", "-", nil},
		{edit, "/namespaces/A/links/eth0", `{"name":"lo"}`, 409, "conflict", "-", nil},
		{edit, "/namespaces/A/links/veth0", `{"namespace":"B"}`, 409, "conflict", "-", nil},

		// not there
		{create, "/bridges", `{"namespace":"nope","name":"n0"}`, 422, "invalid", "/namespace", nil},
		{create, "/veths", `{"a":{"namespace":"nope","name":"n0"},"b":{"namespace":"nada","name":"n1"}}`, 422, "invalid", "/a/namespace /b/namespace", nil},
		{create, "/veths", pairBody(`,"master":"nope"`), 422, "invalid", "/a/master", nil},
		{create, "/veths", pairBody(`,"master":"br0"`), 422, "invalid", "/a/master", nil},
		{create, "/veths", pairBody(`,"master":"veth0"`), 422, "invalid", "/a/master", nil},
		{edit, "/namespaces/A/links/eth0", `{"master":"br0"}`, 422, "invalid", "/master", nil},
		{edit, "/namespaces/A/links/eth0", `{"namespace":"nope"}`, 422, "invalid", "/namespace", nil},
		{create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:0a","port":"nope"}`, 422, "invalid", "/port", nil},
		{create, "/namespaces/host/bridges/br0/fdb", `{"mac":"02:00:00:00:00:0a","port":"fb"}`, 422, "invalid", "/port", nil},

		// together impossible
		{edit, "/namespaces/host/links/br0", `{"master":"br0"}`, 422, "invalid", "/master", nil},
		{edit, "/namespaces/host/links/br0", `{"namespace":"A"}`, 422, "invalid", "/namespace", nil},
		{edit, "/namespaces/host/links/br0", `{"bridge_port":{"cost":5}}`, 422, "invalid", "/bridge_port", nil},
		{edit, "/namespaces/A/links/eth0", `{"bridge":{"stp":true}}`, 422, "invalid", "/bridge", nil},
		{edit, "/namespaces/A/links/eth0", `{"bridge_port":{"hairpin":true}}`, 422, "invalid", "/bridge_port", nil},
		{create, "/veths", pairBody(`,"bridge_port":{"hairpin":true}`), 422, "invalid", "/a/bridge_port", nil},
		{create, "/veths", `{"a":{"namespace":"host","name":"n0","master":"n0"},"b":{"namespace":"B","name":"n1"}}`, 422, "invalid", "/a/master", nil},
		{edit, "/namespaces/A/links/lo", `{"mtu":1400}`, 422, "invalid", "-", nil},
		{edit, "/namespaces/A/links/lo", `{"name":"n0"}`, 422, "invalid", "-", nil},
		{edit, "/namespaces/A/links/lo", `{"namespace":"B"}`, 422, "invalid", "-", nil},
		{drop, "/namespaces/A/links/lo", "", 422, "invalid", "", nil},

		// what host is for
		{drop, "/namespaces/host", "", 409, "conflict", "", nil},
		{drop, "/namespaces/host/links/lo", "", 422, "invalid", "", nil},
		{edit, "/namespaces/host/links/lo", `{"admin_up":false}`, 409, "not_managed", "", nil},
		{create, "/namespaces/host/links/lo/addresses", `{"cidr":"127.0.0.2/8"}`, 409, "not_managed", "", nil},

		// 404s
		{drop, "/namespaces/nope", "", 404, "not_found", "", nil},
		{drop, "/namespaces/A/links/nope", "", 404, "not_found", "", nil},
		{edit, "/namespaces/A/links/nope", `{"mtu":1400}`, 404, "not_found", "", nil},
		{edit, "/namespaces/nope/links/eth0", `{"mtu":1400}`, 404, "not_found", "", nil},
		{create, "/namespaces/A/links/nope/addresses", `{"cidr":"10.7.0.1/24"}`, 404, "not_found", "", nil},
		{create, "/namespaces/nope/links/eth0/addresses", `{"cidr":"10.7.0.1/24"}`, 404, "not_found", "", nil},
		{drop, "/namespaces/A/links/eth0/addresses/10.7.0.1%2F24", "", 404, "not_found", "", nil},
		{drop, "/namespaces/A/links/eth0/addresses/x", "", 404, "not_found", "", nil},
		{create, "/namespaces/nope/routes", `{"destination":"default","gateway":"10.1.0.254"}`, 404, "not_found", "", nil},
		{drop, "/namespaces/A/routes?destination=10.5.0.0/16", "", 404, "not_found", "", nil},
		{drop, "/namespaces/A/routes?destination=default&gateway=10.1.0.253", "", 404, "not_found", "", nil},
		{drop, "/namespaces/B/routes", `{"destination":"default"}`, 404, "not_found", "", nil},
		{create, "/namespaces/A/bridges/eth0/fdb", `{"mac":"02:00:00:00:00:0a","port":"eth0"}`, 404, "not_found", "", nil},
		{create, "/namespaces/host/bridges/nope/fdb", `{"mac":"02:00:00:00:00:0a","port":"p1"}`, 404, "not_found", "", nil},
		{drop, "/namespaces/host/bridges/br0/fdb?mac=02:00:00:00:00:0a", "", 404, "not_found", "", nil},
		{drop, "/namespaces/host/bridges/br0/fdb?mac=02:00:00:00:00:09&port=br0", "", 404, "not_found", "", nil},
		{create, "/namespaces/host/bridges/nope/fdb/flush", "", 404, "not_found", "", nil},
		{create, "/namespaces/A/bridges/eth0/fdb/flush", "", 404, "not_found", "", nil},
		{look, "/namespaces/nope", "", 404, "not_found", "", nil},
		{look, "/namespaces/1-1", "", 404, "not_found", "", nil},
		{look, "/namespaces/A/links/nope", "", 404, "not_found", "", nil},
		{look, "/namespaces/nope/routes", "", 404, "not_found", "", nil},
		{look, "/namespaces/nope/neighbours", "", 404, "not_found", "", nil},
		{look, "/namespaces/nope/firewall", "", 404, "not_found", "", nil},
		{look, "/namespaces/A/links/nope/addresses", "", 404, "not_found", "", nil},
		{look, "/namespaces/A/bridges/eth0/fdb", "", 404, "not_found", "", nil},
		{look, "/operations/999999", "", 404, "not_found", "", nil},
	}
}

// foreignObjects: what others have made is shown, and left alone.
func foreignObjects() []refusal {
	const code = "not_managed"
	return []refusal{
		{drop, "/namespaces/F", "", 409, code, "", nil},
		{drop, "/namespaces/F/links/x0", "", 409, code, "", nil},
		{drop, "/namespaces/F/links/lo", "", 409, code, "", nil},
		{drop, "/namespaces/F/links/fbr", "", 409, code, "", nil},
		{drop, "/namespaces/host/links/fb", "", 409, code, "", nil},
		{edit, "/namespaces/F/links/x0", `{"admin_up":false}`, 409, code, "", nil},
		{edit, "/namespaces/F/links/lo", `{"admin_up":true}`, 409, code, "", nil},
		{edit, "/namespaces/F/links/x0", `{"namespace":"A"}`, 409, code, "", nil},
		{edit, "/namespaces/host/links/fb", `{"bridge":{"stp":true}}`, 409, code, "", nil},
		{edit, "/namespaces/A/links/veth0", `{"namespace":"F"}`, 409, code, "", nil},
		{create, "/namespaces/F/links/x0/addresses", `{"cidr":"10.7.0.1/24"}`, 409, code, "", nil},
		{drop, "/namespaces/F/links/x0/addresses/10.9.0.1%2F24", "", 409, code, "", nil},
		{create, "/namespaces/F/routes", `{"destination":"10.5.0.0/16","gateway":"10.9.0.2"}`, 409, code, "", nil},
		{drop, "/namespaces/F/routes?destination=10.8.0.0/16", "", 409, code, "", nil},
		{drop, "/namespaces/F/routes?destination=default", "", 409, code, "", nil},
		// The kernel's own route of a managed link is not netdash's either.
		{drop, "/namespaces/A/routes?destination=10.1.0.0/24", "", 409, code, "", nil},
		{create, "/namespaces/F/bridges/fbr/fdb", `{"mac":"02:00:00:00:00:0a","port":"x1"}`, 409, code, "", nil},
		{drop, "/namespaces/F/bridges/fbr/fdb?mac=02:00:00:00:00:0f", "", 409, code, "", nil},
		{create, "/namespaces/F/bridges/fbr/fdb/flush", "", 409, code, "", nil},
		{create, "/namespaces/host/bridges/fb/fdb/flush", "", 409, code, "", nil},
		{create, "/bridges", `{"namespace":"F","name":"n0"}`, 409, code, "", nil},
		{create, "/veths", `{"a":{"namespace":"A","name":"n0"},"b":{"namespace":"F","name":"n1"}}`, 409, code, "", nil},
		{create, "/veths", `{"a":{"namespace":"host","name":"n0","master":"fb"},"b":{"namespace":"B","name":"n1"}}`, 409, code, "", nil},
		// Their names are taken.
		{create, "/namespaces", `{"name":"F"}`, 409, "conflict", "-", nil},
		{create, "/bridges", `{"namespace":"host","name":"fb"}`, 409, "conflict", "-", nil},
		{create, "/veths", `{"a":{"namespace":"host","name":"fb"},"b":{"namespace":"B","name":"n1"}}`, 409, "conflict", "-", nil},
		{edit, "/namespaces/host/links/p1", `{"name":"fb"}`, 409, "conflict", "-", nil},
	}
}

// badRequests: paths, methods and parameters that do not exist.
func badRequests() []refusal {
	return []refusal{
		{look, "/nope", "", 404, "not_found", "", nil},
		{look, "//nope", "", 404, "not_found", "", nil},
		{look, "//static/nope.js", "", 404, "not_found", "", nil},
		{create, "/nope", `{}`, 404, "not_found", "", nil},
		{look, "/namespaces/", "", 404, "not_found", "", nil},
		{http.MethodPut, "/namespaces", `{"name":"n"}`, 405, "method_not_allowed", "", nil},
		{drop, "/namespaces", "", 405, "method_not_allowed", "", nil},
		{http.MethodPut, "/namespaces/A/links/eth0", `{"mtu":1400}`, 405, "method_not_allowed", "", nil},
		{create, "/namespaces/A/links/eth0", `{"mtu":1400}`, 405, "method_not_allowed", "", nil},
		{drop, "/topology", "", 405, "method_not_allowed", "", nil},
		{create, "/operations", `{}`, 405, "method_not_allowed", "", nil},
		{look, "/pings", "", 405, "method_not_allowed", "", nil},
		{create, "//healthz", "", 405, "method_not_allowed", "", nil},
		{look, "/operations?limit=0", "", 422, "invalid", "?limit", nil},
		{look, "/operations?limit=501", "", 422, "invalid", "?limit", nil},
		{look, "/operations?limit=many", "", 422, "invalid", "?limit", nil},
		{look, "/operations?before=-1", "", 422, "invalid", "?before", nil},
		{look, "/operations/x", "", 422, "invalid", "?id", nil},
		{look, "/operations/0", "", 422, "invalid", "?id", nil},
		{look, "/topology?colour=red", "", 422, "invalid", "?colour", nil},
		{drop, "/namespaces/A?dry_run=maybe", "", 422, "invalid", "?dry_run", nil},
		{drop, "/namespaces/A?dryrun=true", "", 422, "invalid", "?dryrun", nil},
		{drop, "/namespaces/A/links/eth0?dry-run=true", "", 422, "invalid", "?dry-run", nil},
		{drop, "/namespaces/A/routes", "", 422, "invalid", "?destination", nil},
		{drop, "/namespaces/A/routes", `{"gateway":"10.1.0.254"}`, 422, "invalid", "/destination", nil},
		{drop, "/namespaces/A/routes?destination=default&metric=x", "", 422, "invalid", "?metric", nil},
		{drop, "/namespaces/host/bridges/br0/fdb", "", 422, "invalid", "?mac", nil},
		{drop, "/namespaces/host/bridges/br0/fdb?mac=02:00:00:00:00:09&vlan=5000", "", 422, "invalid", "?vlan", nil},
		{look, "/events", "", 426, "upgrade_required", "", nil},
		{look, "/events?since=x", "", 400, "malformed", "?since", nil},
		// from elsewhere
		{look, "/topology", "", 403, "forbidden", "", []string{"Host: evil.example"}},
		{look, "/topology", "", 403, "forbidden", "", []string{"Origin: http://evil.example"}},
		{look, "/events", "", 403, "forbidden", "", []string{"Origin: http://evil.example", "Connection: Upgrade", "Upgrade: websocket"}},
		{look, "/events", "", 403, "forbidden", "", []string{"Host: evil.example", "Connection: Upgrade", "Upgrade: websocket"}},
		{look, "//", "", 403, "forbidden", "", []string{"Host: evil.example"}},
		{drop, "/namespaces/A", "", 403, "forbidden", "", []string{"Origin: http://localhost:1"}},
		{drop, "/namespaces/A", "", 403, "forbidden", "", []string{"Sec-Fetch-Site: same-site"}},
		{create, "/namespaces/host/bridges/br0/fdb/flush", "", 403, "forbidden", "", []string{"Origin: http://evil.example"}},
		{create, "/namespaces/host/bridges/br0/fdb/flush", "", 415, "unsupported_media_type", "", []string{"Content-Type: text/plain"}},
	}
}

// badPings: what cannot be pinged, or not so often.
func badPings() []refusal {
	bad := func(body, points string) refusal { return refusal{create, "/pings", body, 422, "invalid", points, nil} }
	return []refusal{
		bad(`{"address":"10.1.0.1"}`, "/namespace"),
		bad(`{"namespace":"A"}`, "/address"),
		bad(`{"namespace":"A","address":"10.1.0.1","to_namespace":"B"}`, "/address"),
		bad(`{"namespace":"A","address":"example.org"}`, "/address"),
		bad(`{"namespace":"A","address":"10.1.0.1/24"}`, "/address"),
		bad(`{"namespace":"A","address":"10.1.0.1 -f"}`, "/address"),
		bad(`{"namespace":"A","to_namespace":"A","count":0}`, "/count"),
		bad(`{"namespace":"A","address":"10.1.0.1","count":101}`, "/count"),
		bad(`{"namespace":"A","address":"10.1.0.1","count":-1}`, "/count"),
		bad(`{"namespace":"A","address":"10.1.0.1","count":"3"}`, "/count"),
		bad(`{"namespace":"A","address":"10.1.0.1","count":100,"interval_ms":10000}`, "/count"),
		bad(`{"namespace":"A","address":"10.1.0.1","interval_ms":1}`, "/interval_ms"),
		bad(`{"namespace":"A","address":"10.1.0.1","timeout_ms":10001}`, "/timeout_ms"),
		bad(`{"namespace":"A","address":"10.1.0.1","size":65001}`, "/size"),
		bad(`{"namespace":"A","address":"10.1.0.1","ttl":256}`, "/ttl"),
		bad(`{"namespace":"A","address":"10.1.0.1","ttl":0}`, "/ttl"),
		bad(`{"namespace":"A","address":"10.1.0.1","flood":true}`, "/flood"),
		{create, "/pings", `{"namespace":"nope","address":"10.1.0.1"}`, 404, "not_found", "", nil},
		{create, "/pings", `{"namespace":"A","to_namespace":"nope"}`, 404, "not_found", "", nil},
		{create, "/pings", `{"namespace":"A","address":"10.1.0.1"`, 400, "malformed", "", nil},
		{create, "/pings", `{"namespace":"A","address":"10.1.0.1"}`, 415, "unsupported_media_type", "", []string{"Content-Type: text/plain"}},
	}
}
