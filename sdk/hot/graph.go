package hot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// reference is one use of a name inside a value.
type reference struct {
	function string // get_param, get_resource, get_attr, get_file, if
	name     string
	args     any
	path     []string
}

// references walks a value and calls see for every reference with a literal
// name. enter says which branch of an "if" to look at: all, or the one that
// holds.
func (t *Template) references(v any, path []string, branch func(args any) ([]any, bool), see func(reference)) {
	if len(path) > 2*maxYAMLDepth {
		return
	}
	sub := func(p string) []string { return append(slices.Clip(path), p) }
	if name, args, ok := t.function(v); ok {
		switch name {
		case "get_param", "get_resource", "get_attr", "get_file":
			if head, ok := headName(args); ok {
				see(reference{name, head, args, path})
			}
		case "if":
			if l, ok := args.([]any); ok && len(l) > 0 {
				if c, ok := l[0].(string); ok {
					see(reference{name, c, args, path})
				}
			}
			if branch != nil {
				if taken, ok := branch(args); ok {
					for _, x := range taken {
						t.references(x, path, branch, see)
					}
					return
				}
			}
		}
		t.references(args, sub(name), branch, see)
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			t.references(v[k], sub(k), branch, see)
		}
	case []any:
		for i, x := range v {
			t.references(x, sub(fmt.Sprint(i)), branch, see)
		}
	}
}

func headName(args any) (string, bool) {
	if l, ok := args.([]any); ok && len(l) > 0 {
		args = l[0]
	}
	s, ok := args.(string)
	return s, ok
}

// taken gives the branch of an "if" that holds, for references.
func (sc *Scope) taken(args any) ([]any, bool) {
	l, ok := args.([]any)
	if !ok || sc.Stack.Template.misformed("if", args) != "" {
		return nil, false
	}
	var on bool
	var err error
	switch c := l[0].(type) {
	case bool:
		on = c
	case string:
		on, err = sc.condition(c)
	default:
		on, err = sc.operand(c, 0)
	}
	switch {
	case err != nil:
		return nil, true // a bad condition is reported where it is evaluated
	case on:
		return l[1:2], true
	}
	return l[2:], true
}

// Dependencies says for every resource which others must be there first,
// whatever the conditions say. References to nothing are left out.
func (t *Template) Dependencies() map[string][]string {
	out := make(map[string][]string, len(t.Resources))
	for name, r := range t.Resources {
		deps, _ := t.dependencies(r, nil)
		out[name] = slices.DeleteFunc(deps, func(d string) bool { return t.Resources[d] == nil })
	}
	return out
}

// dependencies lists the names a resource needs, sorted, and the references by
// name.
func (t *Template) dependencies(r *Resource, branch func(any) ([]any, bool)) ([]string, map[string]reference) {
	names, at := map[string]bool{}, map[string]reference{}
	for _, d := range r.DependsOn {
		names[d] = true
	}
	see := func(ref reference) {
		if ref.function == "get_resource" || ref.function == "get_attr" {
			names[ref.name] = true
			if _, ok := at[ref.name]; !ok {
				at[ref.name] = ref
			}
		}
	}
	if r.Properties != nil {
		t.references(r.Properties, []string{r.Name, "Properties"}, branch, see)
	}
	if r.Metadata != nil {
		t.references(r.Metadata, []string{r.Name, "Metadata"}, branch, see)
	}
	return slices.Sorted(maps.Keys(names)), at
}

// Order lists the resources so that each comes after those it needs. A cycle is
// an error that names it.
func (t *Template) Order() ([]string, error) {
	return order(t.resourceOrder, t.Dependencies())
}

// Order is [Template.Order] for what this scope enables, and Dependencies the
// edges; unlike the template's they refuse a reference to nothing.
func (sc *Scope) Order() ([]string, map[string][]string, error) {
	t := sc.Stack.Template
	var names []string
	deps := map[string][]string{}
	for _, name := range t.resourceOrder {
		on, err := sc.Enabled(t.Resources[name])
		if err != nil {
			return nil, nil, err
		}
		if on {
			names = append(names, name)
		}
	}
	for _, name := range names {
		r := t.Resources[name]
		all, at := t.dependencies(r, sc.taken)
		for _, d := range all {
			other := t.Resources[d]
			ref, used := at[d]
			where := name
			if used {
				where = PathString(ref.path)
			}
			if other == nil {
				return nil, nil, badReference(d, where)
			}
			on, err := sc.Enabled(other)
			if err != nil {
				return nil, nil, err
			}
			switch {
			case on:
				deps[name] = append(deps[name], d)
			case used:
				return nil, nil, badReference(d, where)
			}
		}
	}
	out, err := order(names, deps)
	return out, deps, err
}

// order sorts so that dependencies come first, and keeps the given order where
// it can.
func order(names []string, deps map[string][]string) ([]string, error) {
	const (
		unseen = iota
		open
		done
	)
	state := make(map[string]int, len(names))
	out := make([]string, 0, len(names))
	var stack []string
	// A chain of resources can be long; the depth of this recursion is bounded
	// by the number of resources, which the size of a template bounds.
	var visit func(string) error
	visit = func(name string) error {
		switch state[name] {
		case done:
			return nil
		case open:
			cycle := append(slices.Clone(stack[slices.Index(stack, name):]), name)
			return &Error{Kind: KindCircular, Message: "Circular Dependency Found: " + strings.Join(cycle, " -> ")}
		}
		state[name] = open
		stack = append(stack, name)
		for _, d := range deps[name] {
			if err := visit(d); err != nil {
				return err
			}
		}
		stack = stack[:len(stack)-1]
		state[name] = done
		out = append(out, name)
		return nil
	}
	for _, n := range names {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	return out, nil
}
