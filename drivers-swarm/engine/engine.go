// Package engine is what the drivers of this module share: clusters whose nodes
// are Docker engines, in swarm mode or behind a standalone Swarm. What is here is
// how such nodes are made, and how their API is asked.
package engine

import (
	"embed"
	"io/fs"
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

//go:embed all:stack
var files embed.FS

// Files are the templates and boot scripts that both have, over those of package
// infra, and a driver's own over them.
func Files(own fs.FS) fs.FS {
	shared, err := fs.Sub(files, "stack")
	if err != nil {
		panic(err) // the name is a constant and valid
	}
	return template.Overlay(template.Overlay(infra.Files(), shared), own)
}

// Atomic is the image that brings docker, as its property os_distro says it, and
// Version that of docker there: the last one that there is.
const (
	Atomic  = "fedora-atomic"
	Version = "1.13.1"
)

// Labels are the driver's own, and those of the parameters.
func Labels(own ...template.Label) []template.Label {
	all := slices.Concat(infra.Labels(), infra.RexRayLabels(), own)
	for i := range all {
		all[i].Since = "1.0.0"
	}
	return all
}

// Parameters are those that the definitions swarm-cluster and swarm-nodegroup
// declare. What a driver adds to them it gives to those as node_parameters and
// master_parameters.
func Parameters() []template.Parameter {
	return slices.Concat(
		infra.Cloud(), infra.Workers("node"), infra.Masters(),
		infra.BootVolume(), infra.DockerVolume(), infra.Docker(),
		infra.NodeNetwork(), infra.Network(), infra.LoadBalancer(), infra.RexRay(),
		[]template.Parameter{{Name: "tls_disabled", From: template.Template("TLSDisabled")}},
		template.FromCluster("network", "subnet", "node_security_groups", "address_pairs", "master_addresses"),
	)
}

// Outputs are those of the two definitions; the API is at that port.
func Outputs(port string) []template.Output {
	return slices.Concat(
		[]template.Output{{Stack: "api_address", To: template.ToAPIAddress, Format: func(_ *template.Values, address string) string { return apiAddress(address, port) }}},
		infra.NodeOutputs("swarm_masters", "master", template.ToMasterAddresses, template.ToMasterCount),
		infra.NodeOutputs("swarm_nodes", "node", template.ToWorkerAddresses, template.ToWorkerCount),
	)
}

// WithTLS is the condition of what clusters with TLS alone need.
func WithTLS(v *template.Values) bool { return !v.Template.TLSDisabled }
