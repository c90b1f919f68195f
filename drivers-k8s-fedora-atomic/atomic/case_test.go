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
		{"worker-labels", func(r *driver.RenderRequest) {
			r.Intent, r.NodeGroup = driver.IntentUpdateNodeGroup, "default-worker"
			r.NodeGroups[1].NodeLabels = labels("pool", "default")
			r.NodeGroups[1].NodeTaints = []driver.Taint{{Key: "dedicated", Value: "web", Effect: "PreferNoSchedule"}}
		}},
		{"nodegroup", group(func(*driver.RenderRequest, *driver.NodeGroup) {})},
		{"nodegroup-no-nodes", group(func(_ *driver.RenderRequest, g *driver.NodeGroup) { g.NodeCount = 0 })},
		{"nodegroup-resize", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Intent, g.NodeCount, r.NodesToRemove = driver.IntentResize, 1, []string{"1", "3b0b7a2e-1111-4222-8333-444455556666"}
		})},
		{"nodegroup-no-floating-ips", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { r.Cluster.FloatingIP = false })},
		{"nodegroup-labels-and-taints", group(func(_ *driver.RenderRequest, g *driver.NodeGroup) {
			g.Role = "ingress"
			g.NodeLabels = labels("gpu", "yes", "example.com/tier", "front", "node.kubernetes.io/pool", "")
			g.NodeTaints = []driver.Taint{{Key: "gpu", Value: "yes", Effect: "NoSchedule"}, {Key: "example.com/spot", Effect: "NoExecute"}}
		})},
		{"nodegroup-own-labels", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Cluster.Labels = labels("kube_tag", "v1.18.20", "availability_zone", "az1", "kubelet_options", "--v=4",
				"service_cluster_ip_range", "10.112.0.0/12", "flannel_tag", "v0.12.0", "min_node_count", "1", "max_node_count", "1")
			g.Labels = labels("kube_tag", "v1.16.15", "availability_zone", "az2", "kubelet_options", "--v=5", "kubeproxy_options", "--v=6",
				"cgroup_driver", "systemd", "selinux_mode", "enforcing", "container_infra_prefix", "registry.example.com/magnum/",
				"hyperkube_prefix", "quay.io/x/", "service_cluster_ip_range", "10.112.0.0/12")
		})},
		{"nodegroup-volumes", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Cluster.DockerVolumeSize, g.DockerVolumeSize = 5, 50
			r.Cluster.Labels = labels("docker_volume_type", "slow", "etcd_volume_size", "2", "boot_volume_size", "20")
			g.Labels = labels("docker_volume_type", "fast", "boot_volume_size", "30", "boot_volume_type", "ssd")
		})},
		{"nodegroup-without-the-clusters-volume", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { r.Cluster.DockerVolumeSize = 5 })},
		{"nodegroup-routed-pods", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) {
			r.Cluster.Labels = labels("flannel_backend", "host-gw")
			r.ClusterOutputs["minion_security_groups"] = driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001", "5e5e5e5e-0000-4000-8000-000000000002"]`)
			r.ClusterOutputs["address_pairs"] = driver.RawJSON(`[{"ip_address": "10.100.0.0/16"}]`)
		})},
		{"nodegroup-given-network", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) {
			r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "demo-net", "demo-subnet"
			r.Endpoints.FixedNetworkName, r.Endpoints.FixedSubnetCIDR = "demo-net", "10.20.0.0/24"
			r.ClusterOutputs["network"], r.ClusterOutputs["subnet"] = driver.RawJSON(`"demo-net"`), driver.RawJSON(`"demo-subnet"`)
		})},
		{"nodegroup-options-of-the-cluster", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Template.HTTPProxy, r.Template.NoProxy = "http://proxy:3128", "example.com"
			r.Template.InsecureRegistry, r.Template.DockerStorageDriver = "10.0.0.1:5000", "devicemapper"
			r.Endpoints.CACert, r.Cluster.MasterLB = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", true
			g.DockerVolumeSize, g.ImageID = 3, "another-image"
		})},
	}
}

// group changes a request that makes the node group extra.
func group(change func(*driver.RenderRequest, *driver.NodeGroup)) func(*driver.RenderRequest) {
	return func(r *driver.RenderRequest) {
		r.Intent, r.NodeGroup = driver.IntentCreateNodeGroup, "extra"
		r.NodeGroups = append(r.NodeGroups, driver.NodeGroup{
			Name: "extra", Role: "worker", NodeCount: 2, FlavorID: "m1.large", MinNodeCount: 1, MaxNodeCount: 3,
		})
		r.ClusterOutputs = map[string]driver.RawJSON{
			"api_address": driver.RawJSON(`"172.24.4.6"`), "network": driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000000"`),
			"subnet":                 driver.RawJSON(`"4e4e4e4e-0000-4000-8000-000000000001"`),
			"minion_security_groups": driver.RawJSON(`["5e5e5e5e-0000-4000-8000-000000000001"]`),
			"address_pairs":          driver.RawJSON(`[]`),
			"api_private_address":    driver.RawJSON(`"10.0.0.5"`),
		}
		change(r, &r.NodeGroups[len(r.NodeGroups)-1])
	}
}

func (c testCase) request() driver.RenderRequest {
	r := base()
	c.change(&r)
	return r
}
