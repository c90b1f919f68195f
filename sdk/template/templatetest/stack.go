package templatetest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/hot"
)

// Stack is a stack as if it ran: what only a running one knows is made up.
type Stack struct {
	t     *testing.T
	scope *hot.Scope
	files map[string]string
}

// NewStack is a rendered stack whose secrets all have the given value.
func NewStack(t *testing.T, out driver.RenderResponse, secret string) *Stack {
	t.Helper()
	params := map[string]any{}
	for name, p := range out.Parameters {
		params[name] = p.Value
		if p.Secret != "" {
			params[name] = secret
		}
	}
	return newStack(t, out.Template, out.Files, params)
}

func newStack(t *testing.T, text string, files map[string]string, params map[string]any) *Stack {
	t.Helper()
	parsed, err := hot.Load(text, files, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{with: func(r *running) *hot.Scope {
		scope, err := parsed.Scope(params, hot.Pseudo{StackName: "prod"})
		if err != nil {
			t.Fatal(err)
		}
		scope.Resolver = r
		return scope
	}}
	return &Stack{t: t, scope: r.with(r), files: files}
}

// running answers what a running stack knows. A scope evaluates one thing at a
// time, so it needs another for what that depends on.
type running struct{ with func(*running) *hot.Scope }

func (r *running) ResourceID(name string) (any, error) { return "id-of-" + name, nil }

func (r *running) Attribute(name, attribute string, _ []any) (any, bool, error) {
	scope := r.with(r)
	switch typ := scope.Stack.Template.Resources[name].Type; {
	case typ == "OS::Heat::Value":
		value, err := scope.Evaluate(scope.Stack.Template.Resources[name].Properties["value"])
		return value, false, err
	case typ == "OS::Heat::ResourceGroup": // of the masters' ports
		return []any{"10.0.0.11", "10.0.0.12", "10.0.0.13"}, true, nil
	case attribute == "endpoint":
		return "http://127.0.0.1:8000/v1/signal?x=%7B1%7D&y=2", true, nil
	}
	if address, ok := map[string]string{
		"fixed_ips": "10.0.0.21", "floating_ip_address": "172.24.4.9", "address": "10.0.0.5",
	}[attribute]; ok {
		return address, true, nil
	}
	return attribute + " of " + name, true, nil
}

// Properties are those of a resource.
func (s *Stack) Properties(resource string) map[string]any {
	s.t.Helper()
	value, err := s.scope.Evaluate(s.scope.Stack.Template.Resources[resource].Properties)
	if err != nil {
		s.t.Fatalf("%s: %v", resource, err)
	}
	props, _ := value.(map[string]any)
	return props
}

// First is the stack of the first member of a group.
func (s *Stack) First(group string) *Stack {
	s.t.Helper()
	def, _ := s.Properties(group)["resource_def"].(map[string]any)
	props, _ := def["properties"].(map[string]any)
	props = maps.Clone(props)
	for name, value := range props {
		if text, ok := value.(string); ok {
			props[name] = strings.ReplaceAll(text, "%index%", "0")
		}
	}
	file, _ := def["type"].(string)
	return newStack(s.t, s.files[file], s.files, props)
}

// CloudConfigs are the documents of the stack and of the first members of its
// groups, by their resources.
func (s *Stack) CloudConfigs() map[string]map[string]any {
	s.t.Helper()
	all := map[string]map[string]any{}
	resources := s.scope.Stack.Template.Resources
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		if enabled, err := s.scope.Enabled(resources[name]); err != nil {
			s.t.Fatalf("%s: %v", name, err)
		} else if !enabled {
			continue
		}
		switch resources[name].Type {
		case "OS::Heat::CloudConfig":
			all[name], _ = s.Properties(name)["cloud_config"].(map[string]any)
		case "OS::Heat::ResourceGroup":
			def, _ := s.Properties(name)["resource_def"].(map[string]any)
			if file, _ := def["type"].(string); s.files[file] != "" {
				for inner, doc := range s.First(name).CloudConfigs() {
					all[name+"/"+inner] = doc
				}
			}
		}
	}
	return all
}
