package conductor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

const (
	phaseFollow = "follow"
	phaseStack  = "stack"
)

// follower watches the stacks of operations that wait for them.
type follower struct {
	conductor *Conductor
	mu        sync.Mutex
	tasks     map[string]*task // by operation id
}

func (f *follower) add(t *task) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tasks[t.op.ID] = t
}

// take hands a task back to a worker.
func (f *follower) take(t *task) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.tasks[t.op.ID]
	delete(f.tasks, t.op.ID)
	return ok
}

func (f *follower) len() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.tasks)
}

// byProject groups the tasks as Heat can be asked for them.
func (f *follower) byProject() map[string][]*task {
	f.mu.Lock()
	defer f.mu.Unlock()
	groups := map[string][]*task{}
	for _, t := range f.tasks {
		groups[t.cluster.ProjectID] = append(groups[t.cluster.ProjectID], t)
	}
	return groups
}

func (c *Conductor) followLoop(ctx context.Context) error {
	timer := time.NewTimer(c.interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		c.pass(ctx)
		timer.Reset(c.interval())
	}
}

// pass looks once at everything that is followed.
func (c *Conductor) pass(ctx context.Context) {
	projects := c.follower.byProject()
	if len(projects) == 0 {
		return
	}
	begin := time.Now()
	defer func() { c.metrics.passes.Observe(time.Since(begin).Seconds()) }()
	var g errgroup.Group
	g.SetLimit(8)
	for _, tasks := range projects {
		g.Go(func() error {
			c.look(ctx, tasks)
			return nil
		})
	}
	_ = g.Wait() // what fails is told to each task
}

// look asks for the stacks of one project and hands on the tasks whose stack
// has something to say.
func (c *Conductor) look(ctx context.Context, tasks []*task) {
	waiting := tasks[:0]
	for _, t := range tasks {
		if t.ctx.Err() != nil || c.late(t) {
			c.resume(t, nil) // to stop, or to fail
			continue
		}
		waiting = append(waiting, t)
	}
	if len(waiting) == 0 || ctx.Err() != nil {
		return
	}
	seen, err := c.ask(ctx, waiting)
	for _, t := range waiting {
		if err != nil {
			c.troubled(ctx, t, err)
			continue
		}
		s := seen[t.op.ID]
		if final(t, s) {
			c.resume(t, &s)
			continue
		}
		c.note(ctx, t, "")
	}
}

// ask looks at one stack by itself and at several with a list.
func (c *Conductor) ask(ctx context.Context, tasks []*task) (map[string]sight, error) {
	seen := map[string]sight{}
	if len(tasks) == 1 {
		s, err := c.sight(ctx, tasks[0])
		seen[tasks[0].op.ID] = s
		return seen, err
	}
	var ids []string
	for _, t := range tasks {
		if id := t.stackRef().ID; id != "" {
			ids = append(ids, id)
		}
	}
	session, err := c.anySession(ctx, tasks)
	if err != nil {
		return nil, err
	}
	listed, err := c.Heat.Statuses(ctx, session, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		if st, ok := listed[t.stackRef().ID]; ok {
			seen[t.op.ID] = sight{stack: st}
			continue
		}
		// A list may be cut short; only an answer about this one counts.
		s, err := c.sight(ctx, t)
		if err != nil {
			return nil, err
		}
		seen[t.op.ID] = s
	}
	return seen, nil
}

// anySession is a session in the project that works: one cluster's trust may
// be gone while its neighbour's is fine.
func (c *Conductor) anySession(ctx context.Context, tasks []*task) (heat.Session, error) {
	var last error
	for _, t := range tasks {
		s, err := c.session(ctx, t)
		if err == nil || magnum.KindOf(err) != magnum.Unauthorized {
			return s, err
		}
		last = err
	}
	return heat.Session{}, last
}

// sight looks at a task's own stack.
func (c *Conductor) sight(ctx context.Context, t *task) (sight, error) {
	s, err := c.session(ctx, t)
	if err != nil {
		return sight{}, err
	}
	st, err := c.Heat.Status(ctx, s, t.stackRef())
	if magnum.KindOf(err) == magnum.NotFound {
		return sight{gone: true}, nil
	}
	return sight{stack: st}, err
}

// final reports whether the stack has come to an end, as far as one look
// tells; the phase itself looks closer.
func final(t *task, s sight) bool {
	if s.gone || !strings.HasSuffix(s.stack.Status, "_IN_PROGRESS") {
		return true
	}
	t.data.Begun = true // an update that was seen under way: its end is ours
	return t.removing && !strings.HasPrefix(s.stack.Status, "DELETE_")
}

func (c *Conductor) resume(t *task, s *sight) {
	if !c.follower.take(t) {
		return
	}
	t.seen = s
	c.start(t)
}

// troubled deals with a task that could not be looked at: an outage is waited
// for, anything else is the worker's to judge.
func (c *Conductor) troubled(ctx context.Context, t *task, err error) {
	if ctx.Err() != nil {
		return
	}
	if magnum.KindOf(err) == magnum.Unavailable {
		c.note(ctx, t, t.judge(err).text)
		return
	}
	c.resume(t, nil)
}

// note keeps the status reason of a followed cluster true: what is in the way,
// and no longer when it is not.
func (c *Conductor) note(ctx context.Context, t *task, trouble string) {
	reason := c.waitFor(t, t.data.Waiting)
	if trouble != "" {
		reason += ": " + trouble
	}
	if t.cluster.StatusReason == reason {
		return
	}
	err := c.save(ctx, t, func(cluster *magnum.Cluster) error {
		cluster.StatusReason = reason
		return nil
	})
	if ctx.Err() == nil && !errors.Is(err, state.ErrFenced) { // the lease loop will tell of that
		c.outages.Note("save status reasons", err)
	}
}

// followPhase waits until the stack has come to an end, which judge then reads:
// an error is the operation's failure, errFollow means not yet.
func (c *Conductor) followPhase(judge func(ctx context.Context, t *task, s sight) error) phase {
	return phase{
		name:  phaseFollow,
		doing: func(t *task) string { return "stack " + t.stackName() },
		run: func(ctx context.Context, t *task) (change, error) {
			seen := t.seen
			t.seen = nil
			if seen == nil {
				s, err := c.sight(ctx, t)
				if err != nil {
					return nil, err
				}
				seen = &s
			}
			if !final(t, *seen) {
				return nil, errFollow
			}
			return nil, judge(ctx, t, *seen)
		},
	}
}

// pending names the resources a stack waits for, for the reason of a timeout.
func (c *Conductor) pending(ctx context.Context, t *task) string {
	s, err := c.session(ctx, t)
	if err != nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	all, err := c.Heat.Resources(ctx, s, t.stackRef())
	if err != nil {
		return ""
	}
	names := map[string]string{}
	for _, r := range all {
		if strings.HasSuffix(r.Status, "_IN_PROGRESS") {
			names[strings.Join(r.Path, ".")] = r.Status
		}
	}
	var deepest []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		under := false
		for other := range names {
			under = under || strings.HasPrefix(other, name+".")
		}
		if !under {
			deepest = append(deepest, fmt.Sprintf("%s is %s", name, names[name]))
		}
	}
	if more := len(deepest) - 3; more > 0 {
		deepest = append(deepest[:3], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(deepest, ", ")
}
