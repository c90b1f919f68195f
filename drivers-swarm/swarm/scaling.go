package swarm

import (
	"context"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Scaling chooses the nodes with the fewest running tasks.
type Scaling struct{}

var _ driver.Scaling = Scaling{}

// SelectNodes answers from the swarm's managers.
func (Scaling) SelectNodes(ctx context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	return engine.FewestFirst(ctx, req, load)
}

// load counts by a node's id. What is down is found under its name and address
// only as long as no other node has them.
func load(ctx context.Context, api engine.API) (coe.Load, error) {
	nodes, err := docker{api}.nodes(ctx)
	if err != nil {
		return coe.Load{}, err
	}
	tasks, err := docker{api}.tasks(ctx)
	l := coe.Load{Unit: "task", Nodes: map[string]string{}, Count: map[string]int{}}
	for _, n := range nodes {
		for _, name := range []string{n.Description.Hostname, n.Status.Addr} {
			if _, taken := l.Nodes[name]; name != "" && (!taken || n.Status.State != stateDown) {
				l.Nodes[name] = n.ID
			}
		}
	}
	for _, t := range tasks {
		if t.NodeID != "" { // else it waits for a node
			l.Count[t.NodeID]++
		}
	}
	return l, err
}
