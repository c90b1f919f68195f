package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// State is where a driver is between installed and stopped.
type State string

// The states.
const (
	StateInstalled State = "Installed" // never started yet
	StateStarting  State = "Starting"
	StateReady     State = "Ready"
	StateDegraded  State = "Degraded" // let a deadline pass and is being asked whether it lives
	StateDraining  State = "Draining"
	StateStopped   State = "Stopped"
)

// instance is one version of one driver, with at most one process.
type instance struct {
	cfg    Config
	pkg    store.Package
	logger hclog.Logger
	calls  *bulkhead
	// work counts what goes on beside the calls: starts, checks, ends.
	work sync.WaitGroup

	mu        sync.Mutex
	state     State
	process   *launch.Process
	starting  *start
	checking  chan struct{} // closed when it is known whether process lives
	starts    int
	failures  int // failed starts in a row
	notBefore time.Time
	lastError error
	closed    bool
}

// start is an attempt that any number of callers wait for.
type start struct {
	done   chan struct{}
	err    error // to be read after done
	cancel context.CancelFunc
}

func newInstance(cfg Config, pkg store.Package) *instance {
	return &instance{
		cfg:    cfg,
		pkg:    pkg,
		logger: cfg.Logger.With("driver", pkg.Name, "version", pkg.Version),
		calls:  newBulkhead(pkg.Name, cfg.Concurrency, cfg.Queue),
		state:  StateInstalled,
	}
}

// set is the driver as callers see it; it works across processes.
func (i *instance) set() driver.Set {
	set := serve.NewSet(conn{i}, driver.HandshakeResponse{
		Name: i.pkg.Name, Version: i.pkg.Version, Services: i.pkg.Manifest.Services,
	})
	if set.Lifecycle != nil {
		set.Lifecycle = lifecycle{set.Lifecycle}
	}
	return set
}

// running returns the process there is, or the one that this or another
// caller's wish starts.
func (i *instance) running(ctx context.Context) (*launch.Process, error) {
	for {
		p, wait, attempt, err := i.look()
		if p != nil || err != nil {
			return p, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, i.late(ctx, "it was being started")
		}
		if attempt != nil && attempt.err != nil {
			return nil, attempt.err
		}
	}
}

// look returns the process, or what to wait for, or why there will be none.
func (i *instance) look() (*launch.Process, <-chan struct{}, *start, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed:
		return nil, nil, nil, driver.Errorf(driver.ClassUnavailable, "driver %s is being stopped", i.pkg)
	case i.checking != nil:
		return nil, i.checking, nil, nil
	case i.process != nil:
		return i.process, nil, nil, nil
	case i.starting != nil:
		return nil, i.starting.done, i.starting, nil
	}
	if pause := i.notBefore.Sub(i.cfg.Now()); pause > 0 {
		e := i.cannotStart(i.lastError)
		e.RetryAfter = pause
		return nil, nil, nil, e
	}
	attempt := i.begin()
	return nil, attempt.done, attempt, nil
}

// begin starts a process in the background; i.mu is held.
func (i *instance) begin() *start {
	// A context of its own: the start outlives the caller that caused it.
	ctx, cancel := context.WithTimeout(context.Background(), i.cfg.Launch.StartTimeout)
	attempt := &start{done: make(chan struct{}), cancel: cancel}
	i.starting, i.state = attempt, StateStarting
	i.work.Go(func() {
		defer cancel()
		p, err := i.bringUp(ctx)
		i.started(attempt, p, err)
	})
	return attempt
}

// started takes over the outcome of an attempt.
func (i *instance) started(attempt *start, p *launch.Process, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	defer close(attempt.done)
	i.starting = nil
	if err == nil && i.closed {
		i.end(p, true)
		err = errors.New("the service is stopping")
	}
	if err != nil {
		i.failures++
		i.notBefore = i.cfg.Now().Add(i.cfg.backoff(i.failures))
		i.state, i.lastError = StateStopped, err
		attempt.err = i.cannotStart(err)
		i.logger.Error("driver does not start", "error", err, "failures", i.failures)
		return
	}
	i.failures, i.process, i.state = 0, p, StateReady
	i.starts++
	i.logger.Info("driver ready", "pid", p.PID())
	i.work.Go(func() { i.watch(p) })
}

// watch waits for the end of a process, whoever brought it about.
func (i *instance) watch(p *launch.Process) {
	<-p.Done()
	status, words := p.Exit()
	i.mu.Lock()
	unexpected := i.process == p && !i.closed
	if unexpected {
		i.process, i.state = nil, StateStopped
		i.lastError = fmt.Errorf("process %d ended: %s", p.PID(), status)
	}
	i.mu.Unlock()
	if unexpected {
		i.logger.Error("driver ended unexpectedly", "pid", p.PID(), "status", status, "last_words", words)
	}
	_ = p.Kill() // closes the connection; the process is gone
}

// discard takes a process out of use and ends it, in the background: by the
// ladder, or at once if it hangs.
func (i *instance) discard(p *launch.Process, hangs bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process != p || i.closed {
		return // somebody else did, or will
	}
	i.process, i.state = nil, StateStopped
	i.end(p, hangs)
}

// end stops a process in the background; i.mu is held, so that close, which
// waits for the work, sees it.
func (i *instance) end(p *launch.Process, hangs bool) {
	i.work.Go(func() {
		stop := func() error { return p.Stop(context.Background()) }
		if hangs {
			stop = p.Kill
		}
		if err := stop(); err != nil {
			i.logger.Error("driver does not stop", "pid", p.PID(), "error", err)
		}
	})
}

// check asks a process that let a deadline pass whether it lives. Calls that
// come meanwhile wait for the answer, or they would hang as well.
func (i *instance) check(p *launch.Process) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process != p || i.checking != nil || i.closed {
		return
	}
	checked := make(chan struct{})
	i.checking, i.state = checked, StateDegraded
	i.work.Go(func() {
		alive := i.alive(p)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.checking = nil
		close(checked)
		switch {
		case i.process != p:
		case alive:
			i.state = StateReady
		default:
			i.logger.Error("driver hangs, it is replaced", "pid", p.PID())
			i.lastError = fmt.Errorf("process %d did not answer a probe within %s", p.PID(), i.cfg.ProbeTimeout)
			i.process, i.state = nil, StateStopped
			i.end(p, true)
		}
	})
}

// alive reports whether a process answers at all.
func (i *instance) alive(p *launch.Process) bool {
	ctx, cancel := context.WithTimeout(context.Background(), i.cfg.ProbeTimeout)
	defer cancel()
	_, err := serve.NewControl(p.Conn()).Probe(ctx, driver.ProbeRequest{})
	if err == nil {
		return true
	}
	class := driver.ClassOf(err)
	return ctx.Err() == nil && class != driver.ClassUnavailable
}

func (i *instance) status() Status {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := Status{Name: i.pkg.Name, Version: i.pkg.Version, State: i.state, Restarts: max(i.starts-1, 0)}
	if i.process != nil {
		s.PID = i.process.PID()
	}
	if i.lastError != nil {
		s.LastError = i.lastError.Error()
	}
	return s
}

// close admits nothing new and ends the process; later calls of the set fail.
func (i *instance) close(ctx context.Context) error {
	i.mu.Lock()
	i.closed = true
	if i.starting != nil {
		i.starting.cancel()
	}
	i.state = StateDraining
	p := i.process
	i.mu.Unlock()
	var err error
	if p != nil {
		err = p.Stop(ctx)
	}
	i.work.Wait()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.process, i.state = nil, StateStopped
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
func (i *instance) late(ctx context.Context, while string) error {
	if context.Cause(ctx) == context.Canceled { //nolint:errorlint // the sentinel itself
		return fmt.Errorf("%w: %w", context.Canceled,
			driver.Errorf(driver.ClassUnavailable, "the call of driver %s was cancelled", i.pkg))
	}
	return driver.Errorf(driver.ClassTimeout, "driver %s did not answer in time: %s", i.pkg, while)
}
