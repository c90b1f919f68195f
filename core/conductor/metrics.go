package conductor

import (
	"errors"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/sdk/driver"
)

// metrics is what a conductor counts.
type metrics struct {
	operations *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	retries    *prometheus.CounterVec
	leasesLost prometheus.Counter
	passes     prometheus.Histogram
}

// blameless is the blame of what did not fail.
const blameless = "none"

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	return &metrics{
		operations: f.NewCounterVec(prometheus.CounterOpts{
			Name: "magnum_operations_total", Help: "Operations that this conductor ended, by kind, result and who can mend it.",
		}, []string{"kind", "result", "blame"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: "magnum_operation_duration_seconds", Help: "Time from the request to the end of its operation.",
			Buckets: []float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200},
		}, []string{"kind", "result"}),
		retries: f.NewCounterVec(prometheus.CounterOpts{
			Name: "magnum_operation_retries_total", Help: "Phases of operations that were put off to be tried again, by who can mend it.",
		}, []string{"phase", "blame"}),
		leasesLost: f.NewCounter(prometheus.CounterOpts{
			Name: "magnum_operation_leases_lost_total", Help: "Operations that this conductor held and another took over, or whose lease it could not renew.",
		}),
		passes: f.NewHistogram(prometheus.HistogramOpts{
			Name: "magnum_follow_pass_duration_seconds", Help: "Time of one look at the stacks of all operations that wait for theirs.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
	}
}

// measure has a registry read how a conductor stands.
func (c *Conductor) measure(reg prometheus.Registerer) {
	f := promauto.With(reg)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "magnum_operations_held", Help: "Operations that this conductor works on, those included that wait for their stacks.",
	}, func() float64 { return float64(c.held.len()) })
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "magnum_operations_following", Help: "Operations of this conductor that wait for their stacks.",
	}, func() float64 { return float64(c.follower.len()) })
	if reg != nil {
		reg.MustRegister(obs.Backlog{
			Count: prometheus.NewDesc("magnum_operations_waiting",
				"Operations in the database that are due and that no conductor works on; the same from each.", nil, nil),
			Longest: prometheus.NewDesc("magnum_operations_waiting_seconds",
				"How long the first of the waiting operations has been due; the same from each conductor.", nil, nil),
			Read: c.DB.Waiting,
		})
	}
}

// ended counts the end of an operation; err is why it failed.
func (c *Conductor) ended(t *task, err error) {
	kind, result, blame := string(t.op.Kind), "complete", blameless
	if err != nil {
		result, blame = "failed", string(blameOf(err))
	}
	c.metrics.operations.WithLabelValues(kind, result, blame).Inc()
	c.metrics.duration.WithLabelValues(kind, result).Observe(c.Now().Sub(t.op.CreatedAt).Seconds())
}

// putOff counts a phase that is to be tried again. The name of a phase about a
// node group has its uuid behind, which is no label.
func (c *Conductor) putOff(t *task, err error) {
	phase, _, _ := strings.Cut(t.op.Phase, " ")
	c.metrics.retries.WithLabelValues(phase, string(blameOf(err))).Inc()
}

// blameOf says who can mend what an error is about. Blames of drivers are
// bounded by plugins' side of the contract; here by a switch, as labels must be.
func blameOf(err error) driver.Blame {
	var (
		d     *driver.Error
		stack *stackError
		late  *overdueError
		later *laterError
		m     *magnum.Error
	)
	switch {
	case errors.As(err, &d):
		switch d.Blame {
		case driver.BlameUser, driver.BlameOperator, driver.BlameDownstream:
			return d.Blame
		case driver.BlameDriver:
		}
		return driver.BlameDriver
	case errors.As(err, &stack), errors.As(err, &late), errors.As(err, &later):
		return driver.BlameDownstream
	case !errors.As(err, &m):
		return driver.BlameOperator
	}
	switch m.Kind {
	case magnum.Unavailable, magnum.Conflict:
		return driver.BlameDownstream
	case magnum.Unauthorized, magnum.Internal:
		return driver.BlameOperator
	case magnum.Invalid, magnum.Forbidden, magnum.NotFound, magnum.NotAcceptable:
	}
	return driver.BlameUser
}
