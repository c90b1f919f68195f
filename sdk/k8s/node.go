package k8s

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
)

// The labels that every node gets from its driver, under upstream's names.
const (
	RoleLabel      = "magnum.openstack.org/role"
	NodeGroupLabel = "magnum.openstack.org/nodegroup"
)

// NodeLabels is what kubelet's option --node-labels takes, sorted.
func NodeLabels(labels map[string]string) string {
	all := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		all = append(all, key+"="+labels[key])
	}
	return strings.Join(all, ",")
}

// NodeTaints is what kubelet's option --register-with-taints takes, in the
// order given.
func NodeTaints(taints []driver.Taint) string {
	all := make([]string, 0, len(taints))
	for _, t := range taints {
		all = append(all, t.Key+"="+t.Value+":"+t.Effect)
	}
	return strings.Join(all, ",")
}

// CheckNodeGroup refuses what the Kubernetes API would not take from a group's
// nodes: they would never become ready. Which namespaces of kubernetes.io may be
// used is not looked at here.
func CheckNodeGroup(g driver.NodeGroup) []driver.Violation {
	var out []driver.Violation
	refuse := func(field, format string, a ...any) {
		out = append(out, driver.Violation{Field: field, Class: driver.ClassInvalidInput,
			Message: field + " for " + g.Name + " is invalid (" + fmt.Sprintf(format, a...) + ")."})
	}
	for _, f := range []struct{ field, value, label string }{
		{"name", g.Name, NodeGroupLabel}, {"role", g.Role, RoleLabel},
	} {
		if !isValue(f.value) {
			refuse(f.field, "%q cannot be the value of the nodes' label %s: %s", f.value, f.label, valueRule)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(g.NodeLabels)) {
		switch {
		case key == RoleLabel || key == NodeGroupLabel:
			refuse("node_labels", "node label %q is set by the driver", key)
		case !isKey(key):
			refuse("node_labels", "node label %q is not of the form [prefix/]name: %s", key, keyRule)
		case !isValue(g.NodeLabels[key]):
			refuse("node_labels", "node label %q has the value %q: %s", key, g.NodeLabels[key], valueRule)
		}
	}
	seen := map[[2]string]bool{}
	for i, t := range g.NodeTaints {
		at := fmt.Sprintf("node_taints[%d]", i)
		switch {
		case !isKey(t.Key):
			refuse("node_taints", "%s.key %q is not of the form [prefix/]name: %s", at, t.Key, keyRule)
		case !isValue(t.Value):
			refuse("node_taints", "%s.value is %q: %s", at, t.Value, valueRule)
		case !slices.Contains([]string{"NoSchedule", "PreferNoSchedule", "NoExecute"}, t.Effect):
			refuse("node_taints", "%s.effect must be one of NoSchedule, PreferNoSchedule, NoExecute", at)
		case seen[[2]string{t.Key, t.Effect}]:
			refuse("node_taints", "%s repeats key %s with effect %s", at, t.Key, t.Effect)
		}
		seen[[2]string{t.Key, t.Effect}] = true
	}
	return out
}

const (
	nameRule  = "at most 63 letters, digits, -, _ and ., a letter or a digit at both ends"
	valueRule = "it takes " + nameRule + ", or nothing"
	keyRule   = "the name takes " + nameRule + ", the prefix is a DNS name of at most 253"
)

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	prefixForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$`)
	minorForm  = regexp.MustCompile(`^v?1\.([0-9]+)(?:\.|$)`)
)

func isValue(s string) bool { return s == "" || nameForm.MatchString(s) }

func isKey(s string) bool {
	prefix, name, ok := strings.Cut(s, "/")
	if !ok {
		return nameForm.MatchString(s)
	}
	return len(prefix) <= 253 && prefixForm.MatchString(prefix) && nameForm.MatchString(name)
}

// olderNodes is by how many minor versions a kubelet may be behind the API.
const olderNodes = 2

// minorOf is the minor version of a version of Kubernetes; false if it cannot be
// read.
func minorOf(version string) (int, bool) {
	found := minorForm.FindStringSubmatch(version)
	if found == nil {
		return 0, false
	}
	n, err := strconv.Atoi(found[1])
	return n, err == nil
}

// CheckSkew says what is wrong with nodes of one version under an API of
// another, "" if nothing: kubelet may be two minor versions older, never newer.
// Versions it cannot read pass.
func CheckSkew(api, node string) string {
	am, okA := minorOf(api)
	nm, okN := minorOf(node)
	switch {
	case !okA || !okN:
		return ""
	case nm > am:
		return fmt.Sprintf("nodes of Kubernetes %s cannot join a cluster of %s: they must not be newer", node, api)
	case nm < am-olderNodes:
		return fmt.Sprintf("nodes of Kubernetes %s cannot join a cluster of %s: they may be %d minor versions older", node, api, olderNodes)
	}
	return ""
}
