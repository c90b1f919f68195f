package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzRequest is about methods and paths: whatever they are, somebody answers.
func FuzzRequest(f *testing.F) {
	for _, c := range [][2]string{
		{"GET", "/v1/clusters?limit=1&sort_key=name"}, {"GET", "/"}, {"GET", "/v1.json"}, {"GET", "/healthcheck"}, {"HEAD", "/v1/clusters//c/"},
		{"DELETE", "/v1/clusters/c"}, {"GET", "/v1/certificates/c?ca_cert_type=%00"}, {"GET", "/v1/clusters/c/detail"},
		{"POST", "/clustertemplates/x"}, {"PUT", "/v1/quotas/p"}, {"POST", "/v1/clusters/c/actions/nothing"}, {"OPTIONS", "/v1/v1/"},
		{"GET", "/v1/clusters/c/nodegroups/default-worker"}, {"DELETE", "/v1/clusters/c/nodegroups/1"}, {"PATCH", "/v1/certificates/c"},
		{"GET", "/v1/clusters/B0C0FFEE-0000-4000-8000-000000000003"}, {"GET", "/v1/clusters/\xff\x00%2e"},
	} {
		for n := range uint8(2) {
			f.Add(c[0], c[1], n, uint8(13))
		}
	}
	h := newHammer(f)
	f.Fuzz(func(t *testing.T, method, target string, who, minor uint8) {
		if !isToken(method) || strings.ContainsAny(target, "\r\n") {
			t.Skip("net/http lets none of these through")
		}
		r := h.request(method, target, "")
		r.Header.Set("X-Auth-Token", chosen(tokens, who))
		r.Header.Set("OpenStack-API-Version", "container-infra "+version(1+int(minor)%int(maxVersion)).String())
		h.hit(t, r)
	})
}

func isToken(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == ""
}

// FuzzHeader is about what a client says of itself, of its version and of what
// it wants.
func FuzzHeader(f *testing.F) {
	for _, v := range []string{
		"container-infra latest", "container-infra 1.10", "container-infrastructure-management 1.14", "compute 2.1", "container-infra 1.-1",
		"container-infra 2.0", "container-infra 1.2.3", "container-infra 1.", " container-infra  1.05 ", "container-infra 1.1, compute 2.1",
		"1.5", "container-infra 99999999999999999999.1", "container-infra 1.\x00", "",
	} {
		f.Add(v, "application/json", "application/json", "demo", "http://dashboard")
	}
	f.Add("container-infra 1.1", "text/html;q=0.9, */*;q=0", "text/plain; charset=\"", "\xff", "null")
	f.Add("container-infra 1.1", "application/*;q=x", "application/octet-stream", "admin", "http://evil")
	h := newHammer(f, func(c *Config) {
		c.Options.Cors.AllowedOrigin, c.Options.Cors.AllowCredentials = []string{"http://dashboard"}, true
	})
	f.Fuzz(func(t *testing.T, asked, accept, kind, token, origin string) {
		for _, method := range []string{"GET", "POST", "OPTIONS"} {
			r := h.request(method, "/v1/clusters", `{"cluster_template_id": "nope"}`)
			r.Header.Set("OpenStack-API-Version", asked)
			r.Header.Set("Accept", accept)
			r.Header.Set("Content-Type", kind)
			r.Header.Set("X-Auth-Token", token)
			r.Header.Set("Origin", origin)
			r.Header.Set("Access-Control-Request-Method", kind)
			r.Header.Set("Access-Control-Request-Headers", accept)
			got := h.hit(t, r)
			if allowed := got.Header().Get(allowOrigin); allowed != "" && allowed != "http://dashboard" {
				t.Errorf("origin %q is allowed", allowed)
			}
		}
	})
}

// FuzzForwarded is about links, whose address a proxy's headers say.
func FuzzForwarded(f *testing.F) {
	f.Add(`for=192.0.2.60;proto=https;host="magnum:9511", for=198.51.100.7`, "https", "a, b", "/container-infra", "magnum:9511")
	f.Add(`host="`, "ftp", "x\"y", "//evil", "")
	f.Add(`proto=HTTPS;host=[2001:db8::1]:9511;;=`, "", "", "/a/\\", "h\x00st")
	h := newHammer(f, func(c *Config) { c.Options.OsloMiddleware.EnableProxyHeadersParsing = true })
	h.described = nil
	f.Fuzz(func(t *testing.T, forwarded, proto, host, prefix, own string) {
		for _, target := range []string{"/", "/v1/clusters?limit=1", "/v1/clustertemplates/free"} {
			r := h.request("GET", target, "")
			r.Host = own
			r.Header.Set("X-Auth-Token", "demo")
			r.Header.Set("Forwarded", forwarded)
			r.Header.Set("X-Forwarded-Proto", proto)
			r.Header.Set("X-Forwarded-Host", host)
			r.Header.Set("X-Forwarded-Prefix", prefix)
			got := h.hit(t, r)
			var answer any
			if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil || got.Code != http.StatusOK {
				t.Fatalf("%s: %d %s", target, got.Code, got.Body)
			}
			for _, link := range addresses(answer) {
				if !strings.HasPrefix(link, "http://") && !strings.HasPrefix(link, "https://") || !plain(link) {
					t.Errorf("%s has the link %q", target, link)
				}
			}
		}
		r := h.request("POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest"}`)
		r.Host = own
		r.Header.Set("X-Auth-Token", "demo")
		r.Header.Set("Forwarded", forwarded)
		r.Header.Set("X-Forwarded-Prefix", prefix)
		got := h.hit(t, r)
		if at := got.Header().Get("Location"); got.Code != http.StatusCreated || !strings.HasPrefix(at, "http") || !plain(at) {
			t.Errorf("%d, location %q", got.Code, at)
		}
	})
}

// addresses are all links of an answer.
func addresses(v any) (all []string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			all = append(all, addresses(item)...)
		}
	case map[string]any:
		for name, item := range v {
			if s, ok := item.(string); ok && (name == "href" || name == "next") {
				all = append(all, s)
			}
			all = append(all, addresses(item)...)
		}
	}
	return all
}

// FuzzQuery is about the arguments of everything that is read.
func FuzzQuery(f *testing.F) {
	for i, q := range []string{
		"limit=1&sort_key=name&sort_dir=desc", "marker=b0c0ffee-0000-4000-8000-000000000003&limit=%2B1", "sort_key=id%3B--&x=%zz", "limit=0", "limit=-1",
		"limit=99999999999999999999", "marker=1", "role=worker", "all_tenants=True&limit=1", "project_id=p&type=CLUSTER", "ca_cert_type=front-proxy",
		"rollback=maybe", "limit=1&limit=2", "sort_key=labels", "sort_key=created_at&sort_dir=ASC", "a;b=c", "marker=%FF",
	} {
		f.Add(uint8(i), q, uint8(i%2), uint8(9))
	}
	h := newHammer(f)
	routes := h.writing(http.MethodGet)
	f.Fuzz(func(t *testing.T, which uint8, query string, who, minor uint8) {
		if strings.ContainsAny(query, "\r\n") {
			t.Skip("no request line holds these")
		}
		_, target, _ := strings.Cut(chosen(routes, which), " ")
		r := h.request("GET", target+"?"+query, "")
		r.Header.Set("X-Auth-Token", chosen(tokens, who))
		r.Header.Set("OpenStack-API-Version", "container-infra "+version(1+int(minor)%int(maxVersion)).String())
		h.hit(t, r)
	})
}

// FuzzBody is about the bodies of everything that writes.
func FuzzBody(f *testing.F) {
	h := newHammer(f)
	routes := h.writing(http.MethodPost, http.MethodPatch, http.MethodDelete)
	seeds := map[string][]string{
		"POST /v1/clusters": {
			`{"cluster_template_id": "used", "name": "x", "node_count": 2, "master_count": 1, "labels": {"etcd_volume_size": 1e5, "min_node_count": -1}, "merge_labels": "yes", "create_timeout": "60", "keypair": null}`,
			`{"cluster_template_id": "used", "uuid": "B0C0FFEE-0000-4000-8000-00000000000a", "node_count": 0}`,
		},
		"POST /v1/clustertemplates": {
			`{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "labels": {"etcd_volume_size": 1e5, "ratio": "1e999"}, "tags": "", "dns_nameserver": "8.8.8.8, 1.1.1.1"}`,
			`{"coe": "swarm-mode", "image_id": "fedora-atomic-latest", "docker_storage_driver": "devicemapper", "docker_volume_size": 3, "public": false, "apiserver_port": "8080"}`,
		},
		"POST /v1/clusters/c/actions/resize":  {`{"node_count": 1e300, "nodes_to_remove": [null]}`, `{"node_count": 3, "nodegroup": "default-worker", "nodes_to_remove": ["a"]}`},
		"POST /v1/clusters/c/actions/upgrade": {`{"cluster_template": "free", "max_batch_size": 1, "nodegroup": "default-worker"}`, `{}`},
		"POST /v1/clusters/c/nodegroups":      {`{"name": "n", "node_count": 1, "min_node_count": 0, "max_node_count": null, "role": "infra", "labels": {"x": true}, "node_labels": {"a": "b"}, "node_taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]}`},
		"POST /v1/certificates":               {`{"bay_uuid": "c", "csr": "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----"}`},
		"POST /v1/quotas":                     {`{"project_id": "project-demo", "resource": "Cluster", "hard_limit": 5}`},
		"POST /v1/federations":                {`{"hostcluster_id": "c", "properties": {"dns-zone": "example"}, "member_ids": []}`},
		"POST /v1/bays":                       {`{"baymodel_id": "used", "name": "b", "node_count": 1, "bay_create_timeout": 10}`},
		"POST /v1/baymodels":                  {`{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "keypair_id": null, "labels": {"a": "b"}}`},
	}
	for i, route := range routes {
		bodies := seeds[route]
		if strings.HasPrefix(route, "PATCH") {
			bodies = []string{`[{"op": "replace", "path": "/name", "value": "x"}]`, `{"hard_limit": 3}`, "null"}
		}
		for _, body := range append(bodies, `{"uuid": 1, "x": [{}]}`, "", `[`) {
			f.Add(uint8(i), []byte(body), uint8(0), uint8(9))
			f.Add(uint8(i), []byte(body), uint8(1), uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte, who, minor uint8) {
		method, target, _ := strings.Cut(chosen(routes, which), " ")
		r := h.request(method, target, string(body))
		r.Header.Set("X-Auth-Token", chosen(tokens, who))
		r.Header.Set("OpenStack-API-Version", "container-infra "+version(1+int(minor)%int(maxVersion)).String())
		h.hit(t, r)
	})
}

// FuzzPatch is about one step of a patch. The value is sent as it is where it
// is JSON, and else as a text.
func FuzzPatch(f *testing.F) {
	h := newHammer(f)
	routes := slices.DeleteFunc(h.writing(http.MethodPatch), func(s string) bool { return strings.Contains(s, "/quotas") })
	for i := range routes {
		for _, c := range [][3]string{
			{"replace", "/node_count", "2"}, {"replace", "/node_count", `"99999999999999999999"`}, {"remove", "/node_count", ""}, {"add", "/labels/x-y", "{'a': [1, (2,), {'b': None}]}"},
			{"replace", "/labels", `{'a': "b\x41", 'c': True}`}, {"remove", "/name", ""}, {"replace", "/health_status_reason", `{"a": true}`}, {"replace", "/health_status", "HEALTHY"},
			{"add", "/tags", "a,b"}, {"replace", "/max_node_count", "null"}, {"replace", "/node_taints", "[{'key': 'a', 'effect': 'NoSchedule'}]"}, {"move", "/uuid", "x"}, {"add", "/labels/a/b", "1"},
		} {
			f.Add(uint8(i), c[0], c[1], c[2], uint8(i), uint8(9))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, op, path, value string, who, minor uint8) {
		step := map[string]any{"op": op, "path": path}
		if json.Valid([]byte(value)) {
			step["value"] = json.RawMessage(value)
		} else if value != "" {
			step["value"] = value
		}
		body, err := json.Marshal([]any{step})
		if err != nil {
			t.Fatal(err)
		}
		_, target, _ := strings.Cut(chosen(routes, which), " ")
		r := h.request("PATCH", target, string(body))
		r.Header.Set("X-Auth-Token", chosen(tokens[:2], who))
		r.Header.Set("OpenStack-API-Version", "container-infra "+version(1+int(minor)%int(maxVersion)).String())
		h.hit(t, r)
	})
}

func FuzzLiteral(f *testing.F) {
	for _, s := range []string{
		`{'a': "b\x41", 'c': [1, -2.5e3, (True, None)]}`, `{"a": true, "b": null}`, `{u'a': 1}`, "{'a': 'b',}", `["x", 'y']`, `'\N{DASH}'`, "{1: 2}", "()", "[", "{'a'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseLiteral(s)
		if err != nil || infinite(v) {
			return
		}
		// What was understood is understood again from its own print.
		again, err := parseLiteral(pythonOf(v))
		if err != nil || pythonOf(again) != pythonOf(v) {
			t.Errorf("%q prints as %s and that as %s (%v)", s, pythonOf(v), pythonOf(again), err)
		}
	})
}

// infinite numbers, which JSON can write and Python prints as inf, have no
// notation that Python reads.
func infinite(v value) bool {
	if v.kind == number && v.isFloat() {
		_, err := strconv.ParseFloat(v.text, 64)
		return err != nil
	}
	return slices.ContainsFunc(v.items, infinite) ||
		slices.ContainsFunc(v.members, func(m member) bool { return infinite(m.value) })
}

func pythonOf(v value) string {
	var b strings.Builder
	v.repr(&b)
	return b.String()
}

// signable509 are the extensions that a certificate may take over from a
// request, and those that every certificate has.
var signable509 = []string{"2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.35", "2.5.29.37"}

// FuzzCertificate is about requests to sign. A text that is none is sent as it
// is; an empty one stands for a sound request with two extensions.
func FuzzCertificate(f *testing.F) {
	for _, s := range []string{"bad", "-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----", "\xff\n"} {
		f.Add(s, "cn", "2.5.29.15", true, []byte{}, "2.5.29.19", []byte{}, "")
	}
	f.Add("", "admin", "2.5.29.15", false, []byte("\x03\x02\x03\x88"), "2.5.29.19", []byte("\x30\x06\x01\x01\xff\x02\x01\x00"), "etcd")
	f.Add("", "admin", "2.5.29.15", true, []byte("\x03\x02\x02\x04"), "2.5.29.37", []byte("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"), "front_proxy")
	f.Add("", "", "2.5.29.19", false, []byte("\x30\x03\x01\x01\xff"), "2.5.29.17", []byte("\x30\x0b\x82\x09a.example"), "front-proxy")
	f.Add("", "x", "2.5.29.30", false, []byte("\x30\x00"), "2.5.29.14", []byte("\x04\x03abc"), "kubernetes")
	f.Add("", "x", "1.2.3.4", true, []byte("\x05\x00"), "2.5.29.35", []byte("\x30\x00"), "\x00")
	h := newHammer(f)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, csr, name, oid string, critical bool, content []byte, oid2 string, content2 []byte, caType string) {
		sound := csr == ""
		if sound {
			der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
				Subject:         pkix.Name{CommonName: name},
				ExtraExtensions: []pkix.Extension{{Id: oidOf(oid), Critical: critical, Value: content}, {Id: oidOf(oid2), Value: content2}},
			}, key)
			if err != nil {
				t.Skip("the library makes no such request")
			}
			csr = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
		}
		body, err := json.Marshal(map[string]string{"cluster_uuid": "c", "csr": csr, "ca_cert_type": caType})
		if err != nil {
			t.Fatal(err)
		}
		r := h.request("POST", "/v1/certificates", string(body))
		r.Header.Set("X-Auth-Token", "demo")
		got := h.hit(t, r)
		if got.Code != http.StatusCreated {
			return
		}
		var answer struct{ PEM string }
		if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		c := parse509(t, answer.PEM)
		if c.IsCA || c.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 {
			t.Errorf("a CA was signed: %s", answer.PEM)
		}
		if sound && c.Subject.CommonName != name && strings.ToValidUTF8(name, "") == name {
			t.Errorf("subject %q of a request of %q", c.Subject.CommonName, name)
		}
		for _, e := range c.Extensions {
			if !slices.Contains(signable509, e.Id.String()) {
				t.Errorf("extension %s was signed", e.Id)
			}
		}
	})
}

func oidOf(dotted string) asn1.ObjectIdentifier {
	var id asn1.ObjectIdentifier
	for s := range strings.SplitSeq(dotted, ".") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return asn1.ObjectIdentifier{1, 2, 3}
		}
		id = append(id, n)
	}
	return id
}

// TestHammerSeesWrites proves that what fuzz targets look at can tell a change.
func TestHammerSeesWrites(t *testing.T) {
	h := &hammer{fixture: newFixture(t)}
	h.watch(t)
	before := h.written(t)
	h.send("nobody", "POST", "/v1/clustertemplates", `{}`)
	h.send("demo", "POST", "/v1/clusters", `{"cluster_template_id": "nope"}`)
	if h.written(t) != before {
		t.Error("refusals count as changes")
	}
	id := h.newTemplate("")
	if h.written(t) == before {
		t.Error("a new template went unnoticed")
	}
	h.restore(t)
	if got := h.send("demo", "GET", "/v1/clustertemplates/"+id, ""); got.status != http.StatusNotFound {
		t.Errorf("a template was not taken back: %d", got.status)
	}
}
