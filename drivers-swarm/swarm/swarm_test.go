package swarm_test

import (
	"slices"
	"testing"

	"github.com/go-magnum/magnum/drivers-swarm/engine/enginetest"
	"github.com/go-magnum/magnum/drivers-swarm/swarm"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

func TestDriver(t *testing.T) { suite().Run(t) }

// suite is the driver with what it can do.
func suite() templatetest.Suite {
	return templatetest.Suite{
		Definition: swarm.Definition,
		Request:    base,
		Cases:      slices.Concat(templatetest.Options(), templatetest.GroupOptions(enginetest.ClusterOutputs()), cases()),
		Boot:       map[string]string{"boot/master.sh": "swarm-master.yaml", "boot/node.sh": "swarm-node.yaml"},
		Unset: map[string][]string{
			"boot/master.sh": {"cgroup_driver", "container_infra_prefix"},
			"boot/node.sh":   {"api_private_address", "api_public_address", "cgroup_driver", "container_infra_prefix", "external_address", "index"},
		},
		LabelValues: map[string]string{"fixed_subnet_cidr": "10.7.0.0/24", "master_lb_floating_ip_enabled": "false"},
		Bounds:      map[string]string{"min_node_count": "9", "max_node_count": "1"},
		Rich: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.Template.VolumeDriver, r.NodeGroups[1].NodeCount = true, "rexray", 2
		},
		Largest: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.NodeGroups[0].NodeCount, r.NodeGroups[1].NodeCount = 3, 1000
		},
		ClusterOutputs: enginetest.ClusterOutputs(),

		Page: "../../docs/drivers/swarm.md",
	}
}

// base is a cluster of one manager and one worker, as the API makes it.
func base() driver.RenderRequest { return of("fedora-atomic") }

func of(system string) driver.RenderRequest {
	r := templatetest.Request(driver.ClusterType{ServerType: "vm", OS: system, COE: "swarm-mode"})
	r.Template.NetworkDriver = "docker"
	return r
}

// cases are the driver's own options.
func cases() []templatetest.Case {
	system := func(name string, more func(*driver.RenderRequest)) func(*driver.RenderRequest) {
		return func(r *driver.RenderRequest) {
			*r = of(name)
			more(r)
		}
	}
	all := func(r *driver.RenderRequest) {
		r.Template.TLSDisabled, r.Template.VolumeDriver = true, "rexray"
		r.Template.HTTPProxy, r.Template.InsecureRegistry = "http://proxy:3128", "10.0.0.1:5000"
		r.Endpoints.CACert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	}
	return []templatetest.Case{
		{Name: "tls-disabled", Change: func(r *driver.RenderRequest) { r.Template.TLSDisabled = true }},
		{Name: "rexray", Change: func(r *driver.RenderRequest) { r.Template.VolumeDriver = "rexray" }},
		{Name: "rexray-preempt", Change: func(r *driver.RenderRequest) {
			r.Template.VolumeDriver, r.Cluster.Labels = "rexray", templatetest.Labels("rexray-preempt", "true")
		}},
		{Name: "devicemapper", Change: func(r *driver.RenderRequest) {
			r.Template.DockerStorageDriver, r.Cluster.DockerVolumeSize = "devicemapper", 3
		}},
		{Name: "all-on-fedora-atomic", Change: all},
		{Name: "ubuntu", Change: system("ubuntu", func(*driver.RenderRequest) {})},
		{Name: "all-on-ubuntu", Change: system("ubuntu", all)},
		{Name: "debian", Change: system("debian", func(*driver.RenderRequest) {})},
		{Name: "all-on-debian", Change: system("debian", all)},
	}
}
