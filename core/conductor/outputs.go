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
		return nil, fatal(fmt.Sprintf("Driver %s makes clusters without Heat, and this one has a stack.", set.Name))
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
		patchGroups(cluster, inStack(group), mapped.NodeGroups)
		if group == "" {
			patchCluster(cluster, mapped.Cluster)
		}
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

// patchGroups applies what a driver said of node groups that are within what it
// was asked about. A group that is not known is left out: the core owns the
// list of groups.
func patchGroups(cluster *magnum.Cluster, within func(*magnum.NodeGroup) bool, patches []driver.NodeGroupPatch) {
	for _, p := range patches {
		g := cluster.NodeGroup(p.Name)
		if g == nil || !within(g) {
			continue
		}
		if p.NodeAddresses != nil {
			g.NodeAddresses = p.NodeAddresses
		}
		if p.NodeCount != nil {
			g.NodeCount = *p.NodeCount
		}
	}
}

func patchCluster(cluster *magnum.Cluster, p driver.ClusterPatch) {
	for _, f := range []struct {
		to   *string
		from *string
	}{
		{&cluster.APIAddress, p.APIAddress},
		{&cluster.COEVersion, p.COEVersion},
		{&cluster.ContainerVersion, p.ContainerVersion},
		{&cluster.DiscoveryURL, p.DiscoveryURL},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
}
