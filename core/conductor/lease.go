package conductor

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-magnum/magnum/core/state"
)

const (
	// leaseMax bounds how long a crash can delay an operation.
	leaseMax = 5 * time.Minute
	// leaseEach is what each held operation adds to the leases, so that
	// thousands of them do not keep the database busy with renewals.
	leaseEach = 50 * time.Millisecond
)

// held are the operations of this conductor, by operation id.
type held struct {
	mu    sync.Mutex
	tasks map[string]*task
}

func (h *held) add(t *task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.tasks[t.op.ID]; old != nil {
		old.cancel(state.ErrFenced) // its lease ran out, and we took it again
	}
	h.tasks[t.op.ID] = t
}

func (h *held) remove(t *task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tasks[t.op.ID] == t {
		delete(h.tasks, t.op.ID)
	}
}

func (h *held) all() []*task {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Collect(maps.Values(h.tasks))
}

func (h *held) len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.tasks)
}

func (c *Conductor) lease() time.Duration {
	return min(max(c.Lease, leaseMax), c.Lease+time.Duration(c.held.len())*leaseEach)
}

// interval spaces the looks at everything that is held: as short as Follow
// for up to 200 operations, then longer in proportion, up to ten times.
func (c *Conductor) interval() time.Duration {
	return min(10*c.Follow, max(c.Follow, c.Follow*time.Duration(c.held.len())/200))
}

// leaseLoop renews leases in their last two thirds, and in between sees to it
// that a worker whose operation was taken over by a delete hears of it soon.
func (c *Conductor) leaseLoop(ctx context.Context) error {
	timer := time.NewTimer(c.interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		for _, t := range c.held.all() {
			c.keep(ctx, t)
		}
		timer.Reset(c.interval())
	}
}

func (c *Conductor) keep(ctx context.Context, t *task) {
	if t.ctx.Err() != nil {
		return
	}
	left := t.leaseUntil().Sub(c.Now())
	var err error
	what := "look at leases"
	if left < c.lease()*2/3 {
		what = "renew leases" // which may fail where reading does not
		err = c.hold(ctx, t, c.lease())
	} else {
		err = c.stillOurs(ctx, t)
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		c.outages.Note(what, nil)
	case errors.Is(err, state.ErrFenced):
		t.log.Info("the operation was taken over")
		c.metrics.leasesLost.Inc()
		t.cancel(state.ErrFenced)
	case left <= 0:
		t.log.Error("the lease ran out and could not be renewed", "error", err)
		c.metrics.leasesLost.Inc()
		t.cancel(state.ErrFenced)
	default:
		c.outages.Note(what, err)
	}
}

func (c *Conductor) stillOurs(ctx context.Context, t *task) error {
	now, err := c.DB.Operation(ctx, t.op.ID)
	if err != nil {
		return err
	}
	if now.Fence != t.identity.Fence || now.Owner != t.identity.Owner {
		return state.ErrFenced
	}
	// Finished by us is removed from held in a moment; by another, not.
	if !now.FinishedAt.IsZero() && !t.finishing.Load() {
		return state.ErrFenced
	}
	return nil
}

// createWithin is longer than a create at Heat can be on its way.
const createWithin = 75 * time.Second

// hold sets a task's lease to that long from now. It renews a copy: the
// task's worker writes to the operation.
func (c *Conductor) hold(ctx context.Context, t *task, lease time.Duration) error {
	op := t.identity
	if err := c.DB.Renew(ctx, &op, lease); err != nil {
		return err
	}
	t.setLease(op.LeaseUntil)
	return nil
}

// drop stops work on a task and gives its lease back, so that whoever waits
// for it need not wait for the lease to run out.
func (c *Conductor) drop(t *task) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), 5*time.Second)
	defer cancel()
	op := t.identity
	if err := c.DB.Release(ctx, &op); err != nil && !errors.Is(err, state.ErrFenced) {
		t.log.Warn("the operation could not be given back; its lease has to run out", "error", err)
	}
	t.cancel(context.Canceled)
	c.held.remove(t)
	c.wakeUp()
}

// giveBack releases what the follower holds when the conductor stops.
func (c *Conductor) giveBack(context.Context) {
	for _, t := range c.held.all() {
		c.drop(t)
	}
}
