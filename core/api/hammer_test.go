package api

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/api/apitest"
	"github.com/go-magnum/magnum/core/magnum"
)

// hammer is a service that fuzz targets hit. Every input finds the same rows:
// two templates, of which clusters use one, and a cluster at rest.
type hammer struct {
	*fixture
	guard  *sql.Conn // sees what the service writes, and takes it back
	tables []string
	// described are answers as docs/api/openapi.yaml has them; nil where
	// links may be to what is no host.
	described *apitest.Document
	said      bytes.Buffer // what the service has logged of this request
}

func newHammer(f *testing.F, change ...func(*Config)) *hammer {
	h := &hammer{described: description(f)}
	h.fixture = newFixture(f, append(change, func(c *Config) {
		c.Logger = hclog.New(&hclog.LoggerOptions{Output: &h.said, Level: hclog.Error})
	})...)
	h.newTemplate(`"name": "used", "master_lb_enabled": true, "labels": {"a": "b"}`)
	h.newTemplate(`"name": "free"`)
	id := h.newCluster("used", `"name": "c", "labels": {"a": "b"}`)
	refs, err := h.cert.Generate(context.Background(), h.stored(id))
	if err != nil {
		f.Fatal(err)
	}
	h.set(id, func(c *magnum.Cluster) {
		c.Status, c.APIAddress, c.StackID = magnum.CreateComplete, "https://192.0.2.1:6443", "stack"
		c.CACertRef, c.MagnumCertRef, c.EtcdCACertRef, c.FrontProxyCertRef = refs.CA, refs.Magnum, refs.EtcdCA, refs.FrontProxyCA
		for i := range c.NodeGroups {
			c.NodeGroups[i].Status = magnum.CreateComplete
		}
	})
	h.watch(f)
	return h
}

func (h *hammer) watch(f testing.TB) {
	f.Helper()
	ctx := context.Background()
	db, err := sql.Open("sqlite3", "file:"+h.path+"?_busy_timeout=10000")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	if h.guard, err = db.Conn(ctx); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = h.guard.Close() })
	h.tables = h.query(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	copied := filepath.Join(f.TempDir(), "copy.db")
	for _, statement := range []string{"VACUUM INTO '" + copied + "'", "ATTACH '" + copied + "' AS copy", "PRAGMA foreign_keys = OFF", "PRAGMA synchronous = OFF"} {
		if _, err := h.guard.ExecContext(ctx, statement); err != nil {
			f.Fatal(err)
		}
	}
}

// restore puts all rows back.
func (h *hammer) restore(t *testing.T) {
	t.Helper()
	var b strings.Builder
	b.WriteString("BEGIN IMMEDIATE;")
	for _, name := range h.tables {
		b.WriteString(`DELETE FROM main."` + name + `"; INSERT INTO main."` + name + `" SELECT * FROM copy."` + name + `";`)
	}
	b.WriteString("COMMIT")
	if _, err := h.guard.ExecContext(context.Background(), b.String()); err != nil {
		t.Fatal(err)
	}
}

// written is a number that every commit of another connection changes.
func (h *hammer) written(t *testing.T) (n int64) {
	t.Helper()
	if err := h.guard.QueryRowContext(context.Background(), "PRAGMA data_version").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// request makes a request that net/http would let through.
func (h *hammer) request(method, target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	r.Method, r.URL.Path, r.URL.RawQuery, r.Host = method, "/"+strings.TrimPrefix(path, "/"), query, "magnum:9511"
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	return r
}

// hit sends a request and holds what is true of every answer: it is no 5xx and
// what it says it is, and whoever is refused, or only reads, changes nothing.
func (h *hammer) hit(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	before, woken := h.written(t), h.woken.Load()
	h.said.Reset()
	got := httptest.NewRecorder()
	h.handler.ServeHTTP(got, r)
	if got.Code < http.StatusOK || got.Code >= http.StatusInternalServerError {
		t.Errorf("%d %s\n%s", got.Code, got.Body, &h.said)
	}
	checkAnswer(t, r, got)
	if h.described != nil {
		if err := h.described.CheckAnswer(&apitest.Exchange{
			Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header,
			Status: got.Code, AnswerHeader: got.Header(), Answer: got.Body.Bytes(),
		}); err != nil {
			t.Error(err)
		}
	}
	changed := h.written(t) != before
	reads := slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
	if got.Code >= http.StatusBadRequest || reads {
		if changed {
			t.Errorf("a row changed, and yet the answer is %d %s", got.Code, got.Body)
		}
		if h.woken.Load() != woken {
			t.Errorf("a conductor was woken, and yet the answer is %d %s", got.Code, got.Body)
		}
	}
	if changed {
		h.restore(t)
	}
	return got
}

func checkAnswer(t *testing.T, r *http.Request, got *httptest.ResponseRecorder) {
	t.Helper()
	body := got.Body.Bytes()
	if got.Header().Get("Content-Type") != "application/json" || len(body) == 0 {
		if got.Code >= http.StatusBadRequest && r.Method != http.MethodHead {
			t.Errorf("%d is not explained: %q", got.Code, body)
		}
		return
	}
	var answer struct {
		Error *struct {
			Code           int
			Title, Message string
		}
		Errors []map[string]any
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Errorf("broken JSON: %v\n%s", err, body)
		return
	}
	switch {
	case got.Code < http.StatusBadRequest:
		if answer.Error != nil || answer.Errors != nil {
			t.Errorf("%d with an error: %s", got.Code, body)
		}
	case got.Code == http.StatusUnauthorized:
		if answer.Error == nil || answer.Error.Code != got.Code || answer.Error.Message == "" {
			t.Errorf("%d without its body: %s", got.Code, body)
		}
	case len(answer.Errors) != 1:
		t.Errorf("%d with %d errors: %s", got.Code, len(answer.Errors), body)
	default:
		first := answer.Errors[0]
		members := []string{"code", "detail", "links", "request_id", "status", "title"}
		if first["code"] == "magnum.microversion-unsupported" {
			members = []string{"code", "description", "links", "max_version", "min_version", "title"}
		} else if first["status"] != float64(got.Code) {
			t.Errorf("status %v in the body of a %d", first["status"], got.Code)
		}
		for _, name := range members {
			if _, ok := first[name]; !ok {
				t.Errorf("%d without %s: %s", got.Code, name, body)
			}
		}
		if len(first) != len(members) {
			t.Errorf("%d with surplus members: %s", got.Code, body)
		}
	}
}

// writing lists the routes that take a body, with real objects in the path.
func (h *hammer) writing(methods ...string) []string {
	var all []string
	for _, rt := range h.handler.(*api).table {
		if slices.Contains(methods, rt.method) && rt.rule != anybody {
			all = append(all, rt.method+" /v1"+example(rt.path))
		}
	}
	slices.Sort(all)
	return all
}

// example fills in a path's variables.
func example(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		switch {
		case !strings.HasPrefix(s, "{"):
		case strings.Contains(s, "nodegroup"):
			segments[i] = magnum.DefaultWorker
		case strings.Contains(s, "template"), strings.Contains(s, "baymodel"):
			segments[i] = "free"
		case strings.Contains(s, "project"):
			segments[i] = "project-demo"
		case strings.Contains(s, "resource"):
			segments[i] = magnum.ResourceCluster
		default:
			segments[i] = "c"
		}
	}
	return strings.Join(segments, "/")
}

// tokens are those that a fuzz target chooses from.
var tokens = []string{"demo", "admin", "alt", "reader", "nobody", ""}

func chosen[T any](from []T, n uint8) T { return from[int(n)%len(from)] }
