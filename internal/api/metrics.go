package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"netdash/internal/topology"
)

// metrics are what /metrics shows, in a registry of their own so that a program
// can have several Handlers.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	known    sync.Map // series, by the series they go to
}

// kind is what a request is counted under.
type kind struct {
	route, method string
	status        int
}

// series counts requests of one kind.
type series struct {
	count prometheus.Counter
	took  prometheus.Observer
}

func newMetrics(h *Handler) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "netdash_http_requests_total", Help: "HTTP requests answered.",
		}, []string{"route", "method", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "netdash_http_request_duration_seconds", Help: "Time to answer HTTP requests, websockets not counted.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	observed := func(count func(*topology.Snapshot) int) func() float64 {
		return func() float64 {
			if s := h.Live.Snapshot(); s != nil {
				return float64(count(s))
			}
			return 0
		}
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.duration,
		gauge("netdash_subscribers", "Open event websockets.", func() float64 { return float64(len(h.sockets)) }),
		gauge("netdash_pings_running", "Pings running.", func() float64 { return float64(len(h.pinging)) }),
		gauge("netdash_namespaces", "Namespaces observed.", observed(func(s *topology.Snapshot) int { return len(s.Namespaces) })),
		gauge("netdash_links", "Links observed.", observed(func(s *topology.Snapshot) int {
			n := 0
			for _, ns := range s.Namespaces {
				n += len(ns.Links)
			}
			return n
		})),
		gauge("netdash_namespaces_incomplete", "Namespaces of which the picture may lack something.", observed(func(s *topology.Snapshot) int {
			n := 0
			for _, ns := range s.Namespaces {
				if ns.Incomplete != "" {
					n++
				}
			}
			return n
		})),
		gauge("netdash_event_seq", "Number of the last event.", observed(func(s *topology.Snapshot) int { return int(s.Seq) })),
	)
	for _, c := range []struct {
		name, help string
		value      func() uint64
	}{
		{"netdash_netlink_overruns_total", "How often messages of the kernel were lost, and a namespace read anew.", h.Watch.Overruns},
		{"netdash_dumps_total", "Namespaces read whole: on first sight, on doubt, and for edits.", h.Watch.Dumps},
		{"netdash_dumps_interrupted_total", "Lists of a namespace read again because the kernel changed them meanwhile.", h.Watch.Interrupted},
		{"netdash_event_resyncs_total", "Event clients that fell behind too far and got a fresh snapshot.", h.Watch.Resyncs},
	} {
		if c.value != nil {
			m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help},
				func() float64 { return float64(c.value()) }))
		}
	}
	return m
}

// observe counts one request. Route and method are bounded: what no route
// matches and what is no method of HTTP's is lumped together.
func (m *metrics) observe(route, method string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	s := m.series(kind{route, method, status})
	s.count.Inc()
	if status != http.StatusSwitchingProtocols {
		s.took.Observe(took.Seconds())
	}
}

// series finds what counts requests of a kind, which takes longer the first time.
func (m *metrics) series(k kind) *series {
	if known, ok := m.known.Load(k); ok {
		if s, ok := known.(*series); ok {
			return s
		}
	}
	s := &series{m.requests.WithLabelValues(k.route, k.method, strconv.Itoa(k.status)), m.duration.WithLabelValues(k.route, k.method)}
	m.known.Store(k, s)
	return s
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true})
}
