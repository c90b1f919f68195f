package template

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

var (
	resourceType = regexp.MustCompile(`\b(?:OS|AWS)::[A-Z]\w*::\w+`)
	quoted       = regexp.MustCompile(`"([^"\\\n]+)"`)
)

// resourceTypes are the Heat resource types that the definition may use: those
// in its main templates and environments and in all that these name. They are
// read from the sources, so that a type behind a condition counts as well;
// shared files that nothing names do not.
func (d *Definition) resourceTypes() ([]string, error) {
	if d.Files == nil {
		return nil, nil
	}
	r, err := newRenderer(d, d.Values(driver.RenderRequest{}))
	if err != nil {
		return nil, err
	}
	texts := maps.Clone(r.plain)
	for _, t := range r.set.Templates() {
		if t.Tree != nil {
			texts[t.Name()] = t.Root.String()
		}
	}
	next := []string{d.Main, d.NodeGroupMain}
	for _, e := range d.Environments {
		next = append(next, e.File)
	}
	found, words, seen := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for len(next) > 0 {
		for _, name := range next {
			seen[name] = true
			for _, t := range resourceType.FindAllString(texts[name], -1) {
				found[t] = true
			}
			for _, m := range quoted.FindAllStringSubmatch(texts[name], -1) {
				words[m[1]] = true
			}
		}
		next = nil
		for name := range texts {
			if !seen[name] && (words[name] || composed(name, words) || named(name, texts, seen)) {
				next = append(next, name)
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// composed reports whether a definition's name can be made of two words, as
// include allows.
func composed(name string, words map[string]bool) bool {
	for i := range name {
		if i > 0 && strings.HasSuffix(name[:i], "-") && words[name[:i]] && words[name[i:]] {
			return true
		}
	}
	return false
}

// named reports whether one of the texts seen has the name of a file in it.
func named(name string, texts map[string]string, seen map[string]bool) bool {
	if !isYAML(name) {
		return false
	}
	for other := range seen {
		if strings.Contains(texts[other], name) {
			return true
		}
	}
	return false
}
