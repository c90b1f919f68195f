package wiretest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/core/api/apitest"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/devcloud"
	"github.com/go-magnum/magnum/core/server"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// lab is the embedded cloud and the service on it, all in this process but
// for the driver.
type lab struct {
	url      string
	keystone string
	tokens   map[string]string // by user
	ids      map[string]string // project.NAME and user.NAME
	// transport holds all requests and answers to docs/api/openapi.yaml.
	transport http.RoundTripper
}

// buildDrivers packs the driver that works behind all the stand-ins, and the
// tests' own, which can do what recordings had done to clusters.
func buildDrivers(t testing.TB) []string {
	t.Helper()
	return []string{buildDriver(t, "drivers-k8s-fedora-atomic"), buildDriver(t, "cmd/internal/testdriver")}
}

func buildDriver(t testing.TB, program string) string {
	t.Helper()
	dir := t.TempDir()
	binary, packed := filepath.Join(dir, "driver"), filepath.Join(dir, "package")
	build := exec.Command("go", "build", "-o", binary, "github.com/go-magnum/magnum/"+program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", program, err, out)
	}
	if err := store.Pack(t.Context(), packed, binary, store.Asks{}); err != nil {
		t.Fatal(err)
	}
	return packed
}

// serverDelay keeps a new cluster busy for as long as the requests take that
// must find it so.
const serverDelay = time.Second

func newLab(t testing.TB, packages []string) *lab {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { makeWritable(dir) })
	quiet := hclog.New(&hclog.LoggerOptions{Output: io.Discard})
	cloud, err := devcloud.Start(devcloud.Config{Addr: "127.0.0.1:0", ServerDelay: serverDelay, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := cloud.Close(ctx); err != nil {
			t.Errorf("close the cloud: %v", err)
		}
	})
	port := freePort(t)
	l := &lab{url: fmt.Sprintf("http://127.0.0.1:%d", port), tokens: map[string]string{}, ids: map[string]string{}}
	cloud.SetMagnumURL(l.url + "/v1")
	description, err := apitest.Load()
	if err != nil {
		t.Fatal(err)
	}
	l.transport = description.Watch(http.DefaultTransport, strings.TrimPrefix(l.url, "http://"), func(err error) { t.Error(err) })
	db := filepath.Join(dir, "magnum.sqlite")
	path := filepath.Join(dir, "magnum.conf")
	if err := os.WriteFile(path, []byte(cloud.MagnumConf(dir, "127.0.0.1", port, db)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	l.keystone = c.KeystoneAuthtoken.WWWAuthenticateURI
	if l.keystone == "" {
		l.keystone = c.KeystoneAuthtoken.AuthURL
	}
	s, err := store.Open(filepath.Join(dir, "drivers"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range packages {
		if _, err := s.Install(t.Context(), store.InstallRequest{Source: dir}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := state.Open(t.Context(), state.Config{Connection: "sqlite:///" + db})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if _, _, err := rows.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.serve(t, command.Env{Config: c, Logger: quiet}, rows)
	l.logIn(t, cloud)
	return l
}

// serve runs API and conductor until the test ends, and returns when requests
// are taken, drivers are published and the conductor has reported itself.
func (l *lab) serve(t testing.TB, env command.Env, rows *state.DB) {
	t.Helper()
	actual, err := wire.Drivers(env)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- server.Both(ctx, server.Config{
			Config: env.Config, Logger: env.Logger, Drivers: standIns{actual}, Ready: func(string) { close(ready) },
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the service: %v", err)
		}
		wire.Close(actual, env.Logger)
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the service did not start: %v", err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		published, err := rows.Drivers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		services, err := rows.Services(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(published) > 0 && len(services) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("no driver was published, or no conductor reported itself, within 20 s")
		}
	}
}

// logIn gets everybody a token, and the ids that recordings name.
func (l *lab) logIn(t testing.TB, cloud *devcloud.Cloud) {
	t.Helper()
	for _, who := range []string{"demo", "alt", "reader", "admin"} {
		rc := cloud.OpenRC(who)
		p, err := openstack.AuthenticatedClient(t.Context(), gophercloud.AuthOptions{
			IdentityEndpoint: rc["OS_AUTH_URL"], Username: rc["OS_USERNAME"], Password: rc["OS_PASSWORD"],
			TenantName: rc["OS_PROJECT_NAME"], DomainName: rc["OS_USER_DOMAIN_NAME"],
		})
		if err != nil {
			t.Fatal(err)
		}
		l.tokens[who] = p.Token()
		result, ok := p.GetAuthResult().(tokens.CreateResult)
		if !ok {
			t.Fatalf("%s's token is a %T", who, p.GetAuthResult())
		}
		u, err := result.ExtractUser()
		if err != nil {
			t.Fatal(err)
		}
		l.ids["user."+who] = u.ID
		if who != "admin" {
			continue
		}
		identity, err := openstack.NewIdentityV3(p, gophercloud.EndpointOpts{})
		if err != nil {
			t.Fatal(err)
		}
		pages, err := projects.List(identity, nil).AllPages(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all, err := projects.ExtractProjects(pages)
		if err != nil {
			t.Fatal(err)
		}
		for _, project := range all {
			l.ids["project."+project.Name] = project.ID
		}
	}
}

// standIns adds to the installed drivers those that the recordings need and
// that are not packages yet. The API only sees their descriptions; behind
// them works the driver that there is.
type standIns struct{ *wire.Driver }

const behind = "k8s_fedora_atomic_v1"

var standInTypes = map[string]driver.ClusterType{
	"k8s_coreos_v1":          {ServerType: "vm", OS: "coreos", COE: "kubernetes"},
	"swarm_fedora_atomic_v1": {ServerType: "vm", OS: "fedora-atomic", COE: "swarm"},
	"swarm_fedora_atomic_v2": {ServerType: "vm", OS: "fedora-atomic", COE: "swarm-mode"},
	"mesos_ubuntu_v1":        {ServerType: "vm", OS: "ubuntu", COE: "mesos"},
}

// Standing and Changed are for who looks at a fleet, and nobody does here.
func (d standIns) Standing() ([]state.HostDriver, error) { return nil, nil }
func (d standIns) Changed() <-chan struct{}              { return nil }

func (d standIns) Installed() ([]state.Driver, error) {
	all, err := d.Driver.Installed()
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	for _, one := range all {
		have[one.Name] = true
	}
	for _, one := range all {
		if one.Name != behind {
			continue
		}
		for name, kind := range standInTypes {
			if have[name] {
				continue
			}
			more := one
			more.Name, more.Description.Name = name, name
			more.Description.ClusterTypes = []driver.ClusterType{kind}
			switch kind.COE {
			case "kubernetes":
				more.Description.NetworkDrivers, more.Description.VolumeDrivers = []string{"flannel", "calico"}, []string{"cinder"}
			case "swarm", "swarm-mode":
				more.Description.NetworkDrivers, more.Description.VolumeDrivers = []string{"docker", "flannel"}, []string{"rexray"}
			case "mesos":
				more.Description.NetworkDrivers, more.Description.VolumeDrivers = []string{"docker"}, []string{"rexray"}
			}
			all = append(all, more)
		}
	}
	return all, nil
}

func (d standIns) Get(ctx context.Context, name, version string) (driver.Set, error) {
	if _, ok := standInTypes[name]; ok {
		if set, err := d.Driver.Get(ctx, name, version); err == nil {
			return set, nil
		}
		name = behind
	}
	return d.Driver.Get(ctx, name, version)
}

// makeWritable lets the testing package remove the driver store.
func makeWritable(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
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
