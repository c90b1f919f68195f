package hot

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// checker holds properties against a schema. lenient skips the values, which
// is how Heat validates the stacks inside a stack before it creates any.
type checker struct {
	lenient bool
}

// properties checks a map of evaluated properties and gives them in their
// types. Null values are left out, as Heat leaves them out. path is where the
// map stands.
func (c checker) properties(schema map[string]*Property, given map[string]any, path []string) (map[string]any, []error) {
	var errs []error
	fail := func(path []string, format string, args ...any) {
		errs = append(errs, &Error{Kind: KindValidation, Summary: "Property error", Path: path, Message: fmt.Sprintf(format, args...)})
	}
	for _, k := range sortedKeys(given) {
		if _, ok := schema[k]; !ok {
			fail(path, "Unknown Property %s", k)
		}
	}
	out := make(map[string]any, len(given))
	for _, k := range sortedKeys(schema) {
		p := schema[k]
		v := given[k]
		if v == nil {
			// Older templates say network_id where newer ones say network.
			_, aliased := schema[k+"_id"]
			if p.Required && !c.lenient && !(aliased && given[k+"_id"] != nil) {
				fail(path, "Property %s not assigned", k)
			}
			continue
		}
		if c.lenient {
			out[k] = v
			continue
		}
		typed, sub := c.value(p, v, append(append([]string{}, path...), k))
		if len(sub) > 0 {
			errs = append(errs, sub...)
			continue
		}
		out[k] = typed
	}
	return out, errs
}

func (c checker) value(p *Property, v any, path []string) (any, []error) {
	if v == Unknown {
		return v, nil
	}
	one := func(err error) []error {
		return []error{&Error{Kind: KindValidation, Summary: "Property error", Path: path, Message: err.Error()}}
	}
	out, err := p.convert(v)
	if err != nil {
		return nil, one(err)
	}
	var errs []error
	switch x := out.(type) {
	case map[string]any:
		if p.Fields != nil {
			out, errs = c.properties(p.Fields, x, path)
		}
	case []any:
		if p.Item != nil {
			out, errs = c.items(p.Item, x, path)
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	if HasUnknown(out) {
		return out, nil
	}
	for _, con := range p.constraints {
		if err := con.check(out, v); err != nil {
			return nil, one(err)
		}
	}
	return out, nil
}

func (c checker) items(item *Property, list []any, path []string) (any, []error) {
	out := make([]any, 0, len(list))
	var errs []error
	for i, x := range list {
		r, sub := c.value(item, x, append(append([]string{}, path...), strconv.Itoa(i)))
		errs = append(errs, sub...)
		out = append(out, r)
	}
	return out, errs
}

// convert reads a value as the property's type.
func (p *Property) convert(v any) (any, error) {
	switch p.Type {
	case "string":
		switch v := v.(type) {
		case string:
			return v, nil
		case bool, int:
			return text(v), nil
		}
		return nil, fmt.Errorf("Value must be a string; got %s", repr(v))
	case "integer":
		return toInteger(v)
	case "number":
		return toNumber(v)
	case "boolean":
		return toBool(v)
	case "map":
		return p.toMap(v)
	case "list":
		if s, ok := v.(string); ok && p.converts {
			return splitList(s), nil
		}
		if l, ok := v.([]any); ok {
			return l, nil
		}
		return nil, fmt.Errorf(`"%s" is not a list`, repr(v))
	}
	return v, nil
}

func toInteger(v any) (any, error) {
	switch v := v.(type) {
	case int:
		return v, nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case float64:
		return int(v), nil
	case string:
		if i, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			return i, nil
		}
		return nil, fmt.Errorf("Value '%s' is not an integer", v)
	}
	return nil, fmt.Errorf("int() argument must be a string, a bytes-like object or a real number, not '%s'", pyTypeName(v))
}

func toBool(v any) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if s := strings.ToLower(v); s == "true" || s == "false" {
			return s == "true", nil
		}
		return nil, fmt.Errorf("%q is not a valid boolean", strings.ToLower(v))
	}
	return nil, fmt.Errorf(`"%s" is not a valid boolean`, text(v))
}

func (p *Property) toMap(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case string:
		if p.converts {
			return v, nil // the parameter reads it
		}
	case []any:
		if p.converts {
			return v, nil
		}
	}
	return nil, errors.New(`"` + text(v) + `" is not a map`)
}

// Check evaluates a resource's properties and holds them against its type. The
// result is in the types of the schema, without nulls and without defaults.
func (sc *Scope) Check(r *Resource) (map[string]any, []error) {
	return sc.check(r, checker{})
}

func (sc *Scope) check(r *Resource, c checker) (map[string]any, []error) {
	final, kind, err := sc.Stack.Resolve(r.Type)
	if err != nil {
		return nil, []error{err}
	}
	if kind == Nothing {
		return nil, nil
	}
	schema, err := sc.Stack.Schema(final, kind)
	if err != nil {
		return nil, []error{err}
	}
	var errs []error
	values := make(map[string]any, len(r.Properties))
	for _, k := range sortedKeys(r.Properties) {
		if _, ok := schema[k]; !ok {
			values[k] = Unknown // never evaluated: the name alone is the fault
			continue
		}
		v, err := sc.Evaluate(r.Properties[k])
		if err != nil {
			values[k] = Unknown
			if e, ok := err.(*Error); ok && e.Kind == KindMissingParameter && c.lenient {
				continue
			}
			errs = append(errs, evaluationError(err, []string{"resources", r.Name, "properties", k}))
			continue
		}
		values[k] = v
	}
	if final == "OS::Heat::Value" {
		schema = typedValue(schema, values["type"])
	}
	out, more := c.properties(schema, values, []string{"resources", r.Name, "properties"})
	return out, append(more, errs...)
}

// typedValue is the schema of a value whose type is given. Unlike a parameter, it
// has to be of that type as it stands: a list is no json.
func typedValue(schema map[string]*Property, kind any) map[string]*Property {
	name, _ := kind.(string)
	of, ok := map[string]string{
		"string": "string", "number": "number", "boolean": "boolean", "comma_delimited_list": "list", "json": "map",
	}[name]
	if !ok {
		return schema
	}
	typed, value := maps.Clone(schema), *schema["value"]
	value.Type = of
	typed["value"] = &value
	return typed
}

// evaluationError places the failure of a function inside a property.
func evaluationError(err error, path []string) error {
	if e, ok := err.(*Error); ok && (e.Kind == KindReference || e.Kind == KindLimit) {
		return e
	}
	return within(err, "Property error", path...)
}
