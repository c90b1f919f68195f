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
		c.keepAll(ctx)
		timer.Reset(c.interval())
	}
}

// keepAll takes one question to the database, however much is held.
func (c *Conductor) keepAll(ctx context.Context) {
	tasks := c.held.all() // before asking: what is claimed later is in no answer
	if len(tasks) == 0 {
		return
	}
	fences, err := c.DB.Holdings(ctx, c.owner)
	if ctx.Err() != nil {
		return
	}
	c.outages.Note("look at leases", err)
	for _, t := range tasks {
		if t.ctx.Err() != nil {
			continue
		}
		if err == nil && !t.in(fences) {
			c.fenced(t)
			continue
		}
		c.keep(ctx, t)
	}
}

// keep renews a task's lease if it is time.
func (c *Conductor) keep(ctx context.Context, t *task) {
	left := t.leaseUntil().Sub(c.Now())
	if left >= c.lease()*2/3 {
		return
	}
	err := c.hold(ctx, t, c.lease())
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, state.ErrFenced):
		c.fenced(t)
	case err != nil && left <= 0:
		t.log.Error("the lease ran out and could not be renewed", "error", err)
		c.metrics.leasesLost.Inc()
		t.cancel(state.ErrFenced)
	default:
		c.outages.Note("renew leases", err) // which may fail where reading does not
	}
}

func (c *Conductor) fenced(t *task) {
	t.log.Info("the operation was taken over")
	c.metrics.leasesLost.Inc()
	t.cancel(state.ErrFenced)
}

// in reports whether the task is still its owner's. What is finished by us is
// removed from held in a moment; by another, not.
func (t *task) in(fences map[string]int64) bool {
	fence, ok := fences[t.identity.ID]
	return ok && fence == t.identity.Fence || !ok && t.finishing.Load()
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
