package server

import (
	"cmp"
	"fmt"
	"time"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/openstack"
	"github.com/go-magnum/magnum/core/state"
)

// keystoneConfig takes the service's account from [keystone_auth] and the
// rest, where that is silent, from [keystone_authtoken].
func keystoneConfig(c Config) keystone.Config {
	a, t := c.Config.KeystoneAuth, c.Config.Trust
	return keystone.Config{
		AuthURL:           a.AuthURL,
		Username:          a.Username,
		Password:          a.Password.Reveal(),
		UserDomainID:      cmp.Or(a.UserDomainID, a.DefaultDomainID),
		UserDomainName:    cmp.Or(a.UserDomainName, a.DefaultDomainName),
		ProjectID:         a.ProjectID,
		ProjectName:       a.ProjectName,
		ProjectDomainID:   cmp.Or(a.ProjectDomainID, a.DefaultDomainID),
		ProjectDomainName: cmp.Or(a.ProjectDomainName, a.DefaultDomainName),
		RegionName:        cmp.Or(a.RegionName, c.Config.KeystoneAuthtoken.RegionName),
		CAFile:            a.CAFile,
		Insecure:          a.Insecure,
		Timeout:           time.Duration(a.Timeout) * time.Second,
		CacheTTL:          cacheTime(c.Config.TokenValidation.TokenCacheTime),
		Tokens:            tokenConfig(c.Config),
		Trust: keystone.TrustConfig{
			DomainID:        t.TrusteeDomainID,
			DomainName:      t.TrusteeDomainName,
			AdminID:         t.TrusteeDomainAdminID,
			AdminName:       t.TrusteeDomainAdminName,
			AdminPassword:   t.TrusteeDomainAdminPassword.Reveal(),
			AdminDomainID:   t.TrusteeDomainAdminDomainID,
			AdminDomainName: t.TrusteeDomainAdminDomainName,
			Roles:           t.Roles,
		},
		Logger: c.Logger.Named("keystone"),
	}
}

func tokenConfig(c *config.Config) keystone.TokenConfig {
	v := c.TokenValidation
	return keystone.TokenConfig{
		Timeout:         time.Duration(cmp.Or(v.HTTPConnectTimeout, c.KeystoneAuthtoken.Timeout)) * time.Second,
		Retries:         v.HTTPRequestMaxRetries,
		ServiceRoles:    v.ServiceTokenRoles,
		AnyServiceToken: !v.ServiceTokenRolesRequired,
		ServiceType:     v.ServiceType,
		IgnoreBind:      v.EnforceTokenBind == "disabled",
		Memcached: keystone.MemcachedConfig{
			Servers: v.MemcachedServers, Strategy: v.MemcacheSecurityStrategy, Secret: v.MemcacheSecretKey.Reveal(),
		},
	}
}

// cacheTime is never the zero of keystone.Config, which is its default: no
// time at all means not to keep tokens.
func cacheTime(seconds int) time.Duration {
	if seconds <= 0 {
		return -1
	}
	return time.Duration(seconds) * time.Second
}

func lookupConfig(c *config.Config, k *keystone.Client) openstack.Config {
	service := func(s config.Client) openstack.Service {
		return openstack.Service{Region: s.RegionName, Interface: keystone.Interface(s.EndpointType)}
	}
	return openstack.Config{
		Keystone: k,
		Glance:   service(c.GlanceClient), Nova: service(c.NovaClient), Neutron: service(c.NeutronClient),
	}
}

// certConfig refuses the certificate stores that are not there yet: a service
// that wrote keys elsewhere than it was told would be worse than none.
func certConfig(c *config.Config, db *state.DB) (cert.Config, error) {
	if kind := c.Certificates.CertManagerType; kind != "x509keypair" {
		return cert.Config{}, fmt.Errorf("[certificates] cert_manager_type is %s, and this release keeps certificates in the database only: set it to x509keypair", kind)
	}
	return cert.Config{
		Store:             db,
		KeySize:           c.X509.RSAKeySize,
		Validity:          time.Duration(c.X509.TermOfValidity) * 24 * time.Hour,
		AllowCA:           c.X509.AllowCA,
		AllowedExtensions: c.X509.AllowedExtensions,
		AllowedKeyUsage:   c.X509.AllowedKeyUsage,
	}, nil
}
