package magnum

import "time"

// Cluster is a cluster as stored: upstream's table `cluster`, with its node
// groups.
type Cluster struct {
	ID                int64
	UUID              string
	Name              string
	ProjectID         string
	UserID            string
	ClusterTemplateID string // always the template's uuid
	Keypair           string
	DockerVolumeSize  int // GB
	Labels            Labels
	FlavorID          string
	MasterFlavorID    string
	StackID           string // set by the conductor; shown as cluster_id from 1.13
	APIAddress        string
	Status            Status
	StatusReason      string
	HealthStatus      HealthStatus
	HealthReason      map[string]string
	CreateTimeout     int // minutes; 0 is a value: the driver's own limit
	DiscoveryURL      string
	COEVersion        string
	ContainerVersion  string
	FixedNetwork      string
	FixedSubnet       string
	FloatingIPEnabled bool
	MasterLBEnabled   bool

	// Certificates and keys, by reference into the certificate store.
	CACertRef         string
	MagnumCertRef     string
	EtcdCACertRef     string
	FrontProxyCertRef string

	// The trust that lets the service act for the user.
	TrustID         string
	TrusteeUsername string
	TrusteeUserID   string
	TrusteePassword string // secret

	// Driver is the driver and version that made the cluster and that goes on
	// serving it.
	Driver DriverRef
	// Stackless is that the driver makes and changes the cluster by itself,
	// without a stack of Heat. A cluster stays what it was made as.
	Stackless bool
	// Faults are the resources that made the last operation's stack fail, by
	// their dotted path, and why. Nil unless it was a stack that failed.
	Faults map[string]string

	CreatedAt time.Time
	UpdatedAt time.Time

	NodeGroups []NodeGroup
}

// DriverRef names one version of a driver.
type DriverRef struct {
	Name, Version string
}

// NodeGroup is a set of like nodes: upstream's table `nodegroup`.
type NodeGroup struct {
	ID               int64
	UUID             string
	Name             string
	ClusterID        string // the cluster's uuid
	ProjectID        string
	DockerVolumeSize int
	Labels           Labels
	FlavorID         string
	ImageID          string
	NodeAddresses    []string
	NodeCount        int
	Role             string
	MaxNodeCount     int // 0 is unset
	MinNodeCount     int
	IsDefault        bool
	StackID          string
	Status           Status
	StatusReason     string
	Version          string
	// NodeLabels and NodeTaints are set on the nodes in the COE; Labels are
	// this service's own.
	NodeLabels Labels
	NodeTaints []Taint
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Taint keeps pods off a node. Value may be empty.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value,omitempty"`
	Effect string `json:"effect"`
}

// Names and roles of the two node groups every cluster has.
const (
	RoleMaster    = "master"
	RoleWorker    = "worker"
	DefaultMaster = "default-master"
	DefaultWorker = "default-worker"
)

// IsMaster reports whether the group carries the control plane. Any other
// role counts as worker.
func (g NodeGroup) IsMaster() bool { return g.Role == RoleMaster }

// Default returns the cluster's default group of a kind, or nil.
func (c *Cluster) Default(master bool) *NodeGroup {
	for i := range c.NodeGroups {
		if g := &c.NodeGroups[i]; g.IsDefault && g.IsMaster() == master {
			return g
		}
	}
	return nil
}

// NodeGroup returns the group of that name or uuid, or nil.
func (c *Cluster) NodeGroup(ident string) *NodeGroup {
	for i := range c.NodeGroups {
		if g := &c.NodeGroups[i]; g.Name == ident || g.UUID == ident {
			return g
		}
	}
	return nil
}

// NodeCount is the number of workers wanted, over all worker groups.
func (c *Cluster) NodeCount() int { return c.count(false) }

// MasterCount is the number of masters wanted.
func (c *Cluster) MasterCount() int { return c.count(true) }

func (c *Cluster) count(master bool) int {
	n := 0
	for _, g := range c.NodeGroups {
		if g.IsMaster() == master {
			n += g.NodeCount
		}
	}
	return n
}

// Addresses joins the node addresses of all groups of a kind.
func (c *Cluster) Addresses(master bool) []string {
	all := []string{}
	for _, g := range c.NodeGroups {
		if g.IsMaster() == master {
			all = append(all, g.NodeAddresses...)
		}
	}
	return all
}
