// Package swarm defines the driver of clusters of Docker engines in swarm mode,
// on virtual machines with Fedora Atomic, Ubuntu or Debian.
package swarm

import (
	"github.com/go-magnum/magnum/drivers-swarm/engine"
	"github.com/go-magnum/magnum/drivers-swarm/swarm/stack"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Name is the driver's name: upstream's of swarm mode, so that what names it goes
// on working. Standalone Swarm is upstream's swarm_fedora_atomic_v1, with labels
// and network drivers of its own, so it is a driver of its own, in package
// standalone: a description says what holds for all of its cluster types.
const Name = "swarm_fedora_atomic_v2"

// The images, as their property os_distro says it.
const (
	atomic = engine.Atomic
	ubuntu = "ubuntu"
	debian = "debian"
)

// Definition is the driver as data, a new one at each call.
func Definition() *template.Definition {
	return &template.Definition{
		Name:        Name,
		DisplayName: "Docker in swarm mode",
		Maturity:    driver.MaturityStable,
		Types: []driver.ClusterType{
			{ServerType: "vm", OS: atomic, COE: "swarm-mode"},
			{ServerType: "vm", OS: ubuntu, COE: "swarm-mode"},
			{ServerType: "vm", OS: debian, COE: "swarm-mode"},
		},
		NetworkDrivers: []string{"docker"},
		VolumeDrivers:  []string{"rexray"},
		TrustFor:       []string{infra.RexRayTrust},
		Capabilities: []driver.Capability{
			driver.CapResize, driver.CapZeroNodes, driver.CapHealth, driver.CapRemoveNamedNodes,
			driver.CapMasterLoadBalancer, driver.CapTLSDisabled, driver.CapNodeGroups,
		},
		Limits:     driver.Limits{MinMasters: 1, OddMasters: true},
		Labels:     engine.Labels(),
		Parameters: engine.Parameters(),
		Outputs: append(engine.Outputs("2375"),
			template.Output{Const: engine.Version, To: template.ToContainerVersion, When: on(atomic)}),
		Scripts:       scripts(),
		Files:         engine.Files(stack.Files),
		Main:          "main.yaml",
		NodeGroupMain: "nodegroup.yaml",
		Checks: []infra.Check{
			infra.NoRegistry, infra.GivenNetwork, infra.NodeCounts,
			infra.StorageDrivers("overlay2", "overlay", "devicemapper"), devicemapper, addressPool,
		},
	}
}
