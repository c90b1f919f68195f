package api

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
)

func asked(version string) []string {
	return []string{"OpenStack-API-Version", "container-infra " + version}
}

// newBaymodel makes a baymodel of demo's.
func (f *fixture) newBaymodel(more string) string {
	f.Helper()
	return f.must(201, "demo", "POST", "/v1/baymodels", baymodelBody(more), asked("1.1")...).str("uuid")
}

func baymodelBody(more string) string {
	if more != "" {
		more = ", " + more
	}
	return `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "keypair_id": "testkey"` + more + `}`
}

func TestBayCreate(t *testing.T) {
	f := newFixture(t)
	model := f.newBaymodel(`"name": "m", "labels": {"a": "b"}, "flavor_id": "m1.small", "docker_volume_size": 4`)
	got := f.must(201, "demo", "POST", "/v1/bays", `{"baymodel_id": "m", "name": "b", "node_count": 2, "bay_create_timeout": 9}`, asked("1.1")...)
	id := got.str("uuid")
	if want := "http://magnum:9511/v1/bays/" + id; got.header.Get("Location") != want {
		t.Errorf("Location %q, want %q", got.header.Get("Location"), want)
	}
	want := strings.NewReplacer("ID", id, "MODEL", model).Replace(`{"uuid": "ID", "name": "b", "baymodel_id": "MODEL", "node_count": 2, "master_count": 1, ` +
		`"docker_volume_size": 4, "labels": null, "master_flavor_id": null, "flavor_id": "m1.small", "bay_create_timeout": 9, ` +
		`"links": [{"href": "http://magnum:9511/v1/bays/ID", "rel": "self"}, {"href": "http://magnum:9511/bays/ID", "rel": "bookmark"}], ` +
		`"stack_id": null, "status": "CREATE_IN_PROGRESS", "floating_ip_enabled": true, "status_reason": null, "discovery_url": null, "api_address": null, ` +
		`"coe_version": null, "container_version": null, "node_addresses": [], "master_addresses": [], "fixed_network": null, "fixed_subnet": null, ` +
		`"master_lb_enabled": false, "created_at": "2026-01-02T03:04:05+00:00", "updated_at": null}`)
	if got.text != want {
		t.Errorf("answer:\n%s\nwant\n%s", got.text, want)
	}
	for _, path := range []string{"/v1/bays/b", "/v1/bays/" + id} {
		if one := f.must(200, "demo", "GET", path, ""); one.text != strings.Replace(want, `"labels": null`, `"labels": {}`, 1) {
			t.Errorf("GET %s:\n%s\nwant\n%s", path, one.text, want)
		}
	}
	// The cluster that it is: the key pair is the baymodel's, the labels are not.
	c := f.stored(id)
	if c.Keypair != "testkey" || len(c.Labels) != 0 || c.ClusterTemplateID != model || c.CreateTimeout != 9 {
		t.Errorf("stored %+v", c)
	}
	if one := f.must(200, "demo", "GET", "/v1/clusters/b", ""); one.str("cluster_template_id") != model || one.body["create_timeout"] != 9.0 {
		t.Errorf("as a cluster: %s", one.text)
	}
	if f.woken.Load() != 1 {
		t.Errorf("woke the conductor %d times", f.woken.Load())
	}

	// Since 1.2 a client does not wait.
	later := f.must(202, "demo", "POST", "/v1/bays", `{"baymodel_id": "m", "labels": {"x": 1}}`, asked("1.2")...)
	if len(later.body) != 1 || later.header.Get("Location") != "" {
		t.Errorf("at 1.2: %s, Location %q", later.text, later.header.Get("Location"))
	}
	inherited := f.must(202, "demo", "POST", "/v1/bays", `{"baymodel_id": "m", "labels": null}`, asked("1.2")...)
	if got := f.stored(inherited.str("uuid")).Labels; !cmp.Equal(got, magnum.Labels{"a": "b"}) {
		t.Errorf("labels null: stored %v", got)
	}
	c = f.stored(later.str("uuid"))
	if !strings.HasSuffix(c.Name, "-bay") || !cmp.Equal(c.Labels, magnum.Labels{"x": "1"}) {
		t.Errorf("stored %q with labels %v", c.Name, c.Labels)
	}
}

func TestBayRefused(t *testing.T) {
	f := newFixture(t)
	f.newBaymodel(`"name": "m"`)
	const input = "Invalid input for field/attribute "
	for _, c := range []struct{ body, version, detail string }{
		{`{}`, "1.1", input + "baymodel_id. Value: 'None'. Mandatory field missing."},
		{`{"baymodel_id": "nope"}`, "1.1", "ClusterTemplate nope could not be found."},
		{`{"baymodel_id": "nope"}`, "1.10", "ClusterTemplate nope could not be found."},
		{`{"baymodel_id": "m", "cluster_template_id": "m"}`, "1.1", "Unknown attribute for argument bay: cluster_template_id"},
		{`{"baymodel_id": "m", "keypair": "testkey"}`, "1.1", "Unknown attribute for argument bay: keypair"},
		{`{"baymodel_id": "m", "merge_labels": true}`, "1.1", "Unknown attribute for argument bay: merge_labels"},
		{`{"baymodel_id": "m", "node_count": 0}`, "1.10", input + "node_count. Value: '0'. Value should be greater or equal to 1"},
		{`{"baymodel_id": "m", "master_count": 0}`, "1.1", input + "master_count. Value: '0'. Value should be greater or equal to 1"},
		{`{"baymodel_id": "m", "bay_create_timeout": -1}`, "1.1", input + "bay_create_timeout. Value: '-1'. Value should be greater or equal to 0"},
		{`{"baymodel_id": "m", "stack_id": "s"}`, "1.1", input + "stack_id. Value: 's'. Cannot set read only field."},
		{`{"baymodel_id": "m", "master_count": 3}`, "1.1", "master_count must be 1 when master_lb_enabled is False"},
		{`{"baymodel_id": "m", "flavor_id": "nope"}`, "1.1", "Unable to find flavor nope."},
	} {
		f.refused(400, c.detail, "demo", "POST", "/v1/bays", c.body, asked(c.version)...)
	}
	// Upstream forgot bays when it counted.
	f.setQuota("project-demo", 1)
	f.must(201, "demo", "POST", "/v1/bays", `{"baymodel_id": "m"}`, asked("1.1")...)
	f.refused(403, "Resource limit exceeded: You have reached the maximum clusters per project, 1. You may delete a cluster to make room for a new one.",
		"demo", "POST", "/v1/bays", `{"baymodel_id": "m"}`, asked("1.1")...)
}

func TestBayUpdate(t *testing.T) {
	f := newFixture(t)
	f.newBaymodel(`"name": "m"`)
	id := f.must(201, "demo", "POST", "/v1/bays", `{"baymodel_id": "m", "name": "b"}`, asked("1.1")...).str("uuid")
	f.refused(400, `Updating a cluster when status is "CREATE_IN_PROGRESS" is not supported.`,
		"demo", "PATCH", "/v1/bays/b", `[{"op": "replace", "path": "/node_count", "value": 3}]`, asked("1.1")...)
	f.set(id, func(c *magnum.Cluster) {
		c.Status, c.HealthStatus, c.HealthReason = magnum.CreateComplete, "UNHEALTHY", map[string]string{"n": "down"}
	})
	for _, c := range []struct{ version, query, body, detail string }{
		{"1.2", "?rollback=True", `[]`, `Unknown argument: "rollback"`},
		{"1.1", "", `[{"op": "replace", "path": "/baymodel_id", "value": "x"}]`, "cannot change cluster property(ies) cluster_template_id."},
		{"1.1", "", `[{"op": "replace", "path": "/bay_create_timeout", "value": 7}]`, "cannot change cluster property(ies) create_timeout."},
		{"1.1", "", `[{"op": "remove", "path": "/baymodel_id"}]`, "'/baymodel_id' is a mandatory attribute and can not be removed"},
		{"1.1", "", `[{"op": "replace", "path": "/stack_id", "value": "x"}]`, "'/stack_id' is an internal attribute and can not be updated"},
		{"1.1", "", `[{"op": "replace", "path": "/node_count", "value": 0}]`,
			"Invalid input for field/attribute node_count. Value: '0'. Value should be greater or equal to 1"},
		{"1.1", "", `[{"op": "replace", "path": "/health_status", "value": "HEALTHY"}]`, `Couldn't apply patch '[{'path': '/health_status', 'op': 'replace', ` +
			`'value': 'HEALTHY'}]'. Reason: can't replace a non-existent object 'health_status'`},
	} {
		f.refused(400, c.detail, "demo", "PATCH", "/v1/bays/b"+c.query, c.body, asked(c.version)...)
	}

	// Upstream answers all of these with 500.
	got := f.must(200, "demo", "PATCH", "/v1/bays/b", `[{"op": "replace", "path": "/node_count", "value": 3}]`, asked("1.1")...)
	if got.body["node_count"] != 3.0 || got.str("status") != "UPDATE_IN_PROGRESS" || got.str("updated_at") == "" {
		t.Errorf("at 1.1: %s", got.text)
	}
	if c := f.stored(id); c.NodeCount() != 3 || c.HealthStatus != "UNHEALTHY" || c.HealthReason["n"] != "down" || c.Keypair != "testkey" {
		t.Errorf("stored %+v", c)
	}
	if got := f.must(200, "demo", "PATCH", "/v1/bays/b", `[]`, asked("1.1")...); got.str("uuid") != id || got.str("name") != "b" {
		t.Errorf("no patch at 1.1: %s", got.text)
	}
	for version, query := range map[string]string{"1.2": "", "1.3": "?rollback=True"} {
		f.setStatus(id, magnum.UpdateComplete)
		got := f.must(202, "demo", "PATCH", "/v1/bays/b"+query, `[{"op": "replace", "path": "/node_count", "value": 2}]`, asked(version)...)
		if len(got.body) != 1 || got.str("uuid") != id {
			t.Errorf("at %s: %s", version, got.text)
		}
		op, err := f.db.ActiveOperation(t.Context(), id)
		if err != nil || op == nil || strings.Contains(string(op.Input), `"rollback":true`) != (query != "") {
			t.Errorf("at %s: operation %+v (%v)", version, op, err)
		}
	}
	f.must(204, "demo", "DELETE", "/v1/bays/b", "", asked("1.1")...)
	if got := f.stored(id).Status; got != magnum.DeleteInProgress {
		t.Errorf("after the delete: %s", got)
	}
}

func TestBayViews(t *testing.T) {
	f := newFixture(t)
	f.newBaymodel(`"name": "m"`)
	id := f.must(201, "demo", "POST", "/v1/bays", `{"baymodel_id": "m", "name": "b"}`, asked("1.1")...).str("uuid")
	f.set(id, func(c *magnum.Cluster) {
		c.Status, c.StackID = magnum.CreateFailed, "s"
		c.Default(true).Status, c.Faults = magnum.CreateFailed, map[string]string{"kube_masters.0": "no host"}
	})
	item := []string{"bay_create_timeout", "baymodel_id", "docker_volume_size", "flavor_id", "floating_ip_enabled", "labels", "links", "master_count",
		"master_flavor_id", "name", "node_count", "stack_id", "status", "uuid"}
	whole := append(slices.Clone(item), "api_address", "coe_version", "container_version", "created_at", "discovery_url", "fixed_network", "fixed_subnet",
		"master_addresses", "master_lb_enabled", "node_addresses", "status_reason", "updated_at")
	slices.Sort(whole)
	for path, want := range map[string][]string{"/v1/bays": item, "/v1/bays/detail": whole} {
		list, _ := f.must(200, "demo", "GET", path, "", asked("1.1")...).body["bays"].([]any)
		if len(list) != 1 {
			t.Fatalf("%s lists %v", path, list)
		}
		if diff := cmp.Diff(want, namesOf(list[0])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	one := f.must(200, "demo", "GET", "/v1/bays/b", "", asked("1.1")...)
	if diff := cmp.Diff(map[string]any{"kube_masters.0": "no host"}, one.body["bay_faults"]); diff != "" {
		t.Errorf("bay_faults (-want +got):\n%s", diff)
	}
	next := f.must(200, "demo", "GET", "/v1/bays?limit=1", "").str("next")
	if want := "http://magnum:9511/v1/bays?sort_key=id&sort_dir=asc&limit=1&marker=" + id; next != want {
		t.Errorf("next %q, want %q", next, want)
	}
	f.refused(404, "Cluster nope could not be found.", "demo", "GET", "/v1/bays/nope", "")
	f.refused(404, "Cluster b could not be found.", "alt", "GET", "/v1/bays/b", "")
	f.refused(400, `Missing argument: "bay_ident"`, "demo", "DELETE", "/v1/bays", "")
}

func namesOf(v any) []string {
	members, _ := v.(map[string]any)
	var names []string
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestBayGate holds that the names of old end with their version, and nothing
// else under them is reached later.
func TestBayGate(t *testing.T) {
	f := newFixture(t)
	n := 0
	for _, rt := range f.handler.(*api).table {
		if strings.HasPrefix(rt.path, "/bay") {
			n++
			if rt.min != 1 || rt.max != 10 {
				t.Errorf("%s %s is open from %s to %s", rt.method, rt.path, rt.min, rt.max)
			}
		}
	}
	if n != 12 {
		t.Errorf("%d routes, want 12", n)
	}
	if maxVersion > lastBays {
		f.refused(406, "Version 1.11 was requested but the requested API get_all is not supported for this version.", "demo", "GET", "/v1/bays", "", asked("1.11")...)
		f.refused(406, "Version 1.11 was requested but the requested API post is not supported for this version.", "demo", "POST", "/v1/baymodels", "{}", asked("1.11")...)
	}
}
