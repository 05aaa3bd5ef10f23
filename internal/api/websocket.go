package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"nhooyr.io/websocket"
)

// What a client may send: nothing but control frames (125 bytes at most).
const maxFrame = 1 << 10

// Small messages cost more time to pack than to send.
const packFrom = 4 << 10

// serveEvents turns a checked request into a websocket and sends it events until
// either side has enough. A client that takes too long over one frame, or
// answers no ping, is cut off; its queue is live's concern.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request, since *uint64) {
	log := exchangeOf(r.Context()).log
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		CompressionMode:      websocket.CompressionNoContextTakeover,
		CompressionThreshold: packFrom,
	})
	if err != nil {
		log.Debug("no websocket", slog.Any("error", err)) // Accept has answered
		return
	}
	defer func() { _ = conn.CloseNow() }() // a second close is an error
	conn.SetReadLimit(maxFrame)
	ctx, cancel := context.WithCancel(conn.CloseRead(r.Context()))
	defer cancel()
	go h.keepAlive(ctx, cancel, conn)

	// Closing comes before the stream ends: a cancelled context would cut the
	// connection instead of closing it.
	next, end := context.WithCancel(ctx)
	defer end()
	defer context.AfterFunc(h.stopped, end)()

	events := h.Subscribe(since)
	defer events.Close()
	for {
		frame, err := events.Next(next)
		switch {
		case h.stopped.Err() != nil:
			_ = conn.Close(websocket.StatusGoingAway, "netdash is stopping") // it goes away in any case
			return
		case ctx.Err() != nil:
			return // the client is gone
		case err != nil:
			log.Error("events ended", slog.Any("error", err))
			_ = conn.Close(websocket.StatusInternalError, "the events ended") // the client comes back either way
			return
		}
		if err := h.send(ctx, conn, frame); err != nil {
			log.Debug("event not taken", slog.Any("error", err))
			return
		}
	}
}

func (h *Handler) send(ctx context.Context, conn *websocket.Conn, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, h.limits.frameTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, frame) //nolint:wrapcheck // logged by the only caller
}

// keepAlive pings the client, so that one that vanished without a word is
// noticed and one behind a proxy is not forgotten.
func (h *Handler) keepAlive(ctx context.Context, cancel context.CancelFunc, conn *websocket.Conn) {
	tick := time.NewTicker(h.limits.keepAlive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		patience, done := context.WithTimeout(ctx, h.limits.frameTime)
		err := conn.Ping(patience)
		done()
		if err != nil {
			cancel()
			return
		}
	}
}
