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

// publisher tells the database which drivers there are, so that the API can
// check requests without ever starting one.
type publisher struct {
	db      *state.DB
	drivers Drivers
	options config.Drivers
	logger  hclog.Logger

	last []state.Driver
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
	if p.last != nil && reflect.DeepEqual(p.last, installed) {
		return nil
	}
	if err := p.db.PublishDrivers(ctx, installed); err != nil {
		return fmt.Errorf("publish the drivers' descriptions: %w", err)
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
