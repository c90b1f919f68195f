package supervise

import (
	"context"
	"time"

	"github.com/go-magnum/magnum/sdk/driver"
)

// active returns the driver for a call that names no version: the version that
// the store says is active, or for as long as that is not up the one before.
//
// A new version is started beside the old one, which goes on taking calls
// meanwhile. When the new one has passed its probe it gets all further calls,
// and the old one is retired. If it does not come up, the old one stays, and
// the new one is tried again as often as any driver that does not start.
func (d *Drivers) active(ctx context.Context, next *instance) (driver.Set, error) {
	d.mu.Lock()
	old := d.serving[next.pkg.Name]
	d.mu.Unlock()
	if old == nil || old == next || next.isUp() {
		if err := next.up(ctx); err != nil {
			return driver.Set{}, err
		}
		d.flip(next)
		return next.set(), nil
	}
	if !old.isUp() {
		// Nothing to keep from waiting: the new one first, then the old one.
		if next.up(ctx) == nil {
			d.flip(next)
			return next.set(), nil
		}
	} else if attempt := next.prepareBeside(); attempt != nil {
		d.background(func() {
			<-attempt.done
			if attempt.err == nil {
				d.flip(next)
				return
			}
			next.logger.Warn("driver does not come up, the version before it goes on", "serving", old.pkg.Version)
		})
	}
	if err := old.up(ctx); err != nil {
		return driver.Set{}, err
	}
	return old.set(), nil
}

// background runs something that Close waits for.
func (d *Drivers) background(work func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.work.Go(work)
	}
}

// flip has an instance serve the calls that name no version.
func (d *Drivers) flip(next *instance) {
	// An upgrade may have been taken back while it was under way.
	if digest, err := d.cfg.Store.Resolve(next.pkg.Name, ""); err != nil || digest != next.pkg.Digest {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.serving[next.pkg.Name]
	if old == next || d.closed {
		return
	}
	d.serving[next.pkg.Name] = next
	next.keep()
	if old != nil {
		next.logger.Info("driver has taken the place of another version", "former", old.pkg.Version)
		old.retire()
	}
}

// up waits until there is a process.
func (i *instance) up(ctx context.Context) error {
	_, leave, err := i.acquire(ctx, "")
	if err != nil {
		return err
	}
	leave()
	return nil
}

// isUp reports whether there is a process that takes calls.
func (i *instance) isUp() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process != nil && !i.closed
}

// prepareBeside begins a start if one may be now and none is under way.
func (i *instance) prepareBeside() *start {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed || i.process != nil || i.starting != nil || i.breaker.pause(i.cfg.Now()) > 0 {
		return nil
	}
	return i.begin()
}

// keep takes a retirement back: somebody asked for this very version.
func (i *instance) keep() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.retired {
		return
	}
	i.retired = false
	if i.process != nil && !i.closed && i.state == StateDraining {
		i.enter(StateReady, "pid", i.process.PID())
	}
}

// retire lets an instance finish what its callers have of it and then stops its
// process. Those who hold it may still call: that ends by itself, or when
// CallTimeout is over, and a call after that gets a process for itself.
func (i *instance) retire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.process == nil || i.closed || i.retired {
		return
	}
	i.retired = true
	p, deadline := i.process, time.NewTimer(i.cfg.CallTimeout)
	i.enter(StateDraining, "why", "another version has taken its place")
	i.work.Go(func() {
		defer deadline.Stop()
		tick := time.NewTicker(max(i.cfg.RetireAfter/4, time.Millisecond))
		defer tick.Stop()
		late := false
		for !i.retireNow(p, late) {
			select {
			case <-tick.C:
			case <-deadline.C:
				late = true
			case <-p.Done():
			case <-i.quit:
			}
		}
	})
}

// retireNow reports whether a retirement is over: done, or taken back.
func (i *instance) retireNow(p *process, late bool) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case i.closed || !i.retired || i.process != p:
		return true
	case late || p.unused(i.cfg.Now()) >= i.cfg.RetireAfter:
		i.retired = false
		i.leave(p, "another version has taken its place")
		return true
	default:
		return false
	}
}
