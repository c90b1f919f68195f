package drivertest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/go-magnum/magnum/sdk/driver"
	pb "github.com/go-magnum/magnum/sdk/driverpb"
	"github.com/go-magnum/magnum/sdk/hot"
)

// Names in the suite's requests.
const (
	clusterUUID  = "5d12f6fd-a196-4bf0-ae4c-1f639a523a52"
	workerGroup  = "default-worker"
	masterGroup  = "default-master"
	extraGroup   = "conform-extra"
	unknownGroup = "conform-nowhere"
)

// use is one intent as the core would send it.
type use struct {
	intent driver.Intent
	group  string
	needs  driver.Capability // "" is always promised
}

func uses() []use {
	return []use{
		{driver.IntentCreate, "", ""},
		{driver.IntentUpdate, "", ""},
		{driver.IntentResize, workerGroup, driver.CapResize},
		{driver.IntentUpgrade, workerGroup, driver.CapUpgrade},
		{driver.IntentRotateCA, "", driver.CapRotateCA},
		{driver.IntentRotateCredential, "", driver.CapRotateCredential},
		{driver.IntentCreateNodeGroup, extraGroup, driver.CapNodeGroups},
		{driver.IntentUpdateNodeGroup, extraGroup, driver.CapNodeGroups},
		{driver.IntentDeleteNodeGroup, extraGroup, driver.CapNodeGroups},
	}
}

func (u use) String() string {
	if u.group == "" {
		return string(u.intent)
	}
	return string(u.intent) + " of " + u.group
}

// template is a cluster template that selects the driver.
func (s *session) template() *pb.ClusterTemplate {
	t := &pb.ClusterTemplate{
		Uuid: "2f2b8a3c-4f0d-4a53-9d2f-0c2d9d6bb9e1", Name: "conform", ImageId: "conform-image",
		ExternalNetworkId: "public", DnsNameserver: "192.0.2.53", ApiserverPort: 6443, Labels: map[string]string{},
	}
	if types := s.description.GetClusterTypes(); len(types) > 0 {
		t.ServerType, t.ClusterDistro, t.Coe = types[0].GetServerType(), types[0].GetOs(), types[0].GetCoe()
	}
	if n := s.description.GetNetworkDrivers(); len(n) > 0 {
		t.NetworkDriver = n[0]
	}
	return t
}

func cluster() *pb.Cluster {
	return &pb.Cluster{
		Uuid: clusterUUID, Name: "conform", ProjectId: "8a3f", UserId: "77c1", StackId: "c0ffee", Keypair: "conform-key",
		FlavorId: "conform.small", MasterFlavorId: "conform.small", CreateTimeout: 60,
		DiscoveryUrl: "https://192.0.2.1/" + clusterUUID, ApiAddress: "https://192.0.2.2:6443", Status: "CREATE_COMPLETE",
		TrusteeUserId: "7a05", TrusteeUsername: clusterUUID + "_8a3f", TrusteeDomainId: "d0d0",
		Labels: map[string]string{},
	}
}

// groups are a cluster's node groups, with one more where the driver has them.
func (s *session) groups() []*pb.NodeGroup {
	group := func(name, role string, isDefault bool, count int64) *pb.NodeGroup {
		return &pb.NodeGroup{
			Uuid: "group-" + name, Name: name, Role: role, IsDefault: isDefault, FlavorId: "conform.small",
			ImageId: "conform-image", NodeCount: count, MinNodeCount: 1, Labels: map[string]string{}, StackId: "c0ffee",
		}
	}
	masters := cmp.Or(s.description.GetLimits().GetMinMasters(), 1)
	if s.description.GetLimits().GetOddMasters() && masters%2 == 0 {
		masters++
	}
	all := []*pb.NodeGroup{group(masterGroup, driver.RoleMaster, true, masters), group(workerGroup, "worker", true, 2)}
	if s.can(driver.CapNodeGroups) {
		all = append(all, group(extraGroup, "worker", false, 1))
	}
	return all
}

func (s *session) request(u use) *pb.RenderRequest {
	r := &pb.RenderRequest{
		Intent: string(u.intent), NodeGroup: u.group, Template: s.template(), Cluster: cluster(), NodeGroups: s.groups(),
		MaxBatchSize: 1,
		Endpoints: &pb.Endpoints{
			AuthUrl: "https://192.0.2.3/v3", MagnumUrl: "https://192.0.2.4/v1", Region: "RegionOne", VerifyCa: true, Octavia: true,
			ExternalNetworkUuid: "0e0e", AffinityPolicy: "soft-anti-affinity",
			RegistryRegion: "RegionOne", RegistryContainer: "docker_registry",
		},
	}
	giveNetwork(r)
	return r
}

func (s *session) validation() *pb.ValidateRequest {
	r := s.request(uses()[0])
	return &pb.ValidateRequest{Intent: r.GetIntent(), Template: r.GetTemplate(), Cluster: r.GetCluster(), NodeGroups: r.GetNodeGroups()}
}

// labelled is a request for a new cluster with labels.
func (s *session) labelled(labels map[string]string) *pb.RenderRequest {
	r := s.request(uses()[0])
	maps.Copy(r.GetCluster().GetLabels(), labels)
	maps.Copy(r.GetTemplate().GetLabels(), labels)
	return r
}

// stack is what a driver rendered of a request.
type stack struct {
	about    string
	response *pb.RenderResponse
	request  *pb.RenderRequest
	err      error
}

// choices are requests for new clusters with what the description lists, without
// the first of each list, which all other requests have.
func (s *session) choices() []stack {
	var all []stack
	add := func(about string, change func(*pb.RenderRequest)) {
		r := s.request(uses()[0])
		change(r)
		all = append(all, stack{about: about, request: r})
	}
	for i, t := range s.description.GetClusterTypes() {
		if i > 0 {
			add(fmt.Sprintf("cluster type (%s, %s, %s)", t.GetServerType(), t.GetOs(), t.GetCoe()), func(r *pb.RenderRequest) {
				r.Template.ServerType, r.Template.ClusterDistro, r.Template.Coe = t.GetServerType(), t.GetOs(), t.GetCoe()
				giveNetwork(r)
			})
		}
	}
	for i, n := range s.description.GetNetworkDrivers() {
		if i > 0 {
			add("network driver "+n, func(r *pb.RenderRequest) { r.Template.NetworkDriver = n })
		}
	}
	for _, v := range s.description.GetVolumeDrivers() {
		add("volume driver "+v, func(r *pb.RenderRequest) { r.Template.VolumeDriver = v })
	}
	return all
}

// giveNetwork gives bare metal the network that it needs.
func giveNetwork(r *pb.RenderRequest) {
	if r.GetTemplate().GetServerType() != "bm" {
		return
	}
	r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "conform-net", "conform-subnet"
	r.Endpoints.FixedNetworkName, r.Endpoints.FixedSubnetCidr = "conform-net", "192.0.2.64/26"
}

// rendered are the stacks of every intent that the driver promises, of every
// choice that the description lists, and of every value that it gives for a label.
// They are rendered once.
func (s *session) rendered(ctx context.Context) ([]stack, error) {
	client, err := s.templates(ctx)
	if err != nil {
		return nil, err
	}
	if s.stacks != nil {
		return s.stacks, nil
	}
	do := func(about string, r *pb.RenderRequest) stack {
		out, err := client.Render(ctx, r)
		return stack{about: about, request: r, response: out, err: err}
	}
	var all []stack
	var outputs map[string][]byte
	for _, u := range uses() {
		if u.needs != "" && !s.can(u.needs) {
			continue
		}
		r := s.request(u)
		if u.group == extraGroup {
			r.ClusterOutputs = outputs
		}
		one := do(u.String(), r)
		all = append(all, one)
		if u.intent == driver.IntentCreate && one.err == nil {
			outputs = outputsOf(one.response)
		}
	}
	for _, c := range s.choices() {
		all = append(all, do(c.about, c.request))
	}
	for _, name := range slices.Sorted(maps.Keys(s.labels.Properties)) {
		for _, value := range s.labels.Properties[name].values() {
			all = append(all, do(fmt.Sprintf("label %s=%s", name, value), s.labelled(map[string]string{name: value})))
		}
	}
	s.stacks = all
	return all, nil
}

// good are those that were rendered.
func (s *session) good(ctx context.Context) ([]stack, error) {
	all, err := s.rendered(ctx)
	if err != nil {
		return nil, err
	}
	good := slices.DeleteFunc(slices.Clone(all), func(o stack) bool { return o.err != nil })
	if len(good) == 0 {
		return nil, skip("nothing could be rendered: see DRV-042")
	}
	return good, nil
}

// outputsOf are what the cluster's stack would have to say, with made-up ids and
// addresses.
func outputsOf(r *pb.RenderResponse) map[string][]byte {
	loaded, err := hot.Load(r.GetTemplate(), r.GetFiles(), r.GetEnvironments())
	if err != nil {
		return nil
	}
	scope, err := loaded.Scope(values(r), hot.Pseudo{StackName: "conform"})
	if err != nil {
		return nil
	}
	scope.Resolver = &cloud{scope: scope}
	out := map[string][]byte{}
	for _, name := range loaded.Template.OutputNames() {
		value, err := scope.Output(name)
		if err != nil || value == nil || hot.HasUnknown(value) {
			value = made
		}
		if text, err := json.Marshal(value); err == nil {
			out[name] = text
		}
	}
	return out
}

// made is the id, the name and the address of everything in the cloud that the
// suite makes up: an address passes for all three.
const made = "192.0.2.7"

// cloud stands for resources that were never made. Only OS::Heat::Value, which
// holds what the template puts into it, has attributes of its own.
type cloud struct{ scope *hot.Scope }

func (*cloud) ResourceID(string) (any, error) { return made, nil }

func (c *cloud) Attribute(name, _ string, path []any) (value any, followed bool, err error) {
	r := c.scope.Stack.Template.Resources[name]
	if r == nil || r.Type != "OS::Heat::Value" {
		return made, true, nil
	}
	value, err = c.scope.Evaluate(r.Properties["value"])
	return hot.Follow(value, path), true, err
}

func clone[M proto.Message](m M) M { return proto.CloneOf(m) }
