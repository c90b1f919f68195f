package keystone_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// A new trust beside the one there is; then all but that go.
func TestRenewTrust(t *testing.T) {
	f := start(t, nil)
	ctx := t.Context()
	user, err := f.EnsureTrustee(ctx, "c_p", "first")
	if err != nil {
		t.Fatal(err)
	}
	trustee := keystone.Trustee{UserID: user, Password: "first"}
	of := func(who string) keystone.TrustRequest {
		return keystone.TrustRequest{
			Trustee: keystone.Trustee{UserID: user}, Token: f.Token(who, "p"),
			Initiator: magnum.Initiator{UserID: who, ProjectID: "p", Roles: []string{"member"}},
		}
	}
	first := of(keystonetest.DemoUser)
	first.Trustee = trustee
	old, err := f.EnsureTrust(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.TrustSession(ctx, trustee, old); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{keystonetest.DemoUser, keystonetest.OtherUser} {
		made, err := f.RenewTrust(ctx, of(who), old)
		if err != nil || made == old || made == "" {
			t.Fatalf("%s: %q, %v", who, made, err)
		}
		if again, err := f.RenewTrust(ctx, of(who), old); err != nil || again != made {
			t.Errorf("%s: a repeat made %q, %v", who, again, err)
		}
		old = made
	}
	if n := f.Trusts(); n != 3 {
		t.Errorf("%d trusts", n)
	}
	if err := f.SetPassword(ctx, user, "second"); err != nil || f.PasswordOf(user) != "second" {
		t.Errorf("password %q, %v", f.PasswordOf(user), err)
	}
	if err := f.PruneTrusts(ctx, trustee, old); magnum.KindOf(err) != magnum.Unauthorized {
		t.Errorf("with the former password: %v", err)
	}
	trustee.Password = "second"
	for range 2 {
		if err := f.PruneTrusts(ctx, trustee, old); err != nil || f.Trusts() != 1 {
			t.Errorf("%v, %d trusts", err, f.Trusts())
		}
	}
	if diff := cmp.Diff([]string{keystonetest.OtherUser}, f.Trustors()); diff != "" {
		t.Errorf("what is left is of (-want +got):\n%s", diff)
	}
	if _, err := f.TrustSession(ctx, trustee, old); err != nil {
		t.Errorf("the one that is kept: %v", err)
	}
	if err := f.PruneTrusts(ctx, trustee, ""); err != nil || f.Trusts() != 0 {
		t.Errorf("all: %v, %d trusts", err, f.Trusts())
	}
	r := of(keystonetest.DemoUser)
	f.Revoke(r.Token)
	if _, err := f.RenewTrust(ctx, r, old); magnum.KindOf(err) != magnum.Invalid || !strings.Contains(err.Error(), "no longer valid") {
		t.Errorf("with a token that was revoked: %v", err)
	}
	err = f.SetPassword(ctx, "nobody", "secret-password")
	if magnum.KindOf(err) != magnum.Invalid || err == nil || strings.Contains(err.Error(), "secret-password") {
		t.Errorf("of nobody: %v", err)
	}
}
