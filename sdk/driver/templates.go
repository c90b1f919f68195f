package driver

// Intent says why a driver is asked to render or validate.
type Intent string

// The intents.
//
//nolint:gosec // words, not credentials
const (
	IntentCreate           Intent = "create"
	IntentUpdate           Intent = "update"
	IntentResize           Intent = "resize"
	IntentUpgrade          Intent = "upgrade"
	IntentRotateCA         Intent = "rotate-ca"
	IntentRotateCredential Intent = "rotate-credential"
	IntentCreateNodeGroup  Intent = "create-nodegroup"
	IntentUpdateNodeGroup  Intent = "update-nodegroup"
	IntentDeleteNodeGroup  Intent = "delete-nodegroup"
)

// ValidateRequest asks whether the driver could carry out a request.
type ValidateRequest struct {
	Intent     Intent
	Template   ClusterTemplate
	Cluster    Cluster
	NodeGroups []NodeGroup
	NodeGroup  string // whose request this is; empty for the whole cluster
}

// ValidateResponse lists what stands against it; none means yes.
type ValidateResponse struct {
	Violations []Violation
}

// Violation is one reason why a request cannot be carried out.
type Violation struct {
	Field   string // path in the API's own words, such as labels/kube_tag
	Message string // for the user
	Class   Class
}

// RenderRequest holds everything that decides a stack.
type RenderRequest struct {
	Intent   Intent
	Template ClusterTemplate
	Cluster  Cluster
	// NodeGroups are all of the cluster's, as wanted after the operation.
	NodeGroups []NodeGroup
	// NodeGroup is the name of the group the operation is about; empty for
	// the whole cluster.
	NodeGroup string
	Endpoints Endpoints
	// NodesToRemove names the nodes of NodeGroup that go, as SelectNodes or
	// the user named them.
	NodesToRemove []string
	// MaxBatchSize is how many nodes an upgrade replaces at once.
	MaxBatchSize int
	// ClusterOutputs are the outputs of the cluster's own stack, as JSON
	// texts by name, where NodeGroup has, or gets, a stack of its own: its
	// nodes join what stands there.
	ClusterOutputs map[string]RawJSON
}

// RenderResponse is a stack, ready for Heat but for its secrets.
type RenderResponse struct {
	Template string // the main template, HOT
	// Files holds what the template names with get_file, type or in an
	// environment: name → content.
	Files        map[string]string
	Environments []string // YAML, later ones win
	Parameters   map[string]Parameter
	// DisableRollback leaves a failed stack as it is.
	DisableRollback bool
	Tags            []string
	// TimeoutMinutes limits the stack operation; 0 is the core's own limit.
	TimeoutMinutes int
}

// Parameter is the value of one Heat parameter: plain, or a secret.
type Parameter struct {
	// Value is a string, or a JSON text where the parameter's type is json
	// or comma_delimited_list.
	Value string
	// Secret, if set, is filled in by the core in place of Value.
	Secret SecretRef
}

// Value makes a plain parameter.
func Value(s string) Parameter { return Parameter{Value: s} }

// Secret makes a parameter that the core fills in.
func Secret(ref SecretRef) Parameter { return Parameter{Secret: ref} }

// MapOutputsRequest brings a finished stack's answers to the driver.
type MapOutputsRequest struct {
	Template   ClusterTemplate
	Cluster    Cluster
	NodeGroups []NodeGroup
	NodeGroup  string // whose own stack this is; empty for the cluster's
	// Outputs are JSON texts by output name, Parameters plain texts by
	// parameter name. Secret (hidden) parameters are left out.
	Outputs    map[string]RawJSON
	Parameters map[string]string
	Resources  []Resource
}

// Resource is one resource of the stack or of a nested one.
type Resource struct {
	Name       string
	Type       string
	Status     string
	Reason     string
	PhysicalID string
	Parent     string // name of the resource whose nested stack it is in
}

// MapOutputsResponse says what to change; an absent field stays as it is.
type MapOutputsResponse struct {
	Cluster    ClusterPatch
	NodeGroups []NodeGroupPatch
}

// ClusterPatch holds the fields a driver may set. Nil leaves a field alone.
type ClusterPatch struct {
	APIAddress       *string
	COEVersion       *string
	ContainerVersion *string
	DiscoveryURL     *string
}

// NodeGroupPatch holds what a driver may set of the node group it names.
type NodeGroupPatch struct {
	Name          string
	NodeAddresses []string // nil leaves them alone, empty clears them
	NodeCount     *int
}

// PreDeleteRequest asks what the cluster has made by itself.
type PreDeleteRequest struct {
	Template ClusterTemplate
	Cluster  Cluster
}

// PreDeleteResponse lists the cloud resources the core removes before the
// stack, with its own credentials.
type PreDeleteResponse struct {
	Cleanups []Cleanup
}

// Cleanup selects resources to remove.
type Cleanup struct {
	Kind CleanupKind
	// DescriptionPattern is a regular expression that the whole description
	// must match. It must contain the cluster's uuid.
	DescriptionPattern string
	Cascade            bool
}

// CleanupKind is a kind of resource that the core knows how to remove.
type CleanupKind string

// The kinds.
const (
	CleanupLoadBalancer CleanupKind = "load-balancer"
	CleanupFloatingIP   CleanupKind = "floating-ip"
)
