package conductor

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// upgradeFlow brings the cluster's stack to another template, or the stack of a
// node group to the one that the cluster has by now. What the rows say of it
// changes when Heat has taken the update: whatever fails before leaves all as
// it was.
func (c *Conductor) upgradeFlow(t *task) (flow, error) {
	in := &magnum.UpgradeInput{}
	if err := t.input(in); err != nil {
		return flow{}, err
	}
	own := ""
	j := job{intent: driver.IntentUpgrade, upgrade: in}
	if in.NodeGroup != "" {
		group, err := t.named(in.NodeGroup)
		if err != nil {
			return flow{}, err
		}
		own, j.group = ownStack(group), group.Name
	}
	update := c.updatePhase(j)
	send := update.run
	update.run = func(ctx context.Context, t *task) (change, error) {
		m, err := c.move(ctx, t, in)
		if err != nil {
			return nil, err
		}
		if _, err := send(ctx, t); err != nil {
			return nil, err
		}
		return func(cluster *magnum.Cluster) error {
			m.apply(cluster)
			return nil
		}, nil
	}
	return flow{
		phases:  onStack(own, c.renderPhase(j), update, c.followPhase(c.judgeUpdate), c.outputsPhase()),
		cluster: "UPDATE", group: "UPDATE", about: inStack(own),
	}, nil
}

// move is what an upgrade makes of a cluster.
type move struct {
	template *magnum.ClusterTemplate
	// cluster is a copy, as it will be; apply does the same to its rows.
	cluster *magnum.Cluster
	apply   func(cluster *magnum.Cluster)
}

// move finds out where an upgrade leads. All phases of an operation get the
// same answer, but after a crash: then it is worked out anew.
func (c *Conductor) move(ctx context.Context, t *task, in *magnum.UpgradeInput) (*move, error) {
	if t.move != nil {
		return t.move, nil
	}
	m := &move{template: t.template}
	if in.ClusterTemplate != t.template.UUID {
		// Only the cluster itself, of which the default groups are, moves on.
		if g := t.cluster.NodeGroup(in.NodeGroup); g != nil && !g.IsDefault {
			return nil, fatal(fmt.Sprintf("Nodegroup %s can be upgraded only to match cluster's template (%s).", g.Name, t.template.Name))
		}
		var err error
		if m.template, err = c.DB.Template(ctx, state.Scope{All: true}, in.ClusterTemplate); err != nil {
			return nil, fmt.Errorf("load the cluster template to upgrade to: %w", err)
		}
	}
	if group := t.group; group != "" {
		m.apply = func(cluster *magnum.Cluster) { catchUp(cluster, group, m.template) }
	} else {
		to, err := c.driverOfType(ctx, m.template)
		if err != nil {
			return nil, err
		}
		from := t.template.Labels
		m.apply = func(cluster *magnum.Cluster) {
			cluster.ClusterTemplateID, cluster.Driver = m.template.UUID, to
			cluster.Labels = cluster.Labels.Move(from, m.template.Labels)
			for i := range cluster.NodeGroups {
				if g := &cluster.NodeGroups[i]; g.IsDefault {
					g.Labels = g.Labels.Move(from, m.template.Labels)
				}
			}
		}
	}
	wanted := *t.cluster
	wanted.NodeGroups = slices.Clone(t.cluster.NodeGroups)
	m.apply(&wanted)
	m.cluster, t.move = &wanted, m
	return m, nil
}

// catchUp gives a node group the cluster's values of all that the template
// sets. Which template the group had before is not on record, so that of these
// it cannot keep values of its own.
func catchUp(cluster *magnum.Cluster, group string, template *magnum.ClusterTemplate) {
	g := cluster.NodeGroup(group)
	if g == nil {
		return
	}
	labels := maps.Clone(g.Labels)
	for key := range template.Labels {
		value, ok := cluster.Labels[key]
		if !ok {
			continue // the cluster itself does without
		}
		if labels == nil {
			labels = magnum.Labels{}
		}
		labels[key] = value
	}
	g.Labels = labels
}
