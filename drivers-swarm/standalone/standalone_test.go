package standalone_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-swarm/engine/enginetest"
	"github.com/go-magnum/magnum/drivers-swarm/standalone"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func TestDriver(t *testing.T) { suite().Run(t) }

// suite is the driver with what it can do.
func suite() templatetest.Suite {
	return templatetest.Suite{
		Definition: standalone.Definition,
		Request:    base,
		Cases:      slices.Concat(templatetest.Options(), templatetest.GroupOptions(enginetest.ClusterOutputs()), cases()),
		Boot:       map[string]string{"boot/master.sh": "swarm-master.yaml", "boot/node.sh": "swarm-node.yaml"},
		Unset: map[string][]string{
			"boot/master.sh": {"cgroup_driver"},
			"boot/node.sh":   {"api_private_address", "api_public_address", "cgroup_driver", "external_address"},
		},
		LabelValues: map[string]string{
			"fixed_subnet_cidr": "10.7.0.0/24", "master_lb_floating_ip_enabled": "false",
			"container_infra_prefix": "r/", "flannel_network_subnetlen": "27", "flannel_network_cidr": "10.200.0.0/16",
		},
		Bounds: map[string]string{"min_node_count": "9", "max_node_count": "1"},
		Rich: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.Template.VolumeDriver, r.Template.NetworkDriver, r.NodeGroups[1].NodeCount = true, "rexray", "flannel", 2
			r.Template.RegistryEnabled = true
		},
		Largest: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.NodeGroups[0].NodeCount, r.NodeGroups[1].NodeCount = 3, 1000
		},
		ClusterOutputs: enginetest.ClusterOutputs(),

		Page: "../../docs/drivers/swarm-standalone.md",
	}
}

// base is a cluster of one manager and one worker, as the API makes it.
func base() driver.RenderRequest {
	r := templatetest.Request(driver.ClusterType{ServerType: "vm", OS: "fedora-atomic", COE: "swarm"})
	r.Template.NetworkDriver = "docker"
	return r
}

// cases are the driver's own options.
func cases() []templatetest.Case {
	flannel := func(labels ...string) func(*driver.RenderRequest) {
		return func(r *driver.RenderRequest) {
			r.Template.NetworkDriver, r.Cluster.Labels = "flannel", templatetest.Labels(labels...)
		}
	}
	group := func(change func(*driver.RenderRequest, *driver.NodeGroup)) func(*driver.RenderRequest) {
		return templatetest.Group(enginetest.ClusterOutputs(), change)
	}
	return []templatetest.Case{
		{Name: "tls-disabled", Change: func(r *driver.RenderRequest) { r.Template.TLSDisabled = true }},
		{Name: "no-network-driver", Change: func(r *driver.RenderRequest) { r.Template.NetworkDriver = "" }},
		{Name: "flannel", Change: flannel()},
		{Name: "flannel-host-gw", Change: flannel("flannel_backend", "host-gw", "flannel_network_cidr", "10.200.0.0/16",
			"flannel_network_subnetlen", "26", "flannel_tag", "v0.12.0", "fixed_subnet_cidr", "10.9.0.0/24")},
		{Name: "labels", Change: func(r *driver.RenderRequest) {
			r.Cluster.Labels = templatetest.Labels("swarm_version", "1.2.5", "swarm_strategy", "binpack", "etcd_tag", "v3.3.25",
				"container_infra_prefix", "registry.example.com/magnum/", "unknown_label", "ignored")
		}},
		{Name: "discovery-url", Change: func(r *driver.RenderRequest) {
			r.Cluster.DiscoveryURL = "https://discovery.example.com/0123456789abcdef"
		}},
		{Name: "rexray", Change: func(r *driver.RenderRequest) { r.Template.VolumeDriver = "rexray" }},
		{Name: "rexray-preempt", Change: func(r *driver.RenderRequest) {
			r.Template.VolumeDriver, r.Cluster.Labels = "rexray", templatetest.Labels("rexray-preempt", "true")
		}},
		{Name: "registry", Change: func(r *driver.RenderRequest) {
			r.Template.RegistryEnabled, r.Cluster.Labels = true, templatetest.Labels("registry_tag", "2.7")
		}},
		{Name: "devicemapper", Change: func(r *driver.RenderRequest) {
			r.Template.DockerStorageDriver, r.Cluster.DockerVolumeSize = "devicemapper", 3
		}},
		{Name: "all", Change: func(r *driver.RenderRequest) {
			r.Template.TLSDisabled, r.Template.VolumeDriver, r.Template.NetworkDriver = true, "rexray", "flannel"
			r.Template.HTTPProxy, r.Template.InsecureRegistry, r.Template.RegistryEnabled = "http://proxy:3128", "10.0.0.1:5000", true
			r.Endpoints.CACert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
		}},
		{Name: "nodegroup-flannel", Change: group(func(r *driver.RenderRequest, _ *driver.NodeGroup) {
			r.Template.NetworkDriver, r.Cluster.Labels = "flannel", templatetest.Labels("flannel_backend", "host-gw")
			r.ClusterOutputs["node_security_groups"] = driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001", "5e5e5e5e-0000-4000-8000-000000000002"]`)
			r.ClusterOutputs["address_pairs"] = driver.RawJSON(`[{"ip_address": "10.100.0.0/16"}]`)
		})},
	}
}

func TestValidate(t *testing.T) {
	label := func(name, value string) func(*driver.RenderRequest) {
		return func(r *driver.RenderRequest) {
			r.Template.NetworkDriver, r.Cluster.Labels = "flannel", templatetest.Labels(name, value)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*driver.RenderRequest)
		class  driver.Class
		field  string
		text   string
	}{
		{"network driver", func(r *driver.RenderRequest) { r.Template.NetworkDriver = "calico" }, driver.ClassInvalidInput, "network_driver",
			"Network driver type calico is not supported, expecting a docker/flannel/unspecified network driver."},
		{"volume driver", func(r *driver.RenderRequest) { r.Template.VolumeDriver = "cinder" }, driver.ClassInvalidInput, "volume_driver",
			"Volume driver type cinder is not supported, expecting a rexray/unspecified volume driver."},
		{"storage driver", func(r *driver.RenderRequest) { r.Template.DockerStorageDriver = "btrfs" }, driver.ClassInvalidInput, "docker_storage_driver",
			"Docker storage driver btrfs is not supported, expecting a overlay2/overlay/devicemapper/unspecified storage driver."},
		{"strategy", label("swarm_strategy", "chance"), driver.ClassInvalidInput, "labels/swarm_strategy",
			`property "labels/swarm_strategy" with value "chance" is not supported, supported values are: spread, binpack, random, unspecified`},
		{"overlap", label("fixed_subnet_cidr", "10.100.1.0/24"), driver.ClassInvalidInput, "labels/fixed_subnet_cidr",
			"fixed_subnet_cidr 10.100.1.0/24 overlaps flannel_network_cidr 10.100.0.0/16."},
		{"subnet length", label("flannel_network_subnetlen", "16"), driver.ClassInvalidInput, "labels/flannel_network_subnetlen",
			"flannel_network_subnetlen 16 leaves no part of 10.100.0.0/16 for each node."},
		{"discovery url", func(r *driver.RenderRequest) { r.Cluster.DiscoveryURL = "etcd.example.com" }, driver.ClassInvalidInput, "discovery_url",
			"Invalid discovery URL 'etcd.example.com'."},
		{"discovery url without host", func(r *driver.RenderRequest) { r.Cluster.DiscoveryURL = "https:///0123" }, driver.ClassInvalidInput, "discovery_url",
			"Invalid discovery URL 'https:///0123'."},
		{"upgrade", func(r *driver.RenderRequest) { r.Intent = driver.IntentUpgrade }, driver.ClassUnsupported, "",
			"Operation upgrade is not supported by the cluster driver swarm_fedora_atomic_v1."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base()
			tt.change(&r)
			want := []driver.Violation{{Field: tt.field, Message: tt.text, Class: tt.class}}
			if diff := cmp.Diff(want, suite().Violations(t, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
	// Without flannel its addresses are nobody's.
	r := base()
	r.Cluster.Labels = templatetest.Labels("fixed_subnet_cidr", "10.100.1.0/24")
	if got := suite().Violations(t, r); len(got) != 0 {
		t.Error(got)
	}
}

func TestMapOutputs(t *testing.T) {
	str := func(s string) *string { return &s }
	num := func(n int) *int { return &n }
	r := base()
	got, err := standalone.Definition().MapOutputs(context.Background(), driver.MapOutputsRequest{
		Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups,
		Outputs: map[string]driver.RawJSON{
			"api_address":   driver.RawJSON(`"172.24.4.6"`),
			"swarm_masters": driver.RawJSON(`["172.24.4.6"]`), "swarm_masters_private": driver.RawJSON(`["10.0.0.36"]`),
			"swarm_nodes": driver.RawJSON(`["172.24.4.7"]`), "swarm_nodes_private": driver.RawJSON(`["10.0.0.37"]`),
		},
		Parameters: map[string]string{"number_of_masters": "1", "number_of_nodes": "1", "swarm_version": "1.2.9"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := driver.MapOutputsResponse{
		Cluster: driver.ClusterPatch{APIAddress: str("tcp://172.24.4.6:2376"), COEVersion: str("1.2.9"), ContainerVersion: str("1.13.1")},
		NodeGroups: []driver.NodeGroupPatch{
			{Name: "default-master", NodeAddresses: []string{"172.24.4.6"}, NodeCount: num(1)},
			{Name: "default-worker", NodeAddresses: []string{"172.24.4.7"}, NodeCount: num(1)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
