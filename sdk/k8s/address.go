package k8s

import (
	"net"
	"regexp"

	"github.com/go-magnum/magnum/sdk/driver"
)

// APIAddress is the URL of a cluster's API at an address, in the form that
// clients of Magnum expect; without TLS it is upstream's insecure port.
func APIAddress(address string, tlsDisabled bool) string {
	if address == "" {
		return ""
	}
	scheme := "https://"
	if tlsDisabled {
		scheme = "http://"
	}
	return scheme + net.JoinHostPort(address, apiPort(tlsDisabled))
}

func apiPort(tlsDisabled bool) string {
	if tlsDisabled {
		return "8080"
	}
	return "6443"
}

// Cleanups are the load balancers, and their floating IPs, that Kubernetes
// makes for its services of type LoadBalancer. Heat does not know of them, and
// they would hold the network back when the stack is deleted.
func Cleanups(c driver.Cluster) []driver.Cleanup {
	id := regexp.QuoteMeta(c.UUID)
	return []driver.Cleanup{
		{Kind: driver.CleanupLoadBalancer, DescriptionPattern: `Kubernetes .+ from cluster ` + id, Cascade: true},
		{Kind: driver.CleanupFloatingIP, DescriptionPattern: `Floating IP for Kubernetes .+ from cluster ` + id},
	}
}
