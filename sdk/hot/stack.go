package hot

import (
	"fmt"
	"maps"
	"path"
	"strings"
)

// None is the type that stands for no resource at all.
const None = "OS::Heat::None"

// ResourceGroup is the type of a group of like resources.
const ResourceGroup = "OS::Heat::ResourceGroup"

// Stack is a template with all that belongs to it. A nested template is a Stack
// of its own that shares files and environment with its parent.
type Stack struct {
	Template    *Template
	Files       map[string]string
	Environment *Environment
	// Depth is 0 for the main template.
	Depth int

	nested map[string]*Template // parsed once, by file
}

// Load reads a main template (its text, not its name), the files it and its
// nested templates name, and environments, later ones winning.
func Load(main string, files map[string]string, environments []string) (*Stack, error) {
	size := len(main)
	for name, body := range files {
		size += len(name) + len(body)
	}
	if size > MaxStackBytes {
		return nil, limitf("Template and files (%d bytes) exceed maximum allowed size (%d bytes).", size, MaxStackBytes)
	}
	t, err := Parse("[root stack]", []byte(main))
	if err != nil {
		return nil, err
	}
	env, _ := NewEnvironment(nil)
	for _, text := range environments {
		e, err := ParseEnvironment(text)
		if err != nil {
			return nil, err
		}
		env.Merge(e)
	}
	return New(t, files, env), nil
}

// New makes a stack of parts that are parsed already.
func New(t *Template, files map[string]string, env *Environment) *Stack {
	if files == nil {
		files = map[string]string{}
	}
	return &Stack{Template: t, Files: files, Environment: env, nested: map[string]*Template{}}
}

// Parameters gives the values that count: the environment's defaults, its
// values, then those given here.
func (s *Stack) Parameters(given map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range s.Environment.ParameterDefaults {
		if _, declared := s.Template.Parameters[k]; declared {
			out[k] = v
		}
	}
	if s.Depth == 0 {
		maps.Copy(out, s.Environment.Parameters)
	}
	maps.Copy(out, given)
	return out
}

// Kind says what a resource type is once the registry is followed.
type Kind int

// The kinds of resource.
const (
	Builtin Kind = iota // a type this package knows
	Nested              // a template
	Nothing             // OS::Heat::None
)

// Resolve says what a resource's type stands for: the final type or file name,
// and its kind.
func (s *Stack) Resolve(typ string) (string, Kind, error) {
	final, ok := s.Environment.Resolve(typ)
	if !ok {
		return "", 0, invalidf("The Resource Type (%s) could not be found.", typ)
	}
	if final == None {
		return final, Nothing, nil
	}
	if isTemplateName(final) {
		if file, ok := s.file(final); ok {
			return file, Nested, nil
		}
		scheme, _, _ := strings.Cut(final, "://")
		if scheme == final {
			scheme = ""
		}
		return "", 0, invalidf("Could not fetch remote template %q: Invalid URL scheme %s", final, scheme)
	}
	if _, ok := resourceTypes()[final]; !ok {
		return "", 0, invalidf("The Resource Type (%s) could not be found.", typ)
	}
	return final, Builtin, nil
}

func isTemplateName(s string) bool {
	return strings.HasSuffix(s, ".yaml") || strings.HasSuffix(s, ".template")
}

// file finds a file under the name it is asked for, or under the same name with
// or without file:// and directories: clients turn relative names into URLs.
func (s *Stack) file(name string) (string, bool) {
	if _, ok := s.Files[name]; ok {
		return name, true
	}
	bare := strings.TrimPrefix(name, "file://")
	if _, ok := s.Files[bare]; ok {
		return bare, true
	}
	if _, ok := s.Files["file://"+bare]; ok {
		return "file://" + bare, true
	}
	if clean := path.Clean(bare); clean != bare {
		if _, ok := s.Files[clean]; ok {
			return clean, true
		}
	}
	return "", false
}

// Child gives the stack of a nested template's file, as [Stack.Resolve] named
// it.
func (s *Stack) Child(file string) (*Stack, error) {
	if s.Depth >= MaxNestedDepth {
		return nil, limitf("Recursion depth exceeds %d.", MaxNestedDepth)
	}
	t, ok := s.nested[file]
	if !ok {
		var err error
		if t, err = Parse(file, []byte(s.Files[file])); err != nil {
			if e, ok := err.(*Error); ok && e.Kind == KindFormat {
				return nil, invalidf("%s", strings.TrimPrefix(e.Message, "Template not in valid format: "))
			}
			return nil, err
		}
		s.nested[file] = t
	}
	return s.derive(t), nil
}

func (s *Stack) derive(t *Template) *Stack {
	return &Stack{Template: t, Files: s.Files, Environment: s.Environment, Depth: s.Depth + 1, nested: s.nested}
}

// Templates lists the main template and every template its resources name, each
// once, whatever the conditions say.
func (s *Stack) Templates() ([]*Template, error) {
	seen := map[string]bool{}
	var out []*Template
	var walk func(*Stack) error
	walk = func(s *Stack) error {
		out = append(out, s.Template)
		for _, name := range s.Template.resourceOrder {
			for _, typ := range s.Template.Resources[name].types() {
				file, kind, err := s.Resolve(typ)
				if err != nil {
					return within(err, "", "resources", fmt.Sprintf("%s<%s>", name, s.Template.Name))
				}
				if kind != Nested || seen[file] {
					continue
				}
				seen[file] = true
				child, err := s.Child(file)
				if err != nil {
					return err
				}
				if err := walk(child); err != nil {
					return err
				}
			}
		}
		return nil
	}
	err := walk(s)
	return out, err
}

// types lists the resource's type and, for a group, its members'.
func (r *Resource) types() []string {
	out := []string{r.Type}
	if def, ok := r.Properties["resource_def"].(map[string]any); ok {
		if t, ok := def["type"].(string); ok {
			out = append(out, t)
		}
	}
	return out
}
