package k8stest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func (k Kit) validateRefuses(t *testing.T) {
	name := k.Definition().Name
	label := func(name, value string) func(*driver.RenderRequest) {
		return func(r *driver.RenderRequest) { r.Cluster.Labels = templatetest.Labels(name, value) }
	}
	bad := func(name, value, expecting string) string {
		return `property "labels/` + name + `" with value "` + value + `" is not supported, ` + expecting
	}
	tests := []struct {
		name   string
		change func(*driver.RenderRequest)
		class  driver.Class
		field  string
		text   string
	}{
		{"tls", func(r *driver.RenderRequest) {
			r.Template.TLSDisabled, r.Cluster.Labels = true, templatetest.Labels("kube_tag", "v1.20.4")
		}, driver.ClassUnsupported, "tls_disabled", "TLS cannot be disabled with Kubernetes v1.20.4: the API has no other port from 1.20 on."},
		{"network driver", func(r *driver.RenderRequest) { r.Template.NetworkDriver = "docker" }, driver.ClassInvalidInput, "network_driver",
			"Network driver type docker is not supported, expecting a flannel/calico/unspecified network driver."},
		{"volume driver", func(r *driver.RenderRequest) { r.Template.VolumeDriver = "rexray" }, driver.ClassInvalidInput, "volume_driver",
			"Volume driver type rexray is not supported, expecting a cinder/unspecified volume driver."},
		{"subnet alone", func(r *driver.RenderRequest) { r.Cluster.FixedSubnet = "s" }, driver.ClassInvalidInput, "fixed_network",
			"A fixed_subnet needs its fixed_network."},
		{"network alone", func(r *driver.RenderRequest) { r.Cluster.FixedNetwork = "n" }, driver.ClassInvalidInput, "fixed_subnet",
			"Required parameter fixed_subnet not provided."},
		{"external network", func(r *driver.RenderRequest) { r.Template.ExternalNetworkID = "" }, driver.ClassInvalidInput, "external_network",
			"Required parameter external_network not provided."},
		{"flavor", func(r *driver.RenderRequest) { r.NodeGroups[1].FlavorID = "" }, driver.ClassInvalidInput, "minion_flavor",
			"Required parameter minion_flavor not provided."},
		{"upgrade", func(r *driver.RenderRequest) { r.Intent = driver.IntentUpgrade }, driver.ClassUnsupported, "",
			"Operation upgrade is not supported by the cluster driver " + name + "."},
		{"size", label("etcd_volume_size", "big"), driver.ClassInvalidInput, "labels/etcd_volume_size",
			bad("etcd_volume_size", "big", "expecting an integer")},
		{"negative size", label("boot_volume_size", "-1"), driver.ClassInvalidInput, "labels/boot_volume_size",
			bad("boot_volume_size", "-1", "expecting an integer of at least 0")},
		{"bool", label("master_lb_floating_ip_enabled", "maybe"), driver.ClassInvalidInput, "labels/master_lb_floating_ip_enabled",
			bad("master_lb_floating_ip_enabled", "maybe", "expecting true or false")},
		{"enum", label("flannel_backend", "gre"), driver.ClassInvalidInput, "labels/flannel_backend",
			bad("flannel_backend", "gre", "supported values are: vxlan, udp, host-gw, unspecified")},
		{"cidr", label("fixed_subnet_cidr", "10.0.0.0"), driver.ClassInvalidInput, "labels/fixed_subnet_cidr",
			bad("fixed_subnet_cidr", "10.0.0.0", "expecting a CIDR such as 10.0.0.0/24")},
		{"cidrs", label("master_lb_allowed_cidrs", "10.0.0.0/8,x"), driver.ClassInvalidInput, "labels/master_lb_allowed_cidrs",
			bad("master_lb_allowed_cidrs", "10.0.0.0/8,x", "expecting CIDRs such as 10.0.0.0/24 with commas between")},
		{"tag", label("kube_tag", "v1.18.20; reboot"), driver.ClassInvalidInput, "labels/kube_tag",
			bad("kube_tag", "v1.18.20; reboot", `expecting a match of v[0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9_.-]*`)},
		{"few services", label("service_cluster_ip_range", "10.254.0.0/29"), driver.ClassInvalidInput, "labels/service_cluster_ip_range",
			bad("service_cluster_ip_range", "10.254.0.0/29", "expecting at least 11 addresses")},
		{"overlap", label("fixed_subnet_cidr", "10.100.1.0/24"), driver.ClassInvalidInput, "labels/fixed_subnet_cidr",
			"fixed_subnet_cidr 10.100.1.0/24 overlaps flannel_network_cidr 10.100.0.0/16."},
		{"subnet length", label("flannel_network_subnetlen", "16"), driver.ClassInvalidInput, "labels/flannel_network_subnetlen",
			"flannel_network_subnetlen 16 leaves no part of 10.100.0.0/16 for each node."},
		{"ipv6", label("flannel_network_cidr", "fd00::/8"), driver.ClassInvalidInput, "labels/flannel_network_cidr",
			"flannel_network_cidr fd00::/8 is not supported, expecting IPv4."},
		{"overlap with calico", func(r *driver.RenderRequest) {
			withCalico(r)
			r.Cluster.Labels = templatetest.Labels("calico_ipv4pool", "10.254.0.0/18")
		}, driver.ClassInvalidInput, "labels/service_cluster_ip_range", "service_cluster_ip_range 10.254.0.0/16 overlaps calico_ipv4pool 10.254.0.0/18."},
		{"small pool", func(r *driver.RenderRequest) {
			withCalico(r)
			r.Cluster.Labels = templatetest.Labels("calico_ipv4pool", "10.3.0.0/27", "flannel_network_subnetlen", "29")
		}, driver.ClassInvalidInput, "labels/calico_ipv4pool", "calico_ipv4pool 10.3.0.0/27 is not supported, expecting a prefix length of at most 26."},
		{"no part of the pool", func(r *driver.RenderRequest) {
			withCalico(r)
			r.Cluster.Labels = templatetest.Labels("calico_ipv4pool", "10.3.0.0/25")
		}, driver.ClassInvalidInput, "labels/flannel_network_subnetlen", "flannel_network_subnetlen 24 leaves no part of 10.3.0.0/25 for each node."},
		{"too many", func(r *driver.RenderRequest) {
			r.NodeGroups[1].NodeCount = 4
			r.Cluster.Labels = templatetest.Labels("max_node_count", "3")
		}, driver.ClassInvalidInput, "node_count", "node_count 4 is more than max_node_count 3."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := k.Request()
			tt.change(&r)
			want := []driver.Violation{{Field: tt.field, Message: tt.text, Class: tt.class}}
			if diff := cmp.Diff(want, k.Suite().Violations(t, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func (k Kit) renderRefuses(t *testing.T) {
	name := k.Definition().Name
	for what, tt := range map[string]struct {
		change func(*driver.RenderRequest)
		class  driver.Class
		text   string
	}{
		"no magnum":           {func(r *driver.RenderRequest) { r.Endpoints.MagnumURL = "" }, driver.ClassInvalidInput, "Required parameter magnum_url not provided."},
		"given subnet's cidr": {func(r *driver.RenderRequest) { r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "n", "s" }, driver.ClassInvalidInput, "Required parameter fixed_subnet_cidr not provided."},
		"no octavia": {func(r *driver.RenderRequest) { r.Cluster.MasterLB, r.Endpoints.Octavia = true, false }, driver.ClassPrecondition,
			"A load balancer before the masters (master_lb_enabled) needs Octavia, which this cloud does not have."},
		"rotation": {func(r *driver.RenderRequest) { r.Intent = driver.IntentRotateCA }, driver.ClassUnsupported, "Operation rotate-ca is not supported by the cluster driver " + name + "."},
	} {
		r := k.Request()
		tt.change(&r)
		_, err := k.Definition().Render(context.Background(), r)
		if err == nil || err.Error() != tt.text || driver.ClassOf(err) != tt.class {
			t.Errorf("%s: %v", what, err)
		}
	}
}
