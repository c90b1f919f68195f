package conductor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// errWatch is returned by a phase that waits for its driver.
var errWatch = errors.New("the driver has not finished")

// errHeard ends a stream after its last event.
var errHeard = errors.New("the last event was heard")

// watchPhase waits for the driver's last event. What it says is saved together
// with the operation's end: until then it can be heard again.
func (c *Conductor) watchPhase() phase {
	return phase{
		name: "watch",
		doing: func(t *task) string {
			if t.data.Heard != "" {
				return t.data.Heard
			}
			return "driver " + driverName(t)
		},
		run: func(_ context.Context, t *task) (change, error) {
			last, err := t.last, t.lost
			t.last, t.lost = nil, nil
			switch {
			case t.data.Gone:
				return nil, nil
			case err != nil:
				return nil, err
			case last == nil:
				return nil, errWatch
			}
			t.op.Driver = &magnum.DriverOperation{Over: true}
			apply := func(cluster *magnum.Cluster) error {
				patchCluster(cluster, last.Cluster)
				patchGroups(cluster, everybody, last.NodeGroups)
				return nil
			}
			if last.Failed {
				return nil, &stackError{reason: said(last, "the driver gave no reason"), partly: apply}
			}
			return apply, nil
		},
	}
}

// watch listens to the driver beside the workers, and has one go on with the
// task when there is nothing more to hear.
func (c *Conductor) watch(t *task) {
	c.streams.Go(func() {
		t.last, t.lost = c.listen(t)
		c.attend(t)
	})
}

// listen takes the operation up, at whatever process of the driver there is,
// and saves what it says, one event after the other. It returns the last one;
// or nil where the time was up.
func (c *Conductor) listen(t *task) (last *driver.Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			t.log.Error("panic while listening to the driver", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			last, err = nil, &internalError{errors.New("panic while listening to the driver")}
		}
	}()
	ctx, stop := c.inTime(t.ctx, t.op.Deadline)
	defer stop()
	set, request, err := c.beginRequest(ctx, t, false)
	if err != nil {
		return nil, c.unlessLate(ctx, t, err)
	}
	own, _, err := c.engaged(ctx, t)
	if err != nil {
		return nil, err
	}
	if own == nil {
		return nil, fatal("There is no record of what the driver has begun.")
	}
	resume := driver.ResumeRequest{Begin: request, Handle: own.Handle, State: own.State}
	var asked *driver.Event
	for {
		if last, asked, err = c.hear(ctx, t, set, resume, own, asked); asked == nil {
			return last, err
		}
		if resume.Certificate, err = c.certify(ctx, t, request, asked); err != nil {
			return nil, c.unlessLate(ctx, t, err)
		}
		resume.Handle, resume.State = own.Handle, own.State
		if asked.State != nil {
			resume.State = asked.State
		}
	}
}

// hear has the driver take the operation up and listens to one stream: to the
// last event, or to one that asks for a certificate. answered is the one that
// did so before. It counts as heard only once the driver has its answer:
// whoever takes over before that hears it again, and signs again.
func (c *Conductor) hear(ctx context.Context, t *task, set driver.Set, resume driver.ResumeRequest, own *magnum.DriverOperation,
	answered *driver.Event,
) (last, asks *driver.Event, err error) {
	now, err := set.Lifecycle.Resume(ctx, resume)
	if driver.ClassOf(err) == driver.ClassNotFound && err != nil && t.op.Kind == magnum.OpDelete {
		return &driver.Event{Done: true}, nil, nil
	}
	if err != nil {
		return nil, nil, c.unlessLate(ctx, t, fmt.Errorf("ask driver %s to go on: %w", set.Name, err))
	}
	own.Handle, own.State = now.Handle, now.State
	if answered != nil {
		own.Seq = answered.Seq
		if err := c.heard(ctx, t, *own, answered); err != nil {
			return nil, nil, err
		}
	}
	err = set.Lifecycle.Watch(ctx, driver.WatchRequest{
		OperationID: t.op.ID, Handle: own.Handle, State: own.State, FromSeq: own.Seq + 1,
	}, func(e driver.Event) error {
		switch {
		case e.Seq <= own.Seq:
			return nil // heard before
		case e.Done:
			last = &e
			return errHeard
		case e.CertificateRequest != "":
			asks = &e
			return errHeard
		}
		own.Seq = e.Seq
		if e.State != nil {
			own.State = e.State
		}
		return c.heard(ctx, t, *own, &e)
	})
	switch {
	case last != nil || asks != nil:
		return last, asks, nil
	case err == nil:
		err = driver.Errorf(driver.ClassBug, "Driver %s stopped telling of an operation that is not done.", set.Name)
	case driver.ClassOf(err) == driver.ClassNotFound:
		// The process that had taken the operation up is gone already.
		err = driver.Errorf(driver.ClassRestarted, "Driver %s has lost sight of the operation.", set.Name)
	}
	return nil, nil, c.unlessLate(ctx, t, err)
}

// certify signs what a driver asks for with the cluster's authority, whose key
// it never sees. A request that cannot be granted is the driver's fault.
func (c *Conductor) certify(ctx context.Context, t *task, begun driver.BeginRequest, e *driver.Event) (string, error) {
	err := error(magnum.Errorf(magnum.Invalid, "The operation has no authority."))
	certificate := ""
	if begun.CACert != "" {
		certificate, err = c.Cert.SignServer(ctx, t.cluster, []byte(e.CertificateRequest))
	}
	switch {
	case err == nil:
		t.log.Info("a server of the cluster gets a certificate", "seq", e.Seq)
	case magnum.KindOf(err) == magnum.Invalid:
		err = &driver.Error{
			Class: driver.ClassBug, Blame: driver.BlameDriver,
			UserMessage:     fmt.Sprintf("Driver %s asks for a certificate that it cannot have.", driverName(t)),
			OperatorMessage: fmt.Sprintf("event %d: %.500s", e.Seq, err.Error()),
		}
	}
	return certificate, err
}

// unlessLate leaves out an error that is only the operation's time being up:
// that is judged, and said, by the phase.
func (c *Conductor) unlessLate(ctx context.Context, t *task, err error) error {
	if ctx.Err() != nil && t.ctx.Err() == nil {
		return nil
	}
	return err
}

// inTime makes a context that ends when a deadline has passed by the
// conductor's clock.
func (c *Conductor) inTime(ctx context.Context, deadline time.Time) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	if deadline.IsZero() {
		return ctx, cancel
	}
	var clock sync.WaitGroup
	clock.Go(func() {
		tick := time.NewTicker(c.Follow)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if !c.Now().Before(deadline) {
					cancel()
				}
			}
		}
	})
	return ctx, func() {
		cancel()
		clock.Wait()
	}
}

// heard saves an event: the driver's state before anything that follows from it
// can happen, and with it what the owner sees.
func (c *Conductor) heard(ctx context.Context, t *task, own magnum.DriverOperation, e *driver.Event) error {
	what := fmt.Sprintf("driver %s: %s", driverName(t), said(e, "at work"))
	if e.Percent > 0 {
		what += fmt.Sprintf(" (%d %%)", min(e.Percent, 100))
	}
	t.data.Heard = what
	reason := c.waitFor(t, what)
	t.op.Driver, t.op.Attempts = &own, 0
	t.log.Debug("the driver goes on", "seq", e.Seq, "driver_phase", e.Phase)
	return c.save(ctx, t, func(cluster *magnum.Cluster) error {
		patchCluster(cluster, e.Cluster)
		patchGroups(cluster, everybody, e.NodeGroups)
		cluster.StatusReason = reason
		return nil
	})
}

// saidMost is how much of an event's message the owner is shown, in bytes.
const saidMost = 1000

// said is an event in words.
func said(e *driver.Event, otherwise string) string {
	text := e.Message
	if text == "" {
		text = e.Phase
	}
	switch {
	case text == "":
		return otherwise
	case len(text) > saidMost:
		return text[:saidMost] + "…"
	}
	return text
}
