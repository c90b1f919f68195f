package template

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Render makes the stack of a request, the cluster's or the node group's that it
// is about: the main template, the files that it and its environments name,
// directly or through one another, and the parameters.
func (d *Definition) Render(_ context.Context, req driver.RenderRequest) (driver.RenderResponse, error) {
	v := d.Values(req)
	if bad := d.refuse(v); bad != nil {
		return driver.RenderResponse{}, driver.Errorf(bad.Class, "%s", bad.Message)
	}
	params, err := d.parameters(v)
	if err != nil {
		return driver.RenderResponse{}, err
	}
	s, err := d.stack(v)
	if err != nil {
		return driver.RenderResponse{}, bug(d, err)
	}
	if err := v.err(); err != nil {
		return driver.RenderResponse{}, err
	}
	s.Parameters = params
	size := len(s.Template)
	for _, text := range s.Files {
		size += len(text)
	}
	for _, text := range s.Environments {
		size += len(text)
	}
	if size > driver.MaxStack {
		return driver.RenderResponse{}, bug(d, fmt.Errorf("stack of %d bytes is larger than %d", size, driver.MaxStack))
	}
	return s, nil
}

func bug(d *Definition, err error) error {
	return driver.Errorf(driver.ClassBug, "driver %s: %v", d.Name, err)
}

// stack renders everything but the parameters.
func (d *Definition) stack(v *Values) (driver.RenderResponse, error) {
	r, err := newRenderer(d, v)
	if err != nil {
		return driver.RenderResponse{}, err
	}
	known := map[string]bool{}
	for _, name := range r.names() {
		known[name] = true
	}
	out := driver.RenderResponse{Files: map[string]string{}}
	main := d.Main
	if v.OwnStack() {
		main = d.NodeGroupMain
	}
	if out.Template, err = r.file(main); err != nil {
		return out, fmt.Errorf("main template: %w", err)
	}
	next, err := references(main, out.Template, known)
	if err != nil {
		return out, err
	}
	for _, e := range d.Environments {
		if !e.When.holds(v) {
			continue
		}
		text, err := r.file(e.File)
		if err != nil {
			return out, fmt.Errorf("environment: %w", err)
		}
		more, err := references(e.File, text, known)
		if err != nil {
			return out, err
		}
		out.Environments = append(out.Environments, text)
		next = append(next, more...)
	}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if _, done := out.Files[name]; done || name == main {
			continue
		}
		text, err := r.file(name)
		if err != nil {
			return out, err
		}
		out.Files[name] = text
		if isYAML(name) {
			more, err := references(name, text, known)
			if err != nil {
				return out, err
			}
			next = append(next, more...)
		}
	}
	return out, nil
}

func isYAML(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// references are the known files that a template or an environment names: with
// get_file, as a resource's type, or in a resource registry. All names count
// from the root of Files, also in a nested template in a folder.
func references(name, text string, known map[string]bool) ([]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(text), &root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	found := map[string]bool{}
	var walk func(n *yaml.Node, registry bool) error
	walk = func(n *yaml.Node, registry bool) error {
		if n.Kind == yaml.MappingNode {
			for i := 0; i+1 < len(n.Content); i += 2 {
				key, value := n.Content[i].Value, n.Content[i+1]
				scalar := value.Kind == yaml.ScalarNode
				switch {
				case key == "get_file" && scalar && !known[value.Value]:
					return fmt.Errorf("%s: line %d: there is no file %s", name, value.Line, value.Value)
				case scalar && known[value.Value] && (key == "get_file" || key == "type" || registry):
					found[value.Value] = true
				case key == "type" && scalar && isYAML(value.Value):
					return fmt.Errorf("%s: line %d: there is no nested template %s", name, value.Line, value.Value)
				}
				if err := walk(value, registry || key == "resource_registry"); err != nil {
					return err
				}
			}
			return nil
		}
		for _, c := range n.Content {
			if err := walk(c, registry); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk(&root, false); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(found)), nil
}
