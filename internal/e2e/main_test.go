// Package e2e tests netdash whole: the program as it is built and started, its
// HTTP interface from outside, and ip and bridge as judges of what it did.
package e2e

import (
	"testing"

	"netdash/internal/nettest"
)

func TestMain(m *testing.M) { nettest.Main(m) }
