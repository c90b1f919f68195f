package keystone_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/go-magnum/magnum/core/keystone/keystonetest"
)

// TestTokenScope holds that a token for the system or a domain is known from
// one for a project.
func TestTokenScope(t *testing.T) {
	for scope, want := range map[string]struct {
		system bool
		domain string
	}{
		`"system": {"all": true}`:            {true, ""},
		`"domain": {"id": "d", "name": "D"}`: {false, "d"},
		`"project": {"id": "p", "name": "P", "domain": {"id": "default", "name": "Default"}}`: {false, ""},
		`"methods": ["password"]`: {false, ""},
	} {
		f := start(t, nil)
		f.Server.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != "GET" || r.URL.Path != "/v3/auth/tokens" {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, fmt.Sprintf(`{"token": {"expires_at": "2099-01-01T00:00:00.000000Z", %s,
				"user": {"id": "u", "name": "n", "domain": {"id": "default", "name": "Default"}}, "roles": [{"name": "admin"}]}}`, scope))
			return true
		}
		got, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, ""))
		if err != nil {
			t.Fatal(err)
		}
		if got.SystemScope != want.system || got.ScopeDomainID != want.domain {
			t.Errorf("%s: system %v, domain %q", scope, got.SystemScope, got.ScopeDomainID)
		}
	}
}
