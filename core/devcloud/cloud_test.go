package devcloud

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)} }

// run starts a cloud that ends with the test.
func run(t *testing.T, config Config) *Cloud {
	t.Helper()
	c, err := Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

// loginAs is a gophercloud session as one of the cloud's users, as the
// environment of OpenRC makes it.
func loginAs(t *testing.T, c *Cloud, name string) *gophercloud.ProviderClient {
	t.Helper()
	env := c.OpenRC(name)
	if env == nil {
		t.Fatalf("no user %s", name)
	}
	scope := &gophercloud.AuthScope{ProjectName: env["OS_PROJECT_NAME"], DomainName: env["OS_PROJECT_DOMAIN_NAME"]}
	if env["OS_DOMAIN_NAME"] != "" {
		scope = &gophercloud.AuthScope{DomainName: env["OS_DOMAIN_NAME"]}
	}
	return session(t, gophercloud.AuthOptions{
		IdentityEndpoint: env["OS_AUTH_URL"], Username: env["OS_USERNAME"], Password: env["OS_PASSWORD"],
		DomainName: env["OS_USER_DOMAIN_NAME"], Scope: scope,
	})
}

func session(t *testing.T, options gophercloud.AuthOptions) *gophercloud.ProviderClient {
	t.Helper()
	provider, err := openstack.AuthenticatedClient(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(provider.HTTPClient.CloseIdleConnections)
	return provider
}

// request is a bare call, for what gophercloud would hide.
func request(t *testing.T, method, url, token, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("X-Auth-Token", token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r) // no redirects
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// TestAnswers holds statuses and bodies to what the real services were seen
// to answer.
func TestAnswers(t *testing.T) {
	c := run(t, Config{})
	demo := loginAs(t, c, "demo")
	const unauthorized = `{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`
	const none, bad = "", "bad"
	token, admin := demo.Token(), loginAs(t, c, "admin").Token()
	tests := []struct {
		method, path, token string
		status              int
		contains            string
	}{
		{"GET", "/identity", none, 300, `"id":"v3.14"`},
		{"GET", "/identity/", none, 300, `"values":[`},
		{"GET", "/identity/v3", none, 200, `{"version":{`},
		{"GET", "/identity/v3/", none, 200, `/identity/v3/"`},
		{"GET", "/identity/v3/auth/tokens", none, 401, unauthorized},
		{"GET", "/identity/v3/projects", none, 401, unauthorized},
		{"GET", "/identity/v3/projects", bad, 401, unauthorized},
		{"GET", "/identity/v3/projects", token, 403, "You are not authorized to perform the requested action: identity:list_projects."},
		{"GET", "/identity/v3/projects/nope", token, 403, "identity:get_project"},
		{"GET", "/identity/v3/projects/nope", admin, 404, `{"error":{"code":404,"message":"Could not find project: nope.","title":"Not Found"}}`},
		{"GET", "/identity/v3/users/nope", token, 403, "identity:get_user"},
		{"GET", "/identity/v3/users/nope", admin, 404, "Could not find user: nope."},
		{"GET", "/identity/v3/auth/tokens", token, 403, "identity:validate_token"},
		{"GET", "/identity/v3/regions", token, 501, "The embedded cloud does not do GET /identity/v3/regions."},
		{"PUT", "/identity/v3/auth/tokens", token, 501, "does not do PUT /identity/v3/auth/tokens"},

		{"GET", "/image", none, 300, `"id":"v2.15"`},
		{"GET", "/image/v2/images", none, 401, "<title>Unauthorized</title>"},
		{"GET", "/image/v2/images", bad, 401, "<title>Unauthorized</title>"},
		{"GET", "/image/v2/images/nope", token, 404, "No image found with ID nope<br"},
		{"GET", "/image/v2/images/%3Cb%3E", token, 404, "No image found with ID &lt;b&gt;<br"},
		{"GET", "/image/v2/images?limit=x", token, 400, "limit param must be an integer"},
		{"GET", "/image/v2/images?marker=x", token, 400, "No image found with ID x"},
		{"GET", "/image/v2/images?name=nope", token, 200, `{"first":"/v2/images?name=nope","images":[],"schema":"/v2/schemas/images"}`},
		{"POST", "/image/v2/images", token, 501, "does not do POST /image/v2/images"},

		{"GET", "/compute", none, 200, `"version":"2.93"`},
		{"GET", "/compute/v2.1", none, 200, `{"version":{`},
		{"GET", "/compute/v2.1/flavors", none, 401, unauthorized},
		{"GET", "/compute/v2.1/flavors/nope", token, 404, `{"itemNotFound":{"code":404,"message":"Flavor nope could not be found."}}`},
		{"GET", "/compute/v2.1/flavors/detail?marker=nope", token, 400, `{"badRequest":{"code":400,"message":"marker [nope] not found"}}`},
		{"GET", "/compute/v2.1/os-keypairs/nope", token, 404, `{"itemNotFound":{"code":404,"message":"Keypair nope not found for user `},
		{"GET", "/compute/v2.1/servers/nope", token, 404, "Instance nope could not be found."},
		{"GET", "/compute/v2.1/servers", token, 200, `{"servers":[]}`},
		{"POST", "/compute/v2.1/servers", token, 501, `{"notImplemented":{"code":501,`},

		{"GET", "/network", none, 200, `"id":"v2.0"`},
		{"GET", "/network/v2.0", none, 401, unauthorized},
		{"GET", "/network/v2.0", token, 200, `"collection":"networks"`},
		{"GET", "/network/v2.0/networks", bad, 401, unauthorized},
		{"GET", "/network/v2.0/networks/nope", token, 404, `{"NeutronError":{"detail":"","message":"Network nope could not be found.","type":"NetworkNotFound"}}`},
		{"GET", "/network/v2.0/subnets/nope", token, 404, `"type":"SubnetNotFound"`},
		{"GET", "/network/v2.0/networks?foo=bar", token, 400, "['foo'] is invalid attribute for filtering"},
		{"GET", "/network/v2.0/networks?router:external=maybe", token, 400, "Invalid input for operation: 'maybe' cannot be converted to boolean."},
		{"GET", "/network/v2.0/networks?limit=x", token, 400, "Bad limit request: Limit must be an integer 0 or greater and not 'x'."},
		{"GET", "/network/v2.0/networks?marker=x&limit=1", token, 404, `"type":"NetworkNotFound"`},
		{"GET", "/network/v2.0/networks?name=public&fields=name", token, 200, `{"networks":[{"name":"public"}]}`},
		{"GET", "/network/v2.0/floatingips", token, 200, `{"floatingips":[]}`},
		{"GET", "/network/v2.0/ports", token, 200, `{"ports":[]}`},
		{"DELETE", "/network/v2.0/networks/x", token, 501, `{"NeutronError":{"detail":"","message":"The embedded cloud does not do DELETE`},

		{"GET", "/volume", none, 300, `"version":"3.70"`},
		{"GET", "/volume/v3/", none, 401, unauthorized},
		{"GET", "/volume/v3/", token, 200, `"version":"3.70"`},
		{"GET", "/volume/v3/x/types", none, 401, unauthorized},
		{"GET", "/volume/v3/x/types", token, 400, `{"badRequest":{"code":400,"message":"Malformed request url"}}`},

		{"GET", "/load-balancer", none, 200, `"id":"v2.0"`},
		{"GET", "/load-balancer/v2/lbaas/loadbalancers", none, 401, unauthorized},
		{"GET", "/load-balancer/v2/lbaas/loadbalancers", token, 200, `{"loadbalancers":[],"loadbalancers_links":[]}`},
		{"DELETE", "/load-balancer/v2.0/lbaas/loadbalancers/nope", token, 404, `{"debuginfo":null,"faultcode":"Client","faultstring":"Load Balancer nope not found."}`},

		{"GET", "/key-manager", none, 300, `"id":"v1"`},
		{"GET", "/key-manager/v1/secrets", token, 501, `"title":"Not Implemented"`},
		{"GET", "/heat", none, 300, `"id":"v1.0"`},
		{"GET", "/nowhere", none, 501, "does not do GET /nowhere"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.path+" "+fmt.Sprint(test.status), func(t *testing.T) {
			response, body := request(t, test.method, c.URL()+test.path, test.token, "")
			if response.StatusCode != test.status || !strings.Contains(body, test.contains) {
				t.Errorf("got %d %s\nwant %d …%s…", response.StatusCode, body, test.status, test.contains)
			}
			if response.Header.Get("X-Openstack-Request-Id") == "" {
				t.Error("no request id")
			}
			if test.status == 401 && !strings.Contains(response.Header.Get("Www-Authenticate"), c.AuthURL()) {
				t.Errorf("Www-Authenticate: %q", response.Header.Get("Www-Authenticate"))
			}
		})
	}
}

func TestFaults(t *testing.T) {
	c := run(t, Config{})
	token := loginAs(t, c, "admin").Token()
	flavors := c.URL() + "/compute/v2.1/flavors"
	tokens := regexp.MustCompile("^/v3/auth/tokens$")

	t.Run("status, so many times, after some", func(t *testing.T) {
		rule := c.Faults().Add(Fault{Service: "compute", Method: "GET", Skip: 1, Count: 2, Status: 503, Body: `{"x":1}`})
		defer rule.Remove()
		var got []int
		for range 5 {
			response, _ := request(t, "GET", flavors, token, "")
			got = append(got, response.StatusCode)
		}
		if diff := cmp.Diff([]int{200, 503, 503, 200, 200}, got); diff != "" {
			t.Error(diff)
		}
		if rule.Seen() != 5 || rule.Hits() != 2 {
			t.Errorf("seen %d, hits %d", rule.Seen(), rule.Hits())
		}
	})
	t.Run("others are spared", func(t *testing.T) {
		rule := c.Faults().Add(Fault{Service: "image", Status: 500})
		defer rule.Remove()
		if response, _ := request(t, "GET", flavors, token, ""); response.StatusCode != 200 || rule.Seen() != 0 {
			t.Errorf("status %d", response.StatusCode)
		}
	})
	// The difference between the two drops is what was done.
	for drop, made := range map[Drop]bool{DropBefore: false, DropAfter: true} {
		t.Run(fmt.Sprintf("drop %d", drop), func(t *testing.T) {
			rule := c.Faults().Add(Fault{Service: "identity", Method: "POST", Path: regexp.MustCompile("/users$"), Drop: drop, Count: 1})
			defer rule.Remove()
			name := fmt.Sprintf("lost-%d", drop)
			r, err := http.NewRequestWithContext(t.Context(), "POST", c.AuthURL()+"/users", strings.NewReader(`{"user":{"name":"`+name+`"}}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Auth-Token", token)
			if response, err := http.DefaultTransport.RoundTrip(r); err == nil {
				response.Body.Close()
				t.Fatalf("an answer came: %d", response.StatusCode)
			}
			_, body := request(t, "GET", c.AuthURL()+"/users?name="+name, token, "")
			if got := strings.Contains(body, `"enabled":true`); got != made {
				t.Errorf("user there: %v, want %v", got, made)
			}
		})
	}
	t.Run("delay ends with the request", func(t *testing.T) {
		c.Faults().Add(Fault{Path: tokens, Delay: time.Hour})
		defer c.Faults().Clear()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "POST", c.AuthURL()+"/auth/tokens", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultTransport.RoundTrip(r); err == nil {
			response.Body.Close()
			t.Fatal("an answer came")
		}
	})
	t.Run("delay, then the answer", func(t *testing.T) {
		rule := c.Faults().Add(Fault{Service: "compute", Delay: 30 * time.Millisecond})
		defer rule.Remove()
		begin := time.Now()
		if response, _ := request(t, "GET", flavors, token, ""); response.StatusCode != 200 || time.Since(begin) < 30*time.Millisecond {
			t.Errorf("status %d after %s", response.StatusCode, time.Since(begin))
		}
	})
}

func TestCloseEndsStalledRequests(t *testing.T) {
	c, err := Start(Config{})
	if err != nil {
		t.Fatal(err)
	}
	rule := c.Faults().Add(Fault{Delay: time.Hour})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if response, err := http.Get(c.AuthURL()); err == nil { // no context: Close is to end it
			response.Body.Close()
		}
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(10 * time.Second)
	for rule.Hits() == 0 {
		if time.Now().After(deadline) {
			t.Fatal("the request never came")
		}
		<-tick.C
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Close(ctx); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	select {
	case <-ended:
	case <-ctx.Done():
		t.Error("the request still waits")
	}
}

func TestTakenAddress(t *testing.T) {
	c := run(t, Config{})
	if _, err := Start(Config{Addr: strings.TrimPrefix(c.URL(), "http://")}); err == nil {
		t.Error("two clouds at one address")
	}
}

// TestMagnumConf holds that the file is understood, and that the accounts in
// it work.
func TestMagnumConf(t *testing.T) {
	c := run(t, Config{Region: "north"})
	path := filepath.Join(t.TempDir(), "magnum.conf")
	text := c.MagnumConf("/srv/a$b", "127.0.0.1", 9599, "/srv/a$b/magnum.sqlite")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(conf.Warnings()) != 0 {
		t.Errorf("warnings: %q", conf.Warnings())
	}
	got := []any{conf.Default.StatePath, conf.API.Port, conf.Database.Connection.Reveal(), conf.Certificates.CertManagerType, conf.HeatClient.RegionName, conf.Drivers.TrustFile}
	if diff := cmp.Diff([]any{"/srv/a$b", 9599, "sqlite:////srv/a$b/magnum.sqlite", "x509keypair", "north", "/srv/a$b/driver-trust.yaml"}, got); diff != "" {
		t.Error(diff)
	}
	for _, account := range []config.KeystoneAuth{conf.KeystoneAuth, conf.KeystoneAuthtoken} {
		session(t, gophercloud.AuthOptions{
			IdentityEndpoint: account.AuthURL, Username: account.Username, Password: account.Password.Reveal(), DomainName: account.UserDomainName,
			Scope: &gophercloud.AuthScope{ProjectName: account.ProjectName, DomainName: account.ProjectDomainName},
		})
	}
	session(t, gophercloud.AuthOptions{
		IdentityEndpoint: conf.KeystoneAuth.AuthURL, Username: conf.Trust.TrusteeDomainAdminName,
		Password: conf.Trust.TrusteeDomainAdminPassword.Reveal(), DomainName: conf.Trust.TrusteeDomainAdminDomainName,
		Scope: &gophercloud.AuthScope{DomainName: conf.Trust.TrusteeDomainName},
	})
	other := run(t, Config{})
	if other.OpenRC("magnum")["OS_PASSWORD"] == conf.KeystoneAuth.Password.Reveal() {
		t.Error("two clouds have the same service password")
	}
}

func TestOpenRC(t *testing.T) {
	c := run(t, Config{Password: "chosen"})
	for _, name := range []string{"admin", "demo", "alt", "reader", "magnum", "magnum_domain_admin"} {
		loginAs(t, c, name)
	}
	if got := c.OpenRC("reader"); got["OS_PROJECT_NAME"] != "demo" || got["OS_PASSWORD"] != "chosen" {
		t.Errorf("got project %s", got["OS_PROJECT_NAME"])
	}
	if c.OpenRC("nobody") != nil {
		t.Error("nobody has an environment")
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	var mu sync.Mutex
	c := run(t, Config{Password: "canary-password", Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &log, Mutex: &mu})})
	demo := loginAs(t, c, "demo")
	admin := loginAs(t, c, "magnum")
	request(t, "GET", c.AuthURL()+"/auth/tokens?x="+demo.Token(), admin.Token(), "", "X-Subject-Token", demo.Token())
	request(t, "POST", c.AuthURL()+"/users", admin.Token(), `{"user":{"name":"x","password":"canary-password"}}`)
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(log.String(), "/identity/v3/auth/tokens") {
		t.Errorf("nothing logged: %s", log.String())
	}
	for _, secret := range []string{"canary-password", demo.Token(), admin.Token(), c.OpenRC("magnum")["OS_PASSWORD"]} {
		if strings.Contains(log.String(), secret) {
			t.Error("a secret is in the log")
		}
	}
}
