package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type target map[string]string

func (t target) Attribute(name string) (string, bool) { v, ok := t[name]; return v, ok }

func TestLanguage(t *testing.T) {
	caller := Credentials{UserID: "u1", ProjectID: "p1", DomainID: "d1", Roles: []string{"Member", "reader"}}
	object := target{"project_id": "p1", "user_id": "u2", "kind": "vm", "role": "member"}
	for rule, want := range map[string]bool{
		"":                                true,
		"@":                               true,
		"!":                               false,
		"role:member":                     true,
		"role:%(role)s":                   true,
		"role:admin":                      false,
		"not role:admin":                  true,
		"not not role:member":             true,
		"role:admin or role:member":       true,
		"role:admin and role:member":      false,
		"role:a or role:member and @":     true,
		"@ or role:a and role:b":          true, // and binds more
		"(@ or role:a) and role:b":        false,
		"project_id:%(project_id)s":       true,
		"user_id:%(user_id)s":             false,
		"user_id:u1":                      true,
		"'vm':%(kind)s":                   true,
		"'bm':%(kind)s":                   false,
		"\"vm\":%(kind)s":                 true,
		"is_admin:True":                   false,
		"is_admin:False":                  true,
		"project_id:%(absent)s":           false,
		"not project_id:%(absent)s":       true,
		"nothing:%(project_id)s":          false,
		"rule:absent":                     false,
		"not rule:absent":                 true,
		"rule:yes AND (role:x OR @)":      true,
		"((role:member))":                 true,
		"project_id:p%(one)s":             false,
		"user_id:%(u)s":                   false,
		"True:True":                       true,
		"1:1":                             true,
		"( role:member and role:READER )": true,
	} {
		e, err := compile(map[string]string{Admin: "!", "r": rule, "yes": "@"}, "default")
		if err != nil {
			t.Errorf("%q: %v", rule, err)
			continue
		}
		if got := e.Allowed("r", &caller, object); got != want {
			t.Errorf("%q allows: %v, want %v", rule, got, want)
		}
	}
}

// TestServiceCredentials asks for what a service token says; without one
// every such comparison fails.
func TestServiceCredentials(t *testing.T) {
	service := &Service{UserID: "su", UserDomainID: "sud", ProjectID: "sp", ProjectDomainID: "spd", Roles: []string{"reader", "service"}}
	for rule, want := range map[string]bool{
		"service_roles:service":             true,
		"service_roles:Service":             false,
		"service_roles:admin":               false,
		"service_roles:%(absent)s":          false,
		"service_user_id:su":                true,
		"service_user_domain_id:sud":        true,
		"service_project_id:sp":             true,
		"service_project_domain_id:spd":     true,
		"service_project_id:u1":             false,
		"role:service":                      false, // the user's roles are others
		"not service_roles:service":         false,
		"user_id:u1 and service_user_id:su": true,
	} {
		e, err := compile(map[string]string{Admin: "!", "r": rule}, "default")
		if err != nil {
			t.Fatalf("%q: %v", rule, err)
		}
		if got := e.Allowed("r", &Credentials{UserID: "u1", Service: service}, target{}); got != want {
			t.Errorf("%q allows: %v, want %v", rule, got, want)
		}
		if !strings.HasPrefix(rule, "not ") && e.Allowed("r", &Credentials{UserID: "u1"}, target{}) {
			t.Errorf("%q allows without a service token", rule)
		}
	}
}

func TestLanguageRefused(t *testing.T) {
	for _, rule := range []string{
		"and", "role:a and", "or role:a", "(role:a", "role:a)", "role:a role:b", "not", "()", "nocolon",
		"user_id:%(x", "user_id:%()s", "http://example.org", ":x",
		strings.Repeat("(", 1000) + "@" + strings.Repeat(")", 1000), strings.Repeat("not ", 1000) + "@",
	} {
		if _, err := compile(map[string]string{Admin: "!", "r": rule}, "default"); err == nil {
			t.Errorf("%.40q is accepted", rule)
		}
	}
	if _, err := compile(map[string]string{"a": "rule:b", "b": "@ or rule:a"}, "default"); err == nil || !strings.Contains(err.Error(), "refers to itself") {
		t.Errorf("a circle: %v", err)
	}
}

func TestDefaults(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	own := target{"project_id": "p", "user_id": "me", "trustee_user_id": "trustee"}
	trustee := target{"project_id": "p", "user_id": "me", "trustee_user_id": "trustee", "trustee_domain_id": "magnum"}
	who := map[string]Credentials{
		"admin":    {UserID: "a", ProjectID: "x", Roles: []string{"admin", "member", "reader"}},
		"owner":    {UserID: "me", ProjectID: "p", Roles: []string{"member", "reader"}},
		"roleless": {UserID: "me", ProjectID: "p", Roles: []string{"custom"}},
		"friend":   {UserID: "you", ProjectID: "p", Roles: []string{"member"}},
		"reader":   {UserID: "me", ProjectID: "p", Roles: []string{"reader"}},
		"stranger": {UserID: "you", ProjectID: "q", Roles: []string{"member"}},
		"trustee":  {UserID: "trustee", ProjectID: "p", DomainID: "magnum"},
	}
	for rule, allowed := range map[string]string{
		"cluster:create":               "admin owner roleless friend stranger",
		"cluster:get":                  "admin owner roleless friend reader stranger",
		"cluster:update_health_status": "admin owner roleless trustee",
		"clustertemplate:update":       "admin owner roleless friend",
		"clustertemplate:publish":      "admin",
		"cluster:get_all_all_projects": "admin",
		"certificate:get":              "admin owner roleless reader trustee",
		"certificate:create":           "admin owner roleless trustee",
		"certificate:rotate_ca":        "admin owner roleless friend",
		"nodegroup:create":             "admin owner roleless friend",
		"quota:get":                    "admin owner roleless friend reader trustee",
		"magnum-service:get_all":       "admin",
		"no:such:rule":                 "",
	} {
		for name, c := range who {
			object := own
			if name == "trustee" {
				object = trustee
			}
			c.IsAdmin = e.IsAdmin(&c)
			want := strings.Contains(" "+allowed+" ", " "+name+" ")
			if got := e.Allowed(rule, &c, object); got != want {
				t.Errorf("%s may %s: %v, want %v", name, rule, got, want)
			}
		}
	}
}

func TestOverrides(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	anybody := &Credentials{UserID: "u", Roles: []string{"operator"}}
	for _, c := range []struct {
		name, file, text, rule string
		want                   bool
	}{
		{"yaml", "policy.yaml", "# comment\n\"cluster:create\": \"!\"\n", "cluster:create", false},
		{"others stay", "policy.yaml", "\"cluster:create\": \"!\"\n", "cluster:get", true},
		{"json", "policy.json", `{"cluster:create": "role:operator"}`, "cluster:create", true},
		{"lists", "policy.json", `{"cluster:create": [["role:x"], ["role:operator", "user_id:u"]]}`, "cluster:create", true},
		{"no lists", "policy.json", `{"cluster:create": []}`, "cluster:create", true},
		{"an empty list", "policy.json", `{"cluster:create": [[]]}`, "cluster:create", false},
		{"base rule", "policy.yaml", "deny_cluster_user: '!'", "cluster:get", false},
		{"admin", "policy.yaml", "context_is_admin: role:operator", "cluster:get_all_all_projects", true},
		{"empty file", "policy.yaml", "", "cluster:get", true},
	} {
		e, err := New(Config{File: write(c.file, c.text)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		who := *anybody
		who.IsAdmin = e.IsAdmin(&who)
		if got := e.Allowed(c.rule, &who, target{}); got != c.want {
			t.Errorf("%s: %s allowed: %v, want %v", c.name, c.rule, got, c.want)
		}
	}
	for _, text := range []string{"[1, 2]", "a: {b: c}", "a: rule:a", "a: (", "a:", "{"} {
		if _, err := New(Config{File: write("policy.yaml", text)}); err == nil {
			t.Errorf("file %q is accepted", text)
		}
	}
	if _, err := New(Config{File: filepath.Join(t.TempDir(), "absent.yaml")}); err != nil {
		t.Errorf("a file that does not exist: %v", err)
	}
	if _, err := New(Config{File: t.TempDir()}); err == nil {
		t.Error("a directory is accepted as a file")
	}
}

func TestEnforce(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = e.Enforce("quota:create", &Credentials{}, target{})
	if err == nil || err.Error() != "Policy doesn't allow quota:create to be performed." {
		t.Errorf("refusal: %v", err)
	}
	if !e.Has("cluster:get") || e.Has("cluster:nonsense") {
		t.Error("Has")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("rule:a and (role:%(x)s or not 'y':%(z)s)")
	f.Fuzz(func(t *testing.T, rule string) {
		if e, err := compile(map[string]string{Admin: "!", "r": rule}, "default"); err == nil {
			e.Allowed("r", &Credentials{}, target{})
		}
	})
}
