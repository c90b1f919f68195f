package conductor

import (
	"context"
	"fmt"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func (c *Conductor) createFlow() flow {
	return flow{
		phases: []phase{
			c.trustPhase(),
			c.certificatesPhase(),
			c.renderPhase(driver.IntentCreate, nil),
			{name: "stack", doing: func(t *task) string { return "Heat to take stack " + t.stackName() }, run: c.createStack},
			c.followPhase(c.judgeCreate),
			c.outputsPhase(nil),
		},
		begin: func(cluster *magnum.Cluster) {
			setStatus(cluster, magnum.CreateInProgress, "", "")
		},
		end: func(cluster *magnum.Cluster) {
			setStatus(cluster, magnum.CreateComplete, "", "")
		},
		fail: func(cluster *magnum.Cluster, reason string) {
			setStatus(cluster, magnum.CreateFailed, reason, "")
		},
	}
}

// createStack sees to it that the stack is there. Its name follows from the
// cluster's row, so that a repeat, or a delete, finds it before its id is known.
func (c *Conductor) createStack(ctx context.Context, t *task) (change, error) {
	request, err := c.request(ctx, t, driver.IntentCreate, nil)
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
	return func(cluster *magnum.Cluster) error {
		cluster.StackID = id
		for i := range cluster.NodeGroups {
			if g := &cluster.NodeGroups[i]; g.IsDefault {
				g.StackID = id
			}
		}
		return nil
	}, nil
}

func (c *Conductor) judgeCreate(ctx context.Context, t *task, s sight) error {
	switch {
	case s.gone:
		return fatal(fmt.Sprintf("Stack with id %s not found in Heat.", t.cluster.StackID))
	case strings.HasPrefix(s.stack.Status, "DELETE_"):
		return fatal(fmt.Sprintf("Stack %s was deleted in Heat.", s.stack.Name))
	case strings.HasSuffix(s.stack.Status, "_FAILED"), s.stack.Status == "ROLLBACK_COMPLETE":
		return c.stackFailed(ctx, t, s)
	case strings.HasSuffix(s.stack.Status, "_COMPLETE"):
		return nil
	}
	return errFollow
}

// stackFailed finds out why.
func (c *Conductor) stackFailed(ctx context.Context, t *task, s sight) error {
	session, err := c.session(ctx, t)
	if err != nil {
		return fatal(s.stack.StatusReason)
	}
	return fatal(c.Heat.FailureReason(ctx, session, s.stack))
}
