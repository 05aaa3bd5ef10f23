package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"netdash/internal/topology"
)

// starDocument is a bridge on host with n namespaces plugged into it.
func starDocument(n int) string {
	var namespaces, veths []string
	for i := range n {
		namespaces = append(namespaces, fmt.Sprintf(`{"name":"h%d"}`, i))
		veths = append(veths, fmt.Sprintf(
			`{"a":{"namespace":"h%d","name":"eth0","addresses":["10.1.0.%d/16"]},"b":{"namespace":"host","name":"p%d","master":"br0"}}`, i, i+1, i))
	}
	return fmt.Sprintf(`{"bridges":[{"namespace":"host","name":"br0"}],"namespaces":[%s],"veths":[%s]}`,
		strings.Join(namespaces, ","), strings.Join(veths, ","))
}

// ended waits for the end of an operation.
func ended(t *testing.T, s *server, location string) (op topology.Operation) {
	t.Helper()
	eventually(t, func() string {
		op = get[topology.Operation](t, s, strings.TrimPrefix(location, "/api/v1"))
		if op.State == topology.OperationRunning {
			return "it still runs"
		}
		return ""
	})
	return op
}

// TestAsync: a large document is answered with its operation, which can be
// followed, cancelled, and is finished before netdash ends.
func TestAsync(t *testing.T) {
	s := start(t)
	bare := calmWorld(t)
	document := starDocument(200)
	put := func(body, key string) answer {
		return s.do(t, http.MethodPut, "/topology/intended", body, "Prefer: respond-async", "Idempotency-Key: "+key)
	}

	a := put(document, "cancelled").want(t, 202)
	location := a.header.Get("Location")
	if location != "/api/v1/operations/"+a.header.Get("Netdash-Operation") || a.header.Get("Preference-Applied") != "respond-async" {
		t.Errorf("%v", a.header)
	}
	if op := read[topology.Operation](t, a); op.State != topology.OperationRunning || len(op.Changes) < 200 {
		t.Errorf("operation %d is %s with %d changes", op.ID, op.State, len(op.Changes))
	}
	put(document, "cancelled").problem(t, 409, "busy")
	s.do(t, http.MethodPost, strings.TrimPrefix(location, "/api/v1")+"/cancel", "").want(t, 202)
	op := ended(t, s, location)
	if op.State != topology.OperationFailed || !strings.Contains(op.Error, "cancelled by 127.0.0.1") {
		t.Errorf("operation %d is %s: %s", op.ID, op.State, op.Error)
	}
	if d := difference(bare, calmWorld(t)); d != "" {
		t.Errorf("of what was cancelled is left:\n%s", d)
	}
	if p := put(document, "cancelled").problem(t, 409, "conflict"); p.Detail != "cancelled by 127.0.0.1" {
		t.Errorf("%+v", p)
	}
	s.do(t, http.MethodPost, strings.TrimPrefix(location, "/api/v1")+"/cancel", "").problem(t, 409, "conflict")
	s.do(t, http.MethodPost, "/operations/4711/cancel", "").problem(t, 404, "not_found")

	a = put(document, "done").want(t, 202)
	eventually(t, func() string {
		op := get[topology.Operation](t, s, strings.TrimPrefix(a.header.Get("Location"), "/api/v1"))
		if op.State == topology.OperationRunning && op.Progress == nil {
			return "no progress"
		}
		if p := op.Progress; p == nil || p.Done < 1 || p.Total != len(op.Changes) {
			t.Errorf("it is %s, progress %+v", op.State, p)
		}
		return ""
	})
	if op := ended(t, s, a.header.Get("Location")); op.State != topology.OperationCommitted {
		t.Errorf("operation %d is %s: %s", op.ID, op.State, op.Error)
	}
	again := put(document, "done").want(t, 200)
	if again.header.Get("Idempotent-Replay") != "true" || again.header.Get("Netdash-Operation") != a.header.Get("Netdash-Operation") || len(commands(t, again)) < 200 {
		t.Errorf("%v %s", again.header, again.body)
	}
	if n := len(namespaces(t)); n != 201 {
		t.Errorf("there are %d namespaces", n)
	}

	a = put("{}", "gone").want(t, 202)
	s.stop(t)
	if d := difference(bare, calmWorld(t)); d != "" {
		t.Errorf("netdash ended before its operation:\n%s", d)
	}
	s = startOn(t, s.DB)
	if op := ended(t, s, a.header.Get("Location")); op.State != topology.OperationCommitted {
		t.Errorf("operation %d is %s: %s", op.ID, op.State, op.Error)
	}
	if again := put("{}", "gone").want(t, 200); again.header.Get("Idempotent-Replay") != "true" {
		t.Errorf("%v %s", again.header, again.body)
	}
}
