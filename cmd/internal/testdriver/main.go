// Command testdriver is a driver for tests: Kubernetes on Fedora CoreOS, as far
// as the service and the cloud can see it. Its stacks have a network and bare
// servers that run nothing, but all that a cluster's life can ask for changes
// something in them. Tests build and pack it like any other driver.
package main

import (
	"embed"
	"io/fs"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
	"github.com/go-magnum/magnum/sdk/template"
)

const version = "1.0.0"

func main() {
	d := definition()
	serve.Main(serve.Plugin{Name: d.Name, Version: d.Version, Driver: d, Templates: d})
}

//go:embed stack
var embedded embed.FS

func definition() *template.Definition {
	files, err := fs.Sub(embedded, "stack")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return &template.Definition{
		Name: "k8s_fedora_coreos_v1", DisplayName: "Kubernetes on Fedora CoreOS, for tests", Version: version, Maturity: driver.MaturityStable,
		Types:          []driver.ClusterType{{ServerType: "vm", OS: "fedora-coreos", COE: "kubernetes"}},
		NetworkDrivers: []string{"flannel", "calico"},
		VolumeDrivers:  []string{"cinder"},
		Capabilities: []driver.Capability{
			driver.CapResize, driver.CapZeroNodes, driver.CapRemoveNamedNodes, driver.CapNodeGroups, driver.CapNodeLabels,
			driver.CapUpgrade, driver.CapRotateCA, driver.CapRotateCredential, driver.CapMasterLoadBalancer,
		},
		UpgradeLabels: []string{"kube_tag", "ostree_remote", "ostree_commit"},
		Labels: []template.Label{
			{Name: "kube_tag", Default: "v1.23.3-rancher1", Description: "Kubernetes version.", PerNodeGroup: true},
			{Name: "ostree_remote", Description: "Where the nodes' operating system comes from.", PerNodeGroup: true},
			{Name: "ostree_commit", Description: "Its revision.", PerNodeGroup: true},
		},
		Parameters: []template.Parameter{
			{Name: "cluster_uuid", From: template.Cluster("UUID"), Required: true},
			{Name: "kube_tag", From: template.LabelOf("kube_tag")},
			{Name: "ostree_remote", From: template.LabelOf("ostree_remote")},
			{Name: "ostree_commit", From: template.LabelOf("ostree_commit")},
			{Name: "trustee_password", From: template.Secret(driver.SecretTrusteePassword)},
			{Name: "worker_count", From: template.Workers("NodeCount"), Required: true},
			{Name: "worker_image", From: template.Workers("ImageID"), Required: true},
			{Name: "worker_flavor", From: template.Workers("FlavorID"), Required: true},
			{Name: "nodes_to_remove", From: template.Computed("nodes to remove", nodesToRemove)},
			{Name: "node_labels", From: template.Computed("workers NodeLabels", func(v *template.Values) string {
				return template.JSON(v.Workers().NodeLabels)
			})},

			{Name: "master_count", From: template.Masters("NodeCount"), In: template.ClusterStack, Required: true},
			{Name: "master_image", From: template.Masters("ImageID"), In: template.ClusterStack, Required: true},
			{Name: "master_flavor", From: template.Masters("FlavorID"), In: template.ClusterStack, Required: true},
			{Name: "ca_key", From: template.Secret(driver.SecretCAKey), In: template.ClusterStack},
			// As in upstream's driver nobody looks at this label before Heat
			// does, which refuses the stack. That is how a test gets a
			// cluster that fails.
			{Name: "calico_ipv4pool_ipip", In: template.ClusterStack, From: template.Computed("label calico_ipv4pool_ipip, unchecked", func(v *template.Values) string {
				return v.Cluster.Labels["calico_ipv4pool_ipip"]
			})},

			{Name: "network", From: template.ClusterOutput("network"), In: template.NodeGroupStack, Required: true},
			{Name: "subnet", From: template.ClusterOutput("subnet"), In: template.NodeGroupStack, Required: true},
			{Name: "api_address", From: template.ClusterOutput("api_address"), In: template.NodeGroupStack, Required: true},
		},
		Outputs: []template.Output{
			{Stack: "api_address", To: template.ToAPIAddress, Format: func(_ *template.Values, address string) string {
				return "https://" + address + ":6443"
			}},
			{Stack: "master_addresses", To: template.ToMasterAddresses},
			{Stack: "worker_addresses", To: template.ToWorkerAddresses},
			{Parameter: "master_count", To: template.ToMasterCount},
			{Parameter: "worker_count", To: template.ToWorkerCount},
			{Parameter: "kube_tag", To: template.ToCOEVersion},
		},
		Files: files, Main: "main.yaml", NodeGroupMain: "nodegroup.yaml",
	}
}

// nodesToRemove is sent even when empty: a later change must not repeat the
// list of this one. What is about another group leaves this stack's alone.
func nodesToRemove(v *template.Values) string {
	if v.NodesToRemove == nil || v.NodeGroup != "" && v.NodeGroup != v.Workers().Name {
		return "[]"
	}
	return template.JSON(v.NodesToRemove)
}
