package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/getkin/kin-openapi/routers"

	"netdash/internal/lab"
	"netdash/internal/topology"
	"netdash/internal/walk"
)

// world is a Lab, a Live and a Kernel in memory, for what is the API's own to
// get right: protocol, errors, limits. That edits reach a kernel is for the
// end-to-end tests to show.
type world struct {
	editing  sync.Mutex
	mu       sync.Mutex // not held while a change runs: it may look at the Snapshot
	spec     *topology.Spec
	revision int64
	foreign  []*topology.NamespaceState
	onHost   []*topology.Link // foreign links of host
	requests []lab.Request
	editErr  error

	panics     bool
	hold       chan struct{} // if set, an edit ends when it is closed
	begun      chan bool     // has a value for each that has come there
	cancelled  error
	answers    map[string]lab.Answer
	keeps      atomic.Int32 // calls of Keep
	keepErr    error
	lookups    int
	lookupErr  error
	settings   topology.Settings
	reconciled []string
	positions  []topology.Position

	ready      error
	ping       func(context.Context, topology.PingRequest, func(topology.PingReply)) (*topology.PingResult, error)
	matrix     func(context.Context, topology.MatrixRequest, func(topology.MatrixPart)) (*topology.MatrixSummary, error)
	record     func(context.Context, walk.Flow, []walk.Place, func(context.Context)) (*walk.Recording, error)
	firewall   func() (*topology.Firewall, error)
	route      func(namespace string, q topology.RouteQuestion) *topology.RouteAnswer
	sysctls    map[string]string
	neighbours []topology.Neighbour
	up         bool // links are up
	flushed    []string
	flushTime  time.Duration
	subscribe  func(*uint64) Subscription
	blind      bool // no Snapshot yet
}

func (w *world) Edit(_ context.Context, r lab.Request, change func(*topology.Spec) error) (*lab.Result, error) {
	w.editing.Lock()
	defer w.editing.Unlock()
	w.requests = append(w.requests, r)
	if w.panics {
		panic("in an edit")
	}
	if r.Revision != nil && *r.Revision != w.revision {
		return nil, topology.Errorf(topology.CodePrecondition, "", "not at revision %d", *r.Revision)
	}
	spec := w.spec.Clone()
	if err := change(spec); err != nil {
		return nil, err
	}
	if err := topology.Validate(spec); err != nil {
		return nil, err
	}
	if w.editErr != nil {
		return nil, w.editErr
	}
	if topology.Equal(spec, w.spec) {
		return &lab.Result{Spec: w.spec}, nil
	}
	result := &lab.Result{Plan: topology.Plan{topology.CreateNamespace{Name: "planned"}}, Spec: spec}
	if r.DryRun {
		return result, nil
	}
	result.Operation = &topology.Operation{ID: w.revision + 1, Changes: result.Plan.Records()}
	if r.Started != nil {
		r.Started(result.Operation.ID)
	}
	if w.hold != nil {
		w.begun <- true
		<-w.hold
	}
	if err := w.cancelled; err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.spec = spec
	w.revision++
	w.mu.Unlock()
	if r.Answer != nil {
		w.store(r.Answer(result.Operation))
	}
	return result, nil
}

func (w *world) Adopt(ctx context.Context, r lab.Request, subjects []string, taken *topology.Adoption) (*lab.Result, error) {
	return w.assign(ctx, r, subjects, taken, topology.Adopt)
}

func (w *world) Release(ctx context.Context, r lab.Request, subjects []string, taken *topology.Adoption) (*lab.Result, error) {
	return w.assign(ctx, r, subjects, taken, topology.Release)
}

func (w *world) assign(ctx context.Context, r lab.Request, subjects []string, taken *topology.Adoption, f func(*topology.Spec, *topology.Snapshot, []string) (*topology.Spec, *topology.Adoption, error)) (*lab.Result, error) {
	result, err := w.Edit(ctx, r, func(s *topology.Spec) error {
		after, adoption, err := f(s, w.Snapshot(), subjects)
		if err == nil {
			*s, *taken = *after, *adoption
		}
		return err
	})
	if result != nil {
		result.Plan = nil
	}
	return result, err
}

func (w *world) Answer(_ context.Context, key string) (lab.Answer, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.answers[key]
	w.lookups++
	return a, ok, w.lookupErr
}

func (w *world) Keep(_ context.Context, a lab.Answer) error {
	w.keeps.Add(1)
	if w.keepErr == nil {
		w.store(a)
	}
	return w.keepErr
}

func (w *world) store(a lab.Answer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answers == nil {
		w.answers = map[string]lab.Answer{}
	}
	w.answers[a.Key] = a
}

func (w *world) Cancel(_ context.Context, id int64, author string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != w.revision+1 || w.hold == nil {
		return topology.Errorf(topology.CodeConflict, fmt.Sprintf("operation %d", id), "it is not running any more")
	}
	w.cancelled = topology.Errorf(topology.CodeConflict, fmt.Sprintf("operation %d", id), "cancelled by %s", author)
	close(w.hold)
	return nil
}

func (w *world) Intended() (*topology.Spec, int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spec, w.revision
}

func (w *world) Drift(context.Context) (*topology.DriftReport, error) {
	d := w.Snapshot().Differences()
	return &topology.DriftReport{InSync: len(d) == 0, Differences: d, Plan: topology.PlanRecord{Changes: topology.Drift(w.spec, w.Snapshot()).Records()}, Repair: topology.RepairState{Mode: w.Settings().Repair, State: topology.RepairIdle}}, nil
}

func (w *world) Operations(_ context.Context, before int64, limit int) ([]topology.Operation, error) {
	var out []topology.Operation
	for id := w.revision; id > 0 && len(out) < limit; id-- {
		if before == 0 || id < before {
			out = append(out, operation(id))
		}
	}
	return out, nil
}

func operation(id int64) topology.Operation {
	return topology.Operation{ID: id, State: topology.OperationCommitted, Changes: []topology.ChangeRecord{}, Commands: []string{}}
}

func (w *world) Operation(_ context.Context, id int64) (*topology.Operation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	o := operation(id)
	if w.hold != nil && id == w.revision+1 {
		o.State, o.Progress = topology.OperationRunning, &topology.Progress{Done: 3, Total: 60}
		return &o, nil
	}
	if id > w.revision {
		return nil, topology.Errorf(topology.CodeNotFound, "", "there is no operation %d", id)
	}
	return &o, nil
}

// Undo undoes the last operation and refuses all others.
func (w *world) Undo(_ context.Context, r lab.Request, id int64) (*lab.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, r)
	if id != w.revision {
		e := topology.Errorf(topology.CodeConflict, "A/eth0", "operation %d cannot be undone: A/eth0 is in A", id).WithHint("undo operation 9 first")
		e.Fields = []topology.FieldError{{Detail: "A/eth0 is in A (operation 9: POST /api/v1/veths, by ann)"}}
		return nil, e
	}
	result := &lab.Result{Plan: topology.Plan{topology.DeleteNamespace{Name: "planned"}}, Spec: w.spec}
	if !r.DryRun {
		w.revision++
		o := operation(w.revision)
		o.Undoes = id
		result.Operation = &o
		if r.Answer != nil {
			a := r.Answer(&o)
			w.answers = map[string]lab.Answer{a.Key: a}
		}
	}
	return result, nil
}

// Reconcile takes any subject, but for what editErr says.
func (w *world) Reconcile(_ context.Context, r lab.Request, subjects []string) (*lab.Result, error) {
	w.editing.Lock()
	defer w.editing.Unlock()
	w.requests = append(w.requests, r)
	w.reconciled = subjects
	if w.editErr != nil {
		return nil, w.editErr
	}
	result := &lab.Result{Plan: topology.Plan{topology.SetUp{Namespace: "A", Name: "lo", Up: true}}, Spec: w.spec}
	if !r.DryRun {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.revision++
		result.Operation = &topology.Operation{ID: w.revision}
	}
	return result, nil
}

// Mend notes what it is to mend.
func (w *world) Mend(_ context.Context, r lab.Request, plan topology.Plan) (*lab.Result, error) {
	w.editing.Lock()
	defer w.editing.Unlock()
	w.requests = append(w.requests, r)
	result := &lab.Result{Plan: plan, Spec: w.spec}
	if w.editErr != nil || r.DryRun {
		return result, w.editErr
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revision++
	result.Operation = &topology.Operation{ID: w.revision, State: topology.OperationCommitted, Changes: plan.Records(), Commands: plan.Commands()}
	return result, nil
}

func (w *world) Settings() topology.Settings {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.settings == (topology.Settings{}) {
		return topology.DefaultSettings()
	}
	return w.settings
}

func (w *world) SetSettings(_ context.Context, patch topology.SettingsPatch, dryRun bool) (topology.Settings, error) {
	s := patch.Apply(w.Settings())
	if err := s.Validate(); err != nil || dryRun {
		return s, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settings = s
	return s, nil
}

func (w *world) Positions(context.Context) ([]topology.Position, error) {
	return w.positions, w.editErr
}

func (w *world) PutPositions(_ context.Context, positions []topology.Position) error {
	w.positions = positions
	return w.editErr
}

// PatchPositions answers what was asked, in its order.
func (w *world) PatchPositions(_ context.Context, changes []topology.PositionChange) ([]topology.Position, error) {
	var now []topology.Position
	for _, c := range changes {
		if !c.Forget {
			now = append(now, c.Position())
		}
	}
	return now, w.editErr
}

// Snapshot shows the Spec as if the kernel had it, beside what is foreign.
func (w *world) Snapshot() *topology.Snapshot {
	if w.blind {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &topology.Snapshot{Seq: uint64(w.revision), Revision: w.revision}
	host := namespaceState(topology.HostName, "4-1", false)
	host.Links = append(host.Links, link("host", "dummy0", "dummy", topology.Foreign))
	host.Links = append(host.Links, w.onHost...)
	s.Namespaces = append(s.Namespaces, host)
	for _, n := range w.spec.Namespaces {
		s.Namespaces = append(s.Namespaces, namespaceState(n.Name, "4-2"+n.Name, true))
	}
	s.Namespaces = append(s.Namespaces, w.foreign...)
	add := func(ns string, l *topology.Link, cidrs []string) {
		for _, c := range cidrs {
			l.Addresses = append(l.Addresses, topology.Address{CIDR: c, Scope: "global"})
		}
		n := s.Namespace(ns)
		n.Links = append(n.Links, l)
	}
	for _, b := range w.spec.Bridges {
		l := link(b.Namespace, b.Name, "bridge", topology.InSync)
		l.Bridge = &topology.BridgeInfo{BridgeAttributes: b.BridgeAttributes}
		add(b.Namespace, l, b.Addresses)
		for _, f := range b.FDB {
			n := s.Namespace(b.Namespace)
			n.FDB = append(n.FDB, &topology.FDBEntry{Namespace: b.Namespace, Bridge: b.Name, MAC: f.MAC, Port: f.Port, VLAN: f.VLAN, State: "static", Managed: true, Sync: topology.InSync})
		}
	}
	for _, v := range w.spec.Veths {
		for _, e := range [][2]topology.End{{v.A, v.B}, {v.B, v.A}} {
			l := link(e[0].Namespace, e[0].Name, "veth", topology.InSync)
			l.Master = e[0].Master
			l.Peer = &topology.Peer{Known: true, Namespace: e[1].Namespace, Name: e[1].Name, Ifindex: 7}
			if w.up {
				l.AdminUp, l.Carrier, l.MAC = true, true, "02:00:00:00:00:0"+strings.ToLower(e[0].Namespace)
			}
			add(e[0].Namespace, l, e[0].Addresses)
		}
	}
	for _, r := range w.spec.Routes {
		n := s.Namespace(r.Namespace)
		family := "inet"
		if strings.Contains(r.Destination+r.Gateway, ":") {
			family = "inet6"
		}
		n.Routes = append(n.Routes, &topology.RouteState{
			Namespace: r.Namespace, Destination: r.Destination, Gateway: r.Gateway, Link: r.Link, Metric: r.Metric,
			Family: family, Protocol: "static", Scope: "global", Type: "unicast", Managed: true, Sync: topology.InSync,
		})
	}
	return s
}

func namespaceState(name, id string, managed bool) *topology.NamespaceState {
	n := &topology.NamespaceState{
		ID: id, Name: name, Names: []string{name}, Managed: managed, Sync: topology.Foreign,
		Routes: []*topology.RouteState{}, Neighbours: []*topology.Neighbour{}, FDB: []*topology.FDBEntry{},
	}
	if managed {
		n.Sync = topology.InSync
	}
	n.Links = []*topology.Link{link(name, "lo", "loopback", n.Sync)}
	n.Links[0].Ifindex = 1
	return n
}

func link(namespace, name, kind string, sync topology.Sync) *topology.Link {
	return &topology.Link{
		Key: namespace + ":" + name, Namespace: namespace, Name: name, Kind: kind, OperState: "up",
		Flags: []string{}, Addresses: []topology.Address{}, Managed: sync != topology.Foreign, Sync: sync,
	}
}

func (w *world) FDB(_ context.Context, namespace, _ string) ([]*topology.FDBEntry, error) {
	return w.Snapshot().Namespace(namespace).FDB, nil
}

func (w *world) Ready() error { return w.ready }

func (w *world) Ping(ctx context.Context, r topology.PingRequest, each func(topology.PingReply)) (*topology.PingResult, error) {
	return w.ping(ctx, r, each)
}

func (w *world) PingMatrix(ctx context.Context, r topology.MatrixRequest, report func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
	return w.matrix(ctx, r, report)
}

func (w *world) PingTarget(_ context.Context, r topology.PingRequest) (netip.Addr, error) {
	return netip.ParseAddr(r.Address)
}

func (w *world) Record(ctx context.Context, f walk.Flow, places []walk.Place, during func(context.Context)) (*walk.Recording, error) {
	return w.record(ctx, f, places, during)
}

func (w *world) RouteFor(_ context.Context, namespace string, q topology.RouteQuestion) (*topology.RouteAnswer, error) {
	if w.route == nil {
		return &topology.RouteAnswer{Refusal: topology.NoRoute}, nil
	}
	return w.route(namespace, q), nil
}

func (w *world) Neighbours(context.Context, string) ([]topology.Neighbour, error) {
	return w.neighbours, nil
}

func (w *world) Sysctls(context.Context, string, ...string) (map[string]string, error) {
	return w.sysctls, nil
}

func (w *world) Filter(context.Context, string, topology.Packet, ...topology.FilterHook) (*topology.FilterVerdict, error) {
	return &topology.FilterVerdict{Verdict: "accept"}, nil
}

func (w *world) BridgeCalls(context.Context, string, string) (ipv4, ipv6 bool, err error) {
	return false, false, nil
}

func (w *world) BridgeVLANs(context.Context, string) (map[string]topology.VLANs, error) {
	return nil, nil
}

func (w *world) FlushFDB(ctx context.Context, namespace, bridge string) (int, error) {
	select {
	case <-time.After(w.flushTime):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	w.flushed = append(w.flushed, namespace+"/"+bridge)
	return 3, nil
}

func (w *world) Firewall(context.Context, string) (*topology.Firewall, error) {
	if w.firewall == nil {
		return &topology.Firewall{Chains: []topology.FirewallChain{}, Tools: []topology.FirewallTool{}}, nil
	}
	return w.firewall()
}

func (w *world) Capabilities() topology.Capabilities {
	return topology.Capabilities{Mode: "host", Kernel: "6.1.0", BootID: "b", Limits: map[string]int{"ports": 1023}}
}

// site is a Handler behind a real HTTP server.
type site struct {
	*httptest.Server
	world    *world
	handler  *Handler
	log      *safeBuffer
	document routers.Router // see checkDocumented
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// serve starts a site. Each change adjusts its Handler before it serves.
func serve(t *testing.T, configure func(*Config), changes ...func(*Handler)) *site {
	t.Helper()
	w := &world{spec: &topology.Spec{}, begun: make(chan bool, 9)}
	logged := &safeBuffer{}
	cfg := Config{
		Lab: w, Live: w, Kernel: w,
		Subscribe: func(since *uint64) Subscription { return w.subscribe(since) },
		Logger:    slog.New(slog.NewTextHandler(logged, nil)), Version: "test",
		Templates: template.Must(template.New("index.html").Parse(`<!doctype html><title>netdash {{.Version}}</title>`)),
		Static: fstest.MapFS{
			"js/main.js": {Data: []byte("// " + strings.Repeat("netdash ", 400))},
			"css/a.css":  {Data: []byte("body{}")},
		},
	}
	template.Must(cfg.Templates.New("docs.html").Parse(`<!doctype html><title>docs</title>`))
	if configure != nil {
		configure(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(func() { h.Close(); server.Close() })
	return &site{Server: server, world: w, handler: h, log: logged}
}

// answer is a response read to its end.
type answer struct {
	*http.Response
	text string
}

// do sends a request; headers are "Name: value".
func (s *site) do(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		switch {
		case name == "Host":
			r.Host = value
		case value == "":
			r.Header.Del(name)
		default:
			r.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{resp, string(text)}
	checkDocumented(t, s, r, a)
	return a
}

// want fails unless the answer has the status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d, want %d\n%s", a.StatusCode, status, a.text)
	}
	return a
}

// problem fails unless the answer is a Problem of the code with its status.
func (a answer) problem(t *testing.T, code topology.Code) Problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d, type %q, want a problem of code %s\n%s", a.StatusCode, got, code, a.text)
	}
	p := read[Problem](t, a)
	if p.Code != code || p.Status != statusOf[code] || a.StatusCode != p.Status || p.Title == "" || p.Detail == "" || p.Type != "about:blank" {
		t.Fatalf("want code %s: status %d, %+v", code, a.StatusCode, p)
	}
	return p
}

func read[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.text), &v); err != nil {
		t.Fatalf("%v in %s", err, a.text)
	}
	return v
}
