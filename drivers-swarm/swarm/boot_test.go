package swarm_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-swarm/engine/enginetest"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

const joinToken = "SWMTKN-1-joincanary"

// systems are the images, and what a node of each is told of how to start.
func systems() []string { return []string{"fedora-atomic", "ubuntu", "debian"} }

// newMachine is a node with the values that Heat would give it. Its engine keeps
// in a file whether it is in a swarm; that of others is at the given addresses.
func newMachine(t *testing.T, c *templatetest.Cloud, role, index, masters string, swarmAt ...string) *templatetest.Machine {
	t.Helper()
	m := enginetest.Machine(t, c, role, index, masters, nil)
	for _, p := range []string{"update-ca-certificates", "apt-get", "dockerd"} {
		m.Program(p, "cat >/dev/null")
	}
	m.Write("usr/local/share/ca-certificates/README", "")
	m.Program("docker", `case "$*" in
'info --format {{.Swarm.LocalNodeState}}') cat $MAGNUM_ROOT/swarm 2>/dev/null || echo inactive ;;
'swarm init --help') echo ' --default-addr-pool ipNetSlice' ;;
'swarm init '*) echo active >$MAGNUM_ROOT/swarm; echo 'docker swarm join --token `+joinToken+`' ;;
'node ls') [ "$(cat $MAGNUM_ROOT/swarm)" = active ] ;;
esac`)
	// The engine of this node, by its socket; and those of others.
	answers := []string{`*/var/run/docker.sock*) for a in "$@"; do case $a in @*) cat "${a#@}" >$MAGNUM_ROOT/joined ;; esac; done; echo active >$MAGNUM_ROOT/swarm; printf 200 ;;`}
	for _, address := range swarmAt {
		answers = append(answers, `*//`+address+`:2375/swarm) echo '{"ID":"x","JoinTokens":{"Worker":"`+joinToken+`-worker","Manager":"`+joinToken+`-manager"}}' ;;`)
	}
	m.Answer(append(answers, `*:2375/swarm) echo 'connection refused' >&2; exit 7 ;;`)...)
	return m
}

func daemon(t *testing.T, m *templatetest.Machine) map[string]any {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal([]byte(m.Read("etc/docker/daemon.json")), &config); err != nil {
		t.Fatalf("%v\n%s", err, m.Read("etc/docker/daemon.json"))
	}
	return config
}

// boot runs a script to its end, which must be good.
func boot(t *testing.T, c *templatetest.Cloud, m *templatetest.Machine, script string) {
	t.Helper()
	out, err := m.Boot(script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if told := c.Signals(); len(told) != 1 || told[0].Status != "SUCCESS" {
		t.Errorf("signals: %v\n%s", told, out)
	}
	m.CheckSecrets(out)
	if text := m.Calls() + out + m.Read("var/log/magnum/100-swarm.log"); strings.Contains(text, joinToken) {
		t.Errorf("a join token is in a program's arguments, the output or the log:\n%s", text)
	}
}

// TestFirstMaster makes the swarm, on every image, with TLS and without.
func TestFirstMaster(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, system := range systems() {
		for _, tls := range []bool{true, false} {
			for _, masters := range []string{"10.0.0.10", "10.0.0.10 10.0.0.11 10.0.0.12"} {
				if system != "fedora-atomic" && tls != (len(masters) > 10) {
					continue // all that meet on one image
				}
				name := map[bool]string{true: "tls", false: "plain"}[tls]
				t.Run(system+"/"+name+"/"+masters, func(t *testing.T) {
					t.Parallel()
					c := templatetest.StartCloud(t)
					m := newMachine(t, c, "master", "0", masters)
					req := of(system)
					req.Template.TLSDisabled = !tls
					if !tls {
						m.Write("etc/magnum/params/tls_disabled", "True")
					}
					boot(t, c, m, suite().Render(t, req).Files["boot/master.sh"])

					if want := "docker swarm init --advertise-addr 10.0.0.10 --listen-addr 0.0.0.0:2377 --default-addr-pool 10.255.0.0/16 --default-addr-pool-mask-length 24\n"; !strings.Contains(m.Calls(), want) {
						t.Errorf("not called: %s%s", want, m.Calls())
					}
					if asked := strings.Count(m.Calls(), ":2375/swarm\n"); asked != strings.Count(masters, " ") {
						t.Errorf("%d others were asked for a swarm:\n%s", asked, m.Calls())
					}
					if got := m.Read("etc/sysconfig/docker"); system == "fedora-atomic" && got != "OPTIONS='--selinux-enabled --log-driver=journald'\n" {
						t.Errorf("docker's options are %s", got)
					}
					config := daemon(t, m)
					if diff := cmp.Diff([]any{"unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"}, config["hosts"]); diff != "" {
						t.Error(diff)
					}
					if diff := cmp.Diff([]any{"org.openstack.magnum.role=master", "org.openstack.magnum.nodegroup=default-master"}, config["labels"]); diff != "" {
						t.Error(diff)
					}
					if !tls {
						if config["tls"] != false || config["tlsverify"] != nil || len(c.Signed()) != 0 {
							t.Errorf("without TLS: %v, signed %v", config, c.Signed())
						}
						return
					}
					if config["tlsverify"] != true || config["tlscert"] != "/etc/docker/server.crt" {
						t.Errorf("with TLS: %v", config)
					}
					if got := m.Read("etc/docker/ca.crt"); strings.TrimSpace(got) != strings.TrimSpace(c.Authority("")) {
						t.Errorf("ca.crt is\n%s", got)
					}
					for _, host := range []string{"10.0.0.10", "127.0.0.1", "172.24.4.9", "10.0.0.5", "172.24.4.5", "prod-1-master-0", "localhost"} {
						if err := m.Certificate("etc/docker/server.crt").VerifyHostname(host); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
	}
}

// TestOthersJoin: further masters, workers, and a first master that was made
// anew come into the swarm that is there, by the first master that has it.
func TestOthersJoin(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	const masters = "10.0.0.10 10.0.0.11 10.0.0.12"
	for name, tt := range map[string]struct {
		role, index string
		swarmAt     []string
		remote      string
		token       string
	}{
		"second master":    {"master", "1", []string{"10.0.0.10"}, "10.0.0.10", "manager"},
		"worker":           {"worker", "3", []string{"10.0.0.10", "10.0.0.11"}, "10.0.0.10", "worker"},
		"first is down":    {"worker", "3", []string{"10.0.0.12"}, "10.0.0.12", "worker"},
		"first, once more": {"master", "0", []string{"10.0.0.11"}, "10.0.0.11", "manager"},
	} {
		for _, system := range systems() {
			for _, tls := range []bool{true, false} {
				if system != "fedora-atomic" && !tls {
					continue
				}
				t.Run(name+"/"+system+map[bool]string{true: "/tls", false: "/plain"}[tls], func(t *testing.T) {
					t.Parallel()
					c := templatetest.StartCloud(t)
					m := newMachine(t, c, tt.role, tt.index, masters, tt.swarmAt...)
					req := of(system)
					req.Template.TLSDisabled = !tls
					scheme := "https"
					if !tls {
						m.Write("etc/magnum/params/tls_disabled", "True")
						scheme = "http"
					}
					script := map[string]string{"master": "boot/master.sh", "worker": "boot/node.sh"}[tt.role]
					boot(t, c, m, suite().Render(t, req).Files[script])
					var got map[string]any
					if err := json.Unmarshal([]byte(m.Read("joined")), &got); err != nil {
						t.Fatal(err)
					}
					want := map[string]any{
						"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": "10.0.0.1" + tt.index, "RemoteAddrs": []any{tt.remote + ":2377"},
						"JoinToken": joinToken + "-" + tt.token,
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Error(diff)
					}
					if strings.Contains(m.Calls(), "swarm init --advertise-addr") {
						t.Error("it made a swarm of its own")
					}
					if !strings.Contains(m.Calls(), " "+scheme+"://"+tt.remote+":2375/swarm\n") {
						t.Errorf("asked otherwise than by %s:\n%s", scheme, m.Calls())
					}
					if hosts := daemon(t, m)["hosts"]; (hosts != nil) != (tt.role == "master") {
						t.Errorf("the engine of a %s listens at %v", tt.role, hosts)
					}
				})
			}
		}
	}
}

// TestFailureReachesHeat: with the step's name and its last words.
func TestFailureReachesHeat(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for name, tt := range map[string]struct {
		prepare func(*templatetest.Machine)
		system  string
		script  string
		reason  string
	}{
		"engine": {func(m *templatetest.Machine) {
			m.Program("docker", `[ "$1" != info ] || { echo 'Cannot connect to the Docker daemon' >&2; exit 1; }`)
		}, "debian", "boot/master.sh", "step 050-docker failed: Cannot connect to the Docker daemon"},
		"archive": {func(m *templatetest.Machine) {
			m.Program("apt-get", `echo 'E: Unable to locate package docker.io' >&2; exit 100`)
			m.Remove("dockerd")
		}, "ubuntu", "boot/node.sh", "step 045-packages failed: E: Unable to locate package docker.io\ngave up on: install"},
		"no swarm": {func(m *templatetest.Machine) {}, "fedora-atomic", "boot/node.sh",
			"step 100-swarm failed: connection refused\ngave up on: join_as"},
		"no trust": {func(m *templatetest.Machine) {}, "rexray", "boot/master.sh",
			"step 060-rexray failed: rexray needs a trust: the operator has to set [trust] cluster_user_trust"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := templatetest.StartCloud(t)
			role := map[string]string{"boot/master.sh": "master", "boot/node.sh": "worker"}[tt.script]
			m := newMachine(t, c, role, "0", "10.0.0.1")
			tt.prepare(m)
			req := of(tt.system)
			if tt.system == "rexray" {
				req = base()
				req.Template.VolumeDriver = "rexray"
			}
			out, err := m.Boot(suite().Render(t, req).Files[tt.script])
			if err == nil {
				t.Error("the script says that it went well")
			}
			told := c.Signals()
			if len(told) != 1 || told[0].Status != "FAILURE" {
				t.Fatalf("signals: %v\n%s", told, out)
			}
			step, words, _ := strings.Cut(strings.ReplaceAll(tt.reason, "\n", " "), " failed: ")
			if got := told[0].Reason; !strings.Contains(got, step+" failed: ") || !strings.HasSuffix(got, words) {
				t.Errorf("reason %q, want %q", got, tt.reason)
			}
		})
	}
}

// TestOptionalSteps: what a cluster asks for beyond the least.
func TestOptionalSteps(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	for _, system := range systems() {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			c := templatetest.StartCloud(t)
			m := newMachine(t, c, "worker", "3", "10.0.0.10 10.0.0.11 10.0.0.12", "10.0.0.10")
			for name, value := range map[string]string{
				"openstack_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "insecure_registry_url": "10.0.0.1:5000",
				"http_proxy": "http://proxy:3128", "no_proxy": "example.com,10.0.0.0/24",
				"trust_id": "trust-1", "rexray_preempt": "true",
			} {
				m.Write("etc/magnum/params/"+name, value)
			}
			m.Remove("dockerd") // the image of Debian has none
			if system != "fedora-atomic" {
				m.Remove("update-ca-trust")
			}
			req := of(system)
			req.Endpoints.CACert, req.Template.HTTPProxy, req.Template.InsecureRegistry, req.Template.VolumeDriver = "x", "x", "x", "rexray"
			dev := m.Volume("docker_volume", "0f6d5a2e-1111-2222-3333-444455556666")
			if out, err := m.Boot(suite().Render(t, req).Files["boot/node.sh"]); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			files := map[string]string{
				"etc/systemd/system.conf.d/magnum-proxy.conf": `"HTTP_PROXY=http://proxy:3128"`,
				"etc/profile.d/magnum-proxy.sh":               `NO_PROXY="example.com,10.0.0.0/24,localhost,127.0.0.1,10.0.0.10,10.0.0.11,10.0.0.12,10.0.0.13"`,
				"etc/rexray/config.yml":                       "preempt: true\n",
				"etc/systemd/system/rexray.service":           "After=network-online.target docker.service",
			}
			config := daemon(t, m)
			if system == "fedora-atomic" {
				files["etc/pki/ca-trust/source/anchors/openstack-ca.pem"] = "AAAA\n-----END"
				files["etc/sysconfig/docker"] = "INSECURE_REGISTRY='--insecure-registry 10.0.0.1:5000'"
				m.Write("etc/pki/tls/certs/ca-bundle.crt", "")
			} else {
				files["usr/local/share/ca-certificates/openstack-ca.crt"] = "AAAA\n-----END"
				if diff := cmp.Diff([]any{"10.0.0.1:5000"}, config["insecure-registries"]); diff != "" {
					t.Error(diff)
				}
				if want := "apt-get install --yes --no-install-recommends ca-certificates docker.io\n"; !strings.Contains(m.Calls(), want) {
					t.Errorf("not called: %s", want)
				}
			}
			for path, text := range files {
				if got := m.Read(path); !strings.Contains(got, text) {
					t.Errorf("%s lacks %s:\n%s", path, text, got)
				}
			}
			if want := "mount " + dev + " " + m.Path("var/lib/docker") + "\n"; !strings.Contains(m.Calls(), want) {
				t.Errorf("not called: %s", want)
			}
			arguments := strings.Join(m.Service("docker", "rexray"), " ")
			if !strings.HasSuffix(arguments, "openstackmagnum/rexray:alpine") {
				t.Errorf("rexray is run by %s", arguments)
			}
		})
	}
}

// TestUnitOfDebian: where the unit says where to listen, daemon.json must not.
func TestUnitOfDebian(t *testing.T) {
	templatetest.Need(t, "sh", "curl", "openssl")
	c := templatetest.StartCloud(t)
	m := newMachine(t, c, "master", "0", "10.0.0.10")
	boot(t, c, m, suite().Render(t, of("debian")).Files["boot/master.sh"])
	unit := m.Read("etc/systemd/system/docker.service.d/magnum.conf")
	if !strings.Contains(unit, "ExecStart=\nExecStart=/") || !strings.Contains(unit, "/dockerd --containerd=/run/containerd/containerd.sock\n") {
		t.Error(unit)
	}
}
