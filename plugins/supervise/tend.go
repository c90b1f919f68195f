package supervise

import (
	"context"
	"fmt"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// tend looks after a process until it is gone: it asks whether it lives, and
// stops it when nobody needs it.
func (i *instance) tend(p *process) {
	tick := time.NewTicker(i.cfg.ProbeInterval)
	defer tick.Stop()
	misses := 0
	for {
		select {
		case <-p.Done():
			i.settle(p)
			_ = p.Kill() // closes the connection; the process is gone
			i.mu.Lock()
			delete(i.live, p)
			i.mu.Unlock()
			i.changed()
			return
		case <-tick.C:
		}
		if i.stopIdle(p) || !i.tended(p) {
			continue
		}
		alive, waits := i.alive(p)
		if alive {
			misses = 0
		} else {
			misses++
		}
		i.probed(p, misses, waits)
		if alive && i.tended(p) {
			i.reconfigure(p)
		}
	}
}

// tended reports whether a process is the one in use, and not being checked.
func (i *instance) tended(p *process) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process == p && i.checking == nil && !i.closed
}

// probed draws the conclusion from a probe.
func (i *instance) probed(p *process, misses int, waits string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.process != p || i.checking != nil || i.closed:
	case misses >= i.cfg.ProbeMisses:
		i.hung(p, fmt.Errorf("process %d did not answer %d probes in a row, each within %s", p.PID(), misses, i.cfg.ProbeTimeout))
	case misses > 0:
		i.enter(StateDegraded, "unanswered_probes", misses)
	case waits != "":
		i.enter(StateDegraded, "waits_for", waits)
	case i.state == StateDegraded:
		i.enter(StateReady, "pid", p.PID())
	}
}

// stopIdle stops a process that has had no call for long enough.
func (i *instance) stopIdle(p *process) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.cfg.IdleTimeout == 0 || i.process != p || i.closed || i.checking != nil ||
		p.unused(i.cfg.Now()) < i.cfg.IdleTimeout {
		return false
	}
	i.leave(p, "idle")
	return true
}

// leave takes a process out of use and stops it, in the background; i.mu is
// held. Calls that it has may go on for a while, as new ones cannot reach it.
func (i *instance) leave(p *process, why string) {
	p.ordered = true
	i.process = nil
	i.enter(StateDraining, "why", why)
	i.end(p, func() error {
		timer := time.NewTimer(i.drainTimeout())
		defer timer.Stop()
		select {
		case <-p.quiet():
		case <-p.Done():
		case <-timer.C:
		case <-i.quit:
		}
		return p.Stop(context.Background())
	})
}

// drainTimeout is launch's, whose default applies to its own steps only.
func (i *instance) drainTimeout() time.Duration {
	if d := i.cfg.Launch.DrainTimeout; d > 0 {
		return d
	}
	return 5 * time.Second
}

// hung replaces a process that hangs; i.mu is held. It is asked for its
// goroutines first, which tells an author where.
func (i *instance) hung(p *process, cause error) {
	p.hung = true
	i.process = nil
	i.crashed(p, cause)
	i.end(p, func() error {
		p.Dump(i.cfg.DumpTimeout)
		return p.Kill()
	})
}

// check asks a process that let a deadline pass whether it lives. Calls that
// come meanwhile wait for the answer, or they would hang as well. A process
// whose calls all hang is replaced whatever it answers.
func (i *instance) check(p *process, whole bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if whole {
		i.overdue++
	}
	if i.process != p || i.checking != nil || i.closed {
		return
	}
	if i.overdue >= i.cfg.CallMisses {
		i.hung(p, fmt.Errorf("process %d let %d calls in a row hang", p.PID(), i.overdue))
		return
	}
	checked := make(chan struct{})
	i.checking = checked
	i.enter(StateDegraded, "why", "a call had no answer in time")
	i.work.Go(func() {
		alive, waits := i.alive(p)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.checking = nil
		close(checked)
		switch {
		case i.process != p || i.closed:
		case alive && waits == "":
			i.enter(StateReady, "pid", p.PID())
		case !alive:
			i.hung(p, fmt.Errorf("process %d did not answer a probe within %s", p.PID(), i.cfg.ProbeTimeout))
		}
	})
}

// answered ends a row of calls that hung.
func (i *instance) answered() {
	i.mu.Lock()
	i.overdue = 0
	i.mu.Unlock()
}

// alive reports whether a process answers at all, and what it says it waits
// for if it is not ready.
func (i *instance) alive(p *process) (alive bool, waitsFor string) {
	ctx, cancel := context.WithTimeout(context.Background(), i.cfg.ProbeTimeout)
	defer cancel()
	out, err := serve.NewControl(p.Conn()).Probe(ctx, driver.ProbeRequest{})
	switch {
	case err == nil && out.Ready:
		return true, ""
	case err == nil:
		return true, waits(out.Dependencies)
	case ctx.Err() == nil && driver.ClassOf(err) != driver.ClassUnavailable:
		return true, err.Error()
	}
	return false, ""
}
