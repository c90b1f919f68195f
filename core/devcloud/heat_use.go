package devcloud

import (
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/hot"
)

// inUse is Neutron's refusal to remove what another thing needs, often one of
// another stack; nil where it may go.
func (h *heat) inUse(r *heatResource) *failure {
	refuse := func(text string) *failure { return &failure{class: "Conflict", message: text} }
	switch r.kind {
	case "OS::Neutron::Net":
		var ports []string
		for _, id := range sortedNames(h.net.ports) {
			if h.net.ports[id].network.ID == r.physical {
				ports = append(ports, id)
			}
		}
		if len(ports) > 0 {
			return &failure{class: "NetworkInUseClient", message: "Unable to complete operation on network " + r.physical +
				". There are one or more ports still in use on the network, id for these ports is: " + strings.Join(ports, ",") + "."}
		}
	case "OS::Neutron::Subnet":
		for _, p := range h.net.ports {
			if p.subnet.ID == r.physical {
				return refuse("Unable to complete operation on subnet " + r.physical + ": One or more ports have an IP allocation from this subnet.")
			}
		}
	case "OS::Neutron::SecurityGroup":
		for _, p := range h.net.ports {
			if slices.Contains(p.groups, r.physical) {
				return refuse("Security Group " + r.physical + " in use.")
			}
		}
	case "OS::Neutron::RouterInterface":
		router, where, _ := strings.Cut(r.physical, ":")
		ident, _ := strings.CutPrefix(where, "subnet_id=")
		if s, err := h.net.subnet(ident); err == nil && h.floatsInto(s.ID) {
			return refuse("Router interface for subnet " + s.ID + " on router " + router +
				" cannot be deleted, as it is required by one or more floating IPs.")
		}
	}
	return nil
}

// floatsInto reports whether a floating address of any stack points into a
// subnet.
func (h *heat) floatsInto(subnet string) bool {
	found := false
	for _, root := range h.stacks {
		if root.parent != nil || !root.alive() {
			continue
		}
		root.walk(hot.MaxNestedDepth+1, func(s *heatStack) {
			for _, r := range s.all() {
				if r.kind == "OS::Neutron::FloatingIP" && r.there() {
					p := h.net.ports[h.floatsTo(r)]
					found = found || p != nil && p.subnet.ID == subnet
				}
			}
		})
	}
	return found
}

// groupsOf are the security groups that a port's properties name.
func groupsOf(props map[string]any) []string {
	var out []string
	list, _ := props["security_groups"].([]any)
	for _, x := range list {
		if id := textOr(x, ""); id != "" {
			out = append(out, id)
		}
	}
	return out
}
