package config

// Config is magnum.conf. Every field is one of upstream's sections,
// but for metrics. Values
// are final: defaults filled in, references resolved, aliases followed.
type Config struct {
	Default         Default         `section:"DEFAULT"`
	API             API             `section:"api"`
	Conductor       Conductor       `section:"conductor"`
	Database        Database        `section:"database"`
	Metrics         Metrics         `section:"metrics"`
	Cluster         Cluster         `section:"cluster"`
	ClusterTemplate ClusterTemplate `section:"cluster_template"`
	ClusterHeat     ClusterHeat     `section:"cluster_heat"`
	Drivers         Drivers         `section:"drivers"`
	Certificates    Certificates    `section:"certificates"`
	X509            X509            `section:"x509"`
	Quotas          Quotas          `section:"quotas"`
	Kubernetes      Kubernetes      `section:"kubernetes"`
	Cinder          Cinder          `section:"cinder"`
	Docker          Docker          `section:"docker"`
	DockerRegistry  DockerRegistry  `section:"docker_registry"`
	Trust           Trust           `section:"trust"`

	// KeystoneAuthtoken is who validates tokens; KeystoneAuth who acts as the
	// service. A file without [keystone_auth] has one account for both, and
	// then KeystoneAuth is a copy of KeystoneAuthtoken.
	KeystoneAuthtoken KeystoneAuth `section:"keystone_authtoken"`
	KeystoneAuth      KeystoneAuth `section:"keystone_auth"`
	// TokenValidation is the rest of the section that KeystoneAuthtoken is of.
	TokenValidation TokenValidation `section:"keystone_authtoken"`

	BarbicanClient Client `section:"barbican_client"`
	CinderClient   Client `section:"cinder_client" api_version:"3"`
	GlanceClient   Client `section:"glance_client" api_version:"2"`
	HeatClient     Client `section:"heat_client" api_version:"1"`
	MagnumClient   Client `section:"magnum_client"`
	NeutronClient  Client `section:"neutron_client"`
	NovaClient     Client `section:"nova_client" api_version:"2"`
	OctaviaClient  Client `section:"octavia_client"`

	Cors              Cors              `section:"cors"`
	OsloMiddleware    OsloMiddleware    `section:"oslo_middleware"`
	OsloPolicy        OsloPolicy        `section:"oslo_policy"`
	OsloConcurrency   OsloConcurrency   `section:"oslo_concurrency"`
	OsloNotifications OsloNotifications `section:"oslo_messaging_notifications"`
	OsloRabbit        OsloRabbit        `section:"oslo_messaging_rabbit"`

	warnings []string
	folders  []string
}

// Warnings lists what deserves an operator's eye and stops nothing: options
// nobody knows, options under an old name. Each begins with file and line.
func (c *Config) Warnings() []string { return append([]string(nil), c.warnings...) }

// Folders are where a file that an option names without a full path is looked
// for, best first: beside the files this was read from, then the system's.
func (c *Config) Folders() []string { return append([]string(nil), c.folders...) }

// Default is [DEFAULT].
type Default struct {
	// Host names this process in operations and in the service list; the
	// machine's own name if not set.
	Host string `ini:"host"`
	// StatePath is where files are kept: drivers, sockets, the database of a
	// small installation.
	StatePath      string `ini:"state_path" default:"/var/lib/magnum"`
	PyBaseDir      string `ini:"pybasedir" default:"/usr/share/magnum"`
	BinDir         string `ini:"bindir" default:"$pybasedir/bin"`
	TempDir        string `ini:"tempdir"`
	RootwrapConfig string `ini:"rootwrap_config" default:"/etc/magnum/rootwrap.conf"`
	// PeriodicEnable turns the periodic tasks on.
	PeriodicEnable bool `ini:"periodic_enable" default:"true"`
	// PeriodicIntervalMax is the most seconds between two runs of them.
	PeriodicIntervalMax int `ini:"periodic_interval_max" default:"60" min:"1"`
	// ServiceDownTime is the seconds after which a silent service is down.
	ServiceDownTime int      `ini:"service_down_time" default:"180" min:"1"`
	PasswordSymbols []string `ini:"password_symbols" default:"23456789,ABCDEFGHJKLMNPQRSTUVWXYZ,abcdefghijkmnopqrstuvwxyz"`
	MaxManifestSize int      `ini:"max_manifest_size" default:"524288"`
	// TransportURL is the message bus, with its password.
	TransportURL       Secret `ini:"transport_url" default:"rabbit://"`
	RPCResponseTimeout int    `ini:"rpc_response_timeout" default:"60" min:"1"`
	// ControlExchange is the exchange that notifications go through.
	ControlExchange string `ini:"control_exchange" default:"magnum"`

	Debug     bool   `ini:"debug" default:"false"`
	LogFile   string `ini:"log_file" alias:"logfile"`
	LogDir    string `ini:"log_dir" alias:"logdir"`
	UseJSON   bool   `ini:"use_json" default:"false"`
	UseStderr bool   `ini:"use_stderr" default:"false"`
}

// API is [api].
type API struct {
	Host string `ini:"host" default:"127.0.0.1"`
	Port int    `ini:"port" default:"9511" min:"0" max:"65535"`
	// MaxLimit is the most rows one list answers.
	MaxLimit       int    `ini:"max_limit" default:"1000" min:"1"`
	APIPasteConfig string `ini:"api_paste_config" default:"api-paste.ini"`
	EnabledSSL     bool   `ini:"enabled_ssl" default:"false"`
	SSLCertFile    string `ini:"ssl_cert_file"`
	SSLKeyFile     string `ini:"ssl_key_file"`
	// Workers is upstream's number of processes; 0 is one per processor.
	Workers int `ini:"workers" default:"0" min:"0"`
}

// Conductor is [conductor].
type Conductor struct {
	Topic string `ini:"topic" default:"magnum-conductor"`
	// Workers is how many operations are worked on at a time; 0 leaves it to
	// the conductor.
	Workers                   int `ini:"workers" default:"0" min:"0"`
	ConductorLifeCheckTimeout int `ini:"conductor_life_check_timeout" default:"4" min:"0"`
}

// Database is [database].
type Database struct {
	// Connection is SQLAlchemy's URL, with its password.
	Connection Secret `ini:"connection" alias:"DEFAULT.sql_connection,DATABASE.sql_connection,sql.connection"`
}

// Metrics is [metrics], where Prometheus reads what a process counts. Upstream
// has no such thing. There is a port for each service because both usually
// read the same file on the same host; 0 is off.
type Metrics struct {
	Host          string `ini:"host" default:"127.0.0.1"`
	APIPort       int    `ini:"api_port" default:"0" min:"0" max:"65535"`
	ConductorPort int    `ini:"conductor_port" default:"0" min:"0" max:"65535"`
}

// Cluster is [cluster].
type Cluster struct {
	// EtcdDiscoveryServiceEndpointFormat has one %(size)d in it.
	EtcdDiscoveryServiceEndpointFormat string `ini:"etcd_discovery_service_endpoint_format" default:"https://discovery.etcd.io/new?size=%(size)d"`
	NodesAffinityPolicy                string `ini:"nodes_affinity_policy" default:"soft-anti-affinity"`
	TempCacheDir                       string `ini:"temp_cache_dir" default:"/var/lib/magnum/certificate-cache"`
	// PreDeleteLBTimeout is in seconds.
	PreDeleteLBTimeout int `ini:"pre_delete_lb_timeout" default:"60" min:"0"`
}

// ClusterTemplate is [cluster_template]. A list of network drivers is what a
// template may choose from; "all" is every one the driver knows.
type ClusterTemplate struct {
	KubernetesAllowedNetworkDrivers []string `ini:"kubernetes_allowed_network_drivers" default:"all"`
	KubernetesDefaultNetworkDriver  string   `ini:"kubernetes_default_network_driver" default:"flannel"`
	SwarmAllowedNetworkDrivers      []string `ini:"swarm_allowed_network_drivers" default:"all"`
	SwarmDefaultNetworkDriver       string   `ini:"swarm_default_network_driver" default:"docker"`
	MesosAllowedNetworkDrivers      []string `ini:"mesos_allowed_network_drivers" default:"all"`
	MesosDefaultNetworkDriver       string   `ini:"mesos_default_network_driver" default:"docker"`
}

// ClusterHeat is [cluster_heat].
type ClusterHeat struct {
	MaxAttempts int `ini:"max_attempts" default:"2000" alias:"bay_heat.max_attempts"`
	// WaitInterval is in seconds.
	WaitInterval int `ini:"wait_interval" default:"1" alias:"bay_heat.wait_interval"`
	// CreateTimeout is in minutes; a cluster's own wins.
	CreateTimeout int `ini:"create_timeout" default:"60" min:"0" alias:"bay_heat.bay_create_timeout"`
}

// Drivers is [drivers].
type Drivers struct {
	// VerifyCA is whether nodes check the certificate of the OpenStack API.
	VerifyCA bool `ini:"verify_ca" default:"true"`
	// OpenstackCAFile is a bundle handed to the nodes; empty for none.
	OpenstackCAFile    string   `ini:"openstack_ca_file"`
	DisabledDrivers    []string `ini:"disabled_drivers"`
	EnabledBetaDrivers []string `ini:"enabled_beta_drivers"`
	DefaultDriver      string   `ini:"default_driver"`
	// IdleTimeout is for how long, in seconds, a driver's process is kept that
	// nobody calls; 0 is for ever. Upstream has no processes to stop.
	IdleTimeout        int      `ini:"idle_timeout" default:"900" min:"0"`
	SendClusterMetrics bool     `ini:"send_cluster_metrics" default:"false"`
	EnabledDefinitions []string `ini:"enabled_definitions"`
	// Confine is how much it matters that drivers are kept from what they do not
	// need. UnconfinedDrivers are not, GrantedDrivers get what their manifests
	// ask for, User runs them where the service is root's. Upstream has no
	// processes to confine.
	Confine           string   `ini:"confine" default:"available" choices:"available,required,off"`
	UnconfinedDrivers []string `ini:"unconfined_drivers"`
	GrantedDrivers    []string `ini:"granted_drivers" default:"*"`
	User              string   `ini:"user"`
	// ConfigDir has a file for each driver that says which version is wanted
	// and how it is configured; it need not be there. Upstream has none.
	ConfigDir string `ini:"config_dir" default:"/etc/magnum/drivers.d"`
	// TrustFile says whose driver packages may be installed; it need not be
	// there. Upstream has no such thing.
	TrustFile string `ini:"trust_file" default:"/etc/magnum/driver-trust.yaml"`
	// Attach has the folders of drivers that their author has started, with a
	// debugger for example. Only magnum-dev takes it. Upstream has no such thing.
	Attach []string `ini:"attach"`
}

// Certificates is [certificates].
type Certificates struct {
	CertManagerType string `ini:"cert_manager_type" default:"barbican" choices:"barbican,x509keypair,local"`
	StoragePath     string `ini:"storage_path" default:"/var/lib/magnum/certificates/"`
}

// X509 is [x509].
type X509 struct {
	AllowCA           bool     `ini:"allow_ca" default:"false"`
	AllowedExtensions []string `ini:"allowed_extensions" default:"keyUsage,extendedKeyUsage,subjectAltName,basicConstraints,subjectKeyIdentifier"`
	AllowedKeyUsage   []string `ini:"allowed_key_usage" default:"Digital Signature,Key Encipherment,Non Repudiation"`
	// TermOfValidity is in days.
	TermOfValidity int `ini:"term_of_validity" default:"1825" min:"1"`
	RSAKeySize     int `ini:"rsa_key_size" default:"2048" min:"1024"`
}

// Quotas is [quotas].
type Quotas struct {
	MaxClustersPerProject int `ini:"max_clusters_per_project" default:"20" min:"0"`
}

// Kubernetes is [kubernetes].
type Kubernetes struct {
	KeystoneAuthDefaultPolicy string `ini:"keystone_auth_default_policy" default:"/etc/magnum/keystone_auth_default_policy.json"`
	PostInstallManifestURL    string `ini:"post_install_manifest_url"`
	// HealthPollingInterval is in seconds; 0 never looks.
	HealthPollingInterval int `ini:"health_polling_interval" default:"60" min:"0"`
}

// Cinder is [cinder]: what labels leave open.
type Cinder struct {
	DefaultDockerVolumeType string `ini:"default_docker_volume_type"`
	DefaultEtcdVolumeType   string `ini:"default_etcd_volume_type"`
	DefaultBootVolumeType   string `ini:"default_boot_volume_type"`
	// DefaultBootVolumeSize is in GB; 0 boots from the flavor's own disk.
	DefaultBootVolumeSize int `ini:"default_boot_volume_size" default:"0" min:"0"`
}

// Docker is [docker].
type Docker struct {
	DockerRemoteAPIVersion string `ini:"docker_remote_api_version" default:"1.21"`
	// DefaultTimeout is in seconds.
	DefaultTimeout int    `ini:"default_timeout" default:"60" min:"1"`
	APIInsecure    bool   `ini:"api_insecure" default:"false"`
	CAFile         string `ini:"ca_file"`
	CertFile       string `ini:"cert_file"`
	KeyFile        string `ini:"key_file"`
}

// DockerRegistry is [docker_registry].
type DockerRegistry struct {
	SwiftRegion            string `ini:"swift_region"`
	SwiftRegistryContainer string `ini:"swift_registry_container" default:"docker_registry"`
}

// Cors is [cors]: which web pages of other origins may use the API.
type Cors struct {
	// AllowedOrigin are origins such as https://horizon.example; * is any.
	// None turns the answers to such pages off.
	AllowedOrigin    []string `ini:"allowed_origin"`
	AllowCredentials bool     `ini:"allow_credentials" default:"true"`
	ExposeHeaders    []string `ini:"expose_headers" default:"X-Auth-Token,X-Subject-Token,X-Service-Token,X-OpenStack-Request-ID,X-Server-Management-Url"`
	// MaxAge is the seconds a browser may keep an answer; 0 does not say.
	MaxAge       int      `ini:"max_age" default:"3600" min:"0"`
	AllowMethods []string `ini:"allow_methods" default:"GET,PUT,POST,DELETE,PATCH"`
	AllowHeaders []string `ini:"allow_headers" default:"X-Auth-Token,X-Identity-Status,X-Roles,X-Service-Catalog,X-User-Id,X-Tenant-Id,X-OpenStack-Request-ID,X-Server-Management-Url"`
}

// OsloMiddleware is [oslo_middleware].
type OsloMiddleware struct {
	// EnableProxyHeadersParsing believes X-Forwarded-* and Forwarded. Only
	// for a service that nobody reaches but through its proxy: a client can
	// send these headers as well.
	EnableProxyHeadersParsing bool `ini:"enable_proxy_headers_parsing" default:"false"`
}

// OsloPolicy is [oslo_policy].
type OsloPolicy struct {
	PolicyFile string `ini:"policy_file" default:"policy.yaml"`
	// PolicyDirs may be given several times; a later one's rules win.
	PolicyDirs []string `ini:"policy_dirs" multi:"true" default:"policy.d"`
	// PolicyDefaultRule is the rule that stands for every one that is not there.
	PolicyDefaultRule string `ini:"policy_default_rule" default:"default"`
	// EnforceScope refuses tokens for the system or a domain where a project's
	// are meant; false only logs them.
	EnforceScope bool `ini:"enforce_scope" default:"true"`
	// EnforceNewDefaults asks for the roles reader and member; false also lets
	// who has a right by the classic defaults.
	EnforceNewDefaults bool `ini:"enforce_new_defaults" default:"true"`

	// Remote* are for the checks http: and https:. Two defaults are not
	// oslo.policy's: it waits for 60 seconds, while a client does, and
	// believes any server.
	RemoteContentType        string  `ini:"remote_content_type" default:"application/x-www-form-urlencoded" choices:"application/x-www-form-urlencoded,application/json"`
	RemoteTimeout            float64 `ini:"remote_timeout" default:"2" min:"0"` // seconds; 0 is the default
	RemoteSSLVerifyServerCrt bool    `ini:"remote_ssl_verify_server_crt" default:"true"`
	RemoteSSLCACrtFile       string  `ini:"remote_ssl_ca_crt_file"`
	RemoteSSLClientCrtFile   string  `ini:"remote_ssl_client_crt_file"`
	RemoteSSLClientKeyFile   string  `ini:"remote_ssl_client_key_file"`
}

// OsloConcurrency is [oslo_concurrency].
type OsloConcurrency struct {
	LockPath              string `ini:"lock_path"`
	DisableProcessLocking bool   `ini:"disable_process_locking" default:"false"`
}

// OsloNotifications is [oslo_messaging_notifications].
type OsloNotifications struct {
	// Driver may be given several times.
	Driver []string `ini:"driver" multi:"true" alias:"DEFAULT.notification_driver"`
	// TransportURL is a message bus of its own, with its password; empty is
	// [DEFAULT] transport_url.
	TransportURL Secret   `ini:"transport_url" alias:"DEFAULT.notification_transport_url"`
	Topics       []string `ini:"topics" default:"notifications" alias:"DEFAULT.notification_topics"`
	Retry        int      `ini:"retry" default:"-1"`
}

// OsloRabbit is what of [oslo_messaging_rabbit] is about sending.
type OsloRabbit struct {
	// DurableQueues is whether an exchange or queue that is not there yet is
	// made to outlive a restart of RabbitMQ; quorum queues always do.
	DurableQueues bool   `ini:"amqp_durable_queues" default:"false" alias:"DEFAULT.amqp_durable_queues,DEFAULT.rabbit_durable_queues"`
	QuorumQueue   bool   `ini:"rabbit_quorum_queue" default:"false"`
	SSL           bool   `ini:"ssl" default:"false" alias:"oslo_messaging_rabbit.rabbit_use_ssl"`
	SSLCAFile     string `ini:"ssl_ca_file" alias:"oslo_messaging_rabbit.kombu_ssl_ca_certs"`
	SSLCertFile   string `ini:"ssl_cert_file" alias:"oslo_messaging_rabbit.kombu_ssl_certfile"`
	SSLKeyFile    string `ini:"ssl_key_file" alias:"oslo_messaging_rabbit.kombu_ssl_keyfile"`
}
