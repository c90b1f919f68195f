package standalone

import (
	"cmp"
	"context"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Monitoring reads a cluster's health: a manager says that it is well, and every
// engine is.
type Monitoring struct{}

var _ driver.Monitoring = Monitoring{}

// CheckHealth answers with the keys api, and <node>.Ready for every node.
func (Monitoring) CheckHealth(ctx context.Context, req driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	return engine.Health(ctx, Definition(), req, func(ctx context.Context, api engine.API) (map[string]bool, error) {
		nodes, err := swarm{api}.nodes(ctx)
		out := map[string]bool{}
		for _, n := range nodes {
			name := cmp.Or(n.name, n.address)
			out[name] = out[name] || n.healthy
		}
		return out, err
	}), nil
}
