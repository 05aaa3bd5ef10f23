package api

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-chi/chi/v5"
)

// quick answers the reads that are asked for most often without huma, which takes
// five times as long for a link as it takes to find it and write it down. huma
// describes them, and answers whatever is not as it should be: a request with a
// query, one that wants another type, one for what is not there.
func (h *Handler) quick(next http.Handler) http.Handler {
	reads := map[string]func(http.ResponseWriter, *http.Request) bool{
		prefix + "/topology":                            h.quickTopology,
		prefix + "/namespaces/{namespace}":              h.quickNamespace,
		prefix + "/namespaces/{namespace}/links/{link}": h.quickLink,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isPlain(r) {
			if read := reads[chi.RouteContext(r.Context()).RoutePattern()]; read != nil && read(w, r) {
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// isPlain tells whether a request is a read with nothing about it.
func isPlain(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.RawQuery != "" || r.URL.RawPath != "" {
		return false
	}
	accept := r.Header.Get("Accept")
	return accept == "" || accept == "*/*" || accept == mediaJSON
}

// quickTopology answers from the Picture, which is written, and packed, once for
// all who ask. Who has the newest already is told so without one.
func (h *Handler) quickTopology(w http.ResponseWriter, r *http.Request) bool {
	header := w.Header()
	has := Conditional{IfNoneMatch: r.Header.Get("If-None-Match")}
	if has.IfNoneMatch != "" {
		if tag := h.topologyTag(h.Live.Version()); has.has(tag) {
			header["Etag"], header["Cache-Control"] = []string{tag}, noCache
			header["Vary"] = varies
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	p, err := h.Live.Picture()
	if p == nil || err != nil {
		return false // huma words it
	}
	tag := h.topologyTag(p.Seq, p.Revision)
	// What huma answers instead sets these again.
	header["Etag"], header["Cache-Control"] = []string{tag}, noCache
	if has.IfNoneMatch != "" && has.has(tag) {
		header["Vary"] = varies
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	if len(p.JSON) < leastPacked || !acceptsGzip(r) {
		writeJSON(w, p.JSON, false)
		return true
	}
	writeJSON(w, p.Packed(gzipped), true)
	return true
}

func (h *Handler) quickNamespace(w http.ResponseWriter, r *http.Request) bool {
	ns, err := h.find(chi.URLParam(r, "namespace"))
	return err == nil && h.quickJSON(w, r, ns)
}

func (h *Handler) quickLink(w http.ResponseWriter, r *http.Request) bool {
	_, link, err := h.findLink(chi.URLParam(r, "namespace"), chi.URLParam(r, "link"))
	return err == nil && h.quickJSON(w, r, link)
}

var (
	noCache  = []string{"no-cache"}
	varies   = []string{"Accept-Encoding"}
	typeJSON = []string{mediaJSON}
	isGzip   = []string{"gzip"}
)

// written keeps what objects come to as JSON, a few hundred that were asked for:
// an object of a Snapshot never changes, a newer one is another.
type written struct {
	seed   maphash.Seed
	places [256]atomic.Pointer[writtenText] // by path
}

// writtenText is an object and its JSON.
type writtenText struct {
	of    any
	bytes []byte
}

// longestWritten is how long a text is that is kept: together they are bounded.
const longestWritten = 16 << 10

// of gives an object's JSON as huma writes it.
func (w *written) of(path string, v any) ([]byte, error) {
	place := &w.places[maphash.String(w.seed, path)%uint64(len(w.places))]
	if kept := place.Load(); kept != nil && kept.of == v {
		return kept.bytes, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	if b.Len() <= longestWritten {
		place.Store(&writtenText{v, bytes.Clone(b.Bytes())})
	}
	return b.Bytes(), nil
}

// quickJSON answers an object as huma does, unless it is one to be packed.
func (h *Handler) quickJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	text, err := h.written.of(r.URL.Path, v)
	if err != nil || len(text) >= leastPacked && acceptsGzip(r) {
		return false
	}
	writeJSON(w, text, false)
	return true
}

func writeJSON(w http.ResponseWriter, text []byte, packed bool) {
	header := w.Header()
	header["Content-Type"], header["Vary"] = typeJSON, varies
	if packed {
		header["Content-Encoding"] = isGzip
	}
	header["Content-Length"] = []string{strconv.Itoa(len(text))}
	_, _ = w.Write(text) //nolint:gosec // JSON, and nosniff; the client's loss if it is gone
}

// acceptsGzip tells whether an answer may be packed (RFC 9110, 12.5.3).
func acceptsGzip(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept-Encoding") {
		for one := range strings.SplitSeq(value, ",") {
			name, quality, _ := strings.Cut(one, ";")
			name = strings.TrimSpace(name)
			if !strings.EqualFold(name, "gzip") && name != "*" {
				continue
			}
			_, q, _ := strings.Cut(quality, "=")
			weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			return err != nil || weight > 0
		}
	}
	return false
}
