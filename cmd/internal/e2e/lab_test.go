package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clustertemplates"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/api/apitest"
	"github.com/go-magnum/magnum/core/devcloud"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
)

// lab is an embedded cloud in this process, and a service in processes of its
// own that a test may kill.
type lab struct {
	t     testing.TB
	cloud *devcloud.Cloud
	dir   string
	conf  string
	db    string // connection URL
	url   string
	logs  *logs
}

func newLab(t testing.TB, serverDelay time.Duration) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), logs: &logs{}}
	t.Cleanup(l.makeWritable)
	cloud, err := devcloud.Start(devcloud.Config{
		Addr: "127.0.0.1:0", ServerDelay: serverDelay,
		Logger: hclog.New(&hclog.LoggerOptions{Name: "cloud", Output: l.logs}),
	})
	if err != nil {
		t.Fatal(err)
	}
	l.cloud = cloud
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := cloud.Close(ctx); err != nil {
			t.Errorf("close the cloud: %v", err)
		}
		if t.Failed() {
			t.Logf("the processes said:\n%s", l.logs.tail(20000))
		}
	})
	port := freePort(t)
	l.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	cloud.SetMagnumURL(l.url + "/v1")
	db := filepath.Join(l.dir, "magnum.sqlite")
	l.db = "sqlite:///" + db
	l.conf = filepath.Join(l.dir, "magnum.conf")
	if err := os.WriteFile(l.conf, []byte(cloud.MagnumConf(l.dir, "127.0.0.1", port, db)), 0o600); err != nil {
		t.Fatal(err)
	}
	l.withDB(func(ctx context.Context, db *state.DB) error {
		_, _, err := db.Upgrade(ctx)
		return err
	})
	l.install(packageDir)
	return l
}

// install installs a driver package.
func (l *lab) install(path string) {
	l.t.Helper()
	s, err := store.Open(filepath.Join(l.dir, "drivers"))
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := s.Install(l.t.Context(), store.InstallRequest{Source: path}); err != nil {
		l.t.Fatal(err)
	}
}

// makeWritable lets the testing package remove the driver store.
func (l *lab) makeWritable() {
	_ = filepath.WalkDir(l.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
}

func (l *lab) withDB(use func(context.Context, *state.DB) error) {
	l.t.Helper()
	db, err := state.Open(l.t.Context(), state.Config{Connection: l.db})
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	if err := use(l.t.Context(), db); err != nil {
		l.t.Fatal(err)
	}
}

// process is a service that was started and is waited for.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func (l *lab) start(role, kill string) *process {
	l.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + l.dir, "TMPDIR=" + os.TempDir(),
		roleVar + "=" + role, confVar + "=" + l.conf, killVar + "=" + kill,
	}
	return l.run(cmd)
}

// run starts a process for as long as the test runs.
func (l *lab) run(cmd *exec.Cmd) *process {
	l.t.Helper()
	return background(l.t, l.logs, cmd)
}

func background(t testing.TB, out *logs, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
		t.Error("a service did not stop within 20 s of SIGTERM")
	}
}

// died waits for a process to go by itself.
func (p *process) died(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		t.Fatalf("the process is still there after %v", within)
	}
}

func (l *lab) startAPI() *process {
	l.t.Helper()
	p := l.start("api", "")
	poll(l.t, 20*time.Second, "the API to answer", func() (bool, error) {
		resp, err := http.Get(l.url + "/")
		if err != nil {
			return false, nil
		}
		return resp.StatusCode == http.StatusOK, resp.Body.Close()
	})
	return p
}

// client is the API as a user of the cloud sees it.
func (l *lab) client(user string) *gophercloud.ServiceClient {
	l.t.Helper()
	return l.clientWith(l.cloud.OpenRC(user))
}

// clientWith is the API as whoever has these variables sees it.
func (l *lab) clientWith(rc map[string]string) *gophercloud.ServiceClient {
	l.t.Helper()
	p, err := openstack.AuthenticatedClient(l.t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: rc["OS_AUTH_URL"], Username: rc["OS_USERNAME"], Password: rc["OS_PASSWORD"],
		TenantName: rc["OS_PROJECT_NAME"], DomainName: rc["OS_USER_DOMAIN_NAME"],
	})
	if err != nil {
		l.t.Fatal(err)
	}
	description, err := apitest.Load()
	if err != nil {
		l.t.Fatal(err)
	}
	p.HTTPClient.Transport = description.Watch(http.DefaultTransport, strings.TrimPrefix(l.url, "http://"), func(err error) { l.t.Error(err) })
	c, err := openstack.NewContainerInfraV1(p, gophercloud.EndpointOpts{Region: rc["OS_REGION_NAME"]})
	if err != nil {
		l.t.Fatal(err)
	}
	c.Microversion = "1.7"
	return c
}

// template makes a cluster template as soon as the driver is published.
func (l *lab) template(c *gophercloud.ServiceClient) string {
	l.t.Helper()
	return l.templateOf(c, "fedora-atomic-latest", "flannel")
}

// templateOf is template for an image and a network driver, or the default one.
func (l *lab) templateOf(c *gophercloud.ServiceClient, image, network string) string {
	l.t.Helper()
	var id string
	poll(l.t, 20*time.Second, "the driver to be published", func() (bool, error) {
		ct, err := clustertemplates.Create(l.t.Context(), c, clustertemplates.CreateOpts{
			Name: "by-api", COE: "kubernetes", ImageID: image, ExternalNetworkID: "public",
			FlavorID: "m1.small", MasterFlavorID: "m1.small", KeyPairID: "testkey", NetworkDriver: network,
		}).Extract()
		if gophercloud.ResponseCodeIs(err, http.StatusBadRequest) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		id = ct.UUID
		return true, nil
	})
	return id
}

func (l *lab) create(c *gophercloud.ServiceClient, template, name string, masters, nodes int) string {
	l.t.Helper()
	id, err := clusters.Create(l.t.Context(), c, clusters.CreateOpts{
		Name: name, ClusterTemplateID: template, MasterCount: &masters, NodeCount: &nodes,
	}).Extract()
	if err != nil {
		l.t.Fatal(err)
	}
	return id
}

func (l *lab) waitStatus(c *gophercloud.ServiceClient, id, want string, within time.Duration) *clusters.Cluster {
	l.t.Helper()
	var got *clusters.Cluster
	poll(l.t, within, "cluster "+id+" to be "+want, func() (bool, error) {
		var err error
		if got, err = clusters.Get(l.t.Context(), c, id).Extract(); err != nil {
			return false, err
		}
		if got.Status != want && (got.Status == "CREATE_FAILED" || got.Status == "UPDATE_FAILED" || got.Status == "DELETE_FAILED") {
			return false, fmt.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
		return got.Status == want, nil
	})
	return got
}

// cluster is the cluster as it is now.
func (l *lab) cluster(c *gophercloud.ServiceClient, id string) *clusters.Cluster {
	l.t.Helper()
	got, err := clusters.Get(l.t.Context(), c, id).Extract()
	if err != nil {
		l.t.Fatal(err)
	}
	return got
}

// poll asks until it is done or fails.
func poll(t testing.TB, within time.Duration, what string, done func() (bool, error)) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(within)
	for {
		ok, err := done()
		if err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v for %s", within, what)
		}
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// logs gathers what all processes print.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logs) tail(n int) string {
	s := l.String()
	return s[max(0, len(s)-n):]
}
