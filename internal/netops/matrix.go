package netops

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"netdash/internal/topology"
)

const (
	// matrixWorkers is how many threads send and receive at most. What a request
	// costs is the kernel's work on its way, which the sender's thread does.
	matrixWorkers = 4
	// matrixFlush is how long cells are gathered before they are handed on.
	matrixFlush = 40 * time.Millisecond
)

// matrixRunning lets one matrix run at a time: two would take turns anyway, and
// measure each other.
var matrixRunning sync.Mutex

// matrix is a ping matrix under way.
type matrix struct {
	kernel  *Kernel
	count   int
	timeout time.Duration
	of      families // of the addresses that are pinged
	nodes   []*matrixNode
	tables  map[families]neighbourTable // when it began
	// How many requests are sent before the entries they caused are removed; 0: all.
	portion   int
	addresses map[netip.Addr]bool // of the nodes; known when there are portions

	mu      sync.Mutex
	cells   []topology.MatrixCell // not handed on yet
	summary topology.MatrixSummary
}

// PingMatrix pings from each of the namespaces to each other, and hands on what it
// finds out in portions, in no particular order. It is done by few threads with a
// raw socket a namespace. Namespaces that appear twice, also by another name, count
// once.
//
// A request that cannot be asked for is a *topology.Error: invalid, busy (another
// one is under way). A pair that fails is no error but a cell with its reason.
// When ctx ends, PingMatrix stops at once with what it has so far and the cause.
func (k *Kernel) PingMatrix(ctx context.Context, req topology.MatrixRequest, report func(topology.MatrixPart)) (*topology.MatrixSummary, error) {
	if err := completeMatrix(&req); err != nil {
		return nil, err
	}
	if !matrixRunning.TryLock() {
		return nil, topology.Errorf(topology.CodeBusy, "", "a ping matrix is under way").WithHint("try again when it has ended")
	}
	defer matrixRunning.Unlock()
	began := time.Now()
	m := &matrix{
		kernel: k, count: req.Count, timeout: time.Duration(req.TimeoutMS) * time.Millisecond,
		of: map[string]families{"inet": family4, "inet6": family6, "": family4 | family6}[req.Family],
	}
	m.summary.Warnings = []string{}
	defer m.close()
	if err := m.open(ctx, req.Namespaces); err != nil {
		return nil, err
	}
	m.summary.Pairs = len(m.nodes) * (len(m.nodes) - 1)
	warnings, err := m.warnings(ctx)
	if err != nil {
		return nil, err
	}
	m.summary.Warnings = append(m.summary.Warnings, warnings...)
	report(topology.MatrixPart{Warnings: warnings})
	m.run(ctx, report)
	if warning := m.overflowed(); warning != "" {
		m.summary.Warnings = append(m.summary.Warnings, warning)
		report(topology.MatrixPart{Warnings: []string{warning}})
	}
	m.summary.DurationMS = milliseconds(time.Since(began))
	return &m.summary, context.Cause(ctx)
}

// completeMatrix fills in what a request leaves to its defaults, and refuses what
// is out of bounds.
func completeMatrix(req *topology.MatrixRequest) error {
	wrong := complete([]numberField{
		{"/count", &req.Count, 1, 1, 10},
		{"/timeout_ms", &req.TimeoutMS, 1000, 10, 10000},
	})
	if req.Family != "" && req.Family != "inet" && req.Family != "inet6" {
		wrong = append(wrong, topology.FieldError{Pointer: "/family", Detail: "must be inet or inet6"})
	}
	if n := len(req.Namespaces); n < 2 || n > topology.MaxMatrix {
		wrong = append(wrong, topology.FieldError{Pointer: "/namespaces", Detail: fmt.Sprintf("%d namespaces; must be 2 to %d", n, topology.MaxMatrix)})
	}
	if wrong != nil {
		return &topology.Error{Code: topology.CodeInvalid, Detail: "cannot ping like this", Fields: wrong}
	}
	return nil
}

// run pings, and hands on what is known now and then until all is.
func (m *matrix) run(ctx context.Context, report func(topology.MatrixPart)) {
	var working sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), matrixWorkers)
	if m.portion > 0 {
		workers = 1
	}
	for i := range workers {
		w := newMatrixWorker(m)
		for j := i; j < len(m.nodes); j += workers {
			w.nodes = append(w.nodes, m.nodes[j])
		}
		working.Go(func() { w.run(ctx) })
	}
	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()
	ticks := time.NewTicker(matrixFlush)
	defer ticks.Stop()
	for more := true; more; {
		select {
		case <-done:
			more = false
		case <-ticks.C:
		}
		m.mu.Lock()
		cells := m.cells
		m.cells = nil
		m.mu.Unlock()
		if len(cells) > 0 {
			report(topology.MatrixPart{Cells: cells})
		}
	}
}

// tell notes what came of a pair, once.
func (m *matrix) tell(p *matrixPair) {
	if p.told {
		return
	}
	p.told = true
	cell := topology.MatrixCell{
		From: p.from.name, To: p.to.name, ToLink: p.link, Sent: p.sent, Received: p.received,
		OK: p.received > 0, Reason: p.reason, Detail: p.detail,
	}
	if p.addr.IsValid() {
		cell.Address = p.addr.String()
	}
	if p.reporter.IsValid() {
		cell.Reporter = p.reporter.String()
	}
	if cell.OK {
		cell.RTTMS, cell.Reason, cell.Detail, cell.Reporter = milliseconds(p.best), "", "", ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cells = append(m.cells, cell)
	if cell.OK {
		m.summary.Reached++
	}
}

// matrixPair is a sender and a target.
type matrixPair struct {
	from, to *matrixNode
	addr     netip.Addr    // of the target; invalid if there is none to ping
	target   unix.Sockaddr // the same
	link     string        // of the target, which has the address
	socket   *matrixSocket // of the sender
	sent     int
	received int
	best     time.Duration // shortest round trip

	told    bool
	waiting bool      // for the reply to the last request
	sentAt  time.Time // that one
	// Why there was no reply to the last request that had none; a timeout has no
	// reason until the end, when one is looked for.
	reason   topology.PingReason
	detail   string
	reporter netip.Addr
}

// fail notes why there is no reply.
func (p *matrixPair) fail(reason topology.PingReason, format string, args ...any) {
	p.reason, p.detail, p.reporter = reason, fmt.Sprintf(format, args...), netip.Addr{}
}

// answered notes a reply.
func (p *matrixPair) answered(rtt time.Duration) {
	p.received++
	if p.received == 1 {
		p.best = math.MaxInt64
	}
	p.best = min(p.best, rtt)
}
