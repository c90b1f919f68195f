package conductor

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// endpoints gathers the facts about the cloud that decide a stack.
func (c *Conductor) endpoints(ctx context.Context, t *task, template *magnum.ClusterTemplate) (driver.Endpoints, error) {
	o := c.Options
	e := driver.Endpoints{
		VerifyCA: o.Drivers.VerifyCA, AffinityPolicy: o.Cluster.NodesAffinityPolicy,
		DockerVolumeType: o.Cinder.DefaultDockerVolumeType, EtcdVolumeType: o.Cinder.DefaultEtcdVolumeType,
		BootVolumeType: o.Cinder.DefaultBootVolumeType, BootVolumeSize: o.Cinder.DefaultBootVolumeSize,
		RegistryRegion: o.DockerRegistry.SwiftRegion, RegistryContainer: o.DockerRegistry.SwiftRegistryContainer,
	}
	var err error
	if e.AuthURL, err = c.Keystone.Endpoint(ctx, "identity", o.Trust.TrusteeKeystoneInterface, o.Trust.TrusteeKeystoneRegionName); err != nil {
		return e, fmt.Errorf("find Keystone for the nodes: %w", err)
	}
	e.AuthURL = withVersion(e.AuthURL, "/v3")
	if e.MagnumURL, err = c.Keystone.Endpoint(ctx, "container-infra", o.MagnumClient.EndpointType, o.MagnumClient.RegionName); err != nil {
		return e, fmt.Errorf("find this service for the nodes: %w", err)
	}
	e.MagnumURL = withVersion(e.MagnumURL, "/v1")
	if e.Region, err = c.region(ctx); err != nil {
		return e, err
	}
	if e.RegistryRegion == "" {
		e.RegistryRegion = e.Region
	}
	_, err = c.Keystone.Endpoint(ctx, "load-balancer", o.OctaviaClient.EndpointType, o.OctaviaClient.RegionName)
	if err != nil && magnum.KindOf(err) != magnum.NotFound {
		return e, fmt.Errorf("look for Octavia: %w", err)
	}
	e.Octavia = err == nil
	if o.Drivers.OpenstackCAFile != "" {
		pem, err := os.ReadFile(o.Drivers.OpenstackCAFile)
		if err != nil {
			return e, fmt.Errorf("read [drivers] openstack_ca_file: %w", err)
		}
		e.CACert = string(pem)
	}
	return e, c.networks(ctx, t, template, &e)
}

func withVersion(url, version string) string {
	if strings.HasSuffix(url, version) {
		return url
	}
	return url + version
}

// region is where the nodes look for the cloud's services.
func (c *Conductor) region(ctx context.Context) (string, error) {
	if r := c.Options.MagnumClient.RegionName; r != "" {
		return r, nil
	}
	return c.Keystone.Region(ctx)
}

// networks looks the given networks up, as the cluster's owner sees them.
func (c *Conductor) networks(ctx context.Context, t *task, template *magnum.ClusterTemplate, e *driver.Endpoints) error {
	external, fixed, subnet := template.ExternalNetworkID, t.cluster.FixedNetwork, t.cluster.FixedSubnet
	if external == "" && fixed == "" && subnet == "" {
		return nil
	}
	p, err := c.provider(ctx, t)
	if err != nil {
		return err
	}
	n := c.Options.NeutronClient
	client, err := openstack.NewNetworkV2(p, gophercloud.EndpointOpts{
		Region: n.RegionName, Availability: gophercloud.Availability(keystone.Interface(n.EndpointType)),
	})
	if err != nil {
		return magnum.Errorf(magnum.Invalid, "The catalogue has no network service.")
	}
	if external != "" {
		found, err := findNetwork(ctx, client, "external network", external)
		if err != nil {
			return err
		}
		e.ExternalNetworkUUID = found.ID
	}
	if fixed != "" {
		found, err := findNetwork(ctx, client, "fixed network", fixed)
		if err != nil {
			return err
		}
		e.FixedNetworkName = found.Name
	}
	if subnet != "" {
		if e.FixedSubnetCIDR, err = findCIDR(ctx, client, subnet); err != nil {
			return err
		}
	}
	return nil
}

// findNetwork looks by id, then by name.
func findNetwork(ctx context.Context, client *gophercloud.ServiceClient, what, ident string) (networks.Network, error) {
	for _, opts := range []networks.ListOpts{{ID: ident}, {Name: ident}} {
		pages, err := networks.List(client, opts).AllPages(ctx)
		if err != nil {
			return networks.Network{}, asking("Neutron", err)
		}
		found, err := networks.ExtractNetworks(pages)
		if err != nil {
			return networks.Network{}, asking("Neutron", err)
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return networks.Network{}, fatal(fmt.Sprintf("Unable to find %s %s.", what, ident))
}

func findCIDR(ctx context.Context, client *gophercloud.ServiceClient, ident string) (string, error) {
	for _, opts := range []subnets.ListOpts{{ID: ident}, {Name: ident}} {
		pages, err := subnets.List(client, opts).AllPages(ctx)
		if err != nil {
			return "", asking("Neutron", err)
		}
		found, err := subnets.ExtractSubnets(pages)
		if err != nil {
			return "", asking("Neutron", err)
		}
		if len(found) > 0 {
			return found[0].CIDR, nil
		}
	}
	return "", fatal(fmt.Sprintf("Unable to find fixed subnet %s.", ident))
}

// asking is the error of a question that a service did not answer.
func asking(service string, err error) error {
	message := service + " is unavailable"
	for _, code := range []int{401, 403} {
		if gophercloud.ResponseCodeIs(err, code) {
			return magnum.Errorf(magnum.Unauthorized, "%s does not accept the session", service)
		}
	}
	return &magnum.Error{Kind: magnum.Unavailable, Message: message, Cause: redacted(err)}
}
