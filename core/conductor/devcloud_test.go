package conductor

import (
	"context"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/devcloud"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

const clusterTemplate = `
heat_template_version: 2018-08-31
parameters:
  number_of_minions: {type: number}
  minions_to_remove: {type: comma_delimited_list, default: []}
  password: {type: string, hidden: true}
  trust_id: {type: string, hidden: true}
  external_network: {type: string}
resources:
  kube_minions:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: number_of_minions}
      removal_policies: [{resource_list: {get_param: minions_to_remove}}]
      resource_def:
        type: Test::Minion
        properties: {password: {get_param: password}}
outputs:
  minions: {value: {get_attr: [kube_minions, address]}}
`

const minionTemplate = `
heat_template_version: 2018-08-31
parameters:
  password: {type: string, hidden: true}
resources:
  handle: {type: OS::Heat::WaitConditionHandle}
  wait:
    type: OS::Heat::WaitCondition
    properties: {handle: {get_resource: handle}, timeout: 600}
  minion:
    type: OS::Nova::Server
    properties:
      image: fedora-atomic-latest
      flavor: m1.small
      networks: [{network: demo-net}]
      user_data_format: RAW
      user_data:
        str_replace:
          template: "$cli --data-binary '{\"status\": \"SUCCESS\"}' with $password"
          params:
            $cli: {get_attr: [handle, curl_cli]}
            $password: {get_param: password}
outputs:
  address: {value: {get_attr: [minion, first_address]}}
`

// The whole way on the embedded cloud: real templates, a catalogue, trusts,
// wait conditions.
func TestOnDevcloud(t *testing.T) {
	ctx := t.Context()
	cloud, err := devcloud.Start(devcloud.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	cloud.SetMagnumURL(devcloud.MagnumURL("127.0.0.1", 9511))
	dir := t.TempDir()
	file := filepath.Join(dir, "magnum.conf")
	b := &bench{T: t, log: &logBuffer{}, driver: &fakeDriver{}, clock: &clock{now: time.Now()}}
	b.must(os.WriteFile(file, []byte(cloud.MagnumConf(dir, "127.0.0.1", 9511, filepath.Join(dir, "m.sqlite"))), 0o600))
	b.options, err = config.Load(file)
	b.must(err)
	b.db, err = state.Open(ctx, state.Config{Connection: b.options.Database.Connection.Reveal()})
	b.must(err)
	t.Cleanup(func() {
		if err := b.db.Close(); err != nil {
			t.Error(err)
		}
	})
	_, _, err = b.db.Upgrade(ctx)
	b.must(err)
	a, tr := b.options.KeystoneAuth, b.options.Trust
	b.client, err = keystone.New(keystone.Config{
		AuthURL: a.AuthURL, Username: a.Username, Password: a.Password.Reveal(), UserDomainName: a.UserDomainName,
		ProjectName: a.ProjectName, ProjectDomainName: a.ProjectDomainName, RegionName: a.RegionName,
		Trust: keystone.TrustConfig{DomainName: tr.TrusteeDomainName, AdminName: tr.TrusteeDomainAdminName, AdminPassword: tr.TrusteeDomainAdminPassword.Reveal()},
	})
	b.must(err)
	rc := cloud.OpenRC("demo")
	demo, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: rc["OS_AUTH_URL"], Username: "demo", Password: rc["OS_PASSWORD"], DomainName: "Default", TenantName: rc["OS_PROJECT_NAME"],
	})
	b.must(err)
	id, err := b.client.Validate(ctx, demo.Token())
	b.must(err)
	b.template = &magnum.ClusterTemplate{Name: "ct", ProjectID: id.ProjectID, ExternalNetworkID: "public", COE: "kubernetes"}
	b.must(b.db.CreateTemplate(ctx, b.template))
	b.driver.render = func(r driver.RenderRequest) (driver.RenderResponse, error) {
		if r.Endpoints.ExternalNetworkUUID == "" || !r.Endpoints.Octavia {
			return driver.RenderResponse{}, fmt.Errorf("endpoints %+v", r.Endpoints)
		}
		removed := "[]"
		if len(r.NodesToRemove) > 0 {
			removed = fmt.Sprintf("[%q]", r.NodesToRemove[0])
		}
		return driver.RenderResponse{
			Template: clusterTemplate, Files: map[string]string{"minion.yaml": minionTemplate},
			Environments: []string{"resource_registry: {\"Test::Minion\": minion.yaml}\n"},
			Parameters: map[string]driver.Parameter{
				"number_of_minions": driver.Value(fmt.Sprint(r.NodeGroups[1].NodeCount)), "minions_to_remove": driver.Value(removed),
				"password": driver.Secret(driver.SecretTrusteePassword), "trust_id": driver.Secret(driver.SecretTrustID),
				"external_network": driver.Value(r.Endpoints.ExternalNetworkUUID),
			},
		}, nil
	}
	b.driver.selects = func(r driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
		if len(r.Nodes) != 3 {
			return driver.SelectNodesResponse{}, fmt.Errorf("nodes %+v", r.Nodes)
		}
		return driver.SelectNodesResponse{Nodes: []driver.Selected{{HeatIndex: "1"}}}, nil
	}
	c, err := New(Config{
		DB: b.db, Drivers: b.driver, Keystone: b.client, Options: b.options, Host: "h", Logger: b.logger(),
		Cert:   cert.New(cert.Config{Store: b.db, NewKey: func(int) (*rsa.PrivateKey, error) { return stockKey() }}),
		Poll:   10 * time.Millisecond,
		Follow: 10 * time.Millisecond,
	})
	b.must(err)
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- c.Run(run) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	sealed, err := keystone.Seal(c.sealKey, demo.Token())
	b.must(err)
	group := func(name, role string, n int) magnum.NodeGroup {
		return magnum.NodeGroup{Name: name, Role: role, NodeCount: n, IsDefault: true, ProjectID: id.ProjectID}
	}
	m := &magnum.Cluster{
		Name: "dev", ProjectID: id.ProjectID, UserID: id.UserID, ClusterTemplateID: b.template.UUID, Driver: magnum.DriverRef{Name: "fake"},
		NodeGroups: []magnum.NodeGroup{group(magnum.DefaultMaster, magnum.RoleMaster, 1), group(magnum.DefaultWorker, magnum.RoleWorker, 3)},
	}
	b.must(b.db.AcceptCreate(ctx, m, &magnum.Operation{Kind: magnum.OpCreate, SealedToken: sealed, Initiator: id.Initiator()}, 20))
	over := func() bool {
		op, err := b.db.ActiveOperation(ctx, m.UUID)
		b.must(err)
		return op == nil
	}
	eventually(t, over)
	if got := b.cluster(m.UUID); got.Status != magnum.CreateComplete || len(cloud.Stacks()) != 1 {
		t.Fatalf("%s %q, %d stacks\n%s", got.Status, got.StatusReason, len(cloud.Stacks()), b.log)
	}
	b.accept(m.UUID, resizeTo(2, 3), magnum.UpdateInProgress)
	eventually(t, over)
	if got := b.cluster(m.UUID); got.Status != magnum.UpdateComplete || got.NodeCount() != 2 {
		t.Fatalf("%s %q, %d nodes\n%s", got.Status, got.StatusReason, got.NodeCount(), b.log)
	}
	if removed := b.driver.renders[len(b.driver.renders)-1].NodesToRemove; len(removed) != 1 || removed[0] != "1" {
		t.Errorf("removed %v", removed)
	}
	b.accept(m.UUID, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
	eventually(t, func() bool {
		_, err := b.db.Cluster(ctx, state.Scope{All: true}, m.UUID)
		return err != nil
	})
	if n := len(cloud.Stacks()); n != 0 {
		t.Errorf("%d stacks are left", n)
	}
}
