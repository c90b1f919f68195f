package config

// KeystoneAuth is an account of Keystone, as keystoneauth's password plugin
// takes it: [keystone_auth] and [keystone_authtoken].
type KeystoneAuth struct {
	AuthType string `ini:"auth_type" default:"password" alias:"auth_plugin" choices:"password,v3password"`
	AuthURL  string `ini:"auth_url"`
	// AuthSection names another section to take all of this from.
	AuthSection string `ini:"auth_section"`
	// WWWAuthenticateURI is what clients without a token are pointed to; also
	// where the nodes of a cluster find Keystone.
	WWWAuthenticateURI string `ini:"www_authenticate_uri" alias:"auth_uri"`

	Username string `ini:"username" alias:"user_name"`
	UserID   string `ini:"user_id"`
	Password Secret `ini:"password"`

	UserDomainID      string `ini:"user_domain_id"`
	UserDomainName    string `ini:"user_domain_name"`
	ProjectID         string `ini:"project_id" alias:"tenant_id"`
	ProjectName       string `ini:"project_name" alias:"tenant_name"`
	ProjectDomainID   string `ini:"project_domain_id"`
	ProjectDomainName string `ini:"project_domain_name"`
	// DomainID and DomainName scope the session to a domain.
	DomainID   string `ini:"domain_id"`
	DomainName string `ini:"domain_name"`
	// DefaultDomainID and DefaultDomainName stand in for the user's and the
	// project's where those are not given.
	DefaultDomainID   string `ini:"default_domain_id"`
	DefaultDomainName string `ini:"default_domain_name"`

	RegionName string `ini:"region_name"`
	// Interface is the catalogue's: public, internal or admin, also with URL
	// behind it.
	Interface string `ini:"interface" default:"internal"`
	CAFile    string `ini:"cafile"`
	CertFile  string `ini:"certfile"`
	KeyFile   string `ini:"keyfile"`
	Insecure  bool   `ini:"insecure" default:"false"`
	// Timeout is in seconds per request; 0 is the client's own.
	Timeout int `ini:"timeout" default:"0" min:"0"`
}

// TokenValidation is the part of [keystone_authtoken] that says how callers'
// tokens are validated.
type TokenValidation struct {
	// TokenCacheTime is the seconds a validated token is believed; -1 never.
	TokenCacheTime int `ini:"token_cache_time" default:"300" min:"-1"`
	// HTTPConnectTimeout is in seconds for each question to Keystone; 0 is the
	// validation's own.
	HTTPConnectTimeout int `ini:"http_connect_timeout" default:"0" min:"0"`
	// HTTPRequestMaxRetries is how often a question is asked again that got no
	// answer.
	HTTPRequestMaxRetries int `ini:"http_request_max_retries" default:"3" min:"0"`

	// ServiceTokenRoles make a token in X-Service-Token that of a service; one
	// is enough.
	ServiceTokenRoles         []string `ini:"service_token_roles" default:"service"`
	ServiceTokenRolesRequired bool     `ini:"service_token_roles_required" default:"true"`
	// ServiceType is this service's in the catalogue, as access rules of
	// application credentials name it.
	ServiceType string `ini:"service_type"`
	// EnforceTokenBind is disabled, or permissive or strict, which are the
	// same: a bound token is refused.
	EnforceTokenBind string `ini:"enforce_token_bind" default:"permissive"`

	// MemcachedServers keep validated tokens for several processes.
	MemcachedServers         []string `ini:"memcached_servers" alias:"memcache_servers"`
	MemcacheSecurityStrategy string   `ini:"memcache_security_strategy" default:"None"`
	MemcacheSecretKey        Secret   `ini:"memcache_secret_key"`
	MemcacheTLSEnabled       bool     `ini:"memcache_tls_enabled" default:"false"`
	MemcacheSASLEnabled      bool     `ini:"memcache_sasl_enabled" default:"false"`

	// DelayAuthDecision and IncludeServiceCatalog have no effect here.
	DelayAuthDecision     bool `ini:"delay_auth_decision" default:"false"`
	IncludeServiceCatalog bool `ini:"include_service_catalog" default:"true"`
}

// Client is how one of the services is reached: [heat_client] and its like.
type Client struct {
	// RegionName is the catalogue's region; empty is any.
	RegionName string `ini:"region_name"`
	// EndpointType is publicURL, internalURL or adminURL, also without URL.
	EndpointType string `ini:"endpoint_type" default:"publicURL"`
	APIVersion   string `ini:"api_version"`
	CAFile       string `ini:"ca_file"`
	CertFile     string `ini:"cert_file"`
	KeyFile      string `ini:"key_file"`
	Insecure     bool   `ini:"insecure" default:"false"`
}

// Trust is [trust]: the domain in which every cluster gets a user of its own,
// and what that user may do.
type Trust struct {
	// ClusterUserTrust gives the trust to the nodes. Off by default: a node
	// that is broken into then acts for its owner.
	ClusterUserTrust             bool   `ini:"cluster_user_trust" default:"false"`
	TrusteeDomainID              string `ini:"trustee_domain_id"`
	TrusteeDomainName            string `ini:"trustee_domain_name"`
	TrusteeDomainAdminID         string `ini:"trustee_domain_admin_id"`
	TrusteeDomainAdminName       string `ini:"trustee_domain_admin_name"`
	TrusteeDomainAdminPassword   Secret `ini:"trustee_domain_admin_password"`
	TrusteeDomainAdminDomainID   string `ini:"trustee_domain_admin_domain_id"`
	TrusteeDomainAdminDomainName string `ini:"trustee_domain_admin_domain_name"`
	// Roles are the ones delegated; none is all the user has.
	Roles                     []string `ini:"roles"`
	TrusteeKeystoneInterface  string   `ini:"trustee_keystone_interface" default:"public"`
	TrusteeKeystoneRegionName string   `ini:"trustee_keystone_region_name"`
}
