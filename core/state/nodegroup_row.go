package state

import (
	"fmt"

	"github.com/uptrace/bun"

	"github.com/go-magnum/magnum/core/magnum"
)

// nodeGroupRow is a row of nodegroup.
type nodeGroupRow struct {
	bun.BaseModel `bun:"table:nodegroup,alias:g"`

	CreatedAt        stamp  `bun:"created_at,nullzero"`
	UpdatedAt        stamp  `bun:"updated_at,nullzero"`
	ID               int64  `bun:"id,pk,autoincrement"`
	UUID             string `bun:"uuid"`
	Name             string `bun:"name"`
	ClusterID        string `bun:"cluster_id"`
	ProjectID        string `bun:"project_id"`
	DockerVolumeSize int    `bun:"docker_volume_size,nullzero"`
	Labels           string `bun:"labels"`
	FlavorID         string `bun:"flavor_id,nullzero"`
	ImageID          string `bun:"image_id,nullzero"`
	NodeAddresses    string `bun:"node_addresses"`
	NodeCount        int    `bun:"node_count"`
	Role             string `bun:"role,nullzero"`
	MaxNodeCount     int    `bun:"max_node_count,nullzero"`
	MinNodeCount     int    `bun:"min_node_count"`
	IsDefault        bool   `bun:"is_default"`
	StackID          string `bun:"stack_id,nullzero"`
	Status           string `bun:"status,nullzero"`
	StatusReason     string `bun:"status_reason,nullzero"`
	Version          string `bun:"version,nullzero"`
	NodeLabels       string `bun:"node_labels"`
	NodeTaints       string `bun:"node_taints"`
}

func nodeGroupRowOf(g *magnum.NodeGroup) nodeGroupRow {
	return nodeGroupRow{
		CreatedAt: stampOf(g.CreatedAt), UpdatedAt: stampOf(g.UpdatedAt), ID: g.ID, UUID: g.UUID,
		Name: g.Name, ClusterID: g.ClusterID, ProjectID: g.ProjectID,
		DockerVolumeSize: g.DockerVolumeSize, Labels: mapText(g.Labels), FlavorID: g.FlavorID,
		ImageID: g.ImageID, NodeAddresses: listText(g.NodeAddresses), NodeCount: g.NodeCount,
		Role: g.Role, MaxNodeCount: g.MaxNodeCount, MinNodeCount: g.MinNodeCount,
		IsDefault: g.IsDefault, StackID: g.StackID, Status: string(g.Status),
		StatusReason: g.StatusReason, Version: g.Version,
		NodeLabels: mapText(g.NodeLabels), NodeTaints: taintText(g.NodeTaints),
	}
}

func (r *nodeGroupRow) nodeGroup() (magnum.NodeGroup, error) {
	labels, err := textLabels(r.Labels)
	if err != nil {
		return magnum.NodeGroup{}, fmt.Errorf("labels of node group %s: %w", r.UUID, err)
	}
	addresses, err := textList(r.NodeAddresses)
	if err != nil {
		return magnum.NodeGroup{}, fmt.Errorf("addresses of node group %s: %w", r.UUID, err)
	}
	nodeLabels, err := textLabels(r.NodeLabels)
	if err != nil {
		return magnum.NodeGroup{}, fmt.Errorf("node labels of node group %s: %w", r.UUID, err)
	}
	taints, err := textTaints(r.NodeTaints)
	if err != nil {
		return magnum.NodeGroup{}, fmt.Errorf("node taints of node group %s: %w", r.UUID, err)
	}
	return magnum.NodeGroup{
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), ID: r.ID, UUID: r.UUID,
		Name: r.Name, ClusterID: r.ClusterID, ProjectID: r.ProjectID,
		DockerVolumeSize: r.DockerVolumeSize, Labels: labels, FlavorID: r.FlavorID,
		ImageID: r.ImageID, NodeAddresses: addresses, NodeCount: r.NodeCount,
		Role: r.Role, MaxNodeCount: r.MaxNodeCount, MinNodeCount: r.MinNodeCount,
		IsDefault: r.IsDefault, StackID: r.StackID, Status: magnum.Status(r.Status),
		StatusReason: r.StatusReason, Version: r.Version,
		NodeLabels: nodeLabels, NodeTaints: taints,
	}, nil
}
