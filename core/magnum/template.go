package magnum

import "time"

// ClusterTemplate is upstream's table `cluster_template`.
type ClusterTemplate struct {
	ID                  int64
	UUID                string
	ProjectID           string
	UserID              string
	Name                string
	ImageID             string // name or id, as given
	FlavorID            string
	MasterFlavorID      string
	KeypairID           string
	ExternalNetworkID   string
	FixedNetwork        string
	FixedSubnet         string
	NetworkDriver       string
	VolumeDriver        string
	DNSNameserver       string
	APIServerPort       int
	DockerVolumeSize    int
	DockerStorageDriver string
	ClusterDistro       string // the image's os_distro
	COE                 string
	HTTPProxy           string
	HTTPSProxy          string
	NoProxy             string
	RegistryEnabled     bool
	Labels              Labels
	TLSDisabled         bool
	Public              bool
	Hidden              bool
	ServerType          string
	InsecureRegistry    string
	MasterLBEnabled     bool
	FloatingIPEnabled   bool
	// Tags may be an empty text, which is not null.
	Tags   *string
	Driver string

	CreatedAt time.Time
	UpdatedAt time.Time
}

// ClusterType is what a driver is chosen by.
func (t *ClusterTemplate) ClusterType() ClusterType {
	return ClusterType{ServerType: t.ServerType, OS: t.ClusterDistro, COE: t.COE}
}

// ClusterType is a kind of cluster: server type, operating system, engine.
type ClusterType struct {
	ServerType, OS, COE string
}
