package serve

import (
	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
)

func clusterToPB(c driver.Cluster) *pb.Cluster {
	return &pb.Cluster{
		Uuid:             c.UUID,
		Name:             c.Name,
		ProjectId:        c.ProjectID,
		UserId:           c.UserID,
		StackId:          c.StackID,
		Keypair:          c.Keypair,
		FlavorId:         c.FlavorID,
		MasterFlavorId:   c.MasterFlavorID,
		DockerVolumeSize: int64(c.DockerVolumeSize),
		Labels:           c.Labels,
		FixedNetwork:     c.FixedNetwork,
		FixedSubnet:      c.FixedSubnet,
		FloatingIp:       c.FloatingIP,
		MasterLb:         c.MasterLB,
		CreateTimeout:    int64(c.CreateTimeout),
		DiscoveryUrl:     c.DiscoveryURL,
		ApiAddress:       c.APIAddress,
		CoeVersion:       c.COEVersion,
		Status:           c.Status,
		TrusteeUserId:    c.TrusteeUserID,
		TrusteeUsername:  c.TrusteeUsername,
		TrusteeDomainId:  c.TrusteeDomainID,
	}
}

func clusterFromPB(c *pb.Cluster) driver.Cluster {
	return driver.Cluster{
		UUID:             c.GetUuid(),
		Name:             c.GetName(),
		ProjectID:        c.GetProjectId(),
		UserID:           c.GetUserId(),
		StackID:          c.GetStackId(),
		Keypair:          c.GetKeypair(),
		FlavorID:         c.GetFlavorId(),
		MasterFlavorID:   c.GetMasterFlavorId(),
		DockerVolumeSize: int(c.GetDockerVolumeSize()),
		Labels:           c.GetLabels(),
		FixedNetwork:     c.GetFixedNetwork(),
		FixedSubnet:      c.GetFixedSubnet(),
		FloatingIP:       c.GetFloatingIp(),
		MasterLB:         c.GetMasterLb(),
		CreateTimeout:    int(c.GetCreateTimeout()),
		DiscoveryURL:     c.GetDiscoveryUrl(),
		APIAddress:       c.GetApiAddress(),
		COEVersion:       c.GetCoeVersion(),
		Status:           c.GetStatus(),
		TrusteeUserID:    c.GetTrusteeUserId(),
		TrusteeUsername:  c.GetTrusteeUsername(),
		TrusteeDomainID:  c.GetTrusteeDomainId(),
	}
}

func clusterTemplateToPB(t driver.ClusterTemplate) *pb.ClusterTemplate {
	return &pb.ClusterTemplate{
		Uuid:                t.UUID,
		Name:                t.Name,
		ImageId:             t.ImageID,
		ExternalNetworkId:   t.ExternalNetworkID,
		NetworkDriver:       t.NetworkDriver,
		VolumeDriver:        t.VolumeDriver,
		DnsNameserver:       t.DNSNameserver,
		ApiserverPort:       int64(t.APIServerPort),
		DockerStorageDriver: t.DockerStorageDriver,
		ClusterDistro:       t.ClusterDistro,
		Coe:                 t.COE,
		ServerType:          t.ServerType,
		HttpProxy:           t.HTTPProxy,
		HttpsProxy:          t.HTTPSProxy,
		NoProxy:             t.NoProxy,
		RegistryEnabled:     t.RegistryEnabled,
		InsecureRegistry:    t.InsecureRegistry,
		TlsDisabled:         t.TLSDisabled,
		Labels:              t.Labels,
	}
}

func clusterTemplateFromPB(t *pb.ClusterTemplate) driver.ClusterTemplate {
	return driver.ClusterTemplate{
		UUID:                t.GetUuid(),
		Name:                t.GetName(),
		ImageID:             t.GetImageId(),
		ExternalNetworkID:   t.GetExternalNetworkId(),
		NetworkDriver:       t.GetNetworkDriver(),
		VolumeDriver:        t.GetVolumeDriver(),
		DNSNameserver:       t.GetDnsNameserver(),
		APIServerPort:       int(t.GetApiserverPort()),
		DockerStorageDriver: t.GetDockerStorageDriver(),
		ClusterDistro:       t.GetClusterDistro(),
		COE:                 t.GetCoe(),
		ServerType:          t.GetServerType(),
		HTTPProxy:           t.GetHttpProxy(),
		HTTPSProxy:          t.GetHttpsProxy(),
		NoProxy:             t.GetNoProxy(),
		RegistryEnabled:     t.GetRegistryEnabled(),
		InsecureRegistry:    t.GetInsecureRegistry(),
		TLSDisabled:         t.GetTlsDisabled(),
		Labels:              t.GetLabels(),
	}
}

func nodeGroupToPB(g driver.NodeGroup) *pb.NodeGroup {
	return &pb.NodeGroup{
		Uuid:             g.UUID,
		Name:             g.Name,
		Role:             g.Role,
		IsDefault:        g.IsDefault,
		StackId:          g.StackID,
		FlavorId:         g.FlavorID,
		ImageId:          g.ImageID,
		NodeCount:        int64(g.NodeCount),
		MinNodeCount:     int64(g.MinNodeCount),
		MaxNodeCount:     int64(g.MaxNodeCount),
		DockerVolumeSize: int64(g.DockerVolumeSize),
		Labels:           g.Labels,
		NodeLabels:       g.NodeLabels,
		NodeTaints: each(g.NodeTaints, func(t driver.Taint) *pb.Taint {
			return &pb.Taint{Key: t.Key, Value: t.Value, Effect: t.Effect}
		}),
		NodeAddresses: g.NodeAddresses,
		Status:        g.Status,
	}
}

func nodeGroupFromPB(g *pb.NodeGroup) driver.NodeGroup {
	return driver.NodeGroup{
		UUID:             g.GetUuid(),
		Name:             g.GetName(),
		Role:             g.GetRole(),
		IsDefault:        g.GetIsDefault(),
		StackID:          g.GetStackId(),
		FlavorID:         g.GetFlavorId(),
		ImageID:          g.GetImageId(),
		NodeCount:        int(g.GetNodeCount()),
		MinNodeCount:     int(g.GetMinNodeCount()),
		MaxNodeCount:     int(g.GetMaxNodeCount()),
		DockerVolumeSize: int(g.GetDockerVolumeSize()),
		Labels:           g.GetLabels(),
		NodeLabels:       g.GetNodeLabels(),
		NodeTaints: each(g.GetNodeTaints(), func(t *pb.Taint) driver.Taint {
			return driver.Taint{Key: t.GetKey(), Value: t.GetValue(), Effect: t.GetEffect()}
		}),
		NodeAddresses: g.GetNodeAddresses(),
		Status:        g.GetStatus(),
	}
}

func endpointsToPB(e driver.Endpoints) *pb.Endpoints {
	return &pb.Endpoints{
		AuthUrl:             e.AuthURL,
		MagnumUrl:           e.MagnumURL,
		Region:              e.Region,
		CaCert:              e.CACert,
		VerifyCa:            e.VerifyCA,
		Octavia:             e.Octavia,
		ExternalNetworkUuid: e.ExternalNetworkUUID,
		FixedNetworkName:    e.FixedNetworkName,
		FixedSubnetCidr:     e.FixedSubnetCIDR,
		AffinityPolicy:      e.AffinityPolicy,
		DockerVolumeType:    e.DockerVolumeType,
		EtcdVolumeType:      e.EtcdVolumeType,
		BootVolumeType:      e.BootVolumeType,
		BootVolumeSize:      int64(e.BootVolumeSize),
		RegistryRegion:      e.RegistryRegion,
		RegistryContainer:   e.RegistryContainer,
	}
}

func endpointsFromPB(e *pb.Endpoints) driver.Endpoints {
	return driver.Endpoints{
		AuthURL:             e.GetAuthUrl(),
		MagnumURL:           e.GetMagnumUrl(),
		Region:              e.GetRegion(),
		CACert:              e.GetCaCert(),
		VerifyCA:            e.GetVerifyCa(),
		Octavia:             e.GetOctavia(),
		ExternalNetworkUUID: e.GetExternalNetworkUuid(),
		FixedNetworkName:    e.GetFixedNetworkName(),
		FixedSubnetCIDR:     e.GetFixedSubnetCidr(),
		AffinityPolicy:      e.GetAffinityPolicy(),
		DockerVolumeType:    e.GetDockerVolumeType(),
		EtcdVolumeType:      e.GetEtcdVolumeType(),
		BootVolumeType:      e.GetBootVolumeType(),
		BootVolumeSize:      int(e.GetBootVolumeSize()),
		RegistryRegion:      e.GetRegistryRegion(),
		RegistryContainer:   e.GetRegistryContainer(),
	}
}

func accessToPB(a driver.COEAccess) *pb.COEAccess {
	return &pb.COEAccess{
		Endpoint: a.Endpoint, CaCert: a.CACert, ClientCert: a.ClientCert, ClientKey: a.ClientKey,
	}
}

func accessFromPB(a *pb.COEAccess) driver.COEAccess {
	return driver.COEAccess{
		Endpoint: a.GetEndpoint(), CACert: a.GetCaCert(), ClientCert: a.GetClientCert(), ClientKey: a.GetClientKey(),
	}
}
