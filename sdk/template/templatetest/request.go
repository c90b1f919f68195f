package templatetest

import (
	"github.com/go-magnum/magnum/sdk/driver"
)

// ClusterUUID is the uuid of the cluster of [Request].
const ClusterUUID = "6f3c6f2e-5a3b-4c1d-9e8f-0a1b2c3d4e5f"

// Request makes a cluster of one master and one worker, as the API would.
func Request(typ driver.ClusterType) driver.RenderRequest {
	return driver.RenderRequest{
		Intent: driver.IntentCreate,
		Template: driver.ClusterTemplate{
			UUID: "11111111-2222-4333-8444-555555555555", Name: typ.COE, ImageID: typ.OS + "-latest",
			ExternalNetworkID: "public", DNSNameserver: "8.8.8.8",
			ClusterDistro: typ.OS, COE: typ.COE, ServerType: typ.ServerType,
		},
		Cluster: driver.Cluster{
			UUID: ClusterUUID, Name: "prod", ProjectID: "p", Keypair: "testkey",
			FloatingIP: true, CreateTimeout: 60, TrusteeUserID: "trustee",
			TrusteeUsername: "trustee_p", TrusteeDomainID: "trustees",
		},
		NodeGroups: []driver.NodeGroup{
			{Name: "default-master", Role: "master", IsDefault: true, NodeCount: 1, FlavorID: "m1.small"},
			{Name: "default-worker", Role: "worker", IsDefault: true, NodeCount: 1, FlavorID: "m1.medium"},
		},
		Endpoints: driver.Endpoints{
			AuthURL: "https://keystone.example.com/v3", MagnumURL: "https://magnum.example.com/v1",
			VerifyCA: true, ExternalNetworkUUID: "0e0e0e0e-1111-4222-8333-444444444444",
			AffinityPolicy: "soft-anti-affinity", Octavia: true,
			RegistryRegion: "RegionOne", RegistryContainer: "docker_registry",
		},
	}
}

// Labels makes labels of names and values in turn.
func Labels(kv ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

// Case is a request that differs from the suite's by one option, or a few.
type Case struct {
	Name   string
	Change func(*driver.RenderRequest)
}

// Options are those of clusters of every driver, one by one and where they meet.
func Options() []Case {
	return []Case{
		{"base", func(*driver.RenderRequest) {}},
		{"no-floating-ips", func(r *driver.RenderRequest) { r.Cluster.FloatingIP = false }},
		{"no-keypair", func(r *driver.RenderRequest) { r.Cluster.Keypair = "" }},
		{"three-masters", func(r *driver.RenderRequest) {
			r.NodeGroups[0].NodeCount, r.Cluster.MasterLB = 3, true
		}},
		{"load-balancer-private", func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.Cluster.Labels = Labels("master_lb_floating_ip_enabled", "False", "master_lb_allowed_cidrs", "192.0.2.0/24, 198.51.100.0/24")
		}},
		{"load-balancer-public-alone", func(r *driver.RenderRequest) {
			r.Cluster.MasterLB, r.Cluster.FloatingIP = true, false
			r.Cluster.Labels = Labels("master_lb_floating_ip_enabled", "yes")
		}},
		{"load-balancer-provider", func(r *driver.RenderRequest) {
			r.Cluster.MasterLB = true
			r.Cluster.Labels = Labels("octavia_provider", "ovn", "octavia_lb_algorithm", "SOURCE_IP_PORT", "octavia_lb_healthcheck", "no")
		}},
		{"given-network", func(r *driver.RenderRequest) {
			r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "demo-net", "demo-subnet"
			r.Endpoints.FixedNetworkName, r.Endpoints.FixedSubnetCIDR = "demo-net", "10.20.0.0/24"
		}},
		{"one-flavor", func(r *driver.RenderRequest) { r.NodeGroups[0].FlavorID = "" }},
		{"no-workers", func(r *driver.RenderRequest) { r.NodeGroups[1].NodeCount = 0 }},
		{"volumes", func(r *driver.RenderRequest) {
			r.Cluster.DockerVolumeSize = 5
			r.Cluster.Labels = Labels("docker_volume_type", "fast", "etcd_volume_size", "2", "etcd_volume_type", "ssd",
				"boot_volume_size", "20", "boot_volume_type", "slow", "availability_zone", "az1")
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
		{"resize", func(r *driver.RenderRequest) {
			r.Intent, r.NodeGroup = driver.IntentResize, "default-worker"
			r.NodeGroups[1].NodeCount, r.NodesToRemove = 2, []string{"0"}
		}},
	}
}
