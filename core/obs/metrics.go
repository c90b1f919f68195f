package obs

import (
	"net/http"
	"runtime"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Build is what a process was made from.
type Build struct{ Version, Commit string }

// NewRegistry makes the registry of a process, with what can be said of any:
// its build, its runtime, its use of the machine. Each part of the core adds
// its own metrics; docs/metrics.md has them all.
func NewRegistry(b Build) *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	promauto.With(reg).NewGaugeVec(prometheus.GaugeOpts{
		Name: "magnum_build_info", Help: "Always 1; what this process was built from.",
	}, []string{"version", "commit", "go"}).WithLabelValues(b.Version, b.Commit, runtime.Version()).Set(1)
	return reg
}

// MetricsHandler answers GET /metrics. What cannot be measured just then is
// logged and left out; it does not hide the rest.
func MetricsHandler(reg *prometheus.Registry, logger hclog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{
		ErrorLog:            logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Warn}),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, // a scraper or two; the rest is a mistake
		Timeout:             10 * time.Second,
	}))
	return mux
}
