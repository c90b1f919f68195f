package hot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParameterType is the type of a parameter, as templates spell it.
type ParameterType string

// The types of parameters.
const (
	TypeString  ParameterType = "string"
	TypeNumber  ParameterType = "number"
	TypeJSON    ParameterType = "json"
	TypeList    ParameterType = "comma_delimited_list"
	TypeBoolean ParameterType = "boolean"
)

// Parameter is one entry of a template's parameters section.
type Parameter struct {
	Name        string
	Type        ParameterType
	Label       string
	Description string
	// Default is as written; HasDefault tells a null default, which counts as
	// none, from a real one.
	Default     any
	HasDefault  bool
	Hidden      bool
	Immutable   bool
	Constraints []Constraint
}

// Required says that a value must be given.
func (p *Parameter) Required() bool { return !p.HasDefault }

func (t *Template) readParameters(order []string) error {
	all, _ := t.Raw["parameters"].(map[string]any)
	for _, name := range order {
		p, err := t.readParameter(name, all[name])
		if err != nil {
			return err
		}
		t.Parameters[name] = p
	}
	t.parameterOrder = order
	return nil
}

var parameterKeys = []string{"type", "description", "label", "default", "hidden", "constraints", "immutable", "tags"}

func (t *Template) readParameter(name string, v any) (*Parameter, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, schemaf("Invalid parameter (%s), expected a mapping", name)
	}
	for k := range m {
		if !slices.Contains(parameterKeys, k) {
			return nil, schemaf("Invalid key '%s' for parameter (%s)", k, name)
		}
	}
	typ, ok := m["type"]
	if !ok {
		return nil, schemaf("Missing parameter type for parameter: %s", name)
	}
	p := &Parameter{Name: name, Type: ParameterType(text(typ)), Default: m["default"], HasDefault: m["default"] != nil}
	switch p.Type {
	case TypeString, TypeNumber, TypeJSON, TypeList, TypeBoolean:
	default:
		return nil, schemaf("Invalid type (%s)", p.Type)
	}
	if s, ok := m["label"].(string); ok {
		p.Label = s
	}
	if s, ok := m["description"].(string); ok {
		p.Description = s
	}
	p.Hidden = truthy(m["hidden"])
	p.Immutable = truthy(m["immutable"])
	if p.Type == TypeList && p.HasDefault {
		if _, isMap := p.Default.(map[string]any); isMap {
			return nil, schemaf("Default must be a comma-delimited list string: %s", repr(p.Default))
		}
	}
	list, ok := m["constraints"].([]any)
	if !ok && m["constraints"] != nil {
		return nil, schemaf("Invalid parameter constraints for parameter %s, expected a list", name)
	}
	for _, c := range list {
		c, err := readConstraint(c, p.Type)
		if err != nil {
			if strings.Contains(err.Message, "constraint invalid for") {
				err.Message = fmt.Sprintf("Parameter '%s' is invalid: %s", name, err.Message)
			}
			return nil, err
		}
		p.Constraints = append(p.Constraints, *c)
	}
	if err := p.checkDefault(); err != nil {
		return nil, err
	}
	return p, nil
}

// checkDefault refuses a default that the constraints forbid. A default of the
// wrong type is not looked at here: Heat notices it only when it is used.
func (p *Parameter) checkDefault() error {
	if !p.HasDefault {
		return nil
	}
	v, err := p.parse(p.Default)
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	for _, c := range p.Constraints {
		if err := c.check(v, p.Default); err != nil {
			return schemaf("Parameter '%s' is invalid: Invalid default %s (%s)", p.Name, text(p.Default), err)
		}
	}
	return nil
}

// Value parses and checks a value given for the parameter, or its default if v
// is nil.
func (p *Parameter) Value(v any) (any, error) {
	v = Normalize(v)
	if v == nil {
		if !p.HasDefault {
			return nil, missingParameter(p.Name)
		}
		v = p.Default
	}
	if HasUnknown(v) {
		return Unknown, nil
	}
	out, err := p.parse(v)
	if err == nil {
		for _, c := range p.Constraints {
			if err = c.check(out, v); err != nil {
				break
			}
		}
	}
	if err != nil {
		return nil, invalidf("Parameter '%s' is invalid: %s", p.Name, err)
	}
	return out, nil
}

// parse turns a value into the parameter's type.
func (p *Parameter) parse(v any) (any, error) {
	switch p.Type {
	case TypeNumber:
		return toNumber(v)
	case TypeBoolean:
		return toBoolean(text(v))
	case TypeJSON:
		return parseJSONParameter(v)
	case TypeList:
		switch v := v.(type) {
		case []any:
			out := make([]any, len(v))
			for i, x := range v {
				out[i] = text(x)
			}
			return out, nil
		case string:
			return splitList(v), nil
		default:
			return nil, fmt.Errorf("Value must be a comma-delimited list string: '%s' object has no attribute 'split'", pyTypeName(v))
		}
	}
	return text(v), nil
}

func parseJSONParameter(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	if s == "" {
		return map[string]any{}, nil
	}
	out, err := decodeJSON(s)
	if err != nil {
		return nil, fmt.Errorf("Value must be valid JSON: %w", err)
	}
	return out, nil
}

// splitList cuts at commas and trims; the empty text is the empty list.
func splitList(s string) []any {
	if s == "" {
		return []any{}
	}
	parts := strings.Split(s, ",")
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = strings.TrimSpace(p)
	}
	return out
}

func toNumber(v any) (any, error) {
	switch v := v.(type) {
	case int, float64:
		return v, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case string:
		s := strings.TrimSpace(v)
		if i, err := strconv.Atoi(s); err == nil {
			return i, nil
		}
		// Go reads more than Python does: 0x1p-2.
		if f, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "xX") {
			return f, nil
		}
		return nil, fmt.Errorf("could not convert string to float: %s", repr(v))
	}
	return nil, fmt.Errorf("int() argument must be a string, a bytes-like object or a real number, not '%s'", pyTypeName(v))
}

var (
	trueWords  = []string{"1", "t", "true", "on", "y", "yes"}
	falseWords = []string{"0", "f", "false", "off", "n", "no"}
)

func toBoolean(s string) (any, error) {
	w := strings.ToLower(strings.TrimSpace(s))
	if slices.Contains(trueWords, w) {
		return true, nil
	}
	if slices.Contains(falseWords, w) {
		return false, nil
	}
	words := slices.Sorted(slices.Values(append(slices.Clone(trueWords), falseWords...)))
	return nil, fmt.Errorf("Unrecognized value '%s', acceptable values are: '%s'", s, strings.Join(words, "', '"))
}

func truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return slices.Contains(trueWords, strings.ToLower(v))
	}
	return false
}

// length is how long Heat finds a value: characters, items or keys.
func length(v any) (int, bool) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	}
	return 0, false
}

// compilePattern anchors a pattern at both ends, as Heat's full match does.
func compilePattern(s string) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + s + `)$`)
}
