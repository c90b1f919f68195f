package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/openstack"
	"github.com/go-magnum/magnum/sdk/driver"
)

func (a *api) createNodeGroup(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	b := newNodeGroupBody()
	if err := decode("nodegroup", body, nodeGroupAttributes(b)); err != nil {
		return nil, err
	}
	c, err := a.clusterOf(rq, "")
	if err != nil {
		return nil, err
	}
	if c.APIAddress == "" {
		return nil, magnum.Errorf(magnum.Conflict, "Cluster API address is not available yet")
	}
	if err := checkNameFree(c, b.name); err != nil {
		return nil, err
	}
	g := &magnum.NodeGroup{
		UUID: a.NewID(), Name: b.name, ClusterID: c.UUID, ProjectID: c.ProjectID, Role: b.role, NodeCount: b.count, MinNodeCount: b.least, MaxNodeCount: b.most,
		DockerVolumeSize: b.volumeSize, NodeLabels: b.nodeLabels, Status: magnum.CreateInProgress,
	}
	if g.NodeTaints, err = checkNodes(g, b.taints); err != nil {
		return nil, err
	}
	if g.IsMaster() {
		return nil, badRequest("Creating master nodegroups is currently not supported.")
	}
	d, err := a.driverOf(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	if err := checkGroupAbilities(d, g); err != nil {
		return nil, err
	}
	if err := gate(c, magnum.OpCreateNodeGroup); err != nil {
		return nil, err
	}
	if err := a.inheritToGroup(rq, g, b, c); err != nil {
		return nil, err
	}
	if b.labels != nil {
		if err := a.checkGroupLabels(d, g.Labels, c.Labels); err != nil {
			return nil, err
		}
	}
	op, err := a.groupOperation(rq, magnum.OpCreateNodeGroup, magnum.NodeGroupInput{NodeGroup: g.Name})
	if err != nil {
		return nil, err
	}
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		if err := checkNameFree(c, g.Name); err != nil {
			return err
		}
		if err := gate(c, magnum.OpCreateNodeGroup); err != nil {
			return err
		}
		c.NodeGroups = append(c.NodeGroups, *g)
		c.Status, c.StatusReason = magnum.UpdateInProgress, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.Notify()
	var e encoder
	e.newNodeGroup(rq.base, g, c.Labels)
	return &answer{status: http.StatusAccepted, body: e.b}, nil
}

func checkNameFree(c *magnum.Cluster, name string) error {
	for i := range c.NodeGroups {
		if c.NodeGroups[i].Name == name {
			return magnum.Errorf(magnum.Conflict, "A node group with name %s already exists in the cluster %s.", name, c.Name)
		}
	}
	return nil
}

// inheritToGroup fills what a new group has of its cluster and of the
// cluster's template, and asks the cloud whether image and flavor are there.
func (a *api) inheritToGroup(rq *request, g *magnum.NodeGroup, b *nodeGroupBody, c *magnum.Cluster) error {
	g.Labels = b.labels.Inherit(c.Labels, b.merge)
	if b.labels != nil && len(b.labels) == 0 && !b.merge {
		g.Labels = magnum.Labels{} // other than a cluster, a group may ask for none
	}
	g.FlavorID, g.ImageID = cmp.Or(b.flavor, c.FlavorID), b.image
	if g.ImageID == "" {
		t, err := a.templateOfCluster(rq.Context(), c)
		if err != nil {
			return err
		}
		g.ImageID = t.ImageID
	}
	looks := []func(context.Context) error{func(ctx context.Context) error {
		_, err := a.Lookup.Image(ctx, rq.caller, g.ImageID)
		return err
	}}
	var flavors []openstack.Flavor
	if g.FlavorID != "" {
		flavors = make([]openstack.Flavor, 1)
		looks = append(looks, a.flavor(rq, g.FlavorID, &flavors[0]))
	}
	if err := inOrder(rq.Context(), looks); err != nil {
		return err
	}
	return a.checkRootDisks(g.Labels, flavors...)
}

func (a *api) checkGroupLabels(d *driver.Description, labels, ofCluster magnum.Labels) error {
	if err := checkKnownLabels(labels); err != nil || d == nil {
		return err
	}
	if err := a.checkDriverLabels(d, labels); err != nil {
		return err
	}
	return a.checkWholeLabels(d, labels, ofCluster)
}

func (a *api) updateNodeGroup(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	steps, err := readPatch(rq, nodeGroupDialect)
	if err != nil {
		return nil, err
	}
	if err := nodeGroupDialect.checkRoots(steps); err != nil {
		return nil, err
	}
	c, err := a.clusterOf(rq, "")
	if err != nil {
		return nil, err
	}
	before, err := groupOf(c, rq.args["nodegroup_id"])
	if err != nil {
		return nil, err
	}
	after, err := patchedNodeGroup(before, steps)
	if err != nil {
		return nil, err
	}
	if sameNodes(before, after) {
		return updatedNodeGroup(rq, before, c), nil // nothing to do
	}
	d, err := a.driverOf(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	if err := checkGroupAbilities(d, after); err != nil {
		return nil, err
	}
	if err := a.checkFlavors(rq, after.Labels, given(after.FlavorID)...); err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpUpdateNodeGroup)
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		g, err := groupOf(c, before.UUID)
		if err != nil {
			return err
		}
		if err := gate(c, magnum.OpUpdateNodeGroup); err != nil {
			return err
		}
		// The row may have changed since: the patch is applied to what is
		// there now.
		was := *g
		if after, err = patchedNodeGroup(g, steps); err != nil {
			return err
		}
		if op.Input, err = json.Marshal(magnum.NodeGroupInput{NodeGroup: g.Name, Before: &was}); err != nil {
			return fmt.Errorf("update node group %s: %w", g.UUID, err)
		}
		*g = *after
		g.Status, g.StatusReason = magnum.UpdateInProgress, ""
		c.Status, c.StatusReason = magnum.UpdateInProgress, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.Notify()
	// With the status of before, as upstream answers: its conductor has not
	// begun.
	return updatedNodeGroup(rq, after, c), nil
}

func updatedNodeGroup(rq *request, g *magnum.NodeGroup, c *magnum.Cluster) *answer {
	var e encoder
	e.nodeGroup(rq.base, g, c.Labels)
	return &answer{status: http.StatusAccepted, body: e.b}
}

// sameNodes reports whether a patch changes nothing.
func sameNodes(x, y *magnum.NodeGroup) bool {
	return x.MinNodeCount == y.MinNodeCount && x.MaxNodeCount == y.MaxNodeCount &&
		sameLabels(x.NodeLabels, y.NodeLabels) && slices.Equal(x.NodeTaints, y.NodeTaints)
}

func (a *api) deleteNodeGroup(rq *request) (*answer, error) {
	if _, err := rq.arguments(); err != nil {
		return nil, err
	}
	c, err := a.clusterOf(rq, "")
	if err != nil {
		return nil, err
	}
	g, err := groupOf(c, rq.args["nodegroup_id"])
	if err != nil {
		return nil, err
	}
	if g.IsDefault {
		return nil, badRequest("Deleting a default nodegroup is not supported.")
	}
	d, err := a.driverOf(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	if d != nil && !d.Has(driver.CapNodeGroups) {
		return nil, noNodeGroups(d)
	}
	op, err := a.groupOperation(rq, magnum.OpDeleteNodeGroup, magnum.NodeGroupInput{NodeGroup: g.Name})
	if err != nil {
		return nil, err
	}
	going := false
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		g, err := groupOf(c, g.UUID)
		if err != nil {
			return err
		}
		if err := gate(c, magnum.OpDeleteNodeGroup); err != nil {
			return err
		}
		going = g.Status == magnum.DeleteInProgress
		g.Status, g.StatusReason = magnum.DeleteInProgress, ""
		c.Status, c.StatusReason = magnum.UpdateInProgress, ""
		return nil
	})
	// Where an operation is under way that takes the group away, that is what
	// was asked for.
	if err != nil && (!going || magnum.KindOf(err) != magnum.Conflict) {
		return nil, err
	}
	a.Notify()
	return &answer{status: http.StatusNoContent}, nil
}

func (a *api) groupOperation(rq *request, kind magnum.OperationKind, in magnum.NodeGroupInput) (*magnum.Operation, error) {
	op := a.operation(rq, kind)
	text, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, in.NodeGroup, err)
	}
	op.Input = text
	return op, nil
}

// driverOf is the description of the driver that a cluster is pinned to; nil
// where no conductor has it any more, which the operation will say.
func (a *api) driverOf(ctx context.Context, c *magnum.Cluster) (*driver.Description, error) {
	drivers, err := a.drivers(ctx)
	if err != nil {
		return nil, err
	}
	return drivers.version(c.Driver), nil
}

// checkGroupAbilities asks the description of the cluster's driver whether it
// can do what is wanted of a group.
func checkGroupAbilities(d *driver.Description, g *magnum.NodeGroup) error {
	switch {
	case d == nil:
		return nil
	case !d.Has(driver.CapNodeGroups):
		return noNodeGroups(d)
	case len(g.NodeLabels)+len(g.NodeTaints) > 0 && !d.Has(driver.CapNodeLabels):
		return badRequest("Node labels and taints are not supported by driver %s.", d.Name)
	case g.NodeCount == 0 && !d.Has(driver.CapZeroNodes):
		return noZeroNodes(d)
	}
	return nil
}

func noNodeGroups(d *driver.Description) error {
	return badRequest("Node groups are not supported by driver %s.", d.Name)
}
