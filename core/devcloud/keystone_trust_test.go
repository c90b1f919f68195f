package devcloud

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/trusts"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
)

// delegation is demo's, to a trustee in the cluster domain.
type delegation struct {
	cloud   *Cloud
	demo    *gophercloud.ProviderClient
	keeper  *gophercloud.ServiceClient
	trustor tokens.User
	project string
	trustee *users.User
}

func delegate(t *testing.T, config Config) *delegation {
	t.Helper()
	c := run(t, config)
	d := &delegation{cloud: c, demo: loginAs(t, c, "demo"), keeper: identityOf(t, loginAs(t, c, "magnum_domain_admin"))}
	d.trustor, _, _ = whoami(t, d.demo)
	result := d.demo.GetAuthResult().(tokens.CreateResult)
	project, err := result.ExtractProject()
	if err != nil {
		t.Fatal(err)
	}
	d.project = project.ID
	d.trustee, err = users.Create(t.Context(), d.keeper, users.CreateOpts{Name: "trustee", Password: "pw"}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *delegation) opts(role string) trusts.CreateOpts {
	return trusts.CreateOpts{
		TrustorUserID: d.trustor.ID, TrusteeUserID: d.trustee.ID, ProjectID: d.project, Impersonation: true,
		Roles: []trusts.Role{{Name: role}},
	}
}

// login uses a trust as the trustee.
func (d *delegation) login(t *testing.T, trust string) (*gophercloud.ProviderClient, error) {
	t.Helper()
	provider, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: d.cloud.AuthURL(), UserID: d.trustee.ID, Password: "pw", Scope: &gophercloud.AuthScope{TrustID: trust},
	})
	if err == nil {
		t.Cleanup(provider.HTTPClient.CloseIdleConnections)
	}
	return provider, err
}

func TestTrust(t *testing.T) {
	d := delegate(t, Config{})
	own := identityOf(t, d.demo)
	trust, err := trusts.Create(t.Context(), own, d.opts("member")).Extract()
	if err != nil || trust.TrusteeUserID != d.trustee.ID || len(trust.Roles) != 1 || !trust.DeletedAt.IsZero() {
		t.Fatalf("%+v, %v", trust, err)
	}
	delegated, err := d.login(t, trust.ID)
	if err != nil {
		t.Fatal(err)
	}
	user, project, names := whoami(t, delegated)
	if user.ID != d.trustor.ID || project != "demo" || !slices.Equal(names, []string{"member", "reader"}) {
		t.Errorf("the trustee acts as %+v in %s with %q", user, project, names)
	}
	if response, _ := request(t, "GET", d.cloud.URL()+"/network/v2.0/networks?name=demo-net", delegated.Token(), ""); response.StatusCode != 200 {
		t.Errorf("Neutron: %d", response.StatusCode)
	}
	// The token is not a way to others, not even to the project itself.
	for _, scope := range []string{"", `{"project":{"id":"` + d.project + `"}}`} {
		response, body := request(t, "POST", d.cloud.AuthURL()+"/auth/tokens", "", auth(byToken(delegated.Token()), scope))
		if response.StatusCode != 403 || !strings.Contains(body, "Using trust-scoped token to create another token") {
			t.Errorf("rescoped: %d %s", response.StatusCode, body)
		}
	}
	// Nobody else can use it.
	response, _ := request(t, "POST", d.cloud.AuthURL()+"/auth/tokens", "", auth(byPassword("alt", "secret"), `{"OS-TRUST:trust":{"id":"`+trust.ID+`"}}`))
	if response.StatusCode != 403 {
		t.Errorf("somebody else's: %d", response.StatusCode)
	}

	alt := identityOf(t, loginAs(t, d.cloud, "alt"))
	if _, err := trusts.Get(t.Context(), alt, trust.ID).Extract(); !gophercloud.ResponseCodeIs(err, 403) {
		t.Errorf("seen by others: %v", err)
	}
	if err := trusts.Delete(t.Context(), alt, trust.ID).ExtractErr(); !gophercloud.ResponseCodeIs(err, 403) {
		t.Errorf("deleted by others: %v", err)
	}
	page, err := trusts.List(own, trusts.ListOpts{TrustorUserID: d.trustor.ID}).AllPages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found, err := trusts.ExtractTrusts(page); err != nil || len(found) != 1 || found[0].ID != trust.ID {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := trusts.List(alt, trusts.ListOpts{TrustorUserID: d.trustor.ID}).AllPages(t.Context()); !gophercloud.ResponseCodeIs(err, 403) {
		t.Errorf("listed by others: %v", err)
	}

	// The trust's own token may end it, and ends with it.
	if err := trusts.Delete(t.Context(), identityOf(t, delegated), trust.ID).ExtractErr(); err != nil {
		t.Error(err)
	}
	if response, _ := request(t, "GET", d.cloud.AuthURL()+"/auth/projects", delegated.Token(), ""); response.StatusCode != 401 {
		t.Errorf("its token lives: %d", response.StatusCode)
	}
	if err := trusts.Delete(t.Context(), own, trust.ID).ExtractErr(); !gophercloud.ResponseCodeIs(err, 404) {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := d.login(t, trust.ID); !gophercloud.ResponseCodeIs(err, 401) {
		t.Errorf("used after: %v", err)
	}
}

func TestTrustRefused(t *testing.T) {
	d := delegate(t, Config{})
	own := identityOf(t, d.demo)
	past, uses := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC), -1
	for name, test := range map[string]struct {
		change func(*trusts.CreateOpts)
		status int
	}{
		"for somebody else":       {func(o *trusts.CreateOpts) { o.TrustorUserID = d.trustee.ID }, 403},
		"a role one has not":      {func(o *trusts.CreateOpts) { o.Roles[0].Name = "admin" }, 404},
		"a role there is not":     {func(o *trusts.CreateOpts) { o.Roles[0].Name = "nope" }, 404},
		"a role there is not, id": {func(o *trusts.CreateOpts) { o.Roles[0] = trusts.Role{ID: "nope"} }, 404},
		"no roles":                {func(o *trusts.CreateOpts) { o.Roles = nil }, 403},
		"to nobody":               {func(o *trusts.CreateOpts) { o.TrusteeUserID = "nope" }, 404},
		"for no project":          {func(o *trusts.CreateOpts) { o.ProjectID = "nope" }, 404},
		"already over":            {func(o *trusts.CreateOpts) { o.ExpiresAt = &past }, 400},
		"fewer than no uses":      {func(o *trusts.CreateOpts) { o.RemainingUses = uses }, 400},
		"too deep":                {func(o *trusts.CreateOpts) { o.AllowRedelegation, o.RedelegationCount = true, 9 }, 403},
	} {
		opts := d.opts("member")
		test.change(&opts)
		if _, err := trusts.Create(t.Context(), own, opts).Extract(); !gophercloud.ResponseCodeIs(err, test.status) {
			t.Errorf("%s: %v, want %d", name, err, test.status)
		}
	}
}

func TestTrustEnds(t *testing.T) {
	clock := newClock()
	d := delegate(t, Config{Now: clock.Now})
	own := identityOf(t, d.demo)
	soon := clock.Now().Add(time.Hour)
	opts := d.opts("member")
	opts.ExpiresAt = &soon
	expiring, err := trusts.Create(t.Context(), own, opts).Extract()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trusts.Create(t.Context(), own, opts).Extract(); !gophercloud.ResponseCodeIs(err, 409) {
		t.Errorf("the same twice: %v", err)
	}
	opts = d.opts("member")
	opts.RemainingUses = 1
	once, err := trusts.Create(t.Context(), own, opts).Extract()
	if err != nil {
		t.Fatal(err)
	}
	forever, err := trusts.Create(t.Context(), own, d.opts("member")).Extract()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id   string
		want []bool
	}{{once.ID, []bool{true, false}}, {expiring.ID, []bool{true, true}}, {forever.ID, []bool{true, true}}} {
		for i, want := range test.want {
			if _, err := d.login(t, test.id); (err == nil) != want {
				t.Errorf("use %d of %s: %v", i, test.id, err)
			}
		}
	}
	clock.advance(time.Hour)
	if _, err := d.login(t, expiring.ID); !gophercloud.ResponseCodeIs(err, 401) {
		t.Errorf("after it expired: %v", err)
	}
	// Without the trustee there is no trust.
	if err := users.Delete(t.Context(), d.keeper, d.trustee.ID).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	if _, err := trusts.Get(t.Context(), own, forever.ID).Extract(); !gophercloud.ResponseCodeIs(err, 404) {
		t.Errorf("after the trustee: %v", err)
	}
}

func TestRedelegation(t *testing.T) {
	d := delegate(t, Config{})
	own := identityOf(t, d.demo)
	plain, err := trusts.Create(t.Context(), own, d.opts("member")).Extract()
	if err != nil {
		t.Fatal(err)
	}
	opts := d.opts("member")
	opts.AllowRedelegation, opts.RedelegationCount = true, 1
	deep, err := trusts.Create(t.Context(), own, opts).Extract()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, trust, role string
		refused           bool
	}{
		{"a trust that is not to be passed on", plain.ID, "member", true},
		{"a role of the user's that the trust has not", deep.ID, "creator", true},
		{"what the trust has", deep.ID, "member", false},
	} {
		provider, err := d.login(t, test.trust)
		if err != nil {
			t.Fatal(err)
		}
		made, err := trusts.Create(t.Context(), identityOf(t, provider), d.opts(test.role)).Extract()
		if test.refused {
			if !gophercloud.ResponseCodeIs(err, 403) {
				t.Errorf("%s: %v", test.what, err)
			}
			continue
		}
		if err != nil || made.RedelegatedTrustID != deep.ID || made.RedelegationCount != 0 {
			t.Fatalf("%s: %+v, %v", test.what, made, err)
		}
		// It ends with the one it was made from.
		if err := trusts.Delete(t.Context(), own, deep.ID).ExtractErr(); err != nil {
			t.Fatal(err)
		}
		if _, err := d.login(t, made.ID); !gophercloud.ResponseCodeIs(err, 401) {
			t.Errorf("outlived its parent: %v", err)
		}
	}
}
