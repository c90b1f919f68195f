package server

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// publishEvery is how soon a driver that was installed beside a running
// conductor is known to the API.
const publishEvery = 5 * time.Second

// publisher tells the database which drivers this host has, so that the API can
// check requests without ever starting one, and conductors on other hosts leave
// clusters of drivers to it that they have not.
type publisher struct {
	db      *state.DB
	drivers Drivers
	options config.Drivers
	host    string
	// every is how often they are told anew: others forget a host that was
	// cut off for long.
	every  time.Duration
	logger hclog.Logger

	last []state.Driver
	told time.Time
	news chan struct{} // told of every change
}

func (p *publisher) publish(ctx context.Context) error {
	installed, err := p.drivers.Installed()
	if err != nil {
		return fmt.Errorf("list the installed drivers: %w", err)
	}
	for i := range installed {
		d := &installed[i]
		beta := d.Description.Maturity == driver.MaturityBeta
		d.Active = d.Active && p.options.Gate(d.Name, beta) == nil
	}
	same := p.last != nil && reflect.DeepEqual(p.last, installed)
	if same && time.Since(p.told) < p.every {
		return nil
	}
	// That there is a conductor goes first: drivers of a host without one
	// count for little.
	if err := p.db.Heartbeat(ctx, p.host, state.ConductorBinary); err != nil {
		return err
	}
	if err := p.db.PublishDrivers(ctx, p.host, installed); err != nil {
		return fmt.Errorf("publish the drivers' descriptions: %w", err)
	}
	p.told = time.Now()
	if same {
		return nil
	}
	for _, d := range installed {
		p.logger.Info("driver published", "driver", d.Name, "version", d.Version, "active", d.Active)
	}
	p.last = append([]state.Driver{}, installed...) // not nil, even if there are none
	select {
	case p.news <- struct{}{}:
	default: // it is to be told already
	}
	return nil
}

func (p *publisher) run(ctx context.Context) error {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	outages := obs.NewOutages(p.logger)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := p.publish(ctx); ctx.Err() == nil {
				outages.Note("publish the drivers' descriptions", err)
			}
		}
	}
}
