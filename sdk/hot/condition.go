package hot

import (
	"fmt"
)

// conditionState remembers a condition's value, or that it is being worked out.
type conditionState struct {
	done  bool
	value bool
}

// Enabled says whether a resource's condition holds.
func (sc *Scope) Enabled(r *Resource) (bool, error) {
	if on, ok := sc.enabled[r.Name]; ok {
		return on, nil
	}
	on, err := sc.holds(r.Condition)
	if e, ok := err.(*Error); ok && e.Summary != "" {
		return false, e // about the condition itself, not about its use here
	}
	if err != nil {
		return false, within(err, "", "resources", r.Name, "condition")
	}
	if sc.enabled == nil {
		sc.enabled = map[string]bool{}
	}
	sc.enabled[r.Name] = on
	return on, nil
}

// holds evaluates what stands at "condition:": nothing, a bool, or a name. From
// Wallaby on a condition function may stand there too.
func (sc *Scope) holds(c any) (bool, error) {
	switch c := c.(type) {
	case nil:
		return true, nil
	case bool:
		return c, nil
	case string:
		return sc.condition(c)
	case map[string]any:
		v, err := sc.evalCondition(c, 0)
		if err != nil {
			return false, err
		}
		if b, ok := v.(bool); ok {
			return b, nil
		}
	}
	return false, fmt.Errorf("Invalid condition \"%s\"", text(c))
}

// condition evaluates a named condition once.
func (sc *Scope) condition(name string) (bool, error) {
	def, ok := sc.Stack.Template.Conditions[name]
	if !ok {
		return false, fmt.Errorf("Invalid condition \"%s\"", name)
	}
	if st := sc.conditions[name]; st != nil {
		if !st.done {
			return false, &Error{Kind: KindValidation, Summary: "Condition validation error",
				Message: fmt.Sprintf("Circular definition for condition %q", name)}
		}
		return st.value, nil
	}
	st := &conditionState{}
	if sc.conditions == nil {
		sc.conditions = map[string]*conditionState{}
	}
	sc.conditions[name] = st
	v, err := sc.evalCondition(def, 0)
	if err != nil {
		delete(sc.conditions, name)
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		delete(sc.conditions, name)
		return false, badCondition(name, def)
	}
	st.done, st.value = true, b
	return b, nil
}

func badCondition(name string, def any) *Error {
	return &Error{Kind: KindValidation, Summary: "Condition validation error",
		Message: fmt.Sprintf("The definition of condition %q is invalid: %s", name, text(def))}
}

var conditionFunctions = map[string]int{"get_param": levelNewton, "equals": levelNewton, "not": levelNewton,
	"and": levelNewton, "or": levelNewton, "contains": levelPike}

// conditionCall splits a condition function from its arguments.
func (t *Template) conditionCall(v any) (string, any, bool) {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return "", nil, false
	}
	for name, args := range m {
		if level, ok := conditionFunctions[name]; ok && t.level >= level {
			return name, args, true
		}
	}
	return "", nil, false
}

// evalCondition resolves the functions that conditions may use.
func (sc *Scope) evalCondition(v any, depth int) (any, error) {
	if err := sc.spend(1, 0); err != nil {
		return nil, err
	}
	if depth > maxYAMLDepth {
		return nil, limitf("The condition is %s.", errTooDeep)
	}
	name, args, ok := sc.Stack.Template.conditionCall(v)
	if !ok {
		return sc.evalConditionData(v, depth)
	}
	switch name {
	case "get_param":
		return sc.getParam(args, depth+1)
	case "equals", "contains":
		return sc.compare(name, args, depth)
	case "not":
		b, err := sc.operand(args, depth+1)
		return !b, err
	}
	list, ok := args.([]any)
	if !ok {
		return nil, fmt.Errorf("Arguments to %q must be a list of conditions", name)
	}
	for _, c := range list {
		b, err := sc.operand(c, depth+1)
		if err != nil {
			return nil, err
		}
		if b == (name == "or") {
			return b, nil
		}
	}
	return name == "and", nil
}

// evalConditionData resolves what is not a condition function itself but may
// hold one.
func (sc *Scope) evalConditionData(v any, depth int) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			r, err := sc.evalCondition(x, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case map[string]any:
		if name, _, ok := sc.Stack.Template.function(v); ok {
			return nil, fmt.Errorf("The function %q is invalid in this context", name)
		}
	}
	return v, nil
}

func (sc *Scope) compare(name string, args any, depth int) (any, error) {
	pair, ok := args.([]any)
	if !ok || len(pair) != 2 {
		return nil, fmt.Errorf("%s", badPair(name))
	}
	a, err := sc.evalCondition(pair[0], depth+1)
	if err != nil {
		return nil, err
	}
	b, err := sc.evalCondition(pair[1], depth+1)
	if err != nil {
		return nil, err
	}
	if name == "contains" {
		return contains(a, b)
	}
	return equal(a, b), nil
}

func badPair(name string) string {
	if name == "contains" {
		return `Arguments to "contains" must be of the form: [value1, [value1, value2]]`
	}
	return `Arguments to "equals" must be of the form: [value_1, value_2]`
}

// operand evaluates a part of not, and, or: a bool, a name or a function.
func (sc *Scope) operand(v any, depth int) (bool, error) {
	r, err := sc.evalCondition(v, depth)
	if err != nil {
		return false, err
	}
	switch r := r.(type) {
	case bool:
		return r, nil
	case string:
		return sc.condition(r)
	}
	return false, fmt.Errorf("Invalid condition \"%s\"", text(r))
}

// checkConditions looks at every condition's form, used or not.
func (t *Template) checkConditions() []error {
	var errs []error
	for _, name := range sortedKeys(t.Conditions) {
		def := t.Conditions[name]
		if _, isBool := def.(bool); isBool {
			continue
		}
		if _, _, ok := t.conditionCall(def); !ok {
			if fn, _, ok := t.function(def); ok {
				errs = append(errs, &Error{Kind: KindValidation, Path: []string{"conditions", name, fn},
					Message: fmt.Sprintf("The function %q is invalid in this context", fn)})
				continue
			}
			errs = append(errs, badCondition(name, def))
			continue
		}
		if err := t.checkConditionForm(def, []string{"conditions", name}); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

func (t *Template) checkConditionForm(v any, path []string) error {
	name, args, ok := t.conditionCall(v)
	if !ok {
		return nil
	}
	path = append(path, name)
	list, isList := args.([]any)
	msg := ""
	switch name {
	case "equals", "contains":
		if !isList || len(list) != 2 {
			msg = badPair(name)
		}
	case "and", "or":
		if !isList {
			msg = fmt.Sprintf("Arguments to %q must be a list of conditions", name)
		} else if len(list) < 2 {
			msg = fmt.Sprintf("The minimum number of condition arguments to %q is 2.", name)
		}
	case "not":
		if args == nil {
			msg = `Argument to "not" must be a condition`
		}
		list = []any{args}
	}
	if msg != "" {
		return &Error{Kind: KindValidation, Path: path, Message: msg}
	}
	for _, x := range list {
		if err := t.checkConditionForm(x, path); err != nil {
			return err
		}
	}
	return nil
}
