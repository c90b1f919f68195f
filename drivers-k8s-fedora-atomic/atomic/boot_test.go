package atomic_test

import (
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestScriptsParse(t *testing.T) {
	need(t, "sh")
	for _, c := range cases() {
		out := render(t, c.request())
		for name, script := range out.Files {
			if !strings.HasPrefix(name, "boot/") {
				continue
			}
			cmd := exec.Command("sh", "-n")
			cmd.Stdin = strings.NewReader(script)
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", c.name, name, err, text)
			}
		}
	}
}

func TestShellcheck(t *testing.T) {
	need(t, "shellcheck")
	dir := t.TempDir()
	out := render(t, base())
	files := []string{}
	for _, role := range []string{"master", "minion"} {
		path := filepath.Join(dir, role+".sh")
		write(t, path, out.Files["boot/"+role+".sh"])
		files = append(files, path)
	}
	shared := atomic.Definition().Files
	first, err := fs.ReadFile(shared, "boot/lib.sh")
	if err != nil {
		t.Fatal(err)
	}
	lib := string(first)
	err = fs.WalkDir(shared, "boot", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".sh") || path == "boot/lib.sh" {
			return err
		}
		text, err := fs.ReadFile(shared, path)
		if strings.HasPrefix(path, "boot/lib/") {
			lib += string(text)
		}
		write(t, filepath.Join(dir, path), string(text))
		files = append(files, filepath.Join(dir, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "boot", "lib.sh"), lib)
	write(t, filepath.Join(dir, "lib.sh"), lib)
	write(t, filepath.Join(dir, "first", "lib.sh"), string(first))
	args := append([]string{"--external-sources", "--source-path=SCRIPTDIR", filepath.Join(dir, "first", "lib.sh")}, files...)
	if text, err := exec.Command("shellcheck", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestMasterBoots(t *testing.T) {
	need(t, "sh", "curl", "openssl")
	c := startCloud(t)
	c.busy = 2 // Magnum may not know the cluster's certificates yet
	m := newMachine(t, c, "master")
	out, err := m.boot(render(t, base()).Files["boot/master.sh"])
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff([]signal{{"SUCCESS", "Prod_1-master-0 is ready", "Prod_1-master-0"}}, c.told); diff != "" {
		t.Errorf("signals: %s\n%s", diff, out)
	}

	want := []string{
		"|system:node:prod-1-master-0|system:nodes", "|system:kube-proxy|system:node-proxier", "|kubernetes|",
		"|admin|system:masters", "|system:kube-controller-manager|", "|system:kube-scheduler|",
		"etcd|etcd|", "etcd|kube-apiserver-etcd-client|", "front-proxy|front-proxy-client|",
	}
	if diff := cmp.Diff(want, c.csrs); diff != "" {
		t.Error(diff)
	}
	for name, kind := range map[string]string{"ca": "", "etcd-ca": "etcd", "front-proxy-ca": "front-proxy"} {
		if got := m.read("etc/kubernetes/certs/" + name + ".crt"); strings.TrimSpace(got) != strings.TrimSpace(c.cas[kind].pem) {
			t.Errorf("%s.crt is\n%s", name, got)
		}
	}
	server := m.certificate("server")
	for _, host := range []string{
		"10.0.0.11", "127.0.0.1", "10.254.0.1", "172.24.4.9", "10.0.0.5", "172.24.4.5", "prod-1-master-0",
		"kubernetes", "kubernetes.default.svc.cluster.local",
	} {
		if err := server.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	etcd := m.certificate("etcd")
	for _, host := range []string{"10.0.0.11", "127.0.0.1", "10.0.0.6"} {
		if err := etcd.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if !slices.Contains(etcd.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || !slices.Contains(etcd.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		t.Errorf("etcd's certificate is for %v, but its peers are clients and servers", etcd.ExtKeyUsage)
	}
	if diff := cmp.Diff([]net.IP{net.IPv4(10, 0, 0, 11).To4(), net.IPv4(127, 0, 0, 1).To4()}, m.certificate("kubelet").IPAddresses); diff != "" {
		t.Error(diff)
	}

	var config map[string]any
	if err := yaml.Unmarshal([]byte(m.read("etc/etcd/etcd.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if got, want := config["initial-cluster"], "10.0.0.11=https://10.0.0.11:2380,10.0.0.12=https://10.0.0.12:2380,10.0.0.13=https://10.0.0.13:2380"; got != want {
		t.Errorf("initial-cluster is %v", got)
	}
	for _, manifest := range []string{"flannel", "coredns"} {
		d := yaml.NewDecoder(strings.NewReader(m.read("etc/kubernetes/" + manifest + ".yaml")))
		n := 0
		for {
			var doc map[string]any
			if err := d.Decode(&doc); errors.Is(err, io.EOF) {
				break
			} else if err != nil || doc["kind"] == nil {
				t.Fatalf("%s: %v: %v", manifest, err, doc)
			}
			n++
		}
		if n < 5 {
			t.Errorf("%s has %d objects", manifest, n)
		}
	}
	calls := m.calls()
	for _, unit := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "docker"} {
		if !strings.Contains(calls, "systemctl restart "+unit+"\n") {
			t.Errorf("%s was not started", unit)
		}
	}
	if !strings.Contains(m.read("etc/systemd/system/docker.service"), "native.cgroupdriver=cgroupfs") {
		t.Error("docker keeps its own cgroup driver")
	}
	m.checkSecrets(out)
}

func TestMinionBoots(t *testing.T) {
	need(t, "sh", "curl", "openssl")
	c := startCloud(t)
	m := newMachine(t, c, "worker")
	out, err := m.boot(render(t, base()).Files["boot/minion.sh"])
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if len(c.told) != 1 || c.told[0].Status != "SUCCESS" {
		t.Errorf("signals: %v\n%s", c.told, out)
	}
	if diff := cmp.Diff([]string{"|system:node:prod-1-worker-0|system:nodes", "|system:kube-proxy|system:node-proxier"}, c.csrs); diff != "" {
		t.Error(diff)
	}
	if got := m.read("etc/kubernetes/kubelet.conf"); !strings.Contains(got, "server: https://10.0.0.5:6443") {
		t.Errorf("kubelet.conf:\n%s", got)
	}
	m.checkSecrets(out)
}

func TestFailureNamesTheStep(t *testing.T) {
	need(t, "sh", "curl", "openssl")
	c := startCloud(t)
	m := newMachine(t, c, "worker")
	m.program("docker", `echo 'no "space" left\on device' >&2; exit 1`)
	out, err := m.boot(render(t, base()).Files["boot/minion.sh"])
	if err == nil {
		t.Error("the script says that it went well")
	}
	want := []signal{{"FAILURE", `Prod_1-worker-0: step 050-docker failed: no "space" left\on device`, "Prod_1-worker-0"}}
	if diff := cmp.Diff(want, c.told); diff != "" {
		t.Errorf("%s\n%s", diff, out)
	}
	if len(c.csrs) != 0 {
		t.Errorf("later steps ran: %v", c.csrs)
	}
}

func TestOptionalSteps(t *testing.T) {
	need(t, "sh", "curl", "openssl")
	c := startCloud(t)
	m := newMachine(t, c, "worker")
	for name, value := range map[string]string{
		"openstack_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "insecure_registry_url": "10.0.0.1:5000",
		"http_proxy": `http://u:p%40"@proxy:3128`, "no_proxy": "example.com,10.0.0.0/24",
	} {
		write(t, filepath.Join(m.root, "etc/magnum/params", name), value)
	}
	req := base()
	req.Endpoints.CACert, req.Template.HTTPProxy, req.Template.InsecureRegistry = "x", "x", "x"
	if out, err := m.boot(render(t, req).Files["boot/minion.sh"]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for path, text := range map[string]string{
		"etc/pki/ca-trust/source/anchors/openstack-ca.pem": "AAAA\n-----END",
		"etc/containers/registries.conf":                   "registries = ['10.0.0.1:5000']",
		"etc/sysconfig/docker":                             "INSECURE_REGISTRY='--insecure-registry 10.0.0.1:5000'",
		"etc/systemd/system.conf.d/magnum-proxy.conf":      `"HTTP_PROXY=http://u:p%%40\"@proxy:3128"`,
		"etc/profile.d/magnum-proxy.sh":                    `NO_PROXY="example.com,10.0.0.0/24,localhost,`,
	} {
		if got := m.read(path); !strings.Contains(got, text) {
			t.Errorf("%s lacks %s:\n%s", path, text, got)
		}
	}
}

// TestVolumes: the docker volume is found by its id, formatted once, mounted.
func TestVolumes(t *testing.T) {
	need(t, "sh", "curl", "openssl")
	c := startCloud(t)
	m := newMachine(t, c, "worker")
	const id = "0f6d5a2e-1111-2222-3333-444455556666"
	write(t, filepath.Join(m.root, "etc/magnum/params/docker_volume"), id)
	dev := filepath.Join(m.root, "dev/disk/by-id/virtio-"+id[:20])
	write(t, dev, "")
	m.program("mkfs.xfs", "touch $MAGNUM_ROOT/formatted")
	m.program("mount", "")
	m.program("blkid", `[ -e $MAGNUM_ROOT/formatted ] && echo 1234-5678 || exit 2`)
	if out, err := m.boot(render(t, base()).Files["boot/minion.sh"]); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, m.read("var/log/magnum/050-docker.log"))
	}
	folder := m.root + "/var/lib/docker"
	for _, want := range []string{"mkfs.xfs -n ftype=1 " + dev, "mount " + dev + " " + folder} {
		if !strings.Contains(m.calls(), want+"\n") {
			t.Errorf("not called: %s", want)
		}
	}
	if got, want := m.read("etc/fstab"), "UUID=1234-5678 "+folder+" auto defaults,nofail 0 2\n"; got != want {
		t.Errorf("fstab: %s", got)
	}
}

// TestKubeletKnowsItsGroup: what a node says of itself when it registers.
func TestKubeletKnowsItsGroup(t *testing.T) {
	need(t, "sh", "curl", "openssl")
	for _, tt := range []struct {
		name, role string
		params     map[string]string
		want       []string
	}{
		{"master", "master", nil, []string{
			"--node-labels=magnum.openstack.org/role=master,magnum.openstack.org/nodegroup=default-master",
			"--register-with-taints=node-role.kubernetes.io/master=:NoSchedule",
		}},
		{"worker", "worker", nil, []string{
			"--node-labels=magnum.openstack.org/role=worker,magnum.openstack.org/nodegroup=default-worker",
		}},
		{"group", "worker", map[string]string{
			"nodegroup_name": "gpu_1", "nodegroup_role": "ingress",
			"node_labels": "a=,example.com/tier=front", "node_taints": "gpu=yes:NoSchedule,a=:NoExecute",
			"kubelet_options": "--v=4 --max-pods=*",
		}, []string{
			"--node-labels=magnum.openstack.org/role=ingress,magnum.openstack.org/nodegroup=gpu_1,a=,example.com/tier=front",
			"--register-with-taints=gpu=yes:NoSchedule,a=:NoExecute", "--v=4", "--max-pods=*",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, startCloud(t), tt.role)
			for name, value := range tt.params {
				write(t, filepath.Join(m.root, "etc/magnum/params", name), value)
			}
			script := map[string]string{"master": "boot/master.sh", "worker": "boot/minion.sh"}[tt.role]
			if out, err := m.boot(render(t, base()).Files[script]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var got []string
			for _, a := range m.service("kubelet") {
				if a == "" {
					t.Error("kubelet gets an empty argument")
				}
				for _, option := range []string{"--node-labels", "--register-with-taints", "--v=", "--max-pods"} {
					if strings.HasPrefix(a, option) {
						got = append(got, a)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParamsReachTheNodes: what the scripts read is written for the node, in
// the cluster's stack and in a node group's.
func TestParamsReachTheNodes(t *testing.T) {
	read := regexp.MustCompile(`\b(?:param|is_true) ([a-z_]+)`)
	written := regexp.MustCompile(`/etc/magnum/params/([a-z_]+),`)
	names := func(re *regexp.Regexp, texts ...string) map[string]bool {
		out := map[string]bool{}
		for _, text := range texts {
			for _, m := range re.FindAllStringSubmatch(text, -1) {
				out[m[1]] = true
			}
		}
		return out
	}
	cluster, extra := base(), base()
	group(func(*driver.RenderRequest, *driver.NodeGroup) {})(&extra)
	for _, tt := range []struct {
		req          driver.RenderRequest
		script, node string
		// what the script reads for nodes of the other role
		others []string
	}{
		{cluster, "boot/master.sh", "kube-master.yaml", []string{"node_labels"}},
		{extra, "boot/minion.sh", "kube-minion.yaml", []string{
			"api_public_address", "etcd_address", "external_address",
			"kube_service_account_key", "kube_service_account_private_key", "portal_network_cidr",
		}},
	} {
		out := render(t, tt.req)
		have := names(written, out.Template, out.Files[tt.node])
		var missing []string
		for name := range names(read, out.Files[tt.script]) {
			if !have[name] {
				missing = append(missing, name)
			}
		}
		slices.Sort(missing)
		if diff := cmp.Diff(tt.others, missing); diff != "" {
			t.Errorf("%s: %s", tt.script, diff)
		}
	}
}
