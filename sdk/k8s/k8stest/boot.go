package k8stest

import (
	"crypto/x509"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func (k Kit) masterBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	c.Busy = 2 // Magnum may not know the cluster's certificates yet
	m := k.Node(t, c, "master")
	out, err := m.Boot(k.Suite().Render(t, k.Request()).Files["boot/master.sh"])
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff([]templatetest.Signal{{Status: "SUCCESS", Reason: "Prod_1-master-0 is ready", ID: "Prod_1-master-0"}}, c.Signals()); diff != "" {
		t.Errorf("signals: %s\n%s", diff, out)
	}

	want := []string{
		"|system:node:prod-1-master-0|system:nodes", "|system:kube-proxy|system:node-proxier", "|kubernetes|",
		"|admin|system:masters", "|system:kube-controller-manager|", "|system:kube-scheduler|",
		"etcd|etcd|", "etcd|kube-apiserver-etcd-client|", "front-proxy|front-proxy-client|",
	}
	if diff := cmp.Diff(want, c.Signed()); diff != "" {
		t.Error(diff)
	}
	for name, kind := range map[string]string{"ca": "", "etcd-ca": "etcd", "front-proxy-ca": "front-proxy"} {
		if got := m.Read("etc/kubernetes/certs/" + name + ".crt"); strings.TrimSpace(got) != strings.TrimSpace(c.Authority(kind)) {
			t.Errorf("%s.crt is\n%s", name, got)
		}
	}
	server := m.Certificate("etc/kubernetes/certs/server.crt")
	for _, host := range []string{
		"10.0.0.11", "127.0.0.1", "10.254.0.1", "172.24.4.9", "10.0.0.5", "172.24.4.5", "prod-1-master-0",
		"kubernetes", "kubernetes.default.svc.cluster.local",
	} {
		if err := server.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	etcd := m.Certificate("etc/kubernetes/certs/etcd.crt")
	for _, host := range []string{"10.0.0.11", "127.0.0.1", "10.0.0.6"} {
		if err := etcd.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if !slices.Contains(etcd.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || !slices.Contains(etcd.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		t.Errorf("etcd's certificate is for %v, but its peers are clients and servers", etcd.ExtKeyUsage)
	}
	if diff := cmp.Diff([]net.IP{net.IPv4(10, 0, 0, 11).To4(), net.IPv4(127, 0, 0, 1).To4()}, m.Certificate("etc/kubernetes/certs/kubelet.crt").IPAddresses); diff != "" {
		t.Error(diff)
	}

	var config map[string]any
	if err := yaml.Unmarshal([]byte(m.Read("etc/etcd/etcd.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if got, want := config["initial-cluster"], "10.0.0.11=https://10.0.0.11:2380,10.0.0.12=https://10.0.0.12:2380,10.0.0.13=https://10.0.0.13:2380"; got != want {
		t.Errorf("initial-cluster is %v", got)
	}
	for _, manifest := range []string{"flannel", "coredns"} {
		if n := len(objects(t, m, manifest)); n < 5 {
			t.Errorf("%s has %d objects", manifest, n)
		}
	}
	calls := m.Calls()
	for _, unit := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "docker"} {
		if !strings.Contains(calls, "systemctl restart "+unit+"\n") {
			t.Errorf("%s was not started", unit)
		}
	}
	m.CheckSecrets(out)
}

// signerBoots: with the label cert_manager_api the controller manager can sign for
// the cluster's authority, and without it has no key to do so.
func (k Kit) signerBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	const key = "-----BEGIN PRIVATE KEY-----\nword-canary\n-----END PRIVATE KEY-----"
	r := k.Request()
	for _, asked := range []bool{false, true} {
		if asked {
			r.Cluster.Labels = templatetest.Labels("cert_manager_api", "True")
		}
		out := k.Suite().Render(t, r)
		if got := out.Parameters["ca_key"].Secret; (got == driver.SecretCAKey) != asked {
			t.Errorf("asked %v: the key is %q", asked, got)
		}
		m := k.Node(t, templatetest.StartCloud(t), "master")
		if asked {
			m.Write("etc/magnum/params/ca_key", key)
		}
		if said, err := m.Boot(out.Files["boot/master.sh"]); err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		manager := strings.Join(m.Service(k.Engine, "kube-controller-manager"), "\n") + "\n"
		if got := strings.Contains(manager, "\n--cluster-signing-cert-file=/etc/kubernetes/certs/ca.crt\n--cluster-signing-key-file=/etc/kubernetes/certs/ca.key\n"); got != asked {
			t.Errorf("asked %v: controller manager: %s", asked, manager)
		}
		info, err := os.Stat(m.Path("etc/kubernetes/certs/ca.key"))
		if asked && (err != nil || info.Mode().Perm() != 0o600 || strings.TrimSpace(m.Read("etc/kubernetes/certs/ca.key")) != key) {
			t.Errorf("ca.key: %v, %v", info, err)
		}
		if !asked && err == nil {
			t.Error("nobody asked for ca.key")
		}
	}
}

func (k Kit) minionBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := k.Node(t, c, "worker")
	out, err := m.Boot(k.Suite().Render(t, k.Request()).Files["boot/minion.sh"])
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if told := c.Signals(); len(told) != 1 || told[0].Status != "SUCCESS" {
		t.Errorf("signals: %v\n%s", told, out)
	}
	if diff := cmp.Diff([]string{"|system:node:prod-1-worker-0|system:nodes", "|system:kube-proxy|system:node-proxier"}, c.Signed()); diff != "" {
		t.Error(diff)
	}
	if got := m.Read("etc/kubernetes/kubelet.conf"); !strings.Contains(got, "server: https://10.0.0.5:6443") {
		t.Errorf("kubelet.conf:\n%s", got)
	}
	m.CheckSecrets(out)
}

// bootsWithoutTLS: the API is open at the port that has no TLS, where workers find
// it, and at that alone without a certificate.
func (k Kit) bootsWithoutTLS(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	r := k.Request()
	r.Template.TLSDisabled = true
	scripts := k.Suite().Render(t, r).Files
	for _, tt := range []struct{ role, script, port, server string }{
		{"master", "boot/master.sh", "8080", "https://127.0.0.1:6443"}, {"worker", "boot/minion.sh", "8080", "http://10.0.0.5:8080"},
		{"master", "boot/master.sh", "6443", "https://127.0.0.1:6443"},
	} {
		m := k.Node(t, templatetest.StartCloud(t), tt.role)
		m.Write("etc/magnum/params/kubernetes_port", tt.port)
		if out, err := m.Boot(scripts[tt.script]); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := m.Read("etc/kubernetes/kubelet.conf"); !strings.Contains(got, "server: "+tt.server+"\n") {
			t.Errorf("kubelet.conf of a %s:\n%s", tt.role, got)
		}
		if tt.role == "worker" {
			continue
		}
		var got []string
		for _, a := range m.Service(k.Engine, "kube-apiserver") {
			if strings.HasPrefix(a, "--insecure") {
				got = append(got, a)
			}
		}
		want := map[string][]string{"8080": {"--insecure-port=8080", "--insecure-bind-address=0.0.0.0"}, "6443": {"--insecure-port=0"}}[tt.port]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func (k Kit) failureNamesTheStep(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := k.Node(t, c, "worker")
	m.Program("docker", `echo 'no "space" left\on device' >&2; exit 1`)
	out, err := m.Boot(k.Suite().Render(t, k.Request()).Files["boot/minion.sh"])
	if err == nil {
		t.Error("the script says that it went well")
	}
	want := []templatetest.Signal{{Status: "FAILURE", Reason: `Prod_1-worker-0: step 050-docker failed: no "space" left\on device`, ID: "Prod_1-worker-0"}}
	if diff := cmp.Diff(want, c.Signals()); diff != "" {
		t.Errorf("%s\n%s", diff, out)
	}
	if len(c.Signed()) != 0 {
		t.Errorf("later steps ran: %v", c.Signed())
	}
}

// volumes: the docker volume is found by its id, formatted once, mounted.
func (k Kit) volumes(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := k.Node(t, c, "worker")
	const id = "0f6d5a2e-1111-2222-3333-444455556666"
	dev := m.Volume("docker_volume", id)
	if out, err := m.Boot(k.Suite().Render(t, k.Request()).Files["boot/minion.sh"]); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, m.Read("var/log/magnum/050-docker.log"))
	}
	folder := m.Path("var/lib/docker")
	for _, want := range []string{"mkfs.xfs -n ftype=1 " + dev, "mount " + dev + " " + folder} {
		if !strings.Contains(m.Calls(), want+"\n") {
			t.Errorf("not called: %s", want)
		}
	}
	if got, want := m.Read("etc/fstab"), "UUID=1234-5678 "+folder+" auto defaults,nofail 0 2\n"; got != want {
		t.Errorf("fstab: %s", got)
	}
}

// kubeletKnowsItsGroup: what a node says of itself when it registers.
func (k Kit) kubeletKnowsItsGroup(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
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
			m := k.Node(t, templatetest.StartCloud(t), tt.role)
			for name, value := range tt.params {
				m.Write("etc/magnum/params/"+name, value)
			}
			script := map[string]string{"master": "boot/master.sh", "worker": "boot/minion.sh"}[tt.role]
			if out, err := m.Boot(k.Suite().Render(t, k.Request()).Files[script]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var got []string
			for _, a := range m.Service(k.Engine, "kubelet") {
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
