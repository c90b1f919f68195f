package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/cmd/internal/conform"
	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/sdk/driver"
)

// fields are those of a message of the driver contract.
type fields = map[string]any

// TestRealOpenStackValidates has real Heat validate the stacks of options that
// nobody waits for in the test of a cluster's life, bare metal first of all: as
// the service would send them, with Heat's own checks of every resource, and of
// the networks, images, flavors and key pairs that they name.
func TestRealOpenStackValidates(t *testing.T) {
	r := newReal(t)
	c := newCLI(t, r.rc)
	public := c.value("network", "show", "public", "-c", "id")
	// A group's stack is told what the cluster's has made.
	made := map[string]string{
		"network": `"demo-net"`, "subnet": `"demo-subnet"`, "address_pairs": `[]`, "api_private_address": `"10.20.0.9"`,
		"master_addresses": `"10.20.0.10 10.20.0.11 10.20.0.12"`,
	}
	for _, name := range []string{"minion_security_groups", "node_security_groups", "slave_security_groups"} {
		made[name] = `["` + strings.Fields(c.value("security", "group", "list", "-c", "ID"))[0] + `"]`
	}
	outputs := fields{}
	for name, value := range made {
		outputs[name] = base64.StdEncoding.EncodeToString([]byte(value))
	}
	metal := fields{"server_type": "bm", "cluster_distro": "fedora", "image_id": "fedora-latest"}
	given := fields{"fixed_network": "demo-net", "fixed_subnet": "demo-subnet", "floating_ip": true}
	balanced := fields{"master_lb": true, "floating_ip": true}
	swarm, standalone, mesos := driverPackage(t, "drivers-swarm"), driverPackage(t, "drivers-swarm/swarm-standalone"), driverPackage(t, "drivers-mesos")
	flannel := fields{"network_driver": "flannel", "volume_driver": "rexray", "registry_enabled": true}
	routed := fields{"labels": fields{"flannel_backend": "host-gw", "etcd_volume_size": "1", "etcd_volume_type": "lab"}}
	for _, tt := range []struct {
		name, driver      string
		intent            driver.Intent
		template, cluster fields
	}{
		{"bare metal", packageDir, driver.IntentCreate, metal, given},
		{"bare metal without floating IPs", packageDir, driver.IntentCreate, metal, with(given, fields{"floating_ip": false})},
		{"bare metal behind load balancers", packageDir, driver.IntentCreate, metal, with(given, balanced)},
		{"node group of bare metal", packageDir, driver.IntentCreateNodeGroup, metal, given},
		{"behind load balancers", packageDir, driver.IntentCreate, nil, balanced},
		{"private behind load balancers", packageDir, driver.IntentCreate, nil, fields{"master_lb": true, "labels": fields{"master_lb_allowed_cidrs": "192.0.2.0/24"}}},
		{"load balancers as labels say", packageDir, driver.IntentCreate, nil, with(balanced, fields{"labels": fields{
			"octavia_provider": "ovn", "octavia_lb_algorithm": "SOURCE_IP_PORT", "octavia_lb_healthcheck": "false",
		}})},
		{"volumes", packageDir, driver.IntentCreate, nil, fields{"docker_volume_size": 5, "labels": fields{
			"docker_volume_type": "lab", "etcd_volume_size": "1", "etcd_volume_type": "lab", "boot_volume_size": "20", "boot_volume_type": "lab",
		}}},
		{"routed pods", packageDir, driver.IntentCreate, nil, fields{"labels": fields{"flannel_backend": "host-gw", "availability_zone": "nova"}}},
		{"calico", packageDir, driver.IntentCreate, fields{"network_driver": "calico"}, fields{"labels": fields{"calico_ipv4pool_ipip": "Always"}}},
		{"registry", packageDir, driver.IntentCreate, fields{"registry_enabled": true}, nil},
		{"without TLS", packageDir, driver.IntentCreate, fields{"tls_disabled": true}, balanced},
		{"pods' volumes", packageDir, driver.IntentCreate, fields{"volume_driver": "cinder"}, nil},
		{"proxies", packageDir, driver.IntentCreate, fields{"http_proxy": "http://192.0.2.1:3128", "insecure_registry": "192.0.2.2:5000"}, nil},
		{"swarm mode", swarm, driver.IntentCreate, fields{"volume_driver": "rexray"}, balanced},
		{"swarm mode in a given network", swarm, driver.IntentCreate, fields{"tls_disabled": true}, given},
		{"node group of swarm mode", swarm, driver.IntentCreateNodeGroup, nil, given},
		{"standalone Swarm", standalone, driver.IntentCreate, nil, fields{"floating_ip": true}},
		{"standalone Swarm with flannel", standalone, driver.IntentCreate, flannel, with(balanced, routed)},
		{"node group of standalone Swarm", standalone, driver.IntentCreateNodeGroup, flannel, with(given, routed)},
		{"Mesos", mesos, driver.IntentCreate, fields{"volume_driver": "rexray"}, balanced},
		{"node group of Mesos", mesos, driver.IntentCreateNodeGroup, nil, given},
	} {
		t.Run(tt.name, func(t *testing.T) {
			image := fields{"image_id": "fedora-atomic-latest"}
			maps.Copy(image, tt.template)
			stack, err := conform.Render(t.Context(), conform.Options{Driver: tt.driver}, tt.intent, fields{
				"template":  with(image, fields{"external_network_id": "public"}),
				"cluster":   with(fields{"keypair": "testkey"}, tt.cluster),
				"endpoints": fields{"external_network_uuid": public, "fixed_network_name": "demo-net", "fixed_subnet_cidr": "10.20.0.0/24"},
				"node_groups": []any{
					fields{"name": "default-master", "flavor_id": "m1.small", "image_id": "", "node_count": 3},
					fields{"name": "default-worker", "flavor_id": "m1.small", "image_id": ""},
					fields{"name": "conform-extra", "flavor_id": "m1.small", "image_id": ""},
				},
				"cluster_outputs": outputs,
			})
			if err != nil {
				t.Fatal(err)
			}
			request := driver.RenderResponse{
				Template: stack.GetTemplate(), Files: stack.GetFiles(), Environments: stack.GetEnvironments(), Parameters: map[string]driver.Parameter{},
			}
			for name, p := range stack.GetParameters() {
				request.Parameters[name] = driver.Parameter{Value: p.GetValue(), Secret: driver.SecretRef(p.GetSecret())}
			}
			r.validate(t, request)
		})
	}
}

// with is one set of fields over another.
func with(under, over fields) fields {
	all := maps.Clone(under)
	if all == nil {
		all = fields{}
	}
	maps.Copy(all, over)
	return all
}

// validate has Heat validate, and preview, what the service would have it make.
func (r *deployment) validate(t *testing.T, stack driver.RenderResponse) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	provider, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: r.rc["OS_AUTH_URL"], Username: r.rc["OS_USERNAME"], Password: r.rc["OS_PASSWORD"],
		TenantName: r.rc["OS_PROJECT_NAME"], DomainName: r.rc["OS_USER_DOMAIN_NAME"],
	})
	if err != nil {
		t.Fatal(err)
	}
	project, err := provider.GetAuthResult().(tokens.CreateResult).ExtractProject()
	if err != nil {
		t.Fatal(err)
	}
	caught := &creates{}
	provider.HTTPClient.Transport = caught
	client := heat.New(heat.Config{WriteTimeout: time.Minute})
	_, err = client.Ensure(ctx, heat.Session{Provider: provider, ProjectID: project.ID}, heat.Request{
		Name: "validated", Stack: stack,
		Secret: func(context.Context, driver.SecretRef) (string, error) { return "a secret", nil },
	})
	if !errors.Is(err, errCaught) {
		t.Fatalf("the create was not caught: %v", err)
	}
	base := strings.TrimSuffix(caught.url, "/stacks")
	provider.HTTPClient.Transport = nil
	for _, path := range []string{"/validate", "/stacks/preview"} {
		_, err := provider.Request(ctx, http.MethodPost, base+path, &gophercloud.RequestOpts{
			RawBody: bytes.NewReader(caught.body), MoreHeaders: map[string]string{"Content-Type": "application/json"}, OkCodes: []int{http.StatusOK},
		})
		if err != nil {
			t.Errorf("Heat refuses it at %s: %v", path, err)
		}
	}
}

var errCaught = errors.New("caught")

// creates keeps the request that would make a stack from Heat.
type creates struct {
	url  string
	body []byte
}

func (c *creates) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/stacks") {
		return http.DefaultTransport.RoundTrip(r)
	}
	defer r.Body.Close()
	var err error
	c.url = r.URL.String()
	if c.body, err = io.ReadAll(r.Body); err != nil {
		return nil, err
	}
	return nil, errCaught
}
