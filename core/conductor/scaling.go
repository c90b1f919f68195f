package conductor

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

const (
	// selectWithin bounds the look at the cluster: a COE that does not answer
	// must not keep a cluster from shrinking.
	selectWithin = 30 * time.Second
	// accessFor is how long the client certificate for that look is valid.
	accessFor = 10 * time.Minute
)

// selectPhase settles which nodes go when a group shrinks: those the user
// named, else those the driver picks, else Heat's own, from the end.
func (c *Conductor) selectPhase(in *magnum.ResizeInput) phase {
	return phase{
		name:  "select",
		doing: func(t *task) string { return "driver " + driverName(t) + " to choose the nodes that go" },
		run: func(ctx context.Context, t *task) (change, error) {
			t.data.NodesToRemove, t.data.Order = in.NodesToRemove, ""
			shrink := in.Previous - in.NodeCount
			if shrink <= 0 || len(in.NodesToRemove) > 0 {
				return nil, nil
			}
			chosen, err := c.chooseNodes(ctx, t, in, shrink)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				t.data.Order = "Heat chooses the nodes that go: " + t.judge(err).text
				t.log.Warn("the driver did not choose nodes; Heat will", "error", err)
			}
			t.data.NodesToRemove = chosen
			return nil, nil
		},
	}
}

func (c *Conductor) chooseNodes(ctx context.Context, t *task, in *magnum.ResizeInput, count int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, selectWithin)
	defer cancel()
	set, err := c.driver(ctx, t)
	if err != nil {
		return nil, err
	}
	if set.Scaling == nil {
		return nil, fatal(fmt.Sprintf("driver %s leaves it to Heat", set.Name))
	}
	group := t.cluster.NodeGroup(in.NodeGroup)
	nodes, err := c.nodes(ctx, t, group)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, fatal("the group's nodes are not to be told from the stack")
	}
	access, err := c.Cert.Mint(ctx, t.cluster, "admin", "system:masters", accessFor)
	if err != nil {
		return nil, err
	}
	access.Endpoint = t.cluster.APIAddress
	before := driverGroup(group)
	before.NodeCount = in.Previous
	answer, err := set.Scaling.SelectNodes(ctx, driver.SelectNodesRequest{
		Cluster: driverCluster(t.cluster), Template: driverTemplate(t.template), NodeGroup: before,
		Nodes: nodes, Count: count, Access: access,
	})
	if err != nil {
		return nil, fmt.Errorf("ask driver %s for nodes: %w", set.Name, err)
	}
	return known(t, nodes, answer.Nodes, count), nil
}

// known takes from a driver's choice what can be right: nodes that are there,
// each once, and no more than asked for.
func known(t *task, nodes []driver.Node, chosen []driver.Selected, count int) []string {
	var indexes []string
	for _, s := range chosen {
		there := slices.ContainsFunc(nodes, func(n driver.Node) bool { return n.HeatIndex == s.HeatIndex })
		if !there || slices.Contains(indexes, s.HeatIndex) || len(indexes) == count {
			continue
		}
		t.log.Info("node chosen to go", "index", s.HeatIndex, "reason", s.Reason)
		indexes = append(indexes, s.HeatIndex)
	}
	return indexes
}

// nodes reads a group's servers off the stack: the members of the resource
// group whose members contain servers. Masters are those of a group that has
// "master" in its name; that is how every template of this family calls it.
// Names and addresses are Nova's: a COE knows its nodes by what they are called
// and by their addresses in the cluster's network, never by floating ones.
func (c *Conductor) nodes(ctx context.Context, t *task, group *magnum.NodeGroup) ([]driver.Node, error) {
	session, err := c.session(ctx, t)
	if err != nil {
		return nil, err
	}
	all, err := c.Heat.Resources(ctx, session, t.stackRef())
	if err != nil {
		return nil, err
	}
	servers, err := c.Heat.Servers(ctx, session, t.stackRef())
	if err != nil {
		return nil, err
	}
	var nodes []driver.Node
	for _, r := range all {
		if r.Type != "OS::Nova::Server" {
			continue
		}
		name, index := member(r.Path)
		if index == "" || strings.Contains(name, "master") != group.IsMaster() {
			continue
		}
		server := servers[r.PhysicalID]
		node := driver.Node{Name: server.Name, HeatIndex: index, ServerID: r.PhysicalID}
		if len(server.Addresses) > 0 {
			node.Address = server.Addresses[0]
		}
		nodes = append(nodes, node)
	}
	slices.SortFunc(nodes, func(a, b driver.Node) int {
		x, _ := strconv.Atoi(a.HeatIndex) // checked above
		y, _ := strconv.Atoi(b.HeatIndex)
		return x - y
	})
	return nodes, nil
}

// member finds the resource group that a server is in, and its index there, by
// the server's place in the tree: group, index, server, and in between what
// the server is nested in, such as the template of one that boots from a volume.
func member(path []string) (group, index string) {
	for i := len(path) - 2; i > 0; i-- {
		if _, err := strconv.Atoi(path[i]); err == nil {
			return path[i-1], path[i]
		}
	}
	return "", ""
}
