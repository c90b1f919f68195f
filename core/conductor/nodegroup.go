package conductor

import (
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// createGroupFlow makes a node group's own stack. A group that failed stays,
// to be looked at and deleted.
func (c *Conductor) createGroupFlow(t *task) (flow, error) {
	_, group, err := t.groupInput()
	if err != nil {
		return flow{}, err
	}
	if group.IsDefault {
		return flow{}, fatal("Nodegroup " + group.Name + " is a part of the cluster's own stack.")
	}
	j := job{intent: driver.IntentCreateNodeGroup, group: group.Name}
	return flow{
		phases: onStack(ownStack(group),
			c.renderPhase(j),
			c.createPhase(j),
			c.followPhase(c.judgeCreate),
			c.outputsPhase(),
		),
		cluster: "UPDATE", group: "CREATE", about: inStack(ownStack(group)),
	}, nil
}

// updateGroupFlow brings the stack of a group to what its row says: its own, or
// the cluster's where the group is a default one.
func (c *Conductor) updateGroupFlow(t *task) (flow, error) {
	in, group, err := t.groupInput()
	if err != nil {
		return flow{}, err
	}
	j := job{intent: driver.IntentUpdateNodeGroup, group: group.Name}
	return flow{
		phases: onStack(ownStack(group),
			c.renderPhase(j),
			c.updatePhase(j),
			c.followPhase(c.judgeUpdate),
			c.outputsPhase(),
		),
		cluster: "UPDATE", group: "UPDATE", about: inStack(ownStack(group)),
		restore: func(cluster *magnum.Cluster) {
			g := cluster.NodeGroup(group.UUID)
			if g == nil || in.Before == nil {
				return
			}
			g.MinNodeCount, g.MaxNodeCount = in.Before.MinNodeCount, in.Before.MaxNodeCount
			g.NodeLabels, g.NodeTaints = in.Before.NodeLabels, in.Before.NodeTaints
		},
	}, nil
}

// deleteGroupFlow removes a group's stack and then its row. It asks no driver:
// one that is not installed any more is no reason to keep a group.
func (c *Conductor) deleteGroupFlow(t *task) (flow, error) {
	_, group, err := t.groupInput()
	if err != nil {
		return flow{}, err
	}
	if group.IsDefault {
		return flow{}, fatal("Deleting a default nodegroup is not supported.")
	}
	return flow{
		phases:  onStack(ownStack(group), c.deletePhase(), c.followDelete()),
		cluster: "UPDATE", group: "DELETE", about: inStack(ownStack(group)),
		end: func(cluster *magnum.Cluster) {
			kept := cluster.NodeGroups[:0]
			for _, g := range cluster.NodeGroups {
				if g.UUID != group.UUID {
					kept = append(kept, g)
				}
			}
			cluster.NodeGroups = kept
		},
	}, nil
}

// groupInput is what was asked of a node group, and the group.
func (t *task) groupInput() (magnum.NodeGroupInput, *magnum.NodeGroup, error) {
	var in magnum.NodeGroupInput
	if err := t.input(&in); err != nil {
		return in, nil, err
	}
	group, err := t.named(in.NodeGroup)
	return in, group, err
}
