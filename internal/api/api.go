package api

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"netdash/internal/diagnose"
	"netdash/internal/lab"
	"netdash/internal/live"
	"netdash/internal/topology"
	"netdash/internal/walk"
)

// Lab is where edits happen; *lab.Lab is one.
type Lab interface {
	// Edit returns when the edit is applied, verified, committed and seen by Live.
	Edit(context.Context, lab.Request, func(*topology.Spec) error) (*lab.Result, error)
	// Adopt takes foreign objects into the intended topology, Release takes managed
	// ones out of it; neither touches them.
	Adopt(ctx context.Context, r lab.Request, subjects []string, taken *topology.Adoption) (*lab.Result, error)
	Release(ctx context.Context, r lab.Request, subjects []string, taken *topology.Adoption) (*lab.Result, error)
	// Intended gives the intended topology and its revision. It is not written to.
	Intended() (*topology.Spec, int64)
	// Drift compares it with what is observed.
	Drift(context.Context) (*topology.DriftReport, error)
	// Operations lists up to limit operations with ids below before (0: the
	// newest), newest first.
	Operations(ctx context.Context, before int64, limit int) ([]topology.Operation, error)
	Operation(ctx context.Context, id int64) (*topology.Operation, error)
	// Undo takes back what an operation did, as an edit of its own.
	Undo(ctx context.Context, r lab.Request, id int64) (*lab.Result, error)
	// Cancel asks a running operation to stop and be rolled back.
	Cancel(ctx context.Context, id int64, author string) error
	// Answer gives what was kept for an idempotency key; Keep keeps what no
	// operation was committed with.
	Answer(ctx context.Context, key string) (lab.Answer, bool, error)
	Keep(ctx context.Context, a lab.Answer) error
	// Reconcile makes what the subjects name, or without any everything, as it is
	// intended.
	Reconcile(ctx context.Context, r lab.Request, subjects []string) (*lab.Result, error)
	// Mend carries out a Plan that is about nothing intended.
	Mend(ctx context.Context, r lab.Request, plan topology.Plan) (*lab.Result, error)
	Settings() topology.Settings
	// SetSettings changes settings, or in a dry run only checks them, and gives
	// what they are then.
	SetSettings(ctx context.Context, patch topology.SettingsPatch, dryRun bool) (topology.Settings, error)
	// Positions lists where what is drawn is, by object; PutPositions replaces them,
	// PatchPositions gives what is stored then for the objects it is about.
	Positions(ctx context.Context) ([]topology.Position, error)
	PutPositions(ctx context.Context, positions []topology.Position) error
	PatchPositions(ctx context.Context, changes []topology.PositionChange) ([]topology.Position, error)
}

// Live is what is observed; *live.Live is one.
type Live interface {
	// Snapshot gives the current picture, nil before there is a first one. It
	// is never changed afterwards.
	Snapshot() *topology.Snapshot
	// Version gives the numbers of the current Snapshot.
	Version() (seq uint64, revision int64)
	// Picture gives the current Snapshot as JSON, nil before there is a first one.
	Picture() (*live.Picture, error)
	// FDB reads a bridge's MAC table from the kernel, with ages.
	FDB(ctx context.Context, namespace, bridge string) ([]*topology.FDBEntry, error)
	// Ready gives the reason why the Snapshot cannot be relied on yet.
	Ready() error
}

// Subscription is one client's stream of events.
type Subscription interface {
	// Next waits for messages and gives all that are due.
	Next(context.Context) ([]*live.Frame, error)
	// Watch has the counters of these namespaces, and of no others, among them.
	Watch(namespaces []string)
	Close()
}

// Kernel is what the API asks of the kernel beside edits; *netops.Kernel is one.
type Kernel interface {
	// PingTarget tells which address a ping is about.
	PingTarget(context.Context, topology.PingRequest) (netip.Addr, error)
	// Record records frames at every link of some namespaces while a function runs.
	Record(context.Context, walk.Flow, []walk.Place, func(context.Context)) (*walk.Recording, error)
	// PingMatrix pings from each namespace of the request to each other, one such
	// request at a time, and hands on what it finds out in portions.
	PingMatrix(context.Context, topology.MatrixRequest, func(topology.MatrixPart)) (*topology.MatrixSummary, error)
	diagnose.Evidence // Ping among it
	// FlushFDB removes a bridge's learned entries and tells how many.
	FlushFDB(ctx context.Context, namespace, bridge string) (int, error)
	Firewall(ctx context.Context, namespace string) ([]topology.FirewallChain, error)
	Capabilities() topology.Capabilities
}

// Watch counts what it takes to follow the kernel, and to be followed, for
// /metrics.
type Watch struct {
	Overruns    func() uint64 // losses of messages
	Dumps       func() uint64 // namespaces read whole
	Interrupted func() uint64 // lists read again because they changed meanwhile
	Resyncs     func() uint64 // clients that fell behind too far
}

// Config is what a Handler is made of. Lab, Live, Subscribe, Kernel, Templates
// and Static are required.
type Config struct {
	Lab    Lab
	Live   Live
	Kernel Kernel
	// Subscribe starts a client's stream of events: with the events after
	// *since where they are still known, otherwise with a snapshot.
	Subscribe func(since *uint64) Subscription
	// Ready tells whether the database answers; nil means it always does.
	Ready func(context.Context) error
	// Watch counts what it takes to follow the kernel; what is nil is not shown.
	Watch Watch

	Logger  *slog.Logger // default: slog.Default()
	Version string       // of the program

	// Hosts are the names and addresses, with or without a port, by which the
	// server may be called, beside localhost and the loopback addresses: the
	// listen address and what --host adds. An unspecified address (0.0.0.0 or
	// ::) admits every IP address, but no name.
	Hosts []string
	// Token, if set, is required as a bearer token for everything under /api.
	Token string
	// Author names who asks, for the journal. Default: the client's address.
	Author func(*http.Request) string
	// MaxBody is the largest request body in bytes. Default 1 MiB; a topology
	// document may have 16 MiB in any case.
	MaxBody int64

	Templates *template.Template // index.html and docs.html, given a Page
	Static    fs.FS              // what /static/ serves
}

// limits bound what one client, or all of them together, can take.
type limits struct {
	body      int64         // bytes of a request body
	document  int64         // bytes of a topology document
	bodyTime  time.Duration // for a request body to arrive
	frameTime time.Duration // for a client to take one frame or line
	keepAlive time.Duration // between two pings of a websocket
	sockets   int           // websockets at once
	pings     int           // pings at once
	walks     int           // of these, with their frames recorded
	pingTime  time.Duration // that one ping may take, from first to last
}

// Handler serves the API, the page and the rest. Close ends its streams.
type Handler struct {
	Config
	limits  limits
	hosts   hosts
	metrics *metrics
	written written
	sockets chan struct{} // one token per open websocket
	pinging chan struct{} // one token per running ping
	walking chan struct{} // one token per running walk
	calls   calls
	edits   sync.WaitGroup // those that go on without their requests
	boot    string         // differs from start to start; part of ETags and request ids
	root    http.Handler

	stop    context.CancelFunc
	stopped context.Context // done when the streams have to end
	closing sync.Once
}

// New makes a Handler. It fails on a Config that lacks something and on
// templates that cannot be executed.
func New(cfg Config) (*Handler, error) {
	if cfg.Lab == nil || cfg.Live == nil || cfg.Kernel == nil || cfg.Subscribe == nil || cfg.Templates == nil || cfg.Static == nil {
		return nil, errors.New("api: the configuration lacks a part")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Ready == nil {
		cfg.Ready = func(context.Context) error { return nil }
	}
	if cfg.Author == nil {
		cfg.Author = clientAddress
	}
	h := &Handler{
		Config: cfg,
		limits: limits{
			body: 1 << 20, document: 16 << 20, bodyTime: 10 * time.Second, frameTime: 10 * time.Second,
			keepAlive: 20 * time.Second, sockets: 2000, pings: 32, walks: 2, pingTime: 2 * time.Minute,
		},
		hosts: parseHosts(cfg.Hosts),
		calls: calls{all: map[string]*call{}},
		boot:  fmt.Sprintf("%x", time.Now().UnixNano()),
	}
	if cfg.MaxBody > 0 {
		h.limits.body = cfg.MaxBody
	}
	h.stopped, h.stop = context.WithCancel(context.Background())
	h.sockets = make(chan struct{}, h.limits.sockets)
	h.pinging = make(chan struct{}, h.limits.pings)
	h.walking = make(chan struct{}, h.limits.walks)
	h.metrics = newMetrics(h)
	h.written.seed = maphash.MakeSeed()
	root, err := h.router()
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	h.root = root
	return h, nil
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.root.ServeHTTP(w, r) }

// Close ends every websocket, with a close frame, and every ping, and waits for
// the websockets for up to two seconds. http.Server.Shutdown knows nothing of
// websockets and would wait for pings.
func (h *Handler) Close() {
	h.closing.Do(func() {
		h.stop()
		patience := time.After(2 * time.Second)
		for range cap(h.sockets) { // whoever holds a place gives it back; nobody new gets one
			select {
			case h.sockets <- struct{}{}:
			case <-patience:
				return
			}
		}
	})
}

// NewServer makes the HTTP server for a Handler, with the limits that are the
// server's to set. It has no WriteTimeout, which would cut streams off: bodies,
// frames and lines have deadlines of their own.
func NewServer(addr string, h http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}

// clientAddress names a client that did not say who it is.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
