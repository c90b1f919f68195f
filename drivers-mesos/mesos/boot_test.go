package mesos_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// newMachine is a node of Ubuntu with the values that Heat would give it, after
// the image has started all services by itself.
func newMachine(t *testing.T, c *templatetest.Cloud, role string, params map[string]string) *templatetest.Machine {
	t.Helper()
	m := templatetest.NewMachine(t, c, map[string]string{
		"name": "prod-" + role + "-0", "role": role, "index": "0", "address": "10.0.0.11",
		"master_addresses": "10.0.0.11", "cluster_name": "prod", "docker_storage_driver": "overlay2",
		"mesos_slave_work_dir": "/var/lib/mesos", "nodegroup_name": "default-" + role, "nodegroup_role": role,
	})
	for name, value := range params {
		m.Write("etc/magnum/params/"+name, value)
	}
	for _, p := range []string{"mesos-master", "mesos-slave", "marathon", "dockerd"} {
		m.Program(p, "exit 1") // nothing but systemd may start them
	}
	m.Program("update-ca-certificates", "")
	m.Write("usr/local/share/ca-certificates/README", "")
	m.Write("etc/zookeeper/conf/zoo.cfg", "server.1=zookeeper1:2888:3888\n")
	for _, old := range []string{"zookeeper/version-2/snapshot.0", "mesos/replicated_log/LOG", "mesos/meta/slaves/latest"} {
		m.Write("var/lib/"+old, "old")
	}
	m.Answer(
		"*10.0.0.1*:5050/master/redirect) ;;",
		`*10.0.0.1*:8080/v2/leader) echo '{"leader": "10.0.0.11:8080"}' ;;`,
		`*10.0.0.1*:5051/metrics/snapshot) echo '{"slave\/uptime_secs":3.1,"slave\/registered":1.0}' ;;`,
	)
	return m
}

// script is a boot script of a cluster with everything that has a step of its own.
func script(t *testing.T, role string) string {
	t.Helper()
	r := base()
	r.Endpoints.CACert, r.Template.HTTPProxy, r.Template.InsecureRegistry = "x", "x", "x"
	return suite().Render(t, r).Files["boot/"+role+".sh"]
}

func boot(t *testing.T, m *templatetest.Machine, script string) {
	t.Helper()
	out, err := m.Boot(script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m.CheckSecrets(out)
}

func files(t *testing.T, m *templatetest.Machine, want map[string]string) {
	t.Helper()
	for path, text := range want {
		if diff := cmp.Diff(text, m.Read(path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		readable(t, m, path)
	}
}

func started(t *testing.T, m *templatetest.Machine, services ...string) {
	t.Helper()
	for _, s := range services {
		for _, call := range []string{"systemctl enable " + s, "systemctl restart " + s} {
			if !strings.Contains(m.Calls(), call+"\n") {
				t.Errorf("not called: %s", call)
			}
		}
	}
}

func TestMasterBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl")
	for masters, quorum := range map[int]string{1: "1\n", 2: "2\n", 3: "2\n", 5: "3\n"} {
		t.Run(fmt.Sprint(masters), func(t *testing.T) {
			var all, servers, hosts []string
			for i := range masters {
				address := fmt.Sprintf("10.0.0.%d", 11+i)
				all, hosts = append(all, address), append(hosts, address+":2181")
				servers = append(servers, fmt.Sprintf("server.%d=%s:2888:3888\n", i+1, address))
			}
			own, id := all[masters-1], fmt.Sprint(masters)+"\n"
			c := templatetest.StartCloud(t)
			m := newMachine(t, c, "master", map[string]string{
				"master_addresses": strings.Join(all, " "), "address": own, "index": fmt.Sprint(masters - 1),
			})
			m.Program("marathon", "exit 1 # reads /etc/marathon/conf")
			boot(t, m, script(t, "master"))
			if diff := cmp.Diff([]templatetest.Signal{{Status: "SUCCESS", Reason: "prod-master-0 is ready", ID: "prod-master-0"}}, c.Signals()); diff != "" {
				t.Error(diff)
			}
			zk := "zk://" + strings.Join(hosts, ",")
			files(t, m, map[string]string{
				"var/lib/zookeeper/myid": id, "etc/zookeeper/conf/myid": id,
				"etc/mesos/zk": zk + "/mesos\n", "etc/mesos-master/ip": own + "\n", "etc/mesos-master/hostname": own + "\n",
				"etc/mesos-master/quorum": quorum, "etc/mesos-master/cluster": "prod\n", "etc/mesos-master/work_dir": "/var/lib/mesos\n",
				"etc/marathon/conf/hostname": own + "\n", "etc/marathon/conf/master": zk + "/mesos\n", "etc/marathon/conf/zk": zk + "/marathon\n",
				"etc/default/marathon": "LIBPROCESS_IP=" + own + "\n",
			})
			cfg := m.Read("etc/zookeeper/conf/zoo.cfg")
			if !strings.HasSuffix(cfg, "\n"+strings.Join(servers, "")) || strings.Count(cfg, "server.") != masters || !strings.Contains(cfg, "dataDir=/var/lib/zookeeper\n") {
				t.Error(cfg)
			}
			gone(t, m, "var/lib/zookeeper/version-2", "var/lib/mesos/replicated_log")
			started(t, m, "zookeeper", "mesos-master", "marathon")
			if !strings.Contains(m.Calls(), "systemctl disable mesos-slave\n") {
				t.Error("the image's agent goes on")
			}
		})
	}
}

// TestNewerMarathon: it has no folder of options.
func TestNewerMarathon(t *testing.T) {
	templatetest.Need(t, "sh", "curl")
	m := newMachine(t, templatetest.StartCloud(t), "master", nil)
	boot(t, m, script(t, "master"))
	files(t, m, map[string]string{"etc/default/marathon": "LIBPROCESS_IP=10.0.0.11\nMARATHON_HOSTNAME=10.0.0.11\n" +
		"MARATHON_MASTER=zk://10.0.0.11:2181/mesos\nMARATHON_ZK=zk://10.0.0.11:2181/marathon\n"})
	gone(t, m, "etc/marathon/conf")
}

func TestSlaveBoots(t *testing.T) {
	templatetest.Need(t, "sh", "curl")
	c := templatetest.StartCloud(t)
	m := newMachine(t, c, "worker", map[string]string{"master_addresses": "10.0.0.1 10.0.0.2 10.0.0.3"})
	boot(t, m, script(t, "slave"))
	if told := c.Signals(); len(told) != 1 || told[0].Status != "SUCCESS" {
		t.Errorf("signals: %v", told)
	}
	files(t, m, map[string]string{
		"etc/mesos/zk":       "zk://10.0.0.1:2181,10.0.0.2:2181,10.0.0.3:2181/mesos\n",
		"etc/mesos-slave/ip": "10.0.0.11\n", "etc/mesos-slave/hostname": "10.0.0.11\n", "etc/mesos-slave/containerizers": "docker,mesos\n",
		"etc/mesos-slave/executor_registration_timeout": "5mins\n", "etc/mesos-slave/work_dir": "/var/lib/mesos\n",
		"etc/mesos-slave/attributes": "nodegroup:default-worker;nodegroup_role:worker\n",
	})
	gone(t, m, "var/lib/mesos/meta/slaves/latest", "etc/mesos-slave/isolation", "etc/mesos-slave/image_providers",
		"etc/mesos-slave/executor_environment_variables", "etc/profile.d/magnum-proxy.sh")
	started(t, m, "docker", "mesos-slave")
	for _, s := range []string{"zookeeper", "mesos-master", "marathon"} {
		if !strings.Contains(m.Calls(), "systemctl disable "+s+"\n") {
			t.Errorf("the image's %s goes on", s)
		}
	}
}

func TestSlaveWithOptions(t *testing.T) {
	templatetest.Need(t, "sh", "curl")
	const env = `{"A": "it's \"so\""}`
	m := newMachine(t, templatetest.StartCloud(t), "worker", map[string]string{
		"openstack_ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "insecure_registry_url": "10.0.0.1:5000",
		"http_proxy": "http://proxy:3128", "no_proxy": "example.com,10.0.0.0/24", "master_addresses": "10.0.0.1 10.0.0.2",
		"mesos_slave_work_dir": "/srv/mesos", "mesos_slave_isolation": "docker/runtime", "mesos_slave_image_providers": "Docker,appc",
		"mesos_slave_executor_env_variables": env,
	})
	dev := m.Volume("docker_volume", "0f6d5a2e-1111-2222-3333-444455556666")
	boot(t, m, script(t, "slave"))
	files(t, m, map[string]string{
		"etc/mesos-slave/work_dir": "/srv/mesos\n", "etc/mesos-slave/isolation": "docker/runtime\n",
		"etc/mesos-slave/image_providers": "docker,appc\n", "etc/mesos-slave/executor_environment_variables": env + "\n",
	})
	for path, text := range map[string]string{
		"etc/systemd/system.conf.d/magnum-proxy.conf":      `"no_proxy=example.com,10.0.0.0/24,localhost,127.0.0.1,10.0.0.1,10.0.0.2,10.0.0.11"`,
		"usr/local/share/ca-certificates/openstack-ca.crt": "AAAA\n",
		"etc/fstab": m.Path("var/lib/docker"),
	} {
		if got := m.Read(path); !strings.Contains(got, text) {
			t.Errorf("%s lacks %s:\n%s", path, text, got)
		}
	}
	if !strings.Contains(m.Calls(), "mount "+dev+" "+m.Path("var/lib/docker")+"\n") {
		t.Error("docker's volume is not mounted")
	}
	var daemon map[string]any
	if err := json.Unmarshal([]byte(m.Read("etc/docker/daemon.json")), &daemon); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"storage-driver": "overlay2", "insecure-registries": []any{"10.0.0.1:5000"}}, daemon); diff != "" {
		t.Error(diff)
	}
}

// TestFailureReachesHeat: with the step and what it said last.
func TestFailureReachesHeat(t *testing.T) {
	templatetest.Need(t, "sh", "curl")
	for _, tt := range []struct {
		name, role string
		change     func(*templatetest.Machine)
		want       string
	}{
		{"no mesos", "master", func(m *templatetest.Machine) { m.Remove("mesos-master"); m.Remove("marathon") },
			"step 010-image failed: the image lacks: mesos-master marathon. A cluster needs an Ubuntu image with systemd, ZooKeeper, Mesos, Marathon and docker installed."},
		{"no docker", "worker", func(m *templatetest.Machine) { m.Remove("dockerd") }, "step 010-image failed: the image lacks: dockerd."},
		{"service", "worker", func(m *templatetest.Machine) {
			m.Program("systemctl", `[ "$*" != "restart mesos-slave" ] || { echo 'Unit "mesos-slave" failed' >&2; exit 5; }`)
		}, `step 100-mesos-slave failed: Unit "mesos-slave" failed`},
		{"never registers", "worker", func(m *templatetest.Machine) {
			m.Answer(`*:5051/metrics/snapshot) echo '{"slave\/registered":0.0}' ;;`)
			m.Program("journalctl", "echo 'No leading master'")
		}, "step 900-ready failed: gave up on: ready mesos-slave: No leading master"},
		{"no leader", "master", func(m *templatetest.Machine) {
			m.Answer("*:5050/master/redirect) ;;", "*:8080/v2/leader) exit 22 ;;")
			m.Program("journalctl", `echo "last words of $7"`)
		}, "zookeeper: last words of zookeeper mesos-master: last words of mesos-master marathon: last words of marathon"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := templatetest.StartCloud(t)
			m := newMachine(t, c, tt.role, nil)
			tt.change(m)
			out, err := m.Boot(script(t, map[string]string{"master": "master", "worker": "slave"}[tt.role]))
			if err == nil {
				t.Error("the script says that it went well")
			}
			told := c.Signals()
			if len(told) != 1 || told[0].Status != "FAILURE" || !strings.Contains(told[0].Reason, tt.want) {
				t.Errorf("%v\n%s", told, out)
			}
		})
	}
}

func TestRexRay(t *testing.T) {
	templatetest.Need(t, "sh", "curl")
	r := base()
	r.Template.VolumeDriver = "rexray"
	boots := suite().Render(t, r).Files["boot/slave.sh"]
	c := templatetest.StartCloud(t)
	if out, err := newMachine(t, c, "worker", nil).Boot(boots); err == nil || !strings.Contains(c.Signals()[0].Reason, "rexray needs a trust") {
		t.Errorf("%v: %v\n%s", err, c.Signals(), out)
	}
	m := newMachine(t, templatetest.StartCloud(t), "worker", map[string]string{"trust_id": "trust-1", "rexray_preempt": "true"})
	if out, err := m.Boot(boots); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := m.Read("etc/rexray/config.yml"); !strings.Contains(got, "preempt: true\n") || !strings.Contains(got, `trustID: "trust-1"`) {
		t.Error(got)
	}
	started(t, m, "rexray")
	// systemd gives it no environment of ours.
	if got := m.Read("var/lib/magnum/service/rexray.sh"); !strings.Contains(got, "${MAGNUM_LIB:-/var/lib/magnum/lib.sh}") {
		t.Error(got)
	}
}
