package k8s

import (
	"net/netip"
	"strings"

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
	var out []driver.Violation
	services, pods := v.Label("service_cluster_ip_range"), v.Label("flannel_network_cidr")
	if nth(services, 10) == "" {
		out = append(out, template.Refuse(driver.ClassInvalidInput, "labels/service_cluster_ip_range",
			"property \"labels/service_cluster_ip_range\" with value %q is not supported, expecting at least 11 addresses", services)...)
	}
	ranges := []struct{ label, cidr string }{
		{"labels/flannel_network_cidr", pods}, {"labels/service_cluster_ip_range", services},
	}
	if own := infra.SubnetCIDR(v); own != "" {
		ranges = append(ranges, struct{ label, cidr string }{"labels/fixed_subnet_cidr", own})
	}
	for i, a := range ranges {
		if p, err := netip.ParsePrefix(a.cidr); err == nil && !p.Addr().Is4() {
			out = append(out, template.Refuse(driver.ClassInvalidInput, a.label, "%s %s is not supported, expecting IPv4.", strings.TrimPrefix(a.label, "labels/"), a.cidr)...)
		}
		for _, b := range ranges[i+1:] {
			if overlap(a.cidr, b.cidr) {
				out = append(out, template.Refuse(driver.ClassInvalidInput, b.label, "%s %s overlaps %s %s.",
					strings.TrimPrefix(b.label, "labels/"), b.cidr, strings.TrimPrefix(a.label, "labels/"), a.cidr)...)
			}
		}
	}
	if p, err := netip.ParsePrefix(pods); err == nil && v.LabelInt("flannel_network_subnetlen") <= p.Bits() {
		out = append(out, template.Refuse(driver.ClassInvalidInput, "labels/flannel_network_subnetlen",
			"flannel_network_subnetlen %d leaves no part of %s for each node.", v.LabelInt("flannel_network_subnetlen"), pods)...)
	}
	return out
}

func overlap(a, b string) bool {
	x, errX := netip.ParsePrefix(a)
	y, errY := netip.ParsePrefix(b)
	return errX == nil && errY == nil && x.Overlaps(y)
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
