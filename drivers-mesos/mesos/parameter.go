package mesos

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

func parameters() []template.Parameter {
	return slices.Concat(
		infra.Cloud(), infra.Workers("slave"), infra.Masters(),
		infra.BootVolume(), infra.DockerVolume(), infra.Docker(),
		infra.NodeNetwork(), infra.Network(), infra.LoadBalancer(), infra.RexRay(),
		[]template.Parameter{{Name: "cluster_name", From: template.Cluster("Name")}},
		template.SameAsLabels(isolation, providers, workDir, variables),
		template.FromCluster("network", "subnet", "slave_security_groups", "master_addresses"),
	)
}
