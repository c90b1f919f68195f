package k8s

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Labels are those that [Parameters] read, without kube_tag, and those of the
// infrastructure.
func Labels() []template.Label {
	return slices.Concat(infra.Labels(), infra.EtcdLabels(), infra.FlannelLabels("pods"), calicoLabels(), infra.RegistryLabels(), []template.Label{
		// images
		{Name: "flannel_cni_tag", Default: "v0.3.0", Pattern: infra.TagForm, Description: "Tag of the flannel-cni image, which brings the CNI plugins."},
		{Name: "coredns_tag", Default: "1.6.7", Pattern: infra.TagForm, Description: "Tag of the CoreDNS image."},
		infra.ImagePrefix(),

		// Kubernetes
		{Name: "service_cluster_ip_range", Type: template.CIDR, Default: "10.254.0.0/16", Description: "Addresses of services. The tenth is the name server's."},
		{Name: "admission_control_list", Default: "NodeRestriction,NamespaceLifecycle,LimitRanger,ServiceAccount,DefaultStorageClass,DefaultTolerationSeconds,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ResourceQuota", Pattern: `[A-Za-z]+(?:,[A-Za-z]+)*`, Description: "Admission plugins of the API server."},
		{Name: "cert_manager_api", Type: template.Boolean, Default: "false", Description: "Whether masters have the key of the cluster's authority, so that the controller manager signs what the certificates API is asked for and approved."},
		{Name: "kubelet_options", PerNodeGroup: true, Description: "Further options of kubelet."},
		{Name: "kubeapi_options", Description: "Further options of the API server."},
		{Name: "kubecontroller_options", Description: "Further options of the controller manager."},
		{Name: "kubeproxy_options", PerNodeGroup: true, Description: "Further options of kube-proxy."},
		{Name: "kubescheduler_options", Description: "Further options of the scheduler."},
		{Name: "system_pods_initial_delay", Type: template.Integer, Default: "30", Minimum: template.Int(0), Description: "Seconds before the name servers' liveness is asked."},
		{Name: "system_pods_timeout", Type: template.Integer, Default: "5", Minimum: template.Int(1), Description: "Seconds in which they must answer."},
	})
}
