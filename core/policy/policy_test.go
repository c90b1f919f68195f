package policy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

type target map[string]string

func (t target) Attribute(name string) (string, bool) { v, ok := t[name]; return v, ok }

// compile makes an Enforcer of texts alone, without the service's rules.
func compile(texts map[string]string, fallback string) (*Enforcer, error) {
	rules := make([]inForce, 0, len(texts))
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		rules = append(rules, inForce{name: name, text: text{words: texts[name]}})
	}
	remote, err := Remote{}.connect(hclog.NewNullLogger())
	if err != nil {
		return nil, err
	}
	return (&language{remote: remote}).compile(rules, fallback)
}

func TestLanguage(t *testing.T) {
	caller := Credentials{UserID: "u1", ProjectID: "p1", DomainID: "d1", DomainName: "Default", ProjectName: "demo", Roles: []string{"Member", "reader"}}
	object := target{"project_id": "p1", "user_id": "u2", "kind": "vm", "role": "member",
		"public": "True", "nothing": "None", "minus": "-1", "half": "1.5", "target.name": "target"}
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
		"'Member':%(kind)s":               false,
		"True:%(public)s":                 true,
		"False:%(public)s":                false,
		"None:%(nothing)s":                true,
		"-1:%(minus)s":                    true,
		"1.5:%(half)s":                    true,
		"01x:%(kind)s":                    false,
		"roles:reader":                    true,
		"roles:READER":                    false, // unlike role:
		"roles:%(role)s":                  false,
		"user_domain_id:d1":               true,
		"user_domain_name:Default":        true,
		"project_name:demo":               true,
		"tenant:%(project_id)s":           true,
		"system_scope:all":                false,
		"system_scope:None":               true,
		"project_id:p%%1":                 false,
		"'50%':50%%":                      true,
		"'p1vm':%(project_id)s%(kind)s":   true,
		"'a-p1-b':a-%(project_id)s-b":     true,
		"'target':%(target.name)s":        true,
		"token.project.domain.id:d1":      false,
		"unheard_of:x":                    false,
		"not unheard_of:x":                true,
		"\trole:member\n":                 true,
	} {
		e, err := compile(map[string]string{Admin: "!", "r": rule, "yes": "@"}, "default")
		if err != nil {
			t.Errorf("%q: %v", rule, err)
			continue
		}
		if got := e.Allowed(t.Context(), "r", &caller, object); got != want {
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
		if got := e.Allowed(t.Context(), "r", &Credentials{UserID: "u1", Service: service}, target{}); got != want {
			t.Errorf("%q allows: %v, want %v", rule, got, want)
		}
		if !strings.HasPrefix(rule, "not ") && e.Allowed(t.Context(), "r", &Credentials{UserID: "u1"}, target{}) {
			t.Errorf("%q allows without a service token", rule)
		}
	}
}

func TestLanguageRefused(t *testing.T) {
	for _, rule := range []string{
		"and", "role:a and", "or role:a", "(role:a", "role:a)", "role:a role:b", "not", "()", "nocolon",
		"user_id:%(x", "user_id:%()s", ":x", "'text'", "user_id:50%", "user_id:%(x)d", "http:", "http:nowhere", "https:///path", "http://a:b:c/",
		strings.Repeat("(", 1000) + "@" + strings.Repeat(")", 1000), strings.Repeat("not ", 1000) + "@",
	} {
		if _, err := compile(map[string]string{Admin: "!", "r": rule}, "default"); err == nil {
			t.Errorf("%.40q is accepted", rule)
		}
	}
	e, err := compile(map[string]string{Admin: "!", "nobody": "user_id:", "same": "project_id:%(project_id)s"}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"nobody", "same"} {
		if e.Allowed(t.Context(), rule, &Credentials{}, target{"project_id": ""}) {
			t.Errorf("%s: what is not there is equal to nothing", rule)
		}
	}
	if _, err := compile(map[string]string{"a": "rule:b", "b": "@ or rule:a"}, "default"); err == nil || !strings.Contains(err.Error(), "refers to itself") {
		t.Errorf("a circle: %v", err)
	}
	// Twice as much with every rule.
	doubling := map[string]string{Admin: "!", "r00": "@"}
	for i := 1; i < 64; i++ {
		doubling[fmt.Sprintf("r%02d", i)] = strings.Replace("rule:X and rule:X", "X", fmt.Sprintf("r%02d", i-1), 2)
	}
	if _, err := compile(doubling, ""); err == nil || !strings.Contains(err.Error(), "leads to more than") {
		t.Errorf("rules without end: %v", err)
	}
	// Of many errors always the same: a watcher logs a new one only.
	for range 20 {
		if _, err := compile(map[string]string{"c": "(", "a": "(", "b": "("}, ""); !strings.Contains(err.Error(), "policy a") {
			t.Fatal(err)
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
	anybody := &Credentials{UserID: "u", ProjectID: "p", Roles: []string{"operator", "reader"}}
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
		{"base rule", "policy.yaml", "project_reader: '!'", "cluster:get", false},
		{"lone checks in a list", "policy.json", `{"cluster:create": ["role:x", "role:operator"]}`, "cluster:create", true},
		{"words in a list are one check", "policy.json", `{"cluster:create": [["role:operator or role:x"]]}`, "cluster:create", false},
		{"an alias", "policy.yaml", "a: &a role:operator\ncluster:create: *a", "cluster:create", true},
		{"admin", "policy.yaml", "context_is_admin: role:operator", "cluster:get_all_all_projects", true},
		{"empty file", "policy.yaml", "", "cluster:get", true},
	} {
		e, err := New(Config{File: write(c.file, c.text)}, nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		who := *anybody
		who.IsAdmin = e.IsAdmin(t.Context(), &who)
		if got := e.Allowed(t.Context(), c.rule, &who, target{"project_id": "p"}); got != c.want {
			t.Errorf("%s: %s allowed: %v, want %v", c.name, c.rule, got, c.want)
		}
	}
	for _, text := range []string{"[1, 2]", "a: {b: c}", "a: rule:a", "a: (", "a:", "{", "a: [{}]", "a: [[{}]]", "a: [~]", "a: '@'\na: '!'"} {
		if _, err := New(Config{File: write("policy.yaml", text)}, nil); err == nil {
			t.Errorf("file %q is accepted", text)
		}
	}
	if _, err := New(Config{File: filepath.Join(t.TempDir(), "absent.yaml")}, nil); err != nil {
		t.Errorf("a file that does not exist: %v", err)
	}
	if _, err := New(Config{File: t.TempDir()}, nil); err == nil {
		t.Error("a directory is accepted as a file")
	}
}

func TestEnforce(t *testing.T) {
	e, err := New(Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = e.Enforce(t.Context(), "quota:create", &Credentials{}, target{})
	if err == nil || err.Error() != "Policy doesn't allow quota:create to be performed." {
		t.Errorf("refusal: %v", err)
	}
	if !e.Has("cluster:get") || e.Has("cluster:nonsense") {
		t.Error("Has")
	}
}
