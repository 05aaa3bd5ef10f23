package netops

import (
	"testing"

	"netdash/internal/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }

// newKernel makes a Kernel that is closed when the test ends.
func newKernel(t testing.TB) *Kernel {
	t.Helper()
	nettest.Require(t)
	k, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}
