package k8s

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
	defer c.close()
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
	candidates := weigh(req.Nodes, nodes, load)
	var out driver.SelectNodesResponse
	for _, one := range candidates[:min(req.Count, len(candidates))] {
		out.Nodes = append(out.Nodes, driver.Selected{HeatIndex: one.heatIndex, Reason: one.reason()})
	}
	return out, nil
}

type candidate struct {
	heatIndex string
	index     int // the index as a number, -1 if it is none
	pods      int // -1 if the node is not in the cluster
}

func (c candidate) reason() string {
	switch c.pods {
	case -1:
		return "not a node of the cluster"
	case 1:
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", c.pods)
}

// weigh sorts servers, first to go first. One that never joined the cluster
// carries nothing and goes before all others.
func weigh(servers []driver.Node, nodes []node, load map[string]int) []candidate {
	names := map[string]string{} // a node's addresses and name → its name
	for _, n := range nodes {
		names[n.Metadata.Name] = n.Metadata.Name
		for _, a := range n.Status.Addresses {
			if a.Type == "InternalIP" || a.Type == "ExternalIP" {
				names[a.Address] = n.Metadata.Name
			}
		}
	}
	var out []candidate
	for _, s := range servers {
		c := candidate{heatIndex: s.HeatIndex, index: -1, pods: -1}
		if i, err := strconv.Atoi(s.HeatIndex); err == nil {
			c.index = i
		}
		// Host names are the server's name in the letters a host may have.
		host := strings.ReplaceAll(strings.ToLower(s.Name), "_", "-")
		for _, key := range []string{s.Address, s.Name, host} {
			if name, ok := names[key]; ok && key != "" {
				c.pods = load[name]
				break
			}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.pods, b.pods), cmp.Compare(b.index, a.index))
	})
	return out
}
