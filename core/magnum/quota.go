package magnum

import "time"

// ResourceCluster is the one resource that has quotas.
const ResourceCluster = "Cluster"

// Quota is how much of a resource a project may have.
type Quota struct {
	ID        int64
	ProjectID string
	Resource  string
	HardLimit int
	CreatedAt time.Time
	UpdatedAt time.Time
}
