package policy

import (
	"errors"
	"net/http"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// unreachable is the network of a fuzzing run.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("there is no network here")
}

func fuzzed(t testing.TB) *language {
	r, err := Remote{}.connect(hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	r.client.Transport = unreachable{}
	return &language{remote: r}
}

// stranger is somebody of whom nothing is known.
var stranger Credentials

// needsSomething reports whether a rule asks for something that a stranger
// does not have, and for nothing that everybody has.
func needsSomething(k check) bool {
	switch k := k.(type) {
	case anyOf:
		for _, inner := range k {
			if !needsSomething(inner) {
				return false
			}
		}
		return true
	case all:
		for _, inner := range k {
			if needsSomething(inner) {
				return true
			}
		}
		return false
	case role, remoteCheck:
		return true
	case credential:
		return k.name != "is_admin" && k.name != "system_scope" && k.name != "system"
	case *reference:
		return k.to == nil
	}
	return false
}

// FuzzParseRule holds that no rule crashes or hangs, and that a stranger is
// let by none that asks for something.
func FuzzParseRule(f *testing.F) {
	for _, rule := range []string{
		"", "@", "!", "role:a and (role:%(x)s or not 'y':%(z)s)", "rule:other or is_admin:True", "not not !", "((role:a))",
		"http://example.org/%(project_id)s", "https://[::1]:1/ and role:x", "user_id:%(user_id)s%%", "roles:a", "unheard_of:x",
		"True:%(is_public)s", "-1.5:%(x)s", "project_id:", "a:b:c", "AND", "role:a and", "service_roles:service", "user_id:",
	} {
		f.Add(rule)
	}
	words := fuzzed(f)
	f.Fuzz(func(t *testing.T, rule string) {
		e, err := words.compile([]inForce{{name: Admin, text: text{words: "!"}}, {name: "r", text: text{words: rule}}}, "default")
		if err != nil {
			return
		}
		for _, c := range []*Credentials{&stranger, {UserID: "u", ProjectID: "p", Roles: []string{"a"}, IsAdmin: true}} {
			for _, object := range []Target{nil, target{}, target{"project_id": "p", "x": "a", "user_id": ""}} {
				got := e.Allowed(t.Context(), "r", c, object)
				if got && c == &stranger && needsSomething(e.rules["r"].check) {
					t.Errorf("%q lets a stranger (target %v)", rule, object)
				}
			}
		}
		if e.Allowed(t.Context(), "absent", &stranger, nil) {
			t.Errorf("%q lets a stranger do what no rule is about", rule)
		}
	})
}

// FuzzPolicyFile holds that no file crashes or hangs, and that what it does
// not speak of is decided as without it.
func FuzzPolicyFile(f *testing.F) {
	for _, file := range []string{
		"", "{}", "[]", "a: b:c", `{"cluster:create": [["role:x"], "role:y", []]}`, "a: &a '@'\nb: *a", "a: rule:b\nb: rule:a",
		"cluster:get: '@'\n# comment\n", "x: \"rule:x\"", "a: ~", "a: [[~]]", "a: {<<: *a}", "default: '@'", "admin_or_owner: '!'",
		"a: http://example.org/", "? [a]\n: b", "a: 1\nb: 2.5\nc: true", "---\na: '@'\n---\nb: '@'", "\xff\xfe", "context_is_admin: role:x",
	} {
		f.Add([]byte(file))
	}
	words := fuzzed(f)
	plain, err := words.compile(effective(Defaults(), nil, false), "")
	if err != nil {
		f.Fatal(err)
	}
	member := &Credentials{UserID: "u", ProjectID: "p", Roles: []string{"member", "reader"}}
	object := target{"project_id": "p", "user_id": "u"}
	f.Fuzz(func(t *testing.T, content []byte) {
		rules, err := parseFile(content)
		if err != nil {
			return
		}
		files := map[string]override{}
		touched := false
		for name, words := range rules {
			files[name] = override{words, "policy.yaml"}
			touched = touched || plain.Has(name)
		}
		e, err := words.compile(effective(Defaults(), files, false), "default")
		if err != nil {
			return
		}
		for _, r := range Defaults() {
			for _, c := range []*Credentials{&stranger, member} {
				got := e.Allowed(t.Context(), r.Name, c, object)
				if !touched && got != plain.Allowed(t.Context(), r.Name, c, object) {
					t.Errorf("%s: allowed %v, changed by a file about %v", r.Name, got, rules)
				}
			}
		}
		for name := range rules {
			if e.Has(name) {
				e.Allowed(t.Context(), name, member, object)
			}
		}
	})
}
