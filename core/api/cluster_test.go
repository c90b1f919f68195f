package api

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestClusterCreate(t *testing.T) {
	f := newFixture(t)
	template := f.newTemplate(`"name": "t", "labels": {"one": "1", "two": "2"}, "keypair_id": "testkey", "flavor_id": "m1.small", "master_flavor_id": "m1.small",
		"docker_volume_size": 4, "fixed_network": "n", "fixed_subnet": "s", "floating_ip_enabled": false, "master_lb_enabled": true, "external_network_id": "public"`)
	woken := f.woken.Load()
	got := f.must(202, "demo", "POST", "/v1/clusters", `{"cluster_template_id": "t", "name": "plain"}`)
	id := got.str("uuid")
	if got.text != `{"uuid": "`+id+`"}` || got.header.Get("Location") != "" {
		t.Errorf("answer %s %v", got.text, got.header)
	}
	if f.woken.Load() != woken+1 {
		t.Error("no conductor was woken")
	}
	labels := magnum.Labels{"one": "1", "two": "2"}
	group := func(name, role string, n int) magnum.NodeGroup {
		return magnum.NodeGroup{Name: name, Role: role, NodeCount: n, ClusterID: id, ProjectID: "project-demo", Labels: labels, FlavorID: "m1.small",
			ImageID: "fedora-atomic-latest", DockerVolumeSize: 4, IsDefault: true, Status: "CREATE_IN_PROGRESS", NodeAddresses: []string{}}
	}
	want := &magnum.Cluster{
		UUID: id, Name: "plain", ProjectID: "project-demo", UserID: "user-demo", ClusterTemplateID: template, Keypair: "testkey", DockerVolumeSize: 4,
		Labels: labels, FlavorID: "m1.small", MasterFlavorID: "m1.small", Status: "CREATE_IN_PROGRESS", CreateTimeout: 60, FixedNetwork: "n", FixedSubnet: "s",
		MasterLBEnabled: true, Driver: magnum.DriverRef{Name: "k8s_fedora_atomic_v1", Version: "1.0.0"},
		NodeGroups: []magnum.NodeGroup{group("default-master", "master", 1), group("default-worker", "worker", 1)},
	}
	ignored := cmp.Options{
		cmpopts.IgnoreFields(magnum.Cluster{}, "ID", "CreatedAt", "UpdatedAt"),
		cmpopts.IgnoreFields(magnum.NodeGroup{}, "ID", "UUID", "CreatedAt", "UpdatedAt"), cmpopts.EquateEmpty(),
	}
	if diff := cmp.Diff(want, f.stored(id), ignored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	op, err := f.db.ActiveOperation(context.Background(), id)
	if err != nil || op == nil {
		t.Fatalf("operation: %v %v", op, err)
	}
	if op.Kind != magnum.OpCreate || op.Initiator.UserID != "user-demo" || op.Initiator.ProjectID != "project-demo" || op.RequestID != got.header.Get("X-OpenStack-Request-ID") {
		t.Errorf("operation %+v", op)
	}
	if token, err := keystone.Open(keystone.SealKey("service"), op.SealedToken); err != nil || token != "demo" {
		t.Errorf("the token does not come back: %q %v", token, err)
	}
	// Visible at once, with everything.
	one := f.must(200, "demo", "GET", "/v1/clusters/plain", "")
	expected := strings.NewReplacer("ID", id, "TEMPLATE", template).Replace(`{"uuid": "ID", "name": "plain", "cluster_template_id": "TEMPLATE", "keypair": "testkey", ` +
		`"node_count": 1, "master_count": 1, "docker_volume_size": 4, "labels": {"one": "1", "two": "2"}, "master_flavor_id": "m1.small", "flavor_id": "m1.small", ` +
		`"create_timeout": 60, "stack_id": null, "status": "CREATE_IN_PROGRESS", "health_status": null, "merge_labels": false, ` +
		`"links": [{"href": "http://magnum:9511/v1/clusters/ID", "rel": "self"}, {"href": "http://magnum:9511/clusters/ID", "rel": "bookmark"}], ` +
		`"status_reason": null, "health_status_reason": {}, "discovery_url": null, "api_address": null, "coe_version": null, "container_version": null, ` +
		`"project_id": "project-demo", "user_id": "user-demo", "node_addresses": [], "master_addresses": [], "fixed_network": "n", "fixed_subnet": "s", ` +
		`"floating_ip_enabled": false, "master_lb_enabled": true, "labels_overridden": {}, "labels_added": {}, "labels_skipped": {}, ` +
		`"created_at": "2026-01-02T03:04:05+00:00", "updated_at": null}`)
	if one.text != expected {
		t.Errorf("GET:\n%s\nwant\n%s", one.text, expected)
	}
	list := f.must(200, "demo", "GET", "/v1/clusters", "")
	short, _, _ := strings.Cut(expected, `, "status_reason"`)
	if want := `{"clusters": [` + short + `}]}`; list.text != want {
		t.Errorf("list:\n%s\nwant\n%s", list.text, want)
	}

	own := f.must(202, "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+template+`", "name": "own", "uuid": "B0C0FFEE-0000-4000-8000-000000000002",
		"node_count": "2", "master_count": 3, "docker_volume_size": 7, "keypair": null, "flavor_id": "m1.medium", "master_flavor_id": "m1.large", "create_timeout": 0,
		"fixed_network": "n2", "fixed_subnet": "s2", "floating_ip_enabled": "yes", "discovery_url": "http://d", "status": "DELETE_COMPLETE", "status_reason": "mine",
		"health_status": "HEALTHY", "faults": {}, "labels_added": {}, "labels": {"one": "uno", "three": 3, "min_node_count": 1}, "merge_labels": true}`)
	if own.str("uuid") != "b0c0ffee-0000-4000-8000-000000000002" {
		t.Errorf("the given uuid is not used: %s", own.text)
	}
	labels = magnum.Labels{"one": "uno", "two": "2", "three": "3", "min_node_count": "1"}
	*want = magnum.Cluster{
		UUID: own.str("uuid"), Name: "own", ProjectID: "project-demo", UserID: "user-demo", ClusterTemplateID: template, Keypair: "testkey", DockerVolumeSize: 7,
		Labels: labels, FlavorID: "m1.medium", MasterFlavorID: "m1.large", Status: "CREATE_IN_PROGRESS", FixedNetwork: "n2", FixedSubnet: "s2", DiscoveryURL: "http://d",
		MasterLBEnabled: true, FloatingIPEnabled: true, Driver: want.Driver, NodeGroups: []magnum.NodeGroup{group("default-master", "master", 3), group("default-worker", "worker", 2)},
	}
	for i := range want.NodeGroups {
		g := &want.NodeGroups[i]
		g.ClusterID, g.Labels, g.DockerVolumeSize, g.MinNodeCount = want.UUID, labels, 7, 1
		g.FlavorID = []string{"m1.large", "m1.medium"}[i]
	}
	if diff := cmp.Diff(want, f.stored(want.UUID), ignored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	one = f.must(200, "demo", "GET", "/v1/clusters/own", "")
	for name, want := range map[string]string{
		"labels_overridden": "map[one:1]", "labels_added": "map[min_node_count:1 three:3]", "labels_skipped": "map[]", "node_count": "2", "master_count": "3",
	} {
		if got := fmt.Sprint(one.body[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	f.refused(409, "A cluster with UUID b0c0ffee-0000-4000-8000-000000000002 already exists.", "demo", "POST", "/v1/clusters",
		`{"cluster_template_id": "t", "uuid": "b0c0ffee-0000-4000-8000-000000000002"}`)
	skipped := f.newCluster("t", `"labels": {"three": "3"}`)
	one = f.must(200, "demo", "GET", "/v1/clusters/"+skipped, "")
	if got := fmt.Sprint(one.body["labels"], one.body["labels_skipped"], one.body["labels_added"]); got != "map[three:3] map[one:1 two:2] map[three:3]" {
		t.Errorf("labels that replace: %s", got)
	}
	if !strings.HasSuffix(one.str("name"), "-cluster") {
		t.Errorf("made up name %q", one.str("name"))
	}
}

func TestClusterRefused(t *testing.T) {
	f := newFixture(t)
	id := f.newTemplate(`"name": "t"`)
	f.newTemplate(`"name": "dm", "docker_storage_driver": "devicemapper", "docker_volume_size": 3`)
	f.must(201, "demo", "POST", "/v1/clustertemplates", `{"name": "swarm", "coe": "swarm", "image_id": "fedora-atomic-latest"}`)
	f.newTemplate(`"name": "gone", "cluster_distro": "fedora-atomic"`)
	f.must(200, "demo", "PATCH", "/v1/clustertemplates/gone", `[{"op": "replace", "path": "/cluster_distro", "value": "plan9"}]`)
	f.newTemplateOf("alt", `"name": "theirs"`)
	const input = "Invalid input for field/attribute "
	of := func(more string) string { return `{"cluster_template_id": "t", ` + more + `}` }
	for _, c := range []struct {
		version, body string
		status        int
		detail        string
	}{
		{"1.10", `{"name": "c"}`, 400, input + "cluster_template_id. Value: 'None'. Mandatory field missing."},
		{"1.10", `{"cluster_template_id": null}`, 400, input + "cluster_template_id. Value: 'None'. Mandatory field missing."},
		{"1.10", `{"cluster_template_id": 9}`, 400, input + "cluster_template_id. Value: '9'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{"1.10", `{"cluster_template_id": true}`, 400, input + "cluster_template_id. Value: 'True'. Wrong type. Expected '<class 'str'>', got '<class 'bool'>'"},
		{"1.10", `{"cluster_template_id": "nope"}`, 404, "ClusterTemplate nope could not be found."},
		{"1.9", `{"cluster_template_id": "nope"}`, 400, "ClusterTemplate nope could not be found."},
		{"1.10", `{"cluster_template_id": "theirs"}`, 404, "ClusterTemplate theirs could not be found."},
		{"1.10", `{"cluster_template_id": "gone"}`, 400, "Cluster type (vm, plan9, kubernetes) not supported."},
		{"1.10", of(`"name": "d w"`), 400, input + "name. Value: 'd w'. Value should match the pattern ^[a-zA-Z][a-zA-Z0-9_.-]*$"},
		{"1.10", of(`"name": "1w"`), 400, input + "name. Value: '1w'. Value should match the pattern ^[a-zA-Z][a-zA-Z0-9_.-]*$"},
		{"1.10", of(`"name": "w\n"`), 400, input + "name. Value: 'w\n'. Value should match the pattern ^[a-zA-Z][a-zA-Z0-9_.-]*$"},
		{"1.10", of(`"name": "` + strings.Repeat("d", 243) + `"`), 400, input + "name. Value: '" + strings.Repeat("d", 243) + "'. Value should have a maximum character requirement of 242"},
		{"1.10", of(`"uuid": "nope"`), 400, "Expected a uuid but received nope."},
		{"1.10", of(`"master_count": 0`), 400, input + "master_count. Value: '0'. Value should be greater or equal to 1"},
		{"1.10", of(`"node_count": -1`), 400, input + "node_count. Value: '-1'. Value should be greater or equal to 0"},
		{"1.10", of(`"status": "BOGUS"`), 400, input + "status. Value: 'BOGUS'. " + oneOf(statuses)},
		{"1.10", of(`"health_status": "SICK"`), 400, input + "health_status. Value: 'SICK'. Value should be one of: HEALTHY, UNHEALTHY, UNKNOWN"},
		{"1.10", of(`"status_reason": 1`), 400, input + "status_reason. Value: '1'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{"1.10", of(`"stack_id": "x"`), 400, input + "stack_id. Value: 'x'. Cannot set read only field."},
		{"1.10", of(`"node_addresses": []`), 400, input + "node_addresses. Value: '[]'. Cannot set read only field."},
		{"1.10", of(`"trust_id": "x"`), 400, "Unknown attribute for argument cluster: trust_id"},
		{"1.10", of(`"rollback": true`), 400, "Unknown attribute for argument cluster: rollback"},
		{"1.10", of(`"floating_ip_enabled": "maybe"`), 400, input + "floating_ip_enabled. Value: 'maybe'. " + notBool("maybe")},
		{"1.10", of(`"master_count": 2`), 400, "master_count must be 1 when master_lb_enabled is False"},
		{"1.10", of(`"flavor_id": "nope"`), 400, "Unable to find flavor nope."},
		{"1.10", of(`"master_flavor_id": "nope"`), 400, "Unable to find flavor nope."},
		{"1.10", of(`"keypair": "nope"`), 404, "Unable to find keypair nope."},
		{"1.10", of(`"node_count": null, "keypair": "nope"`), 404, "Unable to find keypair nope."},
		{"1.10", of(`"labels": {"selinux_mode": "off"}`), 400, `property "labels/selinux_mode" with value "off" is not supported, supported values are: enforcing, permissive, disabled, unspecified`},
		{"1.10", of(`"labels": {"min_node_count": "x"}`), 400, `property "labels/min_node_count" with value "x" is not supported, expecting: integer, at least 0`},
		{"1.9", of(`"node_count": 0`), 400, "Resizing a nodegroup to zero is not supported in the provided microversion."},
		{"1.10", `{"cluster_template_id": "swarm", "node_count": 0}`, 400, "Resizing a nodegroup to zero is not supported by driver swarm_fedora_atomic_v1."},
		{"1.10", `{"cluster_template_id": "dm", "docker_volume_size": 2}`, 400, "docker volume size 2 GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		// Which of two mistakes is named.
		{"1.9", `{"cluster_template_id": "nope", "node_count": 0}`, 400, "ClusterTemplate nope could not be found."},
		{"1.10", `{"cluster_template_id": "nope", "node_count": "x"}`, 400, input + "cluster. Value: '{'cluster_template_id': 'nope', 'node_count': 'x'}'. invalid literal for int() with base 10: 'x'"},
		{"1.9", `{"cluster_template_id": "dm", "docker_volume_size": 1, "node_count": 0}`, 400, "docker volume size 1 GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		{"1.10", of(`"keypair": "nope", "flavor_id": "nope"`), 400, "Unable to find flavor nope."},
		{"1.10", of(`"keypair": "nope", "master_count": 3`), 404, "Unable to find keypair nope."},
	} {
		f.refused(c.status, c.detail, "demo", "POST", "/v1/clusters", c.body, "OpenStack-API-Version", "container-infra "+c.version)
	}
	f.must(200, "admin", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "replace", "path": "/hidden", "value": true}]`)
	f.refused(403, "Not authorized.", "demo", "POST", "/v1/clusters", of(`"name": "c"`))
	f.must(202, "admin", "POST", "/v1/clusters", of(`"name": "c"`))
	f.images["fedora-atomic-latest"] = ""
	f.refused(400, "Image fedora-atomic-latest doesn't contain os_distro field.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "dm"}`)
}

func TestClusterMasterLimits(t *testing.T) {
	f := newFixture(t)
	drivers := testDrivers()
	drivers[0].Description.Limits.OddMasters, drivers[0].Description.Limits.MaxMasters = true, 5
	if err := f.db.PublishDrivers(context.Background(), "h", drivers); err != nil {
		t.Fatal(err)
	}
	f.newTemplate(`"name": "t", "master_lb_enabled": true`)
	for n, refusal := range map[int]string{
		2: "master nodegroup size of 2 is invalid, size cannot be an even number.",
		7: "master nodegroup size of 7 is invalid, size must be at most 5.",
	} {
		f.refused(400, refusal, "demo", "POST", "/v1/clusters", fmt.Sprintf(`{"cluster_template_id": "t", "master_count": %d}`, n))
	}
	f.newCluster("t", `"master_count": 5`)
}

func TestClusterQuota(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Options.Quotas.MaxClustersPerProject = 2 })
	f.newTemplate(`"name": "t"`)
	f.newTemplateOf("admin", `"name": "public", "public": true`)
	f.newCluster("t", "")
	// Of many at the same time one finds room.
	var wg sync.WaitGroup
	codes := make([]int, 8)
	for i := range codes {
		wg.Go(func() { codes[i] = f.send("friend", "POST", "/v1/clusters", `{"cluster_template_id": "t"}`).status })
	}
	wg.Wait()
	count := map[int]int{}
	for _, code := range codes {
		count[code]++
	}
	if diff := cmp.Diff(map[int]int{202: 1, 403: 7}, count); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	refusal := "Resource limit exceeded: You have reached the maximum clusters per project, 2. You may delete a cluster to make room for a new one."
	f.refused(403, refusal, "demo", "POST", "/v1/clusters", `{"cluster_template_id": "t"}`)
	f.refused(403, refusal, "demo", "POST", "/v1/clusters", `{"cluster_template_id": "t", "flavor_id": "nope"}`)
	f.must(202, "alt", "POST", "/v1/clusters", `{"cluster_template_id": "public"}`)
}

func TestClusterDelete(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_IN_PROGRESS", "DELETE_FAILED"} {
		id := f.newCluster("t", "")
		if s != "CREATE_IN_PROGRESS" {
			f.setStatus(id, s)
		}
		woken := f.woken.Load()
		if got := f.must(204, "demo", "DELETE", "/v1/clusters/"+id, ""); got.text != "" {
			t.Errorf("answer %q", got.text)
		}
		op, err := f.db.ActiveOperation(context.Background(), id)
		if err != nil || op == nil || op.Kind != magnum.OpDelete {
			t.Fatalf("%s: operation %v %v", s, op, err)
		}
		if c := f.stored(id); c.Status != "DELETE_IN_PROGRESS" || c.NodeGroups[0].Status != "DELETE_IN_PROGRESS" {
			t.Errorf("%s: stored %+v", s, c)
		}
		if f.woken.Load() != woken+1 {
			t.Error("no conductor was woken")
		}
		// Once more: no second operation.
		f.must(204, "demo", "DELETE", "/v1/clusters/"+id, "", "Content-Type", "application/octet-stream")
		if again, err := f.db.ActiveOperation(context.Background(), id); err != nil || again == nil || again.ID != op.ID {
			t.Errorf("%s: a second delete made %v %v", s, again, err)
		}
	}
	f.refused(404, "Cluster nope could not be found.", "demo", "DELETE", "/v1/clusters/nope", "")
}

func TestClusterFaults(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	id := f.newCluster("t", `"name": "c"`)
	f.set(id, func(c *magnum.Cluster) {
		c.Status, c.StatusReason, c.StackID, c.APIAddress, c.COEVersion = "CREATE_FAILED", "it failed", "stack", "https://1.2.3.4:6443", "v1"
		c.HealthStatus, c.HealthReason = "UNHEALTHY", map[string]string{"api": "down", "b": "x"}
		c.NodeGroups[0].NodeAddresses = []string{"1.1.1.1", "1.1.1.2"}
		c.NodeGroups[1].Status, c.NodeGroups[1].StatusReason, c.NodeGroups[1].NodeAddresses = "CREATE_FAILED", `no "host"`, []string{"2.2.2.2"}
		c.Faults = map[string]string{"kube_minions.0": `no "host"`}
	})
	got := f.must(200, "demo", "GET", "/v1/clusters/c", "")
	for name, want := range map[string]string{
		"faults": `map[kube_minions.0:no "host"]`, "status_reason": "it failed", "stack_id": "stack", "api_address": "https://1.2.3.4:6443", "coe_version": "v1",
		"health_status": "UNHEALTHY", "health_status_reason": "map[api:down b:x]", "node_addresses": "[2.2.2.2]", "master_addresses": "[1.1.1.1 1.1.1.2]",
		"updated_at": "2026-01-02T03:04:05+00:00",
	} {
		if s := fmt.Sprint(got.body[name]); s != want {
			t.Errorf("%s is %s, want %s", name, s, want)
		}
	}
	list, _ := f.must(200, "demo", "GET", "/v1/clusters/detail", "").body["clusters"].([]any)
	detail := list[0].(map[string]any)
	if _, has := detail["faults"]; has {
		t.Error("the detailed list has faults")
	}
	delete(got.body, "faults")
	if diff := cmp.Diff(got.body, detail); diff != "" {
		t.Errorf("alone and in the detailed list (-alone +list):\n%s", diff)
	}
	// Groups with stacks of their own are named beside them; a cluster whose
	// stack was never made has an empty map.
	f.set(id, func(c *magnum.Cluster) {
		c.NodeGroups = append(c.NodeGroups,
			magnum.NodeGroup{Name: "gpu", Role: "worker", Status: "CREATE_FAILED", StatusReason: "quota"},
			magnum.NodeGroup{Name: "fine", Role: "worker", Status: "CREATE_COMPLETE", StatusReason: "x"})
	})
	if got := fmt.Sprint(f.must(200, "demo", "GET", "/v1/clusters/c", "").body["faults"]); got != `map[gpu:quota kube_minions.0:no "host"]` {
		t.Errorf("with node groups: %s", got)
	}
	f.set(id, func(c *magnum.Cluster) { c.NodeGroups, c.Faults = c.NodeGroups[:2], nil })
	if got := f.must(200, "demo", "GET", "/v1/clusters/c", ""); !strings.Contains(got.text, `"faults": {}`) {
		t.Errorf("without a stack: %s", got.text)
	}
	f.set(id, func(c *magnum.Cluster) { c.Status = "UPDATE_IN_PROGRESS" })
	if _, has := f.must(200, "demo", "GET", "/v1/clusters/c", "").body["faults"]; has {
		t.Error("a cluster in progress has faults")
	}
}

func TestClusterList(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	f.newTemplate(`"name": "u"`)
	var ids []string
	for i, name := range []string{"b", "a", "c", "a"} {
		ids = append(ids, f.newCluster([]string{"t", "u"}[i%2], `"name": "`+name+`"`))
	}
	checkList(t, f, "clusters", ids, map[string][]int{
		"":                             {0, 1, 2, 3},
		"?limit=1":                     {0},
		"?limit=4":                     {0, 1, 2, 3},
		"?limit=99999":                 {0, 1, 2, 3},
		"?marker=" + ids[1]:            {2, 3},
		"?limit=1&marker=" + ids[1]:    {2},
		"?limit=2&marker=" + ids[3]:    {},
		"?sort_key=name":               {1, 3, 0, 2},
		"?sort_key=name&sort_dir=desc": {2, 0, 3, 1},
	}, "Cluster")
	f.refused(400, `The sort_key value "node_count" is an invalid field for sorting`, "demo", "GET", "/v1/clusters?sort_key=node_count", "")
	f.refused(409, "Multiple clusters exist with same name. Please use the cluster uuid instead.", "demo", "GET", "/v1/clusters/a", "")
	f.refused(409, "Multiple clusters exist with same name. Please use the cluster uuid instead.", "demo", "DELETE", "/v1/clusters/a", "")
	f.must(200, "demo", "GET", "/v1/clusters/"+strings.ToUpper(ids[0]), "")
	f.refused(404, "Cluster B could not be found.", "demo", "GET", "/v1/clusters/B", "")
}

// TestParentLabels holds that labels are compared with those of the template
// as it is, although its labels are remembered.
func TestParentLabels(t *testing.T) {
	f := newFixture(t)
	const uuid = "b0c0ffee-0000-4000-8000-000000000002"
	for _, v := range []string{"1", "2"} {
		f.newTemplate(`"uuid": "` + uuid + `", "labels": {"a": "` + v + `"}`)
		id := f.newCluster(uuid, `"name": "c", "labels": {"a": "x"}`)
		for range 2 {
			for _, path := range []string{"/v1/clusters/" + id, "/v1/clusters/detail"} {
				got := f.must(200, "demo", "GET", path, "")
				if want := `"labels_overridden": {"a": "` + v + `"}`; !strings.Contains(got.text, want) {
					t.Errorf("%s lacks %s: %s", path, want, got.text)
				}
			}
		}
		f.must(204, "demo", "DELETE", "/v1/clusters/"+id, "")
		ops, err := f.db.Claim(context.Background(), state.Claimant{Owner: "test"}, time.Hour, 10)
		if err != nil || len(ops) != 1 {
			t.Fatalf("claimed %v, %v", ops, err)
		}
		if err := f.db.Destroy(context.Background(), ops[0]); err != nil {
			t.Fatal(err)
		}
		f.must(204, "demo", "DELETE", "/v1/clustertemplates/"+uuid, "")
	}
}

// TestClusterTrust: what nodes do for the cluster's user is refused where they
// do not get the trust for it, before anything is made.
func TestClusterTrust(t *testing.T) {
	choices := func(d *driver.Description) {
		d.TrustFor = []string{"volume_driver=cinder", "registry_enabled=true", "labels/kube_dashboard_enabled=true"}
	}
	for _, c := range []struct{ template, cluster, field string }{
		{`"volume_driver": "cinder"`, ``, "volume_driver cinder"},
		{`"registry_enabled": true`, ``, "registry_enabled true"},
		{`"hidden": false`, `, "labels": {"kube_dashboard_enabled": "Yes"}`, "labels/kube_dashboard_enabled true"},
		{`"labels": {"kube_dashboard_enabled": "1"}`, ``, "labels/kube_dashboard_enabled true"},
		{`"labels": {"kube_dashboard_enabled": "true"}`, `, "labels": {"kube_dashboard_enabled": "no"}`, ""},
		{`"hidden": false`, ``, ""},
	} {
		body := `{"cluster_template_id": "t"` + c.cluster + `}`
		f := newFixture(t)
		f.describe("k8s_fedora_atomic_v1", choices)
		f.newTemplate(`"name": "t", "flavor_id": "m1.small", ` + c.template)
		if c.field == "" {
			f.must(202, "demo", "POST", "/v1/clusters", body)
			continue
		}
		f.refused(400, "With "+c.field+" the cluster's nodes act for its user, which an operator has to allow by [trust] cluster_user_trust.",
			"demo", "POST", "/v1/clusters", body)
		f = newFixture(t, func(c *Config) { c.Options.Trust.ClusterUserTrust = true })
		f.describe("k8s_fedora_atomic_v1", choices)
		f.newTemplate(`"name": "t", "flavor_id": "m1.small", ` + c.template)
		f.must(202, "demo", "POST", "/v1/clusters", body)
	}
}
