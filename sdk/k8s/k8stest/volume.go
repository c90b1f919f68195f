package k8stest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// cinderBoots: with the volume driver cinder all nodes may act for the user, and
// tell Kubernetes so; without it none does, nor if the operator has not allowed it.
func (k Kit) cinderBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	const options = "--cloud-provider=openstack --cloud-config=/etc/kubernetes/cloud-config"
	r := k.Request()
	without := k.Suite().Render(t, r).Files
	withCinder(&r)
	with := k.Suite().Render(t, r).Files
	start := func(role string) *templatetest.Machine {
		m := k.Node(t, templatetest.StartCloud(t), role)
		m.Write("etc/magnum/params/trust_id", "trust")
		m.Write("etc/magnum/params/region_name", "RegionOne")
		m.Write("etc/magnum/params/openstack_ca", "PEM")
		return m
	}
	for role, script := range map[string]string{"master": "boot/master.sh", "worker": "boot/minion.sh"} {
		t.Run(role, func(t *testing.T) {
			m := start(role)
			out, err := m.Boot(with[script])
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if info, err := os.Stat(m.Path("etc/kubernetes/cloud-config")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("cloud-config: %v, %v", info.Mode(), err)
			}
			config := m.Read("etc/kubernetes/cloud-config")
			for _, line := range []string{
				`/v3"`, `region = "RegionOne"`, `user-id = "trustee"`, `password = "pa\"ss\\word`, `trust-id = "trust"`,
				`ca-file = "/etc/kubernetes/openstack-ca.pem"`, "[BlockStorage]\nignore-volume-az = true\n",
			} {
				if !strings.Contains(config, line) {
					t.Errorf("cloud-config lacks %s:\n%s", line, config)
				}
			}
			if got := strings.Join(m.Service(k.Engine, "kubelet"), " "); !strings.Contains(got, options) {
				t.Errorf("kubelet: %s", got)
			}
			if role == "worker" {
				return
			}
			manager := m.Service(k.Engine, "kube-controller-manager")
			if got := strings.Join(manager, " "); !strings.Contains(got, options) || !slices.Contains(manager, "--controllers=*,-service,-route") {
				t.Errorf("controller manager: %s", got)
			}
		})
	}
	t.Run("without", func(t *testing.T) {
		m := start("master")
		if out, err := m.Boot(without["boot/master.sh"]); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, service := range []string{"kubelet", "kube-controller-manager"} {
			for _, a := range m.Service(k.Engine, service) {
				if a == "" || strings.HasPrefix(a, "--cloud") || strings.HasPrefix(a, "--controllers") {
					t.Errorf("%s has the option %q", service, a)
				}
			}
		}
	})
	t.Run("not allowed", func(t *testing.T) {
		c := templatetest.StartCloud(t)
		if out, err := k.Node(t, c, "worker").Boot(with["boot/minion.sh"]); err == nil {
			t.Errorf("it went well:\n%s", out)
		}
		told := c.Signals()
		if len(told) != 1 || !strings.Contains(told[0].Reason, "the operator has to set [trust] cluster_user_trust") {
			t.Errorf("signals: %v", told)
		}
	})
}

// registryBoots: workers have the registry that the user asked for.
func (k Kit) registryBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	r := k.Request()
	withRegistry(&r)
	m := k.Node(t, templatetest.StartCloud(t), "worker")
	for name, value := range map[string]string{"trust_id": "trust", "registry_tag": "2", "registry_container": "images"} {
		m.Write("etc/magnum/params/"+name, value)
	}
	if out, err := m.Boot(k.Suite().Render(t, r).Files["boot/minion.sh"]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := m.Read("etc/magnum/registry/config.yml"); !strings.Contains(got, `container: "images"`) {
		t.Errorf("config.yml:\n%s", got)
	}
	if got := m.Service(k.Engine, "registry"); !slices.Contains(got, "docker.io/registry:2") {
		t.Errorf("%q", got)
	}
}
