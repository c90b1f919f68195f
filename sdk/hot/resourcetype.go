package hot

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// The properties and attributes of the resource types we know, as Heat 19 has
// them, with those it takes but no longer documents (network_id,
// first_address), without descriptions and without the constraints that need a
// cloud to check.
//
//go:embed resourcetypes.json
var resourceTypesJSON []byte

// ResourceType says what a type takes and gives.
type ResourceType struct {
	Properties map[string]*Property `json:"properties"`
	Attributes []string             `json:"attributes"`
}

// Property is one property of a resource type, or one field of a property that
// is a map.
type Property struct {
	Type     string `json:"type"` // string, integer, number, boolean, list, map, any
	Required bool   `json:"required"`
	// Update says that a change does not replace the resource.
	Update  bool `json:"update"`
	Default any  `json:"default"`
	// Fields are a map's, Item a list's; nil is free.
	Fields         map[string]*Property `json:"fields"`
	Item           *Property            `json:"item"`
	RawConstraints []map[string]any     `json:"constraints"`

	constraints []Constraint
	// converts is set for properties that stand for a nested template's
	// parameters: they take what the parameter can be read from.
	converts bool
}

var resourceTypes = sync.OnceValue(func() map[string]*ResourceType {
	out := map[string]*ResourceType{}
	if err := json.Unmarshal(resourceTypesJSON, &out); err != nil {
		// The file is part of the program; a test reads it.
		panic(fmt.Sprintf("resourcetypes.json: %v", err))
	}
	for _, t := range out {
		for _, p := range t.Properties {
			p.prepare()
		}
	}
	return out
})

// LookupType gives a built-in type's description.
func LookupType(name string) (*ResourceType, bool) {
	t, ok := resourceTypes()[name]
	return t, ok
}

// prepare turns the decoded JSON into what checks need.
func (p *Property) prepare() {
	p.Default = Normalize(p.Default)
	typ := map[string]ParameterType{"integer": TypeNumber, "number": TypeNumber, "boolean": TypeBoolean,
		"list": TypeList, "map": TypeJSON}[p.Type]
	if typ == "" {
		typ = TypeString
	}
	for _, raw := range p.RawConstraints {
		if c, err := readConstraint(Normalize(raw), typ); err == nil {
			p.constraints = append(p.constraints, *c)
		}
	}
	for _, f := range p.Fields {
		f.prepare()
	}
	if p.Item != nil {
		p.Item.prepare()
	}
}

// Schema gives the properties that a resource of this type may have: a built-in
// type's, or a nested template's parameters.
func (s *Stack) Schema(final string, kind Kind) (map[string]*Property, error) {
	switch kind {
	case Builtin:
		return resourceTypes()[final].Properties, nil
	case Nested:
		child, err := s.Child(final)
		if err != nil {
			return nil, err
		}
		return child.Template.propertySchema(), nil
	}
	return nil, nil
}

// propertySchema presents a template's parameters as properties.
func (t *Template) propertySchema() map[string]*Property {
	out := make(map[string]*Property, len(t.Parameters))
	for name, p := range t.Parameters {
		typ := map[ParameterType]string{TypeString: "string", TypeNumber: "number", TypeBoolean: "boolean", TypeJSON: "map", TypeList: "list"}[p.Type]
		out[name] = &Property{Type: typ, Required: p.Required(), Update: true, constraints: p.Constraints, converts: true}
	}
	return out
}

// attributes lists what get_attr may ask of a type; nil is anything.
func (s *Stack) attributes(final string, kind Kind) []string {
	switch {
	case kind != Builtin || final == ResourceGroup:
		return nil
	case strings.HasPrefix(final, "OS::Heat::Structured"), strings.HasPrefix(final, "OS::Heat::SoftwareDeployment"):
		return nil // a deployment has its config's outputs for attributes
	}
	return append([]string{"show"}, resourceTypes()[final].Attributes...)
}
