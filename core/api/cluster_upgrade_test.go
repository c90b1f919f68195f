package api

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestClusterUpgrade(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.23.3"}`)
	target := f.newTemplate(`"name": "newer", "labels": {"kube_tag": "v1.24.0"}`)
	shared := f.must(201, "admin", "POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "name": "shared", "public": true}`).str("uuid")
	id := f.newCluster("t", `"name": "c"`)
	f.withAddress(id, magnum.NodeGroup{Name: "g", Role: "gpu", NodeCount: 1, Status: magnum.CreateComplete})
	own := f.stored(id).ClusterTemplateID
	for _, c := range []struct {
		who, body string
		want      magnum.UpgradeInput
		group     int
	}{
		{"demo", `{"cluster_template": "newer"}`, magnum.UpgradeInput{NodeGroup: "default-worker", ClusterTemplate: target, MaxBatchSize: 1}, 1},
		{"friend", `{"cluster_template": "` + target + `", "max_batch_size": "3", "nodegroup": "default-master"}`, magnum.UpgradeInput{NodeGroup: "default-master", ClusterTemplate: target, MaxBatchSize: 3}, 0},
		{"demo", `{"cluster_template": "shared", "max_batch_size": null}`, magnum.UpgradeInput{NodeGroup: "default-worker", ClusterTemplate: shared, MaxBatchSize: 1}, 1},
		{"demo", `{"cluster_template": "t", "nodegroup": "g"}`, magnum.UpgradeInput{NodeGroup: "g", ClusterTemplate: own, MaxBatchSize: 1}, 2},
		{"admin", `{"cluster_template": "t", "nodegroup": "` + f.stored(id).NodeGroups[2].UUID + `"}`, magnum.UpgradeInput{NodeGroup: "g", ClusterTemplate: own, MaxBatchSize: 1}, 2},
	} {
		f.setStatus(id, magnum.UpdateComplete)
		before, woken := f.stored(id), f.woken.Load()
		got := f.must(202, c.who, "POST", "/v1/clusters/"+id+"/actions/upgrade", c.body)
		if got.text != `{"uuid": "`+id+`"}` || f.woken.Load() != woken+1 {
			t.Errorf("%s: answer %s, woken %d times", c.body, got.text, f.woken.Load()-woken)
		}
		var in magnum.UpgradeInput
		op := f.input(id, magnum.OpUpgrade, &in)
		if diff := cmp.Diff(c.want, in); diff != "" || len(op.SealedToken) != 0 {
			t.Errorf("%s: input (-want +got):\n%s", c.body, diff)
		}
		// The statuses are all that changes.
		before.Status, before.NodeGroups[c.group].Status = magnum.UpdateInProgress, magnum.UpdateInProgress
		after := f.stored(id)
		for i := range after.NodeGroups {
			after.NodeGroups[i].UpdatedAt = before.NodeGroups[i].UpdatedAt
		}
		after.UpdatedAt = before.UpdatedAt
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("%s: stored (-want +got):\n%s", c.body, diff)
		}
	}
	f.version = "1.8"
	f.setStatus(id, magnum.CreateComplete)
	f.must(202, "demo", "POST", "/v1/clusters/c/actions/upgrade", `{"cluster_template": "newer"}`)
}

func TestClusterUpgradeRefused(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.23.3-rancher1"}`)
	f.newTemplate(`"name": "plain"`)
	f.newTemplate(`"name": "older", "labels": {"kube_tag": "v1.20.1-rancher1"}`)
	f.newTemplate(`"name": "newer", "labels": {"kube_tag": "1.24"}`)
	f.newTemplate(`"name": "odd", "labels": {"kube_tag": "latest"}`)
	f.newTemplate(`"name": "commit", "labels": {"ostree_commit": "0"}`)
	f.newTemplate(`"name": "engine", "coe": "swarm"`)
	f.newTemplate(`"name": "system", "image_id": "fedora-coreos-latest"`)
	f.newTemplateOf("alt", `"name": "theirs"`)
	id := f.newCluster("t", `"name": "c"`)
	f.withAddress(id, magnum.NodeGroup{Name: "g", Role: "gpu", NodeCount: 1, Labels: magnum.Labels{"kube_tag": "v1.22.0"}})
	f.describe("k8s_fedora_atomic_v1", func(d *driver.Description) { d.UpgradeLabels = []string{"kube_tag", "ostree_remote", "ostree_commit"} })
	const path = "/v1/clusters/c/actions/upgrade"
	const input, unfit = "Invalid input for field/attribute ", "Cluster Template is not valid for upgrade: "
	f.version = "1.14"
	for _, c := range []struct {
		status       int
		body, detail string
	}{
		{400, ``, `Missing argument: "cluster_upgrade_req"`},
		{400, `{}`, `Missing argument: "cluster_upgrade_req"`},
		{400, `[]`, input + "cluster_upgrade_req. Value: '[]'. Value not a valid dict: []"},
		{400, `{"max_batch_size": 1}`, input + "cluster_template. Value: 'None'. Mandatory field missing."},
		{400, `{"nodegroup": "nope"}`, input + "cluster_template. Value: 'None'. Mandatory field missing."},
		{404, `{"cluster_template": null}`, "ClusterTemplate None could not be found."},
		{400, `{"cluster_template": ""}`, input + "cluster_template. Value: ''. Value should have a minimum character requirement of 1"},
		{400, `{"cluster_template": "newer", "max_batch_size": 0}`, input + "max_batch_size. Value: '0'. Value should be greater or equal to 1"},
		{400, `{"cluster_template": "newer", "rollback": true}`, "Unknown attribute for argument cluster_upgrade_req: rollback"},
		{404, `{"cluster_template": "nope", "nodegroup": "nope"}`, "ClusterTemplate nope could not be found."},
		{404, `{"cluster_template": "theirs"}`, "ClusterTemplate theirs could not be found."},
		{404, `{"cluster_template": "newer", "nodegroup": "nope"}`, "Nodegroup nope could not be found."},
		{409, `{"cluster_template": "newer", "nodegroup": "g"}`, unfit + "Nodegroup g can be upgraded only to match cluster's template (t)."},
		{409, `{"cluster_template": "plain"}`, unfit + "Cluster template plain does not contain any supported upgrade labels: [kube_tag, ostree_remote, ostree_commit]"},
		{400, `{"cluster_template": "older"}`, "Received invalid tag for kube_tag."},
		{409, `{"cluster_template": "engine"}`, unfit + "Cluster template engine is of another type (vm, fedora-atomic, swarm) than the cluster (vm, fedora-atomic, kubernetes)"},
		{409, `{"cluster_template": "system"}`, unfit + "Cluster template system is of another type (vm, fedora-coreos, kubernetes) than the cluster (vm, fedora-atomic, kubernetes)"},
	} {
		f.refused(c.status, c.detail, "demo", "POST", path, c.body)
	}
	f.refused(400, `Unknown argument: "foo"`, "demo", "POST", path+"?foo=1", `{"cluster_template": "newer"}`)
	f.refused(404, "Cluster nope could not be found.", "demo", "POST", "/v1/clusters/nope/actions/upgrade", `{"cluster_template": "newer"}`)
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "POST", "/v1/clusters/"+id+"/actions/upgrade", `{"cluster_template": "newer"}`)
	f.refused(403, "Policy doesn't allow cluster:upgrade to be performed.", "reader", "POST", path, `{"cluster_template": "newer"}`)
	f.refused(400, "Cluster upgrade is not supported in the provided microversion.", "demo", "POST", path, `{"cluster_template": "newer"}`, "OpenStack-API-Version", "container-infra 1.7")
	f.refused(406, "Version 1.6 was requested but the requested API upgrade is not supported for this version.", "demo", "POST", path, `{"cluster_template": "newer"}`, "OpenStack-API-Version", "container-infra 1.6")
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"} {
		f.setStatus(id, s)
		// Before what the driver says, after what names nothing.
		f.refused(400, `Upgrading a cluster when status is "`+string(s)+`" is not supported.`, "demo", "POST", path, `{"cluster_template": "plain"}`)
		f.refused(404, "Nodegroup nope could not be found.", "demo", "POST", path, `{"cluster_template": "plain", "nodegroup": "nope"}`)
	}
	for _, name := range []string{"t", "newer", "odd", "commit"} {
		f.setStatus(id, magnum.CreateComplete)
		f.must(202, "demo", "POST", path, `{"cluster_template": "`+name+`"}`)
		f.refused(400, `Upgrading a cluster when status is "UPDATE_IN_PROGRESS" is not supported.`, "demo", "POST", path, `{"cluster_template": "newer"}`)
	}
	// A group goes by its own labels.
	f.setStatus(id, magnum.CreateComplete)
	f.must(202, "demo", "POST", path, `{"cluster_template": "t", "nodegroup": "g"}`)
	f.setStatus(id, magnum.CreateComplete)

	f.change("k8s_fedora_atomic_v1", driver.CapResize)
	f.refused(400, "Upgrading a cluster is not supported by driver k8s_fedora_atomic_v1.", "demo", "POST", path, `{"cluster_template": "newer"}`)
	// A version that no conductor has any more is left to the operation.
	if err := f.db.PublishDrivers(context.Background(), "h", nil); err != nil {
		t.Fatal(err)
	}
	f.refused(409, unfit+"Cluster template engine is of another type (vm, fedora-atomic, swarm) than the cluster (vm, fedora-atomic, kubernetes)", "demo", "POST", path, `{"cluster_template": "engine"}`)
	f.must(202, "demo", "POST", path, `{"cluster_template": "plain"}`)
}

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		one, other string
		want       bool
	}{
		{"v1.20.1", "v1.23.3", true},
		{"1.9", "v1.10.0", true},
		{"v1.23.3", "v1.23.3", false},
		{"v1.23.3-rancher1", "v1.23.3-rancher2", true},
		{"v1.24.0", "v1.23.3", false},
		{"main", "v1.23.3", false},
		{"v1.23.3", "main", false},
		{"", "v1.23.3", false},
		{"v1.23.3", "", false},
	} {
		if got := older(c.one, c.other); got != c.want {
			t.Errorf("older(%q, %q) is %v", c.one, c.other, got)
		}
	}
}
