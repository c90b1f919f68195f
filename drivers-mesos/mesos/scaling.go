package mesos

import (
	"context"
	"encoding/json"
	"net"
	"strings"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Scaling chooses the workers without tasks of Marathon first, then those with
// the fewest. A cluster whose Marathon cannot be asked, or answers what it never
// would, is driver.ClassUnavailable: Heat's order holds then.
type Scaling struct{}

var _ driver.Scaling = Scaling{}

// SelectNodes answers from Marathon.
func (Scaling) SelectNodes(ctx context.Context, req driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	if req.Count <= 0 || len(req.Nodes) == 0 {
		return driver.SelectNodesResponse{}, nil
	}
	access := driver.COEAccess{} // no certificate: Marathon has no TLS
	if req.Access.Endpoint != "" {
		access.Endpoint = "http://" + net.JoinHostPort(req.Access.Endpoint, "8080")
	}
	c, err := coe.New(access)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	defer c.Close()
	tasks, err := marathonTasks(ctx, c)
	if err != nil {
		return driver.SelectNodesResponse{}, err
	}
	// Marathon knows only of agents that have a task, so all servers count as
	// the cluster's.
	l := coe.Load{Unit: "task", Nodes: map[string]string{}, Count: map[string]int{}}
	for _, n := range req.Nodes {
		l.Nodes[n.Address] = n.Address
	}
	for _, t := range tasks {
		if !ended(t.State) {
			l.Count[t.Host]++
		}
	}
	return l.FewestFirst(req), nil
}

// task is what is read of a task; the host is what its agent says it is, its
// address.
type task struct {
	Host  string `json:"host"`
	State string `json:"state"`
}

func marathonTasks(ctx context.Context, c *coe.Client) ([]task, error) {
	body, err := c.Get(ctx, "/v2/tasks")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Tasks *[]task `json:"tasks"`
	}
	// Without the list it would look as if nothing ran anywhere.
	if err := json.Unmarshal(body, &answer); err != nil || answer.Tasks == nil {
		return nil, driver.Errorf(driver.ClassUnavailable, "The cluster's Marathon answered no list of tasks: %.200s", strings.TrimSpace(string(body)))
	}
	return *answer.Tasks, nil
}

// ended reports whether a task is only still listed; Mesos' final states.
func ended(state string) bool {
	switch state {
	case "TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_DROPPED", "TASK_GONE":
		return true
	}
	return false
}
