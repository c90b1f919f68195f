package driver

// SelectNodesRequest asks which of a group's nodes should go.
type SelectNodesRequest struct {
	Cluster   Cluster
	Template  ClusterTemplate
	NodeGroup NodeGroup
	Nodes     []Node // all of the group's, in Heat's order
	Count     int    // how many should go
	Access    COEAccess
}

// Node is a server of a node group.
type Node struct {
	Name      string // Nova's
	Address   string // in the cluster's network; "" if it has none yet
	HeatIndex string // its name in the resource group: "0", "1", …
	ServerID  string
}

// SelectNodesResponse names them, first to go first. Fewer than asked for is
// allowed: Heat then takes the rest from its own end.
type SelectNodesResponse struct {
	Nodes []Selected
}

// Selected is one node and why.
type Selected struct {
	HeatIndex string
	Reason    string
}

// CheckHealthRequest asks how a cluster is.
type CheckHealthRequest struct {
	Cluster  Cluster
	Template ClusterTemplate
	Access   COEAccess
}

// CheckHealthResponse answers. Reasons uses upstream's keys, such as "api" and
// "<node>.Ready".
type CheckHealthResponse struct {
	Status  HealthStatus
	Reasons map[string]string
}

// HealthStatus is a cluster's health as the API shows it.
type HealthStatus string

// The health statuses.
const (
	Healthy       HealthStatus = "HEALTHY"
	Unhealthy     HealthStatus = "UNHEALTHY"
	HealthUnknown HealthStatus = "UNKNOWN"
)
