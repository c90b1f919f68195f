package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"

	"github.com/go-magnum/magnum/core/keystone"
)

func TestDiscovery(t *testing.T) {
	f := newFixture(t)
	root := f.must(200, "", "GET", "/", "", "OpenStack-API-Version", "container-infra 9.9")
	want := `{"name": "OpenStack Magnum API", "description": "Magnum is an OpenStack project which aims to provide container cluster management.", ` +
		`"versions": [{"id": "v1", "links": [{"href": "http://magnum:9511/v1/", "rel": "self"}], "status": "CURRENT", "max_version": "1.14", "min_version": "1.1"}]}`
	if diff := cmp.Diff(want, root.text); diff != "" {
		t.Errorf("/ (-want +got):\n%s", diff)
	}
	if root.header.Get("OpenStack-API-Version") != "" {
		t.Error("/ names a version")
	}
	for _, path := range []string{"/v1", "/v1/", "//v1//"} {
		v1 := f.must(200, "no-such-token", "GET", path, "", "OpenStack-API-Version", "")
		if got := v1.header.Get("OpenStack-API-Version"); got != "container-infra 1.1" {
			t.Errorf("%s: version %q", path, got)
		}
		for _, name := range []string{"clusters", "clustertemplates", "certificates", "bays", "baymodels", "quotas", "stats", "mservices", "federations", "nodegroups", "credentials"} {
			links, _ := v1.body[name].([]any)
			if len(links) != 2 {
				t.Errorf("%s: %s has no links", path, name)
			}
		}
	}
}

// TestClusterID is the word for a cluster's id in its driver's world.
func TestClusterID(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	id := f.newCluster("t", `"name": "c"`)
	f.set(id, func(c *magnum.Cluster) { c.StackID = "its-stack" })
	for _, c := range []struct{ version, has, lacks string }{
		{"1.1", "stack_id", "cluster_id"}, {"1.12", "stack_id", "cluster_id"}, {"1.13", "cluster_id", "stack_id"}, {"latest", "cluster_id", "stack_id"},
	} {
		for _, path := range []string{"/c", "", "/detail"} {
			got := f.must(200, "demo", "GET", "/v1/clusters"+path, "", "OpenStack-API-Version", "container-infra "+c.version).body
			if all, ok := got["clusters"].([]any); ok {
				got = all[0].(map[string]any)
			}
			if _, there := got[c.lacks]; there || got[c.has] != "its-stack" {
				t.Errorf("%s of %q: %s is %v, %s is there: %v", c.version, path, c.has, got[c.has], c.lacks, there)
			}
		}
	}
	for _, name := range []string{"stack_id", "cluster_id"} {
		f.refused(400, "Invalid input for field/attribute "+name+". Value: 'x'. Cannot set read only field.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "t", "`+name+`": "x"}`)
		f.refused(400, "'/"+name+"' is an internal attribute and can not be updated", "demo", "PATCH", "/v1/clusters/c", `[{"op": "replace", "path": "/`+name+`", "value": "x"}]`)
	}
}

func TestHealthcheck(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		method, path, accept string
		status               int
		text, kind           string
	}{
		{"GET", "/healthcheck", "", 200, "OK", "text/plain; charset=UTF-8"},
		{"GET", "/healthcheck", "application/xml", 200, "OK", "text/plain; charset=UTF-8"},
		{"GET", "/healthcheck/more", "application/json", 200, `{"detailed": false, "reasons": ["OK"]}`, "application/json"},
		{"POST", "/healthcheck", "application/json", 200, `{"detailed": false, "reasons": ["OK"]}`, "application/json"},
		{"HEAD", "/healthcheck", "application/json", 204, "", ""},
	} {
		got := f.send("", c.method, c.path, "", "Accept", c.accept)
		if got.status != c.status || got.text != c.text || got.header.Get("Content-Type") != c.kind {
			t.Errorf("%s %s (%s): %d %q %q", c.method, c.path, c.accept, got.status, got.text, got.header.Get("Content-Type"))
		}
		if got.header.Get("X-OpenStack-Request-ID") != "" {
			t.Error("the health check has a request id")
		}
	}
	if got := f.send("", "GET", "/healthcheck", "", "Accept", "text/html"); got.status != 200 || !strings.Contains(got.text, "<p>OK</p>") {
		t.Errorf("as HTML: %d %s", got.status, got.text)
	}
}

func TestVersions(t *testing.T) {
	f := newFixture(t)
	const unsupported = "The supported version range is: [container-infra 1.1, container-infra 1.14]."
	for _, c := range []struct {
		asked  string
		status int
		echoed string // "" for none
		text   string // of detail, or of description
	}{
		{"container-infra 1.1", 200, "container-infra 1.1", ""},
		{"container-infra 1.10", 200, "container-infra 1.10", ""},
		{"container-infra latest", 200, "container-infra 1.14", ""},
		{"container-infra LATEST", 200, "container-infra 1.14", ""},
		{"  container-infra   1.05 ", 200, "container-infra 1.5", ""},
		{"container-infrastructure-management 1.5", 200, "container-infra 1.5", ""},
		{"Container-Infra 1.5", 406, "", "Invalid service type for OpenStack-API-Version header"},
		{"compute 2.1", 406, "", "Invalid service type for OpenStack-API-Version header"},
		{"1.5", 406, "", "Invalid service type for OpenStack-API-Version header"},
		{" ", 406, "", "Invalid service type for OpenStack-API-Version header"},
		{"compute 2.1, container-infra 1.5", 406, "", "Invalid service type for OpenStack-API-Version header"},
		{"container-infra 1.", 406, "", "Invalid value for OpenStack-API-Version header"},
		{"container-infra 1.2.3", 406, "", "Invalid value for OpenStack-API-Version header"},
		{"container-infra x", 406, "", "Invalid value for OpenStack-API-Version header"},
		{"container-infra 1.14", 200, "container-infra 1.14", ""},
		{"container-infra 1.15", 406, "container-infra 1.15", "Version 1.15 was requested but the minor version is not supported by this service. " + unsupported},
		{"container-infra 1.-1", 406, "container-infra 1.-1", "Version 1.-1 was requested but the minor version is not supported by this service. " + unsupported},
		{"container-infra 2.1", 406, "container-infra 2.1", "Mutually exclusive versions requested. Version 2.1 requested but not supported by this service." + unsupported},
	} {
		got := f.send("demo", "GET", "/v1/clusters", "", "OpenStack-API-Version", c.asked)
		text := got.detail()
		if errs, ok := got.body["errors"].([]any); ok && text == "" {
			text, _ = errs[0].(map[string]any)["description"].(string)
		}
		if got.status != c.status || text != c.text || got.header.Get("OpenStack-API-Version") != c.echoed {
			t.Errorf("%q: %d %q, version %q", c.asked, got.status, text, got.header.Get("OpenStack-API-Version"))
		}
		if c.echoed != "" && (got.header.Get("OpenStack-API-Minimum-Version") != "container-infra 1.1" ||
			got.header.Get("OpenStack-API-Maximum-Version") != "container-infra 1.14" || got.header.Get("Vary") != "OpenStack-API-Version") {
			t.Errorf("%q: headers %v", c.asked, got.header)
		}
	}
	if got := f.must(406, "demo", "GET", "/v1/no/such/path", "", "OpenStack-API-Version", "container-infra 1.99"); got.header.Get("OpenStack-API-Version") == "" {
		t.Error("the range is checked after routing")
	}
	gate := f.must(406, "demo", "POST", "/v1/clusters/x/actions/resize", `{}`, "OpenStack-API-Version", "container-infra 1.6")
	if gate.detail() != "Version 1.6 was requested but the requested API resize is not supported for this version." || gate.header.Get("OpenStack-API-Version") != "" {
		t.Errorf("gate: %s %v", gate.text, gate.header)
	}
}

func TestPlumbing(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		name, who, method, path, body string
		headers                       []string
		status                        int
		detail                        string
	}{
		{"no token", "", "GET", "/v1/clusters", "", nil, 401, ""},
		{"a bad token", "nobody", "POST", "/v1/clustertemplates", "{}", nil, 401, ""},
		{"no token and no path", "", "GET", "/v2", "", nil, 401, ""},
		{"the version's version", "", "GET", "/v1/v1", "", nil, 401, ""},
		{"no path", "demo", "GET", "/v2", "", nil, 404, ""},
		{"suffix", "", "GET", "/.json", "", nil, 404, ""},
		{"suffix of v1", "", "GET", "/v1.json", "", nil, 404, ""},
		{"pods", "demo", "GET", "/v1/pods", "", nil, 404, ""},
		{"no prefix", "demo", "GET", "/clusters", "", nil, 200, ""},
		{"slashes", "demo", "GET", "/v1//clusters/", "", nil, 200, ""},
		{"a name with a slash", "demo", "GET", "/v1/clustertemplates/a/b", "", nil, 404, ""},
		{"HEAD", "demo", "HEAD", "/v1/clusters", "", nil, 405, ""},
		{"PUT", "demo", "PUT", "/v1/clusters/x", "{}", nil, 405, ""},
		{"HEAD of the root", "", "HEAD", "/", "", nil, 405, ""},
		{"POST to the root", "", "POST", "/", "{}", nil, 405, ""},
		{"an action read", "demo", "GET", "/v1/clusters/x/actions/resize", "", nil, 405, ""},
		{"an unknown action", "demo", "POST", "/v1/clusters/x/actions/explode", "{}", nil, 405, ""},
		{"no identifier", "demo", "DELETE", "/v1/clusters", "", nil, 400, `Missing argument: "cluster_ident"`},
		{"no identifier to patch", "demo", "PATCH", "/v1/clustertemplates", "[]", nil, 400, `Missing argument: "cluster_template_ident"`},
		{"no certificate", "demo", "GET", "/v1/certificates", "", nil, 400, `Missing argument: "cluster_ident"`},
		{"an identifier too many", "demo", "POST", "/v1/clusters/x", "{}", nil, 400,
			"Invalid input for field/attribute cluster. Value: 'x'. unable to convert to Cluster. Error: Cluster.__init__() takes 1 positional argument but 2 were given"},
		{"detail of one", "demo", "GET", "/v1/clusters/x/detail", "", nil, 400,
			"Invalid input for field/attribute marker. Value: 'x'. unable to convert to uuid. Error: Expected a uuid but received x."},
		{"detail of a uuid", "demo", "GET", "/v1/clusters/b0c0ffee-0000-4000-8000-000000000003/detail", "", nil, 404, "The %(name)s resource %(id)s could not be found."},
		{"XML wanted", "demo", "GET", "/v1/clusters", "", []string{"Accept", "application/xml"}, 406, ""},
		{"JSON unwanted", "demo", "GET", "/v1/clusters", "", []string{"Accept", "application/json;q=0"}, 406, ""},
		{"anything wanted", "demo", "GET", "/v1/clusters", "", []string{"Accept", "text/html, */*;q=0.1"}, 200, ""},
		{"nothing said", "demo", "GET", "/v1/clusters", "", []string{"Accept", ""}, 200, ""},
		{"a form", "demo", "POST", "/v1/clusters", "name=x&coe=y", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400, `Unknown argument: "coe, name"`},
		{"no type", "demo", "POST", "/v1/clusters", "{}", []string{"Content-Type", ""}, 400, `Unknown argument: "{}"`},
		{"another type", "demo", "PATCH", "/v1/clusters/x", "[]", []string{"Content-Type", "application/json-patch+json"}, 415, "Unknown mimetype: application/json-patch+json"},
		{"bytes", "demo", "PATCH", "/v1/clusters/x", "[]", []string{"Content-Type", "application/octet-stream"}, 415, "Unknown mimetype: application/octet-stream"},
		{"no bytes", "demo", "PATCH", "/v1/clusters/x", "", []string{"Content-Type", "application/octet-stream"}, 404, "Cluster x could not be found."},
		{"no body", "demo", "POST", "/v1/clusters", "", nil, 400, `Missing argument: "cluster"`},
		{"broken JSON", "demo", "POST", "/v1/clusters", "{", nil, 400, "Request is not in valid JSON format"},
		{"two values", "demo", "POST", "/v1/clusters", "{} {}", nil, 400, "Request is not in valid JSON format"},
		{"broken UTF-8", "demo", "POST", "/v1/clusters", "{\"name\": \"\xff\"}", nil, 400, "Request is not in valid JSON format"},
		{"too deep", "demo", "POST", "/v1/clusters", strings.Repeat("[", 100) + strings.Repeat("]", 100), nil, 400, "Request is not in valid JSON format"},
		{"a list", "demo", "POST", "/v1/clusters", "[]", nil, 400, "Invalid input for field/attribute cluster. Value: '[]'. Value not a valid dict: []"},
		{"a number", "demo", "POST", "/v1/clusters", "1", nil, 400, "Invalid input for field/attribute cluster. Value: '1'. Value not a valid dict: 1"},
		{"null", "demo", "POST", "/v1/clusters", "null", nil, 400, "Invalid input for field/attribute cluster. Value: 'None'. Value not a valid dict: None"},
		{"a body to delete", "demo", "DELETE", "/v1/clusters/x", "{}", nil, 404, "Cluster x could not be found."},
		{"a list to delete", "demo", "DELETE", "/v1/clusters/x", "[]", nil, 400, "Request must be a JSON dict"},
		{"an argument to delete", "demo", "DELETE", "/v1/clusters/x", `{"b": 1, "a": 2}`, nil, 400, `Unknown argument: "a, b"`},
		{"an unknown argument", "demo", "DELETE", "/v1/clusters/x?foo=bar", "", nil, 400, `Unknown argument: "foo"`},
		{"an unknown argument of the root", "", "GET", "/?foo=bar", "", nil, 400, `Unknown argument: "foo"`},
		{"too large", "demo", "POST", "/v1/clusters", `{"name": "` + strings.Repeat("x", maxBody) + `"}`, nil, 413, "Request body is too large."},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.TB = t
			f.checked(c.status, c.detail, c.who, c.method, c.path, c.body, c.headers...)
		})
	}
	f.TB = t
	if got := f.must(401, "", "GET", "/v1/clusters", ""); got.header.Get("WWW-Authenticate") != `Keystone uri="http://keystone/v3"` || got.body["error"] == nil {
		t.Errorf("401: %v %s", got.header, got.text)
	}
	if got := f.must(405, "demo", "PUT", "/v1/clusters/x", ""); got.header.Get("Allow") != "DELETE, GET, PATCH, POST" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
	if got := f.must(200, "", "OPTIONS", "/v1/clusters", ""); got.text != "" || got.header.Get("X-OpenStack-Request-ID") != "" {
		t.Errorf("OPTIONS: %v", got)
	}
	f.down = true
	f.must(503, "demo", "GET", "/v1/clusters", "")
}

// checked is refused for requests that may be answered well too.
func (f *fixture) checked(status int, detail, who, method, target, body string, headers ...string) {
	f.Helper()
	f.refused(status, detail, who, method, target, body, headers...)
	got := f.send(who, method, target, body, headers...)
	if id := got.header.Get("X-OpenStack-Request-ID"); !regexp.MustCompile(`^req-[0-9a-f-]{36}$`).MatchString(id) {
		f.Errorf("request id %q", id)
	}
}

func TestErrorBody(t *testing.T) {
	f := newFixture(t)
	got := f.must(404, "demo", "GET", "/v1/clusters/a.b", "")
	want := `{"errors": [{"request_id": "", "code": "client", "status": 404, "title": "Cluster a", "detail": "Cluster a.b could not be found.", "links": []}]}`
	if got.text != want {
		t.Errorf("error body:\n%s\nwant\n%s", got.text, want)
	}
	got = f.must(404, "demo", "GET", "/v1/nope", "")
	want = `{"errors": [{"request_id": "", "code": "", "status": 404, "title": "Not Found", "detail": "", "links": []}]}`
	if got.text != want {
		t.Errorf("error body of the framework:\n%s\nwant\n%s", got.text, want)
	}
}

// broken is a Keystone that must not bring the process down.
type broken struct {
	Keystone
	err error
}

func (b broken) Validate(context.Context, string) (*keystone.Identity, error) {
	if b.err != nil {
		return nil, b.err
	}
	panic("secret")
}

func TestNoDetailOfBugs(t *testing.T) {
	for _, cause := range []error{nil, errors.New("secret")} {
		f := newFixture(t, func(c *Config) { c.Keystone = broken{err: cause} })
		got := f.must(500, "demo", "GET", "/v1/clusters", "")
		want := `{"errors": [{"request_id": "", "code": "server", "status": 500, "title": "Internal Server Error", "detail": "", "links": []}]}`
		if got.text != want {
			t.Errorf("%v: %s", cause, got.text)
		}
	}
	f := newFixture(t)
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := f.must(503, "demo", "GET", "/v1/clusters", ""); got.detail() != "The database is not available." {
		t.Errorf("closed database: %s", got.text)
	}
}

func TestConstruction(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("an API of nothing")
	}
	f := newFixture(t)
	a := f.handler.(*api)
	handle := func(*request) (*answer, error) { return &answer{status: http.StatusOK}, nil }
	for name, rt := range map[string]route{
		"no rule":      {"GET", "/x", "get", "", always, newest, handle},
		"unknown rule": {"GET", "/x", "get", "no:rule", always, newest, handle},
		"no handler":   {"GET", "/x", "get", "cluster:get", always, newest, nil},
		"no versions":  {"GET", "/x", "get", "cluster:get", 5, 4, handle},
	} {
		if _, err := newRouter(a, []route{rt}); err == nil {
			t.Errorf("a route with %s is accepted", name)
		}
	}
	// A handler that forgets the policy must not answer.
	router, err := newRouter(a, []route{{"GET", "/x", "get", "cluster:get", always, newest, handle}})
	if err != nil {
		t.Fatal(err)
	}
	a.router = router
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.Header.Set("X-Auth-Token", "demo")
	a.ServeHTTP(w, r)
	if w.Code != 500 {
		t.Errorf("an unguarded handler answers %d", w.Code)
	}
}
