package conductor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// internalError is a fault of ours: repeated once, and not shown to users.
type internalError struct{ error }

func (e *internalError) Unwrap() error { return e.error }

// internalText is what users see of an error that has no words for them.
const internalText = "an internal error; the operator's log has more"

// fatal makes an error that ends the operation with this reason.
func fatal(reason string) error { return &magnum.Error{Kind: magnum.Invalid, Message: reason} }

// stackError is the end of an operation whose stack failed, or whose driver said
// that it has.
type stackError struct {
	reason string
	faults map[string]string
	// partly is what was reached all the same; may be nil.
	partly change
}

func (e *stackError) Error() string { return e.reason }
func (e *stackError) Unwrap() error { return fatal(e.reason) }

// overdueError is the end of an operation that ran out of time.
type overdueError struct{ error }

func (e *overdueError) Unwrap() error { return e.error }

// verdict is what an error means for an operation.
type verdict struct {
	// text is for the cluster's owner.
	text  string
	retry bool
	// once: retry only if that was not done before.
	once *int
	// after is when at the earliest; 0 leaves it to the backoff.
	after time.Duration
}

func (t *task) judge(err error) verdict {
	var d *driver.Error
	if errors.As(err, &d) {
		return t.judgeDriver(d)
	}
	var later *laterError
	if errors.As(err, &later) {
		return verdict{text: later.text, retry: true, after: later.after}
	}
	var m *magnum.Error
	if !errors.As(err, &m) {
		// The database, or a bug that did not panic: worth repeating.
		v := verdict{text: internalText, retry: true}
		var internal *internalError
		if errors.As(err, &internal) {
			v.once = &t.data.Bugs
		}
		return v
	}
	switch m.Kind {
	case magnum.Unavailable, magnum.Conflict:
		return verdict{text: m.Message, retry: true}
	case magnum.Unauthorized:
		return verdict{text: m.Message, retry: true, once: &t.data.Auths}
	case magnum.Internal:
		return verdict{text: internalText, retry: true}
	default:
		return verdict{text: m.Message}
	}
}

// judgeDriver is the table of the driver contract.
func (t *task) judgeDriver(e *driver.Error) verdict {
	v := verdict{text: e.UserMessage, retry: e.Class.Retryable(), after: e.RetryAfter}
	if v.text == "" {
		v.text = fmt.Sprintf("the driver gave no reason (%s)", e.Class)
	}
	switch e.Class {
	case driver.ClassBug:
		v.once = &t.data.Bugs
	case driver.ClassAuth:
		v.once = &t.data.Auths
	}
	return v
}

// settle decides what becomes of an operation whose phase failed: it is tried
// again later, or it has failed.
func (c *Conductor) settle(t *task, err error) {
	v := t.judge(err)
	if magnum.KindOf(err) == magnum.Unauthorized && t.cluster != nil {
		c.Keystone.ForgetTrust(t.cluster.TrustID)
	}
	if v.once != nil {
		v.retry = *v.once == 0
		*v.once++
	}
	if v.retry && !c.late(t) {
		c.putOff(t, err)
		err = c.postpone(t, v, err)
	} else {
		c.abandon(t)
		t.log.Warn("operation failed", "phase", t.op.Phase, "error", err)
		cause := err
		if err = c.fail(t, v.text, cause); err == nil {
			c.ended(t, cause)
		}
	}
	if err != nil && t.ctx.Err() == nil && !errors.Is(err, state.ErrFenced) {
		// The next owner of the lease repeats the phase.
		t.log.Error("the outcome of a phase could not be saved", "phase", t.op.Phase, "error", err)
	}
	c.drop(t)
}

// postpone gives the operation back, to be taken up again a little later.
func (c *Conductor) postpone(t *task, v verdict, cause error) error {
	wait := v.after
	if wait == 0 {
		wait = c.Backoff(t.op.Attempts)
	}
	t.op.Attempts++
	level := hclog.Info
	if t.op.LastError == cause.Error() {
		level = hclog.Debug // for the same reason as before
	}
	t.op.LastError = cause.Error()
	t.op.NotBefore = c.Now().Add(wait)
	if !t.op.Deadline.IsZero() && t.op.NotBefore.After(t.op.Deadline) {
		t.op.NotBefore = t.op.Deadline
	}
	t.log.Log(level, "phase put off", "phase", t.op.Phase, "attempt", t.op.Attempts, "wait", wait, "error", cause)
	if t.cluster == nil {
		return c.DB.Advance(t.ctx, t.op, nil)
	}
	what := t.data.Waiting
	if what == "" {
		what = "the conductor"
	}
	reason := c.waitFor(t, what) + ": " + v.text
	return c.save(t.ctx, t, func(cluster *magnum.Cluster) error {
		cluster.StatusReason = reason
		return nil
	})
}

// fail ends the operation, with a reason for the user.
func (c *Conductor) fail(t *task, reason string, cause error) error {
	t.finishing.Store(true)
	defer t.finishing.Store(false)
	if t.cluster == nil {
		return c.failUnseen(t, reason)
	}
	why := failure{reason: reason, group: t.group, rolledBack: t.data.RolledBack}
	var s *stackError
	if errors.As(cause, &s) {
		why.stack, why.faults = true, s.faults
	}
	f, err := c.flow(t)
	if err != nil {
		return c.failUnseen(t, reason)
	}
	return c.write(t.ctx, t, func(cluster *magnum.Cluster) error {
		if s != nil && s.partly != nil {
			if err := s.partly(cluster); err != nil {
				return err
			}
		}
		f.fails(cluster, why)
		return nil
	}, f.failing.or(c.DB.Finish))
}

// failUnseen ends an operation that could not be looked into: whatever says
// that it is in progress has failed.
func (c *Conductor) failUnseen(t *task, reason string) error {
	err := c.DB.Finish(t.ctx, t.op, func(cluster *magnum.Cluster) error {
		s := failedStatus(t.op.Kind)
		cluster.Status, cluster.StatusReason, cluster.Faults = s, reason, nil
		for i := range cluster.NodeGroups {
			if g := &cluster.NodeGroups[i]; g.Status.InProgress() {
				g.Status = s
			}
		}
		return nil
	})
	if magnum.KindOf(err) == magnum.NotFound {
		return c.DB.Finish(t.ctx, t.op, nil) // nobody left to tell
	}
	return err
}

func failedStatus(k magnum.OperationKind) magnum.Status {
	switch k {
	case magnum.OpCreate:
		return magnum.CreateFailed
	case magnum.OpDelete:
		return magnum.DeleteFailed
	default:
		return magnum.UpdateFailed
	}
}

func (c *Conductor) late(t *task) bool {
	return !t.op.Deadline.IsZero() && !c.Now().Before(t.op.Deadline)
}

// overdue is the error of an operation that ran out of time: it names what
// was being waited for.
func (c *Conductor) overdue(ctx context.Context, t *task, p phase) error {
	waiting := t.cluster.StatusReason
	if !strings.HasPrefix(waiting, "waiting for ") {
		waiting = "waiting for " + p.doing(t)
	}
	if strings.HasPrefix(p.name, phaseFollow) {
		if pending := c.pending(ctx, t); pending != "" {
			waiting += ": " + pending
		}
	}
	return &overdueError{fatal(fmt.Sprintf("Timed out after %d minutes, %s", int(c.timeout(t).Minutes()), waiting))}
}

// redacted keeps of a client's error only what cannot hold a secret: its
// texts carry addresses and whole answers.
func redacted(err error) error {
	var code gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &code) {
		return fmt.Errorf("HTTP %d", code.Actual)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return errors.New("no usable answer")
}

// laterError puts a phase off for a known time.
type laterError struct {
	text  string
	after time.Duration
}

func (e *laterError) Error() string { return e.text }
