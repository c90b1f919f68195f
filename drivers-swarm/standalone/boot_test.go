package standalone_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/drivers-swarm/engine/enginetest"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

const three = "10.0.0.10 10.0.0.11 10.0.0.12"

// info is what a manager says when the worker of the tests is well.
const info = `{"SystemStatus":[["Role","primary"],["Nodes","2"],[" prod-1-worker-3","10.0.0.13:2375"],["  └ ID","ABCD:EFGH"],["  └ Status","Healthy"],["  └ Containers","1"]]}`

// newMachine is a node with the values that Heat would give it; managers and etcd
// are at these addresses.
func newMachine(t *testing.T, c *templatetest.Cloud, role, index, masters string, at ...string) *templatetest.Machine {
	t.Helper()
	m := enginetest.Machine(t, c, role, index, masters, map[string]string{
		"network_driver": "docker", "swarm_version": "1.2.9", "swarm_strategy": "binpack", "etcd_tag": "v3.4.13", "flannel_tag": "v0.11.0-amd64",
		"flannel_network_cidr": "10.100.0.0/16", "flannel_network_subnetlen": "24", "flannel_backend": "vxlan",
	})
	m.Program("systemctl", `[ "$*" != "restart flannel" ] || printf 'FLANNEL_NETWORK=10.100.0.0/16\nFLANNEL_SUBNET=10.100.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n' >$MAGNUM_ROOT/var/lib/flannel/subnet.env`)
	var answers []string
	for _, address := range at {
		answers = append(answers, `*//`+address+`:2376/info) echo '`+info+`' ;;`,
			`*//`+address+`:2379/v2/keys/coreos.com/network/config) for a in "$@"; do case $a in value@*) cat "${a#value@}" >$MAGNUM_ROOT/network ;; esac; done ;;`)
	}
	m.Answer(append(answers, `*:237[69]/*) echo 'connection refused' >&2; exit 7 ;;`)...)
	return m
}

func plain(m *templatetest.Machine, req *driver.RenderRequest) {
	m.Write("etc/magnum/params/tls_disabled", "True")
	req.Template.TLSDisabled = true
}

func flannel(m *templatetest.Machine, req *driver.RenderRequest) {
	m.Write("etc/magnum/params/network_driver", "flannel")
	req.Template.NetworkDriver = "flannel"
}

func proxy(m *templatetest.Machine, req *driver.RenderRequest) {
	m.Write("etc/magnum/params/http_proxy", "http://proxy:3128")
	req.Template.HTTPProxy = "http://proxy:3128"
}

// boot runs a script to its end, which must be good.
func boot(t *testing.T, c *templatetest.Cloud, m *templatetest.Machine, req driver.RenderRequest, script string) {
	t.Helper()
	out, err := m.Boot(suite().Render(t, req).Files[script])
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if told := c.Signals(); len(told) != 1 || told[0].Status != "SUCCESS" {
		t.Errorf("signals: %v\n%s", told, out)
	}
	m.CheckSecrets(out)
}

func document(t *testing.T, m *templatetest.Machine, path string) map[string]any {
	t.Helper()
	var doc map[string]any
	decode := yaml.Unmarshal
	if strings.HasSuffix(path, ".json") {
		decode = json.Unmarshal
	}
	if err := decode([]byte(m.Read(path)), &doc); err != nil {
		t.Fatalf("%v\n%s", err, m.Read(path))
	}
	return doc
}

// container are the arguments of a service's container, after its image.
func container(t *testing.T, m *templatetest.Machine, name string) (image string, args []string) {
	t.Helper()
	all := m.Service("docker", name)
	at := slices.IndexFunc(all, func(a string) bool { return strings.HasPrefix(a, "docker.io/") || strings.HasPrefix(a, "quay.io/") })
	if at < 0 {
		t.Fatalf("%s: no image in %q", name, all)
	}
	if slices.Contains(all, "") {
		t.Errorf("%s gets an empty argument: %q", name, all)
	}
	return all[at], all[at+1:]
}

var withTLS = []string{"--tlsverify", "--tlscacert", "/etc/docker/ca.crt", "--tlscert", "/etc/docker/server.crt", "--tlskey", "/etc/docker/server.key"}

var discoveryTLS = []string{
	"--discovery-opt=kv.cacertfile=/etc/docker/etcd-ca.crt", "--discovery-opt=kv.certfile=/etc/docker/etcd.crt", "--discovery-opt=kv.keyfile=/etc/docker/etcd.key",
}

// TestMasterBoots: one or three, with TLS and without, for both networks.
func TestMasterBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for name, tt := range map[string]struct {
		masters string
		index   string
		change  []func(*templatetest.Machine, *driver.RenderRequest)
	}{
		"one":            {"10.0.0.10", "0", nil},
		"one/plain":      {"10.0.0.10", "0", []func(*templatetest.Machine, *driver.RenderRequest){plain}},
		"three":          {three, "0", nil},
		"three/flannel":  {three, "0", []func(*templatetest.Machine, *driver.RenderRequest){flannel}},
		"second/flannel": {three, "1", []func(*templatetest.Machine, *driver.RenderRequest){flannel}},
		"one/proxy":      {"10.0.0.10", "0", []func(*templatetest.Machine, *driver.RenderRequest){proxy}},
		"three/proxy":    {three, "0", []func(*templatetest.Machine, *driver.RenderRequest){proxy, plain}},
		"third/plain":    {three, "2", []func(*templatetest.Machine, *driver.RenderRequest){plain, flannel}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := templatetest.StartCloud(t)
			address := "10.0.0.1" + tt.index
			m := newMachine(t, c, "master", tt.index, tt.masters, address, "10.0.0.10")
			req := base()
			for _, change := range tt.change {
				change(m, &req)
			}
			boot(t, c, m, req, "boot/master.sh")

			if req.Template.HTTPProxy != "" {
				// What the masters say to each other goes through no proxy.
				want := "localhost,127.0.0.1," + strings.ReplaceAll(tt.masters, " ", ",") + "," + address
				if got := m.Read("etc/systemd/system.conf.d/magnum-proxy.conf"); !strings.Contains(got, "NO_PROXY=,"+want+`"`) {
					t.Errorf("%s lacks %s", got, want)
				}
			}
			tls := !req.Template.TLSDisabled
			scheme := map[bool]string{true: "https", false: "http"}[tls]
			members, addresses := "", ""
			for _, one := range strings.Fields(tt.masters) {
				members += "," + one + "=" + scheme + "://" + one + ":2380"
				addresses += "," + one + ":2379"
			}
			want := map[string]any{
				"name": address, "data-dir": "/var/lib/etcd/data",
				"listen-client-urls":    scheme + "://" + address + ":2379," + scheme + "://127.0.0.1:2379",
				"advertise-client-urls": scheme + "://" + address + ":2379",
				"listen-peer-urls":      scheme + "://" + address + ":2380", "initial-advertise-peer-urls": scheme + "://" + address + ":2380",
				"initial-cluster": members[1:], "initial-cluster-state": "new", "initial-cluster-token": templatetest.ClusterUUID,
				"enable-v2": true,
			}
			if tls {
				side := map[string]any{
					"client-cert-auth": true, "trusted-ca-file": "/etc/docker/etcd-ca.crt", "cert-file": "/etc/docker/etcd.crt", "key-file": "/etc/docker/etcd.key",
				}
				want["client-transport-security"], want["peer-transport-security"] = side, maps.Clone(side)
			}
			if diff := cmp.Diff(want, document(t, m, "etc/etcd/etcd.yaml")); diff != "" {
				t.Errorf("etcd.yaml: %s", diff)
			}
			if diff := cmp.Diff(map[string]any{
				"labels": []any{"org.openstack.magnum.role=master", "org.openstack.magnum.nodegroup=default-master"},
			}, document(t, m, "etc/docker/daemon.json")); diff != "" {
				t.Errorf("daemon.json: %s", diff)
			}
			if _, args := container(t, m, "etcd"); !slices.Equal(args, []string{"/usr/local/bin/etcd", "--config-file", "/etc/etcd/etcd.yaml"}) {
				t.Errorf("etcd: %q", args)
			}
			image, args := container(t, m, "swarm-manager")
			wantArgs := []string{"manage", "--host", "tcp://0.0.0.0:2376", "--replication", "--advertise", address + ":2376", "--strategy", "binpack"}
			if tls {
				wantArgs = slices.Concat(wantArgs, withTLS, discoveryTLS)
			}
			if diff := cmp.Diff(append(wantArgs, "etcd://"+addresses[1:]+"/swarm"), args); diff != "" || image != "docker.io/swarm:1.2.9" {
				t.Errorf("%s: %s", image, diff)
			}
			calls := m.Calls()
			for _, unit := range []string{"docker", "etcd", "swarm-manager"} {
				if !strings.Contains(calls, "systemctl restart "+unit+"\n") {
					t.Errorf("%s was not started", unit)
				}
			}
			configures := req.Template.NetworkDriver == "flannel" && tt.index == "0"
			if asked := strings.Contains(calls, "/v2/keys/"); asked != configures {
				t.Errorf("flannel's configuration was written: %v", asked)
			}
			if configures {
				var network map[string]any
				if err := json.Unmarshal([]byte(m.Read("network")), &network); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(map[string]any{"Network": "10.100.0.0/16", "SubnetLen": 24.0, "Backend": map[string]any{"Type": "vxlan"}}, network); diff != "" {
					t.Error(diff)
				}
			}
			if !tls {
				if len(c.Signed()) != 0 {
					t.Errorf("signed %v", c.Signed())
				}
				return
			}
			name := "prod-1-master-" + tt.index
			if diff := cmp.Diff([]string{"|" + name + "|", "etcd|" + name + "|"}, c.Signed()); diff != "" {
				t.Error(diff)
			}
			for _, file := range []string{"server", "etcd"} {
				for _, host := range []string{address, "127.0.0.1", "172.24.4.9", "10.0.0.5", "172.24.4.5", name, "localhost"} {
					if err := m.Certificate("etc/docker/" + file + ".crt").VerifyHostname(host); err != nil {
						t.Errorf("%s: %v", file, err)
					}
				}
			}
			for file, kind := range map[string]string{"ca.crt": "", "etcd-ca.crt": "etcd"} {
				if got := m.Read("etc/docker/" + file); strings.TrimSpace(got) != strings.TrimSpace(c.Authority(kind)) {
					t.Errorf("%s is\n%s", file, got)
				}
			}
		})
	}
}

// TestWorkerBoots: with TLS and without, for both networks; a manager that is away
// is no reason to wait.
func TestWorkerBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for name, change := range map[string][]func(*templatetest.Machine, *driver.RenderRequest){
		"docker": nil, "docker/plain": {plain}, "flannel": {flannel}, "flannel/plain": {plain, flannel},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := templatetest.StartCloud(t)
			m := newMachine(t, c, "worker", "3", three, "10.0.0.12")
			req := base()
			for _, one := range change {
				one(m, &req)
			}
			boot(t, c, m, req, "boot/node.sh")

			tls, flannels := !req.Template.TLSDisabled, req.Template.NetworkDriver == "flannel"
			const addresses = "10.0.0.10:2379,10.0.0.11:2379,10.0.0.12:2379"
			want := map[string]any{
				"labels": []any{"org.openstack.magnum.role=worker", "org.openstack.magnum.nodegroup=default-worker"},
				"hosts":  []any{"unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"},
			}
			if tls {
				want["tlsverify"], want["tlscacert"], want["tlscert"], want["tlskey"] = true, "/etc/docker/ca.crt", "/etc/docker/server.crt", "/etc/docker/server.key"
			} else {
				want["tls"] = false
			}
			if flannels {
				want["bip"], want["mtu"], want["ip-masq"] = "10.100.7.1/24", 1450.0, false
			} else {
				want["cluster-store"], want["cluster-advertise"] = "etcd://"+addresses+"/swarm", "10.0.0.13:2375"
				if tls {
					want["cluster-store-opts"] = map[string]any{
						"kv.cacertfile": "/etc/docker/etcd-ca.crt", "kv.certfile": "/etc/docker/etcd.crt", "kv.keyfile": "/etc/docker/etcd.key",
					}
				}
			}
			if diff := cmp.Diff(want, document(t, m, "etc/docker/daemon.json")); diff != "" {
				t.Errorf("daemon.json: %s", diff)
			}
			if got := m.Read("etc/sysconfig/docker"); got != "OPTIONS='--selinux-enabled --log-driver=journald'\n" {
				t.Errorf("docker's options are %s", got)
			}
			calls := m.Calls()
			if restarts := strings.Count(calls, "systemctl restart docker\n"); restarts != map[bool]int{true: 2, false: 1}[flannels] {
				t.Errorf("docker was started %d times", restarts)
			}
			wantArgs := []string{"join", "--advertise", "10.0.0.13:2375", "--heartbeat", "20s", "--ttl", "60s"}
			if tls {
				wantArgs = append(wantArgs, discoveryTLS...)
			}
			image, args := container(t, m, "swarm-agent")
			if diff := cmp.Diff(append(wantArgs, "etcd://"+addresses+"/swarm"), args); diff != "" || image != "docker.io/swarm:1.2.9" {
				t.Errorf("%s: %s", image, diff)
			}
			if !flannels {
				return
			}
			scheme, wantArgs := "http://", []string{}
			if tls {
				scheme, wantArgs = "https://", []string{"--etcd-cafile=/etc/docker/etcd-ca.crt", "--etcd-certfile=/etc/docker/etcd.crt", "--etcd-keyfile=/etc/docker/etcd.key"}
			}
			wantArgs = slices.Concat([]string{"--etcd-endpoints=" + scheme + strings.ReplaceAll(addresses, ",", ","+scheme)}, wantArgs,
				[]string{"--iface=10.0.0.13", "--ip-masq", "--subnet-file=/var/lib/flannel/subnet.env"})
			image, args = container(t, m, "flannel")
			if diff := cmp.Diff(wantArgs, args); diff != "" || image != "quay.io/coreos/flannel:v0.11.0-amd64" {
				t.Errorf("%s: %s", image, diff)
			}
		})
	}
}

// TestDiscoveryURL: etcd asks who is in the cluster, by the proxy if there is one.
func TestDiscoveryURL(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := newMachine(t, c, "master", "0", "10.0.0.10", "10.0.0.10")
	m.Write("etc/magnum/params/discovery_url", "https://discovery.example.com/0123")
	m.Write("etc/magnum/params/http_proxy", "http://proxy:3128")
	boot(t, c, m, base(), "boot/master.sh")
	got := document(t, m, "etc/etcd/etcd.yaml")
	if got["discovery"] != "https://discovery.example.com/0123" || got["discovery-proxy"] != "http://proxy:3128" || got["initial-cluster"] != nil {
		t.Errorf("%v", got)
	}
}

// TestOptionalSteps: what a cluster asks for beyond the least.
func TestOptionalSteps(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := newMachine(t, c, "worker", "3", three, "10.0.0.10")
	for name, value := range map[string]string{
		"openstack_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "insecure_registry_url": "10.0.0.1:5000",
		"http_proxy": "http://proxy:3128", "no_proxy": "example.com,10.0.0.0/24", "trust_id": "trust-1", "rexray_preempt": "true",
		"container_infra_prefix": "registry.example.com/magnum/",
	} {
		m.Write("etc/magnum/params/"+name, value)
	}
	req := base()
	req.Endpoints.CACert, req.Template.HTTPProxy, req.Template.InsecureRegistry, req.Template.VolumeDriver = "x", "x", "x", "rexray"
	dev := m.Volume("docker_volume", "0f6d5a2e-1111-2222-3333-444455556666")
	if out, err := m.Boot(suite().Render(t, req).Files["boot/node.sh"]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for path, text := range map[string]string{
		"etc/systemd/system.conf.d/magnum-proxy.conf":      `"HTTP_PROXY=http://proxy:3128"`,
		"etc/profile.d/magnum-proxy.sh":                    `NO_PROXY="example.com,10.0.0.0/24,localhost,127.0.0.1,10.0.0.10,10.0.0.11,10.0.0.12,10.0.0.13"`,
		"etc/pki/ca-trust/source/anchors/openstack-ca.pem": "AAAA\n-----END",
		"etc/sysconfig/docker":                             "INSECURE_REGISTRY='--insecure-registry 10.0.0.1:5000'",
		"etc/rexray/config.yml":                            "preempt: true\n",
		"etc/fstab":                                        m.Path("var/lib/docker"),
	} {
		if got := m.Read(path); !strings.Contains(got, text) {
			t.Errorf("%s lacks %s:\n%s", path, text, got)
		}
	}
	if !strings.Contains(m.Calls(), "mount "+dev+" "+m.Path("var/lib/docker")+"\n") {
		t.Error("docker's volume is not mounted")
	}
	if got := m.Service("docker", "swarm-agent"); !slices.Contains(got, "registry.example.com/magnum/swarm:1.2.9") {
		t.Errorf("%q", got)
	}
}

// TestRegistry: for the node alone, with the words of the user's cloud.
func TestRegistry(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	m, req := newMachine(t, templatetest.StartCloud(t), "worker", "3", three, "10.0.0.10"), base()
	for name, value := range map[string]string{
		"trust_id": "trust-1", "trustee_username": `u"ser`, "trustee_domain_id": "d", "registry_region": "RegionOne", "registry_container": "images", "registry_tag": "2",
	} {
		m.Write("etc/magnum/params/"+name, value)
	}
	req.Template.RegistryEnabled = true
	if out, err := m.Boot(suite().Render(t, req).Files["boot/node.sh"]); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := document(t, m, "etc/magnum/registry/config.yml")
	storage, _ := got["storage"].(map[string]any)
	swift, _ := storage["swift"].(map[string]any)
	for name, want := range map[string]any{
		"username": `u"ser`, "domainid": "d", "trustid": "trust-1", "region": "RegionOne", "container": "images", "insecureskipverify": false,
	} {
		if swift[name] != want {
			t.Errorf("%s is %v, want %v", name, swift[name], want)
		}
	}
	if diff := cmp.Diff(map[string]any{"addr": "127.0.0.1:5000"}, got["http"]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(m.Calls(), "systemctl restart registry\n") {
		t.Error("the registry was not started")
	}
	if image, args := container(t, m, "registry"); image != "docker.io/registry:2" || len(args) != 0 {
		t.Errorf("%s %q", image, args)
	}
}

// TestFailureReachesHeat: with the step's name and its last words.
func TestFailureReachesHeat(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for name, tt := range map[string]struct {
		role    string
		prepare func(*templatetest.Machine, *driver.RenderRequest)
		reason  string
	}{
		"no manager": {"master", func(m *templatetest.Machine, _ *driver.RenderRequest) {
			m.Program("journalctl", `echo "last words of $7"`)
		}, "step 900-ready failed: connection refused gave up on: ready last words of swarm-manager"},
		"not in the list": {"worker", func(m *templatetest.Machine, _ *driver.RenderRequest) {
			m.Answer(`*:2376/info) echo '` + strings.Replace(info, "Healthy", "Pending", 1) + `' ;;`)
			m.Program("journalctl", `echo "last words of $7"`)
		}, "step 900-ready failed: gave up on: ready last words of swarm-agent"},
		"another's address": {"worker", func(m *templatetest.Machine, _ *driver.RenderRequest) {
			m.Answer(`*:2376/info) echo '` + strings.ReplaceAll(info, "10.0.0.13", "110.0.0.13") + `' ;;`)
		}, "step 900-ready failed: gave up on: ready"},
		"no lease": {"worker", func(m *templatetest.Machine, req *driver.RenderRequest) {
			flannel(m, req)
			m.Program("systemctl", "")
			m.Program("journalctl", `echo "last words of $7"`)
		}, "step 100-flannel failed: gave up on: leased last words of flannel"},
		"no etcd": {"master", func(m *templatetest.Machine, req *driver.RenderRequest) { flannel(m, req) },
			"step 110-network failed: connection refused gave up on: configure"},
		"no trust": {"worker", func(_ *templatetest.Machine, req *driver.RenderRequest) { req.Template.VolumeDriver = "rexray" },
			"step 110-rexray failed: rexray needs a trust: the operator has to set [trust] cluster_user_trust"},
		"no trust for images": {"worker", func(_ *templatetest.Machine, req *driver.RenderRequest) { req.Template.RegistryEnabled = true },
			"step 120-registry failed: the registry needs a trust: the operator has to set [trust] cluster_user_trust"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := templatetest.StartCloud(t)
			m, req := newMachine(t, c, tt.role, "3", "10.0.0.10"), base()
			m.Write("etc/magnum/params/index", "0")
			tt.prepare(m, &req)
			out, err := m.Boot(suite().Render(t, req).Files[map[string]string{"master": "boot/master.sh", "worker": "boot/node.sh"}[tt.role]])
			if err == nil {
				t.Error("the script says that it went well")
			}
			told := c.Signals()
			if len(told) != 1 || told[0].Status != "FAILURE" {
				t.Fatalf("signals: %v\n%s", told, out)
			}
			step, words, _ := strings.Cut(tt.reason, " failed: ")
			if got := told[0].Reason; !strings.Contains(got, step+" failed: ") || !strings.HasSuffix(got, words) {
				t.Errorf("reason %q, want %q", got, tt.reason)
			}
		})
	}
}
