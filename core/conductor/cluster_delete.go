package conductor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// deleteFlow removes the stacks of node groups before the cluster's own, to
// whose networks they hold on. They go together: all are asked for before the
// first is waited for.
func (c *Conductor) deleteFlow(t *task) flow {
	phases := []phase{{
		name:  "pre-delete",
		doing: func(*task) string { return "resources that the cluster made by itself to go" },
		run: func(ctx context.Context, t *task) (change, error) {
			return nil, c.preDelete(ctx, t)
		},
	}}
	var follow []phase
	for i := range t.cluster.NodeGroups {
		if group := ownStack(&t.cluster.NodeGroups[i]); group != "" {
			phases = append(phases, each(group, c.deletePhase())...)
			follow = append(follow, each(group, c.followDelete())...)
		}
	}
	phases = append(append(phases, follow...), c.deletePhase(), c.followDelete(),
		phase{
			name:  "trust",
			doing: func(*task) string { return "Keystone to remove the cluster's trust" },
			run:   c.removeTrust,
		},
		phase{
			name:  "certificates",
			doing: func(*task) string { return "the cluster's certificates to go" },
			run: func(ctx context.Context, t *task) (change, error) {
				return nil, c.Cert.Delete(ctx, t.cluster)
			},
		})
	return flow{
		phases:  phases,
		cluster: "DELETE", group: "DELETE", about: everybody,
		finish: func(ctx context.Context, t *task) error {
			if err := c.DB.Destroy(ctx, t.op); err != nil {
				return err
			}
			t.log.Info("cluster deleted")
			return nil
		},
	}
}

// each makes phases be about the stack of one of several groups, with names of
// their own.
func each(group string, phases ...phase) []phase {
	for i := range phases {
		phases[i].name += " " + group
	}
	return onStack(group, phases...)
}

func (c *Conductor) deletePhase() phase {
	return phase{
		name:    phaseStack,
		removes: true,
		doing:   func(t *task) string { return "Heat to begin with the removal of stack " + t.stackName() },
		run:     c.deleteStack,
	}
}

// deleteStack asks Heat to remove the stack, also one that a create has made
// whose id was never saved.
func (c *Conductor) deleteStack(ctx context.Context, t *task) (change, error) {
	session, err := c.session(ctx, t)
	if err != nil {
		return nil, err
	}
	stack, err := c.Heat.Status(ctx, session, t.stackRef())
	if magnum.KindOf(err) == magnum.NotFound {
		return nil, nil // and so it will be when it is waited for
	}
	if err != nil {
		return nil, err
	}
	if err := c.Heat.Delete(ctx, session, stack.Ref()); err != nil {
		return nil, err
	}
	t.data.SentAt = c.Now().UTC()
	group := t.group
	return func(cluster *magnum.Cluster) error {
		setStackID(cluster, group, stack.ID)
		return nil
	}, nil
}

// askAgain is after how long a delete that Heat accepted and did not begin is
// sent again.
const askAgain = 15 * time.Second

func (c *Conductor) followDelete() phase {
	p := c.followPhase(func(ctx context.Context, t *task, s sight) error {
		switch {
		case s.gone:
			return nil
		case s.stack.Status == "DELETE_FAILED":
			return c.stackFailed(ctx, t, s)
		case strings.HasPrefix(s.stack.Status, "DELETE_"), c.Now().Sub(t.data.SentAt) < askAgain:
			return errFollow
		}
		session, err := c.session(ctx, t)
		if err != nil {
			return err
		}
		if err := c.Heat.Delete(ctx, session, s.stack.Ref()); err != nil {
			return err
		}
		t.data.SentAt = c.Now().UTC()
		return errFollow
	})
	p.doing = func(t *task) string { return "stack " + t.stackName() + " to go" }
	p.removes = true
	return p
}

// removeTrust takes the cluster's rights away. After the stack: Heat works
// with a trust made from this one. User and trust of a create that was cut off
// before it could save them are looked up.
func (c *Conductor) removeTrust(ctx context.Context, t *task) (change, error) {
	name, trustee, trust := t.cluster.TrusteeUsername, t.trustee(), t.cluster.TrustID
	if name == "" && trustee.UserID == "" {
		return nil, nil
	}
	if trustee.UserID == "" {
		var err error
		if trustee.UserID, err = c.Keystone.FindTrustee(ctx, name); err != nil || trustee.UserID == "" {
			return nil, err
		}
	}
	if trust == "" {
		var err error
		owner := magnum.Initiator{UserID: t.cluster.UserID, ProjectID: t.cluster.ProjectID}
		trust, err = c.Keystone.FindTrust(ctx, trustee, owner)
		// A trustee that cannot log in has no trust either, or one that
		// nobody can use.
		if err != nil && magnum.KindOf(err) != magnum.Unauthorized {
			return nil, err
		}
	}
	if err := c.Keystone.DeleteTrust(ctx, trustee, trust); err != nil {
		return nil, err
	}
	if err := c.pruneTrusts(ctx, t, trustee); err != nil {
		return nil, err
	}
	return nil, c.Keystone.DeleteTrustee(ctx, trustee.UserID, name)
}

// pruneTrusts removes what a rotation that did not come to its end has left.
// It may also have left a password that nobody knows: then there is another.
func (c *Conductor) pruneTrusts(ctx context.Context, t *task, trustee keystone.Trustee) error {
	err := c.Keystone.PruneTrusts(ctx, trustee, "")
	if err == nil || magnum.KindOf(err) != magnum.Unauthorized {
		return err
	}
	if !t.data.PasswordSet.IsZero() {
		return nil // nobody can log in any more, and so nobody can use them
	}
	password, err := c.password()
	if err != nil {
		return err
	}
	if err := c.Keystone.SetPassword(ctx, trustee.UserID, password); err != nil {
		if magnum.KindOf(err) == magnum.Invalid {
			return nil // the trustee is gone, or not ours to change
		}
		return err
	}
	t.data.PasswordSet = c.Now().UTC()
	err = c.save(ctx, t, func(cluster *magnum.Cluster) error {
		cluster.TrusteePassword = password
		return nil
	})
	if err != nil {
		return err
	}
	return &laterError{text: "Keystone has only just changed the password", after: tick}
}

// preDelete removes what the cluster has made by itself in the cloud, and what
// would keep Heat from removing the stack. A driver that is not installed any
// more is no reason to keep a cluster.
func (c *Conductor) preDelete(ctx context.Context, t *task) error {
	if t.cluster.StackID == "" {
		return nil // it never ran
	}
	set, err := c.driver(ctx, t)
	if err != nil {
		if t.judge(err).retry {
			return err
		}
		t.log.Warn("the cluster is deleted without its driver: load balancers that it made by itself may stay behind", "error", err)
		return nil
	}
	if set.Templates == nil {
		return nil
	}
	answer, err := set.Templates.PreDelete(ctx, driver.PreDeleteRequest{Template: driverTemplate(t.template), Cluster: driverCluster(t.cluster)})
	if driver.ClassOf(err) == driver.ClassNotFound && err != nil {
		return nil //nolint:nilerr // what is not there need not be removed
	}
	if err != nil {
		return fmt.Errorf("ask driver %s what to remove first: %w", set.Name, err)
	}
	for _, clean := range answer.Cleanups {
		if err := c.clean(ctx, t, clean); err != nil {
			return err
		}
	}
	return nil
}
