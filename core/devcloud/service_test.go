package devcloud

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumetypes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/loadbalancer/v2/loadbalancers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"
	"github.com/gophercloud/gophercloud/v2/pagination"
)

var region = gophercloud.EndpointOpts{Region: "RegionOne"}

// names reads all pages of a list.
func names[T any](t *testing.T, pager pagination.Pager, extract func(pagination.Page) ([]T, error), name func(T) string) []string {
	t.Helper()
	var all []string
	err := pager.EachPage(t.Context(), func(_ context.Context, page pagination.Page) (bool, error) {
		items, err := extract(page)
		for _, item := range items {
			all = append(all, name(item))
		}
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// client makes a gophercloud client with its own discovery of versions.
func client(t *testing.T, provider *gophercloud.ProviderClient,
	build func(*gophercloud.ProviderClient, gophercloud.EndpointOpts) (*gophercloud.ServiceClient, error),
) *gophercloud.ServiceClient {
	t.Helper()
	service, err := build(provider, region)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func TestImages(t *testing.T) {
	c := run(t, Config{})
	c.AddImage(Image{Name: "mine", Project: "demo", Private: true})
	demo := client(t, loginAs(t, c, "demo"), openstack.NewImageV2)
	alt := client(t, loginAs(t, c, "alt"), openstack.NewImageV2)
	list := func(service *gophercloud.ServiceClient, opts images.ListOpts) []string {
		return names(t, images.List(service, opts), images.ExtractImages, func(i images.Image) string { return i.Name })
	}
	all := []string{"no-distro", "fedora-latest", "debian-latest", "ubuntu-mesos", "coreos-stable", "coreos-latest", "fedora-coreos-latest", "fedora-atomic-latest"}
	if diff := cmp.Diff(append([]string{"mine"}, all...), list(demo, images.ListOpts{Limit: 2})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(all, list(alt, images.ListOpts{})); diff != "" {
		t.Error(diff)
	}
	for name, distro := range map[string]any{
		"fedora-atomic-latest": "fedora-atomic", "fedora-coreos-latest": "fedora-coreos", "coreos-latest": "coreos", "coreos-stable": "coreos",
		"ubuntu-mesos": "ubuntu", "debian-latest": "debian", "fedora-latest": "fedora", "no-distro": nil,
	} {
		page, err := images.List(demo, images.ListOpts{Name: name}).AllPages(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found, err := images.ExtractImages(page)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %d found, %v", name, len(found), err)
		}
		image, err := images.Get(t.Context(), demo, found[0].ID).Extract()
		if err != nil || image.Properties["os_distro"] != distro || image.Status != images.ImageStatusActive {
			t.Errorf("%s: %+v, %v", name, image, err)
		}
	}
	if got := list(demo, images.ListOpts{Sort: "name:asc", Limit: 3}); got[0] != "coreos-latest" || got[8] != "ubuntu-mesos" {
		t.Errorf("sorted: %q", got)
	}
}

func TestComputing(t *testing.T) {
	c := run(t, Config{})
	c.AddFlavor(Flavor{ID: "p", Name: "private", Private: true})
	demo := client(t, loginAs(t, c, "demo"), openstack.NewComputeV2)
	admin := client(t, loginAs(t, c, "admin"), openstack.NewComputeV2)
	list := func(service *gophercloud.ServiceClient, opts flavors.ListOpts) []string {
		return names(t, flavors.ListDetail(service, opts), flavors.ExtractFlavors, func(f flavors.Flavor) string { return f.Name })
	}
	public := []string{"m1.tiny", "m1.small", "m1.medium", "m1.large"}
	if diff := cmp.Diff(public, list(demo, flavors.ListOpts{Limit: 3, AccessType: flavors.AllAccess})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(append(public, "private"), list(admin, flavors.ListOpts{AccessType: flavors.AllAccess})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"private"}, list(admin, flavors.ListOpts{AccessType: flavors.PrivateAccess})); diff != "" {
		t.Error(diff)
	}
	if _, err := flavors.Get(t.Context(), demo, "p").Extract(); !gophercloud.ResponseCodeIs(err, 404) {
		t.Errorf("another's flavor: %v", err)
	}
	if got, err := flavors.Get(t.Context(), admin, "p").Extract(); err != nil || got.IsPublic {
		t.Errorf("%+v, %v", got, err)
	}
	for minor, swap := range map[string]string{"": `"swap":""`, "2.61": `"extra_specs":{}`, "2.75": `"swap":0`, "latest": `"description":null`} {
		response, body := request(t, "GET", c.URL()+"/compute/v2.1/flavors/detail", demo.Token(), "", "X-OpenStack-Nova-API-Version", minor)
		if response.StatusCode != 200 || !strings.Contains(body, swap) {
			t.Errorf("%s: %d, no %s", minor, response.StatusCode, swap)
		}
	}
	response, body := request(t, "GET", c.URL()+"/compute/v2.1/flavors", demo.Token(), "", "OpenStack-API-Version", "compute 9.90")
	if response.StatusCode != 406 || !strings.Contains(body, "Version 9.90 is not supported by the API. Minimum is 2.1 and maximum is 2.93.") {
		t.Errorf("got %d %s", response.StatusCode, body)
	}

	pair, err := keypairs.Get(t.Context(), demo, "testkey", nil).Extract()
	if err != nil || !strings.HasPrefix(pair.PublicKey, "ssh-ed25519 ") || pair.UserID == "" || len(pair.Fingerprint) != 47 {
		t.Errorf("%+v, %v", pair, err)
	}
	alt := client(t, loginAs(t, c, "alt"), openstack.NewComputeV2)
	if _, err := keypairs.Get(t.Context(), alt, "testkey", nil).Extract(); !gophercloud.ResponseCodeIs(err, 404) {
		t.Errorf("another's key pair: %v", err)
	}
}

func TestNetworking(t *testing.T) {
	c := run(t, Config{})
	c.AddNetwork(Network{Name: "common", Shared: true})
	list := func(user string, opts networks.ListOptsBuilder) []string {
		service := client(t, loginAs(t, c, user), openstack.NewNetworkV2)
		return names(t, networks.List(service, opts), networks.ExtractNetworks, func(n networks.Network) string { return n.Name })
	}
	for _, test := range []struct {
		user string
		opts networks.ListOpts
		want []string
	}{
		{"demo", networks.ListOpts{Limit: 1}, []string{"public", "demo-net", "common"}},
		{"alt", networks.ListOpts{}, []string{"public", "common"}},
		{"admin", networks.ListOpts{}, []string{"public", "demo-net", "admin-net", "common"}},
		{"demo", networks.ListOpts{Name: "demo-net"}, []string{"demo-net"}},
		{"demo", networks.ListOpts{Shared: new(true)}, []string{"common"}},
		{"alt", networks.ListOpts{Name: "demo-net"}, nil},
	} {
		if diff := cmp.Diff(test.want, list(test.user, test.opts)); diff != "" {
			t.Errorf("%s %+v: %s", test.user, test.opts, diff)
		}
	}
	service := client(t, loginAs(t, c, "demo"), openstack.NewNetworkV2)
	found := names(t, subnets.List(service, subnets.ListOpts{}), subnets.ExtractSubnets, func(s subnets.Subnet) string { return s.Name + " " + s.CIDR })
	if diff := cmp.Diff([]string{"demo-subnet 10.20.0.0/24"}, found); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]string{"routers": "demo-router", "security-groups": "default"} {
		_, body := request(t, "GET", c.URL()+"/network/v2.0/"+path, service.Token(), "")
		if strings.Count(body, `"name":"`+want+`"`) != 1 {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestVolumeTypes(t *testing.T) {
	c := run(t, Config{})
	service := client(t, loginAs(t, c, "demo"), openstack.NewBlockStorageV3)
	found := names(t, volumetypes.List(service, volumetypes.ListOpts{}), volumetypes.ExtractVolumeTypes,
		func(v volumetypes.VolumeType) string { return v.Name })
	if diff := cmp.Diff([]string{"fake", "__DEFAULT__"}, found); diff != "" {
		t.Error(diff)
	}
}

func TestLoadBalancers(t *testing.T) {
	c := run(t, Config{})
	kept := c.AddLoadBalancer(LoadBalancer{Name: "kept", Project: "alt"})
	gone := c.AddLoadBalancer(LoadBalancer{Name: "gone", Project: "demo", Description: "Kubernetes external service", VIPAddress: "10.0.0.9"})
	demo := client(t, loginAs(t, c, "demo"), openstack.NewLoadBalancerV2)
	list := func() []string {
		return names(t, loadbalancers.List(demo, loadbalancers.ListOpts{}), loadbalancers.ExtractLoadBalancers,
			func(b loadbalancers.LoadBalancer) string {
				return b.Name + "|" + b.Description + "|" + b.ProvisioningStatus
			})
	}
	if diff := cmp.Diff([]string{"gone|Kubernetes external service|ACTIVE"}, list()); diff != "" {
		t.Error(diff)
	}
	cascade := loadbalancers.DeleteOpts{Cascade: true}
	if err := loadbalancers.Delete(t.Context(), demo, gone, cascade).ExtractErr(); err != nil {
		t.Error(err)
	}
	if got := list(); got != nil {
		t.Errorf("left: %q", got)
	}
	for _, id := range []string{gone, kept} {
		if err := loadbalancers.Delete(t.Context(), demo, id, cascade).ExtractErr(); !gophercloud.ResponseCodeIs(err, 404) {
			t.Errorf("delete of what is not there: %v", err)
		}
	}
	reader := client(t, loginAs(t, c, "reader"), openstack.NewLoadBalancerV2)
	if _, err := loadbalancers.List(reader, loadbalancers.ListOpts{}).AllPages(t.Context()); !gophercloud.ResponseCodeIs(err, 403) {
		t.Errorf("without a role of Octavia's: %v", err)
	}
}

func TestUnscopedToken(t *testing.T) {
	c := run(t, Config{})
	env := c.OpenRC("demo")
	provider := session(t, gophercloud.AuthOptions{
		IdentityEndpoint: env["OS_AUTH_URL"], Username: "demo", Password: env["OS_PASSWORD"], DomainName: "Default",
	})
	for path, want := range map[string]int{
		"/image/v2/images": 200, "/compute/v2.1/flavors": 200, "/network/v2.0/networks": 200,
		"/volume/v3/x/types": 400, "/load-balancer/v2/lbaas/loadbalancers": 403,
	} {
		if response, _ := request(t, "GET", c.URL()+path, provider.Token(), ""); response.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, response.StatusCode, want)
		}
	}
}
