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
		insecurePort, infra.GivenNetwork, networks, infra.NodeCounts, nodes,
	}
}

// insecurePort refuses an API without TLS to versions that have none.
func insecurePort(v *template.Values) []driver.Violation {
	tag := v.ClusterLabel("kube_tag")
	if minor, ok := minorOf(tag); !v.Template.TLSDisabled || !ok || minor < 20 {
		return nil
	}
	return template.Refuse(driver.ClassUnsupported, "tls_disabled",
		"TLS cannot be disabled with Kubernetes %s: the API has no other port from 1.20 on.", tag)
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
