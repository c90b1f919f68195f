package coe_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/coe"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestFewestFirst(t *testing.T) {
	load := coe.Load{
		Unit:  "task",
		Nodes: map[string]string{"10.0.0.10": "a", "s-node-1": "b", "s-node-2": "c", "": "a"},
		Count: map[string]int{"a": 2, "b": 1, "gone": 9},
	}
	nodes := []driver.Node{
		{Name: "x", Address: "10.0.0.10", HeatIndex: "0"},
		{Name: "S_node-1", Address: "10.0.0.11", HeatIndex: "1"},
		{Name: "s-node-2", HeatIndex: "2"},
		{Name: "s-node-10", Address: "10.0.0.20", HeatIndex: "10"},
		{Name: "s-node-9", HeatIndex: "odd"},
	}
	all := []driver.Selected{
		{HeatIndex: "10", Reason: "not a node of the cluster"}, {HeatIndex: "odd", Reason: "not a node of the cluster"},
		{HeatIndex: "2", Reason: "0 tasks"}, {HeatIndex: "1", Reason: "1 task"}, {HeatIndex: "0", Reason: "2 tasks"},
	}
	for _, tt := range []struct {
		count int
		want  []driver.Selected
	}{{3, all[:3]}, {9, all}, {0, nil}, {-1, nil}} {
		got := load.FewestFirst(driver.SelectNodesRequest{Nodes: nodes, Count: tt.count})
		if diff := cmp.Diff(tt.want, got.Nodes); diff != "" {
			t.Errorf("%d: %s", tt.count, diff)
		}
	}
}
