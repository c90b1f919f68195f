package api

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// checkNodes checks what the nodes of a group shall be: their number and what
// they carry in the COE. It returns the taints that were sent.
func checkNodes(g *magnum.NodeGroup, taints []value) ([]magnum.Taint, error) {
	if err := checkCounts(g); err != nil {
		return nil, err
	}
	if g.IsMaster() && len(g.NodeLabels) > 0 {
		return nil, badGroup(g, "node_labels", "node_labels may not be set on master nodegroups")
	}
	if g.IsMaster() && len(taints) > 0 {
		return nil, badGroup(g, "node_taints", "node_taints may not be set on master nodegroups")
	}
	if err := checkNodeLabels(g); err != nil {
		return nil, err
	}
	return readTaints(g, taints)
}

func badGroup(g *magnum.NodeGroup, attribute, why string) error {
	return magnum.Errorf(magnum.Conflict, "%s for %s is invalid (%s).", attribute, g.Name, why)
}

func checkCounts(g *magnum.NodeGroup) error {
	refusal := func(attribute, low string, n int, high string, m int) error {
		return magnum.Errorf(magnum.Conflict, "%s for %s is invalid (%s (%d) should be less or equal to %s (%d)).", attribute, g.Name, low, n, high, m)
	}
	switch {
	case g.MaxNodeCount != 0 && g.MinNodeCount > g.MaxNodeCount:
		return refusal("max_node_count", "min_node_count", g.MinNodeCount, "max_node_count", g.MaxNodeCount)
	case g.MaxNodeCount != 0 && g.NodeCount > g.MaxNodeCount:
		return refusal("max_node_count", "node_count", g.NodeCount, "max_node_count", g.MaxNodeCount)
	case g.MinNodeCount > g.NodeCount:
		return refusal("min_node_count", "min_node_count", g.MinNodeCount, "node_count", g.NodeCount)
	}
	return nil
}

// What a kubelet lets itself be given of Kubernetes' own label names.
var (
	kubeletPrefixes = []string{"kubelet.kubernetes.io", "node.kubernetes.io"}
	kubeletLabels   = []string{
		"beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os",
		"failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone",
		"kubernetes.io/arch", "kubernetes.io/hostname", "kubernetes.io/os",
		"node.kubernetes.io/instance-type", "node.kubernetes.io/windows-build",
		"topology.kubernetes.io/region", "topology.kubernetes.io/zone",
	}
)

// Kubernetes' syntax of the names and values of labels and taints. Upstream
// does not look; a kubelet that is given others does not start.
var (
	labelName  = regexp.MustCompile(`^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`)
	labelValue = regexp.MustCompile(`^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`)
)

func checkNodeLabels(g *magnum.NodeGroup) error {
	for _, name := range slices.Sorted(maps.Keys(g.NodeLabels)) {
		switch prefix, _, prefixed := strings.Cut(name, "/"); {
		case prefixed && isKubernetes(prefix) && !slices.Contains(kubeletPrefixes, prefix) && !slices.Contains(kubeletLabels, name):
			return badGroup(g, "node_labels", "node label '"+name+"' is in a restricted Kubernetes namespace; the kubelet will refuse to start. "+
				"Labels in the kubernetes.io/ and k8s.io/ namespaces must use one of the allowed prefixes ("+strings.Join(kubeletPrefixes, ", ")+
				") or be one of the allowed labels ("+strings.Join(kubeletLabels, ", ")+").")
		case !labelName.MatchString(name):
			return badGroup(g, "node_labels", "node label '"+name+"' is not a Kubernetes label name")
		case !labelValue.MatchString(g.NodeLabels[name]):
			return badGroup(g, "node_labels", "value '"+g.NodeLabels[name]+"' of node label '"+name+"' is not a Kubernetes label value")
		}
	}
	return nil
}

func isKubernetes(prefix string) bool {
	for _, own := range []string{"kubernetes.io", "k8s.io"} {
		if prefix == own || strings.HasSuffix(prefix, "."+own) {
			return true
		}
	}
	return false
}

var (
	taintFields  = []string{"key", "value", "effect"}
	taintEffects = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}
)

func readTaints(g *magnum.NodeGroup, sent []value) ([]magnum.Taint, error) {
	var all []magnum.Taint
	for i, v := range sent {
		fields := map[string]string{}
		var unknown []string
		for _, m := range v.members {
			if fields[m.name] = m.value.text; !slices.Contains(taintFields, m.name) {
				unknown = append(unknown, m.name)
			}
		}
		t := magnum.Taint{Key: fields["key"], Value: fields["value"], Effect: fields["effect"]}
		why := ""
		switch {
		case len(unknown) > 0:
			slices.Sort(unknown)
			why = " contains unrecognised field(s) " + strings.Join(unknown, ", ") + "; allowed fields are " + strings.Join(taintFields, ", ")
		case t.Key == "":
			why = ".key is required"
		case !slices.Contains(taintEffects, t.Effect):
			why = ".effect must be one of " + strings.Join(taintEffects, ", ")
		case !labelName.MatchString(t.Key):
			why = ".key '" + t.Key + "' is not a Kubernetes label name"
		case !labelValue.MatchString(t.Value):
			why = ".value '" + t.Value + "' is not a Kubernetes label value"
		}
		if why != "" {
			return nil, magnum.Errorf(magnum.Conflict, "node_taints for %s is invalid (node_taints[%d]%s).", g.Name, i, why)
		}
		all = append(all, t)
	}
	return all, nil
}
