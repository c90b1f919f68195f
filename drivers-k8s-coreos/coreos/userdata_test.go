package coreos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/ignition/v2/config"
	"github.com/google/go-cmp/cmp"
	"github.com/vincent-petithory/dataurl"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s/k8stest"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// nasty is every character that a value may have.
var nasty = func() string {
	b := []byte("\n\r\t")
	for c := byte(' '); c <= '~'; c++ {
		b = append(b, c)
	}
	return string(b) + "%41 data:,x?y#z\n"
}()

// node is one node of a stack, as Nova gets it.
type node struct {
	text string
	templatetest.UserData
}

// first evaluates the stack of a request down to the user data of the first node
// of a group.
func first(t *testing.T, k k8stest.Kit, req driver.RenderRequest, group string) node {
	t.Helper()
	out, err := k.Definition().Render(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	user := templatetest.NewStack(t, out, nasty).First(group).Properties("user_data")
	if k.Folder == "fedora" {
		return ignition(t, user["config"].(string))
	}
	return cloudConfig(t, user["cloud_config"])
}

// ignition reads a document that Ignition's own parser must take without a word,
// and with the same values.
func ignition(t *testing.T, text string) node {
	t.Helper()
	doc, report, err := config.Parse([]byte(text))
	if err != nil || len(report.Entries) > 0 {
		t.Fatalf("%v\n%s\n%s", err, report.String(), text)
	}
	n := read(t, text)
	for _, f := range doc.Storage.Files {
		data, err := dataurl.DecodeString(*f.Contents.Source)
		if err != nil || f.Contents.Compression == nil && string(data.Data) != n.Files[f.Path] {
			t.Errorf("%s: %v: %s", f.Path, err, *f.Contents.Source)
		}
	}
	return n
}

// cloudConfig reads a document as Heat makes it of a value. It has nothing that
// coreos-cloudinit does not know.
func cloudConfig(t *testing.T, value any) node {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Files  []struct{ Path, Permissions, Content, Encoding string } `json:"write_files"`
		CoreOS struct {
			Update struct {
				Strategy string `json:"reboot-strategy"`
			}
			Units []struct{ Name, Command, Content string }
		}
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if doc.CoreOS.Update.Strategy != "off" {
		t.Error("nodes start anew on their own account")
	}
	return read(t, "#cloud-config\n"+string(text))
}

func read(t *testing.T, text string) node {
	t.Helper()
	data, err := templatetest.ReadUserData(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return node{text, data}
}

func kits() []k8stest.Kit { return []k8stest.Kit{container(), fedora()} }

// TestUserData: in every case the document is one that the system understands,
// and fits into what Nova takes.
func TestUserData(t *testing.T) {
	const limit = 65535 / 4 * 3 // Nova counts the letters of base64
	for _, k := range kits() {
		largest := 0
		for _, c := range k.Suite().Cases {
			req := k.Request()
			c.Change(&req)
			groups := []string{"kube_masters", "kube_minions"}
			if req.NodeGroup == "extra" {
				groups = groups[1:]
			}
			for _, group := range groups {
				n := first(t, k, req, group)
				script := map[string]string{"kube_masters": "/etc/magnum/master.sh", "kube_minions": "/etc/magnum/minion.sh"}[group]
				if n.Script != script || n.Modes[script] != 0o700 || !strings.HasPrefix(n.Files[script], "#!/bin/sh\n") {
					t.Errorf("%s, %s: the unit runs %q, which has mode %o", c.Name, group, n.Script, n.Modes[script])
				}
				for path, mode := range n.Modes {
					if path != script && mode != 0o600 {
						t.Errorf("%s, %s: %s has mode %o", c.Name, group, path, mode)
					}
				}
				if len(n.Files) < 30 {
					t.Errorf("%s, %s: only %d files", c.Name, group, len(n.Files))
				}
				largest = max(largest, len(n.text))
			}
		}
		t.Logf("%s: the largest user data has %d bytes of %d", k.Folder, largest, limit)
		// A chain of CAs and long options come on top.
		if largest > limit/2 {
			t.Errorf("%s: the largest user data has %d bytes", k.Folder, largest)
		}
	}
}

// TestValuesArrive: a value is on the node what it was for Heat.
func TestValuesArrive(t *testing.T) {
	for _, k := range kits() {
		req := k.Request()
		req.Template.HTTPProxy, req.Template.InsecureRegistry = nasty, nasty
		req.Cluster.Labels = templatetest.Labels("kubelet_options", nasty)
		n := first(t, k, req, "kube_masters")
		want := map[string]string{
			"http_proxy": nasty, "insecure_registry_url": nasty, "kubelet_options": nasty, "trustee_password": nasty,
			"kube_service_account_private_key": nasty, "wait_endpoint": "http://127.0.0.1:8000/v1/signal?x=%7B1%7D&y=2",
			"master_addresses": "10.0.0.11 10.0.0.12 10.0.0.13", "name": "prod-master-0", "index": "0", "role": "master",
			"verify_ca": "True", "docker_volume": "", "node_taints": "node-role.kubernetes.io/master=:NoSchedule", "kube_tag": "v1.18.20",
		}
		got := map[string]string{}
		for name := range want {
			got[name] = n.Files["/etc/magnum/params/"+name]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", k.Folder, diff)
		}
	}
}

// TestUserDataBoots: what Nova gets brings a node up, with proxies and without,
// one master and three.
func TestUserDataBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, k := range kits() {
		for _, name := range []string{"base", "three-masters", "proxy"} {
			for group, role := range map[string]string{"kube_masters": "master", "kube_minions": "worker"} {
				t.Run(strings.Join([]string{k.Folder, name, role}, "/"), func(t *testing.T) {
					req := k.Request()
					k.Suite().Cases[slices.IndexFunc(k.Suite().Cases, func(c templatetest.Case) bool { return c.Name == name })].Change(&req)
					n := first(t, k, req, group)
					cloud := templatetest.StartCloud(t)
					m := k.Node(t, cloud, role)
					for path, text := range n.Files {
						// Where the cloud is, and its secrets, the machine knows.
						if !slices.Contains([]string{"magnum_url", "auth_url", "trustee_password", "wait_endpoint", "wait_token", "name"}, filepath.Base(path)) {
							m.Write(path, text)
						}
					}
					out, err := m.Boot(n.Files[n.Script])
					if err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
					if told := cloud.Signals(); len(told) != 1 || told[0].Status != "SUCCESS" {
						t.Errorf("%v\n%s", told, out)
					}
				})
			}
		}
	}
}

// TestFedoraTakesASCII: what Ignition could not take is refused before anything
// is made.
func TestFedoraTakesASCII(t *testing.T) {
	for field, change := range map[string]func(*driver.RenderRequest){
		"http_proxy":             func(r *driver.RenderRequest) { r.Template.HTTPProxy = "http://prÖxy" },
		"https_proxy":            func(r *driver.RenderRequest) { r.Template.HTTPSProxy = "http://prÖxy" },
		"no_proxy":               func(r *driver.RenderRequest) { r.Template.HTTPProxy, r.Template.NoProxy = "x", "a\x7fb" },
		"insecure_registry":      func(r *driver.RenderRequest) { r.Template.InsecureRegistry = "regÏstry:5000" },
		"labels/kubelet_options": func(r *driver.RenderRequest) { r.Cluster.Labels = templatetest.Labels("kubelet_options", "–v=4") },
	} {
		req := fedora().Request()
		change(&req)
		want := []driver.Violation{{
			Field: field, Class: driver.ClassInvalidInput,
			Message: field + " is not supported, expecting letters, digits and signs of ASCII alone.",
		}}
		if diff := cmp.Diff(want, fedora().Suite().Violations(t, req)); diff != "" {
			t.Error(diff)
		}
	}
	req := fedora().Request()
	req.Endpoints.CACert = "Müller CA\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\nCN=ö\n-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
	want := "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
	if got := first(t, fedora(), req, "kube_minions").Files["/etc/magnum/params/openstack_ca"]; got != want {
		t.Errorf("the CAs are\n%s", got)
	}
}

// TestOptionalSteps: what the systems have otherwise, in their own places.
func TestOptionalSteps(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, tt := range []struct {
		kit  k8stest.Kit
		want map[string]string
		not  string
	}{
		{container(), map[string]string{
			"etc/ssl/certs/openstack-ca.pem":                     "AAAA\n-----END",
			"etc/systemd/system/docker.service.d/50-magnum.conf": "Environment=DOCKER_CGROUPS= DOCKER_OPTS=\n",
			"etc/systemd/system/kubelet.service":                 "ExecStop=/usr/bin/docker stop",
			"etc/systemd/system.conf.d/magnum-proxy.conf":        `"HTTP_PROXY=http://u:p%%40\"@proxy:3128"`,
		}, "etc/containers/registries.conf"},
		{fedora(), map[string]string{
			"etc/pki/ca-trust/source/anchors/openstack-ca.pem":   "AAAA\n-----END",
			"etc/systemd/system/docker.service.d/50-magnum.conf": "ExecStart=\nExecStart=/usr/bin/dockerd --host=fd://\n",
			"etc/systemd/system/kubelet.service":                 "ExecStop=/usr/bin/podman stop",
			"etc/selinux/config":                                 "SELINUX=permissive\n",
			"etc/containers/registries.conf":                     "registries = ['10.0.0.1:5000']",
		}, "etc/ssl/certs/openstack-ca.pem"},
	} {
		t.Run(tt.kit.Folder, func(t *testing.T) {
			m := tt.kit.Node(t, templatetest.StartCloud(t), "worker")
			for name, value := range map[string]string{
				"openstack_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "insecure_registry_url": "10.0.0.1:5000",
				"http_proxy": `http://u:p%40"@proxy:3128`, "cgroup_driver": "systemd",
			} {
				m.Write("etc/magnum/params/"+name, value)
			}
			req := tt.kit.Request()
			req.Endpoints.CACert, req.Template.HTTPProxy, req.Template.InsecureRegistry = "x", "x", "x"
			if out, err := m.Boot(tt.kit.Suite().Render(t, req).Files["boot/minion.sh"]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for path, text := range tt.want {
				if got := m.Read(path); !strings.Contains(got, text) {
					t.Errorf("%s lacks %s:\n%s", path, text, got)
				}
			}
			if _, err := os.Stat(m.Path(tt.not)); err == nil {
				t.Errorf("there is %s", tt.not)
			}
			var daemon map[string]any
			if err := json.Unmarshal([]byte(m.Read("etc/docker/daemon.json")), &daemon); err != nil {
				t.Fatalf("%v\n%s", err, m.Read("etc/docker/daemon.json"))
			}
			want := map[string]any{
				"storage-driver": "overlay2", "insecure-registries": []any{"10.0.0.1:5000"}, "exec-opts": []any{"native.cgroupdriver=systemd"},
			}
			if tt.kit.Folder == "fedora" {
				want["log-driver"], want["userland-proxy"] = "json-file", false
			}
			if diff := cmp.Diff(want, daemon); diff != "" {
				t.Errorf("daemon.json: %s", diff)
			}
		})
	}
}

// TestKubeletsMounts: authorities that lead somewhere in a container, and name
// servers that answer.
func TestKubeletsMounts(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, tt := range []struct {
		kit      k8stest.Kit
		ca, stub bool
		want     []string
	}{
		{container(), false, true, []string{"/usr/share/ca-certificates:/usr/share/ca-certificates:ro", "/run/systemd/resolve/resolv.conf:/etc/resolv.conf:ro"}},
		{container(), true, true, []string{"/etc/ssl/certs:/etc/ssl/certs:ro"}},
		{fedora(), false, true, []string{"/etc/pki:/etc/pki:ro", "/run/systemd/resolve/resolv.conf:/etc/resolv.conf:ro"}},
		{fedora(), false, false, []string{"/etc/resolv.conf:/etc/resolv.conf:ro"}},
	} {
		m := tt.kit.Node(t, templatetest.StartCloud(t), "worker")
		if tt.ca {
			m.Write("etc/magnum/params/openstack_ca", "x")
		}
		if !tt.stub {
			if err := os.Remove(m.Path("run/systemd/resolve/resolv.conf")); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := m.Boot(tt.kit.Suite().Render(t, tt.kit.Request()).Files["boot/minion.sh"]); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got := m.Service(tt.kit.Engine, "kubelet")
		for _, mount := range tt.want {
			if !slices.Contains(got, mount) {
				t.Errorf("%s: kubelet has no mount %s:\n%q", tt.kit.Folder, mount, got)
			}
		}
	}
}

// TestCgroups: an image that cannot work fails its node at once, with the reason.
func TestCgroups(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, k := range kits() {
		c := templatetest.StartCloud(t)
		m := k.Node(t, c, "master")
		m.Write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n")
		if _, err := m.Boot(k.Suite().Render(t, k.Request()).Files["boot/master.sh"]); err == nil {
			t.Errorf("%s boots", k.Folder)
		}
		want := []templatetest.Signal{{Status: "FAILURE", ID: "Prod_1-master-0", Reason: "Prod_1-master-0: step 005-cgroups failed: this image has cgroups v2, " +
			"which Kubernetes v1.18.20 does not know; use one with v1, or systemd.unified_cgroup_hierarchy=0"}}
		if diff := cmp.Diff(want, c.Signals()); diff != "" {
			t.Errorf("%s: %s", k.Folder, diff)
		}
	}
}

func TestStorageDrivers(t *testing.T) {
	for _, tt := range []struct {
		kit  k8stest.Kit
		text string
	}{{container(), "overlay2/overlay"}, {fedora(), "overlay2"}} {
		req := tt.kit.Request()
		req.Template.DockerStorageDriver = "btrfs"
		want := []driver.Violation{{
			Field: "docker_storage_driver", Class: driver.ClassInvalidInput,
			Message: "Docker storage driver btrfs is not supported, expecting a " + tt.text + "/unspecified storage driver.",
		}}
		if diff := cmp.Diff(want, tt.kit.Suite().Violations(t, req)); diff != "" {
			t.Error(diff)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	for _, k := range kits() {
		b.Run(k.Folder, func(b *testing.B) {
			req := k.Request()
			for b.Loop() {
				if _, err := k.Definition().Render(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
