package k8s

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// The forms of labels that are parts of an image's name.
const (
	// TagForm is that of a tag.
	TagForm = `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`
	// PrefixForm is that of a registry with a path, and a slash at the end.
	PrefixForm = `[A-Za-z0-9._:/-]+/`
)

// Labels are those that [Parameters] read, without kube_tag, and those of the
// infrastructure.
func Labels() []template.Label {
	return slices.Concat(infra.Labels(), infra.EtcdLabels(), []template.Label{
		// images
		{Name: "etcd_tag", Default: "v3.4.13", Pattern: TagForm, Description: "Tag of the etcd image."},
		{Name: "flannel_tag", Default: "v0.11.0-amd64", Pattern: TagForm, Description: "Tag of the flannel image."},
		{Name: "flannel_cni_tag", Default: "v0.3.0", Pattern: TagForm, Description: "Tag of the flannel-cni image, which brings the CNI plugins."},
		{Name: "coredns_tag", Default: "1.6.7", Pattern: TagForm, Description: "Tag of the CoreDNS image."},
		{Name: "container_infra_prefix", PerNodeGroup: true, Pattern: PrefixForm, Description: "Registry, and path, from which all images come, with a slash at the end."},

		// Kubernetes
		{Name: "service_cluster_ip_range", Type: template.CIDR, Default: "10.254.0.0/16", Description: "Addresses of services. The tenth is the name server's."},
		{Name: "admission_control_list", Default: "NodeRestriction,NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ResourceQuota", Pattern: `[A-Za-z]+(?:,[A-Za-z]+)*`, Description: "Admission plugins of the API server."},
		{Name: "kubelet_options", PerNodeGroup: true, Description: "Further options of kubelet."},
		{Name: "kubeapi_options", Description: "Further options of the API server."},
		{Name: "kubecontroller_options", Description: "Further options of the controller manager."},
		{Name: "kubeproxy_options", PerNodeGroup: true, Description: "Further options of kube-proxy."},
		{Name: "kubescheduler_options", Description: "Further options of the scheduler."},
		{Name: "system_pods_initial_delay", Type: template.Integer, Default: "30", Minimum: template.Int(0), Description: "Seconds before the name servers' liveness is asked."},
		{Name: "system_pods_timeout", Type: template.Integer, Default: "5", Minimum: template.Int(1), Description: "Seconds in which they must answer."},

		// pods' network
		{Name: "flannel_network_cidr", Type: template.CIDR, Default: "10.100.0.0/16", Description: "Addresses of pods."},
		{Name: "flannel_network_subnetlen", Type: template.Integer, Default: "24", Minimum: template.Int(8), Maximum: template.Int(30), Description: "Prefix length of each node's part of the pods' addresses."},
		{Name: "flannel_backend", Default: "vxlan", Enum: []string{"vxlan", "udp", "host-gw"}, Description: "How pods' packets travel between nodes."},
	})
}
