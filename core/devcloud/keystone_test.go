package devcloud

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/roles"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"
)

// identityOf is a client of Keystone with a session's token.
func identityOf(t *testing.T, provider *gophercloud.ProviderClient) *gophercloud.ServiceClient {
	t.Helper()
	service, err := openstack.NewIdentityV3(provider, gophercloud.EndpointOpts{})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func whoami(t *testing.T, provider *gophercloud.ProviderClient) (user tokens.User, project string, names []string) {
	t.Helper()
	result, ok := provider.GetAuthResult().(tokens.CreateResult)
	if !ok {
		t.Fatalf("authenticated by %T", provider.GetAuthResult())
	}
	u, err := result.ExtractUser()
	if err != nil {
		t.Fatal(err)
	}
	if p, err := result.ExtractProject(); err != nil {
		t.Fatal(err)
	} else if p != nil {
		project = p.Name
	}
	given, err := result.ExtractRoles()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range given {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return *u, project, names
}

func TestAccounts(t *testing.T) {
	c := run(t, Config{})
	for name, want := range map[string][]string{
		"admin":  {"admin", "admin", "member", "reader"},
		"demo":   {"demo", "creator", "heat_stack_owner", "load-balancer_member", "member", "reader"},
		"alt":    {"alt", "creator", "heat_stack_owner", "load-balancer_member", "member", "reader"},
		"reader": {"demo", "reader"},
		"magnum": {"service", "admin", "member", "reader", "service"},
	} {
		user, project, names := whoami(t, loginAs(t, c, name))
		if diff := cmp.Diff(want, append([]string{project}, names...)); diff != "" || user.Name != name || user.Domain.Name != "Default" {
			t.Errorf("%s: %+v %s", name, user, diff)
		}
	}
	user, project, names := whoami(t, loginAs(t, c, "magnum_domain_admin"))
	if user.Domain.Name != "magnum" || project != "" || !slices.Contains(names, "admin") {
		t.Errorf("%+v in %q with %q", user, project, names)
	}
}

func TestCatalog(t *testing.T) {
	c := run(t, Config{Region: "north", MagnumURL: "http://m.example/v1"})
	result := loginAs(t, c, "demo").GetAuthResult().(tokens.CreateResult)
	project, err := result.ExtractProject()
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := result.ExtractServiceCatalog()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, entry := range catalog.Entries {
		for _, endpoint := range entry.Endpoints {
			if endpoint.Region != "north" || endpoint.RegionID != "north" {
				t.Errorf("%s is in %s", entry.Type, endpoint.Region)
			}
			got[entry.Type+" "+endpoint.Interface] = strings.TrimPrefix(endpoint.URL, c.URL())
		}
	}
	want := map[string]string{}
	for kind, path := range map[string]string{
		"identity": "/identity/v3", "image": "/image", "compute": "/compute/v2.1", "network": "/network",
		"volumev3": "/volume/v3/" + project.ID, "orchestration": "/heat/v1/" + project.ID, "cloudformation": "/heat-cfn/v1",
		"key-manager": "/key-manager", "load-balancer": "/load-balancer", "container-infra": "http://m.example/v1",
	} {
		for _, face := range []string{"public", "internal", "admin"} {
			want[kind+" "+face] = path
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	c.SetMagnumURL("http://n.example/v1/")
	if _, body := request(t, "GET", c.AuthURL()+"/auth/catalog", loginAs(t, c, "demo").Token(), ""); !strings.Contains(body, `"http://n.example/v1"`) {
		t.Errorf("the catalogue has not heard of it: %s", body)
	}
}

func auth(identity, scope string) string {
	if scope != "" {
		identity += `,"scope":` + scope
	}
	return `{"auth":{"identity":` + identity + `}}`
}

func byPassword(name, password string) string {
	return fmt.Sprintf(`{"methods":["password"],"password":{"user":{"name":%q,"domain":{"id":"default"},"password":%q}}}`, name, password)
}

func byToken(token string) string {
	return fmt.Sprintf(`{"methods":["token"],"token":{"id":%q}}`, token)
}

func TestAuthenticationRefused(t *testing.T) {
	c := run(t, Config{})
	demo := loginAs(t, c, "demo").Token()
	good := byPassword("demo", "secret")
	tests := map[string]struct {
		body   string
		status int
		says   string
	}{
		"no JSON":             {"{", 400, "Expecting to find valid JSON in request body."},
		"nothing":             {"{}", 400, "'identity' is a required property"},
		"no identity":         {`{"auth":{}}`, 400, "'identity' is a required property"},
		"no methods":          {auth(`{"methods":[]}`, ""), 401, authenticationRequired},
		"no password":         {auth(`{"methods":["password"]}`, ""), 400, "Expecting to find password in identity."},
		"no domain":           {auth(`{"methods":["password"],"password":{"user":{"name":"demo"}}}`, ""), 400, "Expecting to find domain in user."},
		"wrong password":      {auth(byPassword("demo", "x"), ""), 401, authenticationRequired},
		"empty password":      {auth(byPassword("demo", ""), ""), 401, authenticationRequired},
		"nobody":              {auth(byPassword("nobody", "secret"), ""), 401, authenticationRequired},
		"unknown method":      {auth(`{"methods":["totp"]}`, ""), 401, "unsupported method"},
		"unknown token":       {auth(byToken("x"), ""), 404, "Could not recognize token"},
		"another's project":   {auth(good, `{"project":{"name":"alt","domain":{"id":"default"}}}`), 401, authenticationRequired},
		"unknown project":     {auth(good, `{"project":{"name":"x","domain":{"id":"default"}}}`), 401, authenticationRequired},
		"project of nowhere":  {auth(good, `{"project":{"name":"demo"}}`), 400, "Expecting to find domain in project."},
		"a domain":            {auth(good, `{"domain":{"id":"default"}}`), 401, authenticationRequired},
		"the system":          {auth(good, `{"system":{"all":true}}`), 401, authenticationRequired},
		"unknown trust":       {auth(good, `{"OS-TRUST:trust":{"id":"x"}}`), 401, authenticationRequired},
		"two scopes":          {auth(good, `{"project":{"id":"x"},"domain":{"id":"y"}}`), 400, "more than one"},
		"token, no such role": {auth(byToken(demo), `{"project":{"name":"alt","domain":{"id":"default"}}}`), 401, authenticationRequired},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			response, body := request(t, "POST", c.AuthURL()+"/auth/tokens", "", test.body)
			if response.StatusCode != test.status || !strings.Contains(body, test.says) || response.Header.Get("X-Subject-Token") != "" {
				t.Errorf("got %d %s", response.StatusCode, body)
			}
		})
	}
}

func TestTokensFromTokens(t *testing.T) {
	clock := newClock()
	c := run(t, Config{TokenTTL: time.Hour, Now: clock.Now})
	first := loginAs(t, c, "demo").Token()
	clock.advance(30 * time.Minute)
	response, body := request(t, "POST", c.AuthURL()+"/auth/tokens?nocatalog", "", auth(byToken(first), `{"project":{"name":"demo","domain":{"name":"Default"}}}`))
	var shown struct {
		Token struct {
			Methods   []string
			ExpiresAt string   `json:"expires_at"`
			IssuedAt  string   `json:"issued_at"`
			AuditIDs  []string `json:"audit_ids"`
			Catalog   any
			IsDomain  *bool `json:"is_domain"`
		}
	}
	if err := json.Unmarshal([]byte(body), &shown); err != nil || response.StatusCode != 201 {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	got := shown.Token
	if got.ExpiresAt != "2030-01-02T04:04:05.000000Z" || got.IssuedAt != "2030-01-02T03:34:05.000000Z" ||
		!slices.Equal(got.Methods, []string{"password", "token"}) || len(got.AuditIDs) != 2 || got.Catalog != nil || got.IsDomain == nil {
		t.Errorf("got %s", body)
	}
	_, unscoped := request(t, "POST", c.AuthURL()+"/auth/tokens", "", auth(byToken(first), `"unscoped"`))
	for _, member := range []string{`"project"`, `"roles"`, `"catalog"`} {
		if strings.Contains(unscoped, member) {
			t.Errorf("an unscoped token has %s", member)
		}
	}
}

func TestValidation(t *testing.T) {
	clock := newClock()
	c := run(t, Config{TokenTTL: time.Hour, Now: clock.Now})
	demo, alt, magnum := loginAs(t, c, "demo"), loginAs(t, c, "alt"), loginAs(t, c, "magnum")
	validate := func(method, by, subject string) int {
		response, _ := request(t, method, c.AuthURL()+"/auth/tokens", by, "", "X-Subject-Token", subject)
		if response.StatusCode == 200 && response.Header.Get("X-Subject-Token") != subject {
			t.Error("the answer is about another token")
		}
		return response.StatusCode
	}
	for _, method := range []string{"GET", "HEAD"} {
		for _, test := range []struct {
			what, by, subject string
			want              int
		}{
			{"a service", magnum.Token(), demo.Token(), 200},
			{"oneself", demo.Token(), demo.Token(), 200},
			{"another", demo.Token(), alt.Token(), 403},
			{"unknown", magnum.Token(), "x", 404},
			{"none", magnum.Token(), "", 404},
			{"none, by anybody", demo.Token(), "", 403},
			{"by nobody", "", demo.Token(), 401},
			{"by unknown", "x", demo.Token(), 401},
		} {
			if got := validate(method, test.by, test.subject); got != test.want {
				t.Errorf("%s %s: got %d, want %d", method, test.what, got, test.want)
			}
		}
	}
	result, err := tokens.Get(t.Context(), identityOf(t, magnum), demo.Token()).ExtractToken()
	if err != nil || !result.ExpiresAt.Equal(clock.Now().Add(time.Hour)) {
		t.Errorf("%+v, %v", result, err)
	}

	// Revoked: gone for the service, no good to its owner.
	if err := tokens.Revoke(t.Context(), identityOf(t, alt), alt.Token()).Err; err != nil {
		t.Error(err)
	}
	if got := validate("GET", magnum.Token(), alt.Token()); got != 404 {
		t.Errorf("a revoked token: %d", got)
	}
	if response, _ := request(t, "GET", c.URL()+"/image/v2/images", alt.Token(), ""); response.StatusCode != 401 {
		t.Errorf("a revoked token opens Glance: %d", response.StatusCode)
	}
	if response, _ := request(t, "DELETE", c.AuthURL()+"/auth/tokens", demo.Token(), "", "X-Subject-Token", magnum.Token()); response.StatusCode != 403 {
		t.Errorf("revoking another's: %d", response.StatusCode)
	}

	// Expired: the same.
	clock.advance(59 * time.Minute)
	if got := validate("GET", demo.Token(), demo.Token()); got != 200 {
		t.Errorf("just before it expires: %d", got)
	}
	clock.advance(time.Minute)
	if got := validate("GET", loginAs(t, c, "magnum").Token(), demo.Token()); got != 404 {
		t.Errorf("an expired token: %d", got)
	}
	if got := validate("GET", demo.Token(), demo.Token()); got != 401 {
		t.Errorf("an expired token asks: %d", got)
	}
}

func TestUsers(t *testing.T) {
	c := run(t, Config{})
	keeper := identityOf(t, loginAs(t, c, "magnum_domain_admin"))
	demo := identityOf(t, loginAs(t, c, "demo"))
	trustees := mustDomain(t, c)

	made, err := users.Create(t.Context(), keeper, users.CreateOpts{Name: "t", Password: "pw-1", DomainID: trustees, Extra: map[string]any{"note": "x"}}).Extract()
	if err != nil || made.DomainID != trustees || !made.Enabled || made.Extra["note"] != "x" {
		t.Fatalf("%+v, %v", made, err)
	}
	same, err := users.Create(t.Context(), keeper, users.CreateOpts{Name: "by-scope"}).Extract()
	if err != nil || same.DomainID != trustees {
		t.Errorf("a domain's token makes users elsewhere: %+v, %v", same, err)
	}
	_, err = users.Create(t.Context(), keeper, users.CreateOpts{Name: "t", DomainID: trustees}).Extract()
	if !gophercloud.ResponseCodeIs(err, 409) {
		t.Errorf("the same name twice: %v", err)
	}
	_, err = users.Create(t.Context(), demo, users.CreateOpts{Name: "u"}).Extract()
	if !gophercloud.ResponseCodeIs(err, 403) {
		t.Errorf("a member makes users: %v", err)
	}
	_, err = users.Create(t.Context(), keeper, users.CreateOpts{Name: "u", DomainID: "nope"}).Extract()
	if !gophercloud.ResponseCodeIs(err, 404) {
		t.Errorf("in no domain: %v", err)
	}

	found := names(t, users.List(keeper, users.ListOpts{}), users.ExtractUsers, func(u users.User) string { return u.Name })
	if diff := cmp.Diff([]string{"magnum_domain_admin", "t", "by-scope"}, found); diff != "" {
		t.Errorf("a domain's token sees: %s", diff)
	}
	found = names(t, users.List(keeper, users.ListOpts{DomainID: trustees, Name: "t"}), users.ExtractUsers, func(u users.User) string { return u.ID })
	if !slices.Equal(found, []string{made.ID}) {
		t.Errorf("by name: %q", found)
	}

	asTrustee := func(password string) gophercloud.AuthOptions {
		return gophercloud.AuthOptions{IdentityEndpoint: c.AuthURL(), UserID: made.ID, Password: password}
	}
	earlier := session(t, asTrustee("pw-1"))
	if _, err := users.Update(t.Context(), keeper, made.ID, users.UpdateOpts{Password: "pw-2", Enabled: new(true)}).Extract(); err != nil {
		t.Error(err)
	}
	if _, err := openstack.AuthenticatedClient(t.Context(), asTrustee("pw-1")); !gophercloud.ResponseCodeIs(err, 401) {
		t.Errorf("the old password: %v", err)
	}
	if response, _ := request(t, "GET", c.AuthURL()+"/auth/projects", earlier.Token(), ""); response.StatusCode != 401 {
		t.Errorf("a token of before the password was changed: %d", response.StatusCode)
	}
	own := session(t, asTrustee("pw-2"))
	if _, err := users.Get(t.Context(), identityOf(t, own), made.ID).Extract(); err != nil {
		t.Errorf("oneself: %v", err)
	}
	if _, err := users.Update(t.Context(), keeper, made.ID, users.UpdateOpts{Enabled: new(false)}).Extract(); err != nil {
		t.Error(err)
	}
	if response, _ := request(t, "GET", c.AuthURL()+"/auth/projects", own.Token(), ""); response.StatusCode != 401 {
		t.Errorf("a disabled user's token: %d", response.StatusCode)
	}
	for i, want := range []int{204, 404} {
		if response, _ := request(t, "DELETE", c.AuthURL()+"/users/"+made.ID, keeper.Token(), ""); response.StatusCode != want {
			t.Errorf("delete %d: got %d, want %d", i, response.StatusCode, want)
		}
	}
}

func mustDomain(t *testing.T, c *Cloud) string {
	t.Helper()
	result := loginAs(t, c, "magnum_domain_admin").GetAuthResult().(tokens.CreateResult)
	user, err := result.ExtractUser()
	if err != nil {
		t.Fatal(err)
	}
	return user.Domain.ID
}

func TestProjectsAndRoles(t *testing.T) {
	c := run(t, Config{})
	admin := identityOf(t, loginAs(t, c, "admin"))
	demo := loginAs(t, c, "demo")
	user, _, _ := whoami(t, demo)
	list := func(service *gophercloud.ServiceClient) []string {
		return names(t, projects.List(service, projects.ListOpts{}), projects.ExtractProjects, func(p projects.Project) string { return p.Name })
	}
	if diff := cmp.Diff([]string{"admin", "demo", "alt", "service"}, list(admin)); diff != "" {
		t.Error(diff)
	}
	if got := list(identityOf(t, loginAs(t, c, "magnum_domain_admin"))); got != nil {
		t.Errorf("a domain without projects lists %q", got)
	}
	own := names(t, projects.ListAvailable(identityOf(t, demo)), projects.ExtractProjects, func(p projects.Project) string { return p.ID })
	if len(own) != 1 {
		t.Fatalf("own projects: %q", own)
	}
	assignments := names(t, roles.ListAssignmentsOnResource(admin, roles.ListAssignmentsOnResourceOpts{UserID: user.ID, ProjectID: own[0]}),
		roles.ExtractRoles, func(r roles.Role) string { return r.Name })
	if diff := cmp.Diff([]string{"member", "creator", "heat_stack_owner", "load-balancer_member"}, assignments); diff != "" {
		t.Error(diff)
	}
	effective := names(t, roles.ListAssignments(admin, roles.ListAssignmentsOpts{UserID: user.ID, Effective: new(true), IncludeNames: new(true)}),
		roles.ExtractRoleAssignments, func(a roles.RoleAssignment) string { return a.Role.Name + "@" + a.Scope.Project.Name })
	if !slices.Contains(effective, "reader@demo") || len(effective) != 5 {
		t.Errorf("effective: %q", effective)
	}

	// Taking a role away ends the tokens that stood on it.
	allRoles := names(t, roles.List(admin, roles.ListOpts{Name: "member"}), roles.ExtractRoles, func(r roles.Role) string { return r.ID })
	member := roles.UnassignOpts{UserID: user.ID, ProjectID: own[0]}
	if err := roles.Unassign(t.Context(), admin, allRoles[0], member).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	if response, _ := request(t, "GET", c.AuthURL()+"/auth/projects", demo.Token(), ""); response.StatusCode != 401 {
		t.Errorf("the token lives: %d", response.StatusCode)
	}
	if _, _, left := whoami(t, loginAs(t, c, "demo")); slices.Contains(left, "member") || slices.Contains(left, "reader") {
		t.Errorf("left: %q", left)
	}
	if err := roles.Assign(t.Context(), admin, allRoles[0], roles.AssignOpts(member)).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	if _, _, back := whoami(t, loginAs(t, c, "demo")); !slices.Contains(back, "member") {
		t.Errorf("back: %q", back)
	}
}
