package atomic

import "github.com/go-magnum/magnum/sdk/template"

// scripts are what runs on a node at its first boot, in this order, and the
// services that it starts.
func scripts() map[string][]template.Fragment {
	step := func(name, file string) template.Fragment {
		return template.Fragment{Name: name, File: "boot/step/" + file + ".sh"}
	}
	service := func(name string) template.Fragment {
		return template.Fragment{Name: name, File: "boot/service/" + name + ".sh"}
	}
	when := func(f template.Fragment, c template.Condition) template.Fragment {
		f.When = c
		return f
	}
	common := []template.Fragment{
		step("010-selinux", "selinux"),
		when(step("020-trust", "trust"), func(v *template.Values) bool { return v.Endpoints.CACert != "" }),
		when(step("030-proxy", "proxy"), func(v *template.Values) bool {
			return v.Template.HTTPProxy != "" || v.Template.HTTPSProxy != ""
		}),
		when(step("040-registry", "registry"), func(v *template.Values) bool { return v.Template.InsecureRegistry != "" }),
		step("050-docker", "docker"),
		step("060-certificates", "certificates"),
	}
	master := append(common[:len(common):len(common)],
		step("100-etcd", "etcd"),
		step("110-control-plane", "control-plane"),
		step("120-api", "api"),
		step("200-kubelet", "kubelet"),
		step("300-flannel", "flannel"),
		step("310-coredns", "coredns"),
		step("900-ready", "ready"),
	)
	minion := append(common[:len(common):len(common)],
		step("200-kubelet", "kubelet"),
		step("900-ready", "ready"),
	)
	return map[string][]template.Fragment{
		"master-steps": master,
		"master-services": {
			service("etcd"), service("kube-apiserver"), service("kube-controller-manager"),
			service("kube-scheduler"), service("kubelet"), service("kube-proxy"),
		},
		"minion-steps":    minion,
		"minion-services": {service("kubelet"), service("kube-proxy")},
	}
}
