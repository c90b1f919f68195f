package swarm

import (
	"context"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Scaling chooses the nodes with the fewest running tasks. A cluster whose API
// cannot be asked is driver.ClassUnavailable: Heat's order holds then.
type Scaling struct{}

var _ driver.Scaling = Scaling{}

// SelectNodes answers from the swarm's managers.
func (Scaling) SelectNodes(ctx context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	if req.Count <= 0 || len(req.Nodes) == 0 {
		return driver.SelectNodesResponse{}, nil
	}
	api, err := engine.New(req.Access, req.Template.TLSDisabled)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	defer api.Close()
	d := docker{api}
	nodes, err := d.nodes(ctx)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	tasks, err := d.tasks(ctx)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	return load(nodes, tasks).FewestFirst(req), nil
}

// load counts by a node's id. What is down is found under its name and address
// only as long as no other node has them.
func load(nodes []node, tasks []task) coe.Load {
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
	return l
}
