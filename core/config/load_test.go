package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sample has every section an installation against a whole cloud needs, as
// an operator would write them.
const sample = `# A node that runs both processes.
[DEFAULT]
transport_url = rabbit://magnum:bus-word@bus.example:5672/
use_stderr = yes
host = node-1
state_path = /srv/magnum
periodic_interval_max = 15

[api]
host = 0.0.0.0
port = 9511
workers = 2
api_paste_config = $state_path/paste.ini

[conductor]
workers = 3

[certificates]
cert_manager_type = x509keypair

[cluster]
etcd_discovery_service_endpoint_format = http://discovery.example/new?size=%(size)d

[cinder]
default_docker_volume_type = ssd
default_boot_volume_type = ssd

[barbican_client]
region_name = north
[cinder_client]
region_name = north
[glance_client]
region_name = north
[heat_client]
region_name = north
endpoint_type = internalURL
[magnum_client]
region_name = north
[neutron_client]
region_name = north
[nova_client]
region_name = north
[octavia_client]
region_name = north

[database]
connection = sqlite:///$state_path/magnum.sqlite
max_retries = -1

[trust]
cluster_user_trust = on
roles = member, creator
trustee_domain_name = clusters
trustee_domain_admin_name = cluster-keeper
trustee_domain_admin_password = keeper-word
trustee_domain_admin_domain_name = clusters
trustee_keystone_interface = internal
trustee_keystone_region_name = north

[keystone_auth]
auth_type = password
auth_url = http://identity.example/v3
username = magnum
password = "service-word"
project_name = service
user_domain_name = Default
project_domain_name = Default

[keystone_authtoken]
www_authenticate_uri = http://identity.example/v3
auth-type = password
auth-url = http://identity.example/v3
username = magnum
password = service-word
project_name = service
default_domain_name = Default
memcached_servers = cache.example:11211

[oslo_concurrency]
lock_path = $state_path/lock

[oslo_messaging_notifications]
driver = messagingv2
driver = log
`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Load(write(t, "magnum.conf", text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWorkingFileIsUnderstood(t *testing.T) {
	got := load(t, sample)
	if len(got.Warnings()) != 0 {
		t.Errorf("warnings: %q", got.Warnings())
	}
	account := KeystoneAuth{
		AuthType: "password", AuthURL: "http://identity.example/v3", Username: "magnum", Password: NewSecret("service-word"),
		ProjectName: "service", UserDomainName: "Default", ProjectDomainName: "Default", Interface: "internal",
	}
	validator := account
	validator.WWWAuthenticateURI = "http://identity.example/v3"
	validator.DefaultDomainName = "Default"

	want := load(t, "") // the defaults, and then what the file says
	want.Default.TransportURL = NewSecret("rabbit://magnum:bus-word@bus.example:5672/")
	want.Default.UseStderr = true
	want.TokenValidation.MemcachedServers = []string{"cache.example:11211"}
	want.Default.Host = "node-1"
	want.Default.StatePath = "/srv/magnum"
	want.Default.PeriodicIntervalMax = 15
	want.API.Host = "0.0.0.0"
	want.API.Workers = 2
	want.API.APIPasteConfig = "/srv/magnum/paste.ini"
	want.Conductor.Workers = 3
	want.Certificates.CertManagerType = "x509keypair"
	want.Cluster.EtcdDiscoveryServiceEndpointFormat = "http://discovery.example/new?size=%(size)d"
	want.Cinder.DefaultDockerVolumeType = "ssd"
	want.Cinder.DefaultBootVolumeType = "ssd"
	for _, client := range []*Client{
		&want.BarbicanClient, &want.CinderClient, &want.GlanceClient, &want.HeatClient,
		&want.MagnumClient, &want.NeutronClient, &want.NovaClient, &want.OctaviaClient,
	} {
		client.RegionName = "north"
	}
	want.HeatClient.EndpointType = "internalURL"
	want.Database.Connection = NewSecret("sqlite:////srv/magnum/magnum.sqlite")
	want.Trust = Trust{
		ClusterUserTrust: true, Roles: []string{"member", "creator"},
		TrusteeDomainName: "clusters", TrusteeDomainAdminName: "cluster-keeper",
		TrusteeDomainAdminPassword: NewSecret("keeper-word"), TrusteeDomainAdminDomainName: "clusters",
		TrusteeKeystoneInterface: "internal", TrusteeKeystoneRegionName: "north",
	}
	want.KeystoneAuth = account
	want.KeystoneAuthtoken = validator
	want.OsloConcurrency.LockPath = "/srv/magnum/lock"
	want.OsloNotifications.Driver = []string{"messagingv2", "log"}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{})); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"DEFAULT.host":                         c.Default.Host,
		"DEFAULT.periodic_enable":              c.Default.PeriodicEnable,
		"DEFAULT.periodic_interval_max":        c.Default.PeriodicIntervalMax,
		"DEFAULT.service_down_time":            c.Default.ServiceDownTime,
		"DEFAULT.bindir":                       c.Default.BinDir,
		"api.host":                             c.API.Host,
		"api.port":                             c.API.Port,
		"api.max_limit":                        c.API.MaxLimit,
		"api.enabled_ssl":                      c.API.EnabledSSL,
		"cluster.discovery":                    c.Cluster.EtcdDiscoveryServiceEndpointFormat,
		"cluster.nodes_affinity_policy":        c.Cluster.NodesAffinityPolicy,
		"cluster.pre_delete_lb_timeout":        c.Cluster.PreDeleteLBTimeout,
		"cluster_template.default":             c.ClusterTemplate.KubernetesDefaultNetworkDriver,
		"cluster_template.swarm":               c.ClusterTemplate.SwarmDefaultNetworkDriver,
		"cluster_heat.create_timeout":          c.ClusterHeat.CreateTimeout,
		"cluster_heat.max_attempts":            c.ClusterHeat.MaxAttempts,
		"drivers.verify_ca":                    c.Drivers.VerifyCA,
		"certificates.cert_manager_type":       c.Certificates.CertManagerType,
		"x509.term_of_validity":                c.X509.TermOfValidity,
		"x509.rsa_key_size":                    c.X509.RSAKeySize,
		"x509.allowed_key_usage":               strings.Join(c.X509.AllowedKeyUsage, "|"),
		"quotas.max_clusters_per_project":      c.Quotas.MaxClustersPerProject,
		"kubernetes.health_polling_interval":   c.Kubernetes.HealthPollingInterval,
		"docker_registry.container":            c.DockerRegistry.SwiftRegistryContainer,
		"trust.cluster_user_trust":             c.Trust.ClusterUserTrust,
		"trust.trustee_keystone_interface":     c.Trust.TrusteeKeystoneInterface,
		"heat_client.api_version":              c.HeatClient.APIVersion,
		"cinder_client.api_version":            c.CinderClient.APIVersion,
		"magnum_client.endpoint_type":          c.MagnumClient.EndpointType,
		"magnum_client.api_version":            c.MagnumClient.APIVersion,
		"keystone_authtoken.token_cache_time":  c.TokenValidation.TokenCacheTime,
		"drivers.disabled_drivers (how many)":  len(c.Drivers.DisabledDrivers),
		"oslo_policy.remote_timeout":           c.OsloPolicy.RemoteTimeout,
		"oslo_policy.enforce (both)":           c.OsloPolicy.EnforceScope && c.OsloPolicy.EnforceNewDefaults,
		"oslo_policy.verify":                   c.OsloPolicy.RemoteSSLVerifyServerCrt,
		"cluster_template.allowed (all of it)": strings.Join(c.ClusterTemplate.KubernetesAllowedNetworkDrivers, "|"),
	}
	want := map[string]any{
		"DEFAULT.host":                         host,
		"DEFAULT.periodic_enable":              true,
		"DEFAULT.periodic_interval_max":        60,
		"DEFAULT.service_down_time":            180,
		"DEFAULT.bindir":                       "/usr/share/magnum/bin",
		"api.host":                             "127.0.0.1",
		"api.port":                             9511,
		"api.max_limit":                        1000,
		"api.enabled_ssl":                      false,
		"cluster.discovery":                    "https://discovery.etcd.io/new?size=%(size)d",
		"cluster.nodes_affinity_policy":        "soft-anti-affinity",
		"cluster.pre_delete_lb_timeout":        60,
		"cluster_template.default":             "flannel",
		"cluster_template.swarm":               "docker",
		"cluster_heat.create_timeout":          60,
		"cluster_heat.max_attempts":            2000,
		"drivers.verify_ca":                    true,
		"certificates.cert_manager_type":       "barbican",
		"x509.term_of_validity":                1825,
		"x509.rsa_key_size":                    2048,
		"x509.allowed_key_usage":               "Digital Signature|Key Encipherment|Non Repudiation",
		"quotas.max_clusters_per_project":      20,
		"kubernetes.health_polling_interval":   60,
		"docker_registry.container":            "docker_registry",
		"trust.cluster_user_trust":             false,
		"trust.trustee_keystone_interface":     "public",
		"heat_client.api_version":              "1",
		"cinder_client.api_version":            "3",
		"magnum_client.endpoint_type":          "publicURL",
		"magnum_client.api_version":            "",
		"keystone_authtoken.token_cache_time":  300,
		"drivers.disabled_drivers (how many)":  0,
		"oslo_policy.remote_timeout":           2.0,
		"oslo_policy.enforce (both)":           true,
		"oslo_policy.verify":                   true,
		"cluster_template.allowed (all of it)": "all",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFractions(t *testing.T) {
	for text, want := range map[string]float64{"remote_timeout = 0.25": 0.25, "remote_timeout = 7": 7, "remote_timeout =": 2} {
		if got := load(t, "[oslo_policy]\n"+text+"\n").OsloPolicy.RemoteTimeout; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestLaterFilesWin(t *testing.T) {
	first := write(t, "magnum.conf", "[api]\nport = 1\nmax_limit = 7\n[oslo_messaging_notifications]\ndriver = log\n")
	folder := t.TempDir()
	for name, text := range map[string]string{
		"20-b.conf":  "[api]\nport = 3\n",
		"10-a.conf":  "[api]\nport = 2\nhost = ::1\n[oslo_messaging_notifications]\ndriver = noop\n",
		"notes.text": "not a configuration",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(first, folder)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.API.Port, c.API.MaxLimit, c.API.Host, c.OsloNotifications.Driver}
	if diff := cmp.Diff([]any{3, 7, "::1", []string{"log", "noop"}}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Load(filepath.Join(folder, "gone.conf")); err == nil || !strings.Contains(err.Error(), "gone.conf") {
		t.Errorf("a missing file gave %v", err)
	}
}

func TestReferences(t *testing.T) {
	c := load(t, `[DEFAULT]
state_path = /s
my_extra = /x
[certificates]
storage_path = ${DEFAULT.state_path}/c-$$5-\$6-$7
[oslo_concurrency]
lock_path = $my_extra/${oslo_policy.policy_file}
`)
	if got, want := c.Certificates.StoragePath, "/s/c-$5-$6-$7"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := c.OsloConcurrency.LockPath, "/x/policy.yaml"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAliases(t *testing.T) {
	c := load(t, "[DEFAULT]\nsql_connection = sqlite:///old\n[keystone_authtoken]\nauth_uri = http://k\ntenant-name = service\n")
	if c.Database.Connection.Reveal() != "sqlite:///old" || c.KeystoneAuthtoken.WWWAuthenticateURI != "http://k" ||
		c.KeystoneAuthtoken.ProjectName != "service" {
		t.Errorf("aliases not followed: %+v", c.KeystoneAuthtoken)
	}
	want := []string{
		"[DEFAULT] sql_connection is an old name, use [database] connection",
		"[keystone_authtoken] auth_uri is an old name, use [keystone_authtoken] www_authenticate_uri",
		"[keystone_authtoken] tenant_name is an old name, use [keystone_authtoken] project_name",
	}
	for i, warning := range c.Warnings() {
		if i >= len(want) || !strings.HasSuffix(warning, want[i]) {
			t.Errorf("warning %q not expected", warning)
		}
	}
	if len(c.Warnings()) != len(want) {
		t.Errorf("%d warnings, want %d", len(c.Warnings()), len(want))
	}
}

func TestServiceAccountFallsBack(t *testing.T) {
	const validator = "[keystone_authtoken]\nauth_url = http://a\nusername = u\n"
	for name, text := range map[string]string{
		"no section":            validator,
		"by name":               validator + "[keystone_auth]\nauth_section = keystone_authtoken\n",
		"by name, and back-up":  validator + "[keystone_auth]\nauth_url = http://b\nauth_section = keystone_authtoken\n",
		"section without a URL": validator + "[keystone_auth]\nregion_name = r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if c := load(t, text); c.KeystoneAuth.AuthURL != "http://a" || c.KeystoneAuth.Username != "u" {
				t.Errorf("got %+v", c.KeystoneAuth)
			}
		})
	}
	c := load(t, validator+"[keystone_auth]\nauth_url = http://b\nusername = other\n")
	if c.KeystoneAuth.Username != "other" || c.KeystoneAuthtoken.Username != "u" {
		t.Errorf("the section's own account is lost: %+v", c.KeystoneAuth)
	}
}

func TestUnknownIsAWarning(t *testing.T) {
	c := load(t, "[api]\nport = 5\nprot = 6\n[nonsense]\nx = secret-word\n[oslo_messaging_rabbit]\nssl = true\n")
	if c.API.Port != 5 || len(c.Warnings()) != 2 {
		t.Fatalf("port %d, warnings %q", c.API.Port, c.Warnings())
	}
	for i, want := range []string{":3: [api] prot is not known and has no effect", ":5: [nonsense] x is not known and has no effect"} {
		if !strings.HasSuffix(c.Warnings()[i], want) {
			t.Errorf("got %q, want %q", c.Warnings()[i], want)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	tests := map[string]struct{ text, says string }{
		"number":     {"[api]\nport = many\n", ":2: [api] port: expected a whole number from 0 to 65535, found \"many\""},
		"range":      {"[api]\n\nport = 65536\n", ":3: [api] port: expected a whole number from 0 to 65535, found \"65536\""},
		"least":      {"[api]\nmax_limit = 0\n", ":2: [api] max_limit: expected a whole number, at least 1, found \"0\""},
		"fraction":   {"[oslo_policy]\nremote_timeout = nan\n", ":2: [oslo_policy] remote_timeout: expected a number, at least 0, found \"nan\""},
		"negative":   {"[oslo_policy]\nremote_timeout = -0.5\n", ":2: [oslo_policy] remote_timeout: expected a number, at least 0, found \"-0.5\""},
		"truth":      {"[drivers]\nverify_ca = maybe\n", ":2: [drivers] verify_ca: expected true or false"},
		"choice":     {"[certificates]\ncert_manager_type = vault\n", ":2: [certificates] cert_manager_type: expected one of barbican, x509keypair, local"},
		"reference":  {"[database]\nconnection = mysql://u:pa$word@h/m\n", ":2: [database] connection: refers to $word, which is no option"},
		"loop":       {"[DEFAULT]\nstate_path = $tempdir\ntempdir = $state_path\n", "[DEFAULT] state_path: refers to itself"},
		"list":       {"[trust]\nroles = \"a, b\n", ":2: [trust] roles: expected a closing \" in the list"},
		"no account": {"[keystone_auth]\nauth_section = elsewhere\n", ":2: [keystone_auth] auth_section: expected keystone_auth or keystone_authtoken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := write(t, "magnum.conf", test.text)
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("got %v, want %s%s", err, path, test.says)
			}
			if err != nil && strings.Contains(err.Error(), "u:pa") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
	_, err := Load(write(t, "magnum.conf", "[api]\nport = x\nworkers = y\n"))
	if err == nil || strings.Count(err.Error(), "magnum.conf:") != 2 {
		t.Errorf("want both errors, got %v", err)
	}
}

func TestReferencesAreBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString("[DEFAULT]\nx0 = 0123456789\n")
	for i := 1; i <= 60; i++ {
		fmt.Fprintf(&text, "x%d = $x%d$x%d\n", i, i-1, i-1)
	}
	text.WriteString("state_path = $x60\n")
	_, err := Load(write(t, "magnum.conf", text.String()))
	if err == nil || !strings.Contains(err.Error(), "[DEFAULT] state_path: comes to more than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestDefaultFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	before := DefaultFiles()
	own := filepath.Join(home, ".magnum", "magnum.conf")
	if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := DefaultFiles(); len(got) != 1 || got[0] != own || slices.Contains(before, own) {
		t.Errorf("got %q, before %q", got, before)
	}
}

func TestEmptyNumberIsTheDefault(t *testing.T) {
	if c := load(t, "[api]\nport =\nenabled_ssl =\n"); c.API.Port != 9511 || c.API.EnabledSSL {
		t.Errorf("got %+v", c.API)
	}
}
