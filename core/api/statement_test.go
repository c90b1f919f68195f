package api

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/magnum"
)

// TestStatementsOfLists holds that a list takes the same few statements
// however long it is, and whether or not anything was asked before.
func TestStatementsOfLists(t *testing.T) {
	f := newFixture(t)
	template := f.newTemplate(`"name": "t"`)
	cluster := f.newCluster(template, `"name": "c"`)
	f.must(201, "admin", "POST", "/v1/quotas", `{"project_id": "project-demo", "resource": "Cluster", "hard_limit": 9}`)
	if err := f.db.Heartbeat(t.Context(), "host", "magnum-conductor"); err != nil {
		t.Fatal(err)
	}
	f.exec("DELETE FROM nodegroup WHERE id > 1")
	paths := map[string]struct {
		list  string // in the answer
		whose string
		want  int64
	}{
		"/clusters":                            {"clusters", "demo", 3},
		"/clusters/detail":                     {"clusters", "demo", 4},
		"/clusters?sort_key=name":              {"clusters", "demo", 3},
		"/clusters/" + cluster + "/nodegroups": {"nodegroups", "demo", 2},
		"/clustertemplates":                    {"clustertemplates", "demo", 1},
		"/clustertemplates/detail":             {"clustertemplates", "demo", 1},
		"/bays":                                {"bays", "demo", 3},
		"/bays/detail":                         {"bays", "demo", 3},
		"/baymodels":                           {"baymodels", "demo", 1},
		"/baymodels/detail":                    {"baymodels", "demo", 1},
		"/quotas?all_tenants=true":             {"quotas", "admin", 1},
		"/mservices":                           {"mservices", "admin", 1},
	}
	f.coversLists(t, func(path string) bool {
		for p := range paths {
			if p, _, _ = strings.Cut(p, "?"); p == strings.ReplaceAll(path, "{cluster_id}", cluster) {
				return true
			}
		}
		return false
	})
	for _, n := range []int{1, 100, 1000} {
		f.multiply(n, "cluster_template", "uuid", nil)
		f.multiply(n, "cluster", "uuid", map[string]string{"cluster_template_id": "uuid"})
		f.multiply(n, "nodegroup", "uuid", map[string]string{"name": "uuid"})
		f.multiply(n, "quotas", "project_id", nil)
		f.multiply(n, "magnum_service", "host", nil)
		for path, tc := range paths {
			version := "1.10"
			if strings.HasPrefix(path, "/bay") {
				version = "1.5"
			}
			// A handler of its own: it remembers nothing.
			h, err := New(f.config)
			if err != nil {
				t.Fatal(err)
			}
			cold := f.with(h)
			cold.version = version
			before := f.db.QueryCount()
			got := cold.must(200, tc.whose, "GET", "/v1"+path, "")
			count := f.db.QueryCount() - before
			if rows, _ := got.body[tc.list].([]any); len(rows) != n {
				t.Errorf("%s: %d, want %d", path, len(rows), n)
			}
			if count != tc.want {
				t.Errorf("%s with %d takes %d statements, want %d", path, n, count, tc.want)
			}
		}
	}
}

// coversLists looks for lists in the route table that a test leaves out.
func (f *fixture) coversLists(t *testing.T, covered func(path string) bool) {
	t.Helper()
	for _, rt := range (&api{}).routes() {
		list := rt.method == "GET" && (rt.name == "get_all" || rt.name == "detail")
		if strings.HasPrefix(rt.path, "/federations") || rt.path == "/stats" {
			continue // the first are never stored, the second is no list
		}
		if list && !covered(rt.path) {
			t.Errorf("%s is not in this test", rt.path)
		}
	}
}

// multiply makes copies of a table's first row until there are n, which
// differ in a column and in those that take the same value. Uuids are made of
// the row's number.
func (f *fixture) multiply(n int, table, distinct string, same map[string]string) {
	f.Helper()
	db, err := sql.Open("sqlite3", "file:"+f.path+"?_query_only=on")
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	var names, values []string
	for _, name := range f.query(db, "SELECT name FROM pragma_table_info('"+table+"') WHERE name <> 'id'") {
		names = append(names, name)
		if name == distinct || same[name] == distinct {
			name = "printf('%08x-0000-4000-8000-000000000000', n.i)"
		}
		values = append(values, name)
	}
	f.exec(fmt.Sprintf(`
		WITH RECURSIVE n(i) AS (SELECT COUNT(*) FROM %[1]s UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %[2]d)
		INSERT INTO %[1]s (%[3]s) SELECT %[4]s FROM n, (SELECT * FROM %[1]s ORDER BY id LIMIT 1)
		WHERE (SELECT COUNT(*) FROM %[1]s) < %[2]d`, table, n, strings.Join(names, ", "), strings.Join(values, ", ")))
}

// exec runs a statement behind everybody's back.
func (f *fixture) exec(statement string) {
	f.Helper()
	db, err := sql.Open("sqlite3", "file:"+f.path)
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		f.Fatal(err)
	}
}

// TestStatementsOfOne holds the same for what is shown alone.
func TestStatementsOfOne(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	id := f.newCluster("t", `"name": "c"`)
	f.setStatus(id, magnum.CreateComplete)
	for _, tc := range []struct {
		path string
		want int64
	}{
		{"/v1/clusters/c", 2}, // the template's labels are not known yet
		{"/v1/clusters/c", 1}, {"/v1/clusters/" + id, 1},
		{"/v1/clusters/c/nodegroups/default-worker", 1}, {"/v1/clustertemplates/t", 1},
	} {
		before := f.db.QueryCount()
		f.must(200, "demo", "GET", tc.path, "")
		if got := f.db.QueryCount() - before; got != tc.want {
			t.Errorf("%s takes %d statements, want %d", tc.path, got, tc.want)
		}
	}
}
