package atomic

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
)

// checks refuse what would otherwise fail on the nodes, or be dropped in
// silence.
func checks() []func(*template.Values) []driver.Violation {
	return []func(*template.Values) []driver.Violation{options, network, counts, nodes}
}

func refuse(class driver.Class, field, format string, a ...any) []driver.Violation {
	return []driver.Violation{{Field: field, Message: fmt.Sprintf(format, a...), Class: class}}
}

func options(v *template.Values) []driver.Violation {
	var out []driver.Violation
	if v.Template.TLSDisabled {
		out = append(out, refuse(driver.ClassUnsupported, "tls_disabled",
			"TLS cannot be disabled with the cluster driver %s: its Kubernetes serves the API over TLS only.", Name)...)
	}
	if v.Template.RegistryEnabled {
		out = append(out, refuse(driver.ClassUnsupported, "registry_enabled",
			"A private registry (registry_enabled) is not supported by the cluster driver %s.", Name)...)
	}
	storage := []string{"overlay2", "overlay", "devicemapper"}
	if s := v.Template.DockerStorageDriver; s != "" && !slices.Contains(storage, s) {
		out = append(out, refuse(driver.ClassInvalidInput, "docker_storage_driver",
			"Docker storage driver %s is not supported, expecting a %s/unspecified storage driver.", s, strings.Join(storage, "/"))...)
	}
	if size := dockerVolumeSize(v); v.Template.DockerStorageDriver == "devicemapper" && size < 3 {
		out = append(out, refuse(driver.ClassInvalidInput, "docker_volume_size",
			"docker volume size %d GB is not valid, expecting minimum value 3GB for devicemapper storage driver.", size)...)
	}
	return out
}

func network(v *template.Values) []driver.Violation {
	var out []driver.Violation
	if v.Cluster.FixedSubnet != "" && v.Cluster.FixedNetwork == "" {
		out = append(out, refuse(driver.ClassInvalidInput, "fixed_network", "A fixed_subnet needs its fixed_network.")...)
	}
	services, pods := v.Label("service_cluster_ip_range"), v.Label("flannel_network_cidr")
	if nth(services, 10) == "" {
		out = append(out, refuse(driver.ClassInvalidInput, "labels/service_cluster_ip_range",
			"property \"labels/service_cluster_ip_range\" with value %q is not supported, expecting at least 11 addresses", services)...)
	}
	ranges := []struct{ label, cidr string }{
		{"labels/flannel_network_cidr", pods}, {"labels/service_cluster_ip_range", services},
	}
	if own := subnetCIDR(v); own != "" {
		ranges = append(ranges, struct{ label, cidr string }{"labels/fixed_subnet_cidr", own})
	}
	for i, a := range ranges {
		if p, err := netip.ParsePrefix(a.cidr); err == nil && !p.Addr().Is4() {
			out = append(out, refuse(driver.ClassInvalidInput, a.label, "%s %s is not supported, expecting IPv4.", strings.TrimPrefix(a.label, "labels/"), a.cidr)...)
		}
		for _, b := range ranges[i+1:] {
			if overlap(a.cidr, b.cidr) {
				out = append(out, refuse(driver.ClassInvalidInput, b.label, "%s %s overlaps %s %s.",
					strings.TrimPrefix(b.label, "labels/"), b.cidr, strings.TrimPrefix(a.label, "labels/"), a.cidr)...)
			}
		}
	}
	if p, err := netip.ParsePrefix(pods); err == nil && v.LabelInt("flannel_network_subnetlen") <= p.Bits() {
		out = append(out, refuse(driver.ClassInvalidInput, "labels/flannel_network_subnetlen",
			"flannel_network_subnetlen %d leaves no part of %s for each node.", v.LabelInt("flannel_network_subnetlen"), pods)...)
	}
	return out
}

func overlap(a, b string) bool {
	x, errX := netip.ParsePrefix(a)
	y, errY := netip.ParsePrefix(b)
	return errX == nil && errY == nil && x.Overlaps(y)
}

func counts(v *template.Values) []driver.Violation {
	if len(v.NodeGroups) == 0 || v.OwnStack() {
		return nil // a cluster template alone has no nodes to count, a group has bounds of its own
	}
	n := v.Workers().NodeCount
	low, high := v.LabelInt("min_node_count"), v.LabelInt("max_node_count")
	switch {
	case high > 0 && low > high:
		return refuse(driver.ClassInvalidInput, "labels/min_node_count", "min_node_count %d is more than max_node_count %d.", low, high)
	case n < low:
		return refuse(driver.ClassInvalidInput, "node_count", "node_count %d is less than min_node_count %d.", n, low)
	case high > 0 && n > high:
		return refuse(driver.ClassInvalidInput, "node_count", "node_count %d is more than max_node_count %d.", n, high)
	}
	return nil
}

// nodes looks at the group whose nodes the stack makes.
func nodes(v *template.Values) []driver.Violation {
	if len(v.NodeGroups) == 0 {
		return nil
	}
	out := k8s.CheckNodeGroup(v.Workers())
	// Only then: a group may stay behind a cluster that moves on.
	if v.Intent == driver.IntentCreateNodeGroup {
		if bad := k8s.CheckSkew(v.ClusterLabel("kube_tag"), v.Label("kube_tag")); bad != "" {
			out = append(out, refuse(driver.ClassInvalidInput, "labels/kube_tag", "kube_tag: %s.", bad)...)
		}
	}
	return out
}
