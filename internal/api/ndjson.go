package api

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// lineWriter writes JSON lines, each call's at once. A client that does not take
// them in time is given up.
type lineWriter struct {
	mu       sync.Mutex
	w        http.ResponseWriter
	conn     *http.ResponseController
	patience time.Duration
	broken   context.CancelFunc
	lines    int
}

func (h *Handler) lineWriter(w http.ResponseWriter, broken context.CancelFunc) *lineWriter {
	return &lineWriter{w: w, conn: http.NewResponseController(w), patience: h.limits.frameTime, broken: broken}
}

// begun tells whether something was written.
func (l *lineWriter) begun() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines > 0
}

func (l *lineWriter) write(lines ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lines += len(lines); l.lines == len(lines) {
		l.w.Header().Set("Content-Type", mediaNDJSON)
	}
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.patience)); err == nil {
		defer func() { _ = l.conn.SetWriteDeadline(time.Time{}) }() // fails only with the connection
	}
	out := json.NewEncoder(l.w)
	for _, line := range lines {
		if err := out.Encode(line); err != nil {
			l.broken()
			return
		}
	}
	if err := l.conn.Flush(); err != nil {
		l.broken()
	}
}
