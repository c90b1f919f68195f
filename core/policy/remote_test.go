package policy

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// judge is a server that decides, and what it was asked last.
type judge struct {
	*httptest.Server
	asked atomic.Int64

	mu   sync.Mutex
	says func(w http.ResponseWriter)
	last asking
}

type asking struct{ method, path, kind, body string }

func (j *judge) answer(says func(w http.ResponseWriter)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.says = says
}

func newJudge(t *testing.T, start func(*httptest.Server)) *judge {
	t.Helper()
	j := &judge{says: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "True") }}
	j.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		j.asked.Add(1)
		j.mu.Lock()
		says := j.says
		j.last = asking{r.Method, r.URL.EscapedPath(), r.Header.Get("Content-Type"), string(body)}
		j.mu.Unlock()
		says(w)
	}))
	j.Config.ErrorLog = hclog.NewNullLogger().StandardLogger(nil)
	start(j.Server)
	t.Cleanup(j.Close)
	return j
}

// described is a target that names its attributes.
type described struct{ target }

func (d described) AttributeNames() []string { return []string{"name", "project_id", "absent"} }

func TestRemoteQuestion(t *testing.T) {
	j := newJudge(t, (*httptest.Server).Start)
	e := with(t, Config{}, "base: "+j.URL+"/check/%(project_id)s\ncluster:get: rule:base and "+j.URL+"/%(name)s")
	c := Credentials{UserID: "u", UserName: "demo", DomainID: "default", DomainName: "Default", ProjectID: "p", ProjectName: "demo", Roles: []string{"reader"}}
	if !e.Allowed(t.Context(), "cluster:get", &c, described{target{"project_id": "p", "name": "../a b", "secret": "x"}}) {
		t.Fatal("True refuses")
	}
	if j.last.method != "POST" || j.last.path != "/..%2Fa%20b" || j.last.kind != "application/x-www-form-urlencoded" || j.asked.Load() != 2 {
		t.Errorf("asked %d times, the last %s %s of type %s", j.asked.Load(), j.last.method, j.last.path, j.last.kind)
	}
	form, err := url.ParseQuery(j.last.body)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for name := range form {
		var part any
		if err := json.Unmarshal([]byte(form.Get(name)), &part); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got[name] = part
	}
	want := map[string]any{
		"rule":   "cluster:get", // by the name the service asked for
		"target": map[string]any{"name": "../a b", "project_id": "p"},
		"credentials": map[string]any{
			"user_id": "u", "user_name": "demo", "user_domain_id": "default", "user_domain_name": "Default", "domain_id": "default",
			"project_id": "p", "project_name": "demo", "roles": []any{"reader"}, "is_admin": false, "system_scope": nil,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("form: %s", diff)
	}

	e = with(t, Config{Remote: Remote{JSON: true}}, "cluster:get: "+j.URL+"/x")
	if !e.Allowed(t.Context(), "cluster:get", &c, target{"project_id": "p", "user_id": "u"}) || j.last.kind != "application/json" {
		t.Errorf("type %s", j.last.kind)
	}
	want["target"] = map[string]any{"project_id": "p", "user_id": "u"}
	got = nil
	if err := json.Unmarshal([]byte(j.last.body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON: %s", diff)
	}
	if !e.Allowed(t.Context(), "cluster:get", &c, nil) || !strings.Contains(j.last.body, `"target":{}`) {
		t.Errorf("no target: %s", j.last.body)
	}
}

// TestRemoteAnswer holds that nothing but True allows, and that what failed
// denies whatever stands around it.
func TestRemoteAnswer(t *testing.T) {
	j := newJudge(t, (*httptest.Server).Start)
	text := func(status int, s string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(status); _, _ = io.WriteString(w, s) }
	}
	failing := map[string]func(http.ResponseWriter){
		"error": text(500, "True"), "redirect": func(w http.ResponseWriter) { w.Header().Set("Location", "/elsewhere"); w.WriteHeader(303) },
		"cut off": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	saying := map[string]struct {
		says func(http.ResponseWriter)
		yes  bool
	}{
		"True": {text(200, "True"), true}, "quoted": {text(200, `"True"`), true}, "a line": {text(200, "True\n"), true}, "created": {text(201, "True"), true},
		"False": {text(200, "False"), false}, "true": {text(200, "true"), false}, "nothing": {text(200, ""), false},
		"more": {text(200, "True, says I"), false}, "much more": {text(200, "True"+strings.Repeat(" ", 100)+"not"), false}, "JSON": {text(200, `{"result": "True"}`), false},
	}
	url := j.URL + "/"
	var log bytes.Buffer
	for rule, want := range map[string]struct{ yes, no, failed bool }{
		url:                                {true, false, false},
		"not " + url:                       {false, true, false},
		"not not " + url:                   {true, false, false},
		url + " or role:admin":             {true, true, true},
		"role:admin or " + url:             {true, true, true},
		"not (" + url + " or role:x)":      {false, true, false},
		"not (" + url + " and role:x)":     {true, true, true},
		"not (" + url + " and role:admin)": {false, true, false},
		url + " and role:admin":            {true, false, false},
		"(not " + url + ") or " + url:      {true, true, false},
	} {
		e, err := New(Config{File: fileWith(t, "r: "+rule)}, hclog.New(&hclog.LoggerOptions{Output: &log}))
		if err != nil {
			t.Fatal(err)
		}
		c := &Credentials{Roles: []string{"admin"}}
		for name, s := range saying {
			j.answer(s.says)
			expected := want.no
			if s.yes {
				expected = want.yes
			}
			if got := e.Allowed(t.Context(), "r", c, nil); got != expected {
				t.Errorf("%s, answered %s: allowed %v, want %v", rule, name, got, expected)
			}
		}
		if log.Len() > 0 {
			t.Errorf("%s: answers are logged: %s", rule, log.String())
		}
		for name, says := range failing {
			j.answer(says)
			before := j.asked.Load()
			if got := e.Allowed(t.Context(), "r", c, nil); got != want.failed {
				t.Errorf("%s, failed by %s: allowed %v, want %v", rule, name, got, want.failed)
			}
			if asked := j.asked.Load() - before; asked > 0 && !strings.Contains(log.String(), "a remote policy check failed, which denies: rule=r") {
				t.Errorf("%s, failed by %s: not logged\n%s", rule, name, log.String())
			}
			log.Reset()
		}
	}
	// An object without what the address needs.
	e := with(t, Config{}, "r: not "+url+"%(name)s")
	if e.Allowed(t.Context(), "r", &Credentials{}, target{}) {
		t.Error("a question that could not be asked allows")
	}
}

func fileWith(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRemoteTime holds that a server that says nothing is not waited for.
func TestRemoteTime(t *testing.T) {
	release := make(chan struct{})
	j := newJudge(t, (*httptest.Server).Start)
	j.answer(func(http.ResponseWriter) { <-release })
	defer close(release)
	e := with(t, Config{Remote: Remote{Timeout: 20 * time.Millisecond}}, "r: not "+j.URL+"/")
	if e.Allowed(t.Context(), "r", &Credentials{}, nil) {
		t.Error("silence allows")
	}
	// Nor longer than the caller waits.
	e = with(t, Config{Remote: Remote{Timeout: time.Hour}}, "r: "+j.URL+"/")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e.Allowed(ctx, "r", &Credentials{}, nil) {
		t.Error("who has gone is allowed")
	}
	if r, err := (Remote{}).connect(hclog.NewNullLogger()); err != nil || r.timeout != 2*time.Second {
		t.Errorf("by default: %+v, %v", r, err)
	}
}

func TestRemoteTLS(t *testing.T) {
	j := newJudge(t, (*httptest.Server).StartTLS)
	cert := j.Server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, blocks ...*pem.Block) string {
		path := filepath.Join(t.TempDir(), name)
		var text []byte
		for _, b := range blocks {
			text = append(text, pem.EncodeToMemory(b)...)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	public, private := &pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, &pem.Block{Type: "PRIVATE KEY", Bytes: key}
	ca, both := write("ca.pem", public), write("both.pem", public, private)
	for name, c := range map[string]struct {
		remote Remote
		want   bool
	}{
		"unknown authority": {Remote{}, false},
		"known authority":   {Remote{CAFile: ca}, true},
		"any server":        {Remote{Insecure: true}, true},
		"client's":          {Remote{CAFile: ca, CertFile: both}, true},
		"client's two":      {Remote{CAFile: ca, CertFile: ca, KeyFile: both}, true},
	} {
		e := with(t, Config{Remote: c.remote}, "r: "+j.URL+"/")
		if got := e.Allowed(t.Context(), "r", &Credentials{}, nil); got != c.want {
			t.Errorf("%s: allowed %v, want %v", name, got, c.want)
		}
	}
	for name, remote := range map[string]Remote{
		"no authority file": {CAFile: "/nowhere"}, "an empty authority file": {CAFile: write("empty.pem")},
		"no client's file": {CertFile: "/nowhere"}, "no client's key": {CertFile: ca},
	} {
		if _, err := New(Config{Remote: remote}, nil); err == nil || !strings.Contains(err.Error(), "[oslo_policy] remote_ssl_") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
