package infra

import (
	"strconv"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// Cloud says to a node who it is, and where its cloud is.
// Declared by the definition cloud-parameters.
func Cloud() []template.Parameter {
	return []template.Parameter{
		{Name: "cluster_uuid", From: template.Cluster("UUID"), Required: true},
		{Name: "magnum_url", From: template.Endpoint("MagnumURL"), Required: true},
		{Name: "auth_url", From: template.Endpoint("AuthURL"), Required: true},
		{Name: "trustee_user_id", From: template.Cluster("TrusteeUserID")},
		{Name: "trustee_password", From: template.Secret(driver.SecretTrusteePassword)},
		{Name: "verify_ca", From: template.Endpoint("VerifyCA")},
		{Name: "openstack_ca", From: template.Endpoint("CACert")},
		{Name: "ssh_key_name", From: template.Cluster("Keypair")},
		{Name: "wait_condition_timeout", From: template.Computed("time for one node to come up", waitTimeout)},
	}
}

// WorkerMetadata is the parameter, a JSON map of texts, with the metadata that
// the workers' servers get in Nova.
const WorkerMetadata = "worker_metadata"

// Workers are the nodes of the worker group whose stack is made. The COE has a
// name for one of them: with "minion", their number is number_of_minions.
// Declared by worker-parameters.
func Workers(kind string) []template.Parameter {
	return []template.Parameter{
		{Name: "number_of_" + kind + "s", From: template.Workers("NodeCount"), Required: true},
		{Name: kind + "s_to_remove", From: template.Computed("nodes to remove", nodesToRemove)},
		{Name: kind + "_image", From: template.Computed("workers ImageID, or the template's", imageOf((*template.Values).Workers)).Early(), Required: true},
		{Name: kind + "_flavor", From: template.Workers("FlavorID"), Required: true},
		{Name: "worker_nodegroup_name", From: template.Workers("Name")},
		{Name: "worker_role", From: template.Workers("Role")},
		{Name: "nodes_affinity_policy", From: template.Computed("endpoint AffinityPolicy", affinityPolicy)},
		{Name: "availability_zone", From: template.LabelOf("availability_zone")},
		// Nothing of ours, but a driver that starts from another may have
		// something to say to its cloud.
		{Name: WorkerMetadata, From: template.Const("{}")},
	}
}

// Masters are the cluster's masters, which are in its own stack alone.
// Declared by master-parameters.
func Masters() []template.Parameter {
	return template.In(template.ClusterStack, []template.Parameter{
		{Name: "number_of_masters", From: template.Masters("NodeCount"), Required: true},
		{Name: "master_image", From: template.Computed("masters ImageID, or the template's", imageOf((*template.Values).Masters)).Early(), Required: true},
		{Name: "master_flavor", From: template.Computed("masters FlavorID, or the workers'", masterFlavor).Early(), Required: true},
		{Name: "master_nodegroup_name", From: template.Masters("Name")},
	})
}

// BootVolume is what servers boot from where it is not the flavor's own disk.
// Declared by volume-parameters.
func BootVolume() []template.Parameter {
	return []template.Parameter{
		{Name: "boot_volume_size", From: template.Computed("label boot_volume_size, or the operator's", bootVolumeSize)},
		{Name: "boot_volume_type", From: template.LabelOr("boot_volume_type", func(e driver.Endpoints) string { return e.BootVolumeType })},
	}
}

// DockerVolume is where containers are kept. Declared by volume-parameters with
// the name docker.
func DockerVolume() []template.Parameter {
	return []template.Parameter{
		{Name: "docker_volume_size", From: template.Computed("cluster DockerVolumeSize, or the group's", func(v *template.Values) string {
			if n := dockerVolumeSize(v); n > 0 {
				return strconv.Itoa(n)
			}
			return ""
		})},
		{Name: "docker_volume_type", From: template.LabelOr("docker_volume_type", func(e driver.Endpoints) string { return e.DockerVolumeType })},
	}
}

// EtcdVolume is where the masters keep etcd's data. Declared by
// volume-parameters with the name etcd; needs the labels of [EtcdLabels].
func EtcdVolume() []template.Parameter {
	return template.In(template.ClusterStack, []template.Parameter{
		{Name: "etcd_volume_size", From: template.LabelOf("etcd_volume_size")},
		{Name: "etcd_volume_type", From: template.LabelOr("etcd_volume_type", func(e driver.Endpoints) string { return e.EtcdVolumeType })},
	})
}

// Docker is how the nodes' docker is set up. Declared by docker-parameters.
func Docker() []template.Parameter {
	return []template.Parameter{
		{Name: "docker_storage_driver", From: template.Template("DockerStorageDriver")},
		{Name: "insecure_registry_url", From: template.Template("InsecureRegistry")},
	}
}

// NodeNetwork is the way from a node to the world. Declared by
// node-network-parameters.
func NodeNetwork() []template.Parameter {
	return []template.Parameter{
		{Name: "external_network", From: template.Computed("the external network's id", externalNetwork).Early(), Required: true},
		{Name: "floating_ip_enabled", From: template.Cluster("FloatingIP")},
		{Name: "http_proxy", From: template.Template("HTTPProxy")},
		{Name: "https_proxy", From: template.Template("HTTPSProxy")},
		{Name: "no_proxy", From: template.Computed("template NoProxy and the subnet", noProxy)},
	}
}

// Network is the cluster's own network, or the given one. Declared by
// network-parameters.
func Network() []template.Parameter {
	given := func(v *template.Values) bool { return v.Cluster.FixedNetwork != "" }
	return template.In(template.ClusterStack, []template.Parameter{
		{Name: "fixed_network", From: template.Cluster("FixedNetwork")},
		{Name: "fixed_subnet", From: template.Cluster("FixedSubnet"), Required: true, When: given},
		{Name: "fixed_subnet_cidr", From: template.Computed("CIDR of the given subnet, or of the one to make", SubnetCIDR), Required: true},
		{Name: "dns_nameserver", From: template.Computed("template DNSNameserver as a list", nameServers)},
	})
}

// LoadBalancer is what stands before the masters. Declared by
// load-balancer-parameters.
func LoadBalancer() []template.Parameter {
	return template.In(template.ClusterStack, append([]template.Parameter{
		{Name: "master_lb_enabled", From: template.Cluster("MasterLB"), Refuse: withoutOctavia},
		{Name: "master_lb_floating_ip_enabled", From: template.Computed("label master_lb_floating_ip_enabled, or as the nodes", func(v *template.Values) string {
			return strconv.FormatBool(floatingLoadBalancer(v))
		})},
		{Name: "master_lb_allowed_cidrs", From: template.Computed("label master_lb_allowed_cidrs and the subnet", allowedCIDRs)},
	}, template.SameAsLabels("octavia_provider", "octavia_lb_algorithm", "octavia_lb_healthcheck")...))
}

// NodeOutputs are the addresses and the number of nodes: of those that
// template.Target names, in the group of that name and of that kind.
func NodeOutputs(group, kind string, addresses, count template.Target) []template.Output {
	return []template.Output{
		{Stack: group, To: addresses, When: func(v *template.Values) bool { return v.Cluster.FloatingIP }},
		{Stack: group + "_private", To: addresses, When: func(v *template.Values) bool { return !v.Cluster.FloatingIP }},
		{Parameter: "number_of_" + kind + "s", To: count},
	}
}
