package k8s

import (
	"net/netip"
	"slices"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Parameters are those of a cluster's stack and of a further node group's, as
// the definitions kubernetes-cluster and kubernetes-nodegroup declare them. What
// a driver adds to them it gives to those as node_parameters and
// master_parameters. They read [Labels] and the label kube_tag, which is the
// driver's own because its form is.
func Parameters() []template.Parameter {
	return slices.Concat(
		infra.Cloud(), infra.Workers("minion"), infra.Masters(),
		infra.BootVolume(), infra.DockerVolume(), infra.EtcdVolume(), infra.Docker(),
		infra.NodeNetwork(), infra.Network(), infra.LoadBalancer(),
		[]template.Parameter{
			{Name: "worker_node_labels", From: template.Computed("workers NodeLabels for kubelet", func(v *template.Values) string {
				return NodeLabels(v.Workers().NodeLabels)
			})},
			{Name: "worker_node_taints", From: template.Computed("workers NodeTaints for kubelet", func(v *template.Values) string {
				return NodeTaints(v.Workers().NodeTaints)
			})},
			{Name: "kubernetes_port", From: template.Computed("6443, or without TLS 8080", func(v *template.Values) string {
				return apiPort(v.Template.TLSDisabled)
			})},
			{Name: "dns_service_ip", From: template.Computed("tenth address of service_cluster_ip_range", func(v *template.Values) string {
				return nth(v.Label("service_cluster_ip_range"), 10)
			})},
		},
		networkParameters(), cloudParameters(), infra.Registry(),
		template.SameAsLabels("kube_tag", "container_infra_prefix", "flannel_tag", "flannel_cni_tag", "kubelet_options", "kubeproxy_options"),
		template.In(template.ClusterStack, slices.Concat(
			[]template.Parameter{
				{Name: "kube_service_account_key", From: template.Secret(driver.SecretServiceAccountKey)},
				{Name: "kube_service_account_private_key", From: template.Secret(driver.SecretServiceAccountPrivateKey)},
				{Name: "ca_key", From: template.Secret(driver.SecretCAKey), When: func(v *template.Values) bool { return v.LabelBool("cert_manager_api") }},
				{Name: "portal_network_cidr", From: template.LabelOf("service_cluster_ip_range")},
			},
			template.SameAsLabels(
				"etcd_tag", "coredns_tag", "flannel_network_subnetlen", "flannel_backend",
				"admission_control_list", "system_pods_initial_delay", "system_pods_timeout",
				"kubeapi_options", "kubecontroller_options", "kubescheduler_options",
			),
		)),
		template.FromCluster("network", "subnet", "minion_security_groups", "address_pairs", "api_private_address"),
	)
}

// Outputs are those of the two definitions.
func Outputs() []template.Output {
	return slices.Concat(
		[]template.Output{{Stack: "api_address", To: template.ToAPIAddress, Format: func(v *template.Values, address string) string {
			return APIAddress(address, v.Template.TLSDisabled)
		}}},
		infra.NodeOutputs("kube_masters", "master", template.ToMasterAddresses, template.ToMasterCount),
		infra.NodeOutputs("kube_minions", "minion", template.ToWorkerAddresses, template.ToWorkerCount),
		[]template.Output{{Parameter: "kube_tag", To: template.ToCOEVersion}},
	)
}

// nth is an address of a network, counted from the network's own; "" where the
// network has not so many.
func nth(cidr string, n int) string {
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return ""
	}
	a := p.Masked().Addr()
	for range n {
		a = a.Next()
	}
	if !p.Contains(a) {
		return ""
	}
	return a.String()
}
