package api

import "github.com/go-magnum/magnum/core/magnum"

// nodeGroupItem writes a group as it stands in a list, where upstream shows no
// bounds but the words for none.
func (e *encoder) nodeGroupItem(g *magnum.NodeGroup) {
	e.open('{')
	e.str("uuid", g.UUID)
	e.text("name", g.Name)
	e.text("flavor_id", g.FlavorID)
	e.text("image_id", g.ImageID)
	e.int("node_count", g.NodeCount)
	e.text("role", g.Role)
	e.int("min_node_count", 0)
	e.null("max_node_count")
	e.bool("is_default", g.IsDefault)
	e.text("stack_id", g.StackID)
	e.text("status", string(g.Status))
	e.bool("merge_labels", false) // an input only, but upstream shows it
	e.close('}')
}

// nodeGroup writes a group with everything. parent are its cluster's labels.
func (e *encoder) nodeGroup(base string, g *magnum.NodeGroup, parent magnum.Labels) {
	e.open('{')
	e.int("id", int(g.ID))
	e.nodeGroupCommon(base, g, parent)
	e.number("docker_volume_size", g.DockerVolumeSize)
	e.texts("node_addresses", g.NodeAddresses)
	e.bool("is_default", g.IsDefault)
	e.text("stack_id", g.StackID)
	e.text("status", string(g.Status))
	e.text("status_reason", g.StatusReason)
	e.text("version", g.Version)
	e.time("created_at", g.CreatedAt)
	e.time("updated_at", g.UpdatedAt)
	e.close('}')
}

// newNodeGroup writes a group that was asked for. As in upstream, whose
// conductor makes the row, it has only what the request and the cluster say.
func (e *encoder) newNodeGroup(base string, g *magnum.NodeGroup, parent magnum.Labels) {
	e.open('{')
	e.nodeGroupCommon(base, g, parent)
	if g.DockerVolumeSize != 0 {
		e.int("docker_volume_size", g.DockerVolumeSize)
	}
	e.close('}')
}

func (e *encoder) nodeGroupCommon(base string, g *magnum.NodeGroup, parent magnum.Labels) {
	e.str("uuid", g.UUID)
	e.text("name", g.Name)
	e.text("cluster_id", g.ClusterID)
	e.text("project_id", g.ProjectID)
	e.stringMap("labels", g.Labels)
	e.links(base, "clusters/"+g.ClusterID+"/nodegroups", g.UUID)
	e.text("flavor_id", g.FlavorID)
	e.text("image_id", g.ImageID)
	e.int("node_count", g.NodeCount)
	e.text("role", g.Role)
	e.int("min_node_count", g.MinNodeCount)
	e.number("max_node_count", g.MaxNodeCount)
	e.bool("merge_labels", false)
	e.differences(g.Labels, parent)
	e.stringMap("node_labels", g.NodeLabels)
	e.taints("node_taints", g.NodeTaints)
}

func (e *encoder) taints(name string, all []magnum.Taint) {
	e.key(name)
	e.open('[')
	for _, t := range all {
		e.open('{')
		e.str("key", t.Key)
		if t.Value != "" {
			e.str("value", t.Value)
		}
		e.str("effect", t.Effect)
		e.close('}')
	}
	e.close(']')
}
