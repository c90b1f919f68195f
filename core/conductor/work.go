package conductor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

// phase is one step of an operation.
type phase struct {
	// name is unique among an operation's phases.
	name string
	// group is the uuid of the node group whose own stack the phase is about,
	// empty for the cluster's; removes is that the stack is to go.
	group   string
	removes bool
	// doing completes "waiting for …".
	doing func(t *task) string
	// run has the phase's effect and returns what to save of it in the
	// cluster; nil for nothing. It may be repeated at any time.
	run func(ctx context.Context, t *task) (change, error)
	// save writes that; Advance if nil.
	save save
}

type change = func(*magnum.Cluster) error

// save is a way to write an operation and with it a change of the cluster.
type save func(context.Context, *magnum.Operation, func(*magnum.Cluster) error) error

func (s save) or(usual save) save {
	if s == nil {
		return usual
	}
	return s
}

// errFollow is returned by a phase that waits for the stack.
var errFollow = errors.New("the stack is not ready")

// work carries a task through its phases until it is over, must wait, or is
// lost.
func (c *Conductor) work(t *task) {
	err := c.phases(t)
	switch {
	case err == nil:
		c.held.remove(t)
		t.cancel(context.Canceled)
	case errors.Is(err, errFollow):
		c.follower.add(t)
	case errors.Is(err, errWatch):
		c.watch(t)
	case t.ctx.Err() != nil || errors.Is(err, state.ErrFenced):
		t.log.Info("work on the operation stops", "phase", t.op.Phase, "cause", context.Cause(t.ctx))
		c.drop(t)
	default:
		c.settle(t, err)
	}
}

func (c *Conductor) phases(t *task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.log.Error("panic in a phase", "phase", t.op.Phase, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &internalError{fmt.Errorf("panic in phase %s", t.op.Phase)}
		}
	}()
	ctx := t.ctx
	if err := c.load(ctx, t); err != nil {
		return err
	}
	f, err := c.flow(t)
	if err != nil {
		return err
	}
	if err := c.begin(ctx, t, f); err != nil {
		return err
	}
	for i, p := range f.phases {
		if p.name != t.op.Phase {
			continue
		}
		t.aim(p)
		if err := c.step(ctx, t, f, i); err != nil {
			return err
		}
	}
	return nil
}

// begin settles the first phase and the deadline.
func (c *Conductor) begin(ctx context.Context, t *task, f flow) error {
	known := false
	for _, p := range f.phases {
		known = known || p.name == t.op.Phase
	}
	if t.op.Phase != "" && !known {
		return fatal(fmt.Sprintf("Phase %s of operation %s is not known to this conductor.", t.op.Phase, t.op.Kind))
	}
	if known && !t.op.Deadline.IsZero() {
		return nil
	}
	if !known {
		t.op.Phase = f.phases[0].name
	}
	if t.op.Deadline.IsZero() {
		t.op.Deadline = c.Now().Add(c.timeout(t))
	}
	t.aim(f.phases[0])
	reason := c.waitFor(t, f.phases[0].doing(t))
	return c.save(ctx, t, func(cluster *magnum.Cluster) error {
		f.starts(cluster)
		cluster.StatusReason = reason
		return nil
	})
}

// timeout is how long an operation may take: the cluster's own create_timeout
// for all of them, or the operator's.
func (c *Conductor) timeout(t *task) time.Duration {
	minutes := t.cluster.CreateTimeout
	if minutes == 0 {
		minutes = c.Options.ClusterHeat.CreateTimeout
	}
	if minutes == 0 {
		minutes = 60
	}
	return time.Duration(minutes) * time.Minute
}

// step runs a phase and saves it, together with which one is next.
func (c *Conductor) step(ctx context.Context, t *task, f flow, i int) error {
	p := f.phases[i]
	if c.late(t) {
		return c.overdue(ctx, t, p)
	}
	c.hook(ctx, t, p.name, Before)
	t.log.Debug("phase begins", "phase", p.name)
	sealed := t.op.SealedToken
	effect, err := p.run(ctx, t)
	if err != nil {
		return err
	}
	c.hook(ctx, t, p.name, After)
	if err := ctx.Err(); err != nil {
		return err
	}
	t.op.Attempts, t.op.LastError, t.op.NotBefore = 0, "", time.Time{}
	t.data.Bugs, t.data.Auths = 0, 0
	if i+1 == len(f.phases) {
		return c.finish(ctx, t, f, effect)
	}
	next, before := f.phases[i+1], t.data
	t.op.Phase = next.name
	t.aim(next)
	reason := c.waitFor(t, next.doing(t))
	err = c.write(ctx, t, func(cluster *magnum.Cluster) error {
		if effect != nil {
			if err := effect(cluster); err != nil {
				return err
			}
		}
		cluster.StatusReason = reason
		return nil
	}, p.save.or(c.DB.Advance))
	if err != nil { // nothing was saved: this phase is the one to repeat
		t.op.Phase, t.op.SealedToken = p.name, sealed
		t.data.Waiting, t.data.Since = before.Waiting, before.Since
		t.aim(p)
	}
	return err
}

func (c *Conductor) finish(ctx context.Context, t *task, f flow, effect change) error {
	t.finishing.Store(true)
	defer t.finishing.Store(false)
	if f.finish != nil {
		err := f.finish(ctx, t)
		if err == nil {
			c.ended(t, nil)
		}
		return err
	}
	err := c.write(ctx, t, func(cluster *magnum.Cluster) error {
		if effect != nil {
			if err := effect(cluster); err != nil {
				return err
			}
		}
		f.ends(cluster)
		return nil
	}, f.ending.or(c.DB.Finish))
	if err == nil {
		c.ended(t, nil)
		t.log.Info("operation complete", "status", string(t.cluster.Status))
	}
	return err
}

func (c *Conductor) hook(ctx context.Context, t *task, phase string, p Point) {
	if c.Hook != nil {
		c.Hook(ctx, t.op, phase, p)
	}
}

// waitFor makes the status reason of work in progress, and keeps in the
// operation's data since when it is that: call it before the data is saved.
func (c *Conductor) waitFor(t *task, what string) string {
	if t.data.Waiting != what {
		t.data.Waiting, t.data.Since = what, c.Now().UTC().Truncate(time.Second)
	}
	return fmt.Sprintf("waiting for %s since %s", what, t.data.Since.Format(time.RFC3339))
}
