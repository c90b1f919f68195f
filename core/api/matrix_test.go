package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
)

// callers are the columns of the matrix, by their tokens.
var callers = [9]struct{ name, token string }{
	{"anonymous", ""},
	{"bad token", "unknown"},
	{"reader", "reader"},       // of the owner's project, reads only
	{"member", "friend"},       // of the owner's project
	{"owner", "demo"},          // made all that is asked about
	{"other project", "alt"},   // a member there
	{"admin", "admin"},         // of a third project
	{"service", "service"},     // another service, with the role of that name
	{"node", "trustee-matrix"}, // of the owner's cluster
}

const (
	asReader = 2
	asMember = 3
	asOwner  = 4
	asAdmin  = 6
)

// right is a route and what each caller is answered. Each request is one that
// the owner or an administrator is granted. Words in capitals and variables of
// the path stand for what world makes.
type right struct {
	method, path, body string
	want               [len(callers)]int
}

// matrix has a line for every route of the table; TestMatrix fails for one
// that is missing, and for a cell that is.
var matrix = []right{
	//                                        none  bad read memb own othr admn serv node
	{"GET", "/", "", [9]int{200, 200, 200, 200, 200, 200, 200, 200, 200}},
	{"GET", "/v1", "", [9]int{200, 200, 200, 200, 200, 200, 200, 200, 200}},

	{"GET", "/clusters", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/clusters/detail", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/clusters/{cluster_ident}", "", [9]int{401, 401, 200, 200, 200, 404, 200, 404, 403}},
	{"POST", "/clusters", `{"cluster_template_id": "TEMPLATE"}`, [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	{"PATCH", "/clusters/{cluster_ident}", setNodes, [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	{"DELETE", "/clusters/{cluster_ident}", "", [9]int{401, 401, 403, 204, 204, 404, 204, 404, 403}},
	{"POST", "/clusters/{cluster_ident}/actions/resize", `{"node_count": 2}`, [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	{"POST", "/clusters/{cluster_ident}/actions/upgrade", `{"cluster_template": "TEMPLATE"}`, [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},

	{"GET", "/clusters/{cluster_id}/nodegroups", "", [9]int{401, 401, 200, 200, 200, 404, 200, 404, 403}},
	{"GET", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "", [9]int{401, 401, 200, 200, 200, 404, 200, 404, 403}},
	{"POST", "/clusters/{cluster_id}/nodegroups", `{"name": "new"}`, [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	{"PATCH", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", `[{"op": "replace", "path": "/min_node_count", "value": 1}]`,
		[9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	{"DELETE", "/clusters/{cluster_id}/nodegroups/{nodegroup_id}", "", [9]int{401, 401, 403, 204, 204, 404, 204, 404, 403}},

	{"GET", "/clustertemplates", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/clustertemplates/detail", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/clustertemplates/{cluster_template_ident}", "", [9]int{401, 401, 200, 200, 200, 404, 200, 404, 403}},
	{"POST", "/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest"}`,
		[9]int{401, 401, 403, 201, 201, 201, 201, 403, 403}},
	{"PATCH", "/clustertemplates/{cluster_template_ident}", rename, [9]int{401, 401, 403, 200, 200, 404, 200, 404, 403}},
	{"DELETE", "/clustertemplates/{cluster_template_ident}", "", [9]int{401, 401, 403, 204, 204, 404, 204, 404, 403}},

	{"GET", "/bays", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/bays/detail", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/bays/{bay_ident}", "", [9]int{401, 401, 200, 200, 200, 404, 200, 404, 403}},
	{"POST", "/bays", `{"baymodel_id": "TEMPLATE"}`, [9]int{401, 401, 403, 202, 202, 400, 202, 400, 403}},
	{"PATCH", "/bays/{bay_ident}", setNodes, [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	{"DELETE", "/bays/{bay_ident}", "", [9]int{401, 401, 403, 204, 204, 404, 204, 404, 403}},

	{"GET", "/baymodels", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/baymodels/detail", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/baymodels/{baymodel_ident}", "", [9]int{401, 401, 200, 200, 200, 404, 200, 404, 403}},
	{"POST", "/baymodels", baymodelBody(""), [9]int{401, 401, 403, 201, 201, 201, 201, 403, 403}},
	{"PATCH", "/baymodels/{baymodel_ident}", rename, [9]int{401, 401, 403, 200, 200, 404, 200, 404, 403}},
	{"DELETE", "/baymodels/{baymodel_ident}", "", [9]int{401, 401, 403, 204, 204, 404, 204, 404, 403}},

	// Certificates are the owner's alone, and the nodes'. What a body names
	// and is not there is 400.
	{"GET", "/certificates/{cluster_ident}", "", [9]int{401, 401, 403, 403, 200, 404, 200, 404, 200}},
	{"POST", "/certificates", `{"cluster_uuid": "CLUSTER", "csr": CSR}`, [9]int{401, 401, 403, 403, 201, 400, 201, 400, 201}},

	{"PATCH", "/certificates/{cluster_ident}", "", [9]int{401, 401, 403, 202, 202, 404, 202, 404, 403}},
	// What is made belongs to the caller, so an administrator is not enough.
	{"PATCH", "/credentials/{cluster_ident}", "", [9]int{401, 401, 403, 202, 202, 404, 403, 404, 403}},

	{"GET", "/quotas", "", [9]int{401, 401, 403, 403, 403, 403, 200, 403, 403}},
	{"GET", "/quotas/{project_id}/{resource}", "", [9]int{401, 401, 200, 200, 200, 403, 200, 403, 403}},
	{"POST", "/quotas", `{"project_id": "project-alt", "hard_limit": 2}`, [9]int{401, 401, 403, 403, 403, 403, 201, 403, 403}},
	{"PATCH", "/quotas/{project_id}/{resource}", `{"hard_limit": 2}`, [9]int{401, 401, 403, 403, 403, 403, 202, 403, 403}},
	{"DELETE", "/quotas/{project_id}/{resource}", "", [9]int{401, 401, 403, 403, 403, 403, 204, 403, 403}},

	{"GET", "/stats", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/mservices", "", [9]int{401, 401, 403, 403, 403, 403, 200, 403, 403}},

	// Federations are never made, so there is none to be found, by anybody.
	{"GET", "/federations", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/federations/detail", "", [9]int{401, 401, 200, 200, 200, 200, 200, 403, 403}},
	{"GET", "/federations/{federation_ident}", "", [9]int{401, 401, 404, 404, 404, 404, 404, 404, 404}},
	{"POST", "/federations", `{"hostcluster_id": "CLUSTER", "properties": {"dns-zone": "x."}}`,
		[9]int{401, 401, 403, 202, 202, 404, 202, 403, 403}},
	{"PATCH", "/federations/{federation_ident}", "[]", [9]int{401, 401, 404, 404, 404, 404, 404, 404, 404}},
	{"DELETE", "/federations/{federation_ident}", "", [9]int{401, 401, 404, 404, 404, 404, 404, 404, 404}},
}

const (
	setNodes = `[{"op": "replace", "path": "/node_count", "value": 2}]`
	rename   = `[{"op": "replace", "path": "/name", "value": "new"}]`
)

// world makes what the matrix asks about: a settled cluster of the owner's
// with a group of its own, the cluster's template and one that nothing uses,
// the project's quota. It returns the words of the matrix with their values.
func world(t *testing.T, change ...func(*Config)) (*fixture, *strings.Replacer) {
	t.Helper()
	f := newFixture(t, change...)
	f.people["service"] = keystone.Identity{
		UserID: "user-service", UserName: "service", UserDomainID: "default", ProjectID: "project-service", Roles: []string{"service"},
	}
	f.setQuota("project-demo", 20)
	id := f.signable("matrix")
	f.withAddress(id, magnum.NodeGroup{Name: "extra", Role: "gpu", NodeCount: 1, Status: magnum.CreateComplete})
	spare := f.newTemplate("")
	csr, err := json.Marshal(request509(t))
	if err != nil {
		t.Fatal(err)
	}
	return f, strings.NewReplacer(
		"{cluster_ident}", id, "{cluster_id}", id, "{bay_ident}", id, "CLUSTER", id, "{nodegroup_id}", "extra",
		"{cluster_template_ident}", spare, "{baymodel_ident}", spare, "TEMPLATE", f.stored(id).ClusterTemplateID,
		"{project_id}", "project-demo", "{resource}", "Cluster", "{federation_ident}", "none", "CSR", string(csr),
	)
}

// TestMatrix is every route with every caller.
func TestMatrix(t *testing.T) {
	shared, words := world(t)
	rules := map[string]string{}
	for _, rt := range shared.handler.(*api).table {
		rules[rt.method+" "+rt.path] = rt.rule
	}
	lines := map[string]bool{}
	for _, line := range matrix {
		route := line.method + " " + line.path
		if rules[route] == "" || lines[route] {
			t.Errorf("%s is no route, or stands twice", route)
		}
		lines[route] = true
		for i, caller := range callers {
			if line.want[i] == 0 {
				t.Errorf("%s: the cell of %s is missing", route, caller.name)
				continue
			}
			f, words := shared, words
			if line.method != "GET" && line.want[i] < 300 {
				f, words = world(t) // what changes the world has one of its own
			}
			checkCell(t, f, words, line, rules[route], caller.name, caller.token, line.want[i])
		}
		if granted := min(line.want[asOwner], line.want[asAdmin]); granted >= 300 && !strings.Contains(line.path, "{federation_ident}") {
			t.Errorf("%s is granted to nobody", route)
		}
	}
	for route := range rules {
		if !lines[route] {
			t.Errorf("%s has no line in the matrix", route)
		}
	}
}

// checkCell sends one request, and holds that a refusal says why and changes
// nothing.
func checkCell(t *testing.T, f *fixture, words *strings.Replacer, line right, rule, name, token string, want int) {
	t.Helper()
	before, woken := f.dump(), f.woken.Load()
	got := f.send(token, line.method, words.Replace(line.path), words.Replace(line.body), versionHeader, f.newest(line))
	if got.status != want {
		t.Errorf("%s: %s %s answers %d, want %d\n%s", name, line.method, line.path, got.status, want, got.text)
		return
	}
	switch got.status {
	case 401:
		if got.header.Get("Www-Authenticate") == "" {
			t.Errorf("%s: %s %s does not say where to log in", name, line.method, line.path)
		}
	case 403:
		text := "Policy doesn't allow " + rule + " to be performed."
		if rule == "quota:get" && name == "other project" {
			text = "Not authorized." // the project is looked at before the policy
		}
		if got.detail() != text {
			t.Errorf("%s: %s %s is refused with %q, want %q", name, line.method, line.path, got.detail(), text)
		}
	}
	if got.status < 400 {
		return
	}
	if diff := cmp.Diff(before, f.dump()); diff != "" {
		t.Errorf("%s: %s %s was refused and changed rows:\n%s", name, line.method, line.path, diff)
	}
	if f.woken.Load() != woken {
		t.Errorf("%s: %s %s was refused and woke a conductor", name, line.method, line.path)
	}
}

// newest is the newest version that has a route.
func (f *fixture) newest(line right) string {
	for _, rt := range f.handler.(*api).table {
		if rt.method == line.method && rt.path == line.path {
			return service + " " + rt.max.String()
		}
	}
	return ""
}

// TestReader holds what a reader is answered by each set of defaults: by the
// classic ones no role is looked at, so a reader is a member.
func TestReader(t *testing.T) {
	classic := func(c *Config) { c.Options.OsloPolicy.EnforceNewDefaults = false }
	shared, words := world(t, classic)
	rules := map[string]string{}
	for _, rt := range shared.handler.(*api).table {
		rules[rt.method+" "+rt.path] = rt.rule
	}
	differ := 0
	for _, line := range matrix {
		if line.method != "GET" && line.want[asReader] < 300 {
			t.Errorf("%s %s: a reader writes", line.method, line.path)
		}
		if line.want[asReader] != line.want[asMember] {
			differ++
		}
		f, words := shared, words
		if line.method != "GET" && line.want[asMember] < 300 {
			f, words = world(t, classic)
		}
		checkCell(t, f, words, line, rules[line.method+" "+line.path], "classic reader", callers[asReader].token, line.want[asMember])
	}
	if differ == 0 {
		t.Error("the two sets of defaults are the same")
	}
}
