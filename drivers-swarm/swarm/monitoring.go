package swarm

import (
	"context"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Monitoring reads a cluster's health: a manager says that it is well, and every
// node of the swarm is ready.
type Monitoring struct{}

var _ driver.Monitoring = Monitoring{}

// CheckHealth answers with the keys api, and <node>.Ready for every node.
func (Monitoring) CheckHealth(ctx context.Context, req driver.CheckHealthRequest) (driver.CheckHealthResponse, error) {
	return engine.Health(ctx, Definition(), req, func(ctx context.Context, api engine.API) (map[string]bool, error) {
		nodes, err := docker{api}.nodes(ctx)
		return readiness(nodes), err
	}), nil
}

// readiness is that of nodes by their names. A worker that was removed stays in
// the swarm's list; where a new server has its name, the new one counts.
func readiness(nodes []node) map[string]bool {
	out := map[string]bool{}
	for _, n := range nodes {
		name := n.Description.Hostname
		out[name] = out[name] || n.Status.State == stateReady
	}
	return out
}
