package k8stest

import (
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// options are those that Kubernetes clusters have besides those of all clusters.
// Labels that a driver does not know it ignores.
func (k Kit) options() []templatetest.Case {
	return []templatetest.Case{
		{Name: "volumes-operators-types", Change: func(r *driver.RenderRequest) {
			r.Cluster.DockerVolumeSize = 5
			r.Template.DockerStorageDriver = k.Storage
			r.Cluster.Labels = templatetest.Labels("etcd_volume_size", "2")
			r.Endpoints.DockerVolumeType, r.Endpoints.EtcdVolumeType = "docker-type", "etcd-type"
			r.Endpoints.BootVolumeType, r.Endpoints.BootVolumeSize = "boot-type", 10
		}},
		{Name: "kubernetes-labels", Change: func(r *driver.RenderRequest) {
			r.Cluster.Labels = templatetest.Labels("kube_tag", "v1.17.17", "container_infra_prefix", "registry.example.com/magnum/",
				"etcd_tag", "v3.4.6", "coredns_tag", "1.6.5", "kubelet_options", "--v=4 --max-pods=50",
				"kubeapi_options", "--v=2", "kubecontroller_options", "--v=3", "kubeproxy_options", "--v=5",
				"kubescheduler_options", "--v=6", "admission_control_list", "NodeRestriction,ServiceAccount",
				"service_cluster_ip_range", "10.112.3.4/12", "system_pods_initial_delay", "10", "system_pods_timeout", "9",
				"cgroup_driver", "systemd", "selinux_mode", "enforcing", "cert_manager_api", "yes", "unknown_label", "ignored",
				"min_node_count", "1", "max_node_count", "5", "hyperkube_prefix", "quay.io/x/")
		}},
		{Name: "routed-pods", Change: func(r *driver.RenderRequest) {
			r.Cluster.Labels = templatetest.Labels("flannel_backend", "host-gw", "flannel_network_cidr", "10.200.0.0/16",
				"flannel_network_subnetlen", "26", "flannel_tag", "v0.12.0", "flannel_cni_tag", "v0.3.1", "fixed_subnet_cidr", "10.9.0.0/24")
		}},
		{Name: "calico", Change: withCalico},
		{Name: "calico-labels", Change: func(r *driver.RenderRequest) {
			withCalico(r)
			r.Cluster.Labels = templatetest.Labels("calico_tag", "v3.3.6", "calico_ipv4pool", "192.168.128.7/17", "calico_ipv4pool_ipip", "CrossSubnet",
				"flannel_network_subnetlen", "26", "flannel_network_cidr", "10.254.0.0/16")
		}},
		{Name: "nodegroup-calico", Change: Group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { withCalico(r) })},
		{Name: "tls-disabled", Change: func(r *driver.RenderRequest) {
			r.Template.TLSDisabled, r.Cluster.MasterLB, r.NodeGroups[0].NodeCount = true, true, 3
		}},
		{Name: "nodegroup-tls-disabled", Change: Group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { r.Template.TLSDisabled = true })},
		{Name: "registry", Change: withRegistry},
		{Name: "nodegroup-registry", Change: Group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { withRegistry(r) })},
		{Name: "cinder", Change: withCinder},
		{Name: "nodegroup-cinder", Change: Group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { withCinder(r) })},
		{Name: "worker-labels", Change: func(r *driver.RenderRequest) {
			r.Intent, r.NodeGroup = driver.IntentUpdateNodeGroup, "default-worker"
			r.NodeGroups[1].NodeLabels = templatetest.Labels("pool", "default")
			r.NodeGroups[1].NodeTaints = []driver.Taint{{Key: "dedicated", Value: "web", Effect: "PreferNoSchedule"}}
		}},
		{Name: "nodegroup-labels-and-taints", Change: Group(func(_ *driver.RenderRequest, g *driver.NodeGroup) {
			g.Role = "ingress"
			g.NodeLabels = templatetest.Labels("gpu", "yes", "example.com/tier", "front", "node.kubernetes.io/pool", "")
			g.NodeTaints = []driver.Taint{{Key: "gpu", Value: "yes", Effect: "NoSchedule"}, {Key: "example.com/spot", Effect: "NoExecute"}}
		})},
		{Name: "nodegroup-own-labels", Change: Group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Cluster.Labels = templatetest.Labels("kube_tag", "v1.18.20", "availability_zone", "az1", "kubelet_options", "--v=4",
				"service_cluster_ip_range", "10.112.0.0/12", "flannel_tag", "v0.12.0", "min_node_count", "1", "max_node_count", "1")
			g.Labels = templatetest.Labels("kube_tag", "v1.16.15", "availability_zone", "az2", "kubelet_options", "--v=5", "kubeproxy_options", "--v=6",
				"cgroup_driver", "systemd", "selinux_mode", "enforcing", "container_infra_prefix", "registry.example.com/magnum/",
				"hyperkube_prefix", "quay.io/x/", "service_cluster_ip_range", "10.112.0.0/12")
		})},
		{Name: "nodegroup-routed-pods", Change: Group(func(r *driver.RenderRequest, _ *driver.NodeGroup) {
			r.Cluster.Labels = templatetest.Labels("flannel_backend", "host-gw")
			r.ClusterOutputs["minion_security_groups"] = driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001", "5e5e5e5e-0000-4000-8000-000000000002"]`)
			r.ClusterOutputs["address_pairs"] = driver.RawJSON(`[{"ip_address": "10.100.0.0/16"}]`)
		})},
	}
}

func withRegistry(r *driver.RenderRequest) {
	r.Template.RegistryEnabled, r.Cluster.TrusteeUsername, r.Cluster.TrusteeDomainID = true, "trustee", "trustees"
}

func withCinder(r *driver.RenderRequest) {
	r.Template.VolumeDriver, r.Endpoints.Region = "cinder", "RegionOne"
}

func withCalico(r *driver.RenderRequest) { r.Template.NetworkDriver = "calico" }

// Group changes a request into one that makes the node group extra.
func Group(change func(*driver.RenderRequest, *driver.NodeGroup)) func(*driver.RenderRequest) {
	return templatetest.Group(clusterOutputs(), change)
}

// clusterOutputs are what the stack of a cluster says to its node groups.
func clusterOutputs() map[string]driver.RawJSON {
	return map[string]driver.RawJSON{
		"api_address": driver.RawJSON(`"172.24.4.6"`), "network": driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000000"`),
		"subnet":                 driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000001"`),
		"minion_security_groups": driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001"]`),
		"address_pairs":          driver.RawJSON(`[]`),
		"api_private_address":    driver.RawJSON(`"10.0.0.5"`),
	}
}
