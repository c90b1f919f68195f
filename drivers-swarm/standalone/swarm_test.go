package standalone_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-swarm/engine/enginetest"
	"github.com/go-magnum/magnum/drivers-swarm/standalone"
	"github.com/go-magnum/magnum/sdk/driver"
)

func recording(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/swarm/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// recorded are answers of a Swarm 1.2.9 before three engines, each with an agent:
// with two, none and one of the user's containers that run.
func recorded(t *testing.T) enginetest.Manager {
	t.Helper()
	return enginetest.Manager{Answers: map[string]string{
		"/info": recording(t, "info"), "/containers/json": recording(t, "containers"), "/_ping": "OK",
	}}
}

func TestSelectNodes(t *testing.T) {
	all := recorded(t)
	enginetest.Selects{
		Hook: standalone.Scaling{}, Manager: all, First: driver.Selected{HeatIndex: "1", Reason: "0 containers"}, Path: "/info",
		Lies: map[string]enginetest.Manager{
			"lies: an engine":               all.With("/info", `{"ID": "MNHT", "Containers": 3}`),
			"lies: rows of one":             all.With("/info", `{"SystemStatus": [["Role"]]}`),
			"lies: a node without address":  all.With("/info", `{"SystemStatus": [[" s-node-0", "10.77.0.20"]]}`),
			"lies: containers of no node":   all.With("/containers/json", `[{"Names": ["/web-1"]}]`),
			"lies: containers without name": all.With("/containers/json", `[{"Id": "0c127c0dc319"}]`),
			"lies: an object":               all.With("/containers/json", `{"message": "OK"}`),
			"lies: no containers":           all.Without("/containers/json"),
		},
	}.Run(t)

	renewed := strings.Replace(recording(t, "info-one-down"), `" s-node-0",`, `" s-node-1",`, 1)
	for name, tt := range map[string]struct {
		manager enginetest.Manager
		change  func(*driver.SelectNodesRequest)
		want    []driver.Selected
	}{
		"all": {all, nil, []driver.Selected{
			{HeatIndex: "1", Reason: "0 containers"}, {HeatIndex: "2", Reason: "1 container"}, {HeatIndex: "0", Reason: "2 containers"}}},
		"one that never joined": {all, func(r *driver.SelectNodesRequest) {
			r.Count, r.Nodes = 2, append(r.Nodes, driver.Node{Name: "s-node-3", HeatIndex: "3"})
		}, []driver.Selected{{HeatIndex: "3", Reason: "not a node of the cluster"}, {HeatIndex: "1", Reason: "0 containers"}}},
		"by name": {all, func(r *driver.SelectNodesRequest) {
			r.Count = 2
			for i := range r.Nodes {
				r.Nodes[i].Address = ""
			}
		}, []driver.Selected{{HeatIndex: "1", Reason: "0 containers"}, {HeatIndex: "2", Reason: "1 container"}}},
		"one down": {all.With("/info", recording(t, "info-one-down")), func(r *driver.SelectNodesRequest) { r.Count = 1 },
			[]driver.Selected{{HeatIndex: "1", Reason: "0 containers"}}},
		"one that nobody has reached": {all.With("/info", strings.Replace(recording(t, "info"), " s-node-2", " (unknown)", 1)), nil, []driver.Selected{
			{HeatIndex: "2", Reason: "0 containers"}, {HeatIndex: "1", Reason: "0 containers"}, {HeatIndex: "0", Reason: "2 containers"}}},
		"one made anew": {all.With("/info", renewed).With("/containers/json", strings.ReplaceAll(recording(t, "containers"), "/s-node-0/", "/s-node-1/")),
			func(r *driver.SelectNodesRequest) { r.Nodes = r.Nodes[1:] },
			[]driver.Selected{{HeatIndex: "2", Reason: "1 container"}, {HeatIndex: "1", Reason: "2 containers"}}},
	} {
		t.Run(name, func(t *testing.T) {
			req := driver.SelectNodesRequest{Nodes: enginetest.Servers(), Count: 9, Access: tt.manager.Start(t)}
			if tt.change != nil {
				tt.change(&req)
			}
			got, err := standalone.Scaling{}.SelectNodes(t.Context(), req)
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
	well := map[string]string{"api": "OK", "s-node-0.Ready": "True", "s-node-1.Ready": "True", "s-node-2.Ready": "True"}
	for name, tt := range map[string]struct {
		manager enginetest.Manager
		private bool
		status  driver.HealthStatus
		reasons map[string]string
	}{
		"well": {all, false, driver.Healthy, well},
		"one down": {all.With("/info", recording(t, "info-one-down")), false, driver.Unhealthy,
			map[string]string{"api": "OK", "s-node-0.Ready": "True", "s-node-1.Ready": "False", "s-node-2.Ready": "True"}},
		"one that nobody has reached": {all.With("/info", `{"SystemStatus": [[" (unknown)", "10.77.0.20:2375"], ["  └ Status", "Pending"]]}`), false, driver.Unhealthy,
			map[string]string{"api": "OK", "10.77.0.20.Ready": "False"}},
		"no nodes": {all.With("/info", `{"SystemStatus": [["Nodes", "0"]]}`), false, driver.Healthy, map[string]string{"api": "OK"}},
		"no manager": {enginetest.Manager{Status: 500}, false, driver.Unhealthy,
			map[string]string{"api": `The cluster's API answered 500 Internal Server Error: {"message":"This node is not a swarm manager."}`}},
		"unwell":  {all.With("/_ping", "no"), false, driver.Unhealthy, map[string]string{"api": "no", "s-node-0.Ready": "True", "s-node-1.Ready": "True", "s-node-2.Ready": "True"}},
		"private": {enginetest.Manager{Status: 503}, true, driver.HealthUnknown, map[string]string{"api": "The cluster prod is not accessible."}},
	} {
		t.Run(name, func(t *testing.T) {
			req := driver.CheckHealthRequest{Cluster: base().Cluster, Access: tt.manager.Start(t)}
			req.Cluster.FloatingIP = !tt.private
			got, err := standalone.Monitoring{}.CheckHealth(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(driver.CheckHealthResponse{Status: tt.status, Reasons: tt.reasons}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
