package server

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/state"
)

// reportPause is the least time between two reports: a driver that crashes all
// the time must not keep the database busy.
const reportPause = time.Second

// reporter tells the database how the drivers of this host stand, whenever that
// changes and with every heartbeat.
type reporter struct {
	db      *state.DB
	drivers Drivers
	host    string
	every   time.Duration
	news    <-chan struct{} // other versions are installed, or active
	logger  hclog.Logger
}

func (r *reporter) run(ctx context.Context) error {
	heartbeat, pause := time.NewTicker(r.every), time.NewTicker(reportPause)
	defer heartbeat.Stop()
	defer pause.Stop()
	outages := obs.NewOutages(r.logger)
	for {
		if err := r.report(ctx); ctx.Err() == nil {
			outages.Note("report how the drivers stand", err)
		}
		select {
		case <-ctx.Done():
			return r.leave(ctx)
		case <-heartbeat.C:
		case <-r.drivers.Changed():
		case <-r.news:
		}
		select {
		case <-ctx.Done():
			return r.leave(ctx)
		case <-pause.C:
		}
	}
}

func (r *reporter) report(ctx context.Context) error {
	drivers, err := r.drivers.Standing()
	if err != nil {
		return fmt.Errorf("see how the drivers stand: %w", err)
	}
	return r.db.ReportDrivers(ctx, r.host, drivers)
}

// leave takes the host out of the fleet. One that cannot say so goes silent.
func (r *reporter) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := r.db.ReportDrivers(ctx, r.host, nil); err != nil {
		r.logger.Warn("the host's drivers stay listed until they are forgotten", "error", err)
	}
	return nil
}
