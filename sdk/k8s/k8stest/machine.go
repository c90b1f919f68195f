package k8stest

import (
	"testing"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// Node is a machine of that role, master or worker, with the values that Heat
// would give it and an API server that is well.
func (k Kit) Node(t *testing.T, c *templatetest.Cloud, role string) *templatetest.Machine {
	t.Helper()
	params := map[string]string{
		"name": "Prod_1-" + role + "-0", "role": role, "index": "0", "address": "10.0.0.11", "external_address": "172.24.4.9",
		"api_private_address": "10.0.0.5", "api_public_address": "172.24.4.5", "etcd_address": "10.0.0.6",
		"master_addresses": "10.0.0.11 10.0.0.12 10.0.0.13", "portal_network_cidr": "10.254.0.0/16", "dns_service_ip": "10.254.0.10",
		"pods_network_cidr": "10.100.0.0/16", "flannel_network_subnetlen": "24", "flannel_backend": "vxlan",
		"calico_tag": "v3.13.1", "calico_ipv4pool_ipip": "Off", "kubernetes_port": "6443",
		"kube_tag": "v1.18.20", "flannel_tag": "v0.11.0-amd64", "flannel_cni_tag": "v0.3.0", "coredns_tag": "1.6.7", "etcd_tag": "v3.4.13",
		"hyperkube_prefix": "registry.k8s.io/", "selinux_mode": "permissive", "cgroup_driver": "cgroupfs", "docker_storage_driver": "overlay2",
		"kube_service_account_key": "PUBLIC", "kube_service_account_private_key": "PRIVATE",
		"system_pods_initial_delay": "30", "system_pods_timeout": "5",
		"nodegroup_name": "default-" + role, "nodegroup_role": role,
	}
	if role == "master" {
		params["node_taints"] = "node-role.kubernetes.io/master=:NoSchedule"
	}
	m := templatetest.NewMachine(t, c, params)
	m.Answer(
		"*6443/healthz) printf ok ;;",
		`*/api/v1/nodes/*) echo '{"conditions": [{"type": "Ready", "status": "True"}]}' ;;`,
	)
	if k.Machine != nil {
		k.Machine(m)
	}
	return m
}
