package api

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
)

// setQuota stores a quota behind the API's back.
func (f *fixture) setQuota(project string, limit int) {
	f.Helper()
	q := &magnum.Quota{ProjectID: project, Resource: magnum.ResourceCluster, HardLimit: limit}
	if err := f.db.CreateQuota(context.Background(), q); err != nil {
		f.Fatal(err)
	}
}

// quotaRows are the rows of the table, without their times.
func (f *fixture) quotaRows() []string {
	f.Helper()
	var rows []string
	for _, line := range f.dump()["quotas"] {
		_, line, _ = strings.Cut(line, "id=")
		rows = append(rows, "id="+strings.TrimSpace(line))
	}
	return rows
}

func TestQuotaShow(t *testing.T) {
	f := newFixture(t)
	const byDefault = `{"project_id": "%s", "resource": "Cluster", "hard_limit": 20}`
	f.setQuota("project-demo", 0)
	set := `{"id": 1, "project_id": "project-demo", "resource": "Cluster", "hard_limit": 0, "created_at": "2026-01-02T03:04:05+00:00", "updated_at": null}`
	for _, c := range []struct{ who, path, want string }{
		{"alt", "project-alt/Cluster", fmt.Sprintf(byDefault, "project-alt")},
		{"alt", "project-alt/Bogus", fmt.Sprintf(byDefault, "project-alt")},
		{"alt", "project-alt/cluster/", fmt.Sprintf(byDefault, "project-alt")},
		{"admin", "project-alt/Cluster", fmt.Sprintf(byDefault, "project-alt")},
		{"admin", `no"pe/Cluster`, fmt.Sprintf(byDefault, `no\"pe`)},
		{"demo", "project-demo/Cluster", set},
		{"reader", "project-demo/Cluster", set},
		{"admin", "project-demo/Cluster", set},
		{"demo", "project-demo/cluster", fmt.Sprintf(byDefault, "project-demo")},
	} {
		if got := f.must(200, c.who, "GET", "/v1/quotas/"+c.path, ""); got.text != c.want {
			t.Errorf("%s, %s: %s, want %s", c.who, c.path, got.text, c.want)
		}
	}
	if allow := f.must(405, "admin", "PUT", "/v1/quotas", "").header.Get("Allow"); allow != "DELETE, GET, PATCH, POST" {
		t.Errorf("Allow: %s", allow)
	}
	f.version = "1.1" // upstream knows them at every version
	f.must(200, "demo", "GET", "/v1/quotas/project-demo/Cluster", "")
	for _, path := range []string{"project-demo/Cluster", "nope/Cluster", "project-demo/Bogus"} {
		f.refused(403, "Not authorized.", "alt", "GET", "/v1/quotas/"+path, "")
	}
	f.refused(400, `Missing argument: "resource"`, "alt", "GET", "/v1/quotas/project-alt", "")
	f.refused(400, `Unknown argument: "x"`, "alt", "GET", "/v1/quotas/project-alt/Cluster?x=1", "")
}

func TestQuotaList(t *testing.T) {
	f := newFixture(t)
	for i, project := range []string{"a", "project-admin", "b", "c"} {
		f.setQuota(project, 9-i)
	}
	const all = "?all_tenants=True"
	for query, want := range map[string]string{
		"": "2", "?all_tenants=False": "2", "?all_tenants=": "2",
		all: "1 2 3 4", "?all_tenants=true": "1 2 3 4", "?all_tenants=1": "1 2 3 4",
		all + "&sort_key=hard_limit":                  "4 3 2 1",
		all + "&sort_dir=desc":                        "4 3 2 1",
		all + "&limit=2":                              "1 2 next=http://magnum:9511/v1/quotas?sort_key=id&sort_dir=asc&limit=2&marker=2",
		all + "&limit=2&marker=2":                     "3 4 next=http://magnum:9511/v1/quotas?sort_key=id&sort_dir=asc&limit=2&marker=4",
		all + "&limit=2&marker=4":                     "",
		"?marker=1":                                   "2",
		all + "&sort_key=project_id":                  "1 3 4 2",
		all + "&marker=3&sort_key=id":                 "4",
		all + "&sort_key=hard_limit&limit=1&marker=3": "2 next=http://magnum:9511/v1/quotas?sort_key=hard_limit&sort_dir=asc&limit=1&marker=2",
	} {
		got := f.must(200, "admin", "GET", "/v1/quotas"+query, "")
		var ids []string
		quotas, ok := got.body["quotas"].([]any)
		if !ok {
			t.Fatalf("%s: %s", query, got.text)
		}
		for _, q := range quotas {
			ids = append(ids, fmt.Sprint(q.(map[string]any)["id"]))
		}
		if next := got.str("next"); next != "" {
			ids = append(ids, "next="+next)
		}
		if list := strings.Join(ids, " "); list != want {
			t.Errorf("%q lists %q, want %q", query, list, want)
		}
	}
	const number = "unable to convert to int. Error: invalid literal for int() with base 10: 'x'"
	for query, want := range map[string]string{
		"all_tenants=maybe": "Invalid input for field/attribute all_tenants. Value: 'maybe'. unable to convert to boolean. Error: " + notBool("maybe"),
		"marker=x":          "Invalid input for field/attribute marker. Value: 'x'. " + number,
		"limit=x":           "Invalid input for field/attribute limit. Value: 'x'. " + number,
		"limit=0":           "Limit must be positive",
		"sort_dir=up":       "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'",
		"sort_key=uuid":     `The sort_key value "uuid" is an invalid field for sorting`,
		"project_id=a":      `Unknown argument: "project_id"`,
	} {
		f.refused(400, want, "admin", "GET", "/v1/quotas?"+query, "")
	}
	f.refused(404, "Quota could not be found: quota id 99 .", "admin", "GET", "/v1/quotas?marker=99", "")
	f.refused(403, "Policy doesn't allow quota:get_all to be performed.", "demo", "GET", "/v1/quotas", "")
}

// TestQuotaListForAll holds that a policy that lets users list shows them
// their own project's only.
func TestQuotaListForAll(t *testing.T) {
	f := newFixture(t, withPolicy(t, `"quota:get_all": ""`))
	f.setQuota("project-alt", 3)
	f.setQuota("project-demo", 2)
	for who, want := range map[string]int{"demo": 1, "alt": 1, "admin": 2} {
		list, _ := f.must(200, who, "GET", "/v1/quotas?all_tenants=1", "").body["quotas"].([]any)
		if len(list) != want {
			t.Errorf("%s lists %v", who, list)
		}
	}
	f.refused(404, "Quota could not be found: quota id 1 .", "demo", "GET", "/v1/quotas?marker=1", "")
}

func TestQuotaCreate(t *testing.T) {
	f := newFixture(t)
	got := f.must(201, "admin", "POST", "/v1/quotas", `{"project_id": "project-demo", "resource": "Cluster", "hard_limit": 5}`)
	want := `{"id": 1, "project_id": "project-demo", "resource": "Cluster", "hard_limit": 5, "created_at": "2026-01-02T03:04:05+00:00", "updated_at": null}`
	if got.text != want || got.header.Get("Location") != "" {
		t.Errorf("%s, Location %q", got.text, got.header.Get("Location"))
	}
	// The resource and a limit of 1 need not be said; an id does not count.
	f.must(201, "admin", "POST", "/v1/quotas", `{"project_id": "project-alt", "id": 77}`)
	if diff := cmp.Diff([]string{
		"id=1 project_id=project-demo resource=Cluster hard_limit=5", "id=2 project_id=project-alt resource=Cluster hard_limit=1",
	}, f.quotaRows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}

	const field = "Invalid input for field/attribute "
	for _, c := range []struct {
		status          int
		who, body, want string
	}{
		{409, "admin", `{"project_id": "project-demo", "hard_limit": 7}`, "Quota for project project-demo already exists for resource Cluster."},
		{404, "admin", `{"project_id": "badproj"}`, "The project_id badproj could not be found."},
		{404, "admin", `{"project_id": "PROJECT-DEMO"}`, "The project_id PROJECT-DEMO could not be found."},
		{400, "admin", `{}`, "Must provide a valid project ID."},
		{400, "admin", `{"project_id": null}`, "Must provide a valid project ID."},
		{400, "admin", `{"project_id": ""}`, field + "project_id. Value: ''. Value should have a minimum character requirement of 1"},
		{400, "admin", `{"project_id": 3}`, field + "project_id. Value: '3'. Value should be string"},
		{400, "admin", `{"project_id": "project-admin", "resource": "cluster"}`, field + "resource. Value: 'cluster'. Value should be one of: Cluster"},
		{400, "admin", `{"project_id": "project-admin", "hard_limit": -1}`, field + "hard_limit. Value: '-1'. Value should be greater or equal to 0"},
		{400, "admin", `{"project_id": "project-admin", "hard_limit": 2147483648}`, field + "hard_limit. Value: '2147483648'. Value should be lower or equal to 2147483647"},
		{400, "admin", `{"project_id": "project-admin", "hard_limit": "x"}`, field + "quota. Value: '{'project_id': 'project-admin', 'hard_limit': 'x'}'. invalid literal for int() with base 10: 'x'"},
		{400, "admin", `{"project_id": "project-admin", "id": 0}`, field + "id. Value: '0'. Value should be greater or equal to 1"},
		{400, "admin", `{"project_id": "project-admin", "created_at": "2026-01-01"}`, field + "created_at. Value: '2026-01-01'. Cannot set read only field."},
		{400, "admin", `{"project_id": "project-admin", "foo": 1}`, "Unknown attribute for argument quota: foo"},
		{400, "admin", `[]`, field + "quota. Value: '[]'. Value not a valid dict: []"},
		{400, "admin", ``, `Missing argument: "quota"`},
		// Who may not create is told so of projects that exist.
		{403, "demo", `{"project_id": "project-demo"}`, "Policy doesn't allow quota:create to be performed."},
		{404, "demo", `{"project_id": "badproj"}`, "The project_id badproj could not be found."},
	} {
		f.refused(c.status, c.want, c.who, "POST", "/v1/quotas", c.body)
	}
	f.refused(400, field+"quota. Value: 'x'. unable to convert to Quota. Error: Quota.__init__() takes 1 positional argument but 2 were given",
		"admin", "POST", "/v1/quotas/x", `{"project_id": "project-admin"}`)
	f.projectsAway = true
	f.refused(503, "Keystone is unavailable", "admin", "POST", "/v1/quotas", `{"project_id": "project-admin"}`)
}

func TestQuotaUpdate(t *testing.T) {
	f := newFixture(t)
	f.setQuota("project-demo", 5)
	f.setQuota("project-alt", 5)
	const path = "/v1/quotas/project-demo/Cluster"
	got := f.must(202, "admin", "PATCH", path, `{"hard_limit": 0}`)
	want := `{"id": 1, "project_id": "project-demo", "resource": "Cluster", "hard_limit": 0, ` +
		`"created_at": "2026-01-02T03:04:05+00:00", "updated_at": "2026-01-02T03:04:05+00:00"}`
	if got.text != want {
		t.Errorf("answers %s", got.text)
	}
	// What the path names goes before what the body names.
	f.must(202, "admin", "PATCH", path, `{"hard_limit": 6, "id": 2, "project_id": "project-alt", "resource": "Cluster"}`)
	if diff := cmp.Diff([]string{
		"id=1 project_id=project-demo resource=Cluster hard_limit=6", "id=2 project_id=project-alt resource=Cluster hard_limit=5",
	}, f.quotaRows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	const field = "Invalid input for field/attribute "
	for _, c := range []struct {
		status                int
		who, path, body, want string
	}{
		{404, "admin", "px/Cluster", `{"hard_limit": 1}`, "Quota could not be found: project_id px resource Cluster."},
		{404, "admin", "project-demo/x", `{"hard_limit": 1}`, "Quota could not be found: project_id project-demo resource x."},
		{400, "admin", "project-demo/Cluster", `{}`, field + "hard_limit. Value: 'None'. Mandatory field missing."},
		{400, "admin", "project-demo/Cluster", `{"hard_limit": null}`, field + "hard_limit. Value: 'None'. Mandatory field missing."},
		{400, "admin", "project-demo/Cluster", `{"hard_limit": -1}`, field + "hard_limit. Value: '-1'. Value should be greater or equal to 0"},
		{400, "admin", "project-demo/Cluster", `{"hard_limit": 1, "foo": 1}`, "Unknown attribute for argument quotapatch: foo"},
		{400, "admin", "project-demo/Cluster", `[{"op": "replace", "path": "/hard_limit", "value": 1}]`,
			field + "quotapatch. Value: '[{'op': 'replace', 'path': '/hard_limit', 'value': 1}]'. Value not a valid dict: [{'op': 'replace', 'path': '/hard_limit', 'value': 1}]"},
		{400, "admin", "project-demo/Cluster", ``, `Missing argument: "quotapatch"`},
		{400, "admin", "project-demo", `{"hard_limit": 1}`, `Missing argument: "resource"`},
		{403, "demo", "project-demo/Cluster", `{"hard_limit": 1}`, "Policy doesn't allow quota:update to be performed."},
		{403, "demo", "px/Cluster", `{"hard_limit": 1}`, "Policy doesn't allow quota:update to be performed."},
	} {
		f.refused(c.status, c.want, c.who, "PATCH", "/v1/quotas/"+c.path, c.body)
	}
}

func TestQuotaDelete(t *testing.T) {
	f := newFixture(t)
	f.setQuota("project-demo", 5)
	f.setQuota("project-alt", 5)
	f.refused(403, "Policy doesn't allow quota:delete to be performed.", "demo", "DELETE", "/v1/quotas/project-demo/Cluster", "")
	f.refused(400, `Unknown argument: "x"`, "admin", "DELETE", "/v1/quotas/project-demo/Cluster?x=1", "")
	f.refused(404, "Quota could not be found: project_id px resource Cluster.", "admin", "DELETE", "/v1/quotas/px/Cluster", "")
	if got := f.must(204, "admin", "DELETE", "/v1/quotas/project-demo/Cluster", "", "Content-Type", "application/octet-stream"); got.text != "" {
		t.Errorf("answers %q", got.text)
	}
	if diff := cmp.Diff([]string{"id=2 project_id=project-alt resource=Cluster hard_limit=5"}, f.quotaRows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	f.refused(404, "Quota could not be found: project_id project-demo resource Cluster.", "admin", "DELETE", "/v1/quotas/project-demo/Cluster", "")
}

// TestQuotaCounts holds that what is set here decides whether a cluster can be
// made.
func TestQuotaCounts(t *testing.T) {
	f := newFixture(t)
	template := f.newTemplate("")
	f.newCluster(template, "")
	f.must(201, "admin", "POST", "/v1/quotas", `{"project_id": "project-demo"}`)
	full := func(limit int) {
		t.Helper()
		refusal := fmt.Sprintf("Resource limit exceeded: You have reached the maximum clusters per project, %d. "+
			"You may delete a cluster to make room for a new one.", limit)
		f.refused(403, refusal, "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+template+`"}`)
	}
	full(1)
	f.must(202, "admin", "PATCH", "/v1/quotas/project-demo/Cluster", `{"hard_limit": 2}`)
	f.newCluster(template, "")
	full(2)
	f.must(204, "admin", "DELETE", "/v1/quotas/project-demo/Cluster", "")
	f.newCluster(template, "")
}

// withPolicy puts rules in the place of the defaults.
func withPolicy(t *testing.T, rules string) func(*Config) {
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(rules+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *Config) { c.Options.OsloPolicy.PolicyFile = path }
}
