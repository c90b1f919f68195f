package state

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// clusterRow is a row of cluster.
type clusterRow struct {
	bun.BaseModel `bun:"table:cluster,alias:c"`

	CreatedAt         stamp  `bun:"created_at,nullzero"`
	UpdatedAt         stamp  `bun:"updated_at,nullzero"`
	ID                int64  `bun:"id,pk,autoincrement"`
	ProjectID         string `bun:"project_id,nullzero"`
	UserID            string `bun:"user_id,nullzero"`
	UUID              string `bun:"uuid"`
	Name              string `bun:"name,nullzero"`
	ClusterTemplateID string `bun:"cluster_template_id,nullzero"`
	Keypair           string `bun:"keypair,nullzero"`
	DockerVolumeSize  int    `bun:"docker_volume_size,nullzero"`
	Labels            string `bun:"labels"`
	MasterFlavorID    string `bun:"master_flavor_id,nullzero"`
	FlavorID          string `bun:"flavor_id,nullzero"`
	StackID           string `bun:"stack_id,nullzero"`
	APIAddress        string `bun:"api_address,nullzero"`
	Status            string `bun:"status,nullzero"`
	StatusReason      string `bun:"status_reason,nullzero"`
	HealthStatus      string `bun:"health_status,nullzero"`
	HealthReason      string `bun:"health_status_reason"`
	CreateTimeout     int    `bun:"create_timeout"`
	DiscoveryURL      string `bun:"discovery_url,nullzero"`
	COEVersion        string `bun:"coe_version,nullzero"`
	ContainerVersion  string `bun:"container_version,nullzero"`
	CACertRef         string `bun:"ca_cert_ref,nullzero"`
	MagnumCertRef     string `bun:"magnum_cert_ref,nullzero"`
	EtcdCACertRef     string `bun:"etcd_ca_cert_ref,nullzero"`
	FrontProxyCertRef string `bun:"front_proxy_ca_cert_ref,nullzero"`
	FixedNetwork      string `bun:"fixed_network,nullzero"`
	FixedSubnet       string `bun:"fixed_subnet,nullzero"`
	FloatingIPEnabled bool   `bun:"floating_ip_enabled"`
	MasterLBEnabled   bool   `bun:"master_lb_enabled"`
	TrustID           string `bun:"trust_id,nullzero"`
	TrusteeUsername   string `bun:"trustee_username,nullzero"`
	TrusteeUserID     string `bun:"trustee_user_id,nullzero"`
	TrusteePassword   string `bun:"trustee_password,nullzero"`
}

func clusterRowOf(c *magnum.Cluster) clusterRow {
	return clusterRow{
		CreatedAt: stampOf(c.CreatedAt), UpdatedAt: stampOf(c.UpdatedAt), ID: c.ID,
		ProjectID: c.ProjectID, UserID: c.UserID, UUID: c.UUID, Name: c.Name,
		ClusterTemplateID: c.ClusterTemplateID, Keypair: c.Keypair, DockerVolumeSize: c.DockerVolumeSize,
		Labels: mapText(c.Labels), MasterFlavorID: c.MasterFlavorID, FlavorID: c.FlavorID,
		StackID: c.StackID, APIAddress: c.APIAddress, Status: string(c.Status), StatusReason: c.StatusReason,
		HealthStatus: string(c.HealthStatus), HealthReason: mapText(c.HealthReason),
		CreateTimeout: c.CreateTimeout, DiscoveryURL: c.DiscoveryURL, COEVersion: c.COEVersion,
		ContainerVersion: c.ContainerVersion, CACertRef: c.CACertRef, MagnumCertRef: c.MagnumCertRef,
		EtcdCACertRef: c.EtcdCACertRef, FrontProxyCertRef: c.FrontProxyCertRef,
		FixedNetwork: c.FixedNetwork, FixedSubnet: c.FixedSubnet,
		FloatingIPEnabled: c.FloatingIPEnabled, MasterLBEnabled: c.MasterLBEnabled,
		TrustID: c.TrustID, TrusteeUsername: c.TrusteeUsername, TrusteeUserID: c.TrusteeUserID,
		TrusteePassword: c.TrusteePassword,
	}
}

// cluster is the row's cluster, without node groups and driver.
func (r *clusterRow) cluster() (*magnum.Cluster, error) {
	labels, err := textLabels(r.Labels)
	if err != nil {
		return nil, fmt.Errorf("labels of cluster %s: %w", r.UUID, err)
	}
	health, err := textMap(r.HealthReason)
	if err != nil {
		return nil, fmt.Errorf("health of cluster %s: %w", r.UUID, err)
	}
	return &magnum.Cluster{
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), ID: r.ID,
		ProjectID: r.ProjectID, UserID: r.UserID, UUID: r.UUID, Name: r.Name,
		ClusterTemplateID: r.ClusterTemplateID, Keypair: r.Keypair, DockerVolumeSize: r.DockerVolumeSize,
		Labels: labels, MasterFlavorID: r.MasterFlavorID, FlavorID: r.FlavorID,
		StackID: r.StackID, APIAddress: r.APIAddress, Status: magnum.Status(r.Status), StatusReason: r.StatusReason,
		HealthStatus: magnum.HealthStatus(r.HealthStatus), HealthReason: health,
		CreateTimeout: r.CreateTimeout, DiscoveryURL: r.DiscoveryURL, COEVersion: r.COEVersion,
		ContainerVersion: r.ContainerVersion, CACertRef: r.CACertRef, MagnumCertRef: r.MagnumCertRef,
		EtcdCACertRef: r.EtcdCACertRef, FrontProxyCertRef: r.FrontProxyCertRef,
		FixedNetwork: r.FixedNetwork, FixedSubnet: r.FixedSubnet,
		FloatingIPEnabled: r.FloatingIPEnabled, MasterLBEnabled: r.MasterLBEnabled,
		TrustID: r.TrustID, TrusteeUsername: r.TrusteeUsername, TrusteeUserID: r.TrusteeUserID,
		TrusteePassword: r.TrusteePassword,
	}, nil
}

// pinRow is a row of cluster_driver.
type pinRow struct {
	bun.BaseModel `bun:"table:cluster_driver,alias:d"`

	ClusterUUID string `bun:"cluster_uuid,pk"`
	Driver      string `bun:"driver"`
	Version     string `bun:"version"`
	Revision    int64  `bun:"revision"`
	Faults      string `bun:"faults,nullzero"`
	Stackless   bool   `bun:"stackless"`
}

// pinOf is the row of a cluster.
func pinOf(c *magnum.Cluster, uuid string, revision int64) pinRow {
	p := pinRow{ClusterUUID: uuid, Driver: c.Driver.Name, Version: c.Driver.Version, Revision: revision, Stackless: c.Stackless}
	if len(c.Faults) > 0 {
		p.Faults = mapText(c.Faults)
	}
	return p
}

// fill sets what the row has of a cluster.
func (p *pinRow) fill(c *magnum.Cluster) (err error) {
	c.Driver, c.Stackless = magnum.DriverRef{Name: p.Driver, Version: p.Version}, p.Stackless
	if c.Faults, err = textMap(p.Faults); err != nil {
		return fmt.Errorf("faults of cluster %s: %w", c.UUID, err)
	}
	return nil
}
