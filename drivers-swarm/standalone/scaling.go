package standalone

import (
	"cmp"
	"context"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Scaling chooses the nodes with the fewest running containers.
type Scaling struct{}

var _ driver.Scaling = Scaling{}

// SelectNodes answers from the Swarm managers.
func (Scaling) SelectNodes(ctx context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	return engine.FewestFirst(ctx, req, load)
}

// load is by a node's name, or its address as long as it has none. A server that
// was made anew has its predecessor's name, and that one's containers are gone.
func load(ctx context.Context, api engine.API) (coe.Load, error) {
	nodes, err := swarm{api}.nodes(ctx)
	if err != nil {
		return coe.Load{}, err
	}
	count, err := swarm{api}.running(ctx)
	l := coe.Load{Unit: "container", Nodes: map[string]string{}, Count: count}
	for _, n := range nodes {
		l.Nodes[n.address] = cmp.Or(n.name, n.address)
		if n.name != "" {
			l.Nodes[n.name] = n.name
		}
	}
	return l, err
}
