package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netdash/internal/netops"
	"netdash/internal/viewer"
)

// newsPatience is how long an event may take before it counts as lost.
const newsPatience = 5 * time.Second

// listener hears of changes, and notes when.
type listener interface {
	// hush forgets what has been heard so far.
	hush()
	// await gives the moment at which the news of a change to a host came.
	await(h *host, c change) (time.Time, error)
	close()
}

// queue takes what one goroutine hears.
type queue[T any] struct {
	news  chan heard[T]
	ended chan struct{} // closed when nothing more comes
	err   error         // why
}

type heard[T any] struct {
	at   time.Time
	what T
}

// hear calls read until it fails.
func hear[T any](read func() (T, error)) *queue[T] {
	q := &queue[T]{news: make(chan heard[T], 4096), ended: make(chan struct{})}
	go func() {
		defer close(q.ended)
		for {
			what, err := read()
			at := time.Now() // before anything is done with it
			if err != nil {
				q.err = err
				return
			}
			q.news <- heard[T]{at, what}
		}
	}()
	return q
}

func (q *queue[T]) hush() {
	for {
		select {
		case <-q.news:
		default:
			return
		}
	}
}

// await gives the time of the first news that fits.
func (q *queue[T]) await(fits func(T) (bool, error)) (time.Time, error) {
	patience := time.After(newsPatience)
	for {
		select {
		case n := <-q.news:
			if ok, err := fits(n.what); ok || err != nil {
				return n.at, err
			}
		case <-q.ended:
			return time.Time{}, q.err
		case <-patience:
			return time.Time{}, fmt.Errorf("none within %s", newsPatience)
		}
	}
}

// client is a websocket on netdash's events.
type client struct {
	*queue[viewer.Message]
	conn *viewer.Client
}

func (s *server) listen(ctx context.Context) (*client, error) {
	conn, err := viewer.Dial(ctx, s.url, "")
	if err != nil {
		return nil, err
	}
	if _, err := conn.Next(ctx); err != nil { // the Snapshot
		return nil, errors.Join(err, conn.Close())
	}
	return &client{conn: conn, queue: hear(func() (viewer.Message, error) {
		return conn.Next(context.Background()) // close ends it
	})}, nil
}

func (c *client) await(h *host, way change) (time.Time, error) {
	var got time.Time
	_, err := c.queue.await(func(m viewer.Message) (bool, error) {
		got = m.Got // before it was parsed
		return way.told(h, &m.Event), nil
	})
	return got, err
}

func (c *client) close() {
	_ = c.conn.Close() // nobody is interested in how
	<-c.ended
}

// sockets are bare netlink sockets, one in each host.
type sockets map[*host]*queue[[]syscall.NetlinkMessage]

// openSockets opens one in each host.
func openSockets(kernel *netops.Kernel, hosts []*host) (s sockets, err error) {
	s = sockets{}
	for _, h := range hosts {
		var socket *nl.NetlinkSocket
		if err := kernel.Do(h.name, func() (err error) {
			socket, err = nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR)
			return err
		}); err != nil {
			s.close()
			return nil, fmt.Errorf("listen in %s: %w", h.name, err)
		}
		h.socket = socket
		s[h] = hear(func() ([]syscall.NetlinkMessage, error) {
			messages, _, err := socket.Receive()
			return messages, err
		})
	}
	return s, nil
}

func (s sockets) hush() {
	for _, q := range s {
		q.hush()
	}
}

func (s sockets) await(h *host, way change) (time.Time, error) {
	return s[h].await(func(messages []syscall.NetlinkMessage) (bool, error) {
		for _, m := range messages {
			up := m.Header.Type == unix.RTM_NEWLINK && nl.DeserializeIfInfomsg(m.Data).Flags&unix.IFF_UP != 0
			if way.seen(m.Header.Type, up) {
				return true, nil
			}
		}
		return false, nil
	})
}

func (s sockets) close() {
	for h, q := range s {
		h.socket.Close()
		<-q.ended
	}
}
