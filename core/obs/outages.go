package obs

import (
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Outages logs what is tried again and again twice: when it begins to fail, and
// when it works again.
type Outages struct {
	logger hclog.Logger
	mu     sync.Mutex
	since  map[string]time.Time // by what fails
}

// NewOutages makes one.
func NewOutages(logger hclog.Logger) *Outages {
	return &Outages{logger: logger, since: map[string]time.Time{}}
}

// Note takes the outcome of a try; what completes "cannot …".
func (o *Outages) Note(what string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	since, failing := o.since[what]
	switch {
	case err != nil && !failing:
		o.since[what] = time.Now()
		o.logger.Error("cannot "+what+"; it is tried again until it works", "error", err)
	case err == nil && failing:
		delete(o.since, what)
		o.logger.Info("can "+what+" again", "after", time.Since(since).Round(time.Second))
	}
}
