package api

import (
	"strconv"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func (a *api) resizeCluster(rq *request) (*answer, error) {
	if _, err := rq.query(); err != nil {
		return nil, err
	}
	body, err := rq.content()
	if err != nil {
		return nil, err
	}
	var in magnum.ResizeInput
	err = decode("cluster_resize_req", body, []attribute{
		required(intAttribute("node_count", 0, maxInt, func(n int) { in.NodeCount = n })),
		listAttribute("nodes_to_remove", func(l []string) { in.NodesToRemove = l }),
		identAttribute("nodegroup", &in.NodeGroup),
	})
	if err != nil {
		return nil, err
	}
	if in.NodeCount == 0 && rq.version < 10 {
		return nil, rq.version.zeroNodes()
	}
	c, err := a.cluster(rq, "")
	if err != nil {
		return nil, err
	}
	if err := rq.enforce(clusterTarget{rq, c}); err != nil {
		return nil, err
	}
	d, err := a.driverOf(rq.Context(), c)
	if err != nil {
		return nil, err
	}
	if _, err := groupToResize(c, d, in); err != nil {
		return nil, err
	}
	if err := gate(c, magnum.OpResize); err != nil {
		return nil, err
	}
	if err := checkResizable(rq, d, in.NodeCount, in.NodesToRemove); err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpResize)
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		g, err := groupToResize(c, d, in)
		if err != nil {
			return err
		}
		if err := gate(c, magnum.OpResize); err != nil {
			return err
		}
		return resize(c, g, op, in)
	})
	if err != nil {
		return nil, err
	}
	a.Notify()
	return accepted(c.UUID), nil
}

// groupToResize finds the group, and refuses a number of nodes that it cannot
// have.
func groupToResize(c *magnum.Cluster, d *driver.Description, in magnum.ResizeInput) (*magnum.NodeGroup, error) {
	g, err := groupOrWorkers(c, in.NodeGroup)
	switch {
	case err != nil:
		return nil, err
	case !g.IsMaster():
		return g, checkBounds(g, in.NodeCount)
	// A cluster's store is not resized on the chance that its driver can.
	case d == nil || !d.Has(driver.CapResizeMasters):
		return nil, badRequest("Resizing a master nodegroup is not supported.")
	}
	limits := d.Limits
	limits.MinMasters = max(limits.MinMasters, 1)
	if err := checkMasters(limits, in.NodeCount); err != nil {
		return nil, err
	}
	if in.NodeCount > 1 && !c.MasterLBEnabled {
		return nil, errMastersWithoutLB
	}
	return g, nil
}

var errMastersWithoutLB = badRequest("master_count must be 1 when master_lb_enabled is False")

// groupOrWorkers is the group that a request names, or else the cluster's
// default workers.
func groupOrWorkers(c *magnum.Cluster, ident string) (*magnum.NodeGroup, error) {
	if ident != "" {
		return groupOf(c, ident)
	}
	if g := c.Default(false); g != nil {
		return g, nil
	}
	return nil, magnum.Errorf(magnum.NotFound, "Nodegroup %s could not be found.", magnum.DefaultWorker)
}

// checkBounds refuses counts outside the group's own range. A maximum of 0 is
// unset.
func checkBounds(g *magnum.NodeGroup, n int) error {
	if n >= g.MinNodeCount && (g.MaxNodeCount == 0 || n <= g.MaxNodeCount) {
		return nil
	}
	most := "None"
	if g.MaxNodeCount != 0 {
		most = strconv.Itoa(g.MaxNodeCount)
	}
	return badRequest("Resizing %s outside the allowed range: min_node_count = %d, max_node_count = %s", g.Name, g.MinNodeCount, most)
}
