package swarm

import (
	"slices"
	"strconv"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

func parameters() []template.Parameter {
	return slices.Concat(
		infra.Cloud(), infra.Workers("node"), infra.Masters(),
		infra.BootVolume(), infra.DockerVolume(), infra.Docker(),
		infra.NodeNetwork(), infra.Network(), infra.LoadBalancer(),
		[]template.Parameter{
			{Name: "tls_disabled", From: template.Template("TLSDisabled")},
			// Nodes act for the user only where something on them has to.
			{Name: "trust_id", From: template.Secret(driver.SecretTrustID), When: rexray},
			{Name: "rexray_preempt", When: rexray, From: template.Computed("labels rexray_preempt and rexray-preempt", func(v *template.Values) string {
				return strconv.FormatBool(slices.ContainsFunc(preempt(), v.LabelBool))
			})},
		},
	)
}

func rexray(v *template.Values) bool { return v.Template.VolumeDriver == "rexray" }

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
