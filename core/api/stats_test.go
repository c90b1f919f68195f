package api

import (
	"testing"

	"github.com/go-magnum/magnum/core/keystone"
)

func TestStats(t *testing.T) {
	f := newFixture(t)
	const none = `{"clusters": 0, "nodes": 0}`
	template := f.newTemplateOf("admin", `"public": true`)
	for _, query := range []string{"", "?project_id=", "?project_id=project-alt", "?type=cluster", "?type=CLUSTER", "?project_id=project-alt&type=cluster"} {
		if got := f.must(200, "alt", "GET", "/v1/stats"+query, ""); got.text != none {
			t.Errorf("%s: %s", query, got.text)
		}
	}
	f.newCluster(template, `"node_count": 3, "master_count": 1`)
	f.newCluster(template, `"node_count": 0`)
	f.must(202, "alt", "POST", "/v1/clusters", `{"cluster_template_id": "`+template+`", "node_count": 5}`)
	for _, c := range []struct{ who, query, want string }{
		{"demo", "", `{"clusters": 2, "nodes": 5}`}, // masters count
		{"reader", "/", `{"clusters": 2, "nodes": 5}`},
		{"alt", "", `{"clusters": 1, "nodes": 6}`},
		{"admin", "", `{"clusters": 3, "nodes": 11}`},
		{"admin", "?project_id=", `{"clusters": 3, "nodes": 11}`},
		{"admin", "?project_id=project-alt", `{"clusters": 1, "nodes": 6}`},
		{"admin", "?project_id=project-admin", none},
		{"admin", "?project_id=nope", none},
	} {
		if got := f.must(200, c.who, "GET", "/v1/stats"+c.query, ""); got.text != c.want {
			t.Errorf("%s%s: %s, want %s", c.who, c.query, got.text, c.want)
		}
	}
	const types = "Invalid stats type. Allowed values are 'cluster'"
	for _, query := range []string{"type=node", "type=", "project_id=nope&type=x"} {
		f.refused(400, types, "alt", "GET", "/v1/stats?"+query, "")
	}
	f.refused(400, `Unknown argument: "foo"`, "alt", "GET", "/v1/stats?foo=1", "")
	for _, project := range []string{"project-demo", "nope"} {
		f.refused(403, "Not authorized.", "alt", "GET", "/v1/stats?project_id="+project, "")
	}
}

// TestStatsWithoutProject holds that a token without project does not count
// everybody's clusters, even where the policy lets it ask.
func TestStatsWithoutProject(t *testing.T) {
	f := newFixture(t, withPolicy(t, `"stats:get_all": ""`))
	f.newCluster(f.newTemplate(""), "")
	f.people["unscoped"] = keystone.Identity{UserID: "user-x", Roles: []string{"member"}}
	if got := f.must(200, "unscoped", "GET", "/v1/stats", ""); got.text != `{"clusters": 0, "nodes": 0}` {
		t.Error(got.text)
	}
	f.refused(403, "Not authorized.", "unscoped", "GET", "/v1/stats?project_id=project-demo", "")
}
