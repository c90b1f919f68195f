package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
)

// group is a node group once its cluster is at rest.
func (c *cli) group(cluster, name, status string, nodes int) map[string]any {
	c.t.Helper()
	c.wait(cluster, "UPDATE_COMPLETE", 8*time.Minute)
	var got map[string]any
	c.show(&got, "coe", "nodegroup", "show", cluster, name)
	addresses, _ := got["node_addresses"].([]any)
	if got["status"] != status || fmt.Sprint(got["node_count"]) != fmt.Sprint(nodes) || len(addresses) != nodes {
		c.t.Errorf("group %s is %v with %v nodes at %v, want %s with %d", name, got["status"], got["node_count"], addresses, status, nodes)
	}
	return got
}

// members are the ids of the servers that a stack has by their names.
func (c *cli) members(part string) map[string]string {
	c.t.Helper()
	out := map[string]string{}
	for _, line := range strings.Split(c.value("server", "list", "-c", "Name", "-c", "ID"), "\n") {
		if id, name, ok := strings.Cut(line, " "); ok && strings.Contains(name, part) {
			out[name] = id
		}
	}
	return out
}

// nodeGroups takes node groups of the cluster real, which has a master and a
// worker, through their lives on real Heat. One of them, of one node that boots
// from a volume, is left for the cluster to take along.
func (r *deployment) nodeGroups(c *cli) {
	r.t.Helper()
	c.run("coe", "nodegroup", "create", "real", "gpu", "--node-count", "2", "--max-nodes", "3", "--flavor", "m1.tiny", "--role", "compute")
	made := c.group("real", "gpu", "CREATE_COMPLETE", 2)
	stack := made["stack_id"].(string)
	if status := c.value("stack", "show", stack, "-c", "stack_status"); status != "CREATE_COMPLETE" {
		r.t.Errorf("the group's stack is %s", status)
	}
	r.servers(c, 4)
	before := c.members("gpu")

	// What new nodes are told changes; those that are there stay.
	c.run("coe", "nodegroup", "update", "real", "gpu", "replace", "max_node_count=4",
		`node_labels={"gpu": "yes"}`, `node_taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]`)
	c.group("real", "gpu", "UPDATE_COMPLETE", 2)
	if diff := cmp.Diff(before, c.members("gpu")); diff != "" {
		r.t.Errorf("an update of labels and taints replaced nodes: %s", diff)
	}
	var now struct{ Parameters map[string]string }
	c.show(&now, "stack", "show", stack)
	for name, want := range map[string]string{"worker_node_labels": "gpu=yes", "worker_node_taints": "gpu=yes:NoSchedule", "worker_role": "compute"} {
		if got := now.Parameters[name]; got != want {
			r.t.Errorf("the stack's %s is %q, want %q", name, got, want)
		}
	}

	c.run("coe", "cluster", "resize", "real", "3", "--nodegroup", "gpu")
	c.group("real", "gpu", "UPDATE_COMPLETE", 3)
	r.servers(c, 5)
	grown := c.members("gpu")
	for name, id := range before {
		if grown[name] != id {
			r.t.Errorf("the resize to 3 replaced %s", name)
		}
	}
	first := slices.Sorted(maps.Keys(grown))[0]
	c.run("coe", "cluster", "resize", "real", "2", "--nodegroup", "gpu", "--nodes-to-remove", grown[first])
	c.group("real", "gpu", "UPDATE_COMPLETE", 2)
	want := maps.Clone(grown)
	delete(want, first)
	if diff := cmp.Diff(want, c.members("gpu")); diff != "" {
		r.t.Errorf("after %s was to go (-want +got): %s", first, diff)
	}
	c.run("coe", "cluster", "resize", "real", "0", "--nodegroup", "gpu")
	c.group("real", "gpu", "UPDATE_COMPLETE", 0)
	r.servers(c, 2)

	c.run("coe", "nodegroup", "create", "real", "spare", "--node-count", "1", "--docker-volume-size", "1",
		"--labels", "boot_volume_size=1,availability_zone=nova")
	c.group("real", "spare", "CREATE_COMPLETE", 1)
	r.servers(c, 3)
	if volumes := strings.Fields(c.value("volume", "list", "-c", "ID")); len(volumes) != 2 {
		r.t.Errorf("volumes are %v, want that of docker and that to boot from", volumes)
	}

	c.run("coe", "nodegroup", "delete", "real", "gpu")
	c.wait("real", "UPDATE_COMPLETE", 8*time.Minute)
	if left := c.value("coe", "nodegroup", "list", "real", "-c", "name"); strings.Contains(left, "gpu") || !strings.Contains(left, "spare") {
		r.t.Errorf("the groups are %s", left)
	}
	if out, err := c.try("stack", "show", stack, "-f", "value", "-c", "stack_status"); err == nil && !strings.Contains(out, "DELETE_COMPLETE") {
		r.t.Errorf("the deleted group's stack is %s", out)
	}
}
