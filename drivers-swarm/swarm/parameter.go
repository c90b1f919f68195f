package swarm

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

func parameters() []template.Parameter {
	return slices.Concat(
		infra.Cloud(), infra.Workers("node"), infra.Masters(),
		infra.BootVolume(), infra.DockerVolume(), infra.Docker(),
		infra.NodeNetwork(), infra.Network(), infra.LoadBalancer(), infra.RexRay(),
		[]template.Parameter{
			{Name: "tls_disabled", From: template.Template("TLSDisabled")},
		},
	)
}

func outputs() []template.Output {
	return slices.Concat(
		[]template.Output{
			{Stack: "api_address", To: template.ToAPIAddress, Format: func(_ *template.Values, address string) string { return apiAddress(address) }},
			{Const: "1.13.1", To: template.ToContainerVersion, When: on(atomic)}, // docker of the last Fedora Atomic
		},
		infra.NodeOutputs("swarm_masters", "master", template.ToMasterAddresses, template.ToMasterCount),
		infra.NodeOutputs("swarm_nodes", "node", template.ToWorkerAddresses, template.ToWorkerCount),
	)
}
