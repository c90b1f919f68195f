// Package mesos defines the driver of Apache Mesos clusters, with Marathon, on
// virtual machines with Ubuntu.
package mesos

import (
	"slices"

	"github.com/go-magnum/magnum/drivers-mesos/mesos/stack"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Name is the driver's name: upstream's, so that what names it goes on working.
const Name = "mesos_ubuntu_v1"

// Definition is the driver as data, a new one at each call.
func Definition() *template.Definition {
	return &template.Definition{
		Name:           Name,
		DisplayName:    "Mesos on Ubuntu",
		Maturity:       driver.MaturityStable,
		Types:          []driver.ClusterType{{ServerType: "vm", OS: "ubuntu", COE: "mesos"}},
		NetworkDrivers: []string{"docker"},
		VolumeDrivers:  []string{"rexray"},
		TrustFor:       []string{infra.RexRayTrust},
		Capabilities: []driver.Capability{
			driver.CapResize, driver.CapZeroNodes, driver.CapRemoveNamedNodes,
			driver.CapMasterLoadBalancer, driver.CapTLSDisabled, driver.CapNodeGroups,
		},
		Limits:     driver.Limits{MinMasters: 1, OddMasters: true},
		Labels:     labels(),
		Parameters: parameters(),
		Outputs: slices.Concat(
			// The address alone, as upstream has it: there are Marathon's and
			// Mesos' ports to choose from.
			[]template.Output{{Stack: "api_address", To: template.ToAPIAddress}},
			infra.NodeOutputs("mesos_master", "master", template.ToMasterAddresses, template.ToMasterCount),
			infra.NodeOutputs("mesos_slaves", "slave", template.ToWorkerAddresses, template.ToWorkerCount),
		),
		Scripts:       scripts(),
		Files:         template.Overlay(infra.Files(), stack.Files),
		Main:          "main.yaml",
		NodeGroupMain: "nodegroup.yaml",
		Checks: []infra.Check{
			infra.NoRegistry, infra.GivenNetwork, infra.NodeCounts,
			infra.StorageDrivers("overlay2", "overlay", "aufs"), imageProviders, environment,
		},
	}
}
