package hot

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Finding is something Heat may well accept and that is nevertheless wrong, or
// of no use.
type Finding struct {
	Template string // name of the template it is in
	Where    string // path inside it
	Message  string
}

func (f Finding) String() string { return f.Template + ": " + f.Where + ": " + f.Message }

// Required lists the parameters without a default.
func (t *Template) Required() []string {
	return slices.DeleteFunc(t.ParameterNames(), func(n string) bool { return !t.Parameters[n].Required() })
}

// UsedParameters lists the names that get_param asks for anywhere, declared or
// not, without the pseudo parameters.
func (t *Template) UsedParameters() []string {
	used := map[string]bool{}
	t.all(func(r reference) {
		if r.function == "get_param" && !strings.HasPrefix(r.name, "OS::") {
			used[r.name] = true
		}
	})
	return slices.Sorted(maps.Keys(used))
}

// UnusedParameters lists the declared parameters that nothing asks for.
func (t *Template) UnusedParameters() []string {
	used := t.UsedParameters()
	return slices.DeleteFunc(t.ParameterNames(), func(n string) bool { return slices.Contains(used, n) })
}

// all walks every reference of the template, whatever the conditions say.
func (t *Template) all(see func(reference)) {
	for _, section := range []string{"conditions", "resources", "outputs"} {
		t.references(t.Raw[section], []string{section}, nil, see)
	}
}

// Lint looks at the main template and every nested one for what Check cannot
// see, whatever the conditions and values are: parameters declared and never
// used, names that do not exist, a nested template's required parameters left
// out or unknown ones set, attributes no nested template offers, misspelt
// functions, and cycles.
func (s *Stack) Lint() []Finding {
	templates, err := s.Templates()
	var out []Finding
	if err != nil {
		out = append(out, Finding{s.Template.Name, "resources", err.Error()})
	}
	for _, t := range templates {
		out = append(out, s.lint(t)...)
	}
	return out
}

func (s *Stack) lint(t *Template) []Finding {
	var out []Finding
	say := func(where, format string, args ...any) {
		out = append(out, Finding{t.Name, where, fmt.Sprintf(format, args...)})
	}
	for _, n := range t.UnusedParameters() {
		say("parameters."+n, "declared but never used")
	}
	t.all(func(r reference) {
		where := PathString(r.path)
		switch r.function {
		case "get_param":
			if t.Parameters[r.name] == nil && !strings.HasPrefix(r.name, "OS::") {
				say(where, "get_param of %q, which is not declared", r.name)
			}
		case "if":
			if _, ok := t.Conditions[r.name]; !ok {
				say(where, "no condition is named %q", r.name)
			}
		case "get_file":
			if _, ok := s.file(r.name); !ok {
				say(where, "no file is named %q", r.name)
			}
		case "get_resource":
			if t.Resources[r.name] == nil {
				say(where, "no resource is named %q", r.name)
			}
		case "get_attr":
			if msg := s.lintAttribute(t, r); msg != "" {
				say(where, "%s", msg)
			}
		}
	})
	for _, err := range t.checkConditions() {
		say("conditions", "%s", err)
	}
	if _, err := t.Order(); err != nil {
		say("resources", "%s", err)
	}
	for _, name := range t.resourceOrder {
		r := t.Resources[name]
		for _, d := range r.DependsOn {
			if t.Resources[d] == nil {
				say("resources."+name, "depends on %q, which is not there", d)
			}
		}
		if c, ok := r.Condition.(string); ok {
			if _, known := t.Conditions[c]; !known {
				say("resources."+name, "no condition is named %q", c)
			}
		}
		for _, msg := range s.lintProperties(t, r) {
			say("resources."+name, "%s", msg)
		}
	}
	misspelt(t.Raw["resources"], []string{"resources"}, say)
	misspelt(t.Raw["outputs"], []string{"outputs"}, say)
	return out
}

// lintProperties holds the names of properties, given and missing, against the
// type; a group's members likewise.
func (s *Stack) lintProperties(t *Template, r *Resource) []string {
	out := s.lintNames(r.Type, r.Properties)
	if final, _ := s.Environment.Resolve(r.Type); final == ResourceGroup {
		def, _ := r.Properties["resource_def"].(map[string]any)
		typ, _ := def["type"].(string)
		props, isMap := def["properties"].(map[string]any)
		if typ != "" && (isMap || def["properties"] == nil) && !t.isCall(def["properties"]) {
			for _, msg := range s.lintNames(typ, props) {
				out = append(out, "resource_def: "+msg)
			}
		}
	}
	return out
}

func (s *Stack) lintNames(typ string, props map[string]any) []string {
	final, kind, err := s.Resolve(typ)
	if err != nil {
		return []string{err.Error()}
	}
	if kind == Nothing {
		return nil
	}
	root := &Stack{Template: s.Template, Files: s.Files, Environment: s.Environment, nested: s.nested}
	schema, err := root.Schema(final, kind)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, k := range sortedKeys(props) {
		if _, ok := schema[k]; !ok {
			out = append(out, "Unknown Property "+k)
		}
	}
	for _, k := range sortedKeys(schema) {
		_, ok := props[k]
		if _, aliased := schema[k+"_id"]; aliased && !ok {
			_, ok = props[k+"_id"]
		}
		if schema[k].Required && !ok {
			out = append(out, fmt.Sprintf("Property %s not assigned", k))
		}
	}
	return out
}

// lintAttribute holds a get_attr against what the resource offers.
func (s *Stack) lintAttribute(t *Template, r reference) string {
	res := t.Resources[r.name]
	if res == nil {
		return fmt.Sprintf("no resource is named %q", r.name)
	}
	l, ok := r.args.([]any)
	if !ok || len(l) < 2 {
		return ""
	}
	attribute, ok := l[1].(string)
	if !ok {
		return ""
	}
	final, kind, err := s.Resolve(res.Type)
	if err != nil {
		return "" // lintProperties says so
	}
	if final == ResourceGroup {
		def, _ := res.Properties["resource_def"].(map[string]any)
		typ, _ := def["type"].(string)
		return s.lintGroupAttribute(typ, attribute, l[2:])
	}
	return s.lintOffer(final, kind, attribute)
}

func (s *Stack) lintGroupAttribute(typ, attribute string, path []any) string {
	switch attribute {
	case "refs", "refs_map", "removed_rsrc_list", "show":
		return ""
	case "attributes":
		if len(path) == 0 {
			return "the attribute attributes needs a name behind it"
		}
		attribute = text(path[0])
	default:
		if _, inner, ok := MemberAttribute(attribute); ok {
			if inner == "" {
				return ""
			}
			attribute = inner
		}
	}
	final, kind, err := s.Resolve(typ)
	if err != nil {
		return ""
	}
	return s.lintOffer(final, kind, attribute)
}

func (s *Stack) lintOffer(final string, kind Kind, attribute string) string {
	switch kind {
	case Nested:
		root := &Stack{Template: s.Template, Files: s.Files, Environment: s.Environment, nested: s.nested}
		child, err := root.Child(final)
		if err != nil {
			return ""
		}
		if _, ok := child.Template.Outputs[attribute]; !ok && attribute != "show" && attribute != "outputs" && !strings.HasPrefix(attribute, "resource.") {
			return fmt.Sprintf("%s has no output %q", final, attribute)
		}
	case Builtin:
		if known := s.attributes(final, kind); known != nil && !slices.Contains(known, attribute) {
			return fmt.Sprintf("%s has no attribute %q", final, attribute)
		}
	}
	return ""
}

// misspelt finds mappings that look like a function and are none.
func misspelt(v any, path []string, say func(where, format string, args ...any)) {
	if len(path) > 2*maxYAMLDepth {
		return
	}
	sub := func(p string) []string { return append(slices.Clip(path), p) }
	switch v := v.(type) {
	case map[string]any:
		for _, k := range sortedKeys(v) {
			for _, prefix := range []string{"get_", "str_", "list_", "map_", "Fn::"} {
				if _, known := functions[k]; len(path) > 2 && len(v) == 1 && !known && k != "get_input" && strings.HasPrefix(k, prefix) {
					say(PathString(path), "%q is no function", k)
				}
			}
			misspelt(v[k], sub(k), say)
		}
	case []any:
		for i, x := range v {
			misspelt(x, sub(fmt.Sprint(i)), say)
		}
	}
}
