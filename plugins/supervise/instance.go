package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// instance is one version of one driver, with at most one process that takes
// calls.
type instance struct {
	cfg     Config
	pkg     store.Package
	nth     int // of the host's instances
	logger  hclog.Logger
	calls   *bulkhead
	metrics *metrics
	// changed is called at every change of the state.
	changed func()
	// work counts what goes on beside the calls: starts, checks, ends.
	work sync.WaitGroup
	// quit is closed when the instance is.
	quit chan struct{}

	mu        sync.Mutex
	state     State
	since     time.Time
	process   *process
	starting  *start
	checking  chan struct{} // closed when it is known whether process lives
	starts    int
	breaker   breaker
	lastError error
	fault     *Fault                // the last one, of a start, a process or a call
	overdue   int                   // calls in a row that had all their time
	retired   bool                  // another version has taken its place
	live      map[*process]struct{} // all there are, also those on their way out
	closed    bool
	// config is what the process that was last used has; nil before any.
	config      *[]byte
	configError string // what was told of the one it does not have
}

// start is an attempt that any number of callers wait for.
type start struct {
	done   chan struct{}
	began  time.Time
	err    error // to be read after done
	trial  bool
	cancel context.CancelFunc
}

func newInstance(cfg Config, pkg store.Package, metrics *metrics, changed func()) *instance {
	return &instance{
		cfg:     cfg,
		pkg:     pkg,
		logger:  cfg.Logger.With("driver", pkg.Name, "version", pkg.Version),
		calls:   newBulkhead(pkg, cfg.Concurrency, cfg.Queue),
		metrics: metrics,
		changed: changed,
		quit:    make(chan struct{}),
		state:   StateInstalled,
		since:   cfg.Now(),
		breaker: breaker{cfg: cfg},
		live:    map[*process]struct{}{},
	}
}

// set is the driver as callers see it; it works across processes.
func (i *instance) set() driver.Set {
	return serve.NewSet(conn{i}, driver.HandshakeResponse{
		Name: i.pkg.Name, Version: i.pkg.Version, Services: i.pkg.Manifest.Services,
	})
}

// acquire returns the process there is, or the one that this or another
// caller's wish starts. It counts as having the call until leave is called.
func (i *instance) acquire(ctx context.Context, method string) (p *process, leave func(), err error) {
	for {
		seen, err := i.look(method)
		if err != nil {
			return nil, nil, err
		}
		if seen.process != nil {
			return seen.process, seen.leave, nil
		}
		if err := i.await(ctx, seen); err != nil {
			return nil, nil, err
		}
	}
}

// await waits for what look saw to be over.
func (i *instance) await(ctx context.Context, seen sight) error {
	var due <-chan time.Time
	if seen.pause > 0 {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < seen.pause {
			return i.paused(seen.pause)
		}
		timer := time.NewTimer(seen.pause)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-seen.wait:
	case <-ctx.Done():
		return late(ctx, i.pkg, "it was being started")
	}
	if seen.attempt != nil && seen.attempt.err != nil {
		return seen.attempt.err
	}
	return nil
}

// sight is what a caller finds: a process, or what to wait for.
type sight struct {
	process *process
	leave   func()
	wait    <-chan struct{}
	attempt *start        // whose outcome wait is for
	pause   time.Duration // until the next start may be
}

// look returns the process, or what to wait for, or why there will be none.
func (i *instance) look(method string) (sight, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return sight{}, driver.Errorf(driver.ClassUnavailable, "driver %s is being stopped", i.pkg)
	case i.checking != nil:
		return sight{wait: i.checking}, nil
	case i.process != nil:
		return sight{process: i.process, leave: i.process.enter(method, i.cfg.Now)}, nil
	case i.starting != nil:
		return sight{wait: i.starting.done, attempt: i.starting}, nil
	}
	if pause := i.breaker.pause(i.cfg.Now()); pause > 0 {
		if i.breaker.patient {
			return sight{pause: pause, wait: i.quit}, nil
		}
		return sight{}, i.pausedLocked(pause)
	}
	attempt := i.begin()
	return sight{wait: attempt.done, attempt: attempt}, nil
}

func (i *instance) paused(pause time.Duration) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.pausedLocked(pause)
}

// pausedLocked is what callers get who come between two starts.
func (i *instance) pausedLocked(pause time.Duration) error {
	e := i.cannotStart(i.lastError)
	e.RetryAfter = pause
	if i.state == StateCrashLoop {
		e.OperatorMessage = fmt.Sprintf("it crashed %d times within %s and is not started for %s more; the last time: %v",
			len(i.breaker.crashes), i.cfg.CrashWindow, pause.Round(time.Second), i.lastError)
	}
	return e
}

// begin starts a process in the background; i.mu is held.
func (i *instance) begin() *start {
	// A context of its own: the start outlives the caller that caused it.
	ctx, cancel := context.WithTimeout(context.Background(), i.cfg.Launch.StartTimeout)
	attempt := &start{done: make(chan struct{}), began: time.Now(), cancel: cancel, trial: i.breaker.started()}
	i.starting = attempt
	i.enter(StateStarting)
	i.work.Go(func() {
		defer cancel()
		p, err := i.bringUp(ctx)
		i.started(attempt, p, err)
	})
	return attempt
}

// started takes over the outcome of an attempt.
func (i *instance) started(attempt *start, p *process, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer close(attempt.done)
	i.starting = nil
	if err == nil && i.closed {
		p.ordered = true
		i.end(p, p.Kill)
		err = errors.New("the service is stopping")
	}
	if err != nil {
		loop := i.breaker.failed(i.cfg.Now(), false, attempt.trial)
		i.lastError = err
		attempt.err = i.cannotStart(err)
		state := StateStopped
		switch {
		case rejected(err):
			state = StateRejected
		case loop:
			state = StateCrashLoop
		}
		result, blame := "failed", driver.BlameDriver
		if state == StateRejected {
			result, blame = "rejected", driver.BlameOperator
		}
		i.faulted(string(driver.ClassUnavailable), string(blame), err.Error())
		i.metrics.starts.WithLabelValues(i.pkg.Name, i.pkg.Version, result).Inc()
		i.enter(state, "error", redact(err.Error()), "failures", len(i.breaker.crashes))
		return
	}
	i.metrics.starts.WithLabelValues(i.pkg.Name, i.pkg.Version, "ready").Inc()
	i.metrics.startDuration.WithLabelValues(i.pkg.Name, i.pkg.Version).Observe(time.Since(attempt.began).Seconds())
	p.trial = attempt.trial
	i.use(p)
}

// use has a process take the calls; i.mu is held.
func (i *instance) use(p *process) {
	i.process, i.overdue, i.retired = p, 0, false
	config := p.config
	i.config = &config
	i.starts++
	i.live[p] = struct{}{}
	i.enter(StateReady, "pid", p.PID(), "confinement", p.Confinement())
	i.work.Go(func() { i.tend(p) })
}

// settle takes note of the end of a process, once, whoever notices it first.
func (i *instance) settle(p *process) {
	calls := p.unanswered()
	i.mu.Lock()
	defer i.mu.Unlock()
	if p.settled || i.closed {
		return
	}
	p.settled = true
	status, signal := p.Code()
	words, _ := p.Exit()
	current := i.process == p
	if current {
		i.process = nil
	}
	// One that was told to end by somebody else finished its work and went.
	crash := !p.ordered && (!p.discarded || status != 0 || signal != "")
	switch {
	case crash && !p.hung:
		i.crashed(p, fmt.Errorf("process %d ended: %s", p.PID(), words))
	case i.process == nil && i.starting == nil && i.state == StateDraining:
		i.enter(StateStopped)
	}
	if crash || p.hung {
		i.metrics.crashes.WithLabelValues(i.pkg.Name, i.pkg.Version, p.cause()).Inc()
	}
	if (crash || p.hung) && i.cfg.CrashDir != "" {
		record := i.crashOf(p, calls, i.cfg.Now())
		i.work.Go(func() {
			if err := record.write(i.cfg.CrashDir); err != nil {
				i.logger.Error("crash is not recorded", "error", err)
			}
		})
	}
}

// crashed counts a crash; i.mu is held. Where a successor is there already, its
// state stays.
func (i *instance) crashed(p *process, cause error) {
	now := i.cfg.Now()
	i.lastError = cause
	i.faulted(string(driver.ClassRestarted), string(driver.BlameDriver), cause.Error())
	loop := i.breaker.failed(now, true, p.trial && now.Sub(p.started) < i.cfg.CrashWindow)
	switch {
	case i.process != nil || i.starting != nil:
		i.logger.Error("driver crashed while its successor was there", "error", cause)
	case loop:
		i.enter(StateCrashLoop, "error", cause, "crashes", len(i.breaker.crashes))
	default:
		i.enter(StateStopped, "error", cause, "crashes", len(i.breaker.crashes))
	}
}

// discard takes a process out of use whose connection was lost, and ends it in
// the background.
func (i *instance) discard(p *process) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process != p || i.closed {
		return // somebody else did, or will
	}
	p.discarded = true
	i.process = nil
	i.enter(StateDraining)
	i.end(p, func() error { return p.Stop(context.Background()) })
}

// end stops a process in the background; i.mu is held, so that close, which
// waits for the work, sees it.
func (i *instance) end(p *process, stop func() error) {
	i.work.Go(func() {
		if err := stop(); err != nil {
			i.logger.Error("driver does not stop", "pid", p.PID(), "error", err)
		}
	})
}

// close admits nothing new and ends the process; later calls of the set fail.
func (i *instance) close(ctx context.Context) error {
	i.mu.Lock()
	i.closed = true
	close(i.quit)
	if i.starting != nil {
		i.starting.cancel()
	}
	i.enter(StateDraining)
	p := i.process
	i.mu.Unlock()
	var err error
	if p != nil {
		err = p.Stop(ctx)
	}
	i.work.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process = nil
	i.enter(StateStopped)
	return err
}

// cannotStart is what callers get when there is no process to be had.
func (i *instance) cannotStart(cause error) *driver.Error {
	e := driver.Errorf(driver.ClassUnavailable, "driver %s cannot be started", i.pkg)
	e.Blame = driver.BlameDriver
	e.OperatorMessage = cause.Error()
	return e
}

// late is what callers get whose own time was up.
func late(ctx context.Context, pkg store.Package, while string) error {
	if context.Cause(ctx) == context.Canceled { //nolint:errorlint // the sentinel itself
		return fmt.Errorf("%w: %w", context.Canceled,
			driver.Errorf(driver.ClassUnavailable, "the call of driver %s was cancelled", pkg))
	}
	return driver.Errorf(driver.ClassTimeout, "driver %s did not answer in time: %s", pkg, while)
}
