package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"nhooyr.io/websocket"
)

// maxFrame is how long what a client says may be.
const maxFrame = 4 << 10

// Why a websocket ends, other than that its events do.
var (
	errStopping = errors.New("netdash is stopping")
	errTalks    = errors.New(`all there is to say is {"watch": [namespaces]}`)
	errGone     = errors.New("the client is gone")
	errSilent   = errors.New("the client answers no ping")
)

// serveEvents turns a checked request into a websocket and sends it events until
// either side has enough. A client that takes too long over what it is sent, or
// answers no ping, is cut off; how far it may be behind is live's concern.
func (h *Handler) serveEvents(w http.ResponseWriter, r *http.Request, since *uint64, watch []string) {
	log := exchangeOf(r.Context()).log.With(slog.String("client", r.RemoteAddr))
	wire := &wire{patience: h.limits.frameTime}
	// Without context takeover a message is packed the same for every client.
	conn, err := websocket.Accept(hijacker{w, wire}, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionNoContextTakeover})
	if err != nil {
		log.Debug("no websocket", slog.Any("error", err)) // Accept has answered
		return
	}
	defer func() { _ = conn.CloseNow() }() // after a close there is nothing to close
	conn.SetReadLimit(maxFrame)
	wire.packs = w.Header().Get("Sec-Websocket-Extensions") != ""

	// Whoever has enough ends ctx with the reason. The connection's own context
	// outlives it, because cancelling that one cuts instead of closing.
	ctx, end := context.WithCancelCause(r.Context())
	defer end(errGone)
	forget := context.AfterFunc(h.stopped, func() { end(errStopping) })
	defer forget()
	events := h.Subscribe(since)
	defer events.Close()
	events.Watch(watch)
	go hear(r.Context(), conn, events, end)
	go h.keepAlive(ctx, conn, end)

	for {
		frames, err := events.Next(ctx)
		if why := context.Cause(ctx); why != nil || err != nil {
			closeFor(conn, log, why, err)
			return
		}
		if err := wire.send(frames); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				log.Warn("a client does not take its events and is cut off", slog.Duration("patience", wire.patience))
			}
			log.Debug("events not taken", slog.Any("error", err))
			return
		}
		h.rest(ctx)
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
	case errors.Is(why, errSilent):
		log.Warn("a client answers no ping and is cut off")
		return
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
// noticed: which namespaces it watches, and nothing else.
func hear(ctx context.Context, conn *websocket.Conn, events Subscription, end context.CancelCauseFunc) {
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			end(errGone)
			return
		}
		watch, err := parseWatch(text)
		if err != nil {
			end(errTalks)
			return
		}
		events.Watch(watch)
	}
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
		silent := errors.Is(patience.Err(), context.DeadlineExceeded)
		done()
		switch {
		case err != nil && silent:
			end(errSilent)
			return
		case err != nil:
			end(errGone)
			return
		}
	}
}
