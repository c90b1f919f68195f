package infra

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// waitTimeout is how long a node may take, in seconds: three quarters of the
// time for the whole stack, so that Heat names the node that did not come up
// and not just the stack that took too long.
func waitTimeout(v *template.Values) string {
	minutes := v.Cluster.CreateTimeout
	if minutes <= 0 {
		minutes = 60
	}
	return strconv.Itoa(minutes * 60 * 3 / 4)
}

// nodesToRemove is sent even when empty: a resize that removes no named node
// must not repeat the list of the last one.
func nodesToRemove(v *template.Values) string {
	if v.NodesToRemove == nil || v.NodeGroup != "" && v.NodeGroup != v.Workers().Name {
		return "[]"
	}
	return template.JSON(v.NodesToRemove)
}

func imageOf(group func(*template.Values) driver.NodeGroup) func(*template.Values) string {
	return func(v *template.Values) string {
		if id := group(v).ImageID; id != "" {
			return id
		}
		return v.Template.ImageID
	}
}

// masterFlavor is the workers' where the user names only one flavor.
func masterFlavor(v *template.Values) string {
	return cmp.Or(v.Masters().FlavorID, v.Workers().FlavorID)
}

// dockerVolumeSize of a further node group is the group's own: the size of the
// cluster's volumes is not inherited.
func dockerVolumeSize(v *template.Values) int {
	if v.OwnStack() {
		return v.Group().DockerVolumeSize
	}
	return v.Cluster.DockerVolumeSize
}

func bootVolumeSize(v *template.Values) string {
	if s := v.Label("boot_volume_size"); s != "" {
		return s
	}
	if OnMetal(v) { // the operator means virtual machines
		return "0"
	}
	return strconv.Itoa(v.Endpoints.BootVolumeSize)
}

func externalNetwork(v *template.Values) string {
	if id := v.Endpoints.ExternalNetworkUUID; id != "" {
		return id
	}
	return v.Template.ExternalNetworkID
}

// SubnetCIDR is the nodes' subnet. There is no default for a given network: the
// security groups would shut the cluster's own nodes out.
func SubnetCIDR(v *template.Values) string {
	switch {
	case v.Cluster.FixedNetwork == "":
		return v.Label("fixed_subnet_cidr")
	case v.Endpoints.FixedSubnetCIDR != "":
		return v.Endpoints.FixedSubnetCIDR
	case v.LabelGiven("fixed_subnet_cidr"):
		return v.Label("fixed_subnet_cidr")
	}
	return ""
}

func nameServers(v *template.Values) string {
	list := strings.FieldsFunc(v.Template.DNSNameserver, func(r rune) bool { return r == ',' || r == ' ' })
	if len(list) == 0 {
		return ""
	}
	return template.JSON(list)
}

// floatingLoadBalancer: the label can turn the floating IP on as well as off.
func floatingLoadBalancer(v *template.Values) bool {
	if v.LabelGiven("master_lb_floating_ip_enabled") {
		return v.LabelBool("master_lb_floating_ip_enabled")
	}
	return v.Cluster.FloatingIP
}

// PublicAPI reports whether a cluster's API has a floating IP, its load
// balancer's or its first master's.
func PublicAPI(v *template.Values) bool {
	if v.Cluster.MasterLB {
		return floatingLoadBalancer(v)
	}
	return v.Cluster.FloatingIP
}

// withoutOctavia refuses load balancers where there is nothing to make them.
func withoutOctavia(v *template.Values) []driver.Violation {
	if !v.Cluster.MasterLB || v.Endpoints.Octavia {
		return nil
	}
	return template.Refuse(driver.ClassPrecondition, "master_lb_enabled",
		"A load balancer before the masters (master_lb_enabled) needs Octavia, which this cloud does not have.")
}

func allowedCIDRs(v *template.Values) string {
	if !v.Cluster.MasterLB || !v.LabelGiven("master_lb_allowed_cidrs") {
		return ""
	}
	all := v.LabelList("master_lb_allowed_cidrs")
	if own := SubnetCIDR(v); own != "" && !slices.Contains(all, own) {
		all = append(all, own)
	}
	return template.JSON(all)
}

func noProxy(v *template.Values) string {
	if v.Template.HTTPProxy == "" && v.Template.HTTPSProxy == "" {
		return ""
	}
	return strings.TrimPrefix(v.Template.NoProxy+","+SubnetCIDR(v), ",")
}
