package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// people are who uses the service in these tests: the member of project demo
// that owns everything, a reader of that project, a member of another one, and
// the administrator. The member comes last, so that what a command does away
// with is there for the others' refusals.
var people = []string{"alt", "reader", "admin", "demo"}

// subcommand is a command of the client, with what each of people is told.
// WHO in it is the one who runs it.
type subcommand struct {
	command                  string
	alt, reader, admin, demo string // a part of what is printed; ! before it: and the command fails; -: what is not printed
	// settles names a cluster of which an operation is to be waited for.
	settles string
}

const (
	noCluster  = "!Cluster c-demo could not be found"
	noTemplate = "!ClusterTemplate k8s-demo could not be found"
)

func denied(rule string) string { return "!Policy doesn't allow " + rule + " to be performed" }

// subcommands is a cluster's life, in the client's words.
func subcommands() []subcommand {
	template := " --coe kubernetes --image fedora-coreos-latest --external-network public --flavor m1.small --master-flavor m1.small --labels kube_tag="
	return []subcommand{
		{command: "coe service list", admin: "magnum-conductor",
			alt: denied("magnum-service:get_all"), reader: denied("magnum-service:get_all"), demo: denied("magnum-service:get_all")},

		{command: "coe cluster template create k8s-WHO" + template + "v1.23.1",
			alt: "| k8s-alt", reader: denied("clustertemplate:create"), admin: "| k8s-admin", demo: "| k8s-demo"},
		{command: "coe cluster template create next-WHO" + template + "v1.24.2",
			alt: "| next-alt", reader: denied("clustertemplate:create"), admin: "| next-admin", demo: "| next-demo"},
		{command: "coe cluster template list", alt: "-k8s-demo", reader: "-k8s-alt", admin: "k8s-alt", demo: "-k8s-alt"},
		{command: "coe cluster template list -c name", alt: "k8s-alt", reader: "k8s-demo", admin: "k8s-demo", demo: "k8s-demo"},
		{command: "coe cluster template show k8s-demo", alt: noTemplate, reader: "fedora-coreos", admin: "fedora-coreos", demo: "fedora-coreos"},
		{command: "coe cluster template update k8s-demo replace tags=by-WHO",
			alt: noTemplate, reader: denied("clustertemplate:update"), admin: "by-admin", demo: "by-demo"},

		{command: "coe cluster create c-WHO --cluster-template k8s-demo --keypair testkey --node-count 1",
			alt: noTemplate, reader: denied("cluster:create"), admin: "Request to create cluster", demo: "Request to create cluster", settles: "c-WHO"},
		{command: "coe cluster list", alt: "-c-demo", reader: "c-demo", admin: "c-demo", demo: "c-demo"},
		{command: "coe cluster show c-demo", alt: noCluster, reader: "CREATE_COMPLETE", admin: "CREATE_COMPLETE", demo: "CREATE_COMPLETE"},
		{command: "coe cluster config c-demo --force --dir DIR",
			alt: noCluster, reader: denied("certificate:get"), admin: "export KUBECONFIG=", demo: "export KUBECONFIG="},
		{command: "coe ca show c-demo", alt: noCluster, reader: denied("certificate:get"), admin: "BEGIN CERTIFICATE", demo: "BEGIN CERTIFICATE"},
		{command: "coe ca sign c-demo CSR", alt: noCluster, reader: denied("certificate:create"), admin: "BEGIN CERTIFICATE", demo: "BEGIN CERTIFICATE"},

		{command: "coe cluster update c-demo replace node_count=2",
			alt: noCluster, reader: denied("cluster:update"), admin: "Request to update cluster c-demo has been accepted", demo: "has been accepted", settles: "c-demo"},
		{command: "coe cluster resize c-demo 1",
			alt: noCluster, reader: denied("cluster:resize"), admin: "Request to resize cluster c-demo has been accepted", demo: "has been accepted", settles: "c-demo"},
		{command: "coe cluster upgrade c-demo next-demo",
			alt: noCluster, reader: denied("cluster:upgrade"), admin: "Request to upgrade cluster c-demo has been accepted", demo: "has been accepted", settles: "c-demo"},
		{command: "coe ca rotate c-demo",
			alt: noCluster, reader: denied("certificate:rotate_ca"), admin: "Request to rotate the CA certificate for cluster ", demo: "has been accepted", settles: "c-demo"},

		{command: "coe nodegroup create c-demo ng-WHO --node-count 1 --min-nodes 0",
			alt: "!Cluster c-demo could not be found", reader: denied("nodegroup:create"), admin: "Request to create nodegroup ", demo: "Request to create nodegroup ", settles: "c-demo"},
		{command: "coe nodegroup list c-demo", alt: noCluster, reader: "default-worker", admin: "ng-admin", demo: "ng-demo"},
		{command: "coe nodegroup show c-demo default-master", alt: noCluster, reader: "master", admin: "master", demo: "master"},
		{command: "coe nodegroup update c-demo ng-demo replace max_node_count=4",
			alt: noCluster, reader: denied("nodegroup:update"), admin: "Request to update nodegroup ng-demo has been accepted", demo: "has been accepted", settles: "c-demo"},
		{command: "coe cluster resize c-demo 2 --nodegroup ng-demo",
			alt: noCluster, reader: denied("cluster:resize"), admin: "has been accepted", demo: "has been accepted", settles: "c-demo"},
		{command: "coe nodegroup delete c-demo ng-WHO",
			alt: noCluster, reader: denied("nodegroup:delete"), admin: "has been accepted", demo: "has been accepted", settles: "c-demo"},

		{command: "coe stats list DEMO-PROJECT", alt: "!Not authorized", reader: "clusters", admin: "clusters", demo: "clusters"},
		{command: "coe quotas create --project-id DEMO-PROJECT --resource Cluster --hard-limit 3",
			alt: denied("quota:create")[1:], reader: denied("quota:create")[1:], admin: "| hard_limit ", demo: denied("quota:create")[1:]},
		{command: "coe quotas list --all-tenants", alt: denied("quota:get_all"), reader: denied("quota:get_all"), admin: "DEMO-PROJECT", demo: denied("quota:get_all")},
		{command: "coe quotas show --project-id DEMO-PROJECT --resource Cluster", alt: "!Not authorized", reader: "| hard_limit", admin: "| hard_limit", demo: "| hard_limit"},
		{command: "coe quotas update --project-id DEMO-PROJECT --resource Cluster --hard-limit 4",
			alt: denied("quota:update")[1:], reader: denied("quota:update")[1:], admin: "| hard_limit ", demo: denied("quota:update")[1:]},
		{command: "coe quotas delete --project-id DEMO-PROJECT --resource Cluster",
			alt: denied("quota:delete")[1:], reader: denied("quota:delete")[1:], admin: "has been accepted", demo: denied("quota:delete")[1:]},

		{command: "coe cluster delete c-admin", alt: "!Cluster c-admin could not be found", reader: "!Cluster c-admin could not be found", admin: "has been accepted", demo: "!Cluster c-admin could not be found", settles: "c-admin"},
		{command: "coe cluster delete c-demo", alt: noCluster, reader: denied("cluster:delete"), admin: "has been accepted", demo: noCluster, settles: "c-demo"},
		{command: "coe cluster template delete k8s-demo",
			alt: noTemplate[1:], reader: denied("clustertemplate:delete")[1:], admin: "has been accepted", demo: noTemplate[1:]},
		{command: "coe cluster template delete next-WHO",
			alt: "has been accepted", reader: "next-reader could not be found", admin: "has been accepted", demo: "has been accepted"},
	}
}

func (s subcommand) expected(who string) string {
	return map[string]string{"alt": s.alt, "reader": s.reader, "admin": s.admin, "demo": s.demo}[who]
}

// TestEverySubcommand runs every coe command of the real client, as each of
// people, on a magnum-dev of its own.
func TestEverySubcommand(t *testing.T) {
	dir := t.TempDir()
	d := newDev(t, dir)
	_, csr := newRequest(t, "admin", "system:masters")
	request := filepath.Join(dir, "client.csr")
	if err := os.WriteFile(request, csr, 0o600); err != nil {
		t.Fatal(err)
	}
	project := d.project()

	used := map[string]bool{}
	for _, s := range subcommands() {
		words := strings.Fields(s.command)
		for i := range words {
			used[strings.Join(words[:i+1], " ")] = true
		}
		for _, who := range people {
			command := strings.NewReplacer("WHO", who, "DIR", dir, "CSR", request, "DEMO-PROJECT", project).Replace(s.command)
			want := strings.ReplaceAll(s.expected(who), "DEMO-PROJECT", project)
			text, fails := strings.CutPrefix(want, "!")
			text, absent := strings.CutPrefix(text, "-")
			status, out := d.users[who].run(strings.Fields(command)...)
			if (status != 0) != fails || strings.Contains(out, text) == absent {
				t.Errorf("%s: openstack %s: status %d\n%swant %q", who, command, status, out, want)
			}
			if s.settles != "" && !fails {
				d.settle(strings.ReplaceAll(s.settles, "WHO", who))
			}
		}
	}
	_, help := d.users["demo"].run("help", "coe")
	lines := slices.DeleteFunc(strings.Split(help, "\n"), func(l string) bool { return !strings.HasPrefix(l, "  coe ") })
	if len(lines) < 28 {
		t.Fatalf("the client lists %d subcommands:\n%s", len(lines), help)
	}
	for _, line := range lines {
		if !used[strings.TrimSpace(line)] {
			t.Errorf("openstack %s is not tested", strings.TrimSpace(line))
		}
	}
}

// devService is a magnum-dev process with its users' clients.
type devService struct {
	t     *testing.T
	users map[string]*interpreter
}

// newDev starts it; the clients work in a folder.
func newDev(t *testing.T, work string) *devService {
	t.Helper()
	dir, packages := t.TempDir(), t.TempDir()
	t.Cleanup((&lab{dir: dir}).makeWritable)
	for _, from := range []string{packageDir, testPackageDir} {
		if err := os.Symlink(from, filepath.Join(packages, filepath.Base(from))); err != nil {
			t.Fatal(err)
		}
	}
	out := &logs{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("magnum-dev said:\n%s", out.tail(20000))
		}
	})
	cmd := exec.Command(executable(t, "magnum-dev"), "--drivers", packages, "--dir", dir, "--listen", "127.0.0.1:0", "--server-delay", "100ms")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir()}
	background(t, out, cmd)
	poll(t, 30*time.Second, "magnum-dev to answer", func() (bool, error) { return strings.Contains(out.String(), "# state is in "), nil })
	d := &devService{t: t, users: map[string]*interpreter{}}
	for _, who := range people {
		d.users[who] = newInterpreter(t, openRC(t, dir, who), work)
	}
	return d
}

// openRC is what a magnum-dev has written into its folder for a user.
func openRC(t *testing.T, dir, who string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "openrc-"+who))
	if err != nil {
		t.Fatal(err)
	}
	rc := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "export ")), "=")
		rc[name] = value
	}
	return rc
}

// project is demo's project's id.
func (d *devService) project() string {
	d.t.Helper()
	status, out := d.users["demo"].run("token", "issue", "-f", "json")
	var token struct {
		Project string `json:"project_id"`
	}
	if err := json.Unmarshal([]byte(out), &token); status != 0 || err != nil || token.Project == "" {
		d.t.Fatalf("token issue: status %d, %v\n%s", status, err, out)
	}
	return token.Project
}

// settle waits until nothing is under way on a cluster, or it is gone.
func (d *devService) settle(cluster string) {
	d.t.Helper()
	poll(d.t, time.Minute, "cluster "+cluster+" to settle", func() (bool, error) {
		status, out := d.users["admin"].run("coe", "cluster", "show", cluster, "-f", "json")
		if status != 0 {
			if strings.Contains(out, "could not be found") {
				return true, nil
			}
			d.t.Fatalf("cluster show %s: %s", cluster, out)
		}
		var shown struct {
			Status string `json:"status"`
			Reason string `json:"status_reason"`
		}
		if err := json.Unmarshal([]byte(out), &shown); err != nil {
			return false, err
		}
		if strings.HasSuffix(shown.Status, "_FAILED") {
			d.t.Fatalf("cluster %s is %s: %s", cluster, shown.Status, shown.Reason)
		}
		return strings.HasSuffix(shown.Status, "_COMPLETE"), nil
	})
}
