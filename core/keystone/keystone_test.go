package keystone_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const asked = "GET /v3/auth/tokens"

type fixture struct {
	*keystonetest.Server
	*keystone.Client
	now time.Time
}

func start(t testing.TB, change func(*keystone.Config)) *fixture {
	t.Helper()
	f := &fixture{Server: keystonetest.Start(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	f.Server.Now = func() time.Time { return f.now }
	c := keystone.Config{
		AuthURL: f.URL, Username: "magnum", Password: keystonetest.Password, UserDomainName: "Default",
		ProjectName: "service", ProjectDomainName: "Default", HTTPClient: f.Server.Client(), Now: f.Server.Now,
		Trust: keystone.TrustConfig{DomainName: keystonetest.DomainName, AdminName: "magnum_domain_admin", AdminPassword: keystonetest.Password},
	}
	if change != nil {
		change(&c)
	}
	var err error
	if f.Client, err = keystone.New(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Server.Client().CloseIdleConnections)
	return f
}

func TestValidate(t *testing.T) {
	f := start(t, nil)
	token := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	got, err := f.Validate(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	want := &keystone.Identity{
		UserID: keystonetest.DemoUser, UserName: "demo", UserDomainID: "default", DomainName: "Default",
		ProjectID: keystonetest.DemoProj, ProjectName: keystonetest.DemoProj, ProjectDomainID: "default", Roles: []string{"member", "reader"},
		Token: token, ExpiresAt: f.now.Add(time.Hour),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got.Roles[0] = "admin" // a caller's copy
	if again, err := f.Validate(t.Context(), token); err != nil || again.IsAdminRole() {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestCache(t *testing.T) {
	f := start(t, nil)
	f.Life = 7 * time.Minute
	token := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	look := func(wantCalls int, wantKind magnum.Kind, ok bool) {
		t.Helper()
		_, err := f.Validate(t.Context(), token)
		if (err == nil) != ok || !ok && magnum.KindOf(err) != wantKind || f.Calls(asked) != wantCalls {
			t.Errorf("%v after %d calls, want %d", err, f.Calls(asked), wantCalls)
		}
	}
	look(1, 0, true)
	look(1, 0, true)
	f.now = f.now.Add(4 * time.Minute)
	look(1, 0, true)
	f.now = f.now.Add(2 * time.Minute) // older than the cache keeps it
	look(2, 0, true)
	f.now = f.now.Add(2 * time.Minute) // the token itself has run out
	look(3, magnum.Unauthorized, false)
	look(3, magnum.Unauthorized, false) // refused from the cache, for a moment
	f.now = f.now.Add(11 * time.Second)
	look(4, magnum.Unauthorized, false)
}

// However many ask, Keystone is asked once; and one who gives up does not
// spoil it for the others.
func TestSingleFlight(t *testing.T) {
	f := start(t, nil)
	token := f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	arrived, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			once.Do(func() { close(arrived) })
			<-answer
		}
		return false
	}
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 9)
	go func() {
		_, err := f.Validate(ctx, token)
		errs <- err
	}()
	<-arrived
	cancel()
	if err := <-errs; err == nil {
		t.Error("the one who gave up got an answer")
	}
	for range 8 {
		go func() {
			_, err := f.Validate(t.Context(), token)
			errs <- err
		}()
	}
	close(answer)
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := f.Calls(asked); n != 1 {
		t.Errorf("Keystone was asked %d times", n)
	}
}

func TestFailClosed(t *testing.T) {
	tests := map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request) bool
		token string
		want  magnum.Kind
	}{
		"Keystone fails":            {func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true }, "", magnum.Unavailable},
		"nonsense for an answer":    {func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(200); return true }, "", magnum.Unavailable},
		"the service is locked out": {func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(401); return true }, "", magnum.Unavailable},
		"an answer without user": {func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"token":{"expires_at":"2099-01-01T00:00:00Z"}}`))
			return true
		}, "", magnum.Unavailable},
		"an unknown token": {nil, "who-knows", magnum.Unauthorized},
		"an empty token":   {nil, " ", magnum.Unauthorized},
		"a header in it":   {nil, "a\r\nX-Evil: 1", magnum.Unauthorized},
		"a huge one":       {nil, strings.Repeat("a", 1<<20), magnum.Unauthorized},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f := start(t, nil)
			f.Fault = tc.fault
			if tc.token == "" {
				tc.token = f.Token(keystonetest.DemoUser, keystonetest.DemoProj)
			}
			id, err := f.Validate(t.Context(), tc.token)
			if id != nil || magnum.KindOf(err) != tc.want {
				t.Errorf("%+v, %v", id, err)
			}
			if err != nil && (strings.Contains(err.Error(), tc.token) && tc.token != " " || strings.Contains(err.Error(), keystonetest.Password)) {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

// The service's own token may be revoked at any time.
func TestServiceLogsInAgain(t *testing.T) {
	f := start(t, nil)
	if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil {
		t.Fatal(err)
	}
	p, err := f.ServiceSession(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Revoke(p.Token())
	if _, err := f.Validate(t.Context(), f.Token(keystonetest.DemoUser, "p")); err != nil {
		t.Error(err)
	}
}

func TestTrusteeCalls(t *testing.T) {
	const cluster = "11111111-2222-4333-8444-555555555555"
	f := start(t, nil)
	id, err := f.EnsureTrustee(t.Context(), keystone.TrusteeName(cluster, "the-project"), "pw")
	if err != nil {
		t.Fatal(err)
	}
	odd, err := f.EnsureTrustee(t.Context(), "no-uuid_project", "pw")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		what, user, project   string
		wantCluster, wantProj string
	}{
		{"a node", id, "", cluster, "the-project"},
		{"the same user with a scope", id, "p", "", "p"},
		{"a name of another kind", odd, "", "", ""},
		{"a user of another domain", keystonetest.DemoUser, "", "", ""},
	}
	for _, tc := range tests {
		got, err := f.Validate(t.Context(), f.Token(tc.user, tc.project))
		if err != nil || got.ClusterUUID != tc.wantCluster || got.ProjectID != tc.wantProj {
			t.Errorf("%s: %+v, %v", tc.what, got, err)
		}
	}
}

func TestEndpoint(t *testing.T) {
	f := start(t, nil)
	f.Catalog["volumev3"] = "http://cinder/v3/{project}"
	for _, tc := range []struct{ kind, iface, region, want string }{
		{"identity", "publicURL", "", f.URL + "/v3"},
		{"identity", "", "RegionOne", f.URL + "/v3"},
		{"block-storage", "public", "", "http://cinder/v3/service"},
		{"identity", "internal", "", ""},
		{"identity", "public", "RegionTwo", ""},
		{"load-balancer", "", "", ""},
	} {
		got, err := f.Endpoint(t.Context(), tc.kind, tc.iface, tc.region)
		if got != tc.want || tc.want == "" && magnum.KindOf(err) != magnum.NotFound {
			t.Errorf("%+v: %q, %v", tc, got, err)
		}
	}
}

func TestTrust(t *testing.T) {
	f := start(t, nil)
	ctx := t.Context()
	user, err := f.EnsureTrustee(ctx, "c_p", "first")
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"first", "second"} { // a repeat, with what was saved
		if again, err := f.EnsureTrustee(ctx, "c_p", password); err != nil || again != user {
			t.Fatalf("%q, %v", again, err)
		}
	}
	trustee := keystone.Trustee{UserID: user, Password: "second"}
	r := keystone.TrustRequest{
		Trustee: trustee, Token: f.Token(keystonetest.DemoUser, "p"),
		Initiator: magnum.Initiator{UserID: keystonetest.DemoUser, ProjectID: "p", Roles: []string{"member"}},
	}
	trust, err := f.EnsureTrust(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	r.Token = "gone" // a repeat needs none
	if again, err := f.EnsureTrust(ctx, r); err != nil || again != trust || f.Trusts() != 1 {
		t.Fatalf("%q, %v, %d trusts", again, err, f.Trusts())
	}
	p, err := f.TrustSession(ctx, trustee, trust)
	if err != nil {
		t.Fatal(err)
	}
	if project, ok := f.Known(p.Token()); !ok || project != "p" {
		t.Errorf("the session is in project %q", project)
	}
	logins := f.Calls("POST /v3/auth/tokens")
	if again, err := f.TrustSession(ctx, trustee, trust); err != nil || again != p || f.Calls("POST /v3/auth/tokens") != logins {
		t.Errorf("the session was not kept: %v", err)
	}
	f.now = f.now.Add(56 * time.Minute) // its token is about to run out
	if again, err := f.TrustSession(ctx, trustee, trust); err != nil || again == p {
		t.Errorf("the session was not renewed: %v", err)
	}
	for range 2 {
		if err := f.DeleteTrust(ctx, trustee, trust); err != nil || f.Trusts() != 0 {
			t.Errorf("%v, %d trusts", err, f.Trusts())
		}
	}
	if _, err := f.TrustSession(ctx, trustee, trust); magnum.KindOf(err) != magnum.Unauthorized || strings.Contains(err.Error(), trust) {
		t.Errorf("session of a trust that is gone: %v", err)
	}
	for range 2 {
		if err := f.DeleteTrustee(ctx, user, "c_p"); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.EnsureTrustee(ctx, "d_p", "pw"); err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteTrustee(ctx, "", "d_p"); err != nil || len(f.Users(keystonetest.TrustDom)) != 1 {
		t.Errorf("by name: %v, users %v", err, f.Users(keystonetest.TrustDom))
	}
}

func TestTrustRefused(t *testing.T) {
	f := start(t, nil)
	user, err := f.EnsureTrustee(t.Context(), "c_p", "pw")
	if err != nil {
		t.Fatal(err)
	}
	f.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/trusts") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"error":{"message":"Using method 'application_credential' is not allowed for managing trusts."}}`))
		return true
	}
	_, err = f.EnsureTrust(t.Context(), keystone.TrustRequest{
		Trustee: keystone.Trustee{UserID: user, Password: "pw"}, Token: f.Token(keystonetest.DemoUser, "p"),
		Initiator: magnum.Initiator{UserID: keystonetest.DemoUser, ProjectID: "p"},
	})
	var e *magnum.Error
	want := "Failed to create trust for trustee " + user + ". Using method 'application_credential' is not allowed for managing trusts."
	if !errors.As(err, &e) || e.Kind != magnum.Invalid || e.Message != want {
		t.Errorf("%v", err)
	}
}

func TestNoTrusteeDomain(t *testing.T) {
	f := start(t, func(c *keystone.Config) { c.Trust = keystone.TrustConfig{} })
	_, err := f.EnsureTrustee(t.Context(), "c_p", "pw")
	if magnum.KindOf(err) != magnum.Invalid || !strings.Contains(err.Error(), "[trust] trustee_domain_name") {
		t.Errorf("%v", err)
	}
}

func TestSeal(t *testing.T) {
	key := keystone.SealKey("password")
	sealed, err := keystone.Seal(key, "the-token")
	if err != nil {
		t.Fatal(err)
	}
	other, err := keystone.Seal(key, "the-token")
	if err != nil || bytes.Equal(sealed, other) || bytes.Contains(sealed, []byte("the-token")) {
		t.Errorf("sealed alike, or in clear: %v", err)
	}
	if got, err := keystone.Open(keystone.SealKey("password"), sealed); err != nil || got != "the-token" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := keystone.Open(keystone.SealKey("another"), sealed); err == nil {
		t.Error("opened with another key")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := keystone.Open(key, sealed); err == nil {
		t.Error("opened after it was altered")
	}
}
