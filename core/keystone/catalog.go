package keystone

import (
	"context"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/core/magnum"
)

// Endpoint finds a service's address in the service account's catalogue.
// Addresses with a project in them carry the service's own project. An empty
// iface is public, an empty region the configured one, and any if none is.
func (k *Client) Endpoint(ctx context.Context, serviceType, iface, region string) (string, error) {
	_, catalog, err := k.service.get(ctx)
	if err != nil {
		return "", unavailable("log the service in", err)
	}
	url := k.find(catalog, gophercloud.EndpointOpts{
		Type: serviceType, Availability: gophercloud.Availability(Interface(iface)), Region: region,
	})
	if url == "" {
		return "", magnum.Errorf(magnum.NotFound, "No %s endpoint of service %s in the catalogue.", Interface(iface), serviceType)
	}
	return strings.TrimRight(url, "/"), nil
}

// Interface reads an endpoint_type option: publicURL and public are the same.
func Interface(s string) string {
	s = strings.TrimSuffix(s, "URL")
	if s == "" {
		return "public"
	}
	return s
}

// locator makes gophercloud use this catalogue. Its own locator asks each
// service for its versions first: a call more, and one that fails behind
// proxies that hide the version document.
func (k *Client) locator(catalog []tokens.CatalogEntry) gophercloud.EndpointLocator {
	return func(o gophercloud.EndpointOpts) (string, error) {
		if url := k.find(catalog, o); url != "" {
			return gophercloud.NormalizeURL(url), nil
		}
		return "", &gophercloud.ErrEndpointNotFound{}
	}
}

func (k *Client) find(catalog []tokens.CatalogEntry, o gophercloud.EndpointOpts) string {
	if o.Region == "" {
		o.Region = k.cfg.RegionName
	}
	for _, kind := range serviceTypes(o.Type) {
		for _, entry := range catalog {
			if entry.Type != kind || o.Name != "" && entry.Name != o.Name {
				continue
			}
			for _, e := range entry.Endpoints {
				if Interface(e.Interface) == Interface(string(o.Availability)) &&
					(o.Region == "" || o.Region == e.Region || o.Region == e.RegionID) {
					return e.URL
				}
			}
		}
	}
	return ""
}

// serviceTypes lists the names a service goes by, newest block storage first:
// catalogues may still have version 2 beside version 3.
func serviceTypes(kind string) []string {
	names := []string{kind}
	for official, aliases := range gophercloud.ServiceTypeAliases {
		if official == kind || slices.Contains(aliases, kind) {
			reversed := slices.Clone(aliases)
			slices.Reverse(reversed)
			names = append(append(names, official), reversed...)
			break
		}
	}
	if kind == "networking" || kind == "network" {
		names = append(names, "network", "networking")
	}
	return names
}

// Region is the configured region, or the one of Keystone's own endpoint.
func (k *Client) Region(ctx context.Context) (string, error) {
	if k.cfg.RegionName != "" {
		return k.cfg.RegionName, nil
	}
	_, catalog, err := k.service.get(ctx)
	if err != nil {
		return "", unavailable("log the service in", err)
	}
	for _, entry := range catalog {
		if entry.Type != "identity" {
			continue
		}
		for _, e := range entry.Endpoints {
			if e.RegionID != "" {
				return e.RegionID, nil
			}
			if e.Region != "" {
				return e.Region, nil
			}
		}
	}
	return "", nil
}
