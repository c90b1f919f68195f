package mesos_test

import (
	"slices"

	"github.com/go-magnum/magnum/drivers-mesos/mesos"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// suite is the driver with what it can do.
func suite() templatetest.Suite {
	return templatetest.Suite{
		Definition: mesos.Definition,
		Request:    base,
		Cases:      slices.Concat(templatetest.Options(), templatetest.GroupOptions(clusterOutputs()), cases()),
		Boot:       map[string]string{"boot/master.sh": "mesos-master.yaml", "boot/slave.sh": "mesos-slave.yaml"},
		// What the shared steps can do for others.
		Unset: map[string][]string{
			"boot/master.sh": {"container_infra_prefix"},
			"boot/slave.sh":  {"cgroup_driver", "container_infra_prefix"},
		},
		LabelValues: map[string]string{
			"mesos_slave_isolation": "posix/cpu,docker/runtime", "mesos_slave_image_providers": "appc",
			"mesos_slave_work_dir": "/srv/mesos", "mesos_slave_executor_env_variables": `{"PATH": "/bin"}`,
			"master_lb_floating_ip_enabled": "false",
		},
		Bounds: map[string]string{"min_node_count": "9", "max_node_count": "1"},
		Rich: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.Template.VolumeDriver, r.NodeGroups[1].NodeCount = true, "rexray", 2
			// Without it image providers are refused.
			r.Cluster.Labels = templatetest.Labels("mesos_slave_isolation", "posix/mem")
		},
		Largest: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.NodeGroups[0].NodeCount, r.NodeGroups[1].NodeCount = 3, 1000
		},
		ClusterOutputs: clusterOutputs(),

		Page: "../../docs/drivers/mesos.md",
	}
}

// clusterOutputs are what the stack of a cluster says to its node groups.
func clusterOutputs() map[string]driver.RawJSON {
	return map[string]driver.RawJSON{
		"api_address": driver.RawJSON(`"172.24.4.6"`), "network": driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000000"`),
		"subnet":                driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000001"`),
		"slave_security_groups": driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001"]`),
		"master_addresses":      driver.RawJSON(`"10.0.0.10 10.0.0.11 10.0.0.12"`),
	}
}

// base is a cluster of one master and one worker, as the API makes it.
func base() driver.RenderRequest {
	r := templatetest.Request(driver.ClusterType{ServerType: "vm", OS: "ubuntu", COE: "mesos"})
	r.Template.NetworkDriver = "docker"
	return r
}

// cases are the driver's own options.
func cases() []templatetest.Case {
	return []templatetest.Case{
		{Name: "without-tls", Change: func(r *driver.RenderRequest) { r.Template.TLSDisabled = true }},
		{Name: "rexray", Change: func(r *driver.RenderRequest) {
			r.Template.VolumeDriver, r.Template.TLSDisabled, r.Cluster.DockerVolumeSize = "rexray", true, 4
			r.Cluster.Labels = templatetest.Labels("rexray-preempt", "true")
		}},
		{Name: "agent-labels", Change: func(r *driver.RenderRequest) {
			r.Template.DockerStorageDriver = "aufs"
			r.Cluster.Labels = templatetest.Labels("mesos_slave_isolation", "docker/runtime,filesystem/linux",
				"mesos_slave_image_providers", "Docker,appc", "mesos_slave_work_dir", "/srv/mesos",
				"mesos_slave_executor_env_variables", `{"JAVA_HOME": "/usr/lib/jvm"}`, "unknown_label", "ignored")
		}},
		{Name: "nodegroup-agent-labels", Change: templatetest.Group(clusterOutputs(), func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Cluster.Labels = templatetest.Labels("mesos_slave_isolation", "posix/cpu", "mesos_slave_work_dir", "/srv/mesos")
			g.Labels = templatetest.Labels("mesos_slave_isolation", "docker/runtime", "mesos_slave_image_providers", "docker")
		})},
	}
}
