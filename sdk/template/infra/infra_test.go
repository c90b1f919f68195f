package infra_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
	"github.com/go-magnum/magnum/sdk/template/infra"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

var types = []driver.ClusterType{
	{ServerType: "vm", OS: "debian", COE: "plain"}, {ServerType: "vm", OS: "coreos", COE: "plain"},
}

// definition is a driver made of the shared parts and next to nothing else.
func definition() *template.Definition {
	scripts := func() []template.Fragment {
		return append(infra.Steps(), infra.Step("050-docker", "docker-daemon"), infra.Step("060-certificates", "certificates"))
	}
	return &template.Definition{
		Name: "plain_v1", Types: types, NetworkDrivers: []string{"docker"},
		Capabilities: []driver.Capability{driver.CapResize, driver.CapRemoveNamedNodes},
		Labels:       infra.Labels(),
		Parameters: slices.Concat(infra.Cloud(), infra.Masters(), infra.Workers("node"), infra.BootVolume(), infra.DockerVolume(),
			infra.Docker(), infra.NodeNetwork(), infra.Network(), infra.LoadBalancer()),
		Outputs: slices.Concat(
			[]template.Output{{Stack: "api_address", To: template.ToAPIAddress}},
			infra.NodeOutputs("plain_masters", "master", template.ToMasterAddresses, template.ToMasterCount),
			infra.NodeOutputs("plain_nodes", "node", template.ToWorkerAddresses, template.ToWorkerCount),
		),
		Scripts: map[string][]template.Fragment{
			"master-steps": scripts(), "node-steps": scripts(), "services": {infra.Service("agent")},
		},
		Files: template.Overlay(infra.Files(), os.DirFS("testdata/plain")),
		Main:  "main.yaml",
		Checks: []infra.Check{
			infra.NeedsTLS("its API is open to whoever has a certificate"), infra.NoRegistry,
			infra.StorageDrivers("overlay2", "devicemapper"), infra.GivenNetwork, infra.NodeCounts,
		},
	}
}

func suite() templatetest.Suite {
	return templatetest.Suite{
		Definition: definition,
		Request:    func() driver.RenderRequest { return templatetest.Request(types[0]) },
		Cases: append(templatetest.Options(),
			templatetest.Case{Name: "coreos", Change: func(r *driver.RenderRequest) { r.Template.ClusterDistro = "coreos" }},
			templatetest.Case{Name: "coreos-volumes", Change: func(r *driver.RenderRequest) {
				r.Template.ClusterDistro, r.Cluster.DockerVolumeSize, r.Cluster.MasterLB = "coreos", 3, true
				r.Cluster.Labels = templatetest.Labels("boot_volume_size", "8")
			}}),
		Boot: map[string]string{"boot/master.sh": "master.yaml", "boot/node.sh": "node.yaml"},
		Unset: map[string][]string{
			"boot/master.sh": {"cgroup_driver", "container_infra_prefix"},
			"boot/node.sh":   {"cgroup_driver", "container_infra_prefix", "external_address"},
		},
		LabelValues: map[string]string{"master_lb_floating_ip_enabled": "false"},
		Bounds:      map[string]string{"min_node_count": "9", "max_node_count": "1"},
		Rich:        func(r *driver.RenderRequest) { r.Cluster.MasterLB, r.NodeGroups[1].NodeCount = true, 2 },
	}
}

func TestDriver(t *testing.T) { suite().Run(t) }

func TestChecks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*driver.RenderRequest)
		want   string
	}{
		{"tls", func(r *driver.RenderRequest) { r.Template.TLSDisabled = true },
			"TLS cannot be disabled with the cluster driver plain_v1: its API is open to whoever has a certificate."},
		{"registry", func(r *driver.RenderRequest) { r.Template.RegistryEnabled = true },
			"A private registry (registry_enabled) is not supported by the cluster driver plain_v1."},
		{"storage driver", func(r *driver.RenderRequest) { r.Template.DockerStorageDriver = "btrfs" },
			"Docker storage driver btrfs is not supported, expecting a overlay2/devicemapper/unspecified storage driver."},
		{"devicemapper", func(r *driver.RenderRequest) { r.Template.DockerStorageDriver = "devicemapper" },
			"docker volume size 0 GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		{"subnet alone", func(r *driver.RenderRequest) { r.Cluster.FixedSubnet = "s" }, "A fixed_subnet needs its fixed_network."},
		{"too few", func(r *driver.RenderRequest) { r.Cluster.Labels = templatetest.Labels("min_node_count", "2") },
			"node_count 1 is less than min_node_count 2."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := suite().Request()
			tt.change(&r)
			got := suite().Violations(t, r)
			if len(got) != 1 || got[0].Message != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}

// machine is a node of Debian or CoreOS as Heat would start it.
func machine(t *testing.T, c *templatetest.Cloud, os string) *templatetest.Machine {
	m := templatetest.NewMachine(t, c, map[string]string{
		"name": "prod_1-master-0", "role": "master", "index": "0", "address": "10.0.0.11", "external_address": "172.24.4.9",
		"api_private_address": "10.0.0.5", "api_public_address": "172.24.4.5", "master_addresses": "10.0.0.11 10.0.0.12",
		"docker_storage_driver": "overlay2",
	})
	if os == "debian" {
		m.Write("usr/local/share/ca-certificates/README", "")
	}
	m.Program("update-ca-certificates", "")
	return m
}

func full() driver.RenderRequest {
	r := suite().Request()
	r.Endpoints.CACert, r.Template.HTTPProxy, r.Template.InsecureRegistry = "x", "x", "x"
	return r
}

func TestBoot(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, os := range []string{"debian", "coreos"} {
		t.Run(os, func(t *testing.T) {
			c := templatetest.StartCloud(t)
			m := machine(t, c, os)
			m.Write("etc/magnum/params/openstack_ca", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
			m.Write("etc/magnum/params/http_proxy", "http://proxy:3128")
			m.Write("etc/magnum/params/insecure_registry_url", `10.0.0.1:5000`)
			out, err := m.Boot(suite().Render(t, full()).Files["boot/master.sh"])
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if diff := cmp.Diff([]templatetest.Signal{{Status: "SUCCESS", Reason: "prod_1-master-0 is ready", ID: "prod_1-master-0"}}, c.Signals()); diff != "" {
				t.Error(diff)
			}
			var daemon map[string]any
			if err := json.Unmarshal([]byte(m.Read("etc/docker/daemon.json")), &daemon); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"storage-driver": "overlay2", "insecure-registries": []any{"10.0.0.1:5000"}, "tlsverify": true}
			if diff := cmp.Diff(want, daemon); diff != "" {
				t.Error(diff)
			}
			ca := map[string]string{"debian": "usr/local/share/ca-certificates/openstack-ca.crt", "coreos": "etc/ssl/certs/openstack-ca.pem"}[os]
			if got := m.Read(ca); !strings.Contains(got, "AAAA") || !strings.Contains(m.Calls(), "update-ca-certificates") {
				t.Errorf("%s: %s", ca, got)
			}
			if got := m.Read("etc/profile.d/magnum-proxy.sh"); !strings.Contains(got, "localhost,127.0.0.1,10.0.0.5") {
				t.Error(got)
			}
			if diff := cmp.Diff([]string{"|prod-1-master-0|"}, c.Signed()); diff != "" {
				t.Error(diff)
			}
			if err := m.Certificate("etc/docker/server.crt").VerifyHostname("172.24.4.5"); err != nil {
				t.Error(err)
			}
			if got := m.Read("etc/systemd/system/agent.service"); !strings.Contains(got, "ExecStop=/usr/bin/docker stop") {
				t.Error(got)
			}
			want2 := []string{"run", "--name", "agent", "docker.io/acme/agent:1.0", "--peers", "10.0.0.11 10.0.0.12"}
			if diff := cmp.Diff(want2, m.Service("docker", "agent")); diff != "" {
				t.Error(diff)
			}
			m.Read("var/lib/magnum/done")
			m.CheckSecrets(out)
		})
	}
}

// TestVolumeWithoutXFS: an image that cannot make xfs gets ext4, and a volume
// that has a file system keeps it.
func TestVolumeWithoutXFS(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, tt := range []struct {
		name, blkid, want string
	}{{"new", "", "mkfs.ext4 -q "}, {"used", "echo ext4", ""}} {
		t.Run(tt.name, func(t *testing.T) {
			m := machine(t, templatetest.StartCloud(t), "debian")
			dev := m.Volume("docker_volume", "0f6d5a2e-1111-2222-3333-444455556666")
			m.Remove("mkfs.xfs")
			if tt.blkid != "" {
				m.Program("blkid", tt.blkid)
			}
			if out, err := m.Boot(suite().Render(t, suite().Request()).Files["boot/node.sh"]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if made := strings.Contains(m.Calls(), "mkfs."); made != (tt.want != "") || made && !strings.Contains(m.Calls(), tt.want+dev) {
				t.Error(m.Calls())
			}
			if !strings.Contains(m.Calls(), "mount "+dev+" "+m.Path("var/lib/docker")) {
				t.Error("the volume is not mounted")
			}
		})
	}
}

// TestCloudConfig: on CoreOS one document has all values and the script, and
// what is secret is in no parameter that Heat shows.
func TestCloudConfig(t *testing.T) {
	r := suite().Request()
	r.Template.ClusterDistro = "coreos"
	out := suite().Render(t, r)
	var node struct {
		Parameters map[string]struct {
			Hidden bool
		}
		Resources map[string]struct {
			Type       string
			Properties map[string]any
		}
	}
	if err := yaml.Unmarshal([]byte(out.Files["node.yaml"]), &node); err != nil {
		t.Fatal(err)
	}
	if !node.Parameters["node_config"].Hidden {
		t.Error("node_config holds the trustee's password and is not hidden")
	}
	if got := node.Resources["user_data"].Type; got != "OS::Heat::CloudConfig" {
		t.Errorf("user_data is a %s", got)
	}
	if strings.Contains(out.Template+out.Files["node.yaml"], "MultipartMime") {
		t.Error("CoreOS cannot read several parts")
	}
}
