package swarm

import (
	"net"
	"net/url"

	"github.com/go-magnum/magnum/sdk/driver"
)

// apiAddress is where Docker's client finds a manager, in the form of its
// DOCKER_HOST, with TLS and without.
func apiAddress(address string) string {
	if address == "" {
		return ""
	}
	return "tcp://" + net.JoinHostPort(address, "2375")
}

// access is how to ask a manager over HTTP.
func access(a driver.COEAccess, tlsDisabled bool) driver.COEAccess {
	u, err := url.Parse(a.Endpoint)
	if err != nil || u.Host == "" {
		a.Endpoint = "" // which the client says
		return a
	}
	scheme := "https"
	if tlsDisabled {
		scheme = "http"
	}
	a.Endpoint = scheme + "://" + u.Host
	return a
}
