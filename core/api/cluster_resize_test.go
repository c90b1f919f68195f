package api

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestClusterResize(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	id := f.newCluster("t", `"name": "c", "node_count": 2, "labels": {"min_node_count": "1"}`)
	const path = "/v1/clusters/c/actions/resize"
	const input = "Invalid input for field/attribute "
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"} {
		f.setStatus(id, s)
		f.refused(400, `Resizing a cluster when status is "`+string(s)+`" is not supported.`, "demo", "POST", path, `{"node_count": 3}`)
	}
	f.set(id, func(c *magnum.Cluster) { c.Status, c.NodeGroups[1].MaxNodeCount = "CREATE_COMPLETE", 5 })
	for _, c := range []struct {
		body   string
		status int
		detail string
	}{
		{`{}`, 400, input + "node_count. Value: 'None'. Mandatory field missing."},
		{`{"node_count": null}`, 400, input + "node_count. Value: 'None'. Mandatory field missing."},
		{`{"node_count": -1}`, 400, input + "node_count. Value: '-1'. Value should be greater or equal to 0"},
		{`{"node_count": 1, "foo": 1}`, 400, "Unknown attribute for argument cluster_resize_req: foo"},
		{`{"node_count": 1, "nodes_to_remove": "abc"}`, 400, input + "cluster_resize_req. Value: '{'node_count': 1, 'nodes_to_remove': 'abc'}'. Value not a valid list: abc"},
		{`{"node_count": 1, "nodes_to_remove": [1]}`, 400, input + "nodes_to_remove. Value: '[1]'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{`{"node_count": 1, "nodegroup": ""}`, 400, input + "nodegroup. Value: ''. Value should have a minimum character requirement of 1"},
		{`{"node_count": 1, "nodegroup": "nope"}`, 404, "Nodegroup nope could not be found."},
		{`{"node_count": 1, "nodegroup": "default-master"}`, 400, "Resizing a master nodegroup is not supported."},
		{`{"node_count": 0}`, 400, "Resizing default-worker outside the allowed range: min_node_count = 1, max_node_count = 5"},
		{`{"node_count": 6}`, 400, "Resizing default-worker outside the allowed range: min_node_count = 1, max_node_count = 5"},
	} {
		f.refused(c.status, c.detail, "demo", "POST", path, c.body)
	}
	f.refused(400, "Resizing a nodegroup to zero is not supported in the provided microversion.", "demo", "POST", path, `{"node_count": 0}`, "OpenStack-API-Version", "container-infra 1.9")
	f.refused(404, "Cluster nope could not be found.", "demo", "POST", "/v1/clusters/nope/actions/resize", `{"node_count": 1}`)

	if got := f.must(202, "demo", "POST", path, `{"node_count": "1", "nodes_to_remove": ["a", "b"], "nodegroup": "default-worker"}`); got.text != `{"uuid": "`+id+`"}` {
		t.Errorf("answer %s", got.text)
	}
	checkOperation(t, f, id, magnum.OpResize, magnum.ResizeInput{NodeGroup: "default-worker", NodeCount: 1, Previous: 2, NodesToRemove: []string{"a", "b"}})
	c := f.stored(id)
	if c.Status != "UPDATE_IN_PROGRESS" || c.NodeGroups[1].Status != "UPDATE_IN_PROGRESS" || c.NodeGroups[1].NodeCount != 1 || c.NodeGroups[0].Status == "UPDATE_IN_PROGRESS" {
		t.Errorf("stored %+v", c)
	}
	f.refused(409, "Cluster c already has an operation in progress.", "demo", "POST", path, `{"node_count": 3}`)
	f.set(id, func(c *magnum.Cluster) { c.Status, c.NodeGroups[1].MaxNodeCount = "UPDATE_FAILED", 0 })
	f.refused(400, "Resizing default-worker outside the allowed range: min_node_count = 1, max_node_count = None", "demo", "POST", path, `{"node_count": 0}`)
	f.must(202, "demo", "POST", path, `{"node_count": 3, "nodegroup": "`+c.NodeGroups[1].UUID+`"}`)
}

// TestNodeGroupResize resizes groups that are not the default workers.
func TestNodeGroupResize(t *testing.T) {
	f, id, _ := grouped(t, magnum.NodeGroup{Name: "g", Role: "gpu", NodeCount: 2, MinNodeCount: 1, MaxNodeCount: 4, Status: magnum.CreateComplete})
	const path = "/v1/clusters/c/actions/resize"
	f.refused(400, "Resizing g outside the allowed range: min_node_count = 1, max_node_count = 4", "demo", "POST", path, `{"node_count": 5, "nodegroup": "g"}`)
	f.refused(400, "Resizing g outside the allowed range: min_node_count = 1, max_node_count = 4", "demo", "POST", path, `{"node_count": 0, "nodegroup": "g"}`)
	g := f.stored(id).NodeGroups[2]
	for i, ident := range []string{"g", g.UUID, fmt.Sprint(g.ID)} {
		f.must(202, "admin", "POST", path, `{"node_count": 3, "nodegroup": "`+ident+`", "nodes_to_remove": ["x"]}`)
		checkOperation(t, f, id, magnum.OpResize, magnum.ResizeInput{NodeGroup: "g", NodeCount: 3, Previous: []int{2, 3, 3}[i], NodesToRemove: []string{"x"}})
		c := f.stored(id)
		if c.Status != magnum.UpdateInProgress || c.NodeGroups[2].Status != magnum.UpdateInProgress || c.NodeGroups[2].NodeCount != 3 || c.NodeGroups[1].Status == magnum.UpdateInProgress {
			t.Errorf("cluster %s, groups %+v", c.Status, c.NodeGroups)
		}
		f.setStatus(id, magnum.UpdateComplete)
	}

	// Masters are resized where the driver says so, within its limits.
	const masters = `, "nodegroup": "default-master"}`
	f.refused(400, "Resizing a master nodegroup is not supported.", "demo", "POST", path, `{"node_count": 3`+masters)
	f.describe("k8s_fedora_atomic_v1", func(d *driver.Description) {
		d.Capabilities = []driver.Capability{driver.CapResize, driver.CapResizeMasters, driver.CapZeroNodes}
		d.Limits = driver.Limits{OddMasters: true, MaxMasters: 5}
	})
	f.refused(400, "master nodegroup size of 2 is invalid, size cannot be an even number.", "demo", "POST", path, `{"node_count": 2`+masters)
	f.refused(400, "master nodegroup size of 7 is invalid, size must be at most 5.", "demo", "POST", path, `{"node_count": 7`+masters)
	f.refused(400, "master_count must be 1 when master_lb_enabled is False", "demo", "POST", path, `{"node_count": 3`+masters)
	f.set(id, func(c *magnum.Cluster) { c.MasterLBEnabled = true })
	f.must(202, "demo", "POST", path, `{"node_count": 3`+masters)
	checkOperation(t, f, id, magnum.OpResize, magnum.ResizeInput{NodeGroup: "default-master", NodeCount: 3, Previous: 1})
	f.setStatus(id, magnum.UpdateComplete)
	f.describe("k8s_fedora_atomic_v1", func(d *driver.Description) {
		d.Capabilities = []driver.Capability{driver.CapResize, driver.CapResizeMasters, driver.CapZeroNodes}
	})
	f.refused(400, "master nodegroup size of 0 is invalid, size must be at least 1.", "demo", "POST", path, `{"node_count": 0`+masters)
	if err := f.db.PublishDrivers(context.Background(), "h", nil); err != nil {
		t.Fatal(err)
	}
	f.refused(400, "Resizing a master nodegroup is not supported.", "demo", "POST", path, `{"node_count": 3`+masters)
}

// TestDriverAbilities holds that nothing is accepted that the cluster's driver
// says it cannot do.
func TestDriverAbilities(t *testing.T) {
	f := newFixture(t)
	create := func(coe, image string) string {
		body := `{"coe": "` + coe + `", "image_id": "` + image + `"}`
		id := f.newCluster(f.must(201, "demo", "POST", "/v1/clustertemplates", body).str("uuid"), "")
		f.setStatus(id, magnum.CreateComplete)
		return "/v1/clusters/" + id
	}
	swarm := create("swarm", "fedora-atomic-latest")
	f.refused(400, "Resizing a cluster is not supported by driver swarm_fedora_atomic_v1.", "demo", "POST", swarm+"/actions/resize", `{"node_count": 2}`)
	f.refused(400, "Resizing a cluster is not supported by driver swarm_fedora_atomic_v1.", "demo", "PATCH", swarm, `[{"op": "replace", "path": "/node_count", "value": 2}]`)
	coreos := create("kubernetes", "fedora-coreos-latest")
	f.refused(400, "Removing nodes by name is not supported by driver k8s_fedora_coreos_v1.", "demo", "POST", coreos+"/actions/resize", `{"node_count": 1, "nodes_to_remove": ["a"]}`)
	// A version that no conductor has any more is left to the operation.
	if err := f.db.PublishDrivers(context.Background(), "h", nil); err != nil {
		t.Fatal(err)
	}
	f.must(202, "demo", "POST", swarm+"/actions/resize", `{"node_count": 2}`)
}
