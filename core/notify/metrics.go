package notify

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/go-magnum/magnum/core/obs"
)

type metrics struct {
	sent, failed, dropped prometheus.Counter
}

func newMetrics(c Config) *metrics {
	f := promauto.With(c.Metrics)
	m := &metrics{
		sent: f.NewCounter(prometheus.CounterOpts{
			Name: "magnum_notifications_sent_total", Help: "Notifications that this conductor delivered.",
		}),
		failed: f.NewCounter(prometheus.CounterOpts{
			Name: "magnum_notifications_failed_total", Help: "Attempts of this conductor to deliver a notification that failed.",
		}),
		dropped: f.NewCounter(prometheus.CounterOpts{
			Name: "magnum_notifications_dropped_total", Help: "Notifications that this conductor gave up, because they were too old or too many.",
		}),
	}
	if c.Metrics != nil {
		c.Metrics.MustRegister(obs.Backlog{
			Count:   prometheus.NewDesc("magnum_notifications_waiting", "Notifications that are still to be delivered; the same from each conductor.", nil, nil),
			Longest: prometheus.NewDesc("magnum_notifications_waiting_seconds", "How long the first of them has waited; the same from each conductor.", nil, nil),
			Read:    c.DB.OutboxWaiting,
		})
	}
	return m
}
