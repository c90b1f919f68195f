package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/certificates"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clustertemplates"

	"github.com/go-magnum/magnum/core/conductor"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/plugins/store"
	racks "github.com/go-magnum/magnum/sdk/examples/rack/service"
)

// rackLab is a lab with the example of a driver without Heat, and the service
// that it works with.
type rackLab struct {
	*lab
	rack *racks.Rack
	path string // the driver's package
}

func newRackLab(t *testing.T, step time.Duration) *rackLab {
	t.Helper()
	l := &rackLab{lab: newLab(t, 100*time.Millisecond), rack: racks.New(step)}
	server := httptest.NewServer(l.rack)
	t.Cleanup(server.Close)
	t.Cleanup(l.rack.Close)
	l.path = filepath.Join(l.dir, "package")
	binary := filepath.Join(l.dir, "rack")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w -X main.address="+server.URL, "-o", binary, module+"sdk/examples/rack")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := store.Pack(t.Context(), l.path, binary, store.Asks{}); err != nil {
		t.Fatal(err)
	}
	l.install(l.path)
	return l
}

func (l *rackLab) template(c *gophercloud.ServiceClient) string {
	l.t.Helper()
	l.lab.template(c) // returns once the drivers are published
	ct, err := clustertemplates.Create(l.t.Context(), c, clustertemplates.CreateOpts{
		Name: "rack", COE: "kubernetes", ImageID: "ubuntu-mesos", ExternalNetworkID: "public", FlavorID: "m1.small", MasterFlavorID: "m1.small",
		KeyPairID: "testkey",
	}).Extract()
	if err != nil {
		l.t.Fatal(err)
	}
	return ct.UUID
}

// want looks at what there is: at the service, in the API, and nothing at Heat.
func (l *rackLab) want(got *clusters.Cluster, nodes, operations int) {
	l.t.Helper()
	if n, begun := l.rack.Nodes()[got.UUID], l.rack.Begun(got.UUID); n != nodes || begun != operations {
		l.t.Errorf("the service has %d nodes after %d operations, want %d after %d", n, begun, nodes, operations)
	}
	if got.StackID != "" || len(l.cloud.Stacks()) != 0 {
		l.t.Errorf("stack_id %q, %d stacks", got.StackID, len(l.cloud.Stacks()))
	}
	if len(got.MasterAddresses)+len(got.NodeAddresses) != nodes || got.APIAddress == "" {
		l.t.Errorf("masters %v, nodes %v, API %q", got.MasterAddresses, got.NodeAddresses, got.APIAddress)
	}
}

func (l *rackLab) gone(c *gophercloud.ServiceClient, id string) {
	l.t.Helper()
	poll(l.t, time.Minute, "cluster "+id+" to be gone", func() (bool, error) {
		got, err := clusters.Get(l.t.Context(), c, id).Extract()
		if err == nil && got.Status == "DELETE_FAILED" {
			l.t.Fatalf("it is %s: %s", got.Status, got.StatusReason)
		}
		return gophercloud.ResponseCodeIs(err, 404), nil
	})
	l.withDB(func(ctx context.Context, db *state.DB) error {
		left, err := db.DriverOperations(ctx, id)
		if len(left) != 0 {
			l.t.Errorf("records of the driver's operations are left: %+v", left)
		}
		return err
	})
}

// greet asks a cluster's API as a user does that has had a certificate signed,
// and who trusts the cluster's authority and no other.
func greet(t *testing.T, c *gophercloud.ServiceClient, got *clusters.Cluster) {
	t.Helper()
	ca, err := certificates.Get(t.Context(), c, got.UUID).Extract()
	if err != nil {
		t.Fatal(err)
	}
	key, csr := newRequest(t, "somebody", "")
	signed, err := certificates.Create(t.Context(), c, certificates.CreateOpts{ClusterUUID: got.UUID, CSR: string(csr)}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(signed.PEM))
	if block == nil {
		t.Fatalf("signed %q", signed.PEM)
	}
	user := &tls.Config{
		MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{{Certificate: [][]byte{block.Bytes}, PrivateKey: key}},
	}
	user.RootCAs.AppendCertsFromPEM([]byte(ca.PEM))
	if answer, err := ask(t, got.APIAddress, user); err != nil || answer != `{"user":"somebody"}`+"\n" {
		t.Errorf("the API answers %q, %v", answer, err)
	}
	nobody := user.Clone()
	nobody.Certificates = nil
	if answer, err := ask(t, got.APIAddress, nobody); err == nil {
		t.Errorf("the API answers %q to one without a certificate", answer)
	}
	stranger := user.Clone()
	stranger.RootCAs = x509.NewCertPool()
	if answer, err := ask(t, got.APIAddress, stranger); err == nil {
		t.Errorf("one who does not know the authority gets %q", answer)
	}
}

func ask(t *testing.T, url string, user *tls.Config) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: user, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

// A cluster's life without Heat, through the API; its conductor is killed, and
// the driver with it, in the middle of the driver's work.
func TestWithoutHeat(t *testing.T) {
	t.Parallel()
	l := newRackLab(t, 500*time.Millisecond)
	l.startAPI()
	first := l.start("conductor", "")
	user := l.client("demo")
	id := l.create(user, l.template(user), "bare", 1, 3)
	poll(t, time.Minute, "the driver to be heard of", func() (bool, error) {
		return strings.Contains(l.cluster(user, id).StatusReason, "nodes are up"), nil
	})
	_ = first.cmd.Process.Kill()
	first.died(t, 10*time.Second)
	second := l.start("conductor", "")
	got := l.waitStatus(user, id, "CREATE_COMPLETE", time.Minute)
	l.want(got, 4, 1)
	greet(t, user, got)
	nodes := 1
	if _, err := clusters.Resize(t.Context(), user, id, clusters.ResizeOpts{NodeCount: &nodes}).Extract(); err != nil {
		t.Fatal(err)
	}
	got = l.waitStatus(user, id, "UPDATE_COMPLETE", time.Minute)
	l.want(got, 2, 2)
	greet(t, user, got)
	if err := clusters.Delete(t.Context(), user, id).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	l.gone(user, id)

	// One is deleted while it is made.
	id = l.create(user, "rack", "soon-gone", 1, 50)
	poll(t, time.Minute, "the driver to be heard of", func() (bool, error) {
		return strings.Contains(l.cluster(user, id).StatusReason, "nodes are up"), nil
	})
	if err := clusters.Delete(t.Context(), user, id).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	l.gone(user, id)
	if left := l.rack.Nodes(); len(left) != 0 {
		t.Errorf("the service has kept %v", left)
	}

	// And one whose driver goes away can be forgotten only.
	id = l.create(user, "rack", "orphan", 1, 1)
	l.waitStatus(user, id, "CREATE_COMPLETE", time.Minute)
	forget := func() (string, error) {
		out, err := exec.CommandContext(t.Context(), executable(t, "magnum-db-manage"), "forget-cluster", id, "--config-file", l.conf).CombinedOutput()
		return string(out), err
	}
	if out, err := forget(); err == nil || !strings.Contains(out, "is installed and can remove it") {
		t.Errorf("a cluster was forgotten whose driver is there: %s %v", out, err)
	}
	second.stop(t)
	conf, err := config.Load(l.conf)
	if err != nil {
		t.Fatal(err)
	}
	l.withDB(func(ctx context.Context, db *state.DB) error { return db.PublishDrivers(ctx, conf.Default.Host, nil) })
	if out, err := forget(); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	l.start("conductor", "")
	l.gone(user, id)
	if left := l.rack.Nodes(); left[id] != 2 {
		t.Errorf("the service has %v: the driver was asked after all", left)
	}
}

// TestKillWithoutHeat is TestKillAtEveryPhase for a cluster without a stack.
func TestKillWithoutHeat(t *testing.T) {
	for _, victim := range []string{"conductor", "driver"} {
		for _, phase := range []string{"trust", "certificates", "begin", "watch"} {
			for _, point := range []conductor.Point{conductor.Before, conductor.After} {
				at := phase + ":" + string(point)
				t.Run(victim+"/"+phase+"/"+string(point), func(t *testing.T) {
					t.Parallel()
					l := newRackLab(t, 100*time.Millisecond)
					l.startAPI()
					first := l.start("conductor", victim+":"+at)
					user := l.client("demo")
					id := l.create(user, l.template(user), "phoenix", 1, 2)
					if victim == "conductor" {
						first.died(t, 60*time.Second)
						l.start("conductor", "")
					}
					got := l.waitStatus(user, id, "CREATE_COMPLETE", 3*time.Minute) // a Begin on its way is waited out
					if victim == "driver" && !strings.Contains(l.logs.String(), "MARK driver killed at "+at) {
						t.Error("the driver was not killed: the test shows nothing")
					}
					l.want(got, 3, 1)
				})
			}
		}
	}
}

// TestLifecyclePage runs the commands of docs/drivers/lifecycle.md.
func TestLifecyclePage(t *testing.T) {
	t.Parallel()
	l := newRackLab(t, 100*time.Millisecond)
	for _, line := range documented(t, "docs/drivers/lifecycle.md", "magnum-driver-manage ") {
		line = strings.NewReplacer("bin/rack", filepath.Join(l.dir, "rack"), "bin/drivers/rack", filepath.Join(l.dir, "page")).Replace(line)
		args := strings.Fields(line)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		out, err := exec.CommandContext(ctx, executable(t, args[0]), append(args[1:], "--config-file", l.conf)...).CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	if left := l.rack.Nodes(); len(left) != 0 {
		t.Errorf("conform has left %v", left)
	}
	c := newCLI(t, l.cloud.OpenRC("demo"))
	l.startAPI()
	l.start("conductor", "")
	l.lab.template(l.client("demo")) // returns once the drivers are published
	for _, line := range documented(t, "docs/drivers/lifecycle.md", "openstack ") {
		c.run(strings.Fields(strings.TrimPrefix(line, "openstack "))...)
	}
	api, _ := c.wait("bare", "CREATE_COMPLETE", 90*time.Second)["api_address"].(string)
	if answer, err := ask(t, api, c.config("bare", api)); err != nil || answer == "" {
		t.Errorf("who has the cluster's config is answered %q, %v", answer, err)
	}
}
