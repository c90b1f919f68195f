package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
)

func TestTemplateCreate(t *testing.T) {
	f := newFixture(t)
	got := f.must(201, "demo", "POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "name": "t"}`)
	id := got.str("uuid")
	if want := "http://magnum:9511/v1/clustertemplates/" + id; got.header.Get("Location") != want {
		t.Errorf("Location %q, want %q", got.header.Get("Location"), want)
	}
	want := strings.ReplaceAll(`{"uuid": "ID", "name": "t", "coe": "kubernetes", "image_id": "fedora-atomic-latest", "flavor_id": null, "master_flavor_id": null, `+
		`"dns_nameserver": null, "keypair_id": null, "external_network_id": null, "fixed_network": null, "fixed_subnet": null, "network_driver": "flannel", `+
		`"apiserver_port": null, "docker_volume_size": null, "cluster_distro": "fedora-atomic", `+
		`"links": [{"href": "http://magnum:9511/v1/clustertemplates/ID", "rel": "self"}, {"href": "http://magnum:9511/clustertemplates/ID", "rel": "bookmark"}], `+
		`"http_proxy": null, "https_proxy": null, "no_proxy": null, "volume_driver": null, "registry_enabled": false, "labels": null, "tls_disabled": false, `+
		`"public": false, "server_type": "vm", "insecure_registry": null, "docker_storage_driver": null, "master_lb_enabled": false, "floating_ip_enabled": true, `+
		`"project_id": "project-demo", "user_id": "user-demo", "hidden": false, "tags": null, "driver": "k8s_fedora_atomic_v1", "created_at": "2026-01-02T03:04:05+00:00", "updated_at": null}`, "ID", id)
	if got.text != want {
		t.Errorf("answer:\n%s\nwant\n%s", got.text, want)
	}
	if one := f.must(200, "demo", "GET", "/v1/clustertemplates/t", ""); one.text != strings.Replace(want, `"labels": null`, `"labels": {}`, 1) {
		t.Errorf("GET:\n%s\nwant\n%s", one.text, want)
	}

	full := f.must(201, "demo", "POST", "/v1/clustertemplates", `{"coe": "swarm-mode", "image_id": "fedora-atomic-latest", "uuid": "B0C0FFEE000040008000000000000002",
		"flavor_id": "m1.small", "master_flavor_id": "m1.tiny", "dns_nameserver": "8.8.8.8, 8.8.4.4", "keypair_id": "none-such", "external_network_id": "public",
		"fixed_network": "n", "fixed_subnet": "s", "volume_driver": "rexray", "apiserver_port": "6443", "docker_volume_size": 3.9, "cluster_distro": null,
		"registry_enabled": "on", "tls_disabled": 1, "master_lb_enabled": "TRUE", "floating_ip_enabled": "0", "tags": "",
		"labels": {"a": 1, "b": true, "c": 1.50, "d": "x", "e": 1e20}, "docker_storage_driver": "devicemapper", "http_proxy": "h", "https_proxy": "s", "no_proxy": "n"}`)
	stored, err := f.db.Template(context.Background(), state.Scope{All: true}, full.str("uuid"))
	if err != nil {
		t.Fatal(err)
	}
	tags := ""
	expected := &magnum.ClusterTemplate{
		UUID: "b0c0ffee-0000-4000-8000-000000000002", ProjectID: "project-demo", UserID: "user-demo",
		ImageID: "fedora-atomic-latest", FlavorID: "m1.small", MasterFlavorID: "m1.tiny", KeypairID: "none-such", ExternalNetworkID: "public",
		FixedNetwork: "n", FixedSubnet: "s", NetworkDriver: "docker", VolumeDriver: "rexray", DNSNameserver: "8.8.8.8, 8.8.4.4", APIServerPort: 6443,
		DockerVolumeSize: 3, DockerStorageDriver: "devicemapper", ClusterDistro: "fedora-atomic", COE: "swarm-mode", HTTPProxy: "h", HTTPSProxy: "s", NoProxy: "n",
		RegistryEnabled: true, Labels: magnum.Labels{"a": "1", "b": "True", "c": "1.5", "d": "x", "e": "1e+20"}, TLSDisabled: true,
		ServerType: "vm", MasterLBEnabled: true, FloatingIPEnabled: false, Tags: &tags, Driver: "swarm_fedora_atomic_v2",
	}
	if diff := cmp.Diff(expected, stored, cmpopts.IgnoreFields(magnum.ClusterTemplate{}, "ID", "Name", "CreatedAt", "UpdatedAt")); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(stored.Name, "-template") || strings.Count(stored.Name, "-") != 2 {
		t.Errorf("made up name %q", stored.Name)
	}
	f.refused(409, "A ClusterTemplate with UUID b0c0ffee-0000-4000-8000-000000000002 already exists.", "demo", "POST", "/v1/clustertemplates",
		`{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "uuid": "b0c0ffee-0000-4000-8000-000000000002"}`)
}

// with adds members to a body that would be accepted.
func with(more string) string {
	var body map[string]any
	if err := json.Unmarshal([]byte(`{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "name": "t"}`), &body); err != nil {
		panic(err)
	}
	if err := json.Unmarshal([]byte("{"+more+"}"), &body); err != nil {
		panic(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestTemplateRefused(t *testing.T) {
	f := newFixture(t)
	const input = "Invalid input for field/attribute "
	long := strings.Repeat("ä", 256)
	for _, c := range []struct {
		body   string
		status int
		detail string
	}{
		{`{"foo": 1}`, 400, "Unknown attribute for argument cluster_template: foo"},
		{`{"foo": 1, "bar": 1, "name": 7}`, 400, "Unknown attributes for argument cluster_template: bar, foo"},
		{`{"coe": "kubernetes"}`, 400, input + "image_id. Value: 'None'. Mandatory field missing."},
		{`{"coe": "kubernetes", "image_id": null}`, 400, input + "image_id. Value: 'None'. Mandatory field missing."},
		{`{"image_id": "fedora-atomic-latest"}`, 400, "Requested COE type Unset is not supported."},
		{`{"image_id": "fedora-atomic-latest", "coe": null}`, 400, "Requested COE type None is not supported."},
		{with(`"coe": "mesos"`), 400, "Requested COE type mesos is not supported."},
		{with(`"coe": "dcos"`), 400, "Requested COE type dcos is not supported."},
		{with(`"coe": "Kubernetes"`), 400, input + "coe. Value: 'Kubernetes'. Value should be one of: dcos, kubernetes, mesos, swarm, swarm-mode"},
		{with(`"coe": 1`), 400, input + "coe. Value: '1'. Value should be one of: dcos, kubernetes, mesos, swarm, swarm-mode"},
		{with(`"uuid": "nope"`), 400, "Expected a uuid but received nope."},
		{with(`"uuid": 1`), 400, "Expected a uuid but received 1."},
		{with(`"name": ""`), 400, input + "name. Value: ''. Value should have a minimum character requirement of 1"},
		{with(`"name": "` + long + `"`), 400, input + "name. Value: '" + long + "'. Value should have a maximum character requirement of 255"},
		{with(`"name": true`), 400, input + "name. Value: 'True'. Value should be string"},
		{with(`"name": ["a"]`), 400, input + "name. Value: '['a']'. Value should be string"},
		{with(`"keypair_id": ""`), 400, input + "keypair_id. Value: ''. Value should have a minimum character requirement of 1"},
		{with(`"dns_nameserver": "x"`), 400, "Expected a single dns address or comma separated dns list, but received x."},
		{with(`"dns_nameserver": "8.8.8.8,"`), 400, "Expected a single dns address or comma separated dns list, but received 8.8.8.8,."},
		{with(`"dns_nameserver": "2001:db8::1"`), 400, "Expected a single dns address or comma separated dns list, but received 2001:db8::1."},
		{with(`"dns_nameserver": 8`), 400, "Expected a single dns address or comma separated dns list, but received 8."},
		{with(`"apiserver_port": 1023`), 400, input + "apiserver_port. Value: '1023'. Value should be greater or equal to 1024"},
		{with(`"apiserver_port": 65536`), 400, input + "apiserver_port. Value: '65536'. Value should be lower or equal to 65535"},
		{with(`"docker_volume_size": 0`), 400, input + "docker_volume_size. Value: '0'. Value should be greater or equal to 1"},
		{with(`"docker_volume_size": 99999999999999999999`), 400, input + "docker_volume_size. Value: '100000000000000000000'. Value should be lower or equal to 2147483647"},
		{`{"docker_volume_size": "big", "image_id": "i"}`, 400, input + "cluster_template. Value: '{'docker_volume_size': 'big', 'image_id': 'i'}'. invalid literal for int() with base 10: 'big'"},
		{`{"image_id": "i", "docker_volume_size": [1]}`, 400, input + "cluster_template. Value: '{'image_id': 'i', 'docker_volume_size': [1]}'. int() argument must be a string, a bytes-like object or a real number, not 'list'"},
		{`{"image_id": "i", "labels": "a=b"}`, 400, input + "cluster_template. Value: '{'image_id': 'i', 'labels': 'a=b'}'. Value not a valid dict: a=b"},
		{`{"image_id": "i", "created_at": "yesterday"}`, 400, input + "cluster_template. Value: '{'image_id': 'i', 'created_at': 'yesterday'}'. Unknown string format: %s"},
		{with(`"created_at": "2020-01-01T00:00:00+00:00"`), 400, input + "created_at. Value: '2020-01-01T00:00:00+00:00'. Cannot set read only field."},
		{with(`"links": []`), 400, input + "links. Value: '[]'. Cannot set read only field."},
		{with(`"project_id": "p"`), 400, input + "project_id. Value: 'p'. Cannot set read only field."},
		{with(`"labels": {"a": {"b": "c"}}`), 400, input + "labels. Value: '{'a': {'b': 'c'}}'. Wrong type. Expected '(<class 'str'>, (<class 'int'>,), <class 'bool'>, <class 'float'>)', got '<class 'dict'>'"},
		{with(`"labels": {"a": null}`), 400, input + "labels. Value: '{'a': None}'. Wrong type. Expected '(<class 'str'>, (<class 'int'>,), <class 'bool'>, <class 'float'>)', got '<class 'NoneType'>'"},
		{with(`"server_type": "lxc"`), 400, input + "server_type. Value: 'lxc'. Value should be one of: bm, vm"},
		{with(`"public": "maybe"`), 400, input + "public. Value: 'maybe'. " + notBool("maybe")},
		{with(`"tags": "` + strings.Repeat("t", 256) + `"`), 400, input + "tags. Value: '" + strings.Repeat("t", 256) + "'. Value should have a maximum character requirement of 255"},
		{with(`"network_driver": "docker"`), 400, "Network driver type docker is not supported, expecting a flannel/calico/unspecified network driver."},
		{with(`"volume_driver": "rexray"`), 400, "Volume driver type rexray is not supported, expecting a cinder/unspecified volume driver."},
		{with(`"docker_storage_driver": "devicemapper"`), 400, "docker volume size None GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		{with(`"docker_storage_driver": "devicemapper", "docker_volume_size": 2`), 400, "docker volume size 2 GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		{with(`"image_id": "nope"`), 400, "Image nope could not be found."},
		{with(`"image_id": "no-distro"`), 400, "Cluster type (vm, None, kubernetes) not supported."},
		{with(`"image_id": "no-distro", "cluster_distro": "fedora-atomic"`), 400, "Image no-distro doesn't contain os_distro field."},
		{with(`"image_id": "fedora-latest"`), 400, "Cluster type (vm, fedora, kubernetes) not supported."},
		{with(`"server_type": "bm"`), 400, "Cluster type (bm, fedora-atomic, kubernetes) not supported."},
		{with(`"cluster_distro": "plan9"`), 400, "Cluster type (vm, plan9, kubernetes) not supported."},
		{with(`"flavor_id": "nope"`), 400, "Unable to find flavor nope."},
		{with(`"master_flavor_id": "nope"`), 400, "Unable to find flavor nope."},
		{with(`"external_network_id": "nope"`), 400, "Unable to find external network nope."},
		{with(`"labels": {"etcd_volume_size": "big"}`), 400, `property "labels/etcd_volume_size" with value "big" is not supported, expecting: integer, at least 0, at most 100`},
		{with(`"labels": {"etcd_volume_size": 101}`), 400, `property "labels/etcd_volume_size" with value "101" is not supported, expecting: integer, at least 0, at most 100`},
		{with(`"labels": {"kube_dashboard_enabled": "maybe"}`), 400, `property "labels/kube_dashboard_enabled" with value "maybe" is not supported, expecting: boolean`},
		{with(`"labels": {"selinux_mode": "off"}`), 400, `property "labels/selinux_mode" with value "off" is not supported, supported values are: enforcing, permissive, disabled, unspecified`},
		{with(`"labels": {"container_infra_prefix": "x"}`), 400, `property "labels/container_infra_prefix" with value "x" is not supported, expecting: string, matching /$`},
		{with(`"labels": {"ratio": "1e999999999"}`), 400, `property "labels/ratio" with value "1e999999999" is not supported, expecting: number`},
		{with(`"labels": {"ratio": "NaN"}`), 400, `property "labels/ratio" with value "NaN" is not supported, expecting: number`},
		{with(`"labels": {"mesos_slave_image_providers": "bogus"}`), 400, `property "labels/mesos_slave_image_providers" with value "bogus" is not supported, supported values are: docker, appc, unspecified`},
		{with(`"labels": {"mesos_slave_image_providers": "docker"}`), 400, "Docker runtime isolator has to be specified if 'docker' is included in 'mesos_slave_image_providers' Please add 'docker/runtime' to 'mesos_slave_isolation' labels flags"},
		{with(`"labels": {"mesos_slave_isolation": "a,posix/cpu"}`), 400, `property "labels/mesos_slave_isolation" with value "['a']" is not supported, supported values are: filesystem/posix, filesystem/linux, filesystem/shared, posix/cpu, posix/mem, posix/disk, cgroups/cpu, cgroups/mem, docker/runtime, namespaces/pid, unspecified`},
		{with(`"labels": {"mesos_slave_executor_env_variables": "{"}`), 400, "Json format error"},
		{with(`"labels": {"swarm_strategy": "x"}`), 400, `property "labels/swarm_strategy" with value "['x']" is not supported, supported values are: spread, binpack, random, unspecified`},
		{with(`"public": true`), 403, "Not authorized to set public or hidden flag for cluster template."},
		{with(`"hidden": true`), 403, "Not authorized to set public or hidden flag for cluster template."},
		// Which of two mistakes is named.
		{with(`"volume_driver": "x", "network_driver": "x"`), 400, "Network driver type x is not supported, expecting a flannel/calico/unspecified network driver."},
		{with(`"volume_driver": "x", "docker_storage_driver": "devicemapper", "image_id": "nope"`), 400, "Volume driver type x is not supported, expecting a cinder/unspecified volume driver."},
		{with(`"docker_storage_driver": "devicemapper", "image_id": "nope"`), 400, "docker volume size None GB is not valid, expecting minimum value 3GB for devicemapper storage driver."},
		{with(`"image_id": "fedora-latest", "flavor_id": "nope"`), 400, "Cluster type (vm, fedora, kubernetes) not supported."},
		{with(`"image_id": "nope", "cluster_distro": "fedora-atomic", "flavor_id": "nope", "external_network_id": "nope"`), 400, "Image nope could not be found."},
		{with(`"master_flavor_id": "nope2", "flavor_id": "nope", "external_network_id": "nope"`), 400, "Unable to find flavor nope."},
		{with(`"external_network_id": "nope", "labels": {"selinux_mode": "off"}`), 400, "Unable to find external network nope."},
		{with(`"labels": {"selinux_mode": "off"}, "public": true`), 400, `property "labels/selinux_mode" with value "off" is not supported, supported values are: enforcing, permissive, disabled, unspecified`},
	} {
		f.refused(c.status, c.detail, "demo", "POST", "/v1/clustertemplates", c.body)
	}
	if f.asked.Load() == 0 {
		t.Error("nothing was looked up")
	}
	// Labels that nobody names may be anything; those that are, may be right.
	f.must(201, "demo", "POST", "/v1/clustertemplates", with(`"labels": {"etcd_volume_size": "5", "kube_dashboard_enabled": "yes", "ratio": "1e-999999999", "selinux_mode": "disabled", "unheard_of": "x"}`))
	f.must(201, "demo", "POST", "/v1/clustertemplates", with(`"labels": {"mesos_slave_image_providers": "docker,appc", "mesos_slave_isolation": "docker/runtime", "swarm_strategy": "spread", "mesos_slave_executor_env_variables": "{}"}`))
}

func TestTemplateNetworkDriverOptions(t *testing.T) {
	f := newFixture(t, func(c *Config) {
		c.Options.ClusterTemplate.KubernetesAllowedNetworkDrivers = []string{"flannel"}
		c.Options.ClusterTemplate.KubernetesDefaultNetworkDriver = "calico"
	})
	f.refused(400, "Network driver type calico is not allowed, expecting a flannel/unspecified network driver. ", "demo", "POST", "/v1/clustertemplates", with(`"network_driver": "calico"`))
	if got := f.must(201, "demo", "POST", "/v1/clustertemplates", with(`"name": "d"`)); got.str("network_driver") != "calico" {
		t.Errorf("default network driver %q", got.str("network_driver"))
	}
}

func TestTemplateDriverChoice(t *testing.T) {
	f := newFixture(t)
	drivers := testDrivers()
	other := drivers[0]
	other.Name, other.Description.Name = "vendor", "vendor"
	if err := f.db.PublishDrivers(context.Background(), "h", append(drivers, other)); err != nil {
		t.Fatal(err)
	}
	f.refused(409, "Cluster type (vm, fedora-atomic, kubernetes) is supported by k8s_fedora_atomic_v1 and by vendor; ask an operator to give one of them priority.",
		"demo", "POST", "/v1/clustertemplates", with(`"name": "d"`))
	other.Description.ClusterTypes[0].Priority = 5
	if err := f.db.PublishDrivers(context.Background(), "h", append(testDrivers(), other)); err != nil {
		t.Fatal(err)
	}
	id := f.newTemplate("")
	if c := f.stored(f.newCluster(id, "")); c.Driver.Name != "vendor" {
		t.Errorf("the cluster's driver is %v", c.Driver)
	}
	if err := f.db.PublishDrivers(context.Background(), "h", nil); err != nil {
		t.Fatal(err)
	}
	f.refused(400, "Requested COE type kubernetes is not supported.", "demo", "POST", "/v1/clustertemplates", with(`"name": "d"`))
	f.refused(400, "Cluster driver (vendor) not supported.", "demo", "POST", "/v1/clusters", `{"cluster_template_id": "`+id+`"}`)
}

func TestTemplatePatch(t *testing.T) {
	f := newFixture(t)
	id := f.newTemplate(`"name": "t", "labels": {"a": "1", "b": "2"}, "flavor_id": "m1.small"`)
	for _, c := range []struct{ patch, field, want string }{
		{``, "name", "t"},
		{`null`, "name", "t"},
		{`[]`, "name", "t"},
		{`[{"op": "replace", "path": "/name", "value": "t2"}]`, "name", "t2"},
		{`[{"op": "replace", "path": "/docker_volume_size", "value": 4}, {"op": "replace", "path": "/name", "value": "t"}]`, "docker_volume_size", "4"},
		{`[{"op": "remove", "path": "/docker_volume_size"}]`, "docker_volume_size", "<nil>"},
		{`[{"op": "add", "path": "/docker_volume_size", "value": true}]`, "docker_volume_size", "1"},
		{`[{"op": "replace", "path": "/floating_ip_enabled", "value": false}]`, "floating_ip_enabled", "false"},
		{`[{"op": "remove", "path": "/floating_ip_enabled"}]`, "floating_ip_enabled", "true"},
		{`[{"op": "replace", "path": "/tls_disabled", "value": "yes"}]`, "tls_disabled", "true"},
		{`[{"op": "add", "path": "/labels/c", "value": 3}]`, "labels", "map[a:1 b:2 c:3]"},
		{`[{"op": "add", "path": "/labels/a", "value": "11"}]`, "labels", "map[a:11 b:2 c:3]"},
		{`[{"op": "remove", "path": "/labels/c"}, {"op": "replace", "path": "/labels/b", "value": true}]`, "labels", "map[a:11 b:True]"},
		{`[{"op": "replace", "path": "/labels", "value": "{'x': 'it\\'s', \"n\": 5, 'f': 1.50, 't': True,}"}]`, "labels", "map[f:1.5 n:5 t:True x:it's]"},
		{`[{"op": "replace", "path": "/labels", "value": "{\"k\": true}"}]`, "labels", "map[k:True]"},
		{`[{"op": "replace", "path": "/labels", "value": {"o": true, "p": 5}}]`, "labels", "map[o:True p:5]"},
		{`[{"op": "replace", "path": "/labels", "value": "{}"}]`, "labels", "map[]"},
		{`[{"op": "add", "path": "/labels/r", "value": "s"}]`, "labels", "map[r:s]"},
		{`[{"op": "remove", "path": "/name"}]`, "name", "<nil>"},
		{`[{"op": "add", "path": "/tags", "value": ""}]`, "tags", ""},
		{`[{"op": "replace", "path": "/cluster_distro", "value": "other"}]`, "cluster_distro", "other"},
		{`[{"op": "replace", "path": "/docker_storage_driver", "value": "devicemapper"}]`, "docker_storage_driver", "devicemapper"},
	} {
		got := f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, c.patch)
		if s := fmt.Sprint(got.body[c.field]); s != c.want {
			t.Errorf("%s: %s is %s, want %s", c.patch, c.field, s, c.want)
		}
		if one := f.must(200, "demo", "GET", "/v1/clustertemplates/"+id, ""); fmt.Sprint(one.body[c.field]) != c.want {
			t.Errorf("%s: stored is %v", c.patch, one.body[c.field])
		}
	}
}

func TestTemplatePatchRefused(t *testing.T) {
	f := newFixture(t)
	id := f.newTemplate(`"name": "t", "flavor_id": "m1.small", "labels": {"a": "1"}`)
	const input = "Invalid input for field/attribute "
	for _, c := range []struct {
		patch  string
		status int
		detail string
	}{
		{`{}`, 400, input + "patch. Value: '{}'. Value not a valid list: {}"},
		{`"x"`, 400, input + "patch. Value: 'x'. Value not a valid list: x"},
		{`[1]`, 400, input + "patch. Value: '1'. Value not a valid dict: 1"},
		{`[{}]`, 400, input + "path. Value: 'None'. Mandatory field missing."},
		{`[{"path": "/name"}]`, 400, input + "op. Value: 'None'. Mandatory field missing."},
		{`[{"path": "/name", "op": "move", "value": "x"}]`, 400, input + "op. Value: 'move'. Value should be one of: add, remove, replace"},
		{`[{"path": "name", "op": "replace", "value": "x"}]`, 400, input + `path. Value: 'name'. Value should match the pattern ^(/[\w-]+)+$`},
		{`[{"path": "/na me", "op": "replace", "value": "x"}]`, 400, input + `path. Value: '/na me'. Value should match the pattern ^(/[\w-]+)+$`},
		{`[{"path": "/name", "op": "replace", "from": "x"}]`, 400, "Unknown attribute for argument patch: from"},
		{`[{"path": "/name", "op": "replace"}]`, 400, "'add' and 'replace' operations needs value"},
		{`[{"path": "/name", "op": "replace", "value": {"a": "b"}}]`, 400, input + "value. Value: '{'a': 'b'}'. Wrong type. Expected '(<class 'str'>, <class 'int'>)', got '<class 'dict'>'"},
		{`[{"path": "/name", "op": "replace", "value": 1.5}]`, 400, input + "value. Value: '1.5'. Wrong type. Expected '(<class 'str'>, <class 'int'>)', got '<class 'float'>'"},
		{`[{"path": "/uuid", "op": "replace", "value": "x"}]`, 400, "'/uuid' is an internal attribute and can not be updated"},
		{`[{"path": "/project_id", "op": "remove"}]`, 400, "'/project_id' is an internal attribute and can not be updated"},
		{`[{"path": "/coe", "op": "remove"}]`, 400, "'/coe' is a mandatory attribute and can not be removed"},
		{`[{"path": "/image_id", "op": "remove"}]`, 400, "'/image_id' is a mandatory attribute and can not be removed"},
		{`[{"path": "/public", "op": "remove"}]`, 400, "'/public' is a mandatory attribute and can not be removed"},
		{`[{"path": "/foo", "op": "add", "value": "x"}]`, 400, "Adding a new attribute /foo to the root of the resource is not allowed."},
		{`[{"path": "/name", "op": "add", "value": "x"}]`, 400, "The attribute /name has existed, please use 'replace' operation instead."},
		{`[{"path": "/labels", "op": "add", "value": "{}"}]`, 400, "The attribute /labels has existed, please use 'replace' operation instead."},
		{`[{"path": "/foo", "op": "replace", "value": "x"}]`, 400, "Couldn't apply patch '[{'path': '/foo', 'op': 'replace', 'value': 'x'}]'. Reason: can't replace a non-existent object 'foo'"},
		{`[{"path": "/foo", "op": "remove"}]`, 400, "Couldn't apply patch '[{'path': '/foo', 'op': 'remove'}]'. Reason: can't remove a non-existent object 'foo'"},
		{`[{"path": "/labels/b", "op": "replace", "value": "x"}]`, 400, "Couldn't apply patch '[{'path': '/labels/b', 'op': 'replace', 'value': 'x'}]'. Reason: can't replace a non-existent object 'b'"},
		{`[{"path": "/name/x", "op": "add", "value": "x"}]`, 400, "Couldn't apply patch '[{'path': '/name/x', 'op': 'add', 'value': 'x'}]'. Reason: 'name' has no members"},
		{`[{"path": "/labels", "op": "replace", "value": "a=b"}]`, 400, "Couldn't apply patch '[{'path': '/labels', 'op': 'replace', 'value': 'a=b'}]'. Reason: malformed node or string"},
		{`[{"path": "/labels", "op": "replace", "value": "[1]"}]`, 400, input + "labels. Value: '[1]'. Value not a valid dict: [1]"},
		{`[{"path": "/labels", "op": "replace", "value": "{'a': [1]}"}]`, 400, input + "labels. Value: '{'a': [1]}'. Wrong type. Expected '(<class 'str'>, (<class 'int'>,), <class 'bool'>, <class 'float'>)', got '<class 'list'>'"},
		{`[{"path": "/docker_volume_size", "op": "replace", "value": "9"}]`, 400, input + "docker_volume_size. Value: '9'. '<' not supported between instances of 'str' and 'int'"},
		{`[{"path": "/docker_volume_size", "op": "replace", "value": 0}]`, 400, input + "docker_volume_size. Value: '0'. Value should be greater or equal to 1"},
		{`[{"path": "/name", "op": "replace", "value": 5}]`, 400, input + "name. Value: '5'. Value should be string"},
		{`[{"path": "/coe", "op": "replace", "value": "x"}]`, 400, input + "coe. Value: 'x'. Value should be one of: dcos, kubernetes, mesos, swarm, swarm-mode"},
		{`[{"path": "/coe", "op": "replace", "value": "mesos"}]`, 400, "Requested COE type mesos is not supported."},
		{`[{"path": "/network_driver", "op": "replace", "value": "docker"}]`, 400, "Network driver type docker is not supported, expecting a flannel/calico/unspecified network driver."},
		{`[{"path": "/volume_driver", "op": "replace", "value": "rexray"}]`, 400, "Volume driver type rexray is not supported, expecting a cinder/unspecified volume driver."},
		{`[{"path": "/image_id", "op": "replace", "value": "nope"}]`, 400, "Image nope could not be found."},
		{`[{"path": "/image_id", "op": "replace", "value": "no-distro"}]`, 400, "Image no-distro doesn't contain os_distro field."},
		{`[{"path": "/flavor_id", "op": "replace", "value": "nope"}]`, 400, "Unable to find flavor nope."},
		{`[{"path": "/external_network_id", "op": "add", "value": "nope"}]`, 400, "Unable to find external network nope."},
		{`[{"path": "/labels/selinux_mode", "op": "add", "value": "off"}]`, 400, `property "labels/selinux_mode" with value "off" is not supported, supported values are: enforcing, permissive, disabled, unspecified`},
		{`[{"path": "/public", "op": "replace", "value": true}]`, 403, "Not authorized to set public or hidden flag for cluster template."},
		{`[{"path": "/hidden", "op": "replace", "value": "on"}]`, 403, "Not authorized to set public or hidden flag for cluster template."},
	} {
		f.refused(c.status, c.detail, "demo", "PATCH", "/v1/clustertemplates/"+id, c.patch)
	}
	f.refused(404, "ClusterTemplate nope could not be found.", "demo", "PATCH", "/v1/clustertemplates/nope", `[]`)
	got := f.must(400, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"path": "/no/x", "op": "remove"}]`)
	if !strings.HasPrefix(got.detail(), "Couldn't apply patch '[{'path': '/no/x', 'op': 'remove'}]'. Reason: member 'no' not found in ") {
		t.Errorf("missing path: %s", got.detail())
	}
}

func TestTemplateLabelsRemoved(t *testing.T) {
	f := newFixture(t)
	id := f.newTemplate(`"labels": {"a": "1"}`)
	if got := f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "remove", "path": "/labels"}]`); got.body["labels"] != nil {
		t.Errorf("labels after their removal: %v", got.body["labels"])
	}
	// A null is shown as none from then on, and can be added to.
	got := f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "add", "path": "/labels/r", "value": "s"}]`)
	if fmt.Sprint(got.body["labels"]) != "map[r:s]" {
		t.Errorf("labels: %v", got.body["labels"])
	}
}

func TestTemplateInUse(t *testing.T) {
	f := newFixture(t)
	id := f.newTemplate(`"name": "t", "labels": {"a": "1"}`)
	f.newCluster(id, "")
	refusal := "ClusterTemplate " + id + " is referenced by one or multiple clusters."
	f.refused(400, refusal, "demo", "DELETE", "/v1/clustertemplates/t", "")
	for _, patch := range []string{
		``, `[]`,
		`[{"op": "replace", "path": "/name", "value": "t"}]`,
		`[{"op": "add", "path": "/labels/b", "value": "x"}]`,
		`[{"op": "replace", "path": "/name", "value": "u"}, {"op": "add", "path": "/tags", "value": "x"}]`,
		`[{"op": "add", "path": "/docker_volume_size", "value": 5}]`,
	} {
		f.refused(400, refusal, "demo", "PATCH", "/v1/clustertemplates/"+id, patch)
	}
	f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "replace", "path": "/name", "value": "u"}]`)
	f.must(200, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "add", "path": "/tags", "value": "x"}]`)
	f.refused(400, refusal, "demo", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "remove", "path": "/tags"}]`)
	f.must(200, "admin", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "replace", "path": "/hidden", "value": true}]`)
	f.must(200, "admin", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "replace", "path": "/public", "value": true}]`)
	f.refused(400, refusal, "admin", "PATCH", "/v1/clustertemplates/"+id, `[{"op": "replace", "path": "/public", "value": false}]`)
}

func TestTemplateVisibility(t *testing.T) {
	f := newFixture(t)
	create := func(who, name, more string) {
		f.must(201, who, "POST", "/v1/clustertemplates", with(`"name": "`+name+`"`+more))
	}
	create("demo", "private", "")
	create("admin", "public", `, "public": true`)
	create("admin", "hidden", `, "hidden": true`)
	create("admin", "both", `, "public": true, "hidden": true`)
	for who, want := range map[string]string{"demo": "private public", "reader": "private public", "alt": "public", "admin": "private public hidden both"} {
		for _, path := range []string{"/v1/clustertemplates", "/v1/clustertemplates/detail"} {
			var names []string
			list, _ := f.must(200, who, "GET", path, "").body["clustertemplates"].([]any)
			for _, item := range list {
				names = append(names, item.(map[string]any)["name"].(string))
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s lists %q, want %q", who, got, want)
			}
		}
	}
	f.refused(404, "ClusterTemplate private could not be found.", "alt", "GET", "/v1/clustertemplates/private", "")
	f.refused(404, "ClusterTemplate private could not be found.", "alt", "PATCH", "/v1/clustertemplates/private", "[]")
	f.refused(404, "ClusterTemplate private could not be found.", "alt", "DELETE", "/v1/clustertemplates/private", "")
	f.refused(404, "ClusterTemplate hidden could not be found.", "demo", "GET", "/v1/clustertemplates/hidden", "")
	f.must(200, "alt", "GET", "/v1/clustertemplates/public", "")
	f.refused(403, "Policy doesn't allow clustertemplate:update to be performed.", "demo", "PATCH", "/v1/clustertemplates/public", `[{"op": "replace", "path": "/name", "value": "x"}]`)
	f.refused(403, "Policy doesn't allow clustertemplate:delete to be performed.", "demo", "DELETE", "/v1/clustertemplates/public", "")
	// A mistake is named before a missing right.
	f.refused(400, "Volume driver type x is not supported, expecting a cinder/unspecified volume driver.", "demo", "PATCH", "/v1/clustertemplates/public", `[{"op": "add", "path": "/volume_driver", "value": "x"}]`)
	f.must(200, "admin", "PATCH", "/v1/clustertemplates/private", `[{"op": "replace", "path": "/name", "value": "renamed"}]`)
	f.must(204, "admin", "DELETE", "/v1/clustertemplates/renamed", "")
	f.refused(404, "ClusterTemplate renamed could not be found.", "demo", "GET", "/v1/clustertemplates/renamed", "")
}

func TestTemplateList(t *testing.T) {
	f := newFixture(t)
	var ids []string
	for _, name := range []string{"b", "a", "c", "a"} {
		ids = append(ids, f.newTemplate(`"name": "`+name+`"`))
	}
	checkList(t, f, "clustertemplates", ids, map[string][]int{
		"":                                   {0, 1, 2, 3},
		"?limit=1":                           {0},
		"?limit=4":                           {0, 1, 2, 3},
		"?limit=100000":                      {0, 1, 2, 3},
		"?marker=" + ids[1]:                  {2, 3},
		"?limit=1&marker=" + ids[1]:          {2},
		"?limit=2&marker=" + ids[3]:          {},
		"?sort_key=name":                     {1, 3, 0, 2},
		"?sort_key=name&sort_dir=desc":       {2, 0, 3, 1},
		"?sort_key=&limit=&marker=&sort_dir": {0, 1, 2, 3},
		"?sort_key=labels":                   {0, 1, 2, 3},
	}, "ClusterTemplate")
	f.refused(409, "Multiple ClusterTemplates exist with same name. Please use the ClusterTemplate uuid instead.", "demo", "GET", "/v1/clustertemplates/a", "")
	f.must(200, "demo", "GET", "/v1/clustertemplates/"+strings.ToUpper(ids[0]), "")
}

// checkList checks pages of a list of four, whose uuids are given.
func checkList(t *testing.T, f *fixture, resource string, ids []string, pages map[string][]int, kind string) {
	t.Helper()
	for _, path := range []string{"/v1/" + resource, "/v1/" + resource + "/detail"} {
		for query, want := range pages {
			got := f.must(200, "demo", "GET", path+query, "")
			items, _ := got.body[resource].([]any)
			found := []int{}
			for _, item := range items {
				id := item.(map[string]any)["uuid"].(string)
				for i := range ids {
					if ids[i] == id {
						found = append(found, i)
					}
				}
			}
			if diff := cmp.Diff(want, found); diff != "" {
				t.Errorf("%s%s (-want +got):\n%s", path, query, diff)
			}
			full := strings.Contains(query, "limit="+fmt.Sprint(len(items))+"&") || strings.HasSuffix(query, "limit="+fmt.Sprint(len(items)))
			next := got.str("next")
			if full != (next != "") {
				t.Errorf("%s%s: next is %q", path, query, next)
			}
			if full {
				want := fmt.Sprintf("http://magnum:9511%s?sort_key=id&sort_dir=asc&limit=%d&marker=%s", path, len(items), ids[want[len(want)-1]])
				if next != want {
					t.Errorf("next is %q, want %q", next, want)
				}
			}
		}
		const unknown = "b0c0ffee-0000-4000-8000-00000000000a"
		for query, refusal := range map[string]string{
			"limit=0":             "Limit must be positive",
			"limit=-1":            "Limit must be positive",
			"limit=x":             "Invalid input for field/attribute limit. Value: 'x'. unable to convert to int. Error: invalid literal for int() with base 10: 'x'",
			"marker=x":            "Invalid input for field/attribute marker. Value: 'x'. unable to convert to uuid. Error: Expected a uuid but received x.",
			"sort_dir=up":         "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'",
			"sort_key=nope":       `The sort_key value "nope" is an invalid field for sorting`,
			"all=1":               `Unknown argument: "all"`,
			"b=1&a=2":             `Unknown argument: "a, b"`,
			"limit=0&sort_dir=up": "Limit must be positive",
			"limit=x&marker=y":    "Invalid input for field/attribute marker. Value: 'y'. unable to convert to uuid. Error: Expected a uuid but received y.",
			"limit=x&unknown=1":   "Invalid input for field/attribute limit. Value: 'x'. unable to convert to int. Error: invalid literal for int() with base 10: 'x'",
			"sort_key=id;drop":    `The sort_key value "id;drop" is an invalid field for sorting`,
		} {
			f.refused(400, refusal, "demo", "GET", path+"?"+strings.ReplaceAll(query, ";", "%3B"), "")
		}
		f.refused(404, kind+" "+unknown+" could not be found.", "demo", "GET", path+"?marker="+unknown, "")
	}
}
