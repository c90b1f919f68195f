package conductor

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/notify"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// stockKey spares every test the making of RSA keys.
var stockKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// clock is moved by the test, or is the real one.
type clock struct {
	live bool
	mu   sync.Mutex
	now  time.Time
}

func (c *clock) Now() time.Time {
	if c.live {
		return time.Now()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// log collects what the conductor logs.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// bench is a conductor between a database and a cloud of doubles.
type bench struct {
	testing.TB
	clock    *clock
	db       *state.DB
	path     string // of the database
	keystone *keystonetest.Server
	heat     *heattest.Server
	driver   *fakeDriver
	options  *config.Config
	log      *logBuffer
	client   *keystone.Client
	hook     Hook
	template *magnum.ClusterTemplate
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{TB: t, clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, log: &logBuffer{}, driver: &fakeDriver{}}
	b.keystone = keystonetest.Start(t)
	b.keystone.Now = b.clock.Now
	b.keystone.Life = 24 * time.Hour
	b.heat = heattest.Start(t)
	b.heat.Allowed = func(token string) bool { _, ok := b.keystone.Known(token); return ok }
	b.keystone.Catalog["orchestration"] = b.heat.URL + "/v1/{project}"
	b.keystone.Catalog["container-infra"] = "http://magnum.test/v1"
	b.options = &config.Config{}
	b.options.KeystoneAuth.Password = config.NewSecret(keystonetest.Password)
	b.options.ClusterHeat.CreateTimeout = 60
	b.options.Trust.TrusteeKeystoneInterface = "public"
	var err error
	b.client, err = keystone.New(keystone.Config{
		AuthURL: b.keystone.URL, Username: "magnum", Password: keystonetest.Password, UserDomainName: "Default",
		ProjectName: "service", ProjectDomainName: "Default", RegionName: "RegionOne", Now: b.clock.Now,
		Trust:  keystone.TrustConfig{DomainName: keystonetest.DomainName, AdminName: "magnum_domain_admin", AdminPassword: keystonetest.Password},
		Logger: b.logger(), HTTPClient: b.keystone.Client(),
	})
	b.must(err)
	b.path = filepath.Join(t.TempDir(), "m.sqlite")
	b.db, err = state.Open(t.Context(), state.Config{Connection: "sqlite:///" + b.path, Now: b.clock.Now, Message: notify.Encoder("host-1")})
	b.must(err)
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
		b.keystone.Client().CloseIdleConnections()
	})
	_, _, err = b.db.Upgrade(t.Context())
	b.must(err)
	b.template = b.newTemplate("ct", nil)
	return b
}

func (b *bench) newTemplate(name string, labels magnum.Labels) *magnum.ClusterTemplate {
	b.Helper()
	t := &magnum.ClusterTemplate{
		Name: name, ProjectID: keystonetest.DemoProj, COE: "kubernetes", ServerType: "vm", ClusterDistro: "fedora-atomic", Labels: labels,
	}
	b.must(b.db.CreateTemplate(b.Context(), t))
	return t
}

func (b *bench) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: b.log})
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// conductor makes one; several share the bench as several processes would.
func (b *bench) conductor() *Conductor {
	b.Helper()
	c, err := New(Config{
		DB: b.db, Drivers: b.driver, Keystone: b.client, Options: b.options, Host: "host-1",
		Cert: cert.New(cert.Config{Store: b.db, Now: b.clock.Now, NewKey: func(int) (*rsa.PrivateKey, error) { return stockKey() }}),
		Hook: b.hook, Logger: b.logger(), Now: b.clock.Now,
		Backoff: func(int) time.Duration { return 2 * time.Second },
	})
	b.must(err)
	return c
}

// create accepts a cluster, as the API does, and returns its uuid.
func (b *bench) create(change func(*magnum.Cluster)) string {
	b.Helper()
	token := b.keystone.Token(keystonetest.DemoUser, keystonetest.DemoProj)
	sealed, err := keystone.Seal(keystone.SealKey(keystonetest.Password), token)
	b.must(err)
	c := &magnum.Cluster{
		Name: "My_cluster", ProjectID: keystonetest.DemoProj, UserID: keystonetest.DemoUser, ClusterTemplateID: b.template.UUID,
		Status: magnum.CreateInProgress, CreateTimeout: 30, Driver: magnum.DriverRef{Name: "fake", Version: "1.0.0"},
		NodeGroups: []magnum.NodeGroup{
			{Name: magnum.DefaultMaster, Role: magnum.RoleMaster, NodeCount: 1, IsDefault: true, Status: magnum.CreateInProgress, ProjectID: keystonetest.DemoProj},
			{Name: magnum.DefaultWorker, Role: magnum.RoleWorker, NodeCount: 3, IsDefault: true, Status: magnum.CreateInProgress, ProjectID: keystonetest.DemoProj},
		},
	}
	if change != nil {
		change(c)
	}
	op := &magnum.Operation{
		Kind: magnum.OpCreate, SealedToken: sealed, RequestID: "req-1",
		Initiator: magnum.Initiator{UserID: keystonetest.DemoUser, ProjectID: keystonetest.DemoProj, Roles: []string{"member"}},
	}
	b.must(b.db.AcceptCreate(b.Context(), c, op, 2000))
	return c.UUID
}

// accept starts another operation on a cluster, as the API does.
func (b *bench) accept(cluster string, op *magnum.Operation, status magnum.Status) {
	b.Helper()
	op.Initiator = magnum.Initiator{UserID: keystonetest.DemoUser, ProjectID: keystonetest.DemoProj}
	b.must(b.db.Accept(b.Context(), cluster, op, func(c *magnum.Cluster) error {
		c.Status = status
		return nil
	}))
}

func (b *bench) cluster(uuid string) *magnum.Cluster {
	b.Helper()
	c, err := b.db.Cluster(b.Context(), state.Scope{All: true}, uuid)
	b.must(err)
	return c
}

// turn has a conductor do all it can do at this moment.
func turn(ctx context.Context, c *Conductor) {
	c.claim(ctx)
	c.busy.Wait()
	c.pass(ctx)
	c.busy.Wait()
	c.keepAll(ctx)
}

// until turns conductors, a second at a time, until done; not for ever.
func (b *bench) until(what string, done func() bool, all ...*Conductor) {
	b.Helper()
	for range 4000 {
		if done() {
			return
		}
		for _, c := range all {
			turn(b.Context(), c)
		}
		if done() {
			return
		}
		b.clock.Advance(time.Second)
	}
	b.Fatalf("never: %s\n%s", what, b.log)
}

// settled is the cluster at the end of its operation.
func (b *bench) settled(uuid string, all ...*Conductor) *magnum.Cluster {
	b.Helper()
	b.until("the operation ends", func() bool {
		op, err := b.db.ActiveOperation(b.Context(), uuid)
		b.must(err)
		return op == nil
	}, all...)
	return b.cluster(uuid)
}

// destroyed waits until a cluster is gone.
func (b *bench) destroyed(uuid string, all ...*Conductor) {
	b.Helper()
	b.until("the cluster is gone", func() bool {
		_, err := b.db.Cluster(b.Context(), state.Scope{All: true}, uuid)
		return magnum.KindOf(err) == magnum.NotFound && err != nil
	}, all...)
}

// fakeDriver is a driver in this process; fields make it do other things.
type fakeDriver struct {
	mu       sync.Mutex
	get      error
	render   func(driver.RenderRequest) (driver.RenderResponse, error)
	selects  func(driver.SelectNodesRequest) (driver.SelectNodesResponse, error)
	cleanups []driver.Cleanup
	renders  []driver.RenderRequest
	traces   []driver.Trace // of the renders
	outputs  []driver.MapOutputsRequest
	noScale  bool
	got      []magnum.DriverRef
	// lifecycle takes the place of templates.
	lifecycle driver.Lifecycle
}

func (d *fakeDriver) Get(_ context.Context, name, version string) (driver.Set, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.get != nil {
		return driver.Set{}, d.get
	}
	d.got = append(d.got, magnum.DriverRef{Name: name, Version: version})
	s := driver.Set{Name: name, Version: version, Driver: d, Templates: d, Scaling: d}
	if d.noScale {
		s.Scaling = nil
	}
	if d.lifecycle != nil {
		s.Templates, s.Scaling, s.Lifecycle = nil, nil, d.lifecycle
	}
	return s, nil
}

func (d *fakeDriver) Describe(context.Context, driver.DescribeRequest) (driver.DescribeResponse, error) {
	return driver.DescribeResponse{Description: driver.Description{Name: "fake", ContainerVersion: "1.12.6"}}, nil
}

func (d *fakeDriver) Validate(context.Context, driver.ValidateRequest) (driver.ValidateResponse, error) {
	return driver.ValidateResponse{}, nil
}

func (d *fakeDriver) Render(ctx context.Context, r driver.RenderRequest) (driver.RenderResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renders, d.traces = append(d.renders, r), append(d.traces, driver.TraceOf(ctx))
	if d.render != nil {
		return d.render(r)
	}
	return driver.RenderResponse{
		Template: "heat_template_version: 2018-08-31\nparameters:\n  password: {type: string, hidden: true}\n",
		Parameters: map[string]driver.Parameter{
			"password": driver.Secret(driver.SecretTrusteePassword),
			"trust":    driver.Secret(driver.SecretTrustID),
			"key":      driver.Secret(driver.SecretServiceAccountPrivateKey),
			"ca_key":   driver.Secret(driver.SecretCAKey),
			"name":     driver.Value(r.Cluster.Name),
		},
	}, nil
}

func (d *fakeDriver) MapOutputs(_ context.Context, r driver.MapOutputsRequest) (driver.MapOutputsResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.outputs = append(d.outputs, r)
	address, version := "https://10.0.0.1:6443", "v1.30"
	if r.NodeGroup != "" { // a driver that says more than it was asked
		address = "https://10.9.9.9:6443"
		return driver.MapOutputsResponse{
			Cluster: driver.ClusterPatch{APIAddress: &address},
			NodeGroups: []driver.NodeGroupPatch{
				{Name: r.NodeGroup, NodeAddresses: []string{"10.0.1.2"}},
				{Name: magnum.DefaultWorker, NodeAddresses: []string{"10.0.1.2"}},
			},
		}, nil
	}
	return driver.MapOutputsResponse{
		Cluster: driver.ClusterPatch{APIAddress: &address, COEVersion: &version},
		NodeGroups: []driver.NodeGroupPatch{
			{Name: magnum.DefaultMaster, NodeAddresses: []string{"10.0.0.1"}},
			{Name: magnum.DefaultWorker, NodeAddresses: []string{"10.0.0.2", "10.0.0.3", "10.0.0.4"}},
			{Name: "unheard-of", NodeAddresses: []string{"10.9.9.9"}},
			{Name: "gpu", NodeAddresses: []string{"10.0.0.2"}}, // not in this stack
		},
	}, nil
}

func (d *fakeDriver) PreDelete(context.Context, driver.PreDeleteRequest) (driver.PreDeleteResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return driver.PreDeleteResponse{Cleanups: d.cleanups}, nil
}

func (d *fakeDriver) SelectNodes(_ context.Context, r driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.selects == nil {
		return driver.SelectNodesResponse{}, nil
	}
	return d.selects(r)
}
