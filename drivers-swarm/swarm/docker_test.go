package swarm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-swarm/engine/enginetest"
	"github.com/go-magnum/magnum/drivers-swarm/swarm"
	"github.com/go-magnum/magnum/sdk/driver"
)

// recorded are answers of a Docker 20.10, of a manager and three workers: with
// none, one and two tasks. A fourth was removed, and the worker with its address
// and name is new.
func recorded(t *testing.T) enginetest.Manager {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile("testdata/docker/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return enginetest.Manager{
		Answers: map[string]string{"/nodes": read("nodes"), "/tasks": read("tasks"), "/_ping": "OK"},
		Queries: map[string]string{"/tasks": "filters=%7B%22desired-state%22%3A%5B%22running%22%5D%7D"},
	}
}

func TestSelectNodes(t *testing.T) {
	all := recorded(t)
	enginetest.Selects{
		Hook: swarm.Scaling{}, Manager: all, First: driver.Selected{HeatIndex: "1", Reason: "0 tasks"}, Path: "/nodes",
		Lies: map[string]enginetest.Manager{
			"lies: an object":        all.With("/tasks", `{"NodeID": "x"}`),
			"lies: nodes without id": all.With("/nodes", `[{"Status": {"State": "ready"}}]`),
			"lies: no tasks":         all.Without("/tasks"),
		},
	}.Run(t)

	for name, tt := range map[string]struct {
		manager enginetest.Manager
		change  func(*driver.SelectNodesRequest)
		want    []driver.Selected
	}{
		"fewest tasks first": {all, nil, []driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}}},
		"all": {all, func(r *driver.SelectNodesRequest) { r.Count = 9 },
			[]driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}, {HeatIndex: "0", Reason: "2 tasks"}}},
		"one that never joined": {all, func(r *driver.SelectNodesRequest) {
			r.Nodes = append(r.Nodes, driver.Node{Name: "s-node-3", HeatIndex: "3"})
		}, []driver.Selected{{HeatIndex: "3", Reason: "not a node of the cluster"}, {HeatIndex: "1", Reason: "0 tasks"}}},
		"by name": {all, func(r *driver.SelectNodesRequest) {
			for i := range r.Nodes {
				r.Nodes[i].Address = ""
			}
		}, []driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}}},
		"tasks of nobody": {all.With("/tasks", `[{"NodeID":"gone"},{}]`), nil,
			[]driver.Selected{{HeatIndex: "2", Reason: "0 tasks"}, {HeatIndex: "1", Reason: "0 tasks"}}},
		"tasks of one that was removed": {all.With("/tasks", `[{"NodeID":"wnpunz3eqljmi5r4jz7aabhyd"},{"NodeID":"pc5y37rbu5cmhtn98s0t0q6sk"},{"NodeID":"llnf9jr5x57jxs63zvbx5skpp"}]`), nil,
			[]driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}}},
	} {
		t.Run(name, func(t *testing.T) {
			req := driver.SelectNodesRequest{Nodes: enginetest.Servers(), Count: 2, Access: tt.manager.Start(t)}
			if tt.change != nil {
				tt.change(&req)
			}
			got, err := swarm.Scaling{}.SelectNodes(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Nodes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckHealth(t *testing.T) {
	all := recorded(t)
	healthy := all.With("/nodes", strings.ReplaceAll(all.Answers["/nodes"], `"State": "down"`, `"State": "ready"`))
	drained := all.With("/nodes", strings.Replace(all.Answers["/nodes"], `"State": "ready"`, `"State": "down"`, 1))
	nodes := map[string]string{"api": "OK", "s-master-0.Ready": "True", "s-node-0.Ready": "True", "s-node-1.Ready": "True", "s-node-2.Ready": "True"}
	for name, tt := range map[string]struct {
		manager enginetest.Manager
		private bool
		status  driver.HealthStatus
		reasons map[string]string
	}{
		"well":         {healthy, false, driver.Healthy, nodes},
		"one replaced": {all, false, driver.Healthy, nodes},
		"one down": {drained, false, driver.Unhealthy,
			map[string]string{"api": "OK", "s-master-0.Ready": "True", "s-node-0.Ready": "False", "s-node-1.Ready": "True", "s-node-2.Ready": "True"}},
		"no manager": {enginetest.Manager{Status: 503}, false, driver.Unhealthy,
			map[string]string{"api": `The cluster's API answered 503 Service Unavailable: {"message":"This node is not a swarm manager."}`}},
		"private": {enginetest.Manager{Status: 503}, true, driver.HealthUnknown, map[string]string{"api": "The cluster prod is not accessible."}},
	} {
		t.Run(name, func(t *testing.T) {
			req := driver.CheckHealthRequest{Cluster: base().Cluster, Access: tt.manager.Start(t)}
			req.Cluster.FloatingIP = !tt.private
			got, err := swarm.Monitoring{}.CheckHealth(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(driver.CheckHealthResponse{Status: tt.status, Reasons: tt.reasons}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
