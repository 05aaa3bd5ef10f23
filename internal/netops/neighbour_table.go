package netops

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// neighbourTable is the kernel's ARP or ND table, of which the machine has one for
// all its namespaces.
type neighbourTable struct {
	entries int    // of all namespaces
	limit   int    // gc_thresh3: with as many there are no more
	fulls   uint64 // times an entry was refused for that, since the machine started
}

// Attributes of RTM_NEWNEIGHTBL and offsets in their structs (struct ndt_config
// and ndt_stats, linux/neighbour.h).
const (
	ndtaThresh3       = 4
	ndtaConfig        = 5
	ndtaStats         = 7
	ndtmsgLen         = 4
	ndtConfigEntries  = 4
	ndtStatsTableFull = 10 * 8
)

// neighbourTable reads the table of a family. The sysctls are shown only in the
// machine's first namespace; netlink tells them everywhere.
func (s *space) neighbourTable(of families) (t neighbourTable, err error) {
	family := unix.AF_INET
	if of == family6 {
		family = unix.AF_INET6
	}
	found := false
	err = s.dumpList(request(unix.RTM_GETNEIGHTBL, unix.NLM_F_DUMP, neighbourTableRequest(family)), func(b []byte) {
		limit, entries, fulls := -1, 0, uint64(0)
		for kind, v := range attributes(b, ndtmsgLen) {
			switch {
			case kind == ndtaThresh3:
				limit = int(u32(v))
			case kind == ndtaConfig && len(v) >= ndtConfigEntries+4:
				entries = int(u32(v[ndtConfigEntries:]))
			case kind == ndtaStats && len(v) >= ndtStatsTableFull+8:
				fulls = binary.NativeEndian.Uint64(v[ndtStatsTableFull:])
			}
		}
		if limit >= 0 { // else it is what holds for one link
			t, found = neighbourTable{entries, limit, fulls}, true
		}
	})
	if err == nil && !found {
		err = errors.New("the kernel tells of none")
	}
	if err != nil {
		return t, fmt.Errorf("read the neighbour table's limits: %w", err)
	}
	return t, nil
}

// neighbourTableRequest is struct ndtmsg: a family.
type neighbourTableRequest int

func (neighbourTableRequest) Len() int { return ndtmsgLen }

func (r neighbourTableRequest) Serialize() []byte { return []byte{byte(r), 0, 0, 0} }
