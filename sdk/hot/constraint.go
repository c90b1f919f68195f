package hot

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// Constraint limits the values of a parameter or property. Exactly one of its
// parts is set; Description, if any, is what users read when it is broken.
type Constraint struct {
	Description   string
	Length        *Bounds
	Range         *Bounds
	Step, Offset  int   // modulo, if Step is not 0
	AllowedValues []any // nil unless this is an allowed_values constraint
	Pattern       string
	// Custom names a constraint that needs a cloud to check, such as
	// nova.flavor; it is never checked here.
	Custom string

	pattern *regexp.Regexp
}

// Bounds are inclusive; nil is open.
type Bounds struct{ Min, Max *float64 }

func (b *Bounds) contains(v float64) bool {
	return (b.Min == nil || v >= *b.Min) && (b.Max == nil || v <= *b.Max)
}

func (b *Bounds) String() string {
	return fmt.Sprintf("(min: %s, max: %s)", boundText(b.Min), boundText(b.Max))
}

func boundText(f *float64) string {
	switch {
	case f == nil:
		return "None"
	case *f == math.Trunc(*f):
		return fmt.Sprintf("%.0f", *f)
	}
	return repr(*f)
}

func readBounds(v any) (*Bounds, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	b := &Bounds{}
	for k, x := range m {
		n, err := toNumber(x)
		if err != nil {
			return nil, false
		}
		f := toFloat(n)
		switch k {
		case "min":
			b.Min = &f
		case "max":
			b.Max = &f
		default:
			return nil, false
		}
	}
	return b, b.Min != nil || b.Max != nil
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case int:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// readConstraint reads one entry of a constraints list and holds it against
// the type it is for.
func readConstraint(v any, typ ParameterType) (*Constraint, *Error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, schemaf("Invalid parameter constraints, expected a mapping")
	}
	c := &Constraint{}
	var name string
	var valid []ParameterType
	for k, x := range m {
		switch k {
		case "description":
			c.Description, _ = x.(string)
			continue
		case "length":
			name, valid = "Length", []ParameterType{TypeString, TypeList, TypeJSON}
			if c.Length, ok = readBounds(x); !ok {
				return nil, schemaf("A length constraint must have a min value and/or a max value specified.")
			}
		case "range":
			name, valid = "Range", []ParameterType{TypeNumber}
			if c.Range, ok = readBounds(x); !ok {
				return nil, schemaf("A range constraint must have a min value and/or a max value specified.")
			}
		case "modulo":
			name, valid = "Modulo", []ParameterType{TypeNumber}
			mm, _ := x.(map[string]any)
			step, ok1 := mm["step"].(int)
			offset, ok2 := mm["offset"].(int)
			if !ok1 || !ok2 {
				return nil, schemaf("A modulo constraint must have a step value and an offset value specified.")
			}
			if step == 0 {
				return nil, schemaf("step cannot be 0.")
			}
			c.Step, c.Offset = step, offset
		case "allowed_values":
			name, valid = "AllowedValues", []ParameterType{TypeString, TypeNumber, TypeBoolean, TypeList}
			if c.AllowedValues, ok = x.([]any); !ok {
				return nil, schemaf("AllowedValues must be a list")
			}
		case "allowed_pattern":
			name, valid = "AllowedPattern", []ParameterType{TypeString}
			if c.Pattern, ok = x.(string); !ok {
				return nil, schemaf("AllowedPattern must be a string")
			}
			// What Go cannot compile (look-around) is not checked.
			c.pattern, _ = compilePattern(c.Pattern)
		case "custom_constraint":
			name, valid = "CustomConstraint", []ParameterType{TypeString, TypeNumber, TypeBoolean, TypeList}
			c.Custom = text(x)
		default:
			return nil, schemaf("Invalid key '%s' for parameter constraints", k)
		}
	}
	if name == "" {
		return nil, schemaf("No constraint expressed")
	}
	if !slices.Contains(valid, typ) {
		return nil, schemaf("%s constraint invalid for %s", name, typ)
	}
	return c, nil
}

// check holds a parsed value against the constraint; given is how the value
// was written.
func (c *Constraint) check(v, given any) error {
	msg := c.broken(v, given)
	if msg == "" {
		return nil
	}
	if c.Description != "" {
		msg = c.Description
	}
	return fmt.Errorf("%s", msg)
}

func (c *Constraint) broken(v, given any) string {
	switch {
	case c.Length != nil:
		if n, ok := length(v); ok && !c.Length.contains(float64(n)) {
			return fmt.Sprintf("length (%d) is out of range %s", n, c.Length)
		}
	case c.Range != nil:
		if f, ok := numeric(v); ok && !c.Range.contains(f) {
			return fmt.Sprintf("%s is out of range %s", text(v), c.Range)
		}
	case c.Step != 0:
		if i, ok := v.(int); ok && (i-c.Offset)%c.Step != 0 {
			return fmt.Sprintf("%d is not a multiple of %d with an offset of %d", i, c.Step, c.Offset)
		}
	case c.AllowedValues != nil:
		return c.notAllowed(v, given)
	case c.pattern != nil:
		if s, ok := v.(string); ok && !c.pattern.MatchString(s) {
			return fmt.Sprintf(`%q does not match pattern "%s"`, s, c.Pattern)
		}
	}
	return ""
}

func (c *Constraint) notAllowed(v, given any) string {
	items, isList := v.([]any)
	if isList {
		given = v
	} else {
		items = []any{v}
	}
	for _, item := range items {
		if !slices.ContainsFunc(c.AllowedValues, func(a any) bool { return sameValue(a, item) }) {
			allowed := make([]string, len(c.AllowedValues))
			for i, a := range c.AllowedValues {
				allowed[i] = dumps(a)
			}
			return fmt.Sprintf("%s is not an allowed value [%s]", dumps(given), strings.Join(allowed, ", "))
		}
	}
	return ""
}

// sameValue compares loosely: the allowed value may be written as a number
// where the parameter is a string.
func sameValue(a, b any) bool {
	if fa, ok := numeric(a); ok {
		if fb, ok := numeric(b); ok {
			return fa == fb
		}
	}
	return text(a) == text(b)
}

func numeric(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
