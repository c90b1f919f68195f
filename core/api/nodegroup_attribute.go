package api

import (
	"regexp"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// rolePattern bounds a role: nodes carry it in a label's name.
var rolePattern = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// nodeGroupBody is what a client may say of a node group.
type nodeGroupBody struct {
	name, flavor, image, role string
	volumeSize                int
	labels                    magnum.Labels
	merge                     bool
	count, least, most        int // most: 0 is unset
	nodeLabels                map[string]string
	taints                    []value // maps of texts
}

func newNodeGroupBody() *nodeGroupBody {
	return &nodeGroupBody{count: 1, role: magnum.RoleWorker}
}

// nodeGroupAttributes are the members of a node group's body, in upstream's
// order.
func nodeGroupAttributes(b *nodeGroupBody) []attribute {
	return []attribute{
		fixed("id"),
		ignored("uuid"),
		required(identAttribute("name", &b.name)),
		ignored("cluster_id"),
		readOnly("project_id"),
		intAttribute("docker_volume_size", 1, maxInt, func(n int) { b.volumeSize = n }),
		labelAttribute("labels", &b.labels),
		readOnly("links"),
		identAttribute("flavor_id", &b.flavor),
		identAttribute("image_id", &b.image),
		readOnly("node_addresses"),
		intAttribute("node_count", 0, maxInt, func(n int) { b.count = n }),
		textAttribute("role", 1, 255, rolePattern, func(s string) { b.role = s }),
		intAttribute("min_node_count", 0, maxInt, func(n int) { b.least = n }),
		intAttribute("max_node_count", 0, maxInt, func(n int) { b.most = n }),
		fixed("is_default"),
		readOnly("stack_id"),
		fixed("status"),
		fixed("status_reason"),
		fixed("version"),
		boolAttribute("merge_labels", func(v bool) { b.merge = v }),
		ignored("labels_overridden"),
		ignored("labels_added"),
		ignored("labels_skipped"),
		mapAttribute("node_labels", func(m map[string]string) { b.nodeLabels = m }),
		taintAttribute("node_taints", func(all []value) { b.taints = all }),
		stampAttribute("created_at"),
		stampAttribute("updated_at"),
	}
}

// fixed is what upstream takes from anybody although only the service knows
// it. Null says nothing and is let pass.
func fixed(name string) attribute {
	return attribute{name: name, set: func(v value) error {
		return invalid(name, v.str(), "Cannot set read only field.")
	}}
}

// taintAttribute is a list of maps of texts; what the maps must say is checked
// when the group's name is known.
func taintAttribute(name string, keep func([]value)) attribute {
	return attribute{name: name, set: func(v value) error {
		if v.kind != list {
			return &typeError{"Value not a valid list: " + v.str()}
		}
		for _, item := range v.items {
			if item.kind != object {
				return &typeError{"Value not a valid dict: " + item.str()}
			}
			for _, m := range item.members {
				if m.value.kind != text && m.value.kind != null {
					return invalid(name, v.str(), wrongType("'<class 'str'>'", m.value))
				}
			}
		}
		keep(v.items)
		return nil
	}}
}

// nodeGroupDialect is what a patch of a node group may do: bounds, and what
// the nodes carry in the COE.
var nodeGroupDialect = dialect{
	internal: append(slices.Clone(internalAttributes),
		"name", "cluster_id", "docker_volume_size", "labels", "flavor_id", "image_id", "node_addresses", "node_count",
		"role", "is_default", "stack_id", "status", "status_reason", "version"),
	literals: []string{"node_labels", "node_taints"},
}

// checkRoots refuses what a step would change inside an internal attribute,
// such as /labels/x, which upstream overlooks.
func (d dialect) checkRoots(steps []operation) error {
	for _, o := range steps {
		root, _, _ := strings.Cut(o.path[1:], "/")
		if slices.Contains(d.internal, root) {
			return badRequest("'%s' is an internal attribute and can not be updated", o.path)
		}
	}
	return nil
}

// nodeGroupDocument is a node group as a patch sees it.
func nodeGroupDocument(g *magnum.NodeGroup) value {
	d := newDocument()
	d.addInt("min_node_count", g.MinNodeCount)
	d.addNumber("max_node_count", g.MaxNodeCount)
	d.addMap("node_labels", g.NodeLabels)
	taints := value{kind: list}
	for _, t := range g.NodeTaints {
		one := value{kind: object, members: []member{{"key", textValue(t.Key)}}}
		if t.Value != "" {
			one.members = append(one.members, member{"value", textValue(t.Value)})
		}
		one.members = append(one.members, member{"effect", textValue(t.Effect)})
		taints.items = append(taints.items, one)
	}
	d.add("node_taints", taints)
	return d.value
}

// patchedNodeGroup is what a patch makes of a group, if it may.
func patchedNodeGroup(g *magnum.NodeGroup, steps []operation) (*magnum.NodeGroup, error) {
	doc, err := nodeGroupDialect.apply(nodeGroupDocument(g), steps)
	if err != nil {
		return nil, err
	}
	b := newNodeGroupBody()
	if err := doc.accept(nodeGroupAttributes(b)); err != nil {
		return nil, err
	}
	after := *g
	after.MinNodeCount, after.MaxNodeCount = b.least, b.most
	if touches(steps, "node_labels") {
		after.NodeLabels = b.nodeLabels
	}
	after.NodeTaints, err = checkNodes(&after, b.taints)
	if err != nil {
		return nil, err
	}
	return &after, nil
}
