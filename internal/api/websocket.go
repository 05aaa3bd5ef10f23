package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"nhooyr.io/websocket"
)

// What a client may send: nothing but control frames (125 bytes at most).
const maxFrame = 1 << 10

// Small messages cost more time to pack than to send.
const packFrom = 4 << 10

// Why a websocket ends, other than that its events do.
var (
	errStopping = errors.New("netdash is stopping")
	errTalks    = errors.New("events go one way")
	errGone     = errors.New("the client is gone")
)

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
	defer func() { _ = conn.CloseNow() }() // after a close there is nothing to close
	conn.SetReadLimit(maxFrame)

	// Whoever has enough ends ctx with the reason. The connection's own context
	// outlives it, because cancelling that one cuts instead of closing.
	ctx, end := context.WithCancelCause(r.Context())
	defer end(errGone)
	forget := context.AfterFunc(h.stopped, func() { end(errStopping) })
	defer forget()
	go hear(r.Context(), conn, end)
	go h.keepAlive(ctx, conn, end)

	events := h.Subscribe(since)
	defer events.Close()
	for {
		frame, err := events.Next(ctx)
		if why := context.Cause(ctx); why != nil || err != nil {
			closeFor(conn, log, why, err)
			return
		}
		if err := h.send(r.Context(), conn, frame); err != nil {
			log.Debug("event not taken", slog.Any("error", err))
			return
		}
	}
}

// closeFor says goodbye, where there is somebody to hear it.
func closeFor(conn *websocket.Conn, log *slog.Logger, why, err error) {
	code, reason := websocket.StatusInternalError, "the events ended"
	switch {
	case errors.Is(why, errStopping):
		code, reason = websocket.StatusGoingAway, errStopping.Error()
	case errors.Is(why, errTalks):
		code, reason = websocket.StatusPolicyViolation, errTalks.Error()
	case why != nil:
		return
	default:
		log.Error("events ended", slog.Any("error", err))
	}
	if err := conn.Close(code, reason); err != nil {
		log.Debug("websocket closed one-sidedly", slog.Any("error", err))
	}
}

// hear reads what the client sends, without which no pong and no close would be
// noticed. The library's CloseRead does the same, but a client that talks keeps
// it waiting for itself for 15 s.
func hear(ctx context.Context, conn *websocket.Conn, end context.CancelCauseFunc) {
	if _, _, err := conn.Reader(ctx); err != nil {
		end(errGone)
		return
	}
	end(errTalks)
}

func (h *Handler) send(ctx context.Context, conn *websocket.Conn, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, h.limits.frameTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, frame) //nolint:wrapcheck // logged by the only caller
}

// keepAlive pings the client, so that one that vanished without a word is
// noticed and one behind a proxy is not forgotten.
func (h *Handler) keepAlive(ctx context.Context, conn *websocket.Conn, end context.CancelCauseFunc) {
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
			end(errGone)
			return
		}
	}
}
