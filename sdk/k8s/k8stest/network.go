package k8stest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// objects are what a master has put into one of its manifests for Kubernetes.
func objects(t *testing.T, m *templatetest.Machine, manifest string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for d := yaml.NewDecoder(strings.NewReader(m.Read("etc/kubernetes/" + manifest + ".yaml"))); ; {
		var one map[string]any
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%s: %v", manifest, err)
		}
		if one == nil {
			continue // before the first separator
		}
		meta, _ := one["metadata"].(map[string]any)
		if one["apiVersion"] == nil || one["kind"] == nil || meta["name"] == nil {
			t.Errorf("%s has %v, which is no object", manifest, one)
		}
		all = append(all, one)
	}
}

// calicoBoots: a master of a cluster with Calico applies its manifest and no
// other network's; all nodes leave the pods' interfaces to it.
func (k Kit) calicoBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	r := k.Request()
	withCalico(&r)
	scripts := k.Suite().Render(t, r).Files
	boot := func(role, script string, params map[string]string) *templatetest.Machine {
		c := templatetest.StartCloud(t)
		m := k.Node(t, c, role)
		for name, value := range params {
			m.Write("etc/magnum/params/"+name, value)
		}
		m.Program("ip", "echo '2: eth1    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth1'")
		m.Write("sys/class/net/eth1/mtu", "1450\n")
		if out, err := m.Boot(scripts[script]); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if got := m.Read("etc/NetworkManager/conf.d/calico.conf"); !strings.Contains(got, "interface-name:cali*;") {
			t.Errorf("NetworkManager: %s", got)
		}
		for _, call := range []string{"systemctl reload-or-restart NetworkManager", "sysctl --load " + m.Path("etc/sysctl.d/91-calico.conf")} {
			if !strings.Contains(m.Calls(), call+"\n") {
				t.Errorf("not called on a %s: %s", role, call)
			}
		}
		return m
	}
	m := boot("master", "boot/master.sh", map[string]string{
		"calico_ipv4pool_ipip": "CrossSubnet", "pods_network_cidr": "192.168.0.0/16",
	})
	if _, err := os.Stat(m.Path("etc/kubernetes/flannel.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("flannel comes too: %v", err)
	}
	var kinds []string
	for _, one := range objects(t, m, "calico") {
		kind := one["apiVersion"].(string) + " " + one["kind"].(string)
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	want := []string{
		"apiextensions.k8s.io/v1 CustomResourceDefinition", "v1 ServiceAccount", "rbac.authorization.k8s.io/v1 ClusterRole",
		"rbac.authorization.k8s.io/v1 ClusterRoleBinding", "v1 ConfigMap", "apps/v1 DaemonSet",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Error(diff)
	}
	manifest := m.Read("etc/kubernetes/calico.yaml")
	for _, part := range []string{
		"image: quay.io/calico/cni:v3.13.1\n", "image: quay.io/calico/node:v3.13.1\n",
		"{name: CALICO_IPV4POOL_CIDR, value: 192.168.0.0/16}", `{name: CALICO_IPV4POOL_IPIP, value: "CrossSubnet"}`,
		"value: can-reach=10.0.0.5}", `{name: FELIX_IPINIPMTU, value: "1430"}`,
	} {
		if !strings.Contains(manifest, part) {
			t.Errorf("the manifest lacks %s:\n%s", part, manifest)
		}
	}
	for _, one := range objects(t, m, "calico") {
		if one["kind"] != "ConfigMap" {
			continue
		}
		var cni struct {
			Plugins []struct {
				Type string
				MTU  int
			}
		}
		if err := json.Unmarshal([]byte(one["data"].(map[string]any)["cni.json"].(string)), &cni); err != nil {
			t.Fatal(err)
		}
		if len(cni.Plugins) != 2 || cni.Plugins[0].Type != "calico" || cni.Plugins[0].MTU != 1430 {
			t.Errorf("plugins: %+v", cni.Plugins)
		}
	}
	m = boot("master", "boot/master.sh", map[string]string{"kube_tag": "v1.15.7"})
	old, _ := yaml.Marshal(objects(t, m, "calico")[0])
	if got := string(old); !strings.Contains(got, "apiVersion: apiextensions.k8s.io/v1beta1\n") || strings.Contains(got, "schema") {
		t.Errorf("Kubernetes 1.15 gets the definition\n%s", got)
	}
	m = boot("worker", "boot/minion.sh", nil)
	if _, err := os.Stat(m.Path("etc/kubernetes/calico.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a worker has the manifest: %v", err)
	}
	for _, mount := range []string{"/var/lib/calico:/var/lib/calico:ro", "/var/lib/cni:/var/lib/cni"} {
		if !slices.Contains(m.Service(k.Engine, "kubelet"), mount) {
			t.Errorf("kubelet does not see %s, of which its network plugins know", mount)
		}
	}
}
