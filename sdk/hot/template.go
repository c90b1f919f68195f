package hot

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is one parsed template. Values below the sections are as written,
// functions not yet evaluated; see [Scope] for that.
type Template struct {
	// Name is what the template was loaded as: a file name, or as the caller
	// says.
	Name        string
	Version     string // as written: a date or a release name
	Description string
	Parameters  map[string]*Parameter
	Conditions  map[string]any
	Resources   map[string]*Resource
	Outputs     map[string]*Output
	// Raw is the whole document.
	Raw map[string]any

	parameterOrder, resourceOrder, outputOrder []string
	level                                      int // index in versions
	// literal templates are made by a group from values that are evaluated
	// already; nothing in them is a function.
	literal bool
}

// Resource is one entry of a template's resources section.
type Resource struct {
	Name           string
	Type           string
	Description    string
	Properties     map[string]any
	DependsOn      []string
	Condition      any // nil, a condition's name, or a bool
	Metadata       map[string]any
	DeletionPolicy string // Delete, Retain or Snapshot
	UpdatePolicy   map[string]any
	ExternalID     any
}

// Output is one entry of a template's outputs section.
type Output struct {
	Name        string
	Description string
	Value       any
	Condition   any
}

// ParameterNames lists the declared parameters in the template's order.
func (t *Template) ParameterNames() []string { return slices.Clone(t.parameterOrder) }

// ResourceNames lists the resources in the template's order.
func (t *Template) ResourceNames() []string { return slices.Clone(t.resourceOrder) }

// OutputNames lists the outputs in the template's order.
func (t *Template) OutputNames() []string { return slices.Clone(t.outputOrder) }

// versions in the order of their age; a release's name is an alias.
var versions = []string{"2013-05-23", "2014-10-16", "2015-04-30", "2015-10-15", "2016-04-08", "2016-10-14",
	"2017-02-24", "2017-09-01", "2018-03-02", "2018-08-31", "2021-04-16"}

var releases = []string{"newton", "ocata", "pike", "queens", "rocky", "wallaby"} // the last of versions

// Levels at which the language grew.
const (
	level2015April   = 2
	level2015October = 3
	levelMapMerge    = 4
	levelNewton      = 5
	levelOcata       = 6
	levelPike        = 7
	levelWallaby     = 10
)

func levelOf(version string) (int, bool) {
	if i := slices.Index(versions, version); i >= 0 {
		return i, true
	}
	if i := slices.Index(releases, version); i >= 0 {
		return len(versions) - len(releases) + i, true
	}
	return 0, false
}

// Parse reads one template. The errors are those Heat gives before it looks at
// a single parameter value: format, version, unknown sections and keywords, and
// faulty declarations.
func Parse(name string, body []byte) (*Template, error) {
	root, err := parseYAML(body)
	if err != nil {
		if e, ok := err.(*Error); ok {
			return nil, e
		}
		return nil, &Error{Kind: KindFormat, Message: fmt.Sprintf("Template not in valid format: Error parsing template %s %s", name, err)}
	}
	notMapping := &Error{Kind: KindFormat, Message: "Template not in valid format: The template is not a JSON object or YAML mapping."}
	noVersion := &Error{Kind: KindFormat, Message: "Template not in valid format: Template format version not found."}
	if root == nil {
		return nil, noVersion
	}
	d := &decoder{}
	top, err := d.mapping(root, 0)
	if err != nil {
		return nil, notMapping
	}
	t := &Template{Name: name, Parameters: map[string]*Parameter{}, Resources: map[string]*Resource{}, Outputs: map[string]*Output{}, Raw: map[string]any{}}
	for _, k := range top.keys {
		if t.Raw[k], err = d.value(top.values[k], 1); err != nil {
			return nil, &Error{Kind: KindFormat, Message: fmt.Sprintf("Template not in valid format: Error parsing template %s %s", name, err)}
		}
	}
	v, ok := t.Raw["heat_template_version"]
	if !ok {
		return nil, noVersion
	}
	t.Version = text(v)
	if t.level, ok = levelOf(t.Version); !ok {
		known := append(slices.Clone(versions), releases...)
		return nil, &Error{Kind: KindVersion, Message: fmt.Sprintf(
			`The template version is invalid: "heat_template_version: %s". "heat_template_version" should be one of: %s`, t.Version, strings.Join(known, ", "))}
	}
	if err := t.readSections(top, d); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Template) readSections(top *ordered, d *decoder) error {
	known := []string{"heat_template_version", "description", "parameter_groups", "parameters", "resources", "outputs"}
	if t.level >= levelNewton {
		known = append(known, "conditions")
	}
	for _, k := range top.keys {
		if !slices.Contains(known, k) {
			return invalidf("The template section is invalid: %s", k)
		}
	}
	if s, ok := t.Raw["description"].(string); ok {
		t.Description = s
	}
	if err := t.readParameters(section(top, d, "parameters")); err != nil {
		return err
	}
	if c := t.Raw["conditions"]; c != nil {
		m, ok := c.(map[string]any)
		if !ok {
			return &Error{Kind: KindValidation, Summary: "Condition validation error", Message: "The definition of conditions must be a map"}
		}
		t.Conditions = m
	}
	if err := t.readResources(section(top, d, "resources")); err != nil {
		return err
	}
	return t.readOutputs(section(top, d, "outputs"))
}

// section gives the keys of a section in order, and nothing for one that is
// absent or empty; Heat takes an empty list for an empty mapping.
func section(top *ordered, d *decoder, name string) []string {
	n, ok := top.values[name]
	if !ok {
		return nil
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	o, err := d.mapping(n, 1)
	if err != nil {
		return nil
	}
	return o.keys
}

func (t *Template) readResources(order []string) error {
	all, ok := t.Raw["resources"].(map[string]any)
	if !ok {
		if l, isList := t.Raw["resources"].([]any); t.Raw["resources"] != nil && (!isList || len(l) > 0) {
			return invalidf(`"resources" must contain a map of resource maps. Found a [%s] instead`, pyType(t.Raw["resources"]))
		}
		return nil
	}
	for _, name := range order {
		m, ok := all[name].(map[string]any)
		if !ok {
			return invalidf(`"resources" must contain a map of resource maps. Found a [%s] instead`, pyType(all[name]))
		}
		r, err := t.readResource(name, m)
		if err != nil {
			return err
		}
		t.Resources[name] = r
	}
	t.resourceOrder = order
	return nil
}

func (t *Template) readResource(name string, m map[string]any) (*Resource, error) {
	allowed := []string{"type", "properties", "metadata", "depends_on", "deletion_policy", "update_policy", "description"}
	if t.level >= levelNewton {
		allowed = append(allowed, "condition", "external_id")
	}
	for k := range m {
		if !slices.Contains(allowed, k) {
			return nil, invalidf("%q is not a valid keyword inside a resource definition", k)
		}
	}
	typ, ok := m["type"]
	if !ok {
		return nil, invalidf("Each resource must contain a type key.")
	}
	r := &Resource{Name: name, Condition: m["condition"], ExternalID: m["external_id"], DeletionPolicy: "Delete"}
	if r.Type, ok = typ.(string); !ok {
		return nil, invalidf("Resource %s type type must be string", name)
	}
	switch c := r.Condition.(type) {
	case nil, bool, string:
	default:
		if _, _, ok := t.conditionCall(c); !ok {
			return nil, invalidf("Resource %s condition type must be string_or_boolean", name)
		}
	}
	if s, ok := m["description"].(string); ok {
		r.Description = s
	}
	var err error
	if r.Properties, err = objectOf(m["properties"], name, "properties"); err != nil {
		return nil, err
	}
	if r.Metadata, err = objectOf(m["metadata"], name, "metadata"); err != nil {
		return nil, err
	}
	if r.UpdatePolicy, err = objectOf(m["update_policy"], name, "update_policy"); err != nil {
		return nil, err
	}
	if r.DependsOn, err = dependsOn(m["depends_on"], name); err != nil {
		return nil, err
	}
	if p, ok := m["deletion_policy"].(string); ok {
		i := slices.Index([]string{"delete", "retain", "snapshot"}, strings.ToLower(p))
		if i < 0 {
			return nil, invalidf("Invalid deletion policy %q", p)
		}
		r.DeletionPolicy = []string{"Delete", "Retain", "Snapshot"}[i]
	}
	return r, nil
}

func objectOf(v any, resource, what string) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, invalidf("Resource %s %s type must be object", resource, what)
	}
	return m, nil
}

func dependsOn(v any, resource string) ([]string, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []any:
		out := make([]string, 0, len(v))
		for _, x := range v {
			out = append(out, text(x))
		}
		return out, nil
	}
	return nil, invalidf("Resource %s depends_on type must be list or string", resource)
}

func (t *Template) readOutputs(order []string) error {
	all, _ := t.Raw["outputs"].(map[string]any)
	for _, name := range order {
		bad := func(format string, args ...any) error {
			return &Error{Kind: KindValidation, Summary: "Output validation error", Path: []string{"outputs", name}, Message: fmt.Sprintf(format, args...)}
		}
		m, ok := all[name].(map[string]any)
		if !ok {
			return bad("Output definitions must be a map. Found a %s instead", pyTypeName(all[name]))
		}
		if _, ok := m["value"]; !ok {
			return bad("Each output definition must contain a value key.")
		}
		o := &Output{Name: name, Value: m["value"], Condition: m["condition"]}
		if s, ok := m["description"].(string); ok {
			o.Description = s
		}
		t.Outputs[name] = o
	}
	t.outputOrder = order
	return nil
}

func pyType(v any) string { return "<class '" + pyTypeName(v) + "'>" }

func pyTypeName(v any) string {
	name := "NoneType"
	switch v.(type) {
	case bool:
		name = "bool"
	case int:
		name = "int"
	case float64:
		name = "float"
	case string:
		name = "str"
	case []any:
		name = "list"
	case map[string]any:
		name = "dict"
	}
	return name
}
