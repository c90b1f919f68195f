package state

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// templateRow is a row of cluster_template.
type templateRow struct {
	bun.BaseModel `bun:"table:cluster_template,alias:t"`

	CreatedAt           stamp    `bun:"created_at,nullzero"`
	UpdatedAt           stamp    `bun:"updated_at,nullzero"`
	ID                  int64    `bun:"id,pk,autoincrement"`
	UUID                string   `bun:"uuid"`
	ProjectID           string   `bun:"project_id,nullzero"`
	UserID              string   `bun:"user_id,nullzero"`
	Name                string   `bun:"name,nullzero"`
	ImageID             string   `bun:"image_id,nullzero"`
	FlavorID            string   `bun:"flavor_id,nullzero"`
	MasterFlavorID      string   `bun:"master_flavor_id,nullzero"`
	KeypairID           string   `bun:"keypair_id,nullzero"`
	ExternalNetworkID   string   `bun:"external_network_id,nullzero"`
	FixedNetwork        string   `bun:"fixed_network,nullzero"`
	FixedSubnet         string   `bun:"fixed_subnet,nullzero"`
	NetworkDriver       string   `bun:"network_driver,nullzero"`
	VolumeDriver        string   `bun:"volume_driver,nullzero"`
	DNSNameserver       string   `bun:"dns_nameserver,nullzero"`
	APIServerPort       int      `bun:"apiserver_port,nullzero"`
	DockerVolumeSize    int      `bun:"docker_volume_size,nullzero"`
	DockerStorageDriver string   `bun:"docker_storage_driver,nullzero"`
	ClusterDistro       string   `bun:"cluster_distro,nullzero"`
	COE                 string   `bun:"coe,nullzero"`
	HTTPProxy           string   `bun:"http_proxy,nullzero"`
	HTTPSProxy          string   `bun:"https_proxy,nullzero"`
	NoProxy             string   `bun:"no_proxy,nullzero"`
	RegistryEnabled     bool     `bun:"registry_enabled"`
	Labels              string   `bun:"labels"`
	TLSDisabled         bool     `bun:"tls_disabled"`
	Public              bool     `bun:"public"`
	ServerType          string   `bun:"server_type,nullzero"`
	InsecureRegistry    string   `bun:"insecure_registry,nullzero"`
	MasterLBEnabled     bool     `bun:"master_lb_enabled"`
	FloatingIPEnabled   bool     `bun:"floating_ip_enabled"`
	Hidden              bool     `bun:"hidden"`
	Tags                nullable `bun:"tags"`
	Driver              string   `bun:"driver,nullzero"`
}

func templateRowOf(t *magnum.ClusterTemplate) templateRow {
	return templateRow{
		CreatedAt: stampOf(t.CreatedAt), UpdatedAt: stampOf(t.UpdatedAt), ID: t.ID, UUID: t.UUID,
		ProjectID: t.ProjectID, UserID: t.UserID, Name: t.Name, ImageID: t.ImageID,
		FlavorID: t.FlavorID, MasterFlavorID: t.MasterFlavorID, KeypairID: t.KeypairID,
		ExternalNetworkID: t.ExternalNetworkID, FixedNetwork: t.FixedNetwork, FixedSubnet: t.FixedSubnet,
		NetworkDriver: t.NetworkDriver, VolumeDriver: t.VolumeDriver, DNSNameserver: t.DNSNameserver,
		APIServerPort: t.APIServerPort, DockerVolumeSize: t.DockerVolumeSize,
		DockerStorageDriver: t.DockerStorageDriver, ClusterDistro: t.ClusterDistro, COE: t.COE,
		HTTPProxy: t.HTTPProxy, HTTPSProxy: t.HTTPSProxy, NoProxy: t.NoProxy,
		RegistryEnabled: t.RegistryEnabled, Labels: mapText(t.Labels), TLSDisabled: t.TLSDisabled,
		Public: t.Public, ServerType: t.ServerType, InsecureRegistry: t.InsecureRegistry,
		MasterLBEnabled: t.MasterLBEnabled, FloatingIPEnabled: t.FloatingIPEnabled,
		Hidden: t.Hidden, Tags: nullableOf(t.Tags), Driver: t.Driver,
	}
}

func (r *templateRow) template() (*magnum.ClusterTemplate, error) {
	labels, err := textLabels(r.Labels)
	if err != nil {
		return nil, fmt.Errorf("labels of cluster template %s: %w", r.UUID, err)
	}
	return &magnum.ClusterTemplate{
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), ID: r.ID, UUID: r.UUID,
		ProjectID: r.ProjectID, UserID: r.UserID, Name: r.Name, ImageID: r.ImageID,
		FlavorID: r.FlavorID, MasterFlavorID: r.MasterFlavorID, KeypairID: r.KeypairID,
		ExternalNetworkID: r.ExternalNetworkID, FixedNetwork: r.FixedNetwork, FixedSubnet: r.FixedSubnet,
		NetworkDriver: r.NetworkDriver, VolumeDriver: r.VolumeDriver, DNSNameserver: r.DNSNameserver,
		APIServerPort: r.APIServerPort, DockerVolumeSize: r.DockerVolumeSize,
		DockerStorageDriver: r.DockerStorageDriver, ClusterDistro: r.ClusterDistro, COE: r.COE,
		HTTPProxy: r.HTTPProxy, HTTPSProxy: r.HTTPSProxy, NoProxy: r.NoProxy,
		RegistryEnabled: r.RegistryEnabled, Labels: labels, TLSDisabled: r.TLSDisabled,
		Public: r.Public, ServerType: r.ServerType, InsecureRegistry: r.InsecureRegistry,
		MasterLBEnabled: r.MasterLBEnabled, FloatingIPEnabled: r.FloatingIPEnabled,
		Hidden: r.Hidden, Tags: r.Tags.pointer(), Driver: r.Driver,
	}, nil
}
