// Package k8stest tests the drivers of Kubernetes clusters that are made with
// package k8s: what they have in common is tested once, and each driver says what
// its distribution has otherwise.
package k8stest

import (
	"maps"
	"slices"
	"testing"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// Kit is a driver and what its distribution has otherwise.
type Kit struct {
	Definition func() *template.Definition
	// Page and Folder are as in templatetest.Suite.
	Page, Folder string
	// Engine runs the services of a node: podman or docker.
	Engine string
	// Storage is a storage driver of docker that needs no volume of more than
	// 3 GB.
	Storage string
	// Cases are the driver's own options.
	Cases []templatetest.Case
	// LabelValues are as in templatetest.Suite, for the driver's own labels.
	LabelValues map[string]string
	// Machine changes a machine so that it is one of the distribution.
	Machine func(*templatetest.Machine)
}

// Run holds the driver to what is the same for all that make Kubernetes.
func (k Kit) Run(t *testing.T) {
	k.Suite().Run(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"MasterBoots", k.masterBoots},
		{"MinionBoots", k.minionBoots},
		{"SignerBoots", k.signerBoots},
		{"BootsWithoutTLS", k.bootsWithoutTLS},
		{"CalicoBoots", k.calicoBoots},
		{"CinderBoots", k.cinderBoots},
		{"RegistryBoots", k.registryBoots},
		{"FailureNamesTheStep", k.failureNamesTheStep},
		{"Volumes", k.volumes},
		{"KubeletKnowsItsGroup", k.kubeletKnowsItsGroup},
		{"ValidateRefuses", k.validateRefuses},
		{"RenderRefuses", k.renderRefuses},
		{"MapOutputs", k.mapOutputs},
		{"PreDelete", k.preDelete},
		{"HealthOfPrivateClusters", k.healthOfPrivateClusters},
		{"NodeGroupRefused", k.nodeGroupRefused},
		{"NodeGroupOfAClusterThatMovedOn", k.nodeGroupOfAClusterThatMovedOn},
	} {
		t.Run(test.name, test.run)
	}
}

// Suite is the driver with all that it can do.
func (k Kit) Suite() templatetest.Suite {
	values := map[string]string{
		"kube_tag": "v1.17.17", "container_infra_prefix": "r/", "hyperkube_prefix": "r/", "admission_control_list": "ServiceAccount",
		"fixed_subnet_cidr": "10.7.0.0/24", "flannel_network_subnetlen": "27", "calico_ipv4pool": "10.7.0.0/16", "master_lb_floating_ip_enabled": "false",
	}
	maps.Copy(values, k.LabelValues)
	return templatetest.Suite{
		Definition: k.Definition,
		Request:    k.Request,
		Cases:      slices.Concat(templatetest.Options(), templatetest.GroupOptions(clusterOutputs()), k.options(), k.Cases),
		Boot:       map[string]string{"boot/master.sh": "kube-master.yaml", "boot/minion.sh": "kube-minion.yaml"},
		Unset: map[string][]string{
			"boot/master.sh": {"discovery_url", "node_labels", "tls_disabled"},
			"boot/minion.sh": {
				"api_public_address", "etcd_address", "external_address",
				"kube_service_account_key", "kube_service_account_private_key", "ca_key", "portal_network_cidr",
			},
		},
		LabelValues: values, ClusterOutputs: clusterOutputs(),
		Bounds: map[string]string{"min_node_count": "9", "max_node_count": "1"},
		Rich: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.NodeGroups[1].NodeCount = true, 2
		},
		Needs: map[string]func(*driver.RenderRequest){
			"calico_tag": withCalico, "calico_ipv4pool": withCalico, "calico_ipv4pool_ipip": withCalico,
			"registry_tag": withRegistry,
		},
		Largest: func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.NodeGroups[0].NodeCount, r.NodeGroups[1].NodeCount = 3, 1000
		},
		Page:   k.Page,
		Folder: k.Folder,
	}
}

// Request is for a cluster of one master and one worker, as the API makes it.
func (k Kit) Request() driver.RenderRequest {
	r := templatetest.Request(k.Definition().Types[0])
	r.Template.Name, r.Template.NetworkDriver = "k8s", "flannel"
	return r
}
