package template

import (
	"fmt"
	"strconv"

	"github.com/go-magnum/magnum/sdk/driver"
)

// Values is a request as parameters, conditions, checks and template files
// see it.
type Values struct {
	driver.RenderRequest

	definition *Definition
	labels     map[string]Label
	// mistake is the first slip of the definition itself, such as reading a
	// label that it does not declare. It becomes the call's error, because a
	// driver must not answer from a value that nobody could have set.
	mistake error
}

// Values are those of a request, also for what is no part of the definition,
// such as a driver's monitoring.
func (d *Definition) Values(req driver.RenderRequest) *Values {
	v := &Values{RenderRequest: req, definition: d, labels: make(map[string]Label, len(d.Labels))}
	for _, l := range d.Labels {
		v.labels[l.Name] = l
	}
	return v
}

func (v *Values) fail(format string, a ...any) {
	if v.mistake == nil {
		v.mistake = driver.Errorf(driver.ClassBug, "driver %s: "+format, append([]any{v.definition.Name}, a...)...)
	}
}

// Label is a label's value: the cluster's, or the default. A value that is not
// of the label's type counts as unset; Validate has refused it by then.
func (v *Values) Label(name string) string {
	l, ok := v.labels[name]
	if !ok {
		v.fail("label %s is read but not declared", name)
		return ""
	}
	if given, ok := v.given(l); ok {
		return l.canonical(given)
	}
	if l.Default == "" {
		return ""
	}
	return l.canonical(l.Default)
}

// given is the cluster's own valid value of a label. An empty text is unset.
func (v *Values) given(l Label) (string, bool) {
	s, ok := v.Cluster.Labels[l.Name]
	if !ok || s == "" || l.check(s) != "" {
		return "", false
	}
	return s, true
}

// LabelGiven reports whether the cluster itself has the label.
func (v *Values) LabelGiven(name string) bool {
	l, ok := v.labels[name]
	if !ok {
		v.fail("label %s is read but not declared", name)
		return false
	}
	_, given := v.given(l)
	return given
}

// LabelBool is a Boolean label.
func (v *Values) LabelBool(name string) bool {
	b, _ := parseBool(v.Label(name))
	return b
}

// LabelInt is an Integer label, 0 where unset.
func (v *Values) LabelInt(name string) int {
	s := v.Label(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		v.fail("label %s is read as a number but is %q", name, s)
	}
	return n
}

// LabelList is a label with commas, taken apart.
func (v *Values) LabelList(name string) []string { return splitList(v.Label(name)) }

// Masters is the default master group, Workers the default worker group.
func (v *Values) Masters() driver.NodeGroup { return v.group(true) }

// Workers is the default worker group.
func (v *Values) Workers() driver.NodeGroup { return v.group(false) }

// group prefers the default group of its kind; callers of a lesser request may
// leave the mark out, and then the first of the kind is meant.
func (v *Values) group(master bool) driver.NodeGroup {
	var first *driver.NodeGroup
	for i := range v.NodeGroups {
		g := &v.NodeGroups[i]
		if (g.Role == driver.RoleMaster) != master {
			continue
		}
		if g.IsDefault {
			return *g
		}
		if first == nil {
			first = g
		}
	}
	if first == nil {
		return driver.NodeGroup{}
	}
	return *first
}

// Fragments are the steps of a script whose conditions hold.
func (v *Values) Fragments(script string) []Fragment {
	all, ok := v.definition.Scripts[script]
	if !ok {
		v.fail("script %s is used but not declared", script)
	}
	var out []Fragment
	for _, f := range all {
		if f.When.holds(v) {
			out = append(out, f)
		}
	}
	return out
}

func (v *Values) err() error {
	if v.mistake == nil {
		return nil
	}
	return fmt.Errorf("use %s: %w", v.definition.Name, v.mistake)
}
