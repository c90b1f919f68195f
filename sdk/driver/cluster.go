package driver

// Cluster is what a driver may know of a cluster. Empty and zero mean unset
// unless a field says otherwise.
type Cluster struct {
	UUID             string
	Name             string
	ProjectID        string
	UserID           string
	StackID          string
	Keypair          string // name of the Nova key pair
	FlavorID         string
	MasterFlavorID   string
	DockerVolumeSize int // GB
	Labels           map[string]string
	FixedNetwork     string
	FixedSubnet      string
	FloatingIP       bool // nodes get floating IPs
	MasterLB         bool // a load balancer stands before the masters
	CreateTimeout    int  // minutes; 0 is the driver's own
	DiscoveryURL     string
	APIAddress       string
	COEVersion       string
	Status           string
	// TrusteeUsername is <cluster uuid>_<project id>; its password is
	// SecretTrusteePassword.
	TrusteeUserID   string
	TrusteeUsername string
	TrusteeDomainID string
}

// ClusterTemplate is what a driver may know of the template a cluster was made
// from.
type ClusterTemplate struct {
	UUID                string
	Name                string
	ImageID             string
	ExternalNetworkID   string
	NetworkDriver       string
	VolumeDriver        string
	DNSNameserver       string // one address or a list with commas
	APIServerPort       int
	DockerStorageDriver string
	ClusterDistro       string
	COE                 string
	ServerType          string
	HTTPProxy           string
	HTTPSProxy          string
	NoProxy             string
	RegistryEnabled     bool
	InsecureRegistry    string
	TLSDisabled         bool
	Labels              map[string]string
}

// NodeGroup is a set of like nodes of a cluster.
type NodeGroup struct {
	UUID             string
	Name             string
	Role             string // "master", or a worker's role
	IsDefault        bool
	StackID          string
	FlavorID         string
	ImageID          string
	NodeCount        int // as wanted
	MinNodeCount     int
	MaxNodeCount     int // 0 is unset
	DockerVolumeSize int
	Labels           map[string]string
	NodeLabels       map[string]string
	NodeTaints       []Taint
	NodeAddresses    []string
	Status           string
}

// RoleMaster is the role of the node group that carries the control plane.
const RoleMaster = "master"

// Taint keeps pods off a node.
type Taint struct {
	Key, Value, Effect string
}

// Endpoints are the addresses under which nodes reach the cloud, and facts
// about the cloud that a template must adapt to.
type Endpoints struct {
	AuthURL   string // Keystone, with /v3
	MagnumURL string // this service, with /v1
	Region    string
	// CACert is the PEM bundle that nodes need to trust the cloud's own
	// certificates; empty where the system's bundle will do.
	CACert   string
	VerifyCA bool
	Octavia  bool // the catalogue has a load-balancer service
	// ExternalNetworkUUID is the template's external network as an id.
	ExternalNetworkUUID string
	// FixedNetworkName and FixedSubnetCIDR describe the given network; empty
	// where the stack makes its own.
	FixedNetworkName string
	FixedSubnetCIDR  string
	// AffinityPolicy is the operator's [cluster] nodes_affinity_policy.
	AffinityPolicy string
	// Default volume types of the operator, for labels that are not set.
	DockerVolumeType, EtcdVolumeType, BootVolumeType string
	BootVolumeSize                                   int
	// RegistryRegion and RegistryContainer are where clusters' own registries
	// keep their images in Swift: the operator's [docker_registry].
	RegistryRegion, RegistryContainer string
}

// SecretRef stands for a secret that only the core knows. In a parameter's
// value the core puts the secret in its place on the way to Heat.
type SecretRef string

// The secrets a template can ask for.
const (
	// SecretTrusteePassword is the password of Cluster.TrusteeUserID.
	SecretTrusteePassword SecretRef = "trustee-password"
	// SecretTrustID is the trust that lets the trustee act for the user; it
	// is empty unless the operator set [trust] cluster_user_trust.
	SecretTrustID SecretRef = "trust-id"
	// SecretCAKey is the private key of the cluster's CA.
	SecretCAKey SecretRef = "ca-key"
	// SecretServiceAccountKey and SecretServiceAccountPrivateKey are the
	// RSA pair that signs Kubernetes service account tokens: the same until
	// the cluster's authorities are rotated.
	SecretServiceAccountKey        SecretRef = "service-account-key"
	SecretServiceAccountPrivateKey SecretRef = "service-account-private-key"
)

// COEAccess is how to reach a cluster's own API. Certificate and key live for
// minutes and are minted for this call.
type COEAccess struct {
	Endpoint   string
	CACert     string // PEM
	ClientCert string // PEM
	ClientKey  string // PEM
}
