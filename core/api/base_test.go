package api

import (
	"crypto/tls"
	"net/http/httptest"
	"testing"
)

func TestBase(t *testing.T) {
	for _, c := range []struct {
		trusted bool
		tls     bool
		headers map[string]string
		want    string
	}{
		{false, false, nil, "http://magnum:9511"},
		{false, true, nil, "https://magnum:9511"},
		{true, true, nil, "https://magnum:9511"},
		{false, false, map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil", "X-Forwarded-Prefix": "/x", "Forwarded": "host=evil"}, "http://magnum:9511"},
		{true, false, map[string]string{"X-Forwarded-Proto": "https"}, "https://magnum:9511"},
		{true, true, map[string]string{"X-Forwarded-Proto": "http"}, "http://magnum:9511"},
		{true, false, map[string]string{"X-Forwarded-Host": "cloud.example"}, "http://cloud.example"},
		{true, false, map[string]string{"X-Forwarded-Host": "cloud.example, inner", "X-Forwarded-Proto": "HTTPS, http"}, "https://cloud.example"},
		{true, false, map[string]string{"X-Forwarded-Prefix": "/container-infra/"}, "http://magnum:9511/container-infra"},
		{true, false, map[string]string{"X-Forwarded-Prefix": "/"}, "http://magnum:9511"},
		{true, false, map[string]string{"X-Forwarded-Prefix": "infra"}, "http://magnum:9511"},
		{true, false, map[string]string{"X-Forwarded-Prefix": `/a"b`}, "http://magnum:9511"},
		{true, false, map[string]string{"X-Forwarded-Proto": "javascript"}, "http://magnum:9511"},
		{true, false, map[string]string{"X-Forwarded-Host": `a"b`}, "http://localhost"},
		{true, false, map[string]string{"Forwarded": "for=192.0.2.60;proto=https;host=cloud.example, for=198.51.100.7;host=inner"}, "https://cloud.example"},
		{true, false, map[string]string{"Forwarded": `for="[2001:db8::1]:4711"; Proto=https; Host="cloud.example:8443"`}, "https://cloud.example:8443"},
		{true, false, map[string]string{"Forwarded": "for=192.0.2.60", "X-Forwarded-Host": "ignored"}, "http://magnum:9511"},
		{true, false, map[string]string{"Forwarded": "host=cloud.example", "X-Forwarded-Prefix": "/infra"}, "http://cloud.example/infra"},
		{true, false, map[string]string{"Forwarded": ";;=;host"}, "http://magnum:9511"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = "magnum:9511"
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		for name, value := range c.headers {
			r.Header.Set(name, value)
		}
		if got := base(r, c.trusted); got != c.want {
			t.Errorf("trusted %v, TLS %v, %v: %s, want %s", c.trusted, c.tls, c.headers, got, c.want)
		}
	}
}

func TestProxyLinks(t *testing.T) {
	f := newFixture(t, func(c *Config) { c.Options.OsloMiddleware.EnableProxyHeadersParsing = true })
	got := f.must(201, "demo", "POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest"}`,
		"X-Forwarded-Proto", "https", "X-Forwarded-Host", "cloud.example", "X-Forwarded-Prefix", "/infra")
	if want := "https://cloud.example/infra/v1/clustertemplates/" + got.str("uuid"); got.header.Get("Location") != want {
		t.Errorf("Location %s, want %s", got.header.Get("Location"), want)
	}
}
