package keystone_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

const (
	magnumUser = "magnum-user"
	day        = 24 * time.Hour
)

func services(c *keystone.Config) { c.Tokens.ServiceRoles = []string{"service", "heat"} }

// TestServiceToken is who may pass on a caller's token, and in which state.
func TestServiceToken(t *testing.T) {
	anyService := func(c *keystone.Config) { services(c); c.Tokens.AnyServiceToken = true }
	tests := map[string]struct {
		change  func(*keystone.Config)
		service []string // its roles; nil: no such token
		age     time.Duration
		dead    bool // Keystone does not know the service token
		want    magnum.Kind
		ok      bool
	}{
		"none":                           {services, nil, 0, false, 0, true},
		"none, the caller's ran out":     {services, nil, 2 * time.Hour, false, magnum.Unauthorized, false},
		"good":                           {services, []string{"reader", "heat"}, 0, false, 0, true},
		"good, the caller's ran out":     {services, []string{"service"}, 2 * time.Hour, false, 0, true},
		"good, the caller's is too old":  {services, []string{"service"}, 4 * day, false, magnum.Unauthorized, false},
		"no role":                        {services, []string{"admin"}, 0, false, magnum.Unauthorized, false},
		"a role in another case":         {services, []string{"Service"}, 0, false, magnum.Unauthorized, false},
		"no role, none needed":           {anyService, []string{"admin"}, 0, false, 0, true},
		"no role, and an old caller":     {anyService, []string{"admin"}, 2 * time.Hour, false, magnum.Unauthorized, false},
		"unknown":                        {services, []string{"service"}, 0, true, magnum.Unauthorized, false},
		"unknown, none needed":           {anyService, []string{"service"}, 0, true, magnum.Unauthorized, false},
		"no role is a service's":         {nil, []string{"service"}, 0, false, magnum.Unauthorized, false},
		"good, but no roles that matter": {func(c *keystone.Config) { c.Tokens.AnyServiceToken = true }, []string{"service"}, 2 * time.Hour, false, magnum.Unauthorized, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := start(t, tc.change)
			r := keystone.Request{Token: f.Token(keystonetest.DemoUser, keystonetest.DemoProj)}
			issued := f.now
			f.now = f.now.Add(tc.age)
			if tc.service != nil {
				r.ServiceToken = f.Issue(keystonetest.Grant{User: magnumUser, Project: "service", Roles: tc.service})
			}
			if tc.dead {
				f.Revoke(r.ServiceToken)
			}
			got, err := f.Authenticate(t.Context(), r)
			if (err == nil) != tc.ok || !tc.ok && magnum.KindOf(err) != tc.want {
				t.Fatalf("%+v, %v", got, err)
			}
			if !tc.ok {
				return
			}
			want := &keystone.Identity{
				UserID: keystonetest.DemoUser, UserName: "demo", UserDomainID: "default", DomainName: "Default",
				ProjectID: keystonetest.DemoProj, ProjectName: keystonetest.DemoProj, ProjectDomainID: "default",
				Roles: []string{"member", "reader"}, Token: r.Token, ExpiresAt: issued.Add(time.Hour),
			}
			if tc.service != nil {
				want.Service = &keystone.Service{
					UserID: magnumUser, UserDomainID: "default", ProjectID: "service", ProjectDomainID: "default", Roles: tc.service,
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestExpiredStaysOut holds that what a service may bring is not cached for
// everybody, and that a refusal without a service does not hinder one.
func TestExpiredStaysOut(t *testing.T) {
	f := start(t, services)
	old := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	f.now = f.now.Add(2 * time.Hour)
	service := f.Issue(keystonetest.Grant{User: magnumUser, Project: "service", Roles: []string{"service"}})
	for range 2 {
		if _, err := f.Validate(t.Context(), old); magnum.KindOf(err) != magnum.Unauthorized {
			t.Errorf("alone: %v", err)
		}
		if _, err := f.Authenticate(t.Context(), keystone.Request{Token: old, ServiceToken: service}); err != nil {
			t.Errorf("with a service: %v", err)
		}
	}
	if n := f.Calls(asked); n != 3 {
		t.Errorf("Keystone was asked %d times, want once for each of: alone, the service, with it", n)
	}
	if _, err := f.UserSession(t.Context(), old); magnum.KindOf(err) != magnum.Unauthorized {
		t.Errorf("a session of it: %v", err)
	}
	// Revoked in the meantime: known until the cache has aged, and no longer.
	f.Revoke(old)
	f.now = f.now.Add(6 * time.Minute)
	if _, err := f.Authenticate(t.Context(), keystone.Request{Token: old, ServiceToken: service}); magnum.KindOf(err) != magnum.Unauthorized {
		t.Errorf("revoked: %v", err)
	}
}

// TestServiceTokenOutage holds that no answer about the service is not taken
// for a bad service, nor for a good one.
func TestServiceTokenOutage(t *testing.T) {
	f := start(t, services)
	user := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	if _, err := f.Validate(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	f.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusInternalServerError)
		return true
	}
	if _, err := f.Authenticate(t.Context(), keystone.Request{Token: user, ServiceToken: "unknown"}); magnum.KindOf(err) != magnum.Unavailable {
		t.Errorf("%v", err)
	}
	if _, err := f.Validate(t.Context(), user); err != nil {
		t.Errorf("without the service: %v", err)
	}
}

func TestAccessRules(t *testing.T) {
	rule := func(service, method, path string) map[string]any {
		return map[string]any{"id": "r", "service": service, "method": method, "path": path}
	}
	typed := func(c *keystone.Config) { services(c); c.Tokens.ServiceType = "container-infra" }
	tests := map[string]struct {
		change  func(*keystone.Config)
		rules   any
		method  string
		path    string
		service bool
		ok      bool
	}{
		"no credential's rules": {typed, nil, "GET", "/v1/clusters", false, true},
		"none allowed":          {typed, []any{}, "GET", "/v1/clusters", false, false},
		"exactly":               {typed, []any{rule("container-infra", "GET", "/v1/clusters")}, "GET", "/v1/clusters", false, true},
		"another method":        {typed, []any{rule("container-infra", "GET", "/v1/clusters")}, "POST", "/v1/clusters", false, false},
		"another service":       {typed, []any{rule("compute", "GET", "/v1/clusters")}, "GET", "/v1/clusters", false, false},
		"longer":                {typed, []any{rule("container-infra", "GET", "/v1/clusters")}, "GET", "/v1/clusters/x", false, false},
		"the second rule":       {typed, []any{rule("compute", "GET", "/**"), rule("container-infra", "GET", "/v1/clusters/*")}, "GET", "/v1/clusters/x", false, true},
		"a star is a segment":   {typed, []any{rule("container-infra", "GET", "/v1/*")}, "GET", "/v1/clusters/x", false, false},
		"a name is a segment":   {typed, []any{rule("container-infra", "GET", "/v1/clusters/{id}/actions/{a}")}, "GET", "/v1/clusters/x/actions/resize", false, true},
		"two stars are all":     {typed, []any{rule("container-infra", "GET", "/v1/**")}, "GET", "/v1/clusters/x", false, true},
		"a dot is a dot":        {typed, []any{rule("container-infra", "GET", "/v1.clusters")}, "GET", "/v1/clusters", false, false},
		"no line ends it":       {typed, []any{rule("container-infra", "GET", "/v1/clusters")}, "GET", "/v1/clusters\n", false, false},
		"a service passes":      {typed, []any{}, "GET", "/v1/clusters", true, true},
		"whoever is no service": {func(c *keystone.Config) { typed(c); c.Tokens.ServiceRoles, c.Tokens.AnyServiceToken = nil, true },
			[]any{}, "GET", "/v1/clusters", true, false},
		"no type is configured": {services, []any{rule("container-infra", "GET", "/v1/clusters")}, "GET", "/v1/clusters", false, false},
		"a type nobody knows": {func(c *keystone.Config) { c.Tokens.ServiceType = "other" }, []any{rule("other", "GET", "/v1/clusters")},
			"GET", "/v1/clusters", false, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := start(t, tc.change)
			f.Catalog["container-infra"] = "http://magnum/v1"
			g := keystonetest.Grant{User: keystonetest.DemoUser, Project: keystonetest.DemoProj, Roles: []string{"member"}}
			if tc.rules != nil {
				g.Extra = map[string]any{"application_credential": map[string]any{"id": "a", "restricted": true, "access_rules": tc.rules}}
			}
			r := keystone.Request{Token: f.Issue(g), Method: tc.method, Path: tc.path}
			if tc.service {
				r.ServiceToken = f.Issue(keystonetest.Grant{User: magnumUser, Project: "service", Roles: []string{"service"}})
			}
			for range 2 { // the second time from the cache
				if _, err := f.Authenticate(t.Context(), r); (err == nil) != tc.ok || !tc.ok && magnum.KindOf(err) != magnum.Unauthorized {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

func TestBoundToken(t *testing.T) {
	for ignore, want := range map[bool]bool{false: false, true: true} {
		f := start(t, func(c *keystone.Config) { c.Tokens.IgnoreBind = ignore })
		bound := f.Issue(keystonetest.Grant{User: keystonetest.DemoUser, Project: "p", Extra: map[string]any{"bind": map[string]any{"kerberos": "demo"}}})
		if _, err := f.Validate(t.Context(), bound); (err == nil) != want || !want && magnum.KindOf(err) != magnum.Unauthorized {
			t.Errorf("ignored: %v: %v", ignore, err)
		}
	}
}

// TestCacheOff asks Keystone each time, also about what it refused.
func TestCacheOff(t *testing.T) {
	f := start(t, func(c *keystone.Config) { c.CacheTTL = -1 })
	token := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	for n := 1; n <= 2; n++ {
		if _, err := f.Validate(t.Context(), token); err != nil || f.Calls(asked) != n {
			t.Errorf("%v after %d calls", err, f.Calls(asked))
		}
	}
	f.Revoke(token)
	for n := 3; n <= 4; n++ {
		if _, err := f.Validate(t.Context(), token); magnum.KindOf(err) != magnum.Unauthorized || f.Calls(asked) != n {
			t.Errorf("%v after %d calls", err, f.Calls(asked))
		}
	}
}

// TestAnswers is what is believed of Keystone's answers, and what of them is
// remembered of its health.
func TestAnswers(t *testing.T) {
	const good = `{"token":{"expires_at":"2099-01-01T00:00:00Z","user":{"id":"u","name":"n","domain":{"id":"d"}}}}`
	type header = map[string]string
	tests := map[string]struct {
		status int
		header header
		body   string
		want   magnum.Kind
		ok     bool
	}{
		"good":                   {200, header{"Content-Type": "application/json; charset=utf-8"}, good, 0, true},
		"without type":           {200, header{"Content-Type": ""}, good, magnum.Unavailable, false},
		"of another type":        {200, header{"Content-Type": "text/html"}, good, magnum.Unavailable, false},
		"cut off":                {200, nil, good[:60], magnum.Unavailable, false},
		"something behind it":    {200, nil, good + "}", magnum.Unavailable, false},
		"no token":               {200, nil, `{"token":null}`, magnum.Unavailable, false},
		"a list":                 {200, nil, `[]`, magnum.Unavailable, false},
		"no user":                {200, nil, `{"token":{"expires_at":"2099-01-01T00:00:00Z"}}`, magnum.Unavailable, false},
		"no expiry":              {200, nil, `{"token":{"user":{"id":"u"}}}`, magnum.Unavailable, false},
		"ran out":                {200, nil, strings.Replace(good, "2099", "1999", 1), magnum.Unauthorized, false},
		"another token's":        {200, header{"X-Subject-Token": "theirs"}, good, magnum.Unavailable, false},
		"created":                {201, nil, good, magnum.Unavailable, false},
		"an error with a 200":    {200, nil, `{"error":{"code":404}}`, magnum.Unavailable, false},
		"not found":              {404, nil, `{"error":{"code":404}}`, magnum.Unauthorized, false},
		"not found, a page":      {404, header{"Content-Type": "text/html"}, "<html>", magnum.Unavailable, false},
		"not found, by a router": {404, nil, `{"detail":"no such path"}`, magnum.Unavailable, false},
		"moved":                  {302, header{"Location": "/elsewhere"}, "", magnum.Unavailable, false},
		"a bad request":          {400, nil, `{"error":{"code":400}}`, magnum.Unavailable, false},
		"forbidden":              {403, nil, `{"error":{"code":403}}`, magnum.Unavailable, false},
		"too many":               {429, nil, "", magnum.Unavailable, false},
		"huge":                   {200, nil, strings.Repeat(" ", 5<<20) + good, magnum.Unavailable, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := start(t, nil)
			f.Fault = func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/elsewhere") {
					t.Error("went where Keystone pointed")
				}
				if r.Method != http.MethodGet {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				for name, v := range tc.header {
					w.Header()[name] = []string{v}
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
				return true
			}
			id, err := f.Validate(t.Context(), "mine")
			if (err == nil) != tc.ok || (id != nil) != tc.ok || !tc.ok && magnum.KindOf(err) != tc.want {
				t.Errorf("%+v, %v", id, err)
			}
			if tc.ok && id.Token != "mine" {
				t.Errorf("the token became %q", id.Token)
			}
		})
	}
}
