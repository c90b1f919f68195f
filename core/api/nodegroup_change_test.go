package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/go-magnum/magnum/core/magnum"
)

// grouped is a fixture with a settled cluster c of demo's.
func grouped(t *testing.T, groups ...magnum.NodeGroup) (f *fixture, id, path string) {
	t.Helper()
	f = newFixture(t)
	f.newTemplate(`"name": "t", "flavor_id": "m1.small"`)
	id = f.newCluster("t", `"name": "c", "labels": {"one": "1", "two": "2"}`)
	f.withAddress(id, groups...)
	return f, id, "/v1/clusters/" + id + "/nodegroups"
}

// input reads the input of the operation under way on a cluster.
func (f *fixture) input(id string, kind magnum.OperationKind, in any) *magnum.Operation {
	f.Helper()
	op, err := f.db.ActiveOperation(context.Background(), id)
	if err != nil || op == nil {
		f.Fatalf("no operation: %v", err)
	}
	if op.Kind != kind {
		f.Errorf("the operation is %s, want %s", op.Kind, kind)
	}
	if in != nil {
		if err := json.Unmarshal(op.Input, in); err != nil {
			f.Fatal(err)
		}
	}
	return op
}

func TestNodeGroupCreate(t *testing.T) {
	f, id, path := grouped(t)
	woken := f.woken.Load()
	got := f.must(202, "demo", "POST", "/v1/clusters/c/nodegroups", `{"name": "plain", "docker_volume_size": null, "status": null}`)
	plain := f.stored(id).NodeGroups[2]
	expected := strings.NewReplacer("CLUSTER", id, "UUID", plain.UUID).Replace(`{"uuid": "UUID", "name": "plain", "cluster_id": "CLUSTER", "project_id": "project-demo", ` +
		`"labels": {"one": "1", "two": "2"}, ` +
		`"links": [{"href": "http://magnum:9511/v1/clusters/CLUSTER/nodegroups/UUID", "rel": "self"}, {"href": "http://magnum:9511/clusters/CLUSTER/nodegroups/UUID", "rel": "bookmark"}], ` +
		`"flavor_id": "m1.small", "image_id": "fedora-atomic-latest", "node_count": 1, "role": "worker", "min_node_count": 0, "max_node_count": null, "merge_labels": false, ` +
		`"labels_overridden": {}, "labels_added": {}, "labels_skipped": {}, "node_labels": {}, "node_taints": []}`)
	if got.text != expected {
		t.Errorf("answer:\n%s\nwant\n%s", got.text, expected)
	}
	if f.woken.Load() != woken+1 {
		t.Error("no conductor was woken")
	}
	want := magnum.NodeGroup{
		UUID: plain.UUID, Name: "plain", ClusterID: id, ProjectID: "project-demo", Role: "worker", NodeCount: 1, FlavorID: "m1.small", ImageID: "fedora-atomic-latest",
		Labels: magnum.Labels{"one": "1", "two": "2"}, Status: magnum.CreateInProgress,
	}
	ignored := cmp.Options{cmpopts.IgnoreFields(magnum.NodeGroup{}, "ID", "CreatedAt", "UpdatedAt"), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, plain, ignored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	c := f.stored(id)
	if c.Status != magnum.UpdateInProgress || c.NodeGroups[1].Status != magnum.CreateComplete {
		t.Errorf("the cluster is %s, its default group %s", c.Status, c.NodeGroups[1].Status)
	}
	var in magnum.NodeGroupInput
	op := f.input(id, magnum.OpCreateNodeGroup, &in)
	if in.NodeGroup != "plain" || in.Before != nil || op.RequestID != got.header.Get("X-OpenStack-Request-ID") || op.Initiator.UserID != "user-demo" {
		t.Errorf("operation %+v, input %+v", op, in)
	}
	f.refused(409, "Cluster c already has an operation in progress.", "demo", "POST", path, `{"name": "second"}`)
	f.refused(409, "A node group with name plain already exists in the cluster c.", "demo", "POST", path, `{"name": "plain"}`)

	f.setStatus(id, magnum.UpdateComplete)
	got = f.must(202, "admin", "POST", path, `{"name": "full", "uuid": "ignored", "cluster_id": "ignored", "role": "gpu-2", "node_count": "2", "min_node_count": 1, "max_node_count": 0,
		"docker_volume_size": 7, "flavor_id": "m1.large", "image_id": "fedora-coreos-latest", "labels": {"one": "uno", "n": 5, "b": true}, "merge_labels": true,
		"node_labels": {"disk": "ssd", "node.kubernetes.io/pool": ""}, "node_taints": [{"key": "gpu", "value": "a", "effect": "NoSchedule"}, {"effect": "NoExecute", "key": "x.io/y", "value": null}]}`)
	want = magnum.NodeGroup{
		UUID: got.str("uuid"), Name: "full", ClusterID: id, ProjectID: "project-demo", Role: "gpu-2", NodeCount: 2, MinNodeCount: 1, DockerVolumeSize: 7,
		FlavorID: "m1.large", ImageID: "fedora-coreos-latest", Labels: magnum.Labels{"one": "uno", "two": "2", "n": "5", "b": "True"}, Status: magnum.CreateInProgress,
		NodeLabels: magnum.Labels{"disk": "ssd", "node.kubernetes.io/pool": ""},
		NodeTaints: []magnum.Taint{{Key: "gpu", Value: "a", Effect: "NoSchedule"}, {Key: "x.io/y", Effect: "NoExecute"}},
	}
	if diff := cmp.Diff(want, f.stored(id).NodeGroups[3], ignored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"labels_overridden": "map[one:1]", "labels_added": "map[b:True n:5]", "labels_skipped": "map[]", "docker_volume_size": "7", "max_node_count": "<nil>",
		"node_taints": "[map[effect:NoSchedule key:gpu value:a] map[effect:NoExecute key:x.io/y]]", "project_id": "project-demo",
		"id": "<nil>", "status": "<nil>", "created_at": "<nil>", "is_default": "<nil>",
	} {
		if got := fmt.Sprint(got.body[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for i, c := range []struct{ sent, want string }{
		{`"labels": {}`, "map[]"},
		{`"labels": {}, "merge_labels": true`, "map[one:1 two:2]"},
		{`"labels": null`, "map[one:1 two:2]"},
		{`"labels": {"three": "3"}`, "map[three:3]"},
		{`"merge_labels": true`, "map[one:1 two:2]"},
	} {
		f.setStatus(id, magnum.UpdateComplete)
		got := f.must(202, "demo", "POST", path, fmt.Sprintf(`{"name": "labels%d", %s}`, i, c.sent))
		if labels := fmt.Sprint(got.body["labels"]); labels != c.want {
			t.Errorf("%s: labels %s, want %s", c.sent, labels, c.want)
		}
	}
}

func TestNodeGroupCreateRefused(t *testing.T) {
	f, id, path := grouped(t)
	const input = "Invalid input for field/attribute "
	const kubernetes = " is in a restricted Kubernetes namespace; the kubelet will refuse to start. Labels in the kubernetes.io/ and k8s.io/ namespaces must use one of " +
		"the allowed prefixes (kubelet.kubernetes.io, node.kubernetes.io) or be one of the allowed labels (beta.kubernetes.io/arch, beta.kubernetes.io/instance-type, " +
		"beta.kubernetes.io/os, failure-domain.beta.kubernetes.io/region, failure-domain.beta.kubernetes.io/zone, kubernetes.io/arch, kubernetes.io/hostname, kubernetes.io/os, " +
		"node.kubernetes.io/instance-type, node.kubernetes.io/windows-build, topology.kubernetes.io/region, topology.kubernetes.io/zone).)."
	for _, c := range []struct {
		status       int
		body, detail string
	}{
		{400, ``, `Missing argument: "nodegroup"`},
		{400, `[]`, input + "nodegroup. Value: '[]'. Value not a valid dict: []"},
		{400, `{}`, input + "name. Value: 'None'. Mandatory field missing."},
		{400, `{"name": null}`, input + "name. Value: 'None'. Mandatory field missing."},
		{400, `{"name": ""}`, input + "name. Value: ''. Value should have a minimum character requirement of 1"},
		{400, `{"name": "g", "foo": 1}`, "Unknown attribute for argument nodegroup: foo"},
		{400, `{"name": "g", "node_count": -1}`, input + "node_count. Value: '-1'. Value should be greater or equal to 0"},
		{400, `{"name": "g", "docker_volume_size": 0}`, input + "docker_volume_size. Value: '0'. Value should be greater or equal to 1"},
		{400, `{"name": "g", "project_id": "p"}`, input + "project_id. Value: 'p'. Cannot set read only field."},
		{400, `{"name": "g", "is_default": true}`, input + "is_default. Value: 'True'. Cannot set read only field."},
		{400, `{"name": "g", "is_default": false}`, input + "is_default. Value: 'False'. Cannot set read only field."},
		{400, `{"name": "g", "status": "CREATE_COMPLETE"}`, input + "status. Value: 'CREATE_COMPLETE'. Cannot set read only field."},
		{400, `{"name": "g", "version": "1"}`, input + "version. Value: '1'. Cannot set read only field."},
		{400, `{"name": "g", "stack_id": "s"}`, input + "stack_id. Value: 's'. Cannot set read only field."},
		{400, `{"name": "g", "labels": {"a": null}}`, input + "labels. Value: '{'a': None}'. Wrong type. Expected '(<class 'str'>, (<class 'int'>,), <class 'bool'>, <class 'float'>)', got '<class 'NoneType'>'"},
		{400, `{"name": "g", "role": ""}`, input + "role. Value: ''. Value should have a minimum character requirement of 1"},
		{400, `{"name": "g", "role": "GPU nodes"}`, input + "role. Value: 'GPU nodes'. Value should match the pattern ^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"},
		{400, `{"name": "g", "role": "master"}`, "Creating master nodegroups is currently not supported."},
		{409, `{"name": "default-worker"}`, "A node group with name default-worker already exists in the cluster c."},
		{409, `{"name": "default-worker", "role": "master"}`, "A node group with name default-worker already exists in the cluster c."},
		{409, `{"name": "g", "node_count": 3, "max_node_count": 2}`, "max_node_count for g is invalid (node_count (3) should be less or equal to max_node_count (2))."},
		{409, `{"name": "g", "min_node_count": 2}`, "min_node_count for g is invalid (min_node_count (2) should be less or equal to node_count (1))."},
		{409, `{"name": "g", "node_count": 3, "min_node_count": 3, "max_node_count": 2}`, "max_node_count for g is invalid (min_node_count (3) should be less or equal to max_node_count (2))."},
		{409, `{"name": "g", "role": "master", "min_node_count": 2}`, "min_node_count for g is invalid (min_node_count (2) should be less or equal to node_count (1))."},
		{400, `{"name": "g", "flavor_id": "nope", "image_id": "nope"}`, "Image nope could not be found."},
		{400, `{"name": "g", "flavor_id": "nope"}`, "Unable to find flavor nope."},
		{400, `{"name": "g", "labels": {"etcd_volume_size": "many"}}`, `property "labels/etcd_volume_size" with value "many" is not supported, expecting: integer, at least 0, at most 100`},
		{400, `{"name": "g", "labels": {"swarm_strategy": "best"}}`, `property "labels/swarm_strategy" with value "['best']" is not supported, supported values are: spread, binpack, random, unspecified`},
		{400, `{"name": "g", "node_labels": [1]}`, input + "nodegroup. Value: '{'name': 'g', 'node_labels': [1]}'. Value not a valid dict: [1]"},
		{400, `{"name": "g", "node_labels": {"a": 1}}`, input + "node_labels. Value: '{'a': 1}'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{400, `{"name": "g", "node_taints": ["a"]}`, input + "nodegroup. Value: '{'name': 'g', 'node_taints': ['a']}'. Value not a valid dict: a"},
		{400, `{"name": "g", "node_taints": {"key": "a"}}`, input + "nodegroup. Value: '{'name': 'g', 'node_taints': {'key': 'a'}}'. Value not a valid list: {'key': 'a'}"},
		{400, `{"name": "g", "node_taints": [{"key": 1}]}`, input + "node_taints. Value: '[{'key': 1}]'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{409, `{"name": "g", "role": "master", "node_labels": {"a": "b"}}`, "node_labels for g is invalid (node_labels may not be set on master nodegroups)."},
		{409, `{"name": "g", "role": "master", "node_taints": [{"key": "a", "effect": "NoExecute"}]}`, "node_taints for g is invalid (node_taints may not be set on master nodegroups)."},
		{409, `{"name": "g", "node_labels": {"kubernetes.io/role": "x"}}`, "node_labels for g is invalid (node label 'kubernetes.io/role'" + kubernetes},
		{409, `{"name": "g", "node_labels": {"node-role.kubernetes.io/gpu": "", "a": "b"}}`, "node_labels for g is invalid (node label 'node-role.kubernetes.io/gpu'" + kubernetes},
		{409, `{"name": "g", "node_labels": {"x.k8s.io/y": ""}}`, "node_labels for g is invalid (node label 'x.k8s.io/y'" + kubernetes},
		{409, `{"name": "g", "node_labels": {"a b": "c"}}`, "node_labels for g is invalid (node label 'a b' is not a Kubernetes label name)."},
		{409, `{"name": "g", "node_labels": {"a": "$(reboot)"}}`, "node_labels for g is invalid (value '$(reboot)' of node label 'a' is not a Kubernetes label value)."},
		{409, `{"name": "g", "node_taints": [{"key": "a", "effect": "NoExecute"}, {"key": "a", "effect": "noschedule"}]}`, "node_taints for g is invalid (node_taints[1].effect must be one of NoSchedule, PreferNoSchedule, NoExecute)."},
		{409, `{"name": "g", "node_taints": [{"effect": "NoExecute"}]}`, "node_taints for g is invalid (node_taints[0].key is required)."},
		{409, `{"name": "g", "node_taints": [{"z": "", "y": "", "effect": "NoExecute"}]}`, "node_taints for g is invalid (node_taints[0] contains unrecognised field(s) y, z; allowed fields are key, value, effect)."},
		{409, `{"name": "g", "node_taints": [{"key": "a/b/c", "effect": "NoExecute"}]}`, "node_taints for g is invalid (node_taints[0].key 'a/b/c' is not a Kubernetes label name)."},
		{409, `{"name": "g", "node_taints": [{"key": "a", "value": "\n", "effect": "NoExecute"}]}`, "node_taints for g is invalid (node_taints[0].value '\n' is not a Kubernetes label value)."},
	} {
		f.refused(c.status, c.detail, "demo", "POST", path, c.body)
	}
	f.refused(400, `Unknown argument: "foo"`, "demo", "POST", path+"?foo=1", `{"name": "g"}`)
	f.refused(404, "Cluster nope could not be found.", "demo", "POST", "/v1/clusters/nope/nodegroups", `{"name": "g"}`)
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "POST", path, `{"name": "g"}`)
	f.refused(403, "Policy doesn't allow nodegroup:create to be performed.", "reader", "POST", path, `{"name": "g"}`)
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"} {
		f.setStatus(id, s)
		f.refused(400, `Creating a nodegroup when cluster status is "`+string(s)+`" is not supported.`, "demo", "POST", path, `{"name": "g"}`)
	}
	f.set(id, func(c *magnum.Cluster) { c.APIAddress = "" })
	f.refused(409, "Cluster API address is not available yet", "demo", "POST", path, `{"name": "default-worker"}`)
}

// TestNodeGroupLabelsOfTheWholeCluster: a label that the driver says no group can
// have is refused where it differs from the cluster's, however it is written.
func TestNodeGroupLabelsOfTheWholeCluster(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "flavor_id": "m1.small"`)
	id := f.newCluster("t", `"name": "c", "labels": {"service_cluster_ip_range": "10.112.3.4/12"}`)
	f.withAddress(id)
	path := "/v1/clusters/" + id + "/nodegroups"
	for _, c := range []struct{ labels, refusal string }{
		{`{"service_cluster_ip_range": "10.254.0.0/16"}`, `labels/service_cluster_ip_range" with value "10.254.0.0/16" is not supported, the label is one of the whole cluster, where it is "10.112.3.4/12"`},
		{`{"system_pods_timeout": "6"}`, `labels/system_pods_timeout" with value "6" is not supported, the label is one of the whole cluster, where it is "20000000"`},
		{`{"cert_manager_api": "yes"}`, `labels/cert_manager_api" with value "yes" is not supported, the label is one of the whole cluster, where it is "false"`},
		{`{"kubeapi_options": "--v=2"}`, `labels/kubeapi_options" with value "--v=2" is not supported, the label is one of the whole cluster, where it is ""`},
		{`{"system_pods_timeout": "many"}`, `labels/system_pods_timeout" with value "many" is not supported, expecting: integer`},
	} {
		f.refused(400, `property "`+c.refusal, "demo", "POST", path, `{"name": "g", "labels": `+c.labels+`}`)
	}
	f.refused(400, `property "labels/system_pods_timeout" with value "6" is not supported, the label is one of the whole cluster, where it is "20000000"`,
		"demo", "POST", path, `{"name": "g", "merge_labels": true, "labels": {"system_pods_timeout": "6"}}`)
	for i, labels := range []string{
		`{"docker_volume_type": "fast", "selinux_mode": "enforcing"}`, // a group's own, and one that says nothing
		`{"service_cluster_ip_range": "10.112.0.0/12", "system_pods_timeout": " 20000000", "cert_manager_api": "False", "kubeapi_options": ""}`,
		`{"mine": "x"}`,
	} {
		f.setStatus(id, magnum.UpdateComplete)
		f.must(202, "demo", "POST", path, fmt.Sprintf(`{"name": "g%d", "labels": %s}`, i, labels))
	}
}

func TestNodeGroupPatch(t *testing.T) {
	f, id, path := grouped(t, magnum.NodeGroup{Name: "g", Role: "gpu", NodeCount: 3, MinNodeCount: 1, Status: magnum.UpdateFailed, StatusReason: "old", StackID: "s",
		NodeTaints: []magnum.Taint{{Key: "k", Value: "v", Effect: "NoSchedule"}}})
	patch := func(path, v string) string { return `[{"op": "replace", "path": "/` + path + `", "value": ` + v + `}]` }
	const input = "Invalid input for field/attribute "
	for p, refusal := range map[string]string{
		patch("name", `"x"`):                                      "'/name' is an internal attribute and can not be updated",
		patch("node_count", "2"):                                  "'/node_count' is an internal attribute and can not be updated",
		patch("role", `"x"`):                                      "'/role' is an internal attribute and can not be updated",
		patch("status", `"x"`):                                    "'/status' is an internal attribute and can not be updated",
		patch("is_default", "1"):                                  "'/is_default' is an internal attribute and can not be updated",
		patch("labels", `"{}"`):                                   "'/labels' is an internal attribute and can not be updated",
		patch("labels/one", `"x"`):                                "'/labels/one' is an internal attribute and can not be updated",
		patch("id", "1"):                                          "'/id' is an internal attribute and can not be updated",
		`[{"op": "remove", "path": "/flavor_id"}]`:                "'/flavor_id' is an internal attribute and can not be updated",
		`[{"op": "add", "path": "/merge_labels", "value": true}]`: "Adding a new attribute /merge_labels to the root of the resource is not allowed.",
		`[{"op": "add", "path": "/min_node_count", "value": 1}]`:  "The attribute /min_node_count has existed, please use 'replace' operation instead.",
		patch("merge_labels", "true"):                             "Couldn't apply patch '[{'path': '/merge_labels', 'op': 'replace', 'value': True}]'. Reason: can't replace a non-existent object 'merge_labels'",
		patch("min_node_count", `"2"`):                            input + "min_node_count. Value: '2'. '<' not supported between instances of 'str' and 'int'",
		patch("min_node_count", "-1"):                             input + "min_node_count. Value: '-1'. Value should be greater or equal to 0",
		patch("min_node_count", "[1]"):                            input + "value. Value: '[1]'. Wrong type. Expected '(<class 'str'>, <class 'int'>)', got '<class 'list'>'",
		patch("node_labels", `"x"`):                               "Couldn't apply patch '[{'path': '/node_labels', 'op': 'replace', 'value': 'x'}]'. Reason: malformed node or string",
		patch("node_labels", `"{'a': 1}"`):                        input + "node_labels. Value: '{'a': 1}'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'",
		patch("node_taints", `"{}"`):                              input + "node_taints. Value: '{}'. Value not a valid list: {}",
		`{}`:                                                      input + "patch. Value: '{}'. Value not a valid list: {}",
	} {
		f.refused(400, refusal, "demo", "PATCH", path+"/g", p)
	}
	for p, refusal := range map[string]string{
		patch("min_node_count", "4"): "min_node_count for g is invalid (min_node_count (4) should be less or equal to node_count (3)).",
		patch("max_node_count", "2"): "max_node_count for g is invalid (node_count (3) should be less or equal to max_node_count (2)).",
		`[{"op": "replace", "path": "/min_node_count", "value": 2}, {"op": "add", "path": "/max_node_count", "value": 1}]`: "max_node_count for g is invalid (min_node_count (2) should be less or equal to max_node_count (1)).",
		patch("node_labels", `"{'k8s.io/a': 'b'}"`): "",
		patch("node_taints", `"[{'key': 'a'}]"`):    "node_taints for g is invalid (node_taints[0].effect must be one of NoSchedule, PreferNoSchedule, NoExecute).",
	} {
		if refusal == "" {
			if got := f.must(409, "demo", "PATCH", path+"/g", p); !strings.HasPrefix(got.detail(), "node_labels for g is invalid (node label 'k8s.io/a' is in") {
				t.Errorf("%s: %s", p, got.detail())
			}
			continue
		}
		f.refused(409, refusal, "demo", "PATCH", path+"/g", p)
	}
	f.refused(409, "node_labels for default-master is invalid (node_labels may not be set on master nodegroups).", "demo", "PATCH", path+"/default-master", patch("node_labels", `"{'a': 'b'}"`))
	f.refused(404, "Nodegroup nope could not be found.", "demo", "PATCH", path+"/nope", patch("min_node_count", "1"))
	f.refused(404, "Cluster nope could not be found.", "demo", "PATCH", "/v1/clusters/nope/nodegroups/g", "[]")
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "PATCH", path+"/g", "[]")
	f.refused(403, "Policy doesn't allow nodegroup:update to be performed.", "reader", "PATCH", path+"/g", "[]")
	f.refused(400, `Unknown argument: "rollback"`, "demo", "PATCH", path+"/g?rollback=1", "[]")

	// What changes nothing starts nothing.
	before := f.dump()
	one := f.must(200, "demo", "GET", path+"/g", "").text
	for _, p := range []string{"", "[]", patch("min_node_count", "1"), `[{"op": "remove", "path": "/max_node_count"}]`, patch("node_taints", `"[{'effect': 'NoSchedule', 'value': 'v', 'key': 'k'}]"`)} {
		if got := f.must(202, "demo", "PATCH", path+"/g", p); got.text != one {
			t.Errorf("%s: %s, want %s", p, got.text, one)
		}
	}
	if diff := cmp.Diff(before, f.dump()); diff != "" {
		t.Errorf("patches without a change changed (-before +after):\n%s", diff)
	}

	old := f.stored(id).NodeGroups[2]
	for _, c := range []struct {
		patch        string
		least, most  int
		labels, keys string
	}{
		{`[{"op": "replace", "path": "/min_node_count", "value": 2}, {"op": "add", "path": "/max_node_count", "value": 9}]`, 2, 9, "map[]", "[{k v NoSchedule}]"},
		{`[{"op": "remove", "path": "/min_node_count"}, {"op": "replace", "path": "/max_node_count", "value": 0}]`, 0, 0, "map[]", "[{k v NoSchedule}]"},
		{`[{"op": "replace", "path": "/node_labels", "value": "{'a': 'b'}"}, {"op": "remove", "path": "/node_taints"}]`, 0, 0, "map[a:b]", "[]"},
		{`[{"op": "replace", "path": "/node_labels", "value": "{\"c\": \"d\"}"}, {"op": "add", "path": "/node_labels/e", "value": "f"}]`, 0, 0, "map[c:d e:f]", "[]"},
		{`[{"op": "replace", "path": "/node_labels", "value": {"g": "h"}}, {"op": "replace", "path": "/node_taints", "value": [{"key": "x", "effect": "NoExecute"}]}]`, 0, 0, "map[g:h]", "[{x  NoExecute}]"},
		{`[{"op": "remove", "path": "/node_labels/g"}, {"op": "replace", "path": "/node_taints", "value": "[]"}]`, 0, 0, "map[]", "[]"},
	} {
		got := f.must(202, "admin", "PATCH", path+"/"+old.UUID, c.patch)
		after := f.stored(id).NodeGroups[2]
		if after.MinNodeCount != c.least || after.MaxNodeCount != c.most || fmt.Sprint(after.NodeLabels) != c.labels || fmt.Sprint(after.NodeTaints) != c.keys {
			t.Errorf("%s: %+v", c.patch, after)
		}
		if after.Status != magnum.UpdateInProgress || after.StatusReason != "" || f.stored(id).Status != magnum.UpdateInProgress || after.NodeCount != 3 || after.StackID != "s" {
			t.Errorf("%s: cluster %s, group %+v", c.patch, f.stored(id).Status, after)
		}
		if got.str("status") != string(old.Status) || got.body["min_node_count"] != float64(c.least) {
			t.Errorf("%s: answer %s", c.patch, got.text)
		}
		var in magnum.NodeGroupInput
		f.input(id, magnum.OpUpdateNodeGroup, &in)
		if in.NodeGroup != "g" || in.Before == nil {
			t.Fatalf("%s: input %+v", c.patch, in)
		}
		if diff := cmp.Diff(old, *in.Before, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: before (-want +got):\n%s", c.patch, diff)
		}
		f.refused(409, "Cluster c already has an operation in progress.", "demo", "PATCH", path+"/g", patch("min_node_count", "3"))
		f.setStatus(id, magnum.UpdateComplete)
		old = f.stored(id).NodeGroups[2]
	}
	f.setStatus(id, magnum.CreateFailed)
	f.refused(400, `Updating a nodegroup when cluster status is "CREATE_FAILED" is not supported.`, "demo", "PATCH", path+"/default-worker", patch("max_node_count", "3"))
	f.setStatus(id, magnum.UpdateFailed)
	f.must(202, "demo", "PATCH", path+"/default-worker", patch("max_node_count", "3"))
}

func TestNodeGroupDelete(t *testing.T) {
	f, id, path := grouped(t, magnum.NodeGroup{Name: "g", Role: "gpu"}, magnum.NodeGroup{Name: "h", Role: "gpu", Status: magnum.CreateFailed})
	for _, name := range []string{"default-master", "default-worker"} {
		f.refused(400, "Deleting a default nodegroup is not supported.", "demo", "DELETE", path+"/"+name, "")
	}
	f.refused(404, "Nodegroup nope could not be found.", "demo", "DELETE", path+"/nope", "")
	f.refused(404, "Cluster nope could not be found.", "demo", "DELETE", "/v1/clusters/nope/nodegroups/g", "")
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "DELETE", path+"/g", "")
	f.refused(403, "Policy doesn't allow nodegroup:delete to be performed.", "reader", "DELETE", path+"/g", "")
	f.refused(400, `Unknown argument: "foo"`, "demo", "DELETE", path+"/g?foo=1", "")
	for _, s := range []magnum.Status{"CREATE_FAILED", "DELETE_IN_PROGRESS"} {
		f.set(id, func(c *magnum.Cluster) { c.Status = s })
		f.refused(400, `Deleting a nodegroup when cluster status is "`+string(s)+`" is not supported.`, "demo", "DELETE", path+"/g", "")
	}
	f.set(id, func(c *magnum.Cluster) { c.Status, c.StatusReason = magnum.UpdateFailed, "old" })
	woken := f.woken.Load()
	if got := f.must(204, "admin", "DELETE", path+"/g", ""); got.text != "" {
		t.Errorf("answer %s", got.text)
	}
	if f.woken.Load() != woken+1 {
		t.Error("no conductor was woken")
	}
	c := f.stored(id)
	if c.Status != magnum.UpdateInProgress || c.StatusReason != "" || c.NodeGroups[2].Status != magnum.DeleteInProgress || c.NodeGroups[1].Status != magnum.CreateComplete {
		t.Errorf("cluster %s, groups %+v", c.Status, c.NodeGroups)
	}
	var in magnum.NodeGroupInput
	op := f.input(id, magnum.OpDeleteNodeGroup, &in)
	if diff := cmp.Diff(magnum.NodeGroupInput{NodeGroup: "g"}, in); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	// Again is no mistake, and another one has to wait.
	before := f.dump()
	f.must(204, "demo", "DELETE", path+"/g", "")
	if diff := cmp.Diff(before, f.dump()); diff != "" {
		t.Errorf("a repeated delete changed (-before +after):\n%s", diff)
	}
	f.refused(409, "Cluster c already has an operation in progress.", "demo", "DELETE", path+"/h", "")
	f.set(id, func(c *magnum.Cluster) {
		c.Status = magnum.UpdateComplete
		c.NodeGroups = append(c.NodeGroups[:2:2], c.NodeGroups[3])
	})
	f.must(404, "demo", "GET", path+"/g", "")
	f.must(204, "demo", "DELETE", path+"/h", "")
	if next := f.input(id, magnum.OpDeleteNodeGroup, &in); next.ID == op.ID || in.NodeGroup != "h" {
		t.Errorf("operation %+v", next)
	}
}

// TestNodeGroupAbilities holds that nothing is accepted that the cluster's
// driver says it cannot do.
func TestNodeGroupAbilities(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "image_id": "fedora-coreos-latest"`)
	id := f.newCluster("t", `"name": "c"`)
	f.withAddress(id, magnum.NodeGroup{Name: "g", Role: "gpu", NodeCount: 1})
	const path = "/v1/clusters/c/nodegroups"
	const minimum, labels = `[{"op": "replace", "path": "/min_node_count", "value": 1}]`, `[{"op": "replace", "path": "/node_labels", "value": "{'a': 'b'}"}]`
	const none = "Node groups are not supported by driver k8s_fedora_coreos_v1."
	f.refused(400, none, "demo", "POST", path, `{"name": "x"}`)
	f.refused(400, none, "demo", "PATCH", path+"/g", minimum)
	f.refused(400, none, "demo", "DELETE", path+"/g", "")
	f.must(202, "demo", "PATCH", path+"/g", "[]") // nothing is asked of it

	f.change("k8s_fedora_coreos_v1", "node-groups")
	f.refused(400, "Node labels and taints are not supported by driver k8s_fedora_coreos_v1.", "demo", "POST", path, `{"name": "x", "node_taints": [{"key": "a", "effect": "NoExecute"}]}`)
	f.refused(400, "Node labels and taints are not supported by driver k8s_fedora_coreos_v1.", "demo", "PATCH", path+"/g", labels)
	f.refused(400, "Resizing a nodegroup to zero is not supported by driver k8s_fedora_coreos_v1.", "demo", "POST", path, `{"name": "x", "node_count": 0}`)
	f.must(202, "demo", "POST", path, `{"name": "x"}`, "OpenStack-API-Version", "container-infra 1.9")
	f.setStatus(id, magnum.UpdateComplete)

	f.change("k8s_fedora_coreos_v1", "node-groups", "zero-nodes", "node-labels")
	f.must(202, "demo", "POST", path, `{"name": "y", "node_count": 0}`, "OpenStack-API-Version", "container-infra 1.9") // zero is no matter of versions here
	f.setStatus(id, magnum.UpdateComplete)

	// A version that no conductor has any more is left to the operation.
	if err := f.db.PublishDrivers(context.Background(), "h", nil); err != nil {
		t.Fatal(err)
	}
	f.must(202, "demo", "PATCH", path+"/g", labels)
	f.setStatus(id, magnum.UpdateComplete)
	f.must(204, "demo", "DELETE", path+"/g", "")
	f.setStatus(id, magnum.UpdateComplete)
	f.must(202, "demo", "POST", path, `{"name": "z", "node_labels": {"a": "b"}, "labels": {"etcd_volume_size": "many"}}`)
}
