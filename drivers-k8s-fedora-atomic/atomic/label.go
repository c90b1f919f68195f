package atomic

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/k8s"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// labels are those that do something, and no others. Where upstream had one
// that this driver does not act on, it is accepted and ignored.
func labels() []template.Label {
	all := slices.Concat([]template.Label{
		{Name: "kube_tag", PerNodeGroup: true, Default: "v1.18.20", Pattern: `v[0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9_.-]*`, Description: "Kubernetes version: the tag of the hyperkube image, which Kubernetes publishes up to 1.18."},
		{Name: "hyperkube_prefix", PerNodeGroup: true, Default: "registry.k8s.io/", Pattern: infra.PrefixForm, Description: "Registry of the hyperkube image, with a slash at the end, unless container_infra_prefix is set."},
		{Name: "cgroup_driver", PerNodeGroup: true, Default: "cgroupfs", Enum: []string{"cgroupfs", "systemd"}, Description: "Cgroup driver of docker and kubelet."},
		{Name: "selinux_mode", PerNodeGroup: true, Default: "permissive", Enum: []string{"enforcing", "permissive", "disabled"}, Description: "SELinux on the nodes."},
	}, k8s.Labels())
	for i := range all {
		all[i].Since = "1.0.0"
	}
	return all
}
