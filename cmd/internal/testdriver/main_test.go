package main

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/driver"
)

// request is a cluster with a node group of its own stack, and an operation on
// the group of that name.
func request(intent driver.Intent, group string) driver.RenderRequest {
	node := func(name, role string, isDefault bool) driver.NodeGroup {
		return driver.NodeGroup{Name: name, Role: role, IsDefault: isDefault, FlavorID: "m1.small", ImageID: "fedora-coreos-latest", NodeCount: 1}
	}
	more := node("more", "worker", false)
	more.NodeLabels = map[string]string{"disk": "fast"}
	return driver.RenderRequest{
		Intent: intent, NodeGroup: group,
		Template:   driver.ClusterTemplate{ImageID: "fedora-coreos-latest", ServerType: "vm", COE: "kubernetes", ClusterDistro: "fedora-coreos"},
		Cluster:    driver.Cluster{UUID: "uuid", Name: "c", Labels: map[string]string{"kube_tag": "v1.23.3-rancher1"}},
		NodeGroups: []driver.NodeGroup{node("default-master", driver.RoleMaster, true), node("default-worker", "worker", true), more},
		ClusterOutputs: map[string]driver.RawJSON{
			"network": driver.RawJSON(`"n"`), "subnet": driver.RawJSON(`"s"`), "api_address": driver.RawJSON(`"10.0.0.3"`),
		},
	}
}

func TestDefinition(t *testing.T) {
	for _, err := range definition().Check(
		request(driver.IntentCreate, ""), request(driver.IntentResize, "default-worker"), request(driver.IntentUpgrade, "default-worker"),
		request(driver.IntentRotateCA, ""), request(driver.IntentRotateCredential, ""),
		request(driver.IntentCreateNodeGroup, "more"), request(driver.IntentUpdateNodeGroup, "more"), request(driver.IntentUpgrade, "more"),
	) {
		t.Error(err)
	}
}

func TestNamedNodes(t *testing.T) {
	req := request(driver.IntentResize, "more")
	req.NodesToRemove = []string{"0"}
	for group, want := range map[string]string{"more": `["0"]`, "default-worker": `["0"]`, "default-master": "[]"} {
		req.NodeGroup = group
		out, err := definition().Render(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Parameters["nodes_to_remove"].Value; got != want {
			t.Errorf("nodes_to_remove of a resize of %s: %s, want %s", group, got, want)
		}
	}
}
