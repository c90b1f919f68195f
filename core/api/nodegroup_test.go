package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
)

// withAddress settles a cluster, so that node groups may be added, and adds
// some.
func (f *fixture) withAddress(id string, groups ...magnum.NodeGroup) {
	f.Helper()
	f.setStatus(id, magnum.CreateComplete)
	f.set(id, func(c *magnum.Cluster) {
		c.APIAddress = "https://10.0.0.5:6443"
		c.NodeGroups = append(c.NodeGroups, groups...)
	})
}

func TestNodeGroupList(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "flavor_id": "m1.small"`)
	id := f.newCluster("t", `"name": "c", "labels": {"min_node_count": 1}`)
	f.newCluster("t", `"name": "other"`)
	f.withAddress(id,
		magnum.NodeGroup{Name: "b", Role: "gpu", NodeCount: 3, MaxNodeCount: 5, FlavorID: "m1.large", ImageID: "i", StackID: "s", Status: magnum.UpdateFailed},
		magnum.NodeGroup{Name: "a", Role: "worker", NodeCount: 0, Status: magnum.CreateInProgress})
	path := "/v1/clusters/" + id + "/nodegroups"

	groups := f.stored(id).NodeGroups
	got := f.must(200, "demo", "GET", "/v1/clusters/c/nodegroups?role=gpu", "")
	want := `{"nodegroups": [{"uuid": "` + groups[2].UUID + `", "name": "b", "flavor_id": "m1.large", "image_id": "i", "node_count": 3, "role": "gpu", ` +
		`"min_node_count": 0, "max_node_count": null, "is_default": false, "stack_id": "s", "status": "UPDATE_FAILED", "merge_labels": false}]}`
	if got.text != want {
		t.Errorf("list:\n%s\nwant\n%s", got.text, want)
	}

	for query, want := range map[string]string{
		"":                             "default-master default-worker b a",
		"?role=worker":                 "default-worker a",
		"?role=":                       "default-master default-worker b a",
		"?role=Worker":                 "",
		"?sort_key=name":               "a b default-master default-worker",
		"?sort_key=name&sort_dir=desc": "default-worker default-master b a",
		"?sort_key=max_node_count":     "default-master default-worker a b",
		"?sort_key=node_count":         "a default-master default-worker b",
	} {
		list := f.must(200, "demo", "GET", path+query, "")
		if got := strings.Join(groupNames(list), " "); got != want || list.body["next"] != nil {
			t.Errorf("%s: %s, want %s (next %v)", query, got, want, list.body["next"])
		}
	}

	// Pages are linked by the cluster's uuid, whatever it was asked by, and
	// without the role.
	var names []string
	for next := "/v1/clusters/c/nodegroups?limit=2&sort_key=name"; next != ""; {
		list := f.must(200, "demo", "GET", next, "")
		page := groupNames(list)
		names = append(names, page...)
		link := list.str("next")
		if len(page) == 2 {
			last := list.body["nodegroups"].([]any)[1].(map[string]any)["uuid"]
			if want := fmt.Sprintf("http://magnum:9511/v1/clusters/%s/nodegroups?sort_key=name&sort_dir=asc&limit=2&marker=%s", id, last); link != want {
				t.Errorf("next is %s, want %s", link, want)
			}
		}
		next = strings.TrimPrefix(link, "http://magnum:9511")
	}
	if diff := cmp.Diff([]string{"a", "b", "default-master", "default-worker"}, names); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if got := f.must(200, "demo", "GET", path+"?limit=1&role=master", "").str("next"); !strings.HasSuffix(got, "sort_key=id&sort_dir=asc&limit=1&marker="+groups[0].UUID) {
		t.Errorf("next is %s", got)
	}

	const input = "Invalid input for field/attribute "
	foreign := f.stored("other").NodeGroups[0].UUID
	f.refused(404, "Nodegroup "+foreign+" could not be found.", "demo", "GET", path+"?marker="+foreign, "")
	f.refused(400, input+"marker. Value: 'b'. unable to convert to uuid. Error: Expected a uuid but received b.", "demo", "GET", path+"?marker=b", "")
	f.refused(400, "Limit must be positive", "demo", "GET", path+"?limit=0", "")
	f.refused(400, input+"limit. Value: 'x'. unable to convert to int. Error: invalid literal for int() with base 10: 'x'", "demo", "GET", path+"?limit=x", "")
	f.refused(400, "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'", "demo", "GET", path+"?sort_dir=up", "")
	f.refused(400, `The sort_key value "links" is an invalid field for sorting`, "demo", "GET", path+"?sort_key=links", "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "GET", path+"?foo=1", "")
	f.refused(404, "Cluster nope could not be found.", "demo", "GET", "/v1/clusters/nope/nodegroups", "")
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "GET", path, "")
	if got := groupNames(f.must(200, "admin", "GET", path, "")); len(got) != 4 {
		t.Errorf("an administrator lists %v", got)
	}
}

func groupNames(list reply) []string {
	names := []string{}
	groups, _ := list.body["nodegroups"].([]any)
	for _, g := range groups {
		names = append(names, g.(map[string]any)["name"].(string))
	}
	return names
}

func TestNodeGroupShow(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "flavor_id": "m1.small"`)
	id := f.newCluster("t", `"name": "c", "labels": {"one": "1", "two": "2"}`)
	f.withAddress(id,
		magnum.NodeGroup{
			Name: "gpu", Role: "gpu", NodeCount: 3, MinNodeCount: 1, MaxNodeCount: 5, DockerVolumeSize: 7, FlavorID: "m1.large", ImageID: "i", StackID: "s",
			Status: magnum.UpdateFailed, StatusReason: "why", Version: "1", NodeAddresses: []string{"10.0.0.7", "10.0.0.8"},
			Labels: magnum.Labels{"one": "uno", "three": "3"}, NodeLabels: magnum.Labels{"disk": "ssd"},
			NodeTaints: []magnum.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}, {Key: "bare", Effect: "NoExecute"}},
		},
		magnum.NodeGroup{Name: "1", Role: "worker"})
	groups := f.stored(id).NodeGroups
	gpu := groups[2]
	want := strings.NewReplacer("CLUSTER", id, "UUID", gpu.UUID, "ID", fmt.Sprint(gpu.ID)).Replace(`{"id": ID, "uuid": "UUID", "name": "gpu", "cluster_id": "CLUSTER", "project_id": "project-demo", ` +
		`"labels": {"one": "uno", "three": "3"}, ` +
		`"links": [{"href": "http://magnum:9511/v1/clusters/CLUSTER/nodegroups/UUID", "rel": "self"}, {"href": "http://magnum:9511/clusters/CLUSTER/nodegroups/UUID", "rel": "bookmark"}], ` +
		`"flavor_id": "m1.large", "image_id": "i", "node_count": 3, "role": "gpu", "min_node_count": 1, "max_node_count": 5, "merge_labels": false, ` +
		`"labels_overridden": {"one": "1"}, "labels_added": {"three": "3"}, "labels_skipped": {"two": "2"}, ` +
		`"node_labels": {"disk": "ssd"}, "node_taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "bare", "effect": "NoExecute"}], ` +
		`"docker_volume_size": 7, "node_addresses": ["10.0.0.7", "10.0.0.8"], "is_default": false, "stack_id": "s", "status": "UPDATE_FAILED", "status_reason": "why", "version": "1", ` +
		`"created_at": "2026-01-02T03:04:05+00:00", "updated_at": null}`)
	for _, ident := range []string{"gpu", gpu.UUID, strings.ToUpper(gpu.UUID), fmt.Sprint(gpu.ID)} {
		for _, cluster := range []string{id, "c"} {
			if got := f.must(200, "demo", "GET", "/v1/clusters/"+cluster+"/nodegroups/"+ident, ""); got.text != want {
				t.Errorf("%s of %s:\n%s\nwant\n%s", ident, cluster, got.text, want)
			}
		}
	}
	// What nobody set is null, and the labels are the cluster's.
	master := f.must(200, "admin", "GET", "/v1/clusters/"+id+"/nodegroups/default-master", "")
	for name, want := range map[string]string{
		"max_node_count": "<nil>", "docker_volume_size": "<nil>", "version": "<nil>", "stack_id": "<nil>", "node_labels": "map[]", "node_taints": "[]",
		"labels": "map[one:1 two:2]", "labels_overridden": "map[]", "labels_skipped": "map[]", "node_addresses": "[]", "is_default": "true",
	} {
		if got := fmt.Sprint(master.body[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	// A number is an id first: the group that is named 1 is found by its uuid.
	if groups[0].ID != 1 {
		t.Fatalf("the first group has the id %d", groups[0].ID)
	}
	if got := f.must(200, "demo", "GET", "/v1/clusters/c/nodegroups/1", "").str("name"); got != magnum.DefaultMaster {
		t.Errorf("1 is %s", got)
	}
	f.newCluster("t", `"name": "other"`)
	foreign := f.stored("other").NodeGroups[0]
	for _, ident := range []string{"nope", "GPU", foreign.UUID, fmt.Sprint(foreign.ID), "-1", "99999999999999999999", strings.ReplaceAll(gpu.UUID, "-", "")} {
		f.refused(404, "Nodegroup "+ident+" could not be found.", "demo", "GET", "/v1/clusters/c/nodegroups/"+ident, "")
	}
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "GET", "/v1/clusters/"+id+"/nodegroups/gpu", "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "GET", "/v1/clusters/c/nodegroups/gpu?foo=1", "")
}

// TestNodeGroupStrays is what comes of methods, arguments and versions that
// the table does not have.
func TestNodeGroupStrays(t *testing.T) {
	f := newFixture(t)
	const path = "/v1/clusters/c/nodegroups"
	for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
		for _, below := range []string{"", "/ng"} {
			got := f.must(406, "demo", method, path+below, "", "OpenStack-API-Version", "container-infra 1.8")
			if !strings.HasPrefix(got.detail(), "Version 1.8 was requested but the requested API ") || got.header["Openstack-Api-Version"] != nil {
				t.Errorf("%s %s at 1.8: %s %v", method, below, got.text, got.header)
			}
		}
	}
	for _, target := range []string{path, path + "/ng"} {
		if allow := f.must(405, "demo", "PUT", target, "").header["Allow"]; !slices.Equal(allow, []string{"DELETE, GET, PATCH, POST"}) {
			t.Errorf("Allow: %v", allow)
		}
	}
	f.refused(400, `Missing argument: "nodegroup_id"`, "demo", "DELETE", path, "")
	f.refused(400, `Missing argument: "nodegroup_id"`, "demo", "PATCH", path, "[]")
	f.refused(400, "Invalid input for field/attribute nodegroup. Value: 'ng'. unable to convert to NodeGroup. Error: NodeGroup.__init__() takes 1 positional argument but 2 were given",
		"demo", "POST", path+"/ng", "{}")
	f.must(404, "demo", "GET", path+"/ng/more", "")
}
