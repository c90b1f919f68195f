package atomic_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s/k8stest"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// onMetal changes a request into one for bare metal, of an operator whose
// defaults are for virtual machines.
func onMetal(change func(*driver.RenderRequest)) func(*driver.RenderRequest) {
	return func(r *driver.RenderRequest) {
		r.Template.ServerType, r.Template.ClusterDistro, r.Template.ImageID = "bm", "fedora", "fedora-latest"
		r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "demo-net", "demo-subnet"
		r.Endpoints.FixedNetworkName, r.Endpoints.FixedSubnetCIDR = "demo-net", "10.20.0.0/24"
		r.Endpoints.BootVolumeSize, r.Endpoints.BootVolumeType, r.Endpoints.AffinityPolicy = 10, "boot-type", "anti-affinity"
		change(r)
	}
}

func metalCases() []templatetest.Case {
	return []templatetest.Case{
		{Name: "metal", Change: onMetal(func(*driver.RenderRequest) {})},
		{Name: "metal-no-floating-ips", Change: onMetal(func(r *driver.RenderRequest) { r.Cluster.FloatingIP = false })},
		{Name: "metal-three-masters", Change: onMetal(func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.NodeGroups[0].NodeCount = true, 3
		})},
		{Name: "metal-nodegroup", Change: onMetal(k8stest.Group(func(*driver.RenderRequest, *driver.NodeGroup) {}))},
	}
}

func TestMetalRefuses(t *testing.T) {
	volume := func(size string) func(*driver.RenderRequest) {
		return func(r *driver.RenderRequest) { r.Cluster.Labels = templatetest.Labels(size, "7") }
	}
	for _, tt := range []struct {
		name        string
		change      func(*driver.RenderRequest)
		class       driver.Class
		field, text string
	}{
		{"a network of its own", func(r *driver.RenderRequest) { r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "", "" }, driver.ClassInvalidInput,
			"fixed_network", "Bare metal servers need a fixed_network and its fixed_subnet: they cannot be put on a network that the cluster makes."},
		{"docker volume", func(r *driver.RenderRequest) { r.Cluster.DockerVolumeSize = 5 }, driver.ClassUnsupported,
			"docker_volume_size", "Bare metal servers have no Cinder volumes: docker_volume_size must not be 5."},
		{"boot volume", volume("boot_volume_size"), driver.ClassUnsupported,
			"labels/boot_volume_size", "Bare metal servers have no Cinder volumes: boot_volume_size must not be 7."},
		{"etcd volume", volume("etcd_volume_size"), driver.ClassUnsupported,
			"labels/etcd_volume_size", "Bare metal servers have no Cinder volumes: etcd_volume_size must not be 7."},
		{"pods' volumes", func(r *driver.RenderRequest) { r.Template.VolumeDriver = "cinder" }, driver.ClassUnsupported,
			"volume_driver", "Bare metal servers have no Cinder volumes: volume_driver must not be cinder."},
		{"a group's volume", k8stest.Group(func(_ *driver.RenderRequest, g *driver.NodeGroup) { g.DockerVolumeSize = 5 }), driver.ClassUnsupported,
			"docker_volume_size", "Bare metal servers have no Cinder volumes: docker_volume_size must not be 5."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := kit().Request()
			onMetal(tt.change)(&r)
			want := []driver.Violation{{Field: tt.field, Message: tt.text, Class: tt.class}}
			if diff := cmp.Diff(want, kit().Suite().Violations(t, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestMetalBoots: masters and workers come up from Fedora's packages, and one
// whose image lacks them says so.
func TestMetalBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	r := kit().Request()
	onMetal(func(*driver.RenderRequest) {})(&r)
	scripts := kit().Suite().Render(t, r).Files
	for role, script := range map[string]string{"master": "boot/master.sh", "worker": "boot/minion.sh"} {
		t.Run(role, func(t *testing.T) {
			c := templatetest.StartCloud(t)
			m := kit().Node(t, c, role)
			out, err := m.Boot(scripts[script])
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			name := "Prod_1-" + role + "-0"
			if diff := cmp.Diff([]templatetest.Signal{{Status: "SUCCESS", Reason: name + " is ready", ID: name}}, c.Signals()); diff != "" {
				t.Error(diff)
			}
			for _, unit := range []string{"docker", "kubelet", "kube-proxy"} {
				if !strings.Contains(m.Calls(), "systemctl restart "+unit+"\n") {
					t.Errorf("%s was not started", unit)
				}
			}
			m.CheckSecrets(out)
		})
	}
	t.Run("poor image", func(t *testing.T) {
		c := templatetest.StartCloud(t)
		m := kit().Node(t, c, "worker")
		m.Remove("podman")
		out, err := m.Boot(scripts["boot/minion.sh"])
		if err == nil {
			t.Error("the script says that it went well")
		}
		want := []templatetest.Signal{{
			Status: "FAILURE", Reason: "Prod_1-worker-0: step 008-image failed: the image lacks: podman", ID: "Prod_1-worker-0",
		}}
		if diff := cmp.Diff(want, c.Signals()); diff != "" {
			t.Errorf("%s\n%s", diff, out)
		}
	})
}
