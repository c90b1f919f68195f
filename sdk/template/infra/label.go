package infra

import "github.com/go-magnum/magnum/sdk/template"

// Labels are those that the parameters of this package read, but for etcd's
// volumes.
func Labels() []template.Label {
	return []template.Label{
		{Name: "boot_volume_size", PerNodeGroup: true, Type: template.Integer, Minimum: template.Int(0), Description: "Size in GB of the Cinder volume that each server boots from; 0 boots from the flavor's own disk. Default: the operator's."},
		{Name: "boot_volume_type", PerNodeGroup: true, Description: "Cinder type of the boot volumes. Default: the operator's."},
		{Name: "docker_volume_type", PerNodeGroup: true, Description: "Cinder type of the volumes for container storage. Default: the operator's."},
		{Name: "availability_zone", PerNodeGroup: true, Description: "Availability zone of servers and volumes."},
		{Name: "fixed_subnet_cidr", Type: template.CIDR, Default: "10.0.0.0/24", Description: "Subnet of the network that the cluster makes for itself."},
		{Name: "master_lb_floating_ip_enabled", Type: template.Boolean, Description: "Whether the API's load balancer gets a floating IP. Default: as the nodes."},
		{Name: "master_lb_allowed_cidrs", Type: template.CIDRs, Description: "Who may reach the API behind a load balancer, with commas between; the cluster's own subnet always may. Default: everybody."},
		{Name: "octavia_provider", Pattern: `[A-Za-z0-9_.-]{1,255}`, Description: "Octavia's provider of the load balancers. Default: Octavia's own."},
		{Name: "octavia_lb_algorithm", Default: "ROUND_ROBIN", Enum: []string{"ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT"}, Description: "How load balancers choose a master. The provider ovn has SOURCE_IP_PORT alone."},
		{Name: "octavia_lb_healthcheck", Type: template.Boolean, Default: "true", Description: "Whether load balancers look after the masters, and leave out those that do not answer."},
		{Name: "min_node_count", Type: template.Integer, Minimum: template.Int(0), Description: "Fewest workers that the cluster may have."},
		{Name: "max_node_count", Type: template.Integer, Minimum: template.Int(1), Description: "Most workers that the cluster may have."},
	}
}

// The forms of labels that are parts of an image's name.
const (
	// TagForm is that of a tag.
	TagForm = `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	// PrefixForm is that of a registry with a path, and a slash at the end.
	PrefixForm = `[A-Za-z0-9._:/-]+/`
)

// ImagePrefix is the label that the function image of boot/lib.sh goes by.
func ImagePrefix() template.Label {
	return template.Label{
		Name: "container_infra_prefix", PerNodeGroup: true, Pattern: PrefixForm,
		Description: "Registry, and path, from which all images come, with a slash at the end.",
	}
}

// EtcdLabels are those of [EtcdVolume], and the version.
func EtcdLabels() []template.Label {
	return []template.Label{
		{Name: "etcd_volume_size", Type: template.Integer, Default: "0", Minimum: template.Int(0), Description: "Size in GB of a Cinder volume for etcd on each master; 0 keeps etcd on the boot disk."},
		{Name: "etcd_volume_type", Description: "Cinder type of the etcd volumes. Default: the operator's."},
		{Name: "etcd_tag", Default: "v3.4.13", Pattern: TagForm, Description: "Tag of the etcd image."},
	}
}

// FlannelLabels are those of a network in which containers, or what a COE calls
// them, have addresses of their own.
func FlannelLabels(containers string) []template.Label {
	return []template.Label{
		{Name: "flannel_tag", Default: "v0.11.0-amd64", Pattern: TagForm, Description: "Tag of the flannel image."},
		{Name: "flannel_network_cidr", Type: template.CIDR, Default: "10.100.0.0/16", Description: "Addresses of " + containers + "."},
		{Name: "flannel_network_subnetlen", Type: template.Integer, Default: "24", Minimum: template.Int(8), Maximum: template.Int(30), Description: "Prefix length of each node's part of the " + containers + "' addresses."},
		{Name: "flannel_backend", Default: "vxlan", Enum: []string{"vxlan", "udp", "host-gw"}, Description: "How " + containers + "' packets travel between nodes."},
	}
}
