package atomic

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
)

// WorkerMetadata is the parameter, a JSON map of texts, with the metadata that
// the workers' servers get in Nova. For drivers that start from Definition.
const WorkerMetadata = "worker_metadata"

// parameters are those of the cluster's stack and of a further node group's. All
// that makes workers is in both, so that a parameter is mapped in one place: the
// workers are those of the stack that is asked for.
func parameters() []template.Parameter {
	return slices.Concat(
		workerParameters(),
		in(template.ClusterStack, clusterParameters()),
		in(template.NodeGroupStack, fromCluster("network", "subnet", "minion_security_groups", "address_pairs", "api_private_address")),
	)
}

func workerParameters() []template.Parameter {
	return slices.Concat([]template.Parameter{
		// who and where
		{Name: "cluster_uuid", From: template.Cluster("UUID"), Required: true},
		{Name: "magnum_url", From: template.Endpoint("MagnumURL"), Required: true},
		{Name: "auth_url", From: template.Endpoint("AuthURL"), Required: true},
		{Name: "trustee_user_id", From: template.Cluster("TrusteeUserID")},
		{Name: "trustee_password", From: template.Secret(driver.SecretTrusteePassword)},
		{Name: "verify_ca", From: template.Endpoint("VerifyCA")},
		{Name: "openstack_ca", From: template.Endpoint("CACert")},
		{Name: "ssh_key_name", From: template.Cluster("Keypair")},
		{Name: "wait_condition_timeout", From: template.Computed("time for one node to come up", waitTimeout)},

		// nodes
		{Name: "number_of_minions", From: template.Workers("NodeCount"), Required: true},
		{Name: "minions_to_remove", From: template.Computed("nodes to remove", nodesToRemove)},
		{Name: "minion_image", From: template.Computed("workers ImageID, or the template's", imageOf((*template.Values).Workers)).Early(), Required: true},
		{Name: "minion_flavor", From: template.Workers("FlavorID"), Required: true},
		{Name: "worker_nodegroup_name", From: template.Workers("Name")},
		{Name: "worker_role", From: template.Workers("Role")},
		{Name: "worker_node_labels", From: template.Computed("workers NodeLabels for kubelet", func(v *template.Values) string {
			return k8s.NodeLabels(v.Workers().NodeLabels)
		})},
		{Name: "worker_node_taints", From: template.Computed("workers NodeTaints for kubelet", func(v *template.Values) string {
			return k8s.NodeTaints(v.Workers().NodeTaints)
		})},
		{Name: "nodes_affinity_policy", From: template.Endpoint("AffinityPolicy")},
		{Name: "availability_zone", From: template.LabelOf("availability_zone")},
		// What Nova keeps with the servers: nothing of ours, but a driver that
		// starts from this one may have something to say to its cloud.
		{Name: WorkerMetadata, From: template.Const("{}")},

		// volumes
		{Name: "boot_volume_size", From: template.Computed("label boot_volume_size, or the operator's", bootVolumeSize)},
		{Name: "boot_volume_type", From: labelOr("boot_volume_type", func(e driver.Endpoints) string { return e.BootVolumeType })},
		{Name: "docker_volume_size", From: template.Computed("cluster DockerVolumeSize, or the group's", func(v *template.Values) string {
			if n := dockerVolumeSize(v); n > 0 {
				return strconv.Itoa(n)
			}
			return ""
		})},
		{Name: "docker_volume_type", From: labelOr("docker_volume_type", func(e driver.Endpoints) string { return e.DockerVolumeType })},
		{Name: "docker_storage_driver", From: template.Template("DockerStorageDriver")},

		// network
		{Name: "external_network", From: template.Computed("the external network's id", externalNetwork).Early(), Required: true},
		{Name: "floating_ip_enabled", From: template.Cluster("FloatingIP")},
		{Name: "http_proxy", From: template.Template("HTTPProxy")},
		{Name: "https_proxy", From: template.Template("HTTPSProxy")},
		{Name: "no_proxy", From: template.Computed("template NoProxy and the subnet", noProxy)},

		// Kubernetes
		{Name: "insecure_registry_url", From: template.Template("InsecureRegistry")},
		{Name: "dns_service_ip", From: template.Computed("tenth address of service_cluster_ip_range", func(v *template.Values) string {
			return nth(v.Label("service_cluster_ip_range"), 10)
		})},
		{Name: "pods_network_cidr", From: template.LabelOf("flannel_network_cidr")},
	}, sameAsLabel(
		"kube_tag", "flannel_tag", "flannel_cni_tag", "container_infra_prefix", "hyperkube_prefix",
		"kubelet_options", "kubeproxy_options", "cgroup_driver", "selinux_mode",
	))
}

func clusterParameters() []template.Parameter {
	given := func(v *template.Values) bool { return v.Cluster.FixedNetwork != "" }
	return slices.Concat([]template.Parameter{
		// masters
		{Name: "number_of_masters", From: template.Masters("NodeCount"), Required: true},
		{Name: "master_image", From: template.Computed("masters ImageID, or the template's", imageOf((*template.Values).Masters)).Early(), Required: true},
		{Name: "master_flavor", From: template.Masters("FlavorID"), Required: true},
		{Name: "master_nodegroup_name", From: template.Masters("Name")},
		{Name: "etcd_volume_size", From: template.LabelOf("etcd_volume_size")},
		{Name: "etcd_volume_type", From: labelOr("etcd_volume_type", func(e driver.Endpoints) string { return e.EtcdVolumeType })},

		// network
		{Name: "fixed_network", From: template.Cluster("FixedNetwork")},
		{Name: "fixed_subnet", From: template.Cluster("FixedSubnet"), Required: true, When: given},
		{Name: "fixed_subnet_cidr", From: template.Computed("CIDR of the given subnet, or of the one to make", subnetCIDR), Required: true},
		{Name: "dns_nameserver", From: template.Computed("template DNSNameserver as a list", nameServers)},
		{Name: "master_lb_enabled", From: template.Cluster("MasterLB")},
		{Name: "master_lb_floating_ip_enabled", From: template.Computed("label master_lb_floating_ip_enabled, or as the nodes", func(v *template.Values) string {
			return strconv.FormatBool(floatingAPI(v))
		})},
		{Name: "master_lb_allowed_cidrs", From: template.Computed("label master_lb_allowed_cidrs and the subnet", allowedCIDRs)},

		// Kubernetes
		{Name: "kube_service_account_key", From: template.Secret(driver.SecretServiceAccountKey)},
		{Name: "kube_service_account_private_key", From: template.Secret(driver.SecretServiceAccountPrivateKey)},
		{Name: "portal_network_cidr", From: template.LabelOf("service_cluster_ip_range")},
	}, sameAsLabel(
		"etcd_tag", "coredns_tag", "flannel_network_subnetlen", "flannel_backend",
		"admission_control_list", "system_pods_initial_delay", "system_pods_timeout",
		"kubeapi_options", "kubecontroller_options", "kubescheduler_options",
	))
}

// in makes parameters those of one stack alone.
func in(s template.Stack, list []template.Parameter) []template.Parameter {
	for i := range list {
		list[i].In = s
	}
	return list
}

// fromCluster makes parameters of the cluster's outputs of the same names.
func fromCluster(names ...string) []template.Parameter {
	out := make([]template.Parameter, 0, len(names))
	for _, name := range names {
		out = append(out, template.Parameter{Name: name, From: template.ClusterOutput(name), Required: true})
	}
	return out
}

func outputs() []template.Output {
	floating := func(v *template.Values) bool { return v.Cluster.FloatingIP }
	private := func(v *template.Values) bool { return !v.Cluster.FloatingIP }
	return []template.Output{
		{Stack: "api_address", To: template.ToAPIAddress, Format: func(v *template.Values, address string) string {
			return k8s.APIAddress(address, false)
		}},
		{Stack: "kube_masters", To: template.ToMasterAddresses, When: floating},
		{Stack: "kube_masters_private", To: template.ToMasterAddresses, When: private},
		{Stack: "kube_minions", To: template.ToWorkerAddresses, When: floating},
		{Stack: "kube_minions_private", To: template.ToWorkerAddresses, When: private},
		{Parameter: "number_of_masters", To: template.ToMasterCount},
		{Parameter: "number_of_minions", To: template.ToWorkerCount},
		{Parameter: "kube_tag", To: template.ToCOEVersion},
	}
}

// sameAsLabel makes parameters that have a label's name and value.
func sameAsLabel(names ...string) []template.Parameter {
	out := make([]template.Parameter, 0, len(names))
	for _, name := range names {
		out = append(out, template.Parameter{Name: name, From: template.LabelOf(name)})
	}
	return out
}

func labelOr(label string, operators func(driver.Endpoints) string) template.Source {
	return template.Computed("label "+label+", or the operator's", func(v *template.Values) string {
		if s := v.Label(label); s != "" {
			return s
		}
		return operators(v.Endpoints)
	})
}

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
	return strconv.Itoa(v.Endpoints.BootVolumeSize)
}

func externalNetwork(v *template.Values) string {
	if id := v.Endpoints.ExternalNetworkUUID; id != "" {
		return id
	}
	return v.Template.ExternalNetworkID
}

// subnetCIDR has no default for a given network: the security groups would
// shut the cluster's own nodes out.
func subnetCIDR(v *template.Values) string {
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

// floatingAPI: the label can turn the API's floating IP on as well as off.
func floatingAPI(v *template.Values) bool {
	if v.LabelGiven("master_lb_floating_ip_enabled") {
		return v.LabelBool("master_lb_floating_ip_enabled")
	}
	return v.Cluster.FloatingIP
}

func allowedCIDRs(v *template.Values) string {
	if !v.Cluster.MasterLB || !v.LabelGiven("master_lb_allowed_cidrs") {
		return ""
	}
	all := v.LabelList("master_lb_allowed_cidrs")
	if own := subnetCIDR(v); own != "" && !slices.Contains(all, own) {
		all = append(all, own)
	}
	return template.JSON(all)
}

func noProxy(v *template.Values) string {
	if v.Template.HTTPProxy == "" && v.Template.HTTPSProxy == "" {
		return ""
	}
	return strings.TrimPrefix(v.Template.NoProxy+","+subnetCIDR(v), ",")
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
