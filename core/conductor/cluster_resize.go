package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// resizeFlow is both ways to another number of nodes: the resize action, and
// a patch of node_count.
func (c *Conductor) resizeFlow(t *task) (flow, error) {
	in := &magnum.ResizeInput{}
	if err := json.Unmarshal(t.op.Input, in); err != nil {
		return flow{}, fatal("The request's data cannot be read.")
	}
	if t.cluster.NodeGroup(in.NodeGroup) == nil {
		return flow{}, fatal(fmt.Sprintf("Nodegroup %s could not be found.", in.NodeGroup))
	}
	intent := driver.IntentResize
	if t.op.Kind == magnum.OpUpdate {
		intent = driver.IntentUpdate
	}
	restore := func(cluster *magnum.Cluster) {
		if g := cluster.NodeGroup(in.NodeGroup); g != nil {
			g.NodeCount = in.Previous
		}
	}
	return flow{
		phases: []phase{
			c.selectPhase(in),
			c.renderPhase(intent, in),
			{
				name:  "stack",
				doing: func(t *task) string { return "Heat to take the update of stack " + t.stackName() },
				run: func(ctx context.Context, t *task) (change, error) {
					return nil, c.updateStack(ctx, t, intent, in)
				},
			},
			c.followPhase(c.judgeUpdate),
			c.outputsPhase(in),
		},
		begin: func(cluster *magnum.Cluster) {
			if g := cluster.NodeGroup(in.NodeGroup); g != nil {
				g.NodeCount = in.NodeCount
			}
			setStatus(cluster, magnum.UpdateInProgress, "", in.NodeGroup)
		},
		end: func(cluster *magnum.Cluster) {
			setStatus(cluster, magnum.UpdateComplete, "", in.NodeGroup)
		},
		fail: func(cluster *magnum.Cluster, reason string) {
			restore(cluster)
			s := magnum.UpdateFailed
			if t.data.RolledBack != "" {
				s = t.data.RolledBack
			}
			setStatus(cluster, s, reason, in.NodeGroup)
		},
	}, nil
}

const (
	// tick is the resolution of Heat's updated_time, with room for clocks
	// that differ.
	tick = 2 * time.Second
	// begunBy is when an update that Heat accepted has begun for certain.
	begunBy = time.Minute
)

// updateStack sends the update. Sending it again after a crash is harmless.
func (c *Conductor) updateStack(ctx context.Context, t *task, intent driver.Intent, in *magnum.ResizeInput) error {
	if t.cluster.StackID == "" {
		return fatal("The cluster has no stack.")
	}
	request, err := c.request(ctx, t, intent, in)
	if err != nil {
		return err
	}
	request.Rollback = in.Rollback
	session, err := c.session(ctx, t)
	if err != nil {
		return err
	}
	now, err := c.Heat.Status(ctx, session, t.stackRef())
	if err != nil {
		return err
	}
	// What ends later with another updated_time is our update. That needs
	// updates of different seconds.
	if last, err := time.Parse(time.RFC3339, now.Updated); err == nil {
		if wait := last.Add(tick).Sub(c.Now()); wait > 0 && wait <= tick {
			return &laterError{text: "Heat has only just finished with the stack", after: wait}
		}
	}
	t.data.StackBefore, t.data.Begun = now.Updated, false
	if err := c.Heat.Update(ctx, session, now.Ref(), request); err != nil {
		return err
	}
	t.data.SentAt = c.Now().UTC()
	return nil
}

func (c *Conductor) judgeUpdate(ctx context.Context, t *task, s sight) error {
	if s.gone {
		return fatal(fmt.Sprintf("Stack with id %s not found in Heat.", t.cluster.StackID))
	}
	status := s.stack.Status
	begun := t.data.Begun || s.stack.Updated != t.data.StackBefore || c.Now().Sub(t.data.SentAt) > begunBy
	switch {
	case strings.HasPrefix(status, "DELETE_"):
		return fatal(fmt.Sprintf("Stack %s was deleted in Heat.", s.stack.Name))
	case !begun:
		return errFollow
	case status == "ROLLBACK_COMPLETE", status == "ROLLBACK_FAILED":
		t.data.RolledBack = magnum.Status(status)
		return c.stackFailed(ctx, t, s)
	case strings.HasSuffix(status, "_FAILED"):
		return c.stackFailed(ctx, t, s)
	case strings.HasSuffix(status, "_COMPLETE"):
		return nil
	}
	return errFollow
}
