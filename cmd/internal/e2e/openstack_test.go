package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"

	"github.com/go-magnum/magnum/core/state"
)

// labVar names the folder of tools/openstack-lab while that OpenStack is up.
const labVar = "MAGNUM_OPENSTACK_LAB"

// deployment is the service on a real OpenStack, as its executables run it.
type deployment struct {
	t    *testing.T
	lab  string
	dir  string
	conf string
	db   string
	logs *logs
	rc   map[string]string
	// What demo and admin see of the cloud.
	demo, admin *gophercloud.ProviderClient
}

// needLab skips a test before it builds anything for nothing.
func needLab(t *testing.T) {
	t.Helper()
	if os.Getenv(labVar) == "" {
		t.Skip("left out: there is no real OpenStack here; make test-openstack brings one up")
	}
}

func newReal(t *testing.T, drivers ...string) *deployment {
	t.Helper()
	needLab(t)
	r := &deployment{t: t, lab: os.Getenv(labVar), dir: t.TempDir(), logs: &logs{}}
	t.Cleanup((&lab{dir: r.dir}).makeWritable)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the processes said:\n%s", r.logs.tail(20000))
		}
	})
	db := filepath.Join(r.dir, "magnum.sqlite")
	r.db = "sqlite:///" + db
	r.conf = filepath.Join(r.dir, "magnum.conf")
	conf, err := exec.Command(filepath.Join(r.lab, "magnum-conf"), r.dir, db).Output()
	if err != nil {
		t.Fatalf("magnum-conf: %v", err)
	}
	if err := os.WriteFile(r.conf, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	r.rc = r.openrc("demo")
	r.tool("magnum-db-manage", "upgrade")
	for _, d := range drivers {
		r.tool("magnum-driver-manage", "install", d)
	}
	r.demo, r.admin = r.login(r.rc), r.login(r.openrc("admin"))
	return r
}

func (r *deployment) login(rc map[string]string) *gophercloud.ProviderClient {
	r.t.Helper()
	p, err := openstack.AuthenticatedClient(r.t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: rc["OS_AUTH_URL"], Username: rc["OS_USERNAME"], Password: rc["OS_PASSWORD"],
		TenantName: rc["OS_PROJECT_NAME"], DomainName: rc["OS_USER_DOMAIN_NAME"], AllowReauth: true,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// cli is the client as demo, which waits for clusters without starting it.
func (r *deployment) cli(t *testing.T) *cli {
	t.Helper()
	c := newCLI(t, r.rc)
	c.status = func(cluster string) string {
		got, err := clusters.Get(t.Context(), r.magnum(), cluster).Extract()
		if err != nil {
			return "" // it is asked again
		}
		return got.Status
	}
	return c
}

func (r *deployment) magnum() *gophercloud.ServiceClient {
	r.t.Helper()
	c, err := openstack.NewContainerInfraV1(r.demo, gophercloud.EndpointOpts{Region: r.rc["OS_REGION_NAME"]})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// openrc returns the client's variables for one user.
func (r *deployment) openrc(user string) map[string]string {
	r.t.Helper()
	out, err := exec.Command("bash", "-c", `eval "$("$0" "$1")"; env`, filepath.Join(r.lab, "openrc"), user).Output()
	if err != nil {
		r.t.Fatalf("openrc %s: %v", user, err)
	}
	rc := map[string]string{}
	for _, line := range strings.Split(string(out), "\n") {
		if k, v, ok := strings.Cut(line, "="); ok && strings.HasPrefix(k, "OS_") {
			rc[k] = v
		}
	}
	return rc
}

func (r *deployment) tool(name string, args ...string) {
	r.t.Helper()
	out, err := exec.Command(executable(r.t, name), append(args, "--config-file", r.conf)...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// service starts one of our executables for as long as the test runs.
func (r *deployment) service(name string) *process {
	r.t.Helper()
	return background(r.t, r.logs, exec.Command(executable(r.t, name), "--config-file", r.conf))
}

// start starts API and conductor, and returns when so many drivers are known.
func (r *deployment) start(drivers int) {
	r.t.Helper()
	r.service("magnum-api")
	r.service("magnum-conductor")
	poll(r.t, time.Minute, "the drivers to be published", func() (bool, error) {
		return strings.Count(r.logs.String(), "driver published") == drivers, nil
	})
}

// TestRealOpenStack takes a cluster through its life on real Keystone and Heat.
func TestRealOpenStack(t *testing.T) {
	r := newReal(t, packageDir)
	c := r.cli(t)
	before := r.inventory()
	r.start(1)
	r.guests()

	c.createTemplate("k8s")
	c.run("coe", "cluster", "create", "real", "--cluster-template", "k8s", "--master-count", "1", "--node-count", "1")
	got := c.wait("real", "CREATE_COMPLETE", 8*time.Minute)
	stack := c.value("stack", "list", "-c", "ID") // of which this client sees nothing at the version it asks for
	if status := c.value("stack", "show", stack, "-c", "stack_status"); status != "CREATE_COMPLETE" {
		t.Errorf("the stack is %s", status)
	}
	r.servers(c, 2)
	c.config("real", got["api_address"].(string))
	c.certificates("real")
	r.nodeCertificates(got["uuid"].(string))

	c.run("coe", "cluster", "resize", "real", "3")
	got = c.wait("real", "UPDATE_COMPLETE", 8*time.Minute)
	if nodes, _ := got["node_addresses"].([]any); len(nodes) != 3 {
		t.Errorf("after the resize to 3 the nodes are %v", nodes)
	}
	r.servers(c, 4)
	c.run("coe", "cluster", "resize", "real", "1")
	poll(t, 8*time.Minute, "the cluster to shrink", func() (bool, error) {
		got := c.wait("real", "UPDATE_COMPLETE", 8*time.Minute)
		nodes, _ := got["node_addresses"].([]any)
		return len(nodes) == 1, nil
	})
	r.servers(c, 2)

	r.nodeGroups(c)

	c.run("coe", "cluster", "delete", "real")
	r.gone()
	r.nothingLeft(before)
	r.told(got["uuid"].(string))
}

// gone waits until there is no cluster.
func (r *deployment) gone() {
	r.t.Helper()
	poll(r.t, 15*time.Minute, "the clusters to be gone", func() (bool, error) {
		left := r.list("container-infra", "/clusters", "clusters")
		for _, c := range left {
			if c["status"] == "DELETE_FAILED" {
				return false, fmt.Errorf("%s is not deleted", c["name"])
			}
		}
		return len(left) == 0, nil
	})
}

// value is one field of one thing.
func (c *cli) value(args ...string) string {
	c.t.Helper()
	return strings.TrimSpace(c.run(append(args, "-f", "value")...))
}

func (r *deployment) servers(c *cli, want int) {
	r.t.Helper()
	names := strings.Fields(c.value("server", "list", "-c", "Name"))
	if len(names) != want {
		r.t.Errorf("the servers are %v, want %d", names, want)
	}
}

// nodeCertificates asks for the CA as a node's boot script does: with the
// trustee's unscoped token.
func (r *deployment) nodeCertificates(cluster string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	db, err := state.Open(ctx, state.Config{Connection: r.db})
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	row, err := db.Cluster(ctx, state.Scope{All: true}, cluster)
	if err != nil {
		r.t.Fatal(err)
	}
	node, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: r.rc["OS_AUTH_URL"], UserID: row.TrusteeUserID, Password: row.TrusteePassword,
	})
	if err != nil {
		r.t.Fatalf("log in as the trustee: %v", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.magnum().ServiceURL("certificates", cluster)+"?ca_cert_type=etcd", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", node.Token())
	req.Header.Set("OpenStack-API-Version", "container-infra latest")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), "BEGIN CERTIFICATE") {
		r.t.Errorf("a node that asks for the etcd CA is answered %d: %s", resp.StatusCode, body)
	}
}
