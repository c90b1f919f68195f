package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/nodegroups"

	"github.com/go-magnum/magnum/core/devcloud"
)

// groupOpts is gophercloud's with what it does not know yet.
type groupOpts struct {
	nodegroups.CreateOpts
	nodeLabels map[string]string
	nodeTaints []map[string]string
}

func (o groupOpts) ToNodeGroupCreateMap() (map[string]any, error) {
	body, err := o.CreateOpts.ToNodeGroupCreateMap()
	if err == nil && o.nodeLabels != nil {
		body["node_labels"], body["node_taints"] = o.nodeLabels, o.nodeTaints
	}
	return body, err
}

// groups drives the node groups of one cluster.
type groups struct {
	*lab
	user    *gophercloud.ServiceClient
	cluster string
}

func (g *groups) create(opts groupOpts) {
	g.t.Helper()
	if _, err := nodegroups.Create(g.t.Context(), g.user, g.cluster, opts).Extract(); err != nil {
		g.t.Fatal(err)
	}
}

func (g *groups) get(name string) *nodegroups.NodeGroup {
	g.t.Helper()
	got, err := nodegroups.Get(g.t.Context(), g.user, g.cluster, name).Extract()
	if err != nil {
		g.t.Fatal(err)
	}
	return got
}

// settle waits for the cluster to be at rest, and returns the group.
func (g *groups) settle(name, status string, nodes int) *nodegroups.NodeGroup {
	g.t.Helper()
	g.waitStatus(g.user, g.cluster, "UPDATE_COMPLETE", time.Minute)
	got := g.get(name)
	if got.Status != status || got.NodeCount != nodes || len(got.NodeAddresses) != nodes {
		g.t.Errorf("group %s is %s with %d nodes at %v, want %s with %d", name, got.Status, got.NodeCount, got.NodeAddresses, status, nodes)
	}
	return got
}

func (g *groups) resize(name string, count int, remove ...string) {
	g.t.Helper()
	_, err := clusters.Resize(g.t.Context(), g.user, g.cluster, clusters.ResizeOpts{NodeCount: &count, NodeGroup: name, NodesToRemove: remove}).Extract()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *groups) update(name string, steps ...nodegroups.UpdateOpts) {
	g.t.Helper()
	opts := make([]nodegroups.UpdateOptsBuilder, len(steps))
	for i, s := range steps {
		opts[i] = s
	}
	if _, err := nodegroups.Update(g.t.Context(), g.user, g.cluster, name, opts).Extract(); err != nil {
		g.t.Fatal(err)
	}
}

// stack is the group's stack, as Heat has it.
func (g *groups) stack(group *nodegroups.NodeGroup) devcloud.StackInfo {
	g.t.Helper()
	for _, s := range g.cloud.Stacks() {
		if s.ID == group.StackID {
			return s
		}
	}
	g.t.Fatalf("there is no stack %s of group %s", group.StackID, group.Name)
	return devcloud.StackInfo{}
}

// servers are the members of a stack's group of workers, and their servers.
func servers(s devcloud.StackInfo) map[string]string {
	out := map[string]string{}
	for _, r := range s.Resources {
		if path := strings.Split(r.Path, "/"); r.Type == "OS::Nova::Server" && path[0] == "kube_minions" {
			out[path[1]] = r.PhysicalID
		}
	}
	return out
}

// told is what a node of a stack finds under /etc/magnum/params.
func told(s devcloud.StackInfo, path string) map[string]string {
	out := map[string]string{}
	for _, r := range s.Resources {
		if r.Path != path {
			continue
		}
		config, _ := r.Properties["cloud_config"].(map[string]any)
		files, _ := config["write_files"].([]any)
		for _, f := range files {
			file, _ := f.(map[string]any)
			out[strings.TrimPrefix(fmt.Sprint(file["path"]), "/etc/magnum/params/")] = fmt.Sprint(file["content"])
		}
	}
	return out
}

// TestNodeGroups takes a node group through its life beside its cluster, and
// the cluster away with another group still there.
func TestNodeGroups(t *testing.T) {
	t.Parallel()
	l := newLab(t, 50*time.Millisecond)
	l.startAPI()
	l.start("conductor", "")
	user := l.client("demo")
	user.Microversion = "1.10"
	g := &groups{lab: l, user: user, cluster: l.create(user, l.template(user), "prod", 1, 1)}
	cluster := l.waitStatus(user, g.cluster, "CREATE_COMPLETE", time.Minute)

	two, three, large := 2, 3, "m1.large"
	g.create(groupOpts{
		CreateOpts: nodegroups.CreateOpts{
			Name: "gpu", NodeCount: &two, MaxNodeCount: &three, FlavorID: large, Role: "compute",
			Labels: map[string]string{"boot_volume_size": "15"},
		},
		nodeLabels: map[string]string{"gpu": "yes", "example.com/tier": "batch"},
		nodeTaints: []map[string]string{{"key": "gpu", "value": "yes", "effect": "NoSchedule"}},
	})
	made := g.settle("gpu", "CREATE_COMPLETE", 2)
	stack := g.stack(made)
	if made.StackID == cluster.StackID || !strings.HasPrefix(stack.Name, "prod-gpu-") {
		t.Errorf("the group's stack is %s", stack.Name)
	}
	for name, want := range map[string]string{"minion_flavor": large, "boot_volume_size": "15", "number_of_minions": "2"} {
		if got := stack.Parameters[name]; got != want {
			t.Errorf("the stack's %s is %q, want %q", name, got, want)
		}
	}
	own, shared := told(stack, "kube_minions/0/own_config"), told(stack, "node_config")
	for name, want := range map[string]string{
		"nodegroup_name": "gpu", "nodegroup_role": "compute", "role": "worker",
		"node_labels": "example.com/tier=batch,gpu=yes", "node_taints": "gpu=yes:NoSchedule",
	} {
		if got := own[name]; got != want {
			t.Errorf("a node is told %s %q, want %q", name, got, want)
		}
	}
	var clusterStack devcloud.StackInfo
	for _, s := range l.cloud.Stacks() {
		if s.ID == cluster.StackID {
			clusterStack = s
		}
	}
	if diff := cmp.Diff(told(clusterStack, "node_config"), shared); diff != "" || shared["api_private_address"] == "" {
		t.Errorf("nodes of the group are told otherwise than the cluster's: %s", diff)
	}
	addresses := append(slices.Clone(cluster.NodeAddresses), made.NodeAddresses...)
	slices.Sort(addresses)
	if got := slices.Sorted(slices.Values(l.cluster(user, g.cluster).NodeAddresses)); cmp.Diff(addresses, got) != "" {
		t.Errorf("the cluster's node addresses are %v, want %v", got, addresses)
	}

	// More nodes, a named one away, none, and one again.
	before := servers(stack)
	g.resize("gpu", 3)
	got := servers(g.stack(g.settle("gpu", "UPDATE_COMPLETE", 3)))
	if got["0"] != before["0"] || got["1"] != before["1"] || got["2"] == "" {
		t.Errorf("servers after the resize to 3 are %v, before %v", got, before)
	}
	g.resize("gpu", 2, got["0"])
	if left := servers(g.stack(g.settle("gpu", "UPDATE_COMPLETE", 2))); left["0"] != "" || left["1"] != got["1"] || left["2"] != got["2"] {
		t.Errorf("servers without %s are %v, before %v", got["0"], left, got)
	}
	g.resize("gpu", 0)
	if left := servers(g.stack(g.settle("gpu", "UPDATE_COMPLETE", 0))); len(left) != 0 {
		t.Errorf("servers after the resize to 0 are %v", left)
	}
	g.update("gpu", nodegroups.UpdateOpts{Op: nodegroups.ReplaceOp, Path: "/max_node_count", Value: 5})
	if after := g.settle("gpu", "UPDATE_COMPLETE", 0); after.MaxNodeCount == nil || *after.MaxNodeCount != 5 {
		t.Errorf("max_node_count is %v", after.MaxNodeCount)
	}
	g.resize("gpu", 5)
	g.settle("gpu", "UPDATE_COMPLETE", 5)

	// The cluster's own nodes were never touched, and its resize leaves the
	// group's alone.
	during := servers(g.stack(g.get("gpu")))
	g.resize("default-worker", 2)
	g.settle("default-worker", "UPDATE_COMPLETE", 2)
	if diff := cmp.Diff(during, servers(g.stack(g.get("gpu")))); diff != "" {
		t.Errorf("the cluster's resize changed the group: %s", diff)
	}

	// One group goes, the other goes with its cluster.
	one := 1
	g.create(groupOpts{CreateOpts: nodegroups.CreateOpts{Name: "spare", NodeCount: &one}})
	g.settle("spare", "CREATE_COMPLETE", 1)
	if err := nodegroups.Delete(t.Context(), user, g.cluster, "gpu").ExtractErr(); err != nil {
		t.Fatal(err)
	}
	l.waitStatus(user, g.cluster, "UPDATE_COMPLETE", time.Minute)
	if _, err := nodegroups.Get(t.Context(), user, g.cluster, "gpu").Extract(); !gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
		t.Errorf("the deleted group: %v", err)
	}
	if n := len(l.cloud.Stacks()); n != 2 {
		t.Errorf("%d stacks, want the cluster's and that of the group that is left", n)
	}
	if err := clusters.Delete(t.Context(), user, g.cluster).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	l.waitGone(user, g.cluster, time.Minute)
	for _, s := range l.cloud.Stacks() {
		t.Errorf("stack %s is left, %s: %s", s.Name, s.Status, s.StatusReason)
	}
}

// waitGone waits for a cluster to be deleted.
func (l *lab) waitGone(c *gophercloud.ServiceClient, id string, within time.Duration) {
	l.t.Helper()
	poll(l.t, within, "cluster "+id+" to be gone", func() (bool, error) {
		got, err := clusters.Get(context.WithoutCancel(l.t.Context()), c, id).Extract()
		if gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
			return true, nil
		}
		if err == nil && got.Status == "DELETE_FAILED" {
			err = fmt.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
		return false, err
	})
}
