package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// TestRealBoot runs the boot scripts of real clusters, as Nova was given them in
// each kind of user data: a worker gets its certificates as its cluster's trustee
// and tells Heat that it is ready; then a master fails, and its user reads where
// and why.
func TestRealBoot(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	r := newReal(t, packageDir, coreOSDir, fedoraCoreOSDir)
	c := r.cli(t)
	before := r.inventory()
	r.start(3)
	images := []string{"fedora-atomic-latest", "coreos-latest", "fedora-coreos-latest"}
	for _, image := range images {
		c.createTemplate(image, "--image", image)
		c.run("coe", "cluster", "create", "on-"+image, "--cluster-template", image, "--node-count", "1")
	}
	for _, image := range images {
		t.Run(image, func(t *testing.T) {
			r, c := *r, *c
			r.t, c.t = t, t
			r.boots(&c, "on-"+image)
		})
	}
	for _, image := range images {
		c.run("coe", "cluster", "delete", "on-"+image)
	}
	r.gone()
	r.nothingLeft(before)
}

func (r *deployment) boots(c *cli, cluster string) {
	r.t.Helper()
	worker, master := map[string]any{}, map[string]any{}
	poll(r.t, 8*time.Minute, "the servers of "+cluster, func() (bool, error) {
		found := 0
		for _, s := range r.list("compute", "/servers?all_tenants=1", "servers") {
			name, _ := s["name"].(string)
			switch {
			case !strings.HasPrefix(name, cluster+"-"):
				continue
			case strings.Contains(name, "-master-"):
				master = s
			default:
				worker = s
			}
			found++
		}
		return found == 2, nil
	})

	m, script := r.machine(worker["id"].(string))
	if out, err := m.Boot(script); err != nil {
		r.t.Errorf("the worker's script: %v\n%s", err, out)
	}
	poll(r.t, 2*time.Minute, "Heat to hear of the worker", func() (bool, error) {
		for _, stack := range r.list("orchestration", "/stacks?show_nested=true", "stacks") {
			name, _ := stack["stack_name"].(string)
			if strings.HasPrefix(name, cluster+"-") && strings.Contains(name, "-kube_minions-") && stack["stack_status"] == "CREATE_COMPLETE" {
				return true, nil
			}
		}
		return false, nil
	})

	m, script = r.machine(master["id"].(string))
	m.Program("docker", "echo 'no space left on device' >&2; exit 1")
	if out, err := m.Boot(script); err == nil {
		r.t.Errorf("the master's script says that all is well:\n%s", out)
	}
	got := c.wait(cluster, "CREATE_FAILED", 2*time.Minute)
	want := fmt.Sprint(master["name"], ": step 050-docker failed: no space left on device")
	if reason, _ := got["status_reason"].(string); !strings.Contains(reason, want) {
		r.t.Errorf("status_reason is %q, without %q", reason, want)
	}
}

// machine is one that was started with what Nova was given for a server, in an
// image that any of the drivers for Kubernetes can work with.
func (r *deployment) machine(server string) (*templatetest.Machine, string) {
	r.t.Helper()
	data, err := r.userData(r.t.Context(), server)
	if err != nil {
		r.t.Fatal(err)
	}
	m := templatetest.NewMachine(r.t, nil, nil)
	for path, text := range data.Files {
		m.Write(path, text)
	}
	m.Write("etc/selinux/config", "SELINUX=enforcing\n")
	m.Write("usr/lib/systemd/system/docker.service", "[Service]\nExecStart=dockerd --exec-opt native.cgroupdriver=systemd\n")
	m.Write("run/systemd/resolve/resolv.conf", "nameserver 10.0.0.2\n")
	for _, p := range []string{"setenforce", "restorecon", "update-ca-trust", "update-ca-certificates"} {
		m.Program(p, "cat >/dev/null")
	}
	m.Program("docker", "echo cgroupfs")
	m.Answer("*6443/healthz) printf ok ;;", `*6443/api/v1/nodes/*) echo '{"conditions": [{"type": "Ready", "status": "True"}]}' ;;`)
	return m, data.Files[data.Script]
}
