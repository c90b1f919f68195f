package hot

import (
	"fmt"
	"strconv"
	"strings"
)

// Group is an evaluated OS::Heat::ResourceGroup.
type Group struct {
	Count      int
	IndexVar   string
	Type       string
	Properties map[string]any
	Metadata   map[string]any
	// Remove lists the members to remove, by name or by reference id.
	Remove []string
	// Replace says that Remove replaces what was removed earlier instead of
	// adding to it.
	Replace bool
}

// NewGroup reads a group from its checked properties.
func NewGroup(props map[string]any) *Group {
	g := &Group{Count: 1, IndexVar: "%index%"}
	if n, ok := props["count"].(int); ok {
		g.Count = n
	}
	if s, ok := props["index_var"].(string); ok {
		g.IndexVar = s
	}
	def, _ := props["resource_def"].(map[string]any)
	g.Type, _ = def["type"].(string)
	g.Properties, _ = def["properties"].(map[string]any)
	g.Metadata, _ = def["metadata"].(map[string]any)
	policies, _ := props["removal_policies"].([]any)
	for _, p := range policies {
		m, _ := p.(map[string]any)
		list, _ := m["resource_list"].([]any)
		for _, x := range list {
			g.Remove = append(g.Remove, text(x))
		}
	}
	g.Replace = props["removal_policies_mode"] == "update"
	return g
}

// Names lists the members: the first Count indices that were never removed.
func (g *Group) Names(removed map[string]bool) ([]string, error) {
	if g.Count > MaxResources {
		return nil, limitf("Maximum resources per stack exceeded.")
	}
	out := make([]string, 0, g.Count)
	for i := 0; len(out) < g.Count; i++ {
		if name := strconv.Itoa(i); !removed[name] {
			out = append(out, name)
		}
	}
	return out, nil
}

// Stack makes the stack that holds the members.
func (g *Group) Stack(parent *Stack, names []string) (*Stack, error) {
	if parent.Depth >= MaxNestedDepth {
		return nil, limitf("Recursion depth exceeds %d.", MaxNestedDepth)
	}
	t := &Template{Name: "nested_stack", Version: "2015-04-30", literal: true, Parameters: map[string]*Parameter{},
		Resources: make(map[string]*Resource, len(names)), Outputs: map[string]*Output{}}
	t.level, _ = levelOf(t.Version)
	for _, name := range names {
		r := &Resource{Name: name, Type: g.Type, DeletionPolicy: "Delete"}
		if g.Properties != nil {
			r.Properties = g.index(g.Properties, name).(map[string]any)
		}
		if g.Metadata != nil {
			r.Metadata = g.index(g.Metadata, name).(map[string]any)
		}
		t.Resources[name] = r
		t.resourceOrder = append(t.resourceOrder, name)
	}
	return parent.derive(t), nil
}

// index puts a member's name in place of the index variable, in values only.
func (g *Group) index(v any, name string) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, g.IndexVar, name)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = g.index(x, name)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			if x != nil {
				out[k] = g.index(x, name)
			}
		}
		return out
	}
	return v
}

// MemberAttribute splits "resource.NAME.ATTRIBUTE", the way a template asks a
// group for one member; attribute may be empty.
func MemberAttribute(s string) (member, attribute string, ok bool) {
	rest, ok := strings.CutPrefix(s, "resource.")
	if !ok {
		return "", "", false
	}
	member, attribute, _ = strings.Cut(rest, ".")
	return member, attribute, true
}

// NoMember is Heat's answer for a member that is not there.
func NoMember(group, member string) error {
	return &Error{Kind: KindNotFound, Message: fmt.Sprintf("Member '%s' not found in group resource '%s'.", member, group)}
}
