package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// crossing is what an answer says about other origins.
func crossing(h http.Header) map[string]string {
	said := map[string]string{}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") || name == "Vary" {
			said[strings.TrimPrefix(name, "Access-Control-")] = strings.Join(h.Values(name), "|")
		}
	}
	return said
}

func TestCORS(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Options.Cors.AllowedOrigin = []string{"https://horizon.example", "http://other"} })
	const expose = "X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID,X-Server-Management-Url"
	read := map[string]string{
		"Allow-Origin": "https://horizon.example", "Allow-Credentials": "true", "Expose-Headers": expose,
		"Vary": "OpenStack-API-Version,Origin",
	}
	bare := map[string]string{"Allow-Origin": "https://horizon.example", "Allow-Credentials": "true", "Expose-Headers": expose, "Vary": "Origin"}
	send := map[string]string{
		"Allow-Origin": "https://horizon.example", "Allow-Credentials": "true", "Max-Age": "3600", "Allow-Methods": "PATCH", "Vary": "Origin",
	}
	sendHeaders := map[string]string{"Allow-Headers": "x-auth-token,Content-Type"}
	for k, v := range send {
		sendHeaders[k] = v
	}
	const origin, method, headers = "Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"
	none := map[string]string{}
	for _, c := range []struct {
		name, who, method, path string
		headers                 []string
		status                  int
		want                    map[string]string
	}{
		{"list", "demo", "GET", "/v1/clusters", []string{origin, "https://horizon.example"}, 200, read},
		{"stranger", "demo", "GET", "/v1/clusters", []string{origin, "https://evil.example"}, 200, map[string]string{"Vary": "OpenStack-API-Version"}},
		{"not a page", "demo", "GET", "/v1/clusters", nil, 200, map[string]string{"Vary": "OpenStack-API-Version"}},
		{"case counts", "demo", "GET", "/v1/clusters", []string{origin, "https://Horizon.example"}, 200, map[string]string{"Vary": "OpenStack-API-Version"}},
		{"no token", "", "GET", "/v1/clusters", []string{origin, "https://horizon.example"}, 401, bare},
		{"root", "", "GET", "/", []string{origin, "https://horizon.example"}, 200, bare},
		{"nowhere", "demo", "GET", "/v1/pods", []string{origin, "https://horizon.example"}, 404, bare},
		{"may send", "", "OPTIONS", "/v1/clusters/x", []string{origin, "https://horizon.example", method, "PATCH"}, 200, send},
		{"may send headers", "", "OPTIONS", "/v1/clusters/x",
			[]string{origin, "https://horizon.example", method, "PATCH", headers, "x-auth-token , Content-Type,"}, 200, sendHeaders},
		{"other header", "", "OPTIONS", "/v1/clusters/x",
			[]string{origin, "https://horizon.example", method, "PATCH", headers, "X-Auth-Token, X-Other"}, 200, none},
		{"other method", "", "OPTIONS", "/v1/clusters", []string{origin, "https://horizon.example", method, "TRACE"}, 200, none},
		{"no method", "", "OPTIONS", "/v1/clusters", []string{origin, "https://horizon.example"}, 200, none},
		{"stranger may not send", "", "OPTIONS", "/v1/clusters", []string{origin, "https://evil.example", method, "GET"}, 200, none},
		{"options", "", "OPTIONS", "/v1/clusters", nil, 200, none},
	} {
		got := f.must(c.status, c.who, c.method, c.path, "", c.headers...)
		if diff := cmp.Diff(c.want, crossing(got.header)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestCORSOptions(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.Options.Cors.AllowedOrigin = []string{"*"}
		c.Options.Cors.AllowCredentials = false
		c.Options.Cors.ExposeHeaders = nil
		c.Options.Cors.MaxAge = 0
		c.Options.Cors.AllowMethods = []string{"GET"}
		c.Options.Cors.AllowHeaders = []string{"X-Mine"}
	})
	got := f.must(200, "", "GET", "/", "", "Origin", "https://any.example")
	if diff := cmp.Diff(map[string]string{"Allow-Origin": "*", "Vary": "Origin"}, crossing(got.header)); diff != "" {
		t.Errorf("a request (-want +got):\n%s", diff)
	}
	got = f.must(200, "", "OPTIONS", "/v1/clusters", "", "Origin", "https://any.example",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "X-MINE,accept")
	want := map[string]string{"Allow-Origin": "*", "Allow-Methods": "GET", "Allow-Headers": "X-MINE,accept", "Vary": "Origin"}
	if diff := cmp.Diff(want, crossing(got.header)); diff != "" {
		t.Errorf("a preflight (-want +got):\n%s", diff)
	}
	f = newFixture(t)
	got = f.must(200, "", "OPTIONS", "/v1/clusters", "", "Origin", "https://any.example", "Access-Control-Request-Method", "GET")
	if diff := cmp.Diff(map[string]string{}, crossing(got.header)); diff != "" {
		t.Errorf("by default (-want +got):\n%s", diff)
	}
}
