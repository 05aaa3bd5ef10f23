package api

import (
	"crypto/subtle"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"netdash/internal/topology"
)

// hosts are the names and addresses the server answers to.
type hosts struct {
	names      []string // lower case, without port
	anyAddress bool     // any IP address will do
	last       *atomic.Pointer[string]
}

// parseHosts reads Config.Hosts.
func parseHosts(list []string) hosts {
	known := hosts{last: &atomic.Pointer[string]{}}
	for _, entry := range list {
		name := hostname(entry)
		addr, err := netip.ParseAddr(name)
		switch {
		case entry == "":
		case name == "" || err == nil && addr.IsUnspecified(): // ":8080", "0.0.0.0:8080"
			known.anyAddress = true
		default:
			known.names = append(known.names, name)
		}
	}
	return known
}

// allow tells whether a Host header names this server. That keeps a page of
// another site, whose name was pointed at this machine's address (DNS
// rebinding), from being taken for netdash's own: such a request carries the
// other site's name. An address in place of a name cannot be re-pointed.
func (known hosts) allow(host string) bool {
	if last := known.last.Load(); last != nil && *last == host {
		return true // as most often
	}
	if !known.allows(host) {
		return false
	}
	known.last.Store(&host)
	return true
}

func (known hosts) allows(host string) bool {
	name := hostname(host)
	if name == "localhost" || slices.Contains(known.names, name) {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && (addr.IsLoopback() || known.anyAddress)
}

// hostname gives the lower-case host of "host", "host:port" or "[address]:port".
func hostname(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host // an IPv6 address without brackets
	}
	return strings.ToLower((&url.URL{Host: host}).Hostname())
}

// guard refuses requests under a foreign name and requests that a page of
// another site makes its visitor's browser send.
func (h *Handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !h.hosts.allow(r.Host):
			e := topology.Errorf(topology.CodeForbidden, "", "netdash does not answer to the name %q", r.Host)
			fail(w, r, e.WithHint("call it by the address it listens on, or start it with this name among its hosts"))
		case !sameOrigin(r):
			fail(w, r, topology.Errorf(topology.CodeForbidden, "", "a page of another origin must not use netdash"))
		case crossSite(r):
			fail(w, r, topology.Errorf(topology.CodeForbidden, "", "a page of another site must not use netdash"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// sameOrigin tells whether the page that sent the request, if a browser names
// it, came from this server.
func sameOrigin(r *http.Request) bool {
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

// crossSite tells whether a browser sent the request for a page of another
// origin (Fetch Metadata), other than by following a link to the page here.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	return !read || r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}

// authenticate asks for the token, where one is set, under /api.
func (h *Handler) authenticate(next http.Handler) http.Handler {
	if h.Token == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		known := ok && subtle.ConstantTimeCompare([]byte(given), []byte(h.Token)) == 1
		if strings.HasPrefix(r.URL.Path, "/api/") && !known {
			w.Header().Set("WWW-Authenticate", `Bearer realm="netdash"`)
			fail(w, r, newProblem(codeUnauthenticated, "this needs the token netdash was started with"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
