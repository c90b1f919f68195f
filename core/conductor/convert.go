package conductor

import (
	"maps"
	"slices"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// driverCluster is what a driver may know of a cluster: no secrets.
func driverCluster(m *magnum.Cluster) driver.Cluster {
	return driver.Cluster{
		UUID: m.UUID, Name: m.Name, ProjectID: m.ProjectID, UserID: m.UserID, StackID: m.StackID,
		Keypair: m.Keypair, FlavorID: m.FlavorID, MasterFlavorID: m.MasterFlavorID,
		DockerVolumeSize: m.DockerVolumeSize, Labels: maps.Clone(m.Labels),
		FixedNetwork: m.FixedNetwork, FixedSubnet: m.FixedSubnet,
		FloatingIP: m.FloatingIPEnabled, MasterLB: m.MasterLBEnabled,
		CreateTimeout: m.CreateTimeout, DiscoveryURL: m.DiscoveryURL, APIAddress: m.APIAddress,
		COEVersion: m.COEVersion, Status: string(m.Status),
		TrusteeUserID: m.TrusteeUserID, TrusteeUsername: m.TrusteeUsername,
	}
}

func driverTemplate(m *magnum.ClusterTemplate) driver.ClusterTemplate {
	return driver.ClusterTemplate{
		UUID: m.UUID, Name: m.Name, ImageID: m.ImageID, ExternalNetworkID: m.ExternalNetworkID,
		NetworkDriver: m.NetworkDriver, VolumeDriver: m.VolumeDriver, DNSNameserver: m.DNSNameserver,
		APIServerPort: m.APIServerPort, DockerStorageDriver: m.DockerStorageDriver,
		ClusterDistro: m.ClusterDistro, COE: m.COE, ServerType: m.ServerType,
		HTTPProxy: m.HTTPProxy, HTTPSProxy: m.HTTPSProxy, NoProxy: m.NoProxy,
		RegistryEnabled: m.RegistryEnabled, InsecureRegistry: m.InsecureRegistry,
		TLSDisabled: m.TLSDisabled, Labels: maps.Clone(m.Labels),
	}
}

func driverGroups(m *magnum.Cluster) []driver.NodeGroup {
	groups := make([]driver.NodeGroup, len(m.NodeGroups))
	for i := range m.NodeGroups {
		groups[i] = driverGroup(&m.NodeGroups[i])
	}
	return groups
}

func driverGroup(g *magnum.NodeGroup) driver.NodeGroup {
	var taints []driver.Taint
	for _, t := range g.NodeTaints {
		taints = append(taints, driver.Taint(t))
	}
	return driver.NodeGroup{
		UUID: g.UUID, Name: g.Name, Role: g.Role, IsDefault: g.IsDefault, StackID: g.StackID,
		FlavorID: g.FlavorID, ImageID: g.ImageID, NodeCount: g.NodeCount,
		MinNodeCount: g.MinNodeCount, MaxNodeCount: g.MaxNodeCount,
		DockerVolumeSize: g.DockerVolumeSize, Labels: maps.Clone(g.Labels),
		NodeAddresses: slices.Clone(g.NodeAddresses), Status: string(g.Status),
		NodeLabels: maps.Clone(g.NodeLabels), NodeTaints: taints,
	}
}
