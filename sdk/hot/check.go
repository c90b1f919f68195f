package hot

import (
	"fmt"
	"slices"
	"strings"
)

// Check holds the stack against parameter values and gives all that is wrong,
// in Heat's words: parameters first, then references, conditions, the form of
// functions, and every enabled resource's properties, in nested templates and
// groups too. It is stricter than Heat where Heat looks only later: a nested
// template's missing or invalid parameter is an error here, while Heat accepts
// the stack and then fails to create it. [Stack.Validate] is Heat's own check.
func (s *Stack) Check(params map[string]any) []error {
	v := &validation{strict: true}
	v.root(s, params, Pseudo{})
	return v.errs
}

// Validate does what Heat does before it accepts a stack, and gives the first
// error Heat would give.
func (s *Stack) Validate(params map[string]any, p Pseudo) error {
	v := &validation{}
	v.root(s, params, p)
	if len(v.errs) > 0 {
		return v.errs[0]
	}
	return nil
}

// maxChecked bounds the resources one check looks at, since templates may nest
// one another.
const maxChecked = 10 * MaxResources

type validation struct {
	strict bool
	errs   []error
	seen   int
	full   bool
}

func (v *validation) add(errs ...error) { v.errs = append(v.errs, errs...) }

func (v *validation) root(s *Stack, params map[string]any, p Pseudo) {
	// Heat looks up the types before it looks at a single parameter.
	for _, name := range s.Template.resourceOrder {
		if r := s.Template.Resources[name]; r.Condition == nil && !v.strict {
			if _, _, err := s.Resolve(r.Type); err != nil {
				v.add(err)
			}
		}
	}
	sc, errs := s.scope(params, p, false)
	v.add(errs...)
	if len(errs) == 0 || v.strict {
		v.scope(sc, checker{})
	}
}

func (v *validation) scope(sc *Scope, c checker) {
	t := sc.Stack.Template
	v.add(t.checkConditions()...)
	before := len(v.errs)
	names, _, err := sc.Order()
	if err != nil {
		v.add(err)
		if !v.strict {
			return
		}
		names = v.enabled(sc)
	}
	if len(names) > MaxResources {
		v.add(limitf("Maximum resources per stack exceeded."))
		return
	}
	for _, name := range names {
		if v.seen++; v.seen > maxChecked {
			if !v.full {
				v.full = true
				v.add(limitf("Maximum resources per stack exceeded."))
			}
			return
		}
		v.resource(sc, t.Resources[name], c)
		if !v.strict && len(v.errs) > before {
			return
		}
	}
	for _, name := range t.outputOrder {
		o := t.Outputs[name]
		if on, err := sc.OutputEnabled(o); err != nil {
			v.add(within(err, "", "outputs", name, "condition"))
			continue
		} else if !on {
			continue
		}
		v.add(sc.checkForm(o.Value, []string{"outputs", name, "value"})...)
	}
}

// enabled lists the resources to look at when their order cannot be had.
func (v *validation) enabled(sc *Scope) []string {
	return slices.DeleteFunc(sc.Stack.Template.ResourceNames(), func(name string) bool {
		on, err := sc.Enabled(sc.Stack.Template.Resources[name])
		return err != nil || !on
	})
}

func (v *validation) resource(sc *Scope, r *Resource, c checker) {
	before := len(v.errs)
	for _, k := range sortedKeys(r.Properties) {
		v.add(sc.checkForm(r.Properties[k], []string{"resources", r.Name, "properties", k})...)
	}
	if len(v.errs) > before {
		return
	}
	props, errs := sc.check(r, c)
	v.add(errs...)
	if len(errs) > 0 && !v.strict || props == nil {
		return
	}
	final, kind, err := sc.Stack.Resolve(r.Type)
	if err != nil {
		return // reported by check
	}
	switch {
	case kind == Nested:
		if child, err := sc.Stack.Child(final); err == nil {
			v.child(child, props, r.Name, final)
		}
	case final == ResourceGroup:
		v.group(sc, props, r.Name)
	}
}

func (v *validation) group(sc *Scope, props map[string]any, name string) {
	g := NewGroup(props)
	if g.Count == 0 || g.Type == "" {
		return
	}
	if g.Count > 1 {
		g.Count = 1 // members differ in their index only
	}
	skip := map[string]bool{}
	for _, n := range g.Remove {
		skip[n] = true
	}
	if _, _, err := sc.Stack.Resolve(g.Type); err != nil {
		v.add(err)
		return
	}
	v.groupAttributes(sc, g, name)
	members, err := g.Names(skip)
	if err != nil {
		v.add(err)
		return
	}
	child, err := g.Stack(sc.Stack, members)
	if err != nil {
		v.add(within(err, "", "resources", name+"<nested_stack>"))
		return
	}
	v.child(child, nil, name, "nested_stack")
}

// groupAttributes refuses what is asked of a group's members and no member has.
func (v *validation) groupAttributes(sc *Scope, g *Group, name string) {
	final, kind, err := sc.Stack.Resolve(g.Type)
	if err != nil {
		return
	}
	known := sc.Stack.attributes(final, kind)
	if known == nil {
		return
	}
	own := append([]string{"attributes"}, resourceTypes()[ResourceGroup].Attributes...)
	t := sc.Stack.Template
	seen := map[string]bool{}
	for _, section := range []string{"resources", "outputs"} {
		t.references(t.Raw[section], []string{section}, sc.taken, func(r reference) {
			l, _ := r.args.([]any)
			if r.function != "get_attr" || r.name != name || len(l) < 2 {
				return
			}
			a, ok := l[1].(string)
			if !ok || slices.Contains(own, a) || slices.Contains(known, a) || strings.HasPrefix(a, "resource.") || seen[a] {
				return
			}
			seen[a] = true
			v.add(&Error{Kind: KindValidation, Path: []string{"resources", name + "<nested_stack>", "outputs", a, "Value", "0", "get_attr"},
				Message: fmt.Sprintf("The Referenced Attribute (0 %s) is incorrect.", a)})
		})
	}
}

// child checks a stack inside a stack and puts its errors behind the path to
// it.
func (v *validation) child(child *Stack, params map[string]any, resource, file string) {
	sc, errs := child.scope(params, Pseudo{}, !v.strict)
	if !v.strict {
		// Unknown names were refused as properties; values wait.
		errs = nil
	}
	sub := &validation{strict: v.strict, seen: v.seen, errs: errs}
	sub.scope(sc, checker{lenient: !v.strict})
	v.seen, v.full = sub.seen, v.full || sub.full
	for _, err := range sub.errs {
		if e, ok := err.(*Error); ok && e.Kind == KindLimit {
			v.add(e)
			continue
		}
		v.add(within(err, "", "resources", fmt.Sprintf("%s<%s>", resource, file)))
	}
}

// checkForm looks at the functions in a value without evaluating them: their
// form, the names they refer to, the attributes they ask for.
func (sc *Scope) checkForm(v any, path []string) []error {
	var errs []error
	t := sc.Stack.Template
	if len(path) > 2*maxYAMLDepth {
		return []error{limitf("The value is %s.", errTooDeep)}
	}
	sub := func(p string) []string { return append(slices.Clip(path), p) }
	name, args, ok := t.function(v)
	if !ok {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range sortedKeys(v) {
				errs = append(errs, sc.checkForm(v[k], sub(k))...)
			}
		case []any:
			for i, x := range v {
				errs = append(errs, sc.checkForm(x, sub(fmt.Sprint(i)))...)
			}
		}
		return errs
	}
	fail := func(err error) []error { return []error{within(err, "", sub(name)...)} }
	switch {
	case unsupported[name]:
		return fail(fmt.Errorf("the function %q is not supported here", name))
	case t.misformed(name, args) != "":
		return fail(invalidf("%s", t.misformed(name, args)))
	case name == "get_attr":
		if err := sc.checkAttribute(args); err != nil {
			return fail(err)
		}
	case name == "get_resource":
		if ref, ok := args.(string); ok {
			if err := sc.reference(ref); err != nil {
				return fail(err)
			}
		}
	case name == "if":
		if c, ok := args.([]any)[0].(string); ok {
			if _, err := sc.condition(c); err != nil {
				return fail(err)
			}
		}
		branch, _ := sc.taken(args)
		for _, x := range branch {
			errs = append(errs, sc.checkForm(x, path)...)
		}
		return errs
	}
	return sc.checkForm(args, sub(name))
}

// checkAttribute refuses an attribute that the resource's type does not have.
func (sc *Scope) checkAttribute(args any) error {
	t := sc.Stack.Template
	if l, ok := args.([]any); ok && len(l) > 0 {
		if _, literal := l[0].(string); !literal {
			return nil // worked out at run time
		}
	} else if t.isCall(args) {
		return nil
	}
	name, attribute, _, err := t.attributeArgs(args)
	if err != nil {
		return err
	}
	if err := sc.reference(name); err != nil {
		return err
	}
	if l, ok := args.([]any); !ok || len(l) < 2 {
		return nil
	} else if _, literal := l[1].(string); !literal {
		return nil
	}
	final, kind, err := sc.Stack.Resolve(t.Resources[name].Type)
	if err != nil {
		return err
	}
	if known := sc.Stack.attributes(final, kind); known != nil && !slices.Contains(known, attribute) {
		return &Error{Kind: "InvalidTemplateAttribute", Message: fmt.Sprintf("The Referenced Attribute (%s %s) is incorrect.", name, attribute)}
	}
	return nil
}
