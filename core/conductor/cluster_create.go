package conductor

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func (c *Conductor) createFlow() flow {
	j := job{intent: driver.IntentCreate}
	return flow{
		phases: []phase{
			c.trustPhase(),
			c.certificatesPhase(),
			c.renderPhase(j),
			c.createPhase(j),
			c.followPhase(c.judgeCreate),
			c.outputsPhase(),
		},
		cluster: "CREATE", group: "CREATE", about: inStack(""),
	}
}

// createPhase sees to it that the stack is there.
func (c *Conductor) createPhase(j job) phase {
	return phase{
		name:  phaseStack,
		doing: func(t *task) string { return "Heat to take stack " + t.stackName() },
		run: func(ctx context.Context, t *task) (change, error) {
			return c.createStack(ctx, t, j)
		},
	}
}

// createStack makes it. Its name follows from the row of the cluster or the
// node group, so that a repeat, or a delete, finds it before its id is known.
func (c *Conductor) createStack(ctx context.Context, t *task, j job) (change, error) {
	request, err := c.request(ctx, t, j)
	if err != nil {
		return nil, err
	}
	session, err := c.session(ctx, t)
	if err != nil {
		return nil, err
	}
	// Nobody may look for the stack, in order to delete it, while Heat may
	// still be about to make it.
	if err := c.hold(ctx, t, createWithin); err != nil {
		return nil, err
	}
	id, err := c.Heat.Ensure(ctx, session, request)
	if err != nil {
		return nil, err
	}
	if err := c.hold(ctx, t, c.lease()); err != nil {
		return nil, err
	}
	t.data.SentAt = c.Now().UTC()
	group := t.group
	return func(cluster *magnum.Cluster) error {
		setStackID(cluster, group, id)
		return nil
	}, nil
}

func (c *Conductor) judgeCreate(ctx context.Context, t *task, s sight) error {
	switch {
	case s.gone:
		return fatal(fmt.Sprintf("Stack with id %s not found in Heat.", t.stackRef().ID))
	case strings.HasPrefix(s.stack.Status, "DELETE_"):
		return fatal(fmt.Sprintf("Stack %s was deleted in Heat.", s.stack.Name))
	case strings.HasSuffix(s.stack.Status, "_FAILED"), s.stack.Status == "ROLLBACK_COMPLETE":
		return c.stackFailed(ctx, t, s)
	case strings.HasSuffix(s.stack.Status, "_COMPLETE"):
		return nil
	}
	return errFollow
}

// stackFailed finds out why. What Heat says may quote what it was sent.
func (c *Conductor) stackFailed(ctx context.Context, t *task, s sight) error {
	why := heat.Failure{Reason: s.stack.StatusReason}
	if session, err := c.session(ctx, t); err == nil {
		why = c.Heat.WhyFailed(ctx, session, s.stack)
	}
	for path, reason := range why.Faults {
		why.Faults[path] = t.scrub(reason)
	}
	return &stackError{reason: t.scrub(why.Reason), faults: why.Faults}
}

// scrub takes the cluster's secrets out of a text.
func (t *task) scrub(text string) string {
	for _, secret := range []string{t.cluster.TrusteePassword, t.cluster.TrustID} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}
