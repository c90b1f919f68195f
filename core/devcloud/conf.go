package devcloud

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// MagnumConf is a magnum.conf for an API or a conductor that is to work with
// this cloud. It carries passwords: write it with mode 0600. dbPath is the
// SQLite file.
func (c *Cloud) MagnumConf(statePath, magnumHost string, magnumPort int, dbPath string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	service := c.accounts.userNamed(userMagnum, defaultDomain)
	trustees := c.accounts.domainNamed(domainMagnum)
	keeper := c.accounts.userNamed(userDomainAdmin, trustees.ID)

	account := []string{
		"auth_type = password",
		"auth_url = " + c.AuthURL(),
		"username = " + service.Name,
		"password = " + conf(service.Password),
		"user_domain_name = Default",
		"project_name = " + projectService,
		"project_domain_name = Default",
		"region_name = " + c.config.Region,
	}
	var text strings.Builder
	section := func(name string, lines ...string) {
		fmt.Fprintf(&text, "[%s]\n%s\n\n", name, strings.Join(lines, "\n"))
	}
	text.WriteString("# Written for the embedded cloud at " + c.base + "; good until it stops.\n")
	section("DEFAULT", "state_path = "+conf(statePath), "host = embedded", "periodic_interval_max = 10")
	section("drivers", "trust_file = "+conf(statePath)+"/driver-trust.yaml") // and not that of this machine
	section("api", "host = "+magnumHost, "port = "+strconv.Itoa(magnumPort))
	section("database", "connection = sqlite:///"+conf(dbPath))
	section("certificates", "cert_manager_type = x509keypair")
	section("keystone_authtoken", append([]string{"www_authenticate_uri = " + c.AuthURL(), "interface = public"}, account...)...)
	section("keystone_auth", append([]string{"interface = public"}, account...)...)
	section("trust",
		"cluster_user_trust = true",
		"trustee_domain_name = "+trustees.Name,
		"trustee_domain_admin_name = "+keeper.Name,
		"trustee_domain_admin_password = "+conf(keeper.Password),
		"trustee_domain_admin_domain_name = "+trustees.Name,
		"trustee_keystone_interface = public",
		"trustee_keystone_region_name = "+c.config.Region)
	section("cinder", "default_docker_volume_type = fake", "default_boot_volume_type = fake")
	for _, client := range []string{"barbican", "cinder", "glance", "heat", "magnum", "neutron", "nova", "octavia"} {
		section(client+"_client", "region_name = "+c.config.Region, "endpoint_type = publicURL")
	}
	return text.String()
}

// conf writes a value so that a dollar sign in it is just that.
func conf(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// MagnumURL is the endpoint that belongs to MagnumConf's host and port.
func MagnumURL(host string, port int) string {
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/v1"
}

// OpenRC is the environment in which the openstack command acts as a user of
// this cloud; nil if there is no such user. It has a password in it.
func (c *Cloud) OpenRC(name string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := find(c.accounts.users, func(u *user) bool { return u.Name == name })
	if u == nil {
		return nil
	}
	env := map[string]string{
		"OS_AUTH_URL":             c.AuthURL(),
		"OS_AUTH_TYPE":            "password",
		"OS_IDENTITY_API_VERSION": "3",
		"OS_INTERFACE":            "public",
		"OS_REGION_NAME":          c.config.Region,
		"OS_USERNAME":             u.Name,
		"OS_PASSWORD":             u.Password,
		"OS_USER_DOMAIN_NAME":     c.accounts.domain(u.DomainID).Name,
	}
	for _, g := range c.accounts.grants {
		if g.UserID != u.ID {
			continue
		}
		if p := c.accounts.project(g.ProjectID); p != nil {
			env["OS_PROJECT_NAME"], env["OS_PROJECT_DOMAIN_NAME"] = p.Name, c.accounts.domain(p.DomainID).Name
		} else {
			env["OS_DOMAIN_NAME"] = c.accounts.domain(g.DomainID).Name
		}
		break
	}
	return env
}
