package conductor

import (
	"context"
	"crypto/rsa"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
  account_key: {type: string, hidden: true}
  kube_tag: {type: string}
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

// cloud is the embedded one, with a conductor at work in it.
type cloud struct {
	*bench
	*devcloud.Cloud
	conductor *Conductor
	demo      *gophercloud.ProviderClient
	id        *keystone.Identity
}

func startCloud(t *testing.T) *cloud {
	t.Helper()
	ctx := t.Context()
	dev, err := devcloud.Start(devcloud.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Close(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
	dev.SetMagnumURL(devcloud.MagnumURL("127.0.0.1", 9511))
	dir := t.TempDir()
	file := filepath.Join(dir, "magnum.conf")
	b := &bench{TB: t, log: &logBuffer{}, driver: &fakeDriver{}, clock: &clock{now: time.Now()}, path: filepath.Join(dir, "m.sqlite")}
	b.must(os.WriteFile(file, []byte(dev.MagnumConf(dir, "127.0.0.1", 9511, b.path)), 0o600))
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
	rc := dev.OpenRC("demo")
	demo, err := openstack.AuthenticatedClient(ctx, gophercloud.AuthOptions{
		IdentityEndpoint: rc["OS_AUTH_URL"], Username: "demo", Password: rc["OS_PASSWORD"], DomainName: "Default", TenantName: rc["OS_PROJECT_NAME"],
	})
	b.must(err)
	id, err := b.client.Validate(ctx, demo.Token())
	b.must(err)
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
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &cloud{bench: b, Cloud: dev, conductor: c, demo: demo, id: id}
}

// template makes a cluster template of demo's.
func (c *cloud) newTemplate(name string, labels magnum.Labels) *magnum.ClusterTemplate {
	c.Helper()
	t := &magnum.ClusterTemplate{
		Name: name, ProjectID: c.id.ProjectID, ExternalNetworkID: "public", COE: "kubernetes", ServerType: "vm", ClusterDistro: "fedora-atomic", Labels: labels,
	}
	c.must(c.db.CreateTemplate(c.Context(), t))
	return t
}

func (c *cloud) sealed() []byte {
	c.Helper()
	sealed, err := keystone.Seal(c.conductor.sealKey, c.demo.Token())
	c.must(err)
	return sealed
}

// create makes a cluster of a master and three workers.
func (c *cloud) create(template *magnum.ClusterTemplate) string {
	c.Helper()
	group := func(name, role string, n int) magnum.NodeGroup {
		return magnum.NodeGroup{Name: name, Role: role, NodeCount: n, IsDefault: true, ProjectID: c.id.ProjectID}
	}
	m := &magnum.Cluster{
		Name: "dev", ProjectID: c.id.ProjectID, UserID: c.id.UserID, ClusterTemplateID: template.UUID, Driver: magnum.DriverRef{Name: "fake"},
		NodeGroups: []magnum.NodeGroup{group(magnum.DefaultMaster, magnum.RoleMaster, 1), group(magnum.DefaultWorker, magnum.RoleWorker, 3)},
	}
	c.must(c.db.AcceptCreate(c.Context(), m, &magnum.Operation{Kind: magnum.OpCreate, SealedToken: c.sealed(), Initiator: c.id.Initiator()}, 20))
	return m.UUID
}

// over waits for the end of an operation and looks at what came of it.
func (c *cloud) over(uuid string, want magnum.Status, stacks int) *magnum.Cluster {
	c.Helper()
	eventually(c.TB, func() bool {
		op, err := c.db.ActiveOperation(c.Context(), uuid)
		c.must(err)
		return op == nil
	})
	got := c.cluster(uuid)
	if got.Status != want || len(c.Stacks()) != stacks {
		c.Fatalf("%s %q, want %s; %d stacks, want %d\n%s", got.Status, got.StatusReason, want, len(c.Stacks()), stacks, c.log)
	}
	return got
}

func (c *cloud) gone(uuid string) {
	c.Helper()
	eventually(c.TB, func() bool {
		_, err := c.db.Cluster(c.Context(), state.Scope{All: true}, uuid)
		return err != nil
	})
	if n := len(c.Stacks()); n != 0 {
		c.Errorf("%d stacks are left", n)
	}
}

// render is the driver's part: the nodes of the group that is asked for, or of
// the default workers.
func (c *cloud) render(r driver.RenderRequest) (driver.RenderResponse, error) {
	if r.Endpoints.ExternalNetworkUUID == "" || !r.Endpoints.Octavia {
		return driver.RenderResponse{}, fmt.Errorf("endpoints %+v", r.Endpoints)
	}
	removed := "[]"
	if len(r.NodesToRemove) > 0 {
		removed = fmt.Sprintf("[%q]", r.NodesToRemove[0])
	}
	count := r.NodeGroups[1].NodeCount
	for _, g := range r.NodeGroups {
		if g.Name == r.NodeGroup && !g.IsDefault {
			if !strings.Contains(string(r.ClusterOutputs["minions"]), ".") {
				return driver.RenderResponse{}, fmt.Errorf("the cluster's outputs are %v", r.ClusterOutputs)
			}
			count = g.NodeCount
		}
	}
	return driver.RenderResponse{
		Template: clusterTemplate, Files: map[string]string{"minion.yaml": minionTemplate},
		Environments: []string{"resource_registry: {\"Test::Minion\": minion.yaml}\n"},
		Parameters: map[string]driver.Parameter{
			"number_of_minions": driver.Value(fmt.Sprint(count)), "minions_to_remove": driver.Value(removed),
			"password": driver.Secret(driver.SecretTrusteePassword), "trust_id": driver.Secret(driver.SecretTrustID),
			"account_key": driver.Secret(driver.SecretServiceAccountKey), "kube_tag": driver.Value(r.Cluster.Labels["kube_tag"]),
			"external_network": driver.Value(r.Endpoints.ExternalNetworkUUID),
		},
	}, nil
}

// The whole way on the embedded cloud: real templates, a catalogue, trusts,
// wait conditions.
func TestOnDevcloud(t *testing.T) {
	c := startCloud(t)
	c.driver.render = c.render
	c.driver.selects = func(r driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
		if len(r.Nodes) != 3 || r.Nodes[1].Name == "" || r.Nodes[1].Address == "" {
			return driver.SelectNodesResponse{}, fmt.Errorf("nodes %+v", r.Nodes)
		}
		return driver.SelectNodesResponse{Nodes: []driver.Selected{{HeatIndex: "1"}}}, nil
	}
	uuid := c.create(c.newTemplate("ct", nil))
	c.over(uuid, magnum.CreateComplete, 1)
	c.accept(uuid, resizeTo(2, 3), magnum.UpdateInProgress)
	if got := c.over(uuid, magnum.UpdateComplete, 1); got.NodeCount() != 2 {
		t.Errorf("%d nodes", got.NodeCount())
	}
	if removed := c.driver.renders[len(c.driver.renders)-1].NodesToRemove; len(removed) != 1 || removed[0] != "1" {
		t.Errorf("removed %v", removed)
	}
	c.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
	c.gone(uuid)
}

// Everything a cluster can be asked for in its life, one after the other.
func TestLifeOnDevcloud(t *testing.T) {
	c := startCloud(t)
	c.driver.render = c.render
	from, to := c.newTemplate("old", magnum.Labels{"kube_tag": "v1.18"}), c.newTemplate("new", magnum.Labels{"kube_tag": "v1.19"})
	c.must(c.db.PublishDrivers(t.Context(), "h", []state.Driver{{Name: "fake", Version: "2.0.0", Active: true, Description: driver.Description{
		ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes"}},
	}}}))
	uuid := c.create(from)
	c.over(uuid, magnum.CreateComplete, 1)
	c.createGroup(uuid, "gpu")
	got := c.over(uuid, magnum.UpdateComplete, 2)
	if g := got.NodeGroup("gpu"); g.Status != magnum.CreateComplete || g.StackID == "" || g.StackID == got.StackID {
		t.Errorf("group %+v", g)
	}
	c.request(uuid, magnum.OpResize, magnum.ResizeInput{NodeGroup: "gpu", NodeCount: 3, Previous: 2}, nil)
	c.over(uuid, magnum.UpdateComplete, 2)
	c.updateGroup(uuid, "gpu")
	c.over(uuid, magnum.UpdateComplete, 2)
	for _, group := range []string{magnum.DefaultWorker, "gpu"} {
		c.upgrade(uuid, group, to)
		got = c.over(uuid, magnum.UpdateComplete, 2)
	}
	if got.ClusterTemplateID != to.UUID || got.Labels["kube_tag"] != "v1.19" || got.Driver != newDriver {
		t.Errorf("after the upgrade: %+v", got)
	}
	before := c.certificates(uuid)
	c.rotateCA(uuid)
	c.over(uuid, magnum.UpdateComplete, 2)
	if !c.rotated(before, c.certificates(uuid)) || c.keypairs() != 5 {
		t.Errorf("%d keypairs after the rotation", c.keypairs())
	}
	old := c.cluster(uuid)
	op := &magnum.Operation{Kind: magnum.OpRotateCredential, SealedToken: c.sealed(), Initiator: c.id.Initiator()}
	c.must(c.db.Accept(t.Context(), uuid, op, func(m *magnum.Cluster) error {
		m.Status = magnum.UpdateInProgress
		return nil
	}))
	got = c.over(uuid, magnum.UpdateComplete, 2)
	if got.TrustID == old.TrustID || got.TrusteePassword == old.TrusteePassword || got.UserID != c.id.UserID {
		t.Error("the credentials are the former ones")
	}
	c.deleteGroup(uuid, "gpu")
	c.over(uuid, magnum.UpdateComplete, 1)
	c.createGroup(uuid, "gpu") // of the same name, and another one
	c.over(uuid, magnum.UpdateComplete, 2)
	c.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
	c.gone(uuid)
	if n := c.keypairs(); n != 0 {
		t.Errorf("%d keypairs are left", n)
	}
}
