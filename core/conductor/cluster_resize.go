package conductor

import (
	"context"
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
	if err := t.input(in); err != nil {
		return flow{}, err
	}
	group, err := t.named(in.NodeGroup)
	if err != nil {
		return flow{}, err
	}
	j := job{intent: driver.IntentResize, group: group.Name, rollback: in.Rollback}
	if t.op.Kind == magnum.OpUpdate {
		j.intent = driver.IntentUpdate
	}
	count := func(n int) func(*magnum.Cluster) {
		return func(cluster *magnum.Cluster) {
			if g := cluster.NodeGroup(group.UUID); g != nil {
				g.NodeCount = n
			}
		}
	}
	return flow{
		phases: onStack(ownStack(group),
			c.selectPhase(in),
			c.renderPhase(j),
			c.updatePhase(j),
			c.followPhase(c.judgeUpdate),
			c.outputsPhase(),
		),
		cluster: "UPDATE", group: "UPDATE", about: inStack(ownStack(group)),
		// Whatever the driver read off the stack in between.
		begin: count(in.NodeCount), end: count(in.NodeCount), restore: count(in.Previous),
	}, nil
}

// onStack makes phases be about the stack of a group.
func onStack(group string, phases ...phase) []phase {
	for i := range phases {
		phases[i].group = group
	}
	return phases
}

// updatePhase sends an update of the stack.
func (c *Conductor) updatePhase(j job) phase {
	return phase{
		name:  phaseStack,
		doing: func(t *task) string { return "Heat to take the update of stack " + t.stackName() },
		run: func(ctx context.Context, t *task) (change, error) {
			return nil, c.updateStack(ctx, t, j)
		},
	}
}

const (
	// tick is the resolution of Heat's updated_time, with room for clocks
	// that differ.
	tick = 2 * time.Second
	// begunBy is when an update that Heat accepted has begun for certain.
	begunBy = time.Minute
)

// updateStack sends the update. Sending it again after a crash is harmless.
func (c *Conductor) updateStack(ctx context.Context, t *task, j job) error {
	if t.group == "" && t.cluster.StackID == "" {
		return fatal("The cluster has no stack.")
	}
	request, err := c.request(ctx, t, j)
	if err != nil {
		return err
	}
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
	before := t.data.Asked
	if j.marks && !before {
		t.data.Asked = true
		if err := c.save(ctx, t, nil); err != nil {
			return err
		}
	}
	if err := c.Heat.Update(ctx, session, now.Ref(), request); err != nil {
		if refused(err) {
			t.data.Asked = before
		}
		return err
	}
	t.data.SentAt = c.Now().UTC()
	return nil
}

// refused reports whether an error is word from Heat that it did not take what
// it was sent.
func refused(err error) bool {
	switch magnum.KindOf(err) {
	case magnum.Internal, magnum.Unavailable:
		return false
	default:
		return true
	}
}

func (c *Conductor) judgeUpdate(ctx context.Context, t *task, s sight) error {
	if s.gone {
		return fatal(fmt.Sprintf("Stack with id %s not found in Heat.", t.stackRef().ID))
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
