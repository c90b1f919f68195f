package k8s

import (
	"context"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Scaling chooses the nodes with the fewest pods, and among equals the one with
// the highest index, which is the one Heat would take. A cluster whose API
// cannot be asked is driver.ClassUnavailable: Heat's order holds then.
type Scaling struct{}

var _ driver.Scaling = Scaling{}

// SelectNodes answers from the cluster's own API.
func (Scaling) SelectNodes(ctx context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	if req.Count <= 0 || len(req.Nodes) == 0 {
		return driver.SelectNodesResponse{}, nil
	}
	c, err := newClient(req.Access)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	defer c.Close()
	nodes, err := c.nodes(ctx)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	pods, err := c.pods(ctx)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	load := map[string]int{}
	for _, p := range pods {
		if p.Spec.NodeName != "" && p.movable() {
			load[p.Spec.NodeName]++
		}
	}
	names := map[string]string{} // a node's addresses and name → its name
	for _, n := range nodes {
		names[n.Metadata.Name] = n.Metadata.Name
		for _, a := range n.Status.Addresses {
			if a.Type == "InternalIP" || a.Type == "ExternalIP" {
				names[a.Address] = n.Metadata.Name
			}
		}
	}
	return coe.Load{Unit: "pod", Nodes: names, Count: load}.FewestFirst(req), nil
}
