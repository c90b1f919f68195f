package api

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics counts requests. Routes are named by their templates, so there are
// no more of them than lines in the table; what has none is under a word.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight atomic.Int64
}

// The routes of what is not in the table.
const (
	routeHealth    = "/healthcheck"
	routePreflight = "preflight" // OPTIONS of any path
	routeNone      = "none"      // refused before a route was looked for, or there is none
)

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	m := &metrics{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "magnum_api_requests_total", Help: "Requests answered, by route, method and status.",
		}, []string{"route", "method", "code"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "magnum_api_request_duration_seconds", Help: "Time from a request's headers to the end of its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
	}
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "magnum_api_requests_in_flight", Help: "Requests that are being answered.",
	}, func() float64 { return float64(m.inFlight.Load()) })
	return m
}

// measure is what one line of the table counts in. What most requests need is
// found once: the label values are not looked up again for each.
type measure struct {
	requests *prometheus.CounterVec // of the route and method
	duration prometheus.Observer
	ok       atomic.Pointer[prometheus.Counter] // of 200, once there was one
}

func (m *metrics) of(route, method string) *measure {
	labels := prometheus.Labels{"route": route, "method": method}
	return &measure{requests: m.requests.MustCurryWith(labels), duration: m.duration.With(labels)}
}

func (m *measure) done(code int, took time.Duration) {
	m.duration.Observe(took.Seconds())
	if ok := m.ok.Load(); ok != nil && code == http.StatusOK {
		(*ok).Inc()
		return
	}
	c := m.requests.WithLabelValues(strconv.Itoa(code))
	if code == http.StatusOK {
		m.ok.Store(&c)
	}
	c.Inc()
}

// measured remembers what a request was and how it was answered.
type measured struct {
	http.ResponseWriter
	route *measure // nil: what other says
	other string
	code  int
}

// WriteHeader sends the status.
func (w *measured) WriteHeader(code int) {
	if w.code == 0 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap is what net/http looks for.
func (w *measured) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers a request and counts it.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	a.metrics.inFlight.Add(1)
	out := &measured{ResponseWriter: w, other: routeNone}
	defer func() {
		a.metrics.inFlight.Add(-1)
		if out.code == 0 {
			return // cut off by net/http's own panic
		}
		rt := out.route
		if rt == nil {
			rt = a.metrics.of(out.other, methodOf(r.Method))
		}
		rt.done(out.code, time.Since(begin))
	}()
	a.serve(out, r)
}

// methodOf keeps clients from making up labels.
func methodOf(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
