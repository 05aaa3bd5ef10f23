package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"netdash/internal/netops"
	"netdash/internal/viewer"
)

// crowd is how many listen at once, and to what.
type crowd struct {
	clients, stuck int // stuck ones are among the clients: they read nothing
	rate           int // events a second
	long           time.Duration
	limit          float64 // ms, for 99 of 100 events
}

// crowdSpace is the namespace whose changes the crowd hears of. It is not
// netdash's, so nothing but the kernel's news is told of it.
const crowdSpace = "crowd"

// crowd has many clients listen to a steady stream of changes.
func (b *bench) crowd(ctx context.Context, out *report) (err error) {
	if _, err := b.inside.run(fmt.Sprintf(`ip netns add %[1]s
		ip -n %[1]s link add br0 type bridge; ip -n %[1]s link set br0 up
		ip -n %[1]s link add p0 type veth peer name p1; ip -n %[1]s link set p0 master br0 up`, crowdSpace)); err != nil {
		return err
	}
	defer closing(&err, func() error {
		_, err := b.inside.run("ip netns del " + crowdSpace)
		return err
	})
	time.Sleep(b.n.settle) // what the kernel still does for the links
	c := b.n.crowd
	began := time.Now()
	audience, err := b.server.gather(ctx, c)
	if err != nil {
		return err
	}
	gathered := time.Since(began)
	defer audience.close()
	before, err := b.server.used()
	if err != nil {
		return err
	}
	began = time.Now()
	sent, err := stir(ctx, c, audience.began)
	if err != nil {
		return err
	}
	took := time.Since(began)
	heard, err := audience.heard(sent)
	if err != nil {
		return err
	}
	after, err := b.server.used()
	if err != nil {
		return err
	}
	p99 := heard.took.quantile(0.99)
	out.rows = append(out.rows, row{
		What: fmt.Sprintf("event to each of %d websocket clients, %d of them stuck, %d events/s for %s, p99, ms", c.clients, c.stuck, c.rate, c.long),
		Ours: number(p99),
		Other: fmt.Sprintf("%d events sent, %d received by %d clients, %d lost; p50 %s ms, the latest %s ms",
			sent, len(heard.took), c.clients-c.stuck, heard.lost, number(heard.took.quantile(0.5)), number(heard.took.quantile(1))),
		Ratio:  "–",
		Target: wanted(fmt.Sprintf("every event, < %g ms", c.limit), heard.lost == 0 && p99 < c.limit),
	})
	out.info = append(out.info, row{
		What:  "the same: CPU time netdash takes of a second of one core, ms",
		Ours:  number(milliseconds(after.cpu-before.cpu) / took.Seconds()),
		Other: fmt.Sprintf("memory %d MiB with all connected, %d MiB at the end; connecting them took %s s", before.memory>>20, after.memory>>20, number(gathered.Seconds())),
		Ratio: "–",
	})
	return nil
}

// stir adds entries to a MAC table at a steady rate. Each is one event, and no
// later one makes it worthless. The MAC tells when: in microseconds since began.
func stir(ctx context.Context, c crowd, began time.Time) (sent int, err error) {
	kernel, err := netops.New(netops.Options{})
	if err != nil {
		return 0, err
	}
	defer closing(&err, kernel.Close)
	var handle *netlink.Handle
	if err := kernel.Do(crowdSpace, func() (err error) {
		handle, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	}); err != nil {
		return 0, err
	}
	defer handle.Close()
	port, err := handle.LinkByName("p0")
	if err != nil {
		return 0, err
	}
	entry := &netlink.Neigh{LinkIndex: port.Attrs().Index, Family: unix.AF_BRIDGE, State: unix.NUD_NOARP, Flags: unix.NTF_MASTER}
	for first := time.Now(); time.Since(first) < c.long; sent++ {
		time.Sleep(time.Until(first.Add(time.Duration(sent) * time.Second / time.Duration(c.rate))))
		if ctx.Err() != nil {
			return sent, ctx.Err()
		}
		entry.HardwareAddr = macOf(time.Since(began))
		if err := handle.NeighAdd(entry); err != nil {
			return sent, fmt.Errorf("add %s: %w", entry.HardwareAddr, err)
		}
	}
	return sent, nil
}

// macOf writes a time into a MAC, timeOf reads it.
func macOf(d time.Duration) net.HardwareAddr {
	us := uint64(d.Microseconds())
	return net.HardwareAddr{2, byte(us >> 32), byte(us >> 24), byte(us >> 16), byte(us >> 8), byte(us)}
}

func timeOf(mac []byte) (time.Duration, error) {
	const digits = "0123456789abcdef"
	us := 0
	for i, c := range mac {
		digit := strings.IndexByte(digits, c)
		switch {
		case i%3 == 2:
			continue
		case digit < 0:
			return 0, fmt.Errorf("no MAC: %q", mac)
		case i >= 2: // after the 02 of a locally administered one
			us = us<<4 | digit
		}
	}
	return time.Duration(us) * time.Microsecond, nil
}

// audience is the clients of a crowd.
type audience struct {
	began   time.Time
	members []*member
	stuck   []net.Conn
	all     sync.WaitGroup
}

// gather connects the crowd.
func (s *server) gather(ctx context.Context, c crowd) (*audience, error) {
	a := &audience{began: time.Now()}
	address := strings.TrimPrefix(s.url, "http://")
	for i := range c.clients {
		conn, err := viewer.Knock(ctx, address, "")
		if err != nil {
			a.close()
			return nil, fmt.Errorf("client %d: %w", i, err)
		}
		if i < c.stuck {
			// What the kernel takes in its place is no use to the one that is stuck.
			if err := conn.SetReadBuffer(4 << 10); err != nil {
				a.close()
				return nil, err
			}
			a.stuck = append(a.stuck, conn)
			continue
		}
		m := &member{conn: conn, began: a.began, ready: make(chan struct{}), all: make(chan struct{})}
		a.members = append(a.members, m)
		a.all.Go(m.listen)
	}
	for _, m := range a.members {
		select {
		case <-m.ready:
		case <-time.After(newsPatience):
			a.close()
			return nil, errors.New("a client got no snapshot")
		}
	}
	return a, nil
}

// hearsay is what all clients together heard.
type hearsay struct {
	took samples // ms, of each event at each client
	lost int
}

// heard waits until all clients have heard of everything, for as long as that
// may take, and gives what they did.
func (a *audience) heard(sent int) (h hearsay, err error) {
	patience := time.Now().Add(newsPatience)
	for _, m := range a.members {
		for m.count.Load() < int64(sent) && time.Now().Before(patience) {
			time.Sleep(10 * time.Millisecond)
		}
	}
	a.close()
	for _, m := range a.members {
		if m.err != nil && !errors.Is(m.err, net.ErrClosed) {
			err = errors.Join(err, m.err)
		}
		h.lost += sent - len(m.took)
		for _, us := range m.took {
			h.took = append(h.took, float64(us)/1e3)
		}
	}
	return h, err
}

func (a *audience) close() {
	for _, m := range a.members {
		_ = m.conn.Close()
	}
	for _, conn := range a.stuck {
		_ = conn.Close()
	}
	a.all.Wait()
}
