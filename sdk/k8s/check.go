package k8s

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Checks refuse what would otherwise fail on the nodes, or be dropped in
// silence.
func Checks() []infra.Check {
	return []infra.Check{
		infra.NeedsTLS("its Kubernetes serves the API over TLS only"), infra.NoRegistry,
		infra.GivenNetwork, networks, infra.NodeCounts, nodes,
	}
}

// networks looks at the ranges of nodes, pods and services.
func networks(v *template.Values) []driver.Violation {
	const services = "service_cluster_ip_range"
	var out []driver.Violation
	if nth(v.Label(services), 10) == "" {
		out = template.Refuse(driver.ClassInvalidInput, "labels/"+services,
			"property \"labels/%s\" with value %q is not supported, expecting at least 11 addresses", services, v.Label(services))
	}
	return slices.Concat(out, infra.Apart(v, pods(v), services), infra.Subnets(v, pods(v)), poolSize(v))
}

// nodes looks at the group whose nodes the stack makes.
func nodes(v *template.Values) []driver.Violation {
	if len(v.NodeGroups) == 0 {
		return nil
	}
	out := CheckNodeGroup(v.Workers())
	// Only then: a group may stay behind a cluster that moves on.
	if v.Intent == driver.IntentCreateNodeGroup {
		if bad := CheckSkew(v.ClusterLabel("kube_tag"), v.Label("kube_tag")); bad != "" {
			out = append(out, template.Refuse(driver.ClassInvalidInput, "labels/kube_tag", "kube_tag: %s.", bad)...)
		}
	}
	return out
}
