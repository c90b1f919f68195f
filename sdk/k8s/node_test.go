package k8s_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
)

func TestKubeletOptions(t *testing.T) {
	for range 20 { // maps have no order
		got := k8s.NodeLabels(map[string]string{"b": "2", "example.com/a": "1", "c": ""})
		if want := "b=2,c=,example.com/a=1"; got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	got := k8s.NodeTaints([]driver.Taint{{Key: "gpu", Value: "yes", Effect: "NoSchedule"}, {Key: "a", Effect: "NoExecute"}})
	if want := "gpu=yes:NoSchedule,a=:NoExecute"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if k8s.NodeLabels(nil) != "" || k8s.NodeTaints(nil) != "" {
		t.Error("none is not nothing")
	}
}

func TestCheckNodeGroup(t *testing.T) {
	long := strings.Repeat("x", 64)
	const name = "at most 63 letters, digits, -, _ and ., a letter or a digit at both ends"
	const value, key = "it takes " + name + ", or nothing", "the name takes " + name + ", the prefix is a DNS name of at most 253"
	for _, tt := range []struct {
		name  string
		group driver.NodeGroup
		want  map[string]string // field → text
	}{
		{"good", driver.NodeGroup{Name: "gpu_1", Role: "worker",
			NodeLabels: map[string]string{"a": "", "example.com/B.c_d-e": "X.y_z-1", "node.kubernetes.io/pool": "p", long[1:]: long[1:]},
			NodeTaints: []driver.Taint{{Key: "a", Effect: "NoSchedule"}, {Key: "a", Effect: "NoExecute"}, {Key: "b/c", Value: "d", Effect: "PreferNoSchedule"}},
		}, nil},
		{"name", driver.NodeGroup{Name: "my group"},
			map[string]string{"name": `name for my group is invalid ("my group" cannot be the value of the nodes' label magnum.openstack.org/nodegroup: ` + value + `).`}},
		{"long name", driver.NodeGroup{Name: long},
			map[string]string{"name": `name for ` + long + ` is invalid ("` + long + `" cannot be the value of the nodes' label magnum.openstack.org/nodegroup: ` + value + `).`}},
		{"role", driver.NodeGroup{Name: "g", Role: "-x"},
			map[string]string{"role": `role for g is invalid ("-x" cannot be the value of the nodes' label magnum.openstack.org/role: ` + value + `).`}},
		{"label of ours", driver.NodeGroup{Name: "g", NodeLabels: map[string]string{"magnum.openstack.org/role": "x"}},
			map[string]string{"node_labels": `node_labels for g is invalid (node label "magnum.openstack.org/role" is set by the driver).`}},
		{"label key", driver.NodeGroup{Name: "g", NodeLabels: map[string]string{"a b": "x"}},
			map[string]string{"node_labels": `node_labels for g is invalid (node label "a b" is not of the form [prefix/]name: ` + key + `).`}},
		{"label prefix", driver.NodeGroup{Name: "g", NodeLabels: map[string]string{"Example.com/a": "x"}},
			map[string]string{"node_labels": `node_labels for g is invalid (node label "Example.com/a" is not of the form [prefix/]name: ` + key + `).`}},
		{"label value", driver.NodeGroup{Name: "g", NodeLabels: map[string]string{"a": "x,b=y"}},
			map[string]string{"node_labels": `node_labels for g is invalid (node label "a" has the value "x,b=y": ` + value + `).`}},
		{"taint key", driver.NodeGroup{Name: "g", NodeTaints: []driver.Taint{{Key: "", Effect: "NoSchedule"}}},
			map[string]string{"node_taints": `node_taints for g is invalid (node_taints[0].key "" is not of the form [prefix/]name: ` + key + `).`}},
		{"taint value", driver.NodeGroup{Name: "g", NodeTaints: []driver.Taint{{Key: "a", Value: "b:c", Effect: "NoSchedule"}}},
			map[string]string{"node_taints": `node_taints for g is invalid (node_taints[0].value is "b:c": ` + value + `).`}},
		{"taint effect", driver.NodeGroup{Name: "g", NodeTaints: []driver.Taint{{Key: "a", Effect: "noschedule"}}},
			map[string]string{"node_taints": `node_taints for g is invalid (node_taints[0].effect must be one of NoSchedule, PreferNoSchedule, NoExecute).`}},
		{"taint twice", driver.NodeGroup{Name: "g", NodeTaints: []driver.Taint{{Key: "a", Value: "b", Effect: "NoSchedule"}, {Key: "a", Effect: "NoSchedule"}}},
			map[string]string{"node_taints": `node_taints for g is invalid (node_taints[1] repeats key a with effect NoSchedule).`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got map[string]string
			for _, v := range k8s.CheckNodeGroup(tt.group) {
				if got == nil {
					got = map[string]string{}
				}
				got[v.Field] = v.Message
				if v.Class != driver.ClassInvalidInput {
					t.Errorf("class %s", v.Class)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckSkew(t *testing.T) {
	for _, tt := range []struct{ api, node, want string }{
		{"v1.18.20", "v1.18.20", ""},
		{"v1.18.2", "v1.18.20", ""},
		{"v1.18.20", "v1.16.1", ""},
		{"v1.18.20", "v1.9.1", "nodes of Kubernetes v1.9.1 cannot join a cluster of v1.18.20: they may be 2 minor versions older"},
		{"v1.17.17", "v1.18.0", "nodes of Kubernetes v1.18.0 cannot join a cluster of v1.17.17: they must not be newer"},
		{"latest", "v1.18.0", ""},
		{"v1.18.0", "v2.0.0", ""},
	} {
		if got := k8s.CheckSkew(tt.api, tt.node); got != tt.want {
			t.Errorf("%s under %s: %q, want %q", tt.node, tt.api, got, tt.want)
		}
	}
}
