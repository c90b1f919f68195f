package api

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/openstack"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("database/sql.(*DB).connectionOpener")) // of databases that a fuzzing run keeps
}

// cloud is a double of Keystone and of the look-ups: people by token, and
// things by name.
type cloud struct {
	people   map[string]keystone.Identity
	images   map[string]string // os_distro by name
	drivers  map[string]string // magnum_driver by image
	flavors  map[string]int    // disk by name
	networks []string
	keypairs []string
	down     bool
	// projectsAway: tokens are known still, but projects are not.
	projectsAway bool
	asked        atomic.Int64
}

func newCloud() *cloud {
	person := func(name, project string, roles ...string) keystone.Identity {
		return keystone.Identity{UserID: "user-" + name, UserName: name, UserDomainID: "default", ProjectID: "project-" + project, Roles: roles}
	}
	return &cloud{
		people: map[string]keystone.Identity{
			"admin":  person("admin", "admin", "admin", "member", "reader"),
			"demo":   person("demo", "demo", "member", "reader"),
			"friend": person("friend", "demo", "member", "reader"),
			"reader": person("reader", "demo", "reader"),
			"alt":    person("alt", "alt", "member", "reader"),
		},
		images: map[string]string{
			"fedora-atomic-latest": "fedora-atomic", "fedora-coreos-latest": "fedora-coreos", "fedora-latest": "fedora",
			"ubuntu-mesos": "ubuntu", "no-distro": "",
		},
		drivers:  map[string]string{},
		flavors:  map[string]int{"m1.tiny": 1, "m1.small": 20, "m1.medium": 40, "m1.large": 80, "no.disk": 0},
		networks: []string{"public"},
		keypairs: []string{"testkey"},
	}
}

func (c *cloud) Authenticate(_ context.Context, r keystone.Request) (*keystone.Identity, error) {
	if c.down {
		return nil, magnum.Errorf(magnum.Unavailable, "Keystone is not available.")
	}
	p, ok := c.people[r.Token]
	if !ok {
		return nil, magnum.Errorf(magnum.Unauthorized, "no such token")
	}
	p.Token = r.Token
	return &p, nil
}

func (c *cloud) ProjectExists(_ context.Context, id string) (bool, error) {
	c.asked.Add(1)
	if c.projectsAway {
		return false, magnum.Errorf(magnum.Unavailable, "Keystone is unavailable")
	}
	for _, p := range c.people {
		if p.ProjectID == id {
			return true, nil
		}
	}
	return false, nil
}

func (c *cloud) Image(_ context.Context, _ *keystone.Identity, ident string) (openstack.Image, error) {
	c.asked.Add(1)
	distro, ok := c.images[ident]
	if !ok {
		return openstack.Image{}, badRequest("Image %s could not be found.", ident)
	}
	return openstack.Image{Name: ident, OSDistro: distro, Driver: c.drivers[ident]}, nil
}

func (c *cloud) Flavor(_ context.Context, _ *keystone.Identity, ident string) (openstack.Flavor, error) {
	c.asked.Add(1)
	disk, ok := c.flavors[ident]
	if !ok {
		return openstack.Flavor{}, badRequest("Unable to find flavor %s.", ident)
	}
	return openstack.Flavor{Name: ident, Disk: disk}, nil
}

func (c *cloud) Keypair(_ context.Context, _ *keystone.Identity, name string) error {
	c.asked.Add(1)
	if !slices.Contains(c.keypairs, name) {
		return magnum.Errorf(magnum.NotFound, "Unable to find keypair %s.", name)
	}
	return nil
}

func (c *cloud) ExternalNetwork(_ context.Context, _ *keystone.Identity, ident string) (openstack.Network, error) {
	c.asked.Add(1)
	if !slices.Contains(c.networks, ident) {
		return openstack.Network{}, badRequest("Unable to find external network %s.", ident)
	}
	return openstack.Network{Name: ident}, nil
}

// testDrivers are what a conductor would have published.
func testDrivers() []state.Driver {
	one := func(name, os, coe string, networks, volumes []string, schema string, caps ...driver.Capability) state.Driver {
		return state.Driver{Name: name, Version: "1.0.0", Active: true, Description: driver.Description{
			Name: name, Version: "1.0.0", Maturity: driver.MaturityStable,
			ClusterTypes:   []driver.ClusterType{{ServerType: "vm", OS: os, COE: coe}},
			NetworkDrivers: networks, VolumeDrivers: volumes, LabelSchema: driver.RawJSON(schema), Capabilities: caps,
		}}
	}
	const schema = `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {
		"etcd_volume_size": {"type": "integer", "minimum": 0, "maximum": 100},
		"kube_dashboard_enabled": {"type": "boolean"},
		"selinux_mode": {"enum": ["enforcing", "permissive", "disabled"]},
		"container_infra_prefix": {"type": "string", "pattern": "/$"},
		"ratio": {"type": "number"},
		"docker_volume_type": {"type": "string", "x-per-node-group": true},
		"service_cluster_ip_range": {"type": "string", "format": "cidr", "default": "10.254.0.0/16", "x-per-node-group": false},
		"system_pods_timeout": {"type": "integer", "default": 20000000, "x-per-node-group": false},
		"cert_manager_api": {"type": "boolean", "default": false, "x-per-node-group": false},
		"kubeapi_options": {"type": "string", "x-per-node-group": false}}}`
	k8s := []string{"flannel", "calico"}
	return []state.Driver{
		one("k8s_fedora_atomic_v1", "fedora-atomic", "kubernetes", k8s, []string{"cinder"}, schema,
			driver.CapResize, driver.CapZeroNodes, driver.CapRemoveNamedNodes, driver.CapNodeGroups, driver.CapNodeLabels,
			driver.CapUpgrade, driver.CapRotateCA, driver.CapRotateCredential),
		one("k8s_fedora_coreos_v1", "fedora-coreos", "kubernetes", k8s, []string{"cinder"}, "", driver.CapResize, driver.CapZeroNodes),
		one("swarm_fedora_atomic_v1", "fedora-atomic", "swarm", []string{"docker", "flannel"}, []string{"rexray"}, ""),
		one("swarm_fedora_atomic_v2", "fedora-atomic", "swarm-mode", []string{"docker", "flannel"}, []string{"rexray"}, "", driver.CapResize),
	}
}

// change gives a driver other capabilities, in the same version.
func (f *fixture) change(name string, caps ...driver.Capability) {
	f.Helper()
	f.describe(name, func(d *driver.Description) { d.Capabilities = caps })
}

// describe changes what a driver says of itself.
func (f *fixture) describe(name string, change func(*driver.Description)) {
	f.Helper()
	drivers := testDrivers()
	for i := range drivers {
		if drivers[i].Name == name {
			change(&drivers[i].Description)
		}
	}
	if err := f.db.PublishDrivers(context.Background(), "h", drivers); err != nil {
		f.Fatal(err)
	}
}

// stockKey is made once: what is tested is not how keys are made.
var stockKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// fixture is the real handler over a real database.
type fixture struct {
	testing.TB
	*cloud
	handler http.Handler // the *api
	front   http.Handler // the same, held to docs/api/openapi.yaml
	config  Config       // of the handler
	db      *state.DB
	cert    *cert.Authority
	path    string
	woken   atomic.Int64
	version string // asked for by default
}

func newFixture(t testing.TB, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{TB: t, cloud: newCloud(), path: filepath.Join(t.TempDir(), "magnum.db"), version: "1.10"}
	ctx := context.Background()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var err error
	if f.db, err = state.Open(ctx, state.Config{Connection: "sqlite:///" + f.path, Now: func() time.Time { return clock }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := f.db.Upgrade(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.db.PublishDrivers(ctx, "h", testDrivers()); err != nil {
		t.Fatal(err)
	}
	f.cert = cert.New(cert.Config{Store: f.db, NewKey: func(int) (*rsa.PrivateKey, error) { return stockKey() }})
	options, err := config.Load()
	if err != nil {
		t.Fatal(err)
	}
	options.OsloPolicy.PolicyFile = ""
	options.Quotas.MaxClustersPerProject = 20
	options.KeystoneAuth.Password = config.NewSecret("service")
	options.KeystoneAuthtoken.WWWAuthenticateURI = "http://keystone/v3"
	c := Config{DB: f.db, Keystone: f.cloud, Lookup: f.cloud, Cert: f.cert, Options: options, Notify: func() { f.woken.Add(1) }, Logger: hclog.NewNullLogger()}
	for _, f := range change {
		f(&c)
	}
	f.config = c
	if f.handler, err = New(c); err != nil {
		t.Fatal(err)
	}
	f.front = held(t, f.handler)
	return f
}

// with is the same fixture in front of another handler.
func (f *fixture) with(h http.Handler) *fixture {
	return &fixture{TB: f.TB, cloud: f.cloud, handler: h, front: held(f.TB, h), db: f.db, cert: f.cert, path: f.path, version: f.version}
}

// held is a handler whose requests and answers are held to
// docs/api/openapi.yaml. Benchmarks measure the service alone, and fuzz targets
// look themselves.
func held(t testing.TB, h http.Handler) http.Handler {
	if _, ok := t.(*testing.T); !ok {
		return h
	}
	return description(t).Hold(h, func(err error) { t.Error(err) })
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (r reply) detail() string {
	errs, _ := r.body["errors"].([]any)
	if len(errs) == 0 {
		return ""
	}
	first, _ := errs[0].(map[string]any)
	detail, _ := first["detail"].(string)
	return detail
}

func (r reply) str(name string) string {
	s, _ := r.body[name].(string)
	return s
}

// send sends a request; headers come as pairs, and an empty value takes one
// away.
func (f *fixture) send(who, method, target, body string, headers ...string) reply {
	f.Helper()
	r := httptest.NewRequest(method, "/", strings.NewReader(body))
	path, query, _ := strings.Cut(target, "?")
	r.URL.Path, r.URL.RawQuery = path, query
	r.Host = "magnum:9511"
	r.Header.Set("Accept", "application/json")
	r.Header.Set("OpenStack-API-Version", "container-infra "+f.version)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("X-Auth-Token", who)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.front.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		f.Fatal(err)
	}
	got := reply{status: w.Code, header: w.Header(), text: string(text)}
	if len(text) > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(text, &got.body); err != nil {
			f.Fatalf("%s %s answers broken JSON: %v\n%s", method, target, err, text)
		}
	}
	return got
}

// must sends a request that has to be answered with a status.
func (f *fixture) must(status int, who, method, target, body string, headers ...string) reply {
	f.Helper()
	got := f.send(who, method, target, body, headers...)
	if got.status != status {
		f.Fatalf("%s %s %s %s: %d, want %d\n%s", who, method, target, body, got.status, status, got.text)
	}
	return got
}

// refused sends a request that has to be refused with a text, and must not
// change a row, start anything or wake anybody.
func (f *fixture) refused(status int, detail, who, method, target, body string, headers ...string) {
	f.Helper()
	before, woken := f.dump(), f.woken.Load()
	got := f.send(who, method, target, body, headers...)
	if got.status != status || got.detail() != detail {
		f.Errorf("%s %s %s %s:\n  %d %s\nwant\n  %d %s", who, method, target, body, got.status, got.detail(), status, detail)
	}
	if diff := cmp.Diff(before, f.dump()); diff != "" {
		f.Errorf("%s %s %s was refused and yet changed (-before +after):\n%s", method, target, body, diff)
	}
	if f.woken.Load() != woken {
		f.Errorf("%s %s %s was refused and yet woke a conductor", method, target, body)
	}
}

// dump is every row of every table.
func (f *fixture) dump() map[string][]string {
	f.Helper()
	db, err := sql.Open("sqlite3", "file:"+f.path+"?_query_only=on")
	if err != nil {
		f.Fatal(err)
	}
	defer db.Close()
	all := map[string][]string{}
	for _, table := range f.query(db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		all[table] = f.query(db, `SELECT * FROM "`+table+`"`)
	}
	return all
}

func (f *fixture) query(db *sql.DB, query string, args ...any) []string {
	f.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		f.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		f.Fatal(err)
	}
	var all []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			f.Fatal(err)
		}
		line := ""
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			line += fmt.Sprintf("%s=%v ", names[i], v)
		}
		if len(names) == 1 {
			line = fmt.Sprint(values[0])
		}
		all = append(all, line)
	}
	if err := rows.Err(); err != nil {
		f.Fatal(err)
	}
	return all
}

// set changes a stored cluster behind the API's back, as a conductor does.
func (f *fixture) set(uuid string, change func(*magnum.Cluster)) {
	f.Helper()
	ctx := context.Background()
	op, err := f.db.ActiveOperation(ctx, uuid)
	if err != nil {
		f.Fatal(err)
	}
	apply := func(c *magnum.Cluster) error { change(c); return nil }
	if op == nil {
		err = f.db.Accept(ctx, uuid, nil, apply)
	} else {
		var ops []*magnum.Operation
		if ops, err = f.db.Claim(ctx, state.Claimant{Owner: "test"}, time.Hour, 1000); err != nil {
			f.Fatal(err)
		}
		i := slices.IndexFunc(ops, func(o *magnum.Operation) bool { return o.ID == op.ID })
		err = f.db.Finish(ctx, ops[i], apply)
		for j, o := range ops {
			if j != i {
				if err := f.db.Release(ctx, o); err != nil {
					f.Fatal(err)
				}
			}
		}
	}
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) setStatus(uuid string, s magnum.Status) {
	f.Helper()
	f.set(uuid, func(c *magnum.Cluster) {
		c.Status = s
		for i := range c.NodeGroups {
			c.NodeGroups[i].Status = s
		}
	})
}

// stored reads a cluster.
func (f *fixture) stored(uuid string) *magnum.Cluster {
	f.Helper()
	c, err := f.db.Cluster(context.Background(), state.Scope{All: true}, uuid)
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// newTemplate makes a template of demo's, with additions to the body.
func (f *fixture) newTemplate(more string) string {
	f.Helper()
	return f.newTemplateOf("demo", more)
}

func (f *fixture) newTemplateOf(who, more string) string {
	f.Helper()
	if more != "" {
		more = ", " + more
	}
	return f.must(201, who, "POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest"`+more+`}`).str("uuid")
}

func (f *fixture) newCluster(template, more string) string {
	f.Helper()
	if more != "" {
		more = ", " + more
	}
	return f.must(202, "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+template+`"`+more+`}`).str("uuid")
}
