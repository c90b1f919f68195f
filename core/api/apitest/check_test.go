package apitest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func loaded(t *testing.T) *Document {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// exchange is a request of a service that answers as described.
func exchange(method, target, body string, status int, answer string) *Exchange {
	path, query, _ := strings.Cut(target, "?")
	x := &Exchange{
		Method: method, Path: path, Query: query, Body: []byte(body), Status: status, Answer: []byte(answer),
		Header: http.Header{"X-Auth-Token": {"t"}, "Openstack-Api-Version": {"container-infra 1.10"}},
		AnswerHeader: http.Header{
			"X-Openstack-Request-Id": {"req-b0c0ffee-0000-4000-8000-000000000001"}, "Vary": {"OpenStack-API-Version"},
			"Openstack-Api-Version": {"container-infra 1.10"}, "Openstack-Api-Minimum-Version": {"container-infra 1.1"},
			"Openstack-Api-Maximum-Version": {"container-infra 1.14"},
		},
	}
	if body != "" {
		x.Header.Set("Content-Type", "application/json")
	}
	if answer != "" {
		x.AnswerHeader.Set("Content-Type", "application/json")
	}
	return x
}

const (
	id       = "b0c0ffee-0000-4000-8000-00000000000a"
	links    = `[{"href": "http://m/v1/x", "rel": "self"}, {"href": "http://m/x", "rel": "bookmark"}]`
	accepted = `{"uuid": "` + id + `"}`
	item     = `{"uuid": "` + id + `", "name": "c", "cluster_template_id": "` + id + `", "keypair": null, "node_count": 1, "master_count": 1, "docker_volume_size": null, ` +
		`"labels": {}, "master_flavor_id": null, "flavor_id": "f", "create_timeout": 60, "stack_id": null, "status": "CREATE_COMPLETE", "health_status": null, ` +
		`"merge_labels": false, "links": ` + links + `}`
	missing = `{"errors": [{"request_id": "", "code": "client", "status": 404, "title": "no", "detail": "no.", "links": []}]}`
)

func at(version string, x *Exchange) *Exchange {
	x.Header.Set("OpenStack-API-Version", "container-infra "+version)
	x.AnswerHeader.Set("OpenStack-API-Version", "container-infra "+version)
	return x
}

func with(x *Exchange, change func(*Exchange)) *Exchange {
	change(x)
	return x
}

func TestCheck(t *testing.T) {
	d := loaded(t)
	list := func(items string) *Exchange {
		return exchange("GET", "/v1/clusters?limit=+1", "", 200, `{"clusters": [`+items+`]}`)
	}
	create := func(body string) *Exchange {
		return exchange("POST", "/v1/clusters", body, 202, accepted)
	}
	newest := strings.Replace(item, "stack_id", "cluster_id", 1)
	for _, c := range []struct {
		name string
		x    *Exchange
		want string // part of what is found; empty for nothing
	}{
		{"a list", list(item), ""},
		{"a list under its other addresses", with(list(item), func(x *Exchange) { x.Path = "//clusters/" }), ""},
		{"a member that is not described", list(strings.Replace(item, `"name"`, `"nick": 1, "name"`, 1)), "'nick' not allowed"},
		{"a member that is missing", list(strings.Replace(item, `"name": "c", `, "", 1)), "missing property 'name'"},
		{"a member of another type", list(strings.Replace(item, `"node_count": 1`, `"node_count": "1"`, 1)), "at '/clusters/0/node_count'"},
		{"an unknown status", list(strings.Replace(item, "CREATE_COMPLETE", "CREATED", 1)), "at '/clusters/0/status'"},
		{"a broken uuid", list(strings.Replace(item, id, "x", 1)), "at '/clusters/0/uuid'"},
		{"a member that the version has no more", at("1.13", list(item)), "cluster_id"},
		{"a member of the version", at("1.13", list(newest)), ""},
		{"a member that came later", list(newest), "'cluster_id' not allowed"},
		{"a status that is not described", with(list(item), func(x *Exchange) { x.Status = 206 }), "status 206"},
		{"broken JSON", list("{"), "broken JSON"},
		{"another type", with(list(item), func(x *Exchange) { x.AnswerHeader.Set("Content-Type", "text/plain") }), "text/plain"},
		{"a header that is missing", with(list(item), func(x *Exchange) { x.AnswerHeader.Del("Vary") }), "header Vary is missing"},
		{"a header that is wrong", with(list(item), func(x *Exchange) { x.AnswerHeader.Set("X-Openstack-Request-Id", "7") }), "header X-OpenStack-Request-ID"},
		{"a header that is not described", with(list(item), func(x *Exchange) { x.AnswerHeader.Set("X-Powered-By", "Go") }), "header X-Powered-By"},
		{"a parameter that is not described", with(list(item), func(x *Exchange) { x.Query = "all=1" }), "parameter all"},
		{"a parameter that is wrong", with(list(item), func(x *Exchange) { x.Query = "limit=0" }), "parameter limit"},
		{"a parameter that is no number", with(list(item), func(x *Exchange) { x.Query = "limit=x" }), "parameter limit"},
		{"no token", with(list(item), func(x *Exchange) { x.Header.Del("X-Auth-Token") }), "without a token"},
		{"a body nobody asked for", with(list(item), func(x *Exchange) { x.Body = []byte(`{"a": 1}`) }), "with the body"},
		{"a body of nothing", with(list(item), func(x *Exchange) { x.Body = []byte(`{}`) }), ""},

		{"a create", create(`{"cluster_template_id": "t", "node_count": "2", "floating_ip_enabled": "Yes", "labels": {"a": 1, "b": true}, "keypair": null}`), ""},
		{"a create with an unknown member", create(`{"cluster_template_id": "t", "nodes": 2}`), "'nodes' not allowed"},
		{"a create without a template", create(`{}`), "cluster_template_id"},
		{"a create that should be refused", create(`{"cluster_template_id": "t", "node_count": -1}`), "at '/node_count'"},
		{"a create with a bad label", create(`{"cluster_template_id": "t", "labels": {"a": []}}`), "at '/labels'"},
		{"a create without a body", create(""), "without a body"},
		{"a create of another type", with(create("a=b"), func(x *Exchange) { x.Header.Set("Content-Type", "text/plain") }), "text/plain"},
		{"a refused create may be wrong", with(create(`{"nodes": 2}`), func(x *Exchange) {
			x.Status, x.Answer = 400, []byte(strings.Replace(missing, "404", "400", 1))
		}), ""},

		{"a patch", exchange("PATCH", "/v1/clusters/c?rollback=true", `[{"op": "replace", "path": "/node_count", "value": 2}]`, 202, accepted), ""},
		{"no patch", exchange("PATCH", "/v1/clusters/c", "", 202, accepted), ""},
		{"a patch with a fraction", exchange("PATCH", "/v1/clusters/c", `[{"op": "replace", "path": "/node_count", "value": 2.5}]`, 202, accepted), "at '/0/value'"},
		{"a parameter that came later", at("1.2", exchange("PATCH", "/v1/clusters/c?rollback=true", "[]", 202, accepted)), "parameter rollback"},
		{"a delete", exchange("DELETE", "/v1/clusters/c", "", 204, ""), ""},
		{"a delete with an answer", exchange("DELETE", "/v1/clusters/c", "", 204, "{}"), "has a body"},

		{"an answer that another version has", at("1.2", exchange("POST", "/v1/bays", `{"baymodel_id": "m"}`, 201, "{}")), "status 201"},
		{"an operation that came later", at("1.6", exchange("POST", "/v1/clusters/c/actions/resize", `{"node_count": 1}`, 202, accepted)), "no such operation"},
		{"an operation that went", at("1.11", exchange("GET", "/v1/bays", "", 200, `{"bays": []}`)), "no such operation"},
		{"an operation that never was", exchange("PUT", "/v1/clusters/c", "", 200, "{}"), "no such operation"},
		{"a path that never was", exchange("GET", "/v1/pods", "", 200, "{}"), "no such operation"},
		{"a path that is refused", exchange("GET", "/v1/pods", "", 404, missing), ""},
		{"a refusal of no shape", exchange("GET", "/v1/pods", "", 404, `{"message": "no"}`), "errors"},
		{"a refusal", exchange("GET", "/v1/clusters/c", "", 404, missing), ""},
		{"a refusal with a surplus member", exchange("GET", "/v1/clusters/c", "", 404, strings.Replace(missing, `"code"`, `"why": 1, "code"`, 1)), "'why' not allowed"},
		{"the options", exchange("OPTIONS", "/v1/pods", "", 200, ""), ""},
		{"options that say something", exchange("OPTIONS", "/v1/pods", "", 200, "{}"), "OPTIONS"},
		{"a healthcheck", with(exchange("GET", "/healthcheck/x", "", 200, "OK"), func(x *Exchange) {
			x.AnswerHeader = http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}
		}), ""},
		{"an odd healthcheck", with(exchange("GET", "/healthcheck", "", 200, "FINE"), func(x *Exchange) {
			x.AnswerHeader = http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}
		}), "'OK'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := d.Check(c.x)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestCheckAnswer(t *testing.T) {
	d := loaded(t)
	odd := exchange("POST", "/v1/clusters", `{"nodes": 2}`, 202, accepted)
	if err := d.CheckAnswer(odd); err != nil {
		t.Error(err)
	}
	odd.Answer = []byte("{}")
	if err := d.CheckAnswer(odd); err == nil {
		t.Error("an answer without uuid is let pass")
	}
}

func TestHold(t *testing.T) {
	d := loaded(t)
	var found []error
	h := d.Hold(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Body.Read(make([]byte, 100)); err != nil {
			t.Error(err)
		}
		for name, values := range exchange("GET", "/", "", 202, "{}").AnswerHeader {
			w.Header()[name] = values
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(accepted))
	}), func(err error) { found = append(found, err) })
	for _, body := range []string{`{"cluster_template_id": "t"}`, `{"cluster_template_id": 1}`} {
		r := httptest.NewRequest("POST", "/v1/clusters", strings.NewReader(body))
		r.Header = exchange("POST", "/", body, 202, "").Header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusAccepted || w.Body.String() != accepted {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if len(found) != 1 || !strings.Contains(found[0].Error(), "at '/cluster_template_id'") {
		t.Errorf("found %v", found)
	}
}

func TestWatch(t *testing.T) {
	d := loaded(t)
	const answer = `{"detailed": 0}`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	for watched, want := range map[string]int{host: 1, "elsewhere": 0} {
		var found []error
		c := http.Client{Transport: d.Watch(http.DefaultTransport, watched, func(err error) { found = append(found, err) })}
		resp, err := c.Post(s.URL+"/healthcheck", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil || string(text) != answer {
			t.Errorf("got %s, %v", text, err)
		}
		if len(found) != want || want > 0 && !strings.Contains(found[0].Error(), "reasons") {
			t.Errorf("watching %s: found %v", watched, found)
		}
	}
}

// TestEditions holds that every version of the document is sound, and every
// schema of it compiles.
func TestEditions(t *testing.T) {
	d := loaded(t)
	for minor := 1; minor <= Newest; minor++ {
		e, err := d.at(minor)
		if err != nil {
			t.Fatal(err)
		}
		if minor == 1 || minor == Newest { // takes long
			if _, err := Parse(marshal(t, e.root)); err != nil {
				t.Errorf("1.%d: %v", minor, err)
			}
		}
		schemas := e.part("components", "schemas")
		for name := range schemas.node {
			if _, err := e.compiler.Compile(resource + "#/components/schemas/" + name); err != nil {
				t.Errorf("1.%d %s: %v", minor, name, err)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	text, err := os.ReadFile("../../../docs/api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"3.0", "openapi: 3.1.0", "openapi: 3.0.3", "3.0.3"},
		{"a reference to nothing", "'#/components/schemas/Accepted'", "'#/components/schemas/Nothing'", "Nothing"},
		{"an operation without answers", "      responses:", "      answers:", "answers"},
		{"a version that is a number", "x-min-version: '1.7'", "x-min-version: 1.7", "x-min-version is 1.7"},
		{"no YAML", "openapi: 3.1.0", "openapi: [", "read"},
	} {
		if _, err := Parse([]byte(strings.Replace(string(text), c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
