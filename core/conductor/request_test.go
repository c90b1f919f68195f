package conductor

import (
	"encoding/json"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// request starts an operation as the API does: change is what it writes into
// the rows.
func (b *bench) request(cluster string, kind magnum.OperationKind, input any, change func(*magnum.Cluster)) {
	b.Helper()
	op := &magnum.Operation{Kind: kind, Initiator: magnum.Initiator{UserID: keystonetest.DemoUser, ProjectID: keystonetest.DemoProj}}
	if input != nil {
		var err error
		op.Input, err = json.Marshal(input)
		b.must(err)
	}
	b.must(b.db.Accept(b.Context(), cluster, op, func(c *magnum.Cluster) error {
		c.Status = magnum.UpdateInProgress
		if change != nil {
			change(c)
		}
		return nil
	}))
}

func (b *bench) createGroup(cluster, name string) {
	b.Helper()
	b.request(cluster, magnum.OpCreateNodeGroup, magnum.NodeGroupInput{NodeGroup: name}, func(c *magnum.Cluster) {
		c.NodeGroups = append(c.NodeGroups, magnum.NodeGroup{Name: name, Role: magnum.RoleWorker, NodeCount: 2, Status: magnum.CreateInProgress})
	})
}

func (b *bench) deleteGroup(cluster, name string) {
	b.Helper()
	b.request(cluster, magnum.OpDeleteNodeGroup, magnum.NodeGroupInput{NodeGroup: name}, func(c *magnum.Cluster) {
		c.NodeGroup(name).Status = magnum.DeleteInProgress
	})
}

// updateGroup asks for other bounds, labels and taints.
func (b *bench) updateGroup(cluster, name string) {
	b.Helper()
	before := *b.cluster(cluster).NodeGroup(name)
	b.request(cluster, magnum.OpUpdateNodeGroup, magnum.NodeGroupInput{NodeGroup: name, Before: &before}, func(c *magnum.Cluster) {
		g := c.NodeGroup(name)
		g.Status = magnum.UpdateInProgress
		g.MinNodeCount, g.MaxNodeCount = 1, 7
		g.NodeLabels, g.NodeTaints = magnum.Labels{"zone": "b"}, []magnum.Taint{{Key: "gpu", Effect: "NoSchedule"}}
	})
}

// withGroup is a cluster with the node group gpu.
func (b *bench) withGroup(c *Conductor) string {
	b.Helper()
	uuid := b.made(c)
	b.createGroup(uuid, "gpu")
	if got := b.settled(uuid, c); got.Status != magnum.UpdateComplete {
		b.Fatalf("%s %q", got.Status, got.StatusReason)
	}
	return uuid
}

// stackOf is the node group's stack, as Heat has it; nil where there is none.
func (b *bench) stackOf(g *magnum.NodeGroup) *heattest.Stack {
	for _, s := range b.heat.Stacks() {
		if s.ID == g.StackID {
			return &s
		}
	}
	return nil
}

// statuses are the cluster's and its groups', in their order.
func statuses(c *magnum.Cluster) []magnum.Status {
	all := []magnum.Status{c.Status}
	for _, g := range c.NodeGroups {
		all = append(all, g.Status)
	}
	return all
}

func (b *bench) wantStatuses(c *magnum.Cluster, want ...magnum.Status) {
	b.Helper()
	if d := cmp.Diff(want, statuses(c)); d != "" {
		b.Errorf("statuses of the cluster and its groups (-want +got):\n%s\n%q", d, c.StatusReason)
	}
}
