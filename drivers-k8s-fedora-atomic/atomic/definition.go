// Package atomic defines the driver of Kubernetes clusters on virtual machines
// with Fedora Atomic, and on bare metal with Fedora, whose packages of docker and
// podman are the same. A driver of one's own can start from [Definition].
package atomic

import (
	"github.com/go-magnum/magnum/drivers-k8s-fedora-atomic/atomic/stack"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
)

// Name is the driver's name: upstream's, so that what names it goes on working.
const Name = "k8s_fedora_atomic_v1"

// Definition is the driver as data, a new one at each call.
func Definition() *template.Definition {
	return &template.Definition{
		Name:        Name,
		DisplayName: "Kubernetes on Fedora Atomic, or on bare metal with Fedora",
		Maturity:    driver.MaturityStable,
		Types: []driver.ClusterType{
			{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes"},
			{ServerType: "bm", OS: "fedora", COE: "kubernetes"},
		},
		NetworkDrivers: k8s.NetworkDrivers(),
		VolumeDrivers:  k8s.VolumeDrivers(),
		TrustFor:       k8s.TrustFor(),
		Capabilities: []driver.Capability{
			driver.CapResize, driver.CapZeroNodes, driver.CapHealth,
			driver.CapRemoveNamedNodes, driver.CapMasterLoadBalancer,
			driver.CapNodeGroups, driver.CapNodeLabels, driver.CapTLSDisabled,
		},
		Limits:           driver.Limits{MinMasters: 1, OddMasters: true},
		ContainerVersion: "1.13.1", // docker of the last Fedora Atomic
		Labels:           labels(),
		Parameters:       parameters(),
		Outputs:          k8s.Outputs(),
		Scripts:          scripts(),
		Files:            template.Overlay(k8s.Files(), stack.Files),
		Main:             "main.yaml",
		NodeGroupMain:    "nodegroup.yaml",
		Checks:           checks(),
		Cleanups:         k8s.Cleanups,
	}
}
