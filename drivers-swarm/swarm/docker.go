package swarm

import (
	"context"
	"encoding/json"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// docker is a manager's API for the time of one call. Paths without a version
// are of the engine's own, and what is read of the answers has been there since
// there is swarm mode.
type docker struct{ *coe.Client }

func newDocker(a driver.COEAccess, tlsDisabled bool) (docker, error) {
	c, err := coe.New(access(a, tlsDisabled))
	return docker{c}, err
}

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
	if err := d.read(ctx, "/nodes", &all); err != nil {
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
	err := d.read(ctx, `/tasks?filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D`, &all)
	return all, err
}

func (d docker) read(ctx context.Context, path string, into any) error {
	body, err := d.Get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return driver.Errorf(driver.ClassUnavailable, "The cluster's %.6s cannot be read: %v", path, err)
	}
	return nil
}
