package k8s

import (
	"slices"

	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
)

// Scripts are what runs on masters and workers at their first boot, and the
// services that it starts: of boot/master.sh and boot/minion.sh. The distribution's
// own steps, that of docker among them, come in by their numbers: the shared ones
// are 005 and 020 to 040, then 060 the certificates, and the parts of Kubernetes
// from 100 on.
func Scripts(distribution ...template.Fragment) map[string][]template.Fragment {
	common := slices.Concat(infra.Steps(), distribution, []template.Fragment{
		infra.Step("005-cgroups", "cgroups"),
		infra.Step("060-certificates", "certificates"),
		infra.Step("070-cloud", "cloud").If(usesCinder),
		infra.Step("190-calico-node", "calico-node").If(usesCalico),
		infra.Step("200-kubelet", "kubelet"),
		infra.Step("900-ready", "ready"),
	})
	ordered := func(more ...template.Fragment) []template.Fragment {
		return infra.Ordered(common, more)
	}
	return map[string][]template.Fragment{
		"master-steps": ordered(
			infra.Step("100-etcd", "etcd"),
			infra.Step("110-control-plane", "control-plane"),
			infra.Step("120-api", "api"),
			infra.Step("300-flannel", "flannel").If(usesFlannel),
			infra.Step("300-calico", "calico").If(usesCalico),
			infra.Step("310-coredns", "coredns"),
		),
		"master-services": {
			infra.Service("etcd"), infra.Service("kube-apiserver"), infra.Service("kube-controller-manager"),
			infra.Service("kube-scheduler"), infra.Service("kubelet"), infra.Service("kube-proxy"),
		},
		"minion-steps": ordered(infra.Step("080-registry", "own-registry").If(infra.UsesRegistry)),
		"minion-services": {
			infra.Service("registry").If(infra.UsesRegistry), infra.Service("kubelet"), infra.Service("kube-proxy"),
		},
	}
}
