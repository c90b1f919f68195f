package hot

import (
	"fmt"
	"maps"
	"strings"
)

// Environment is what goes with a template: parameter values and what resource
// types stand for.
type Environment struct {
	Parameters        map[string]any
	ParameterDefaults map[string]any
	// Registry maps a resource type to another type or to a template's file
	// name. A pattern ending in * maps every type that begins so.
	Registry map[string]string
}

var environmentSections = map[string]bool{"parameters": true, "parameter_defaults": true, "resource_registry": true,
	"encrypted_param_names": true, "event_sinks": true, "parameter_merge_strategies": true}

// ParseEnvironment reads one environment.
func ParseEnvironment(body string) (*Environment, error) {
	bad := func(format string, args ...any) error {
		return &Error{Kind: KindFormat, Message: "Environment not in valid format: " + fmt.Sprintf(format, args...)}
	}
	root, err := parseYAML([]byte(body))
	if err != nil {
		return nil, bad("%v", err)
	}
	if root == nil {
		return NewEnvironment(nil)
	}
	v, err := (&decoder{}).value(root, 0)
	if err != nil {
		return nil, bad("%v", err)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, bad("The environment is not a valid YAML mapping data type.")
	}
	return NewEnvironment(m)
}

// NewEnvironment reads an environment that is decoded already, as it comes in
// the body of a request.
func NewEnvironment(m map[string]any) (*Environment, error) {
	e := &Environment{Parameters: map[string]any{}, ParameterDefaults: map[string]any{}, Registry: map[string]string{}}
	for k := range m {
		if !environmentSections[k] {
			return nil, &Error{Kind: KindFormat, Message: fmt.Sprintf("Environment not in valid format: environment has wrong section %q", k)}
		}
	}
	for name, into := range map[string]map[string]any{"parameters": e.Parameters, "parameter_defaults": e.ParameterDefaults} {
		values, _ := m[name].(map[string]any)
		for k, v := range values {
			into[k] = Normalize(v)
		}
	}
	registry, _ := m["resource_registry"].(map[string]any)
	for k, v := range registry {
		// "resources" holds hooks and mappings for single resources, "base_url"
		// is the client's business: neither is ours.
		if target, ok := v.(string); ok && k != "base_url" {
			e.Registry[k] = target
		}
	}
	return e, nil
}

// Merge lays another environment over this one.
func (e *Environment) Merge(over *Environment) {
	maps.Copy(e.Parameters, over.Parameters)
	maps.Copy(e.ParameterDefaults, over.ParameterDefaults)
	maps.Copy(e.Registry, over.Registry)
}

// Clone makes an independent copy.
func (e *Environment) Clone() *Environment {
	return &Environment{Parameters: maps.Clone(e.Parameters), ParameterDefaults: maps.Clone(e.ParameterDefaults), Registry: maps.Clone(e.Registry)}
}

// maxMappings is how many steps a type may take through the registry.
const maxMappings = 32

// Resolve follows the registry from a resource type to what it stands for. It
// says no when the mapping does not end: it goes in circles, or a pattern
// makes the name longer each time.
func (e *Environment) Resolve(typ string) (string, bool) {
	for range maxMappings {
		next, ok := e.Registry[typ]
		if !ok {
			next, ok = e.resolvePattern(typ)
		}
		if !ok || next == typ {
			return typ, true
		}
		typ = next
	}
	return typ, false
}

// resolvePattern tries the entries that end in *, the longest first.
func (e *Environment) resolvePattern(typ string) (string, bool) {
	best, target := "", ""
	for k, v := range e.Registry {
		stem, ok := strings.CutSuffix(k, "*")
		if ok && strings.HasPrefix(typ, stem) && len(k) > len(best) {
			best, target = k, v
			if t, ok := strings.CutSuffix(v, "*"); ok {
				target = t + strings.TrimPrefix(typ, stem)
			}
		}
	}
	return target, best != ""
}
