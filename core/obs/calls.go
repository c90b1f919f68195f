package obs

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// awayAfter is how many calls in a row must go without a usable answer until a
// service counts as away: one alone may be due to what was asked.
const awayAfter = 3

// Calls measures what is asked of OpenStack's services, and says once when one
// of them goes away and once when it is back. A nil one measures nothing.
type Calls struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	available *prometheus.GaugeVec
	logger    hclog.Logger
	now       func() time.Time

	mu     sync.Mutex
	health map[string]*health // by service
}

// health is what the last calls tell of a service.
type health struct {
	failures int
	since    time.Time // of the first failure
}

// NewCalls makes one.
func NewCalls(reg prometheus.Registerer, logger hclog.Logger) *Calls {
	f := promauto.With(reg)
	return &Calls{
		requests: f.NewCounterVec(prometheus.CounterOpts{
			Name: "magnum_openstack_requests_total",
			Help: "HTTP requests to OpenStack's services, by what came of them.",
		}, []string{"service", "call", "result"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "magnum_openstack_request_duration_seconds",
			Help:    "Time until an OpenStack service began to answer, or did not.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"service", "call"}),
		available: f.NewGaugeVec(prometheus.GaugeOpts{
			Name: "magnum_openstack_available",
			Help: "0 after three requests in a row to a service had no usable answer, else 1.",
		}, []string{"service"}),
		logger: logger, now: time.Now, health: map[string]*health{},
	}
}

type callKey struct{}

type call struct{ service, name string }

// WithCall says what the requests under a context are about. Both words are of
// a fixed few: they become labels.
func WithCall(ctx context.Context, service, name string) context.Context {
	return context.WithValue(ctx, callKey{}, call{service, name})
}

// Transport measures the requests that go through it. What they are about
// is told by know, or else by their context.
func (c *Calls) Transport(next http.RoundTripper, know func(*http.Request) (service, name string, ok bool)) http.RoundTripper {
	if c == nil {
		return next
	}
	return &transport{calls: c, next: next, know: know}
}

type transport struct {
	calls *Calls
	next  http.RoundTripper
	know  func(*http.Request) (service, name string, ok bool)
}

// RoundTrip sends a request on.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	service, name, ok := t.know(r)
	if !ok {
		about, said := r.Context().Value(callKey{}).(call)
		if !said {
			about = call{"other", "other"}
		}
		service, name = about.service, about.name
	}
	begin := time.Now()
	resp, err := t.next.RoundTrip(r)
	code := 0
	if err == nil {
		code = resp.StatusCode
	}
	t.calls.observe(service, name, code, err, time.Since(begin))
	return resp, err
}

// CloseIdleConnections is what http.Client's of that name looks for.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (c *Calls) observe(service, name string, code int, err error, took time.Duration) {
	result := "ok"
	switch {
	case errors.Is(err, context.Canceled):
		result = "abandoned" // which says nothing of the service
	case code == 0, code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooManyRequests:
		result = "failed"
	case code >= 400:
		result = "refused"
	}
	c.requests.WithLabelValues(service, name, result).Inc()
	c.duration.WithLabelValues(service, name).Observe(took.Seconds())
	if result != "abandoned" {
		c.judge(service, result == "failed")
	}
}

// judge follows a service's health.
func (c *Calls) judge(service string, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.health[service]
	if h == nil {
		h = &health{}
		c.health[service] = h
		c.available.WithLabelValues(service).Set(1)
	}
	if !failed {
		if h.failures >= awayAfter {
			c.available.WithLabelValues(service).Set(1)
			c.logger.Info("an OpenStack service answers again", "service", service, "away", c.now().Sub(h.since).Round(time.Second))
		}
		h.failures = 0
		return
	}
	if h.failures == 0 {
		h.since = c.now()
	}
	h.failures++
	if h.failures == awayAfter {
		c.available.WithLabelValues(service).Set(0)
		c.logger.Error("an OpenStack service does not answer; what needs it is tried again", "service", service, "since", h.since.UTC().Format(time.RFC3339))
	}
}
