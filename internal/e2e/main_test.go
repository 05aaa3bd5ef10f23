// Package e2e tests netdash whole: the program as it is built and started, its
// HTTP interface from outside, and ip and bridge as judges of what it did.
package e2e

import (
	"os"
	"testing"

	"netdash/internal/nettest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == frailArgument {
		frail() // does not return
	}
	nettest.Main(m, func() { stopChromium() })
}
