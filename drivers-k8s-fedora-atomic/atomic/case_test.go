package atomic_test

import (
	"github.com/go-magnum/magnum/sdk/driver"
)

const clusterUUID = "6f3c6f2e-5a3b-4c1d-9e8f-0a1b2c3d4e5f"

// base is a cluster of one master and one worker, as the API makes it.
func base() driver.RenderRequest {
	return driver.RenderRequest{
		Intent: driver.IntentCreate,
		Template: driver.ClusterTemplate{
			UUID: "11111111-2222-4333-8444-555555555555", Name: "k8s", ImageID: "fedora-atomic-latest",
			ExternalNetworkID: "public", NetworkDriver: "flannel", DNSNameserver: "8.8.8.8",
			ClusterDistro: "fedora-atomic", COE: "kubernetes", ServerType: "vm",
		},
		Cluster: driver.Cluster{
			UUID: clusterUUID, Name: "prod", ProjectID: "p", Keypair: "testkey",
			FloatingIP: true, CreateTimeout: 60, TrusteeUserID: "trustee",
		},
		NodeGroups: []driver.NodeGroup{
			{Name: "default-master", Role: "master", IsDefault: true, NodeCount: 1, FlavorID: "m1.small"},
			{Name: "default-worker", Role: "worker", IsDefault: true, NodeCount: 1, FlavorID: "m1.medium"},
		},
		Endpoints: driver.Endpoints{
			AuthURL: "https://keystone.example.com/v3", MagnumURL: "https://magnum.example.com/v1",
			VerifyCA: true, ExternalNetworkUUID: "0e0e0e0e-1111-4222-8333-444444444444",
			AffinityPolicy: "soft-anti-affinity", Octavia: true,
		},
	}
}

type testCase struct {
	name   string
	change func(*driver.RenderRequest)
}

func labels(kv ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

// cases are the options, one by one and where they meet.
func cases() []testCase {
	return []testCase{
		{"base", func(*driver.RenderRequest) {}},
		{"no-floating-ips", func(r *driver.RenderRequest) { r.Cluster.FloatingIP = false }},
		{"no-keypair", func(r *driver.RenderRequest) { r.Cluster.Keypair = "" }},
		{"three-masters", func(r *driver.RenderRequest) {
			r.NodeGroups[0].NodeCount, r.Cluster.MasterLB = 3, true
		}},
		{"load-balancer-private", func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.Cluster.Labels = labels("master_lb_floating_ip_enabled", "False", "master_lb_allowed_cidrs", "192.0.2.0/24, 198.51.100.0/24")
		}},
		{"load-balancer-public-alone", func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.Cluster.FloatingIP = true, false
			r.Cluster.Labels = labels("master_lb_floating_ip_enabled", "yes")
		}},
		{"given-network", func(r *driver.RenderRequest) {
			r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "demo-net", "demo-subnet"
			r.Endpoints.FixedNetworkName, r.Endpoints.FixedSubnetCIDR = "demo-net", "10.20.0.0/24"
		}},
		{"no-workers", func(r *driver.RenderRequest) { r.NodeGroups[1].NodeCount = 0 }},
		{"volumes", func(r *driver.RenderRequest) {
			r.Cluster.DockerVolumeSize = 5
			r.Cluster.Labels = labels("docker_volume_type", "fast", "etcd_volume_size", "2", "etcd_volume_type", "ssd",
				"boot_volume_size", "20", "boot_volume_type", "slow", "availability_zone", "az1")
		}},
		{"volumes-operators-types", func(r *driver.RenderRequest) {
			r.Cluster.DockerVolumeSize = 5
			r.Template.DockerStorageDriver = "devicemapper"
			r.Cluster.Labels = labels("etcd_volume_size", "2")
			r.Endpoints.DockerVolumeType, r.Endpoints.EtcdVolumeType = "docker-type", "etcd-type"
			r.Endpoints.BootVolumeType, r.Endpoints.BootVolumeSize = "boot-type", 10
		}},
		{"proxy", func(r *driver.RenderRequest) {
			r.Template.HTTPProxy, r.Template.HTTPSProxy = "http://proxy:3128", "http://proxy:3129"
			r.Template.NoProxy = "example.com"
		}},
		{"own-ca", func(r *driver.RenderRequest) {
			r.Endpoints.CACert = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
		}},
		{"insecure-cloud", func(r *driver.RenderRequest) { r.Endpoints.VerifyCA = false }},
		{"insecure-registry", func(r *driver.RenderRequest) { r.Template.InsecureRegistry = "10.0.0.1:5000" }},
		{"kubernetes-labels", func(r *driver.RenderRequest) {
			r.Cluster.Labels = labels("kube_tag", "v1.17.17", "container_infra_prefix", "registry.example.com/magnum/",
				"etcd_tag", "v3.4.6", "coredns_tag", "1.6.5", "kubelet_options", "--v=4 --max-pods=50",
				"kubeapi_options", "--v=2", "kubecontroller_options", "--v=3", "kubeproxy_options", "--v=5",
				"kubescheduler_options", "--v=6", "admission_control_list", "NodeRestriction,ServiceAccount",
				"service_cluster_ip_range", "10.112.3.4/12", "system_pods_initial_delay", "10", "system_pods_timeout", "9",
				"cgroup_driver", "systemd", "selinux_mode", "enforcing", "unknown_label", "ignored",
				"min_node_count", "1", "max_node_count", "5", "hyperkube_prefix", "quay.io/x/")
		}},
		{"routed-pods", func(r *driver.RenderRequest) {
			r.Cluster.Labels = labels("flannel_backend", "host-gw", "flannel_network_cidr", "10.200.0.0/16",
				"flannel_network_subnetlen", "26", "flannel_tag", "v0.12.0", "flannel_cni_tag", "v0.3.1", "fixed_subnet_cidr", "10.9.0.0/24")
		}},
		{"resize", func(r *driver.RenderRequest) {
			r.Intent, r.NodeGroup = driver.IntentResize, "default-worker"
			r.NodeGroups[1].NodeCount, r.NodesToRemove = 2, []string{"0"}
		}},
	}
}

func (c testCase) request() driver.RenderRequest {
	r := base()
	c.change(&r)
	return r
}
