package conductor

import (
	"context"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// rotateCAFlow gives the cluster new authorities. Nodes fetch their
// certificates while the stack changes, so the new ones take the old ones'
// place just before Heat is asked. Until Heat may have it everything can be
// taken back; from then on it goes forward only: there may be nodes that have
// left the old authorities behind, and the next update of the stack carries
// the new ones to the rest.
func (c *Conductor) rotateCAFlow(t *task) (flow, error) {
	j := job{intent: driver.IntentRotateCA, marks: true}
	phases := []phase{
		{
			name:  "certificates",
			doing: func(*task) string { return "the cluster's new certificates" },
			run: func(ctx context.Context, t *task) (change, error) {
				return nil, c.Cert.Stage(ctx, t.op, t.cluster)
			},
		},
		c.renderPhase(j),
		{
			name:  "switch",
			doing: func(*task) string { return "the new certificates to take the old ones' place" },
			run:   func(context.Context, *task) (change, error) { return nil, nil },
			save:  c.keypairs(c.DB.AdvanceKeypairs, cert.Promote),
		},
		c.updatePhase(j),
		c.followPhase(c.judgeUpdate),
		c.outputsPhase(),
	}
	settle := cert.Demote
	if t.data.Asked {
		settle = cert.Retire
	}
	return flow{
		phases:  append(phases, c.restPhases(t, j)...),
		cluster: "UPDATE", group: "UPDATE", about: inStack(""),
		ending:  c.keypairs(c.DB.FinishKeypairs, cert.Retire),
		failing: c.keypairs(c.DB.FinishKeypairs, settle),
	}, nil
}

// keypairs saves a change of keypairs together with one of the cluster.
func (c *Conductor) keypairs(how func(context.Context, *magnum.Operation, state.KeypairChange) error, what state.KeypairChange) save {
	return func(ctx context.Context, op *magnum.Operation, change func(*magnum.Cluster) error) error {
		return how(ctx, op, func(cluster *magnum.Cluster, pairs map[string]string) error {
			if err := what(cluster, pairs); err != nil {
				return err
			}
			return change(cluster)
		})
	}
}

// restPhases bring a change of the whole cluster to the node groups that have
// stacks of their own, one after the other. One that was never made is left
// out.
func (c *Conductor) restPhases(t *task, j job) []phase {
	var phases []phase
	for i := range t.cluster.NodeGroups {
		g := &t.cluster.NodeGroups[i]
		if ownStack(g) == "" || g.StackID == "" || g.Status == magnum.CreateFailed {
			continue
		}
		j.group = g.Name
		phases = append(phases, each(g.UUID, c.renderPhase(j), c.updatePhase(j), c.followPhase(c.judgeUpdate))...)
	}
	return phases
}
