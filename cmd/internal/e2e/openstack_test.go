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
}

func newReal(t *testing.T) *deployment {
	t.Helper()
	r := &deployment{t: t, lab: os.Getenv(labVar), dir: t.TempDir(), logs: &logs{}}
	if r.lab == "" {
		t.Skip("left out: there is no real OpenStack here; make test-openstack brings one up")
	}
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
	r.tool("magnum-driver-manage", "install", packageDir)
	return r
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

// answer signals what stacks wait for, in place of servers that never boot.
func (r *deployment) answer() {
	r.t.Helper()
	cmd := exec.Command(filepath.Join(r.lab, "signal"), "--watch", "1800")
	cmd.Env = os.Environ()
	for k, v := range r.rc {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	background(r.t, r.logs, cmd)
}

// TestRealOpenStack takes a cluster through its life on real Keystone and Heat.
func TestRealOpenStack(t *testing.T) {
	r := newReal(t)
	c := newCLI(t, r.rc)
	r.service("magnum-api")
	r.service("magnum-conductor")
	r.answer()

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
	poll(t, 8*time.Minute, "the cluster to be gone", func() (bool, error) {
		out := c.run("coe", "cluster", "list", "-f", "value", "-c", "status")
		if strings.Contains(out, "DELETE_FAILED") {
			return false, fmt.Errorf("it is %s", out)
		}
		return strings.TrimSpace(out) == "", nil
	})
	r.clean(c)
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
	user, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: r.rc["OS_AUTH_URL"], Username: r.rc["OS_USERNAME"], Password: r.rc["OS_PASSWORD"],
		TenantName: r.rc["OS_PROJECT_NAME"], DomainName: r.rc["OS_USER_DOMAIN_NAME"],
	})
	if err != nil {
		r.t.Fatal(err)
	}
	magnum, err := openstack.NewContainerInfraV1(user, gophercloud.EndpointOpts{Region: r.rc["OS_REGION_NAME"]})
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, magnum.ServiceURL("certificates", cluster)+"?ca_cert_type=etcd", nil)
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

// clean sees that nothing of ours is left in the cloud.
func (r *deployment) clean(c *cli) {
	r.t.Helper()
	for what, args := range map[string][]string{
		"stacks":         {"stack", "list", "-c", "Stack Name"},
		"servers":        {"server", "list", "-c", "Name"},
		"floating IPs":   {"floating", "ip", "list", "-c", "Floating IP Address"},
		"load balancers": {"loadbalancer", "list", "-c", "name"},
		"volumes":        {"volume", "list", "-c", "Name"},
	} {
		if left := c.value(args...); left != "" {
			r.t.Errorf("%s are left: %s", what, left)
		}
	}
	if left := c.value("network", "list", "-c", "Name"); strings.Contains(left, "real") {
		r.t.Errorf("networks are left: %s", left)
	}
	admin := newCLI(r.t, r.openrc("admin"))
	if left := admin.value("trust", "list", "-c", "ID"); left != "" {
		r.t.Errorf("trusts are left: %s", left)
	}
	if left := strings.Fields(admin.value("user", "list", "--domain", "magnum", "-c", "Name")); len(left) != 1 {
		r.t.Errorf("users of the trustees' domain: %v, want just its admin", left)
	}
}
