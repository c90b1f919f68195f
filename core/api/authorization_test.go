package api

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// TestAuthorization is who may call what, for every route of the table. What
// is asked about is a settled cluster of demo's, its template and the project's quota.
func TestAuthorization(t *testing.T) {
	const template = `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "name": "x"}`
	// In this order: nobody, demo (owner), friend (same project), reader
	// (same project, reads only), alt (another project), admin, a node.
	people := []string{"", "demo", "friend", "reader", "alt", "admin", "trustee-c"}
	type row struct {
		method, path, body string
		want               [7]int
	}
	table := []row{
		{"GET", "/", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/v1", "", [7]int{200, 200, 200, 200, 200, 200, 200}},
		{"GET", "/clustertemplates", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/clustertemplates/detail", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/clustertemplates/{cluster_template_ident}", "", [7]int{401, 200, 200, 200, 404, 200, 403}},
		{"POST", "/clustertemplates", template, [7]int{401, 201, 201, 403, 201, 201, 403}},
		{"PATCH", "/clustertemplates/{cluster_template_ident}", `[{"op": "replace", "path": "/name", "value": "y"}]`, [7]int{401, 200, 200, 403, 404, 200, 403}},
		{"DELETE", "/clustertemplates/{cluster_template_ident}", "", [7]int{401, 400, 400, 403, 404, 400, 403}}, // in use
		{"GET", "/clusters", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/clusters/detail", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/clusters/{cluster_ident}", "", [7]int{401, 200, 200, 200, 404, 200, 403}},
		{"POST", "/clusters", `{"cluster_template_id": "TEMPLATE"}`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		{"PATCH", "/clusters/{cluster_ident}", `[{"op": "replace", "path": "/node_count", "value": 2}]`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		{"DELETE", "/clusters/{cluster_ident}", "", [7]int{401, 204, 204, 403, 404, 204, 403}},
		{"POST", "/clusters/{cluster_ident}/actions/resize", `{"node_count": 2}`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		{"GET", "/clusters/{cluster_id}/nodegroups", "", [7]int{401, 200, 200, 200, 404, 200, 403}},
		{"GET", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "", [7]int{401, 200, 200, 200, 404, 200, 403}},
		{"POST", "/clusters/{cluster_id}/nodegroups", `{"name": "x"}`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		{"PATCH", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", `[{"op": "replace", "path": "/min_node_count", "value": 1}]`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		{"DELETE", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "", [7]int{401, 204, 204, 403, 404, 204, 403}},
		{"GET", "/baymodels", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/baymodels/detail", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/baymodels/{baymodel_ident}", "", [7]int{401, 200, 200, 200, 404, 200, 403}},
		{"POST", "/baymodels", baymodelBody(""), [7]int{401, 201, 201, 403, 201, 201, 403}},
		{"PATCH", "/baymodels/{baymodel_ident}", `[{"op": "replace", "path": "/name", "value": "y"}]`, [7]int{401, 200, 200, 403, 404, 200, 403}},
		{"DELETE", "/baymodels/{baymodel_ident}", "", [7]int{401, 400, 400, 403, 404, 400, 403}}, // in use
		{"GET", "/bays", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/bays/detail", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/bays/{bay_ident}", "", [7]int{401, 200, 200, 200, 404, 200, 403}},
		{"POST", "/bays", `{"baymodel_id": "TEMPLATE"}`, [7]int{401, 202, 202, 403, 400, 202, 403}},
		{"PATCH", "/bays/{bay_ident}", `[{"op": "replace", "path": "/node_count", "value": 2}]`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		{"DELETE", "/bays/{bay_ident}", "", [7]int{401, 204, 204, 403, 404, 204, 403}},
		{"GET", "/certificates/{cluster_ident}", "", [7]int{401, 200, 403, 403, 404, 200, 200}},
		{"POST", "/certificates", `{"cluster_uuid": "CLUSTER", "csr": "bad"}`, [7]int{401, 400, 403, 403, 400, 400, 400}}, // 400: asked, and bad
		{"GET", "/quotas", "", [7]int{401, 403, 403, 403, 403, 200, 403}},
		{"GET", "/quotas/{project_id}/{resource}", "", [7]int{401, 200, 200, 200, 403, 200, 403}},
		{"POST", "/quotas", `{"project_id": "project-alt"}`, [7]int{401, 403, 403, 403, 403, 201, 403}},
		{"PATCH", "/quotas/{project_id}/{resource}", `{"hard_limit": 2}`, [7]int{401, 403, 403, 403, 403, 202, 403}},
		{"DELETE", "/quotas/{project_id}/{resource}", "", [7]int{401, 403, 403, 403, 403, 204, 403}},
		{"GET", "/stats", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/mservices", "", [7]int{401, 403, 403, 403, 403, 200, 403}},
		{"GET", "/federations", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"GET", "/federations/detail", "", [7]int{401, 200, 200, 200, 200, 200, 403}},
		{"POST", "/federations", `{"hostcluster_id": "CLUSTER", "properties": {"dns-zone": "x."}}`, [7]int{401, 202, 202, 403, 404, 202, 403}},
		// There are none, whoever asks.
		{"GET", "/federations/{federation_ident}", "", [7]int{401, 404, 404, 404, 404, 404, 404}},
		{"PATCH", "/federations/{federation_ident}", "[]", [7]int{401, 404, 404, 404, 404, 404, 404}},
		{"DELETE", "/federations/{federation_ident}", "", [7]int{401, 404, 404, 404, 404, 404, 404}},
	}
	f := newFixture(t)
	asked := map[string]bool{}
	for _, c := range table {
		asked[c.method+" "+c.path] = true
	}
	for _, rt := range f.handler.(*api).table {
		if !asked[rt.method+" "+rt.path] {
			t.Errorf("%s %s has no line in this table", rt.method, rt.path)
		}
	}
	settled := func(f *fixture) string {
		f.setQuota("project-demo", 20)
		id := f.signable("c")
		f.withAddress(id, magnum.NodeGroup{Name: "extra", Role: "gpu", NodeCount: 1, Status: magnum.CreateComplete})
		return id
	}
	shared := settled(f)
	for _, c := range table {
		for i, who := range people {
			f, id := f, shared
			if c.method != "GET" && c.want[i] < 300 {
				f = newFixture(t) // what changes the world has one of its own
				id = settled(f)
			}
			fill := strings.NewReplacer("{cluster_ident}", id, "{bay_ident}", id, "{baymodel_ident}", f.stored(id).ClusterTemplateID, "{cluster_id}", id, "{nodegroup_id}", "extra", "CLUSTER", id, "{project_id}", "project-demo", "{resource}", "Cluster",
				"{cluster_template_ident}", f.stored(id).ClusterTemplateID, "TEMPLATE", f.stored(id).ClusterTemplateID)
			before := f.dump()
			got := f.send(who, c.method, fill.Replace(c.path), fill.Replace(c.body))
			if got.status != c.want[i] {
				t.Errorf("%q: %s %s answers %d, want %d\n%s", who, c.method, c.path, got.status, c.want[i], got.text)
			}
			if got.status >= 400 && !sameDump(before, f.dump()) {
				t.Errorf("%q: %s %s was refused and changed rows", who, c.method, c.path)
			}
		}
	}
}

func sameDump(x, y map[string][]string) bool {
	for table, rows := range x {
		if strings.Join(rows, "\n") != strings.Join(y[table], "\n") {
			return false
		}
	}
	return len(x) == len(y)
}

// TestTenants holds that a project sees its own clusters only, by whatever
// name it asks.
func TestTenants(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	id := f.newCluster("t", `"name": "c"`)
	f.newTemplateOf("alt", `"name": "t"`) // the same name elsewhere is no ambiguity
	theirs := f.must(202, "alt", "POST", "/v1/clusters", `{"cluster_template_id": "t", "name": "c"}`).str("uuid")
	for who, want := range map[string]string{"demo": id, "friend": id, "reader": id, "alt": theirs} {
		if got := f.must(200, who, "GET", "/v1/clusters/c", ""); got.str("uuid") != want {
			t.Errorf("%s sees %s", who, got.str("uuid"))
		}
		for _, path := range []string{"/v1/clusters", "/v1/clusters/detail"} {
			list, _ := f.must(200, who, "GET", path, "").body["clusters"].([]any)
			if len(list) != 1 || list[0].(map[string]any)["uuid"] != want {
				t.Errorf("%s lists %v", who, list)
			}
		}
	}
	if list, _ := f.must(200, "admin", "GET", "/v1/clusters", "").body["clusters"].([]any); len(list) != 2 {
		t.Errorf("an administrator lists %v", list)
	}
	f.refused(409, "Multiple clusters exist with same name. Please use the cluster uuid instead.", "admin", "GET", "/v1/clusters/c", "")
	for _, ident := range []string{id, strings.ToUpper(id)} {
		refusal := "Cluster " + ident + " could not be found."
		f.refused(404, refusal, "alt", "GET", "/v1/clusters/"+ident, "")
		f.refused(404, refusal, "alt", "PATCH", "/v1/clusters/"+ident, "[]")
		f.refused(404, refusal, "alt", "DELETE", "/v1/clusters/"+ident, "")
		f.refused(404, refusal, "alt", "POST", "/v1/clusters/"+ident+"/actions/resize", `{"node_count": 1}`)
		f.refused(404, refusal, "alt", "GET", "/v1/certificates/"+ident, "")
		f.refused(404, refusal, "alt", "GET", "/v1/clusters?marker="+ident, "")
	}
	// A token without project finds what its user owns, and nothing more, and
	// has no right to it.
	f.people["unscoped"] = keystone.Identity{UserID: "user-demo", Roles: []string{"member", "reader"}}
	f.people["nobody"] = keystone.Identity{}
	f.refused(403, "Policy doesn't allow cluster:get to be performed.", "unscoped", "GET", "/v1/clusters/"+id, "")
	f.refused(404, "Cluster "+theirs+" could not be found.", "unscoped", "GET", "/v1/clusters/"+theirs, "")
	f.refused(404, "Cluster "+id+" could not be found.", "nobody", "GET", "/v1/clusters/"+id, "")
	// An administrator acts on every project's objects.
	f.setStatus(id, magnum.CreateComplete)
	f.must(202, "admin", "POST", "/v1/clusters/"+id+"/actions/resize", `{"node_count": 2}`)
	if c := f.stored(id); c.ProjectID != "project-demo" {
		t.Errorf("the cluster moved to %s", c.ProjectID)
	}
}

func TestPolicyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("\"cluster:get\": \"role:admin\"\n\"cluster:get_all_all_projects\": \"!\"\n\"certificate:get\": \"rule:admin_or_owner\"\n")
	use := func(c *Config) { c.Options.OsloPolicy.PolicyFile = path }
	f := newFixture(t, use)
	id := f.signable("c")
	f.refused(403, "Policy doesn't allow cluster:get to be performed.", "demo", "GET", "/v1/clusters/"+id, "")
	f.must(200, "admin", "GET", "/v1/clusters/"+id, "")
	f.refused(403, "Policy doesn't allow cluster:get_all_all_projects to be performed.", "admin", "GET", "/v1/clusters", "")
	f.must(200, "friend", "GET", "/v1/certificates/"+id, "")
	write("a: (")
	c := f.handler.(*api).Config
	if _, err := New(c); err == nil {
		t.Error("a broken policy is accepted")
	}
}

// TestPolicyReload changes the policy of a service that runs.
func TestPolicyReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	now := time.Unix(0, 0)
	f := newFixture(t, func(c *Config) {
		c.Options.OsloPolicy.PolicyFile = path
		c.Now = func() time.Time { return now }
	})
	f.must(200, "demo", "GET", "/v1/clusters", "")
	if err := os.WriteFile(path, []byte("cluster:get_all: role:admin"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.must(200, "demo", "GET", "/v1/clusters", "")
	now = now.Add(time.Second)
	f.refused(403, "Policy doesn't allow cluster:get_all to be performed.", "demo", "GET", "/v1/clusters", "")
	f.must(200, "admin", "GET", "/v1/clusters", "")
}
