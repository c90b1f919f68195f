package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokenValidation(t *testing.T) {
	got := load(t, "").TokenValidation
	want := TokenValidation{
		TokenCacheTime: 300, HTTPRequestMaxRetries: 3, ServiceTokenRoles: []string{"service"}, ServiceTokenRolesRequired: true,
		EnforceTokenBind: "permissive", MemcacheSecurityStrategy: "NONE", IncludeServiceCatalog: true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	c := load(t, `[keystone_authtoken]
token_cache_time = -1
http_connect_timeout = 3
http_request_max_retries = 0
service_token_roles = service, heat
service_token_roles_required = true
service_type = container-infra
enforce_token_bind = disabled
memcache_servers = a:1,b:2
memcache_security_strategy = mac
memcache_secret_key = the-word
memcache_pool_dead_retry = 300
memcache_pool_socket_timeout = 3
memcache_use_advanced_pool = true
memcache_tls_enabled = false
auth_version = v3
`)
	want = TokenValidation{
		TokenCacheTime: -1, HTTPConnectTimeout: 3, ServiceTokenRoles: []string{"service", "heat"}, ServiceTokenRolesRequired: true,
		ServiceType: "container-infra", EnforceTokenBind: "disabled", MemcachedServers: []string{"a:1", "b:2"},
		MemcacheSecurityStrategy: "MAC", MemcacheSecretKey: NewSecret("the-word"), IncludeServiceCatalog: true,
	}
	if d := cmp.Diff(want, c.TokenValidation); d != "" {
		t.Error(d)
	}
	if w := c.Warnings(); len(w) != 1 || !strings.Contains(w[0], "memcache_servers is an old name") {
		t.Errorf("warnings: %q", w)
	}
}

// TestTokenValidationSays is what is refused, and what is said to have no
// effect: nothing of this section is passed over in silence.
func TestTokenValidationSays(t *testing.T) {
	for text, want := range map[string]string{
		"enforce_token_bind = required":                                    "expected disabled, permissive or strict",
		"enforce_token_bind = kerberos":                                    "expected disabled, permissive or strict",
		"memcache_security_strategy = ROT13":                               "expected None, MAC or ENCRYPT",
		"memcached_servers = a\nmemcache_security_strategy = ENCRYPT":      "memcache_secret_key must be set",
		"memcached_servers = a\nmemcache_tls_enabled = true":               "TLS to memcached is not supported",
		"memcached_servers = a\nmemcache_sasl_enabled = true":              "logging in to memcached is not supported",
		"token_cache_time = -2":                                            "at least -1",
		"http_request_max_retries = -1":                                    "at least 0",
		"memcached_servers = a\nmemcache_security_strategy = MAC\ntls = 1": "memcache_secret_key must be set",
	} {
		_, err := Load(write(t, "magnum.conf", "[keystone_authtoken]\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "magnum.conf:") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"delay_auth_decision = true":           "[keystone_authtoken] delay_auth_decision has no effect",
		"include_service_catalog = false":      "[keystone_authtoken] include_service_catalog has no effect",
		"service_token_roles_required = false": "[keystone_authtoken] service_token_roles_required is off",
	} {
		w := load(t, "[keystone_authtoken]\n"+text+"\n").Warnings()
		if len(w) != 1 || !strings.Contains(w[0], "magnum.conf:2: "+want) {
			t.Errorf("%q: %q", text, w)
		}
	}
}

// TestAuthSectionIsAnAccount: what is not of the account stays each section's
// own.
func TestAuthSectionIsAnAccount(t *testing.T) {
	c := load(t, "[keystone_authtoken]\nauth_section = keystone_auth\nwww_authenticate_uri = http://public\ntoken_cache_time = -1\n"+
		"[keystone_auth]\nauth_url = http://inside\nusername = u\n")
	a := c.KeystoneAuthtoken
	if a.AuthURL != "http://inside" || a.Username != "u" || a.WWWAuthenticateURI != "http://public" || c.TokenValidation.TokenCacheTime != -1 {
		t.Errorf("%+v %d", a, c.TokenValidation.TokenCacheTime)
	}
}
