package k8s

import (
	"net/netip"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// calico is the other network driver besides flannel, and its label with the
// addresses of pods.
const (
	calico     = "calico"
	calicoPool = "calico_ipv4pool"
)

// NetworkDrivers are those that the shared templates and boot scripts can make.
func NetworkDrivers() []string { return []string{"flannel", calico} }

func usesCalico(v *template.Values) bool { return v.Template.NetworkDriver == calico }

func usesFlannel(v *template.Values) bool { return !usesCalico(v) }

// pods is the label with the addresses of pods.
func pods(v *template.Values) string {
	if usesCalico(v) {
		return calicoPool
	}
	return infra.FlannelNetwork
}

func calicoLabels() []template.Label {
	return []template.Label{
		{Name: "calico_tag", Default: "v3.13.1", Pattern: infra.TagForm, Description: "Tag of Calico's images node and cni, with the network driver calico."},
		{Name: calicoPool, Type: template.CIDR, Default: "10.100.0.0/16", Description: "Addresses of pods, with the network driver calico."},
		{Name: "calico_ipv4pool_ipip", Default: "Off", Enum: []string{"Always", "CrossSubnet", "Never", "Off"}, Description: "When pods' packets travel in others between nodes, with the network driver calico. Never is the same as Off."},
	}
}

func networkParameters() []template.Parameter {
	own := template.SameAsLabels("calico_tag", "calico_ipv4pool_ipip")
	for i := range own {
		own[i].When = usesCalico
	}
	return append(template.In(template.ClusterStack, append(own,
		template.Parameter{Name: "network_driver", From: template.Template("NetworkDriver")},
	)), template.Parameter{
		Name: "pods_network_cidr",
		From: template.Computed("label flannel_network_cidr or calico_ipv4pool", func(v *template.Values) string { return v.Label(pods(v)) }),
	})
}

// largestBlock is the prefix length of the blocks in which Calico counts a pool's
// addresses.
const largestBlock = 26

// poolSize refuses a pool of Calico's that it could not make.
func poolSize(v *template.Values) []driver.Violation {
	p, err := netip.ParsePrefix(v.Label(calicoPool))
	if err != nil || !usesCalico(v) || p.Bits() <= largestBlock {
		return nil
	}
	return template.Refuse(driver.ClassInvalidInput, "labels/"+calicoPool,
		"%s %s is not supported, expecting a prefix length of at most %d.", calicoPool, p, largestBlock)
}
