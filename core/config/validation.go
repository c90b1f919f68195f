package config

import (
	"fmt"
	"strings"
)

const sectionAuthtoken = "keystone_authtoken"

// settle refuses what would leave tokens less checked, or more exposed, than
// the file says, and names what has no effect.
func (t *TokenValidation) settle(l *loader) error {
	switch t.EnforceTokenBind {
	case "disabled", "permissive", "strict":
	default:
		return l.refuse("enforce_token_bind", fmt.Sprintf("expected disabled, permissive or strict, found %q: Keystone binds tokens to nothing any more, so that requiring it would refuse every request", t.EnforceTokenBind))
	}
	t.MemcacheSecurityStrategy = strings.ToUpper(t.MemcacheSecurityStrategy)
	switch t.MemcacheSecurityStrategy {
	case "NONE":
	case "MAC", "ENCRYPT":
		if len(t.MemcachedServers) > 0 && !t.MemcacheSecretKey.IsSet() {
			return l.refuse("memcache_security_strategy", "memcache_secret_key must be set as well")
		}
	default:
		return l.refuse("memcache_security_strategy", fmt.Sprintf("expected None, MAC or ENCRYPT, found %q", t.MemcacheSecurityStrategy))
	}
	if len(t.MemcachedServers) > 0 && t.MemcacheTLSEnabled {
		return l.refuse("memcache_tls_enabled", "TLS to memcached is not supported; use memcache_security_strategy = ENCRYPT, or no memcached_servers")
	}
	if len(t.MemcachedServers) > 0 && t.MemcacheSASLEnabled {
		return l.refuse("memcache_sasl_enabled", "logging in to memcached is not supported; use memcache_security_strategy = ENCRYPT, or no memcached_servers")
	}
	if t.DelayAuthDecision {
		l.warn("delay_auth_decision", "has no effect: a request without a good token is refused")
	}
	if !t.IncludeServiceCatalog {
		l.warn("include_service_catalog", "has no effect: the catalogue is needed to look up images and flavors")
	}
	if !t.ServiceTokenRolesRequired {
		l.warn("service_token_roles_required", "is off: any good token is taken for a service's in policies, though none without a role of service_token_roles may bring an expired one")
	}
	return nil
}

// authtoken is where [keystone_authtoken] sets an option; nowhere, if it is a
// default.
func (l *loader) authtoken(option string) entry {
	if found := l.set[optionKey{sectionAuthtoken, option}]; len(found) > 0 {
		return found[len(found)-1]
	}
	return entry{section: sectionAuthtoken, option: option}
}

func (l *loader) refuse(option, message string) error {
	e := l.authtoken(option)
	return &Error{File: e.file, Line: e.line, Section: sectionAuthtoken, Option: option, Message: message}
}

func (l *loader) warn(option, message string) {
	e := l.authtoken(option)
	l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: %s %s", e.file, e.line, optionKey{sectionAuthtoken, option}, message))
}
