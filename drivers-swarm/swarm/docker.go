package swarm

import (
	"context"

	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/sdk/driver"
)

// docker is a manager's API for the time of one call. Paths without a version
// are of the engine's own, and what is read of the answers has been there since
// there is swarm mode.
type docker struct{ engine.API }

// node is what is read of a node of the swarm. One that was removed stays in the
// list, as down, and its address may be a new server's.
type node struct {
	ID          string
	Description struct{ Hostname string }
	Status      struct{ State, Addr string }
	Spec        struct{ Role string }
}

const (
	stateReady = "ready"
	stateDown  = "down"
)

func (d docker) nodes(ctx context.Context) ([]node, error) {
	var all []node
	if err := d.Read(ctx, "/nodes", &all); err != nil {
		return nil, err
	}
	for _, n := range all {
		if n.ID == "" || n.Status.State == "" {
			return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's /nodes has a node without id or state.")
		}
	}
	return all, nil
}

// task is what is read of one container of a service.
type task struct{ NodeID string }

// tasks are those that shall run.
func (d docker) tasks(ctx context.Context) ([]task, error) {
	var all []task
	err := d.Read(ctx, `/tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D`, &all)
	return all, err
}
