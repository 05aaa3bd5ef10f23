package api

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzhttp"
)

// exchange is one request as everything behind observe knows it.
type exchange struct {
	id   string // unique to this request, also over restarts
	req  *http.Request
	body []byte // of req, once readBody has read it
	log  *slog.Logger
}

type exchangeKey struct{}

// exchangeOf gives the exchange of a request's context.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{log: slog.Default()}
}

// text is what was asked, for the journal and the log.
func (x *exchange) text() string {
	if x.req == nil {
		return ""
	}
	return x.req.Method + " " + x.req.URL.RequestURI()
}

// panicked logs a panic with its stack.
func (x *exchange) panicked(broken any) {
	x.log.Error("handler panicked", slog.String("request_id", x.id), slog.String("request", x.text()),
		slog.String("panic", fmt.Sprint(broken)), slog.String("stack", string(debug.Stack())))
}

var requests atomic.Uint64

// observe is the outermost layer: it numbers, counts, measures and logs
// requests and makes a Problem of a panic.
func (h *Handler) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		x := &exchange{id: h.boot + "-" + strconv.FormatUint(requests.Add(1), 10), req: r, log: h.Logger}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		w.Header().Set("X-Request-Id", x.id)
		out := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			if broken := recover(); broken != nil {
				h.panicked(out, r, broken)
			}
			took := time.Since(start)
			status := out.Status()
			if status == 0 {
				status = http.StatusOK // net/http's answer when nothing was written
			}
			h.metrics.observe(chi.RouteContext(r.Context()).RoutePattern(), r.Method, status, took)
			if h.Logger.Enabled(r.Context(), slog.LevelDebug) {
				h.Logger.Debug("request", slog.String("request_id", x.id), slog.String("request", x.text()),
					slog.Int("status", status), slog.Int("bytes", out.BytesWritten()), slog.Duration("took", took))
			}
		}()
		next.ServeHTTP(out, r)
	})
}

// panicked logs a panic and answers it. When part of an answer
// is out already only breaking the connection tells the client that it is not
// whole.
func (h *Handler) panicked(w middleware.WrapResponseWriter, r *http.Request, broken any) {
	if broken == http.ErrAbortHandler { //nolint:errorlint // a panic's value, which net/http compares in the same way
		panic(broken) //nolint:forbidigo // net/http's own way to break a connection off
	}
	x := exchangeOf(r.Context())
	x.panicked(broken)
	if w.Status() != 0 {
		panic(http.ErrAbortHandler) //nolint:forbidigo // see above
	}
	fail(w, r, internalProblem(x))
}

// contentSecurityPolicy lets the page use what it is served with and nothing
// else: no inline script, no inline style, nothing from outside.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secure sets the headers every answer has. Handlers whose answers can be kept
// set Cache-Control again. The values are shared: they are replaced, never written
// to.
func secure(next http.Handler) http.Handler {
	data := http.Header{ // which nothing shows as a page
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
		"X-Content-Type-Options":       {"nosniff"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Cache-Control":                {"no-store"},
	}
	page := maps.Clone(data)
	page["Content-Security-Policy"] = []string{contentSecurityPolicy}
	page["Referrer-Policy"] = []string{"no-referrer"}
	page["Cross-Origin-Opener-Policy"] = []string{"same-origin"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, prefix+"/") {
			maps.Copy(w.Header(), data)
		} else {
			maps.Copy(w.Header(), page)
		}
		next.ServeHTTP(w, r)
	})
}

// leastPacked is how long a text is that is worth packing.
const leastPacked = 1 << 10

// compressor packs whole texts above 1 KiB. Streams go out as they come: their
// type is not in the list.
func compressor() (func(http.Handler) http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false), gzhttp.MinSize(leastPacked), gzhttp.ContentTypes([]string{
		"application/json", "application/problem+json", "application/openapi+json", "application/schema+json", "application/yaml", "application/openapi+yaml",
		"text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml",
	}))
	if err != nil {
		return nil, fmt.Errorf("compression: %w", err)
	}
	return func(next http.Handler) http.Handler { return wrap(next) }, nil
}
