package policy

import (
	"maps"
	"slices"
	"strings"
)

// Listed is a rule as it is in force.
type Listed struct {
	Name string
	// Check is what decides, in the language of rules.
	Check string
	// Source is where it comes from: default, classic default, a file, or the
	// classic name of which a file says something.
	Source string
	// Former is the classic rule that a file changes and that decides in this
	// one's place; empty if there is none.
	Former string
}

// override is what a file says of a rule.
type override struct {
	text
	path string
}

// origins of rules that no file decides.
const (
	fromDefault = "default"
	fromBoth    = "default or classic"
)

// effective decides which text of a rule is in force, as oslo.policy does it
// for rules that were renamed: what a file says of the rule, or of the name
// it had, or the default. Classic defaults hold beside the new ones.
func effective(defaults []Rule, files map[string]override, classic bool) []inForce {
	rules := make([]inForce, 0, len(defaults)+len(files))
	known := make(map[string]bool, len(defaults))
	for _, r := range defaults {
		known[r.Name] = true
		rules = append(rules, r.effective(files, classic))
	}
	// What only files know, such as rules that others there are made of.
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !known[name] {
			rules = append(rules, inForce{name: name, text: files[name].text, source: files[name].path})
		}
	}
	return rules
}

// inForce is a rule whose text is decided.
type inForce struct {
	name   string
	text   text
	source string
	former string
	scopes []string
}

func (r *Rule) effective(files map[string]override, classic bool) inForce {
	now := inForce{name: r.Name, text: text{words: r.Check}, source: fromDefault, scopes: r.Scopes}
	if o, ok := files[r.Name]; ok {
		now.text, now.source = o.text, o.path
		return now
	}
	if r.Former == nil {
		return now
	}
	if name, path := r.Former.changed(r.Name, files); name != "" {
		now.text, now.source = text{words: r.Former.Check}, name+" in "+path
		now.former = name
		return now
	}
	if classic && r.Former.Check != r.Check {
		now.text, now.source = text{words: "(" + r.Check + ") or (" + r.Former.Check + ")"}, fromBoth
	}
	return now
}

// changed names the classic rule that a file changes, and the file. One that
// only passes on to the new rule, as generated files have it, changes nothing.
func (f *Former) changed(successor string, files map[string]override) (name, path string) {
	for _, name := range f.Names {
		o, ok := files[name]
		if ok && strings.TrimSpace(o.String()) != "rule:"+successor && !isDefault(name, o.text) {
			return name, o.path
		}
	}
	return "", ""
}

// isDefault reports whether a file only repeats the default.
func isDefault(name string, t text) bool {
	for _, r := range Defaults() {
		if r.Name == name {
			return strings.Join(strings.Fields(t.String()), " ") == r.Check
		}
	}
	return false
}
