package atomic_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// need skips a test whose program is not on this machine, and says so.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// machine is a folder that plays the root of a node's file system. Programs
// that would change the real one only write down what they were asked.
type machine struct {
	t    *testing.T
	root string
	bin  string
}

func newMachine(t *testing.T, c *cloud, role string) *machine {
	m := &machine{t: t, root: t.TempDir(), bin: t.TempDir()}
	params := map[string]string{
		"cluster_uuid": clusterUUID, "magnum_url": c.url + "/v1", "auth_url": c.url + "/v3", "trustee_user_id": "trustee",
		"trustee_password": password, "verify_ca": "True", "wait_endpoint": c.url + "/signal", "wait_token": wait,
		"name": "Prod_1-" + role + "-0", "role": role, "index": "0", "address": "10.0.0.11", "external_address": "172.24.4.9",
		"api_private_address": "10.0.0.5", "api_public_address": "172.24.4.5", "etcd_address": "10.0.0.6",
		"master_addresses": "10.0.0.11 10.0.0.12 10.0.0.13", "portal_network_cidr": "10.254.0.0/16", "dns_service_ip": "10.254.0.10",
		"pods_network_cidr": "10.100.0.0/16", "flannel_network_subnetlen": "24", "flannel_backend": "vxlan",
		"kube_tag": "v1.18.20", "flannel_tag": "v0.11.0-amd64", "flannel_cni_tag": "v0.3.0", "coredns_tag": "1.6.7", "etcd_tag": "v3.4.13",
		"hyperkube_prefix": "registry.k8s.io/", "selinux_mode": "permissive", "cgroup_driver": "cgroupfs", "docker_storage_driver": "overlay2",
		"kube_service_account_key": "PUBLIC", "kube_service_account_private_key": "PRIVATE",
		"system_pods_initial_delay": "30", "system_pods_timeout": "5",
		"nodegroup_name": "default-" + role, "nodegroup_role": role,
	}
	if role == "master" {
		params["node_taints"] = "node-role.kubernetes.io/master=:NoSchedule"
	}
	for name, value := range params {
		write(t, filepath.Join(m.root, "etc/magnum/params", name), value)
	}
	write(t, filepath.Join(m.root, "etc/selinux/config"), "SELINUX=enforcing\n")
	write(t, filepath.Join(m.root, "usr/lib/systemd/system/docker.service"), "[Service]\nExecStart=dockerd --exec-opt native.cgroupdriver=systemd\n")
	for _, p := range []string{"systemctl", "setenforce", "modprobe", "sysctl", "iptables", "podman", "journalctl", "restorecon", "update-ca-trust"} {
		m.program(p, "cat >/dev/null")
	}
	m.program("docker", "echo cgroupfs")
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	// The cluster's own API is played by curl itself.
	m.program("curl", `case "$*" in
*6443/healthz) printf ok ;;
*6443/api/v1/nodes/*) echo '{"conditions": [{"type": "Ready", "status": "True"}]}' ;;
*) exec `+curl+` "$@" ;;
esac`)
	return m
}

// program puts a program before all others that logs its arguments.
func (m *machine) program(name, body string) {
	m.t.Helper()
	write(m.t, filepath.Join(m.bin, name), "#!/bin/sh\necho "+name+` "$*" >>"$CALLS"`+"\n"+body+"\n")
}

func (m *machine) calls() string { return m.read("../calls") }

func (m *machine) read(path string) string {
	m.t.Helper()
	if path == "../calls" {
		path = m.bin + "/calls"
	} else {
		path = filepath.Join(m.root, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		m.t.Fatal(err)
	}
	return string(b)
}

func (m *machine) boot(script string) (string, error) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Stdin = strings.NewReader(script)
	cmd.Env = []string{
		"PATH=" + m.bin + ":" + os.Getenv("PATH"), "CALLS=" + m.bin + "/calls", "no_proxy=127.0.0.1",
		"MAGNUM_ROOT=" + m.root, "MAGNUM_PAUSE=0", "TMPDIR=" + m.t.TempDir(),
		"MAGNUM_LIB=" + m.root + "/var/lib/magnum/lib.sh",
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// service starts a service of a node that has booted, as its unit would, and
// returns the arguments of the container it runs.
func (m *machine) service(name string) []string {
	m.t.Helper()
	m.program("podman", `if [ "$1" = run ]; then for a in "$@"; do printf '%s\n' "$a"; done >`+m.bin+`/arguments; fi`)
	if out, err := m.boot(m.read("var/lib/magnum/service/" + name + ".sh")); err != nil {
		m.t.Fatalf("service %s: %v\n%s", name, err, out)
	}
	b, err := os.ReadFile(filepath.Join(m.bin, "arguments"))
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// checkSecrets: nothing secret in any program's arguments, in what was printed,
// in a log, or in a file that others can read.
func (m *machine) checkSecrets(out string) {
	m.t.Helper()
	check := func(where, text string) {
		for _, canary := range []string{"word-canary", token, wait} {
			if strings.Contains(text, canary) {
				m.t.Errorf("%s holds %s", where, canary)
			}
		}
	}
	check("the output", out)
	check("the arguments of a program", m.calls())
	err := filepath.WalkDir(m.root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/etc/magnum/params/") {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		check(path, string(b))
		if strings.HasSuffix(path, ".key") && info.Mode().Perm() != 0o600 {
			m.t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		m.t.Error(err)
	}
}

func (m *machine) certificate(name string) *x509.Certificate {
	m.t.Helper()
	block, _ := pem.Decode([]byte(m.read("etc/kubernetes/certs/" + name + ".crt")))
	if block == nil {
		m.t.Fatalf("%s.crt is no PEM", name)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		m.t.Fatal(err)
	}
	return cert
}
