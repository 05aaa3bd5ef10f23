package lab_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"netdash/internal/lab"
	"netdash/internal/nettest"
	"netdash/internal/topology"
)

// TestEditUndoneByHand: an edit that somebody undoes while it is under way is
// refused as busy, which says that it can be tried again, and leaves nothing.
func TestEditUndoneByHand(t *testing.T) {
	meddle := true
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil, lab.WithCheckpoint(func(step string) {
		if step == "applied" && meddle {
			nettest.Shell(t, "ip link show dev x && ip link delete dev x || true")
		}
	}))
	down := false // so that there is but one step
	add := func(s *topology.Spec) error {
		return s.AddBridge(topology.Bridge{Namespace: topology.HostName, Name: "x", AdminUp: &down})
	}
	_, err := m.Edit(t.Context(), lab.Request{}, add)
	if topology.CodeOf(err) != topology.CodeBusy {
		t.Errorf("%v, want an error of code busy", err)
	}
	ops, err := m.Operations(t.Context(), 0, 1)
	if err != nil || ops[0].State != topology.OperationFailed || ops[0].Error == "" {
		t.Errorf("%+v, %v", ops, err)
	}
	if wrong := inSync(t, m.Lab); wrong != "" {
		t.Error(wrong)
	}
	meddle = false
	m.edit(t, add)
}

// meddler does something just before namespaces are read.
type meddler struct {
	lab.Observer
	first func()
}

func (m meddler) Observe(ctx context.Context, namespaces []string) (*topology.Snapshot, error) {
	m.first()
	return m.Observer.Observe(ctx, namespaces)
}

// TestRepairOfWhatIsGone: an address that nobody wants is gone before it can be
// removed. That is no reason to wait with all other repairs.
func TestRepairOfWhatIsGone(t *testing.T) {
	m := machineFor(t, filepath.Join(t.TempDir(), "n.db"), nil)
	m.edit(t, steps[0].edit)
	gone := make(chan struct{})
	once := sync.OnceFunc(func() {
		nettest.Shell(t, "ip -n A address delete 10.99.0.1/24 dev eth0")
		close(gone)
	})
	l, err := lab.New(t.Context(), m.kernel, meddler{m.live, once}, m.store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	nettest.Shell(t, "ip -n A address add 10.99.0.1/24 dev eth0")
	within(t, 30*time.Second, func() string {
		if inSync(t, m.Lab) == "" {
			return "it is not seen"
		}
		return ""
	})
	a := keepRepaired(t, m, l)
	select {
	case <-gone:
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was repaired")
	}
	nettest.Shell(t, "ip -n B link set dev lo down")
	within(t, 30*time.Second, func() string { return inSync(t, l) })
	if a.has(func(s topology.RepairState) bool { return s.State != topology.RepairIdle }) {
		t.Errorf("it waited: %+v", a.states)
	}
}
