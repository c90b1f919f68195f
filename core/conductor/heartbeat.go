package conductor

import (
	"context"
	"time"

	"github.com/go-magnum/magnum/core/state"
)

// heartbeatLoop says every [DEFAULT] periodic_interval_max seconds that this
// conductor is alive.
func (c *Conductor) heartbeatLoop(ctx context.Context) error {
	every := time.Duration(c.Options.Default.PeriodicIntervalMax) * time.Second
	if every <= 0 {
		every = time.Minute
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := c.DB.Heartbeat(ctx, c.Host, state.ConductorBinary); ctx.Err() == nil {
			c.outages.Note("write the heartbeat", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
