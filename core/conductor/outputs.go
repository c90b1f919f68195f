package conductor

import (
	"context"
	"fmt"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// outputsPhase has the driver read the finished stack.
func (c *Conductor) outputsPhase() phase {
	return phase{
		name:  "outputs",
		doing: func(t *task) string { return "driver " + driverName(t) + " to read the stack's outputs" },
		run: func(ctx context.Context, t *task) (change, error) {
			return c.readOutputs(ctx, t)
		},
	}
}

func (c *Conductor) readOutputs(ctx context.Context, t *task) (change, error) {
	set, err := c.driver(ctx, t)
	if err != nil {
		return nil, err
	}
	if set.Templates == nil {
		return nil, fatal(fmt.Sprintf("Driver %s does not describe Heat stacks.", set.Name))
	}
	session, err := c.session(ctx, t)
	if err != nil {
		return nil, err
	}
	result, err := c.Heat.Outputs(ctx, session, t.stackRef())
	if err != nil {
		return nil, err
	}
	for _, name := range t.data.SecretParameters {
		delete(result.Parameters, name) // also where a template does not hide it
	}
	resources, err := c.Heat.Resources(ctx, session, t.stackRef())
	if err != nil {
		return nil, err
	}
	request := driver.MapOutputsRequest{
		Template: driverTemplate(t.template), Cluster: driverCluster(t.cluster), NodeGroups: driverGroups(t.cluster),
		Outputs: result.Outputs, Parameters: result.Parameters, Resources: contractResources(resources),
	}
	group := t.group
	if g := t.own(); g != nil {
		request.NodeGroup = g.Name
	}
	mapped, err := set.Templates.MapOutputs(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("ask driver %s to map the outputs: %w", set.Name, err)
	}
	described, err := set.Driver.Describe(ctx, driver.DescribeRequest{})
	if err != nil {
		return nil, fmt.Errorf("ask driver %s to describe itself: %w", set.Name, err)
	}
	return func(cluster *magnum.Cluster) error {
		if v := described.Description.ContainerVersion; v != "" && group == "" {
			cluster.ContainerVersion = v
		}
		patch(cluster, group, mapped)
		return nil
	}, nil
}

func contractResources(all []heat.Resource) []driver.Resource {
	resources := make([]driver.Resource, len(all))
	for i, r := range all {
		resources[i] = r.Resource
	}
	return resources
}

// patch applies what a driver said of the stack of a group, or of the cluster
// if that is empty. What is not in that stack is left out, and so is a group
// that is not known: the core owns the list of groups.
func patch(cluster *magnum.Cluster, group string, m driver.MapOutputsResponse) {
	for _, p := range m.NodeGroups {
		g := cluster.NodeGroup(p.Name)
		if g == nil || !inStack(group)(g) {
			continue
		}
		if p.NodeAddresses != nil {
			g.NodeAddresses = p.NodeAddresses
		}
		if p.NodeCount != nil {
			g.NodeCount = *p.NodeCount
		}
	}
	if group != "" {
		return
	}
	for _, f := range []struct {
		to   *string
		from *string
	}{
		{&cluster.APIAddress, m.Cluster.APIAddress},
		{&cluster.COEVersion, m.Cluster.COEVersion},
		{&cluster.ContainerVersion, m.Cluster.ContainerVersion},
		{&cluster.DiscoveryURL, m.Cluster.DiscoveryURL},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
}
