package hot

import (
	"fmt"
)

// Resolver supplies what only a running stack knows. Without one, as when a
// template is merely checked, such values are [Unknown].
type Resolver interface {
	// ResourceID is what get_resource gives for a resource of this template.
	ResourceID(name string) (any, error)
	// Attribute is what get_attr gives; attribute is empty for all of them.
	// The path behind the attribute is followed by the evaluator, unless the
	// resolver says it did so itself.
	Attribute(name, attribute string, path []any) (value any, followed bool, err error)
}

// Pseudo are the parameters that every stack has without declaring them.
type Pseudo struct{ StackID, StackName, ProjectID, Region string }

// Scope is a stack with values for its parameters: all that evaluation needs.
// It is not safe for concurrent use.
type Scope struct {
	Stack    *Stack
	Resolver Resolver
	// Values holds every declared parameter that has a value, and the pseudo
	// parameters.
	Values map[string]any

	conditions map[string]*conditionState
	enabled    map[string]bool
	steps      int
	bytes      int
}

// Scope parses and checks parameter values. Given values come on top of the
// environment's. The error is the first in Heat's order: unknown, missing,
// invalid.
func (s *Stack) Scope(given map[string]any, p Pseudo) (*Scope, error) {
	sc, errs := s.scope(given, p, false)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return sc, nil
}

// scope is Scope with all errors. A lenient one leaves out what has no value,
// as Heat does for nested stacks that it only validates.
func (s *Stack) scope(given map[string]any, p Pseudo, lenient bool) (*Scope, []error) {
	values := s.Parameters(given)
	var unknowns, missing, bad []error
	for _, k := range sortedKeys(values) {
		if _, ok := s.Template.Parameters[k]; !ok {
			unknowns = append(unknowns, &Error{Kind: KindUnknownParameter, Message: fmt.Sprintf("The Parameter (%s) was not defined in template.", k)})
		}
	}
	sc := &Scope{Stack: s, Values: map[string]any{
		"OS::stack_id": p.StackID, "OS::stack_name": p.StackName, "OS::project_id": p.ProjectID, "OS::region": p.Region,
	}}
	for _, name := range s.Template.parameterOrder {
		v, err := s.Template.Parameters[name].Value(values[name])
		if e, ok := err.(*Error); ok && e.Kind == KindMissingParameter {
			if !lenient {
				missing = append(missing, err)
			}
			continue
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		sc.Values[name] = v
	}
	return sc, append(append(unknowns, missing...), bad...)
}

// Evaluate resolves every function in a value.
func (sc *Scope) Evaluate(v any) (any, error) {
	if sc.Stack.Template.literal {
		return v, nil
	}
	sc.steps, sc.bytes = 0, 0
	out, err := sc.eval(v, 0)
	if _, none := out.(omitted); none {
		out = nil
	}
	return out, err
}

// spend counts work and refuses more than a template can reasonably need.
func (sc *Scope) spend(steps, bytes int) error {
	sc.steps += steps
	sc.bytes += bytes
	if sc.steps > maxSteps || sc.bytes > maxValueBytes {
		return limitf("The value is too large to be evaluated.")
	}
	return nil
}

func (sc *Scope) eval(v any, depth int) (any, error) {
	if err := sc.spend(1, 0); err != nil {
		return nil, err
	}
	if depth > 2*maxYAMLDepth {
		return nil, limitf("The value is %s.", errTooDeep)
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			r, err := sc.eval(x, depth+1)
			if err != nil {
				return nil, err
			}
			if _, none := r.(omitted); !none {
				out = append(out, r)
			}
		}
		return out, nil
	case map[string]any:
		if name, args, ok := sc.Stack.Template.function(v); ok {
			return sc.call(name, args, depth+1)
		}
		out := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) {
			r, err := sc.eval(v[k], depth+1)
			if err != nil {
				return nil, err
			}
			if _, none := r.(omitted); !none {
				out[k] = r
			}
		}
		return out, nil
	}
	return v, nil
}

// OutputEnabled says whether an output's condition holds.
func (sc *Scope) OutputEnabled(o *Output) (bool, error) {
	return sc.holds(o.Condition)
}

// Output evaluates one output.
func (sc *Scope) Output(name string) (any, error) {
	o, ok := sc.Stack.Template.Outputs[name]
	if !ok {
		return nil, &Error{Kind: KindNotFound, Message: fmt.Sprintf("Specified output key %s not found.", name)}
	}
	return sc.Evaluate(o.Value)
}
