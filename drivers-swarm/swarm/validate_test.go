package swarm_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-swarm/swarm"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name   string
		system string
		change func(*driver.RenderRequest)
		class  driver.Class
		field  string
		text   string
	}{
		{"registry", "fedora-atomic", func(r *driver.RenderRequest) { r.Template.RegistryEnabled = true }, driver.ClassUnsupported, "registry_enabled",
			"A private registry (registry_enabled) is not supported by the cluster driver swarm_fedora_atomic_v2."},
		{"network driver", "fedora-atomic", func(r *driver.RenderRequest) { r.Template.NetworkDriver = "flannel" }, driver.ClassInvalidInput, "network_driver",
			"Network driver type flannel is not supported, expecting a docker/unspecified network driver."},
		{"volume driver", "fedora-atomic", func(r *driver.RenderRequest) { r.Template.VolumeDriver = "cinder" }, driver.ClassInvalidInput, "volume_driver",
			"Volume driver type cinder is not supported, expecting a rexray/unspecified volume driver."},
		{"storage driver", "fedora-atomic", func(r *driver.RenderRequest) { r.Template.DockerStorageDriver = "btrfs" }, driver.ClassInvalidInput, "docker_storage_driver",
			"Docker storage driver btrfs is not supported, expecting a overlay2/overlay/devicemapper/unspecified storage driver."},
		{"devicemapper", "debian", func(r *driver.RenderRequest) {
			r.Template.DockerStorageDriver, r.Cluster.DockerVolumeSize = "devicemapper", 5
		}, driver.ClassInvalidInput, "docker_storage_driver",
			"Docker storage driver devicemapper is not supported on debian, expecting a overlay2/overlay/unspecified storage driver."},
		{"subnet of docker's", "ubuntu", func(r *driver.RenderRequest) {
			r.Cluster.Labels = templatetest.Labels("fixed_subnet_cidr", "10.255.3.0/24")
		}, driver.ClassInvalidInput, "labels/fixed_subnet_cidr",
			"fixed_subnet_cidr 10.255.3.0/24 overlaps 10.255.0.0/16, from which Docker takes the subnets of its networks."},
		{"preempt", "fedora-atomic", func(r *driver.RenderRequest) {
			r.Cluster.Labels = templatetest.Labels("rexray-preempt", "maybe")
		}, driver.ClassInvalidInput, "labels/rexray-preempt",
			`property "labels/rexray-preempt" with value "maybe" is not supported, expecting true or false`},
		{"upgrade", "fedora-atomic", func(r *driver.RenderRequest) { r.Intent = driver.IntentUpgrade }, driver.ClassUnsupported, "",
			"Operation upgrade is not supported by the cluster driver swarm_fedora_atomic_v2."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := of(tt.system)
			tt.change(&r)
			want := []driver.Violation{{Field: tt.field, Message: tt.text, Class: tt.class}}
			if diff := cmp.Diff(want, suite().Violations(t, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPreempt: each spelling of the label turns it on.
func TestPreempt(t *testing.T) {
	for _, tt := range []struct {
		labels map[string]string
		want   string
	}{
		{nil, "false"},
		{templatetest.Labels("rexray-preempt", "true"), "true"},
		{templatetest.Labels("rexray_preempt", "True"), "true"},
		{templatetest.Labels("rexray_preempt", "false", "rexray-preempt", "false"), "false"},
	} {
		r := base()
		r.Template.VolumeDriver, r.Cluster.Labels = "rexray", tt.labels
		if got := suite().Render(t, r).Parameters["rexray_preempt"].Value; got != tt.want {
			t.Errorf("%v: %s, want %s", tt.labels, got, tt.want)
		}
	}
}

func TestMapOutputs(t *testing.T) {
	str := func(s string) *string { return &s }
	num := func(n int) *int { return &n }
	outputs := map[string]driver.RawJSON{
		"api_address":           driver.RawJSON(`"172.24.4.6"`),
		"swarm_masters":         driver.RawJSON(`["172.24.4.6"]`),
		"swarm_masters_private": driver.RawJSON(`["10.0.0.36"]`),
		"swarm_nodes":           driver.RawJSON(`["172.24.4.7", null]`),
		"swarm_nodes_private":   driver.RawJSON(`["10.0.0.37", "10.0.0.38"]`),
	}
	for _, tt := range []struct {
		name, system string
		floating     bool
		container    *string
		masters      []string
		workers      []string
	}{
		{"floating", "fedora-atomic", true, str("1.13.1"), []string{"172.24.4.6"}, []string{"172.24.4.7"}},
		{"private", "debian", false, nil, []string{"10.0.0.36"}, []string{"10.0.0.37", "10.0.0.38"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := of(tt.system)
			r.Cluster.FloatingIP = tt.floating
			got, err := swarm.Definition().MapOutputs(context.Background(), driver.MapOutputsRequest{
				Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, Outputs: outputs,
				Parameters: map[string]string{"number_of_masters": "1", "number_of_nodes": "2"},
			})
			if err != nil {
				t.Fatal(err)
			}
			want := driver.MapOutputsResponse{
				Cluster: driver.ClusterPatch{APIAddress: str("tcp://172.24.4.6:2375"), ContainerVersion: tt.container},
				NodeGroups: []driver.NodeGroupPatch{
					{Name: "default-master", NodeAddresses: tt.masters, NodeCount: num(1)},
					{Name: "default-worker", NodeAddresses: tt.workers, NodeCount: num(2)},
				},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
