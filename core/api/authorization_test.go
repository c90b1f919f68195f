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
