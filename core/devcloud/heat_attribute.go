package devcloud

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/hot"
)

// resolver answers a stack's get_resource and get_attr.
type resolver struct {
	heat  *heat
	stack *heatStack
}

// ResourceID is the resource's name as long as there is no resource.
func (v *resolver) ResourceID(name string) (any, error) {
	r := v.stack.resources[name]
	if r == nil || !r.there() || r.physical == "" {
		return name, nil
	}
	return v.heat.reference(r), nil
}

func (v *resolver) Attribute(name, attribute string, path []any) (any, bool, error) {
	r := v.stack.resources[name]
	if r == nil || !r.there() {
		return nil, true, nil
	}
	return v.heat.attribute(r, attribute, path)
}

// reference is what get_resource gives: mostly the physical id.
func (h *heat) reference(r *heatResource) any {
	switch r.kind {
	case "OS::Heat::RandomString":
		return r.attrs["value"]
	case "OS::Heat::WaitCondition":
		return r.name
	}
	if r.nested && r.kind != hot.ResourceGroup && r.child != nil {
		if r.child.spec != nil {
			if _, ok := r.child.spec.hot.Template.Outputs["OS::stack_id"]; ok {
				if v, err := r.child.spec.scope.Output("OS::stack_id"); err == nil && v != nil {
					return v
				}
			}
		}
		return fmt.Sprintf("arn:openstack:heat::%s:stacks/%s/%s", r.child.project, r.child.name, r.child.id)
	}
	return r.physical
}

// attribute gives an attribute, and whether the path behind it is followed
// already.
func (h *heat) attribute(r *heatResource, name string, path []any) (any, bool, error) {
	switch {
	case r.nothing:
		return nil, true, nil
	case r.kind == hot.ResourceGroup:
		return h.groupAttribute(r, name, path)
	case r.nested:
		return h.nestedAttribute(r, name, path)
	case name == "":
		return h.attributes(r), false, nil
	}
	return h.single(r, name), false, nil
}

// attributes are all that a resource's type has.
func (h *heat) attributes(r *heatResource) map[string]any {
	out := map[string]any{}
	if t, ok := hot.LookupType(r.kind); ok {
		for _, name := range t.Attributes {
			out[name] = h.single(r, name)
		}
	}
	return out
}

func (h *heat) single(r *heatResource, name string) any {
	switch r.kind + " " + name {
	case "OS::Nova::Server networks":
		return h.serverNetworks(r, false)
	case "OS::Nova::Server addresses":
		return h.serverNetworks(r, true)
	case "OS::Nova::Server first_address":
		ports, _ := r.attrs["ports"].([]any)
		if len(ports) == 0 || h.net.ports[ports[0].(string)] == nil {
			return ""
		}
		return h.net.ports[ports[0].(string)].address.String()
	case "OS::Nova::Server instance_name":
		return "instance-" + strings.ReplaceAll(r.physical, "-", "")[:min(8, len(strings.ReplaceAll(r.physical, "-", "")))]
	case "OS::Nova::Server accessIPv4", "OS::Nova::Server accessIPv6":
		return ""
	case "OS::Neutron::FloatingIP fixed_ip_address":
		return h.floatedTo(r, func(p *heatPort) any { return p.address.String() })
	case "OS::Neutron::FloatingIP port_id":
		return h.floatedTo(r, func(p *heatPort) any { return p.id })
	case "OS::Heat::WaitCondition data":
		return h.conditionData(r)
	case "OS::Heat::Value value":
		return valueOf(r.props)
	case "OS::Neutron::Net subnets":
		var ids []any
		for _, s := range h.net.subnets {
			if s.NetworkID == r.physical {
				ids = append(ids, s.ID)
			}
		}
		return ids
	case "OS::Neutron::Router external_gateway_info":
		return r.props["external_gateway_info"]
	}
	if v, ok := r.attrs[name]; ok {
		return v
	}
	switch name {
	case "show":
		return map[string]any{"id": r.physical, "name": r.attrs["name"]}
	case "tenant_id":
		return r.stack.project
	case "status":
		return "ACTIVE"
	case "name", "display_name":
		if n := textOr(r.props["name"], ""); n != "" {
			return n
		}
	}
	if v, ok := r.props[name]; ok {
		if r.kind == "OS::Cinder::Volume" {
			return hot.Text(v) // Cinder's attributes are texts
		}
		return v
	}
	if t, ok := hot.LookupType(r.kind); ok && t.Properties[name] != nil {
		return t.Properties[name].Default
	}
	return nil
}

// valueOf is a Value's value in the type it names.
func valueOf(props map[string]any) any {
	v := props["value"]
	typ := textOr(props["type"], "")
	if typ == "" {
		return v
	}
	p := &hot.Parameter{Name: "value", Type: hot.ParameterType(typ)}
	if typed, err := p.Value(v); err == nil {
		return typed
	}
	return v
}

func (h *heat) conditionData(r *heatResource) any {
	data := map[string]any{}
	if handle := h.handle(r); handle != nil {
		for id, m := range handle.metadata {
			signal, _ := m.(map[string]any)
			data[id] = signal["data"]
		}
	}
	text, err := json.Marshal(data)
	if err != nil {
		return "{}"
	}
	return strings.NewReplacer(`":`, `": `, `","`, `", "`).Replace(string(text))
}

// serverNetworks lists a server's addresses by network, under its name and its
// id.
func (h *heat) serverNetworks(r *heatResource, full bool) any {
	out := map[string]any{}
	ports, _ := r.attrs["ports"].([]any)
	for _, id := range ports {
		p := h.net.ports[id.(string)]
		if p == nil {
			continue
		}
		addresses := []string{p.address.String()}
		addresses = append(addresses, h.floatingOn(r.stack.root, p.id)...)
		for _, key := range []string{p.network.Name, p.network.ID} {
			list, _ := out[key].([]any)
			for i, a := range addresses {
				if !full {
					list = append(list, a)
					continue
				}
				kind := "fixed"
				if i > 0 {
					kind = "floating"
				}
				list = append(list, map[string]any{"addr": a, "version": 4, "OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": p.mac, "port": p.id})
			}
			out[key] = list
		}
	}
	return out
}

// floatingOn lists the floating addresses that point at a port.
func (h *heat) floatingOn(root *heatStack, port string) []string {
	var out []string
	root.walk(hot.MaxNestedDepth+1, func(s *heatStack) {
		for _, r := range s.all() {
			if r.kind == "OS::Neutron::FloatingIP" && r.there() && h.floatsTo(r) == port {
				out = append(out, textOr(r.attrs["floating_ip_address"], ""))
			}
		}
	})
	slices.Sort(out)
	return out
}

func (h *heat) floatedTo(r *heatResource, of func(*heatPort) any) any {
	if p := h.net.ports[h.floatsTo(r)]; p != nil {
		return of(p)
	}
	return nil
}

// floatsTo is the port a floating address points at, by its own property or by
// an association.
func (h *heat) floatsTo(r *heatResource) string {
	if id := textOr(r.props["port_id"], ""); id != "" {
		return id
	}
	found := ""
	r.stack.root.walk(hot.MaxNestedDepth+1, func(s *heatStack) {
		for _, other := range s.all() {
			if other.kind == "OS::Neutron::FloatingIPAssociation" && other.there() && other.props["floatingip_id"] == r.physical {
				found = textOr(other.props["port_id"], "")
			}
		}
	})
	return found
}

// nestedAttribute gives an output of the stack inside a resource.
func (h *heat) nestedAttribute(r *heatResource, name string, path []any) (any, bool, error) {
	if r.child == nil || r.child.spec == nil {
		return nil, true, nil
	}
	spec := r.child.spec
	if name == "" || name == "outputs" {
		out := map[string]any{}
		for _, o := range spec.hot.Template.OutputNames() {
			if v, err := spec.scope.Output(o); err == nil {
				out[o] = v
			}
		}
		return out, false, nil
	}
	if member, attribute, ok := hot.MemberAttribute(name); ok {
		inner := r.child.resources[member]
		if inner == nil {
			return nil, true, hot.NoMember(r.name, member)
		}
		if attribute == "" {
			if len(path) == 0 {
				return h.reference(inner), true, nil
			}
			attribute, path = hot.Text(path[0]), path[1:]
			return h.follow(inner, attribute, path)
		}
		return h.attribute(inner, attribute, path)
	}
	o, ok := spec.hot.Template.Outputs[name]
	if !ok {
		return nil, true, &hot.Error{Kind: "InvalidTemplateAttribute", Message: fmt.Sprintf("The Referenced Attribute (%s %s) is incorrect.", r.name, name)}
	}
	if on, err := spec.scope.OutputEnabled(o); err != nil || !on {
		return nil, true, err
	}
	v, err := spec.scope.Output(name)
	return v, false, err
}

// follow gives an attribute with its path followed.
func (h *heat) follow(r *heatResource, name string, path []any) (any, bool, error) {
	v, followed, err := h.attribute(r, name, path)
	if err == nil && !followed {
		v = hot.Follow(v, path)
	}
	return v, true, err
}

// groupAttribute gives an attribute of a group: its own, or a list of its
// members'.
func (h *heat) groupAttribute(r *heatResource, name string, path []any) (any, bool, error) {
	if name == "removed_rsrc_list" {
		out := []any{}
		for _, n := range sortedNames(r.removed) {
			out = append(out, n)
		}
		return out, false, nil
	}
	if r.child == nil || r.child.spec == nil {
		return nil, true, nil
	}
	if member, attribute, ok := hot.MemberAttribute(name); ok {
		inner := r.child.resources[member]
		switch {
		case inner == nil:
			return nil, true, hot.NoMember(r.name, member)
		case attribute == "":
			return h.reference(inner), false, nil
		}
		return h.follow(inner, attribute, path)
	}
	names := r.child.spec.hot.Template.ResourceNames()
	list, byName := []any{}, map[string]any{}
	for _, n := range names {
		inner := r.child.resources[n]
		if inner == nil {
			continue
		}
		var v any
		var err error
		switch {
		case name == "refs" || name == "refs_map":
			v = h.reference(inner)
		case name == "attributes" && len(path) > 0:
			v, _, err = h.follow(inner, hot.Text(path[0]), path[1:])
		default:
			v, _, err = h.follow(inner, name, path)
		}
		if err != nil {
			return nil, true, err
		}
		list, byName[n] = append(list, v), v
	}
	switch name {
	case "refs":
		return list, false, nil
	case "refs_map":
		return byName, false, nil
	case "attributes":
		return byName, true, nil
	case "":
		return map[string]any{"refs": list, "refs_map": byName}, false, nil
	}
	return list, true, nil
}
