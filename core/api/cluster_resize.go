package api

import (
	"strconv"

	"github.com/go-magnum/magnum/core/magnum"
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
	if err := a.checkResizable(rq, c, in.NodeCount, in.NodesToRemove); err != nil {
		return nil, err
	}
	op := a.operation(rq, magnum.OpResize)
	err = a.DB.Accept(rq.Context(), c.UUID, op, func(c *magnum.Cluster) error {
		g, err := groupToResize(c, in.NodeGroup)
		if err != nil {
			return err
		}
		if err := checkBounds(g, in.NodeCount); err != nil {
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

func groupToResize(c *magnum.Cluster, ident string) (*magnum.NodeGroup, error) {
	g := c.Default(false)
	if ident != "" {
		g = c.NodeGroup(ident)
	} else {
		ident = magnum.DefaultWorker
	}
	switch {
	case g == nil:
		return nil, magnum.Errorf(magnum.NotFound, "Nodegroup %s could not be found.", ident)
	case g.IsMaster():
		return nil, badRequest("Resizing a master nodegroup is not supported.")
	}
	return g, nil
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
