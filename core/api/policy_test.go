package api

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/keystone"
)

// TestPolicyTargets asks rules for attributes of what requests are about.
func TestPolicyTargets(t *testing.T) {
	f := newFixture(t, withPolicy(t, `
"cluster:get": "'open':%(name)s and 'CREATE_IN_PROGRESS':%(status)s and True:%(floating_ip_enabled)s"
"clustertemplate:get": "'kubernetes':%(coe)s and False:%(public)s and not 'shut':%(name)s"
"cluster:get_all": "user_id:%(user_id)s and project_id:%(project_id)s"
"cluster:delete": "project_id:%(trust_id)s or user_id:%(ca_cert_ref)s"
`))
	template := f.newTemplate(`"name": "open"`)
	shut := f.newTemplate(`"name": "shut"`)
	f.newCluster(template, `"name": "open"`)
	f.newCluster(template, `"name": "shut"`)
	f.must(200, "demo", "GET", "/v1/clusters/open", "")
	f.refused(403, "Policy doesn't allow cluster:get to be performed.", "demo", "GET", "/v1/clusters/shut", "")
	f.must(200, "demo", "GET", "/v1/clustertemplates/"+template, "")
	f.refused(403, "Policy doesn't allow clustertemplate:get to be performed.", "demo", "GET", "/v1/clustertemplates/"+shut, "")
	f.must(200, "demo", "GET", "/v1/clusters", "") // the caller stands for a list
	f.refused(403, "Policy doesn't allow cluster:delete to be performed.", "demo", "DELETE", "/v1/clusters/open", "")
}

// TestPolicyScope holds that a token for the system acts on no project's
// objects, whatever its roles.
func TestPolicyScope(t *testing.T) {
	for _, strict := range []bool{true, false} {
		f := newFixture(t, func(c *Config) { c.Options.OsloPolicy.EnforceScope = strict })
		id := f.newCluster(f.newTemplate(""), "")
		f.people["system"] = keystone.Identity{UserID: "root", SystemScope: true, Roles: []string{"admin", "member", "reader"}}
		f.people["domain"] = keystone.Identity{UserID: "root", ScopeDomainID: "default", Roles: []string{"admin", "member", "reader"}}
		for _, who := range []string{"system", "domain"} {
			f.must(200, who, "GET", "/v1/mservices", "") // open to tokens of any scope
			if !strict {
				f.must(200, who, "GET", "/v1/clusters/"+id, "")
				continue
			}
			f.refused(403, "Policy doesn't allow cluster:get to be performed.", who, "GET", "/v1/clusters/"+id, "")
			f.refused(403, "Policy doesn't allow cluster:get_all to be performed.", who, "GET", "/v1/clusters", "")
			f.refused(403, "Policy doesn't allow cluster:delete to be performed.", who, "DELETE", "/v1/clusters/"+id, "")
		}
	}
}

// TestPolicyUnscoped holds that by the classic defaults a token without a
// project acts on what its user owns, and on nothing else.
func TestPolicyUnscoped(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Options.OsloPolicy.EnforceNewDefaults = false })
	template := f.newTemplate("")
	id := f.newCluster(template, "")
	f.people["unscoped"] = keystone.Identity{UserID: "user-demo"}
	f.people["nobody"] = keystone.Identity{}
	f.must(200, "unscoped", "GET", "/v1/clusters/"+id, "")
	f.refused(404, "Cluster "+id+" could not be found.", "nobody", "GET", "/v1/clusters/"+id, "")
	f.refused(403, "Policy doesn't allow clustertemplate:delete to be performed.", "unscoped", "DELETE", "/v1/clustertemplates/"+template, "")
}

// TestPolicyRemote lets a server of the operator's decide.
func TestPolicyRemote(t *testing.T) {
	var mu sync.Mutex
	var asked url.Values
	answer := "True"
	judge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked = r.PostForm
		_, _ = io.WriteString(w, answer)
	}))
	f := newFixture(t, withPolicy(t, `"cluster:get": "`+judge.URL+`/clusters/%(uuid)s"`))
	id := f.newCluster(f.newTemplate(""), `"name": "c"`)
	f.must(200, "demo", "GET", "/v1/clusters/c", "")
	got := map[string]map[string]any{"target": nil, "credentials": nil}
	for name := range got {
		part := map[string]any{}
		if err := json.Unmarshal([]byte(asked.Get(name)), &part); err != nil {
			t.Fatalf("%s: %v in %v", name, err, asked)
		}
		got[name] = part
	}
	if got["target"]["uuid"] != id || got["target"]["name"] != "c" || got["credentials"]["user_id"] != "user-demo" || asked.Get("rule") != `"cluster:get"` {
		t.Errorf("asked %v", asked)
	}
	if diff := cmp.Diff([]any{"member", "reader"}, got["credentials"]["roles"]); diff != "" {
		t.Error(diff)
	}
	mu.Lock()
	answer = "False"
	mu.Unlock()
	f.refused(403, "Policy doesn't allow cluster:get to be performed.", "demo", "GET", "/v1/clusters/c", "")
	judge.Close()
	f.refused(403, "Policy doesn't allow cluster:get to be performed.", "demo", "GET", "/v1/clusters/c", "")
}
