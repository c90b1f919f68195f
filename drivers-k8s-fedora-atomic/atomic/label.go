package atomic

import "github.com/go-magnum/magnum/sdk/template"

// labels are those that do something, and no others. Where upstream had one
// that this driver does not act on, it is accepted and ignored.
func labels() []template.Label {
	tag := `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	prefix := `[A-Za-z0-9._:/-]+/`
	var all []template.Label
	add := func(l ...template.Label) {
		for _, one := range l {
			one.Since = "1.0.0"
			all = append(all, one)
		}
	}
	add( // infrastructure
		template.Label{Name: "boot_volume_size", PerNodeGroup: true, Type: template.Integer, Minimum: template.Int(0), Description: "Size in GB of the Cinder volume that each server boots from; 0 boots from the flavor's own disk. Default: the operator's."},
		template.Label{Name: "boot_volume_type", PerNodeGroup: true, Description: "Cinder type of the boot volumes. Default: the operator's."},
		template.Label{Name: "docker_volume_type", PerNodeGroup: true, Description: "Cinder type of the volumes for container storage. Default: the operator's."},
		template.Label{Name: "etcd_volume_size", Type: template.Integer, Default: "0", Minimum: template.Int(0), Description: "Size in GB of a Cinder volume for etcd on each master; 0 keeps etcd on the boot disk."},
		template.Label{Name: "etcd_volume_type", Description: "Cinder type of the etcd volumes. Default: the operator's."},
		template.Label{Name: "availability_zone", PerNodeGroup: true, Description: "Availability zone of servers and volumes."},
		template.Label{Name: "fixed_subnet_cidr", Type: template.CIDR, Default: "10.0.0.0/24", Description: "Subnet of the network that the cluster makes for itself."},
		template.Label{Name: "master_lb_floating_ip_enabled", Type: template.Boolean, Description: "Whether the API's load balancer gets a floating IP. Default: as the nodes."},
		template.Label{Name: "master_lb_allowed_cidrs", Type: template.CIDRs, Description: "Who may reach the API behind a load balancer, with commas between; the cluster's own subnet always may. Default: everybody."},
		template.Label{Name: "min_node_count", Type: template.Integer, Minimum: template.Int(0), Description: "Fewest workers that the cluster may have."},
		template.Label{Name: "max_node_count", Type: template.Integer, Minimum: template.Int(1), Description: "Most workers that the cluster may have."},
		template.Label{Name: "selinux_mode", PerNodeGroup: true, Default: "permissive", Enum: []string{"enforcing", "permissive", "disabled"}, Description: "SELinux on the nodes."},
	)
	add( // images
		template.Label{Name: "kube_tag", PerNodeGroup: true, Default: "v1.18.20", Pattern: `v[0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9_.-]*`, Description: "Kubernetes version: the tag of the hyperkube image, which Kubernetes publishes up to 1.18."},
		template.Label{Name: "etcd_tag", Default: "v3.4.13", Pattern: tag, Description: "Tag of the etcd image."},
		template.Label{Name: "flannel_tag", Default: "v0.11.0-amd64", Pattern: tag, Description: "Tag of the flannel image."},
		template.Label{Name: "flannel_cni_tag", Default: "v0.3.0", Pattern: tag, Description: "Tag of the flannel-cni image, which brings the CNI plugins."},
		template.Label{Name: "coredns_tag", Default: "1.6.7", Pattern: tag, Description: "Tag of the CoreDNS image."},
		template.Label{Name: "container_infra_prefix", PerNodeGroup: true, Pattern: prefix, Description: "Registry, and path, from which all images come, with a slash at the end."},
		template.Label{Name: "hyperkube_prefix", PerNodeGroup: true, Default: "registry.k8s.io/", Pattern: prefix, Description: "Registry of the hyperkube image, with a slash at the end, unless container_infra_prefix is set."},
	)
	add( // Kubernetes
		template.Label{Name: "service_cluster_ip_range", Type: template.CIDR, Default: "10.254.0.0/16", Description: "Addresses of services. The tenth is the name server's."},
		template.Label{Name: "admission_control_list", Default: "NodeRestriction,NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ResourceQuota", Pattern: `[A-Za-z]+(?:,[A-Za-z]+)*`, Description: "Admission plugins of the API server."},
		template.Label{Name: "kubelet_options", PerNodeGroup: true, Description: "Further options of kubelet."},
		template.Label{Name: "kubeapi_options", Description: "Further options of the API server."},
		template.Label{Name: "kubecontroller_options", Description: "Further options of the controller manager."},
		template.Label{Name: "kubeproxy_options", PerNodeGroup: true, Description: "Further options of kube-proxy."},
		template.Label{Name: "kubescheduler_options", Description: "Further options of the scheduler."},
		template.Label{Name: "cgroup_driver", PerNodeGroup: true, Default: "cgroupfs", Enum: []string{"cgroupfs", "systemd"}, Description: "Cgroup driver of docker and kubelet."},
		template.Label{Name: "system_pods_initial_delay", Type: template.Integer, Default: "30", Minimum: template.Int(0), Description: "Seconds before the name servers' liveness is asked."},
		template.Label{Name: "system_pods_timeout", Type: template.Integer, Default: "5", Minimum: template.Int(1), Description: "Seconds in which they must answer."},
	)
	add( // pods' network
		template.Label{Name: "flannel_network_cidr", Type: template.CIDR, Default: "10.100.0.0/16", Description: "Addresses of pods."},
		template.Label{Name: "flannel_network_subnetlen", Type: template.Integer, Default: "24", Minimum: template.Int(8), Maximum: template.Int(30), Description: "Prefix length of each node's part of the pods' addresses."},
		template.Label{Name: "flannel_backend", Default: "vxlan", Enum: []string{"vxlan", "udp", "host-gw"}, Description: "How pods' packets travel between nodes."},
	)
	return all
}
