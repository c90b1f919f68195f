package infra

import (
	"net/netip"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// FlannelNetwork is the label with the addresses of containers.
const FlannelNetwork = "flannel_network_cidr"

// Apart refuses ranges of addresses, each the value of a label, that are not of
// IPv4, overlap each other, or the subnet that the cluster makes for its nodes.
func Apart(v *template.Values, labels ...string) []driver.Violation {
	var out []driver.Violation
	ranges := map[string]string{}
	for _, name := range labels {
		ranges[name] = v.Label(name)
	}
	if own := SubnetCIDR(v); own != "" {
		labels, ranges["fixed_subnet_cidr"] = append(labels, "fixed_subnet_cidr"), own
	}
	for i, a := range labels {
		if p, err := netip.ParsePrefix(ranges[a]); err == nil && !p.Addr().Is4() {
			out = append(out, template.Refuse(driver.ClassInvalidInput, "labels/"+a, "%s %s is not supported, expecting IPv4.", a, ranges[a])...)
		}
		for _, b := range labels[i+1:] {
			if overlap(ranges[a], ranges[b]) {
				out = append(out, template.Refuse(driver.ClassInvalidInput, "labels/"+b, "%s %s overlaps %s %s.", b, ranges[b], a, ranges[a])...)
			}
		}
	}
	return out
}

func overlap(a, b string) bool {
	x, errX := netip.ParsePrefix(a)
	y, errY := netip.ParsePrefix(b)
	return errX == nil && errY == nil && x.Overlaps(y)
}

// FlannelSubnets refuses a network of containers that cannot be parted among the
// nodes.
func FlannelSubnets(v *template.Values) []driver.Violation { return Subnets(v, FlannelNetwork) }

// Subnets does so for a network that is the value of another label.
func Subnets(v *template.Values, network string) []driver.Violation {
	const length = "flannel_network_subnetlen"
	all := v.Label(network)
	if p, err := netip.ParsePrefix(all); err != nil || v.LabelInt(length) > p.Bits() {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "labels/"+length, "%s %d leaves no part of %s for each node.", length, v.LabelInt(length), all)
}
