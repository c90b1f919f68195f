package obs

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// backlogWithin keeps a slow database from making all other figures late.
const backlogWithin = 2 * time.Second

// Backlog has a registry ask how much waits in the database, and for how long
// the first of it, whenever it is asked itself. While the database does not
// answer the figures are missing, which is what is known then.
type Backlog struct {
	// Count and Longest describe the two figures.
	Count, Longest *prometheus.Desc
	Read           func(ctx context.Context) (count int, longest time.Duration, err error)
}

// Describe says what there is.
func (b Backlog) Describe(ch chan<- *prometheus.Desc) { ch <- b.Count; ch <- b.Longest }

// Collect reads it.
func (b Backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogWithin)
	defer cancel()
	count, longest, err := b.Read(ctx)
	if err != nil {
		return
	}
	ch <- prometheus.MustNewConstMetric(b.Count, prometheus.GaugeValue, float64(count))
	ch <- prometheus.MustNewConstMetric(b.Longest, prometheus.GaugeValue, longest.Seconds())
}
