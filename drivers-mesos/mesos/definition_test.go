package mesos_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-mesos/mesos"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func TestDriver(t *testing.T) { suite().Run(t) }

func TestMapOutputs(t *testing.T) {
	str := func(s string) *string { return &s }
	num := func(n int) *int { return &n }
	outputs := map[string]driver.RawJSON{
		"api_address":          driver.RawJSON(`"172.24.4.6"`),
		"mesos_master":         driver.RawJSON(`["172.24.4.7"]`),
		"mesos_master_private": driver.RawJSON(`["10.0.0.36"]`),
		"mesos_slaves":         driver.RawJSON(`["172.24.4.8", null]`),
		"mesos_slaves_private": driver.RawJSON(`["10.0.0.37", "10.0.0.38"]`),
	}
	for _, tt := range []struct {
		name     string
		floating bool
		masters  []string
		slaves   []string
	}{
		{"floating", true, []string{"172.24.4.7"}, []string{"172.24.4.8"}},
		{"private", false, []string{"10.0.0.36"}, []string{"10.0.0.37", "10.0.0.38"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base()
			r.Cluster.FloatingIP = tt.floating
			got, err := mesos.Definition().MapOutputs(t.Context(), driver.MapOutputsRequest{
				Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, Outputs: outputs,
				Parameters: map[string]string{"number_of_masters": "1", "number_of_slaves": "2"},
			})
			if err != nil {
				t.Fatal(err)
			}
			want := driver.MapOutputsResponse{
				Cluster: driver.ClusterPatch{APIAddress: str("172.24.4.6")},
				NodeGroups: []driver.NodeGroupPatch{
					{Name: "default-master", NodeAddresses: tt.masters, NodeCount: num(1)},
					{Name: "default-worker", NodeAddresses: tt.slaves, NodeCount: num(2)},
				},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	label := func(kv ...string) func(*driver.RenderRequest) {
		return func(r *driver.RenderRequest) { r.Cluster.Labels = templatetest.Labels(kv...) }
	}
	for _, tt := range []struct {
		name   string
		change func(*driver.RenderRequest)
		class  driver.Class
		field  string
		text   string
	}{
		{"registry", func(r *driver.RenderRequest) { r.Template.RegistryEnabled = true }, driver.ClassUnsupported, "registry_enabled",
			"A private registry (registry_enabled) is not supported by the cluster driver mesos_ubuntu_v1."},
		{"network driver", func(r *driver.RenderRequest) { r.Template.NetworkDriver = "flannel" }, driver.ClassInvalidInput, "network_driver",
			"Network driver type flannel is not supported, expecting a docker/unspecified network driver."},
		{"volume driver", func(r *driver.RenderRequest) { r.Template.VolumeDriver = "cinder" }, driver.ClassInvalidInput, "volume_driver",
			"Volume driver type cinder is not supported, expecting a rexray/unspecified volume driver."},
		{"storage driver", func(r *driver.RenderRequest) { r.Template.DockerStorageDriver = "btrfs" }, driver.ClassInvalidInput, "docker_storage_driver",
			"Docker storage driver btrfs is not supported, expecting a overlay2/overlay/aufs/unspecified storage driver."},
		{"providers of a group alone", templatetest.Group(clusterOutputs(), func(_ *driver.RenderRequest, g *driver.NodeGroup) {
			g.Labels = templatetest.Labels("mesos_slave_image_providers", "appc")
		}), driver.ClassInvalidInput, "labels/mesos_slave_image_providers",
			"The label mesos_slave_image_providers needs the label mesos_slave_isolation."},
		{"upgrade", func(r *driver.RenderRequest) { r.Intent = driver.IntentUpgrade }, driver.ClassUnsupported, "",
			"Operation upgrade is not supported by the cluster driver mesos_ubuntu_v1."},
		{"providers alone", label("mesos_slave_image_providers", "appc"), driver.ClassInvalidInput, "labels/mesos_slave_image_providers",
			"The label mesos_slave_image_providers needs the label mesos_slave_isolation."},
		{"work folder", label("mesos_slave_work_dir", "mesos"), driver.ClassInvalidInput, "labels/mesos_slave_work_dir",
			`property "labels/mesos_slave_work_dir" with value "mesos" is not supported, expecting a match of /[A-Za-z0-9._/-]+`},
		{"environment", label("mesos_slave_executor_env_variables", `["A"]`), driver.ClassInvalidInput, "labels/mesos_slave_executor_env_variables",
			`property "labels/mesos_slave_executor_env_variables" with value "[\"A\"]" is not supported, expecting a match of \s*\{[\s\S]*\}\s*`},
		{"no text", label("mesos_slave_executor_env_variables", `{"A": 1}`), driver.ClassInvalidInput, "labels/mesos_slave_executor_env_variables",
			`property "labels/mesos_slave_executor_env_variables" with value "{\"A\": 1}" is not supported, expecting a JSON object of texts`},
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
	r := base()
	r.Cluster.Labels = templatetest.Labels("mesos_slave_isolation", "posix/cpu,all", "mesos_slave_image_providers", "docker,oci")
	if got := suite().Violations(t, r); len(got) != 2 {
		t.Errorf("unknown isolators and providers: %v", got)
	}
}
