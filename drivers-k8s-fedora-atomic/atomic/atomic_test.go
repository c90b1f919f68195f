package atomic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s/k8stest"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// kit is the driver with what Fedora Atomic has otherwise.
func kit() k8stest.Kit {
	return k8stest.Kit{
		Definition: atomic.Definition,
		Page:       "../../docs/drivers/k8s-fedora-atomic.md",
		Engine:     "podman",
		Storage:    "devicemapper",
		Cases:      metalCases(),
		Machine: func(m *templatetest.Machine) {
			m.Write("etc/selinux/config", "SELINUX=enforcing\n")
			m.Write("usr/lib/systemd/system/docker.service", "[Service]\nExecStart=dockerd --exec-opt native.cgroupdriver=systemd\n")
			for _, p := range []string{"setenforce", "restorecon", "update-ca-trust"} {
				m.Program(p, "cat >/dev/null")
			}
			m.Program("docker", "echo cgroupfs")
		},
	}
}

func TestDriver(t *testing.T) { kit().Run(t) }

func BenchmarkRender(b *testing.B) {
	req := kit().Request()
	for b.Loop() {
		kit().Suite().Render(b, req)
	}
}

func TestDockersCgroupDriver(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	m := kit().Node(t, templatetest.StartCloud(t), "worker")
	if out, err := m.Boot(kit().Suite().Render(t, kit().Request()).Files["boot/minion.sh"]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(m.Read("etc/systemd/system/docker.service"), "native.cgroupdriver=cgroupfs") {
		t.Error("docker keeps its own cgroup driver")
	}
}

func TestOptionalSteps(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := kit().Node(t, c, "worker")
	for name, value := range map[string]string{
		"openstack_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "insecure_registry_url": "10.0.0.1:5000",
		"http_proxy": `http://u:p%40"@proxy:3128`, "no_proxy": "example.com,10.0.0.0/24",
	} {
		m.Write("etc/magnum/params/"+name, value)
	}
	req := kit().Request()
	req.Endpoints.CACert, req.Template.HTTPProxy, req.Template.InsecureRegistry = "x", "x", "x"
	if out, err := m.Boot(kit().Suite().Render(t, req).Files["boot/minion.sh"]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for path, text := range map[string]string{
		"etc/pki/ca-trust/source/anchors/openstack-ca.pem": "AAAA\n-----END",
		"etc/containers/registries.conf":                   "registries = ['10.0.0.1:5000']",
		"etc/sysconfig/docker":                             "INSECURE_REGISTRY='--insecure-registry 10.0.0.1:5000'",
		"etc/systemd/system.conf.d/magnum-proxy.conf":      `"HTTP_PROXY=http://u:p%%40\"@proxy:3128"`,
		"etc/profile.d/magnum-proxy.sh":                    `NO_PROXY="example.com,10.0.0.0/24,localhost,`,
	} {
		if got := m.Read(path); !strings.Contains(got, text) {
			t.Errorf("%s lacks %s:\n%s", path, text, got)
		}
	}
}

func TestStorageDrivers(t *testing.T) {
	for _, tt := range []struct {
		name        string
		change      func(*driver.RenderRequest)
		field, text string
	}{
		{"unknown", func(r *driver.RenderRequest) { r.Template.DockerStorageDriver = "btrfs" }, "docker_storage_driver",
			"Docker storage driver btrfs is not supported, expecting a overlay2/overlay/devicemapper/unspecified storage driver."},
		{"small volume", func(r *driver.RenderRequest) {
			r.Template.DockerStorageDriver, r.Cluster.DockerVolumeSize = "devicemapper", 2
		}, "docker_volume_size", "docker volume size 2 GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		{"a group has none of the cluster's", func(r *driver.RenderRequest) {
			r.Template.DockerStorageDriver, r.Cluster.DockerVolumeSize = "devicemapper", 5
			r.Intent, r.NodeGroup = driver.IntentCreateNodeGroup, "extra"
			r.NodeGroups = append(r.NodeGroups, driver.NodeGroup{Name: "extra", Role: "worker", NodeCount: 2, FlavorID: "m1.large"})
		}, "docker_volume_size", "docker volume size 0 GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
	} {
		r := kit().Request()
		tt.change(&r)
		want := []driver.Violation{{Field: tt.field, Message: tt.text, Class: driver.ClassInvalidInput}}
		if diff := cmp.Diff(want, kit().Suite().Violations(t, r)); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
