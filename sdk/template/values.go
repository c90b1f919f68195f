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

// Label is a label's value: that of the node group in a stack of its own, if
// the label is one that groups can have; else the cluster's, else the default. A
// value that is not of the label's type counts as unset; Validate has refused
// it by then.
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

// ClusterLabel is a label's value for the whole cluster, whatever a node group
// says.
func (v *Values) ClusterLabel(name string) string {
	whole := v.definition.Values(v.RenderRequest)
	whole.NodeGroup = ""
	value := whole.Label(name)
	if whole.mistake != nil && v.mistake == nil {
		v.mistake = whole.mistake
	}
	return value
}

// given is the valid value of a label that somebody has set. An empty text is
// unset.
func (v *Values) given(l Label) (string, bool) {
	if l.PerNodeGroup && v.OwnStack() {
		if s := v.Group().Labels[l.Name]; s != "" && l.check(s) == "" {
			return s, true
		}
	}
	s := v.Cluster.Labels[l.Name]
	return s, s != "" && l.check(s) == ""
}

// LabelGiven reports whether the cluster, or the node group in a stack of its
// own, has the label itself.
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

// Masters is the default master group.
func (v *Values) Masters() driver.NodeGroup { return v.first(true) }

// Workers is the worker group whose nodes the request's stack makes: in the
// cluster's own stack the default one, in a node group's that group.
func (v *Values) Workers() driver.NodeGroup {
	if v.OwnStack() {
		return v.Group()
	}
	return v.first(false)
}

// Group is the node group that the request is about, and the default worker
// group where it is about the whole cluster.
func (v *Values) Group() driver.NodeGroup {
	if v.NodeGroup == "" {
		return v.first(false)
	}
	for _, g := range v.NodeGroups {
		if g.Name == v.NodeGroup {
			return g
		}
	}
	return driver.NodeGroup{}
}

// OwnStack reports whether the request is about a node group that has, or gets,
// a stack of its own: any but the two default ones. It can be the condition of
// what takes part in such a stack only.
func (v *Values) OwnStack() bool {
	return v.NodeGroup != "" && v.NodeGroup != v.first(true).Name && v.NodeGroup != v.first(false).Name
}

func (v *Values) stack() Stack {
	if v.OwnStack() {
		return NodeGroupStack
	}
	return ClusterStack
}

// first prefers the default group of its kind; callers of a lesser request may
// leave the mark out, and then the first of the kind is meant.
func (v *Values) first(master bool) driver.NodeGroup {
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
