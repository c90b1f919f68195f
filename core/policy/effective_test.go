package policy

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
)

// people are callers that look at demo's object, or at their own project's
// where there is none yet.
var people = map[string]Credentials{
	"admin":     {UserID: "a", ProjectID: "x", Roles: []string{"admin"}},
	"owner":     {UserID: "me", ProjectID: "p", Roles: []string{"Member", "reader"}},
	"roleless":  {UserID: "me", ProjectID: "p", Roles: []string{"custom"}},
	"friend":    {UserID: "you", ProjectID: "p", Roles: []string{"member", "reader"}},
	"onlymem":   {UserID: "you", ProjectID: "p", Roles: []string{"member"}},
	"reader":    {UserID: "me", ProjectID: "p", Roles: []string{"reader"}},
	"stranger":  {UserID: "you", ProjectID: "q", Roles: []string{"member", "reader"}},
	"unscoped":  {UserID: "me"},
	"sysadmin":  {UserID: "a", System: true, Roles: []string{"admin", "member", "reader"}},
	"domadmin":  {UserID: "a", ScopeDomainID: "d", Roles: []string{"admin", "member", "reader"}},
	"trustee":   {UserID: "trustee", ProjectID: "p", DomainID: "magnum"},
	"otherNode": {UserID: "node-2", ProjectID: "p", DomainID: "magnum"},
}

// allowed names all who a rule lets.
func allowed(t *testing.T, e *Enforcer, rule string) string {
	t.Helper()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(people)) {
		c := people[name]
		object := target{"project_id": "p", "user_id": "me", "trustee_user_id": "trustee"}
		if c.DomainID == "magnum" {
			object["trustee_domain_id"] = "magnum"
		}
		c.IsAdmin = e.IsAdmin(t.Context(), &c)
		if e.Allowed(t.Context(), rule, &c, object) {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

func with(t *testing.T, c Config, file string) *Enforcer {
	t.Helper()
	if file != "" {
		c.File = filepath.Join(t.TempDir(), "policy.yaml")
		if err := os.WriteFile(c.File, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestDefaults is who may do what by the new and by the classic defaults.
func TestDefaults(t *testing.T) {
	const (
		everyProject = "admin domadmin friend onlymem owner reader roleless stranger sysadmin unscoped" // whoever is no node
		newWriter    = "admin friend onlymem owner"
		newReader    = "admin friend owner reader"
		oldOwner     = "admin friend onlymem otherNode owner reader roleless trustee"
		anyAdmin     = "admin domadmin sysadmin"
	)
	now, classic := with(t, Config{}, ""), with(t, Config{Classic: true, AnyScope: true}, "")
	for rule, want := range map[string][2]string{
		"cluster:create":               {newWriter, everyProject},
		"cluster:get":                  {newReader, everyProject},
		"cluster:update_health_status": {"admin owner trustee", "admin domadmin owner reader roleless sysadmin trustee unscoped"},
		"clustertemplate:update":       {newWriter, oldOwner + " sysadmin domadmin"},
		"clustertemplate:publish":      {anyAdmin, anyAdmin},
		"cluster:get_all_all_projects": {anyAdmin, anyAdmin},
		"certificate:get":              {"admin owner reader trustee", "admin domadmin owner reader roleless sysadmin trustee unscoped"},
		"certificate:create":           {"admin owner trustee", "admin domadmin owner reader roleless sysadmin trustee unscoped"},
		"certificate:rotate_ca":        {newWriter, oldOwner + " sysadmin domadmin"},
		"credential:rotate":            {"friend onlymem owner", everyProject},
		"nodegroup:get":                {newReader, oldOwner + " sysadmin domadmin"},
		"nodegroup:create":             {newWriter, oldOwner + " sysadmin domadmin"},
		"quota:get":                    {newReader, oldOwner + " sysadmin domadmin"},
		"stats:get_all":                {newReader, oldOwner + " sysadmin domadmin"},
		"magnum-service:get_all":       {anyAdmin, anyAdmin},
		"bay:create":                   {newWriter, everyProject},
		"baymodel:get":                 {newReader, everyProject},
		"federation:update":            {newWriter, everyProject},
		"no:such:rule":                 {"", ""},
	} {
		if got := allowed(t, now, rule); got != sorted(want[0]) {
			t.Errorf("%s lets %q, want %q", rule, got, sorted(want[0]))
		}
		if got := allowed(t, classic, rule); got != sorted(want[1]) {
			t.Errorf("classic %s lets %q, want %q", rule, got, sorted(want[1]))
		}
	}
	for _, r := range Defaults() {
		if !now.Has(r.Name) {
			t.Errorf("%s is not in force", r.Name)
		}
		if strings.Contains(r.Name, ":") && (len(r.Scopes) == 0) != strings.Contains(r.Check, "admin_api") {
			t.Errorf("%s: scopes %v, check %s", r.Name, r.Scopes, r.Check)
		}
	}
}

func sorted(names string) string {
	list := strings.Fields(names)
	slices.Sort(list)
	return strings.Join(list, " ")
}

// TestScope holds that tokens of another kind are refused unless told not to.
func TestScope(t *testing.T) {
	strict, loose := with(t, Config{}, "cluster:get: '@'"), with(t, Config{AnyScope: true}, "cluster:get: '@'")
	for name, want := range map[string][2]bool{
		"sysadmin": {false, true}, "domadmin": {false, true}, "owner": {true, true}, "unscoped": {true, true},
	} {
		c := people[name]
		for i, e := range []*Enforcer{strict, loose} {
			if got := e.Allowed(t.Context(), "cluster:get", &c, nil); got != want[i] {
				t.Errorf("%s: allowed %v, want %v (any scope: %v)", name, got, want[i], i == 1)
			}
		}
	}
	// The first one of a rule's is logged.
	var log bytes.Buffer
	e, err := New(Config{AnyScope: true}, hclog.New(&hclog.LoggerOptions{Output: &log}))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, rule := range []string{"cluster:get", "cluster:update"} {
			c := people["sysadmin"]
			e.Allowed(t.Context(), rule, &c, nil)
		}
	}
	if got := strings.Count(log.String(), "enforce_scope would refuse it"); got != 2 {
		t.Errorf("%d lines are logged, want 2:\n%s", got, log.String())
	}
	// A rule that only a file knows is open to all.
	own, c := with(t, Config{}, "mine: '@'"), people["sysadmin"]
	if !own.Allowed(t.Context(), "mine", &c, nil) {
		t.Error("a rule without scope refuses")
	}
}

// TestFormer is what files for the classic rules come to.
func TestFormer(t *testing.T) {
	const usual, readers = "admin friend onlymem owner", "admin friend owner reader"
	for name, c := range map[string]struct {
		file    string
		classic bool
		rule    string
		want    string
	}{
		"renamed":                   {"admin_or_owner: role:custom", false, "nodegroup:create", "roleless"},
		"renamed, reads too":        {"admin_or_owner: role:custom", false, "stats:get_all", "roleless"},
		"renamed, classic":          {"admin_or_owner: role:custom", true, "nodegroup:create", "roleless"},
		"another rule's name":       {"admin_or_owner: role:custom", false, "cluster:create", usual},
		"closed":                    {"deny_cluster_user: '!'", false, "cluster:create", ""},
		"closed, classic":           {"deny_cluster_user: '!'", true, "cluster:get", ""},
		"for credentials":           {"deny_cluster_user: role:custom", false, "credential:rotate", "roleless"},
		"part of the former":        {"admin_or_user: role:custom", false, "certificate:get", "roleless trustee"},
		"a name both have":          {"cluster_user: '!'", false, "certificate:get", "admin owner reader"},
		"a name both have, opened":  {"cluster_user: role:custom", false, "certificate:get", "admin owner reader roleless"},
		"only repeated":             {"admin_or_owner:  is_admin:True   or project_id:%(project_id)s", false, "nodegroup:create", usual},
		"only passed on":            {"admin_or_owner: rule:admin_or_project_reader", false, "stats:get_all", readers},
		"passed on elsewhere":       {"admin_or_owner: rule:admin_or_project_reader", false, "nodegroup:create", readers},
		"the new name goes first":   {"admin_or_owner: role:custom\nadmin_or_project_member: '@'", false, "nodegroup:create", everybodyInProjects},
		"the rule itself first":     {"admin_or_owner: role:custom\nnodegroup:create: role:admin", false, "nodegroup:create", "admin"},
		"no classic beside a file":  {"admin_or_project_member: role:custom", true, "nodegroup:create", "roleless"},
		"nor beside the rule":       {"nodegroup:create: role:custom", true, "nodegroup:create", "roleless"},
		"administrators":            {"context_is_admin: role:custom", false, "quota:create", "roleless"},
		"administrators' interface": {"admin_api: role:custom", false, "quota:create", "roleless"},
		"the role of readers":       {"project_reader: role:custom and project_id:%(project_id)s", false, "cluster:get", "admin roleless"},
		"the former in a rule":      {"cluster:get: rule:admin_or_owner", false, "cluster:get", "admin friend onlymem otherNode owner reader roleless trustee"},
	} {
		if got := allowed(t, with(t, Config{Classic: c.classic}, c.file), c.rule); got != c.want {
			t.Errorf("%s: %s lets %q, want %q", name, c.rule, got, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("admin_or_owner: rule:admin_or_project_reader or role:custom"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{File: path}, nil); err == nil || !strings.Contains(err.Error(), "refers to itself") {
		t.Errorf("a classic rule made of its successor: %v", err)
	}
}

const everybodyInProjects = "admin friend onlymem otherNode owner reader roleless stranger trustee unscoped"

func TestList(t *testing.T) {
	find := func(e *Enforcer, name string) Listed {
		list := e.List()
		i := slices.IndexFunc(list, func(l Listed) bool { return l.Name == name })
		if i < 0 {
			t.Fatalf("%s is not listed", name)
		}
		return list[i]
	}
	e := with(t, Config{}, "admin_or_owner: role:x\ncluster:get: [[\"role:a\", \"role:b\"], \"@\"]\nmine: '@'")
	path := find(e, "mine").Source
	got := []Listed{find(e, "cluster:create"), find(e, "nodegroup:get"), find(e, "admin_or_project_reader"), find(e, "cluster:get"), e.List()[len(e.List())-1]}
	want := []Listed{
		{"cluster:create", "rule:admin_or_project_member_deny_cluster_user", "default", ""},
		{"nodegroup:get", "rule:admin_or_project_reader", "default", ""},
		{"admin_or_project_reader", "rule:admin_or_owner", "admin_or_owner in " + path, "admin_or_owner"},
		{"cluster:get", "(role:a and role:b) or (@)", path, ""},
		{"mine", "@", path, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := find(with(t, Config{Classic: true}, ""), "admin_or_project_reader"); got.Source != "default or classic" ||
		got.Check != "(rule:context_is_admin or rule:project_reader) or (rule:admin_or_owner)" {
		t.Errorf("classic: %+v", got)
	}
}
