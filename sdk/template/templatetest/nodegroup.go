package templatetest

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

// Group changes a request into one that makes the node group extra of a cluster
// whose stack has these outputs.
func Group(outputs map[string]driver.RawJSON, change func(*driver.RenderRequest, *driver.NodeGroup)) func(*driver.RenderRequest) {
	return func(r *driver.RenderRequest) {
		r.Intent, r.NodeGroup = driver.IntentCreateNodeGroup, "extra"
		r.NodeGroups = append(r.NodeGroups, driver.NodeGroup{
			Name: "extra", Role: "worker", NodeCount: 2, FlavorID: "m1.large", MinNodeCount: 1, MaxNodeCount: 3,
		})
		r.ClusterOutputs = maps.Clone(outputs)
		change(r, &r.NodeGroups[len(r.NodeGroups)-1])
	}
}

// GroupOptions are those of node groups of every driver that has them.
func GroupOptions(outputs map[string]driver.RawJSON) []Case {
	group := func(change func(*driver.RenderRequest, *driver.NodeGroup)) func(*driver.RenderRequest) {
		return Group(outputs, change)
	}
	return []Case{
		{"nodegroup", group(func(*driver.RenderRequest, *driver.NodeGroup) {})},
		{"nodegroup-no-nodes", group(func(_ *driver.RenderRequest, g *driver.NodeGroup) { g.NodeCount = 0 })},
		{"nodegroup-resize", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Intent, g.NodeCount, r.NodesToRemove = driver.IntentResize, 1, []string{"1", "3b0b7a2e-1111-4222-8333-444455556666"}
		})},
		{"nodegroup-no-floating-ips", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { r.Cluster.FloatingIP = false })},
		{"nodegroup-volumes", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Cluster.DockerVolumeSize, g.DockerVolumeSize = 5, 50
			r.Cluster.Labels = Labels("docker_volume_type", "slow", "etcd_volume_size", "2", "boot_volume_size", "20")
			g.Labels = Labels("docker_volume_type", "fast", "boot_volume_size", "30", "boot_volume_type", "ssd")
		})},
		{"nodegroup-without-the-clusters-volume", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) { r.Cluster.DockerVolumeSize = 5 })},
		{"nodegroup-given-network", group(func(r *driver.RenderRequest, _ *driver.NodeGroup) {
			r.Cluster.FixedNetwork, r.Cluster.FixedSubnet = "demo-net", "demo-subnet"
			r.Endpoints.FixedNetworkName, r.Endpoints.FixedSubnetCIDR = "demo-net", "10.20.0.0/24"
			r.ClusterOutputs["network"], r.ClusterOutputs["subnet"] = driver.RawJSON(`"demo-net"`), driver.RawJSON(`"demo-subnet"`)
		})},
		{"nodegroup-options-of-the-cluster", group(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Template.HTTPProxy, r.Template.NoProxy = "http://proxy:3128", "example.com"
			r.Template.InsecureRegistry, r.Template.DockerStorageDriver = "10.0.0.1:5000", "overlay2"
			r.Endpoints.CACert, r.Cluster.MasterLB = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", true
			g.DockerVolumeSize, g.ImageID = 3, "another-image"
		})},
	}
}

// Extra is a request that makes the node group extra.
func (s Suite) Extra(change func(*driver.RenderRequest, *driver.NodeGroup)) driver.RenderRequest {
	r := s.Request()
	Group(s.ClusterOutputs, change)(&r)
	return r
}

func asIs(*driver.RenderRequest, *driver.NodeGroup) {}

// nodeGroups holds a driver that makes node groups to what is the same for all.
func (s Suite) nodeGroups(t *testing.T) {
	if !slices.Contains(s.Definition().Capabilities, driver.CapNodeGroups) {
		t.Skipf("%s says that it has no node groups", s.Definition().Name)
	}
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"JoinTheCluster", s.groupJoins},
		{"OfAnOlderCluster", s.groupOfAnOlderCluster},
		{"MapOutputs", s.mapOutputsOfAGroup},
		{"Labels", s.labelsOfGroups},
	} {
		t.Run(test.name, test.run)
	}
}

// groupJoins: nodes of a group are told the same as the cluster's own where the
// group says nothing else, and their stack makes nothing that belongs to the
// cluster.
func (s Suite) groupJoins(t *testing.T) {
	cluster, group := s.Render(t, s.Request()), s.Render(t, s.Extra(asIs))
	for name, text := range group.Files {
		if cluster.Files[name] != text {
			t.Errorf("%s is not the cluster's", name)
		}
	}
	for name, p := range group.Parameters {
		own := strings.HasSuffix(name, "_flavor") || strings.HasPrefix(name, "number_of_") || name == "worker_nodegroup_name"
		if c, ok := cluster.Parameters[name]; ok && c != p && !own {
			t.Errorf("%s is %v, in the cluster's stack %v", name, p, c)
		}
		switch p.Secret {
		case driver.SecretServiceAccountKey, driver.SecretServiceAccountPrivateKey, driver.SecretCAKey:
			t.Errorf("%s gives workers the masters' secret %s", name, p.Secret)
		}
	}
	for _, kind := range []string{"OS::Neutron::Net", "OS::Neutron::SecurityGroup", "OS::Octavia", "network.yaml", "master.yaml"} {
		if strings.Contains(group.Template, kind) {
			t.Errorf("the group's stack has a %s", kind)
		}
	}
}

func (s Suite) groupOfAnOlderCluster(t *testing.T) {
	r := s.Extra(asIs)
	delete(r.ClusterOutputs, "network")
	_, err := s.Definition().Render(context.Background(), r)
	want := "The cluster's stack has no output network, which its node groups need: it was made by an older version of the driver. " +
		"Update the cluster first; any resize of it does that, also one to the number of nodes it has."
	if err == nil || err.Error() != want || driver.ClassOf(err) != driver.ClassPrecondition {
		t.Errorf("%v (%s)", err, driver.ClassOf(err))
	}
}

// mapOutputsOfAGroup: what a group's stack says is the group's alone.
func (s Suite) mapOutputsOfAGroup(t *testing.T) {
	for _, floating := range []bool{true, false} {
		r := s.Extra(asIs)
		r.Cluster.FloatingIP = floating
		req := driver.MapOutputsRequest{
			Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, NodeGroup: r.NodeGroup,
			Outputs: map[string]driver.RawJSON{}, Parameters: map[string]string{},
		}
		for _, o := range s.Definition().Outputs {
			switch {
			case o.To == template.ToWorkerCount:
				req.Parameters[o.Parameter] = "2"
			case o.Stack == "":
				req.Parameters[o.Parameter] = "v1.0.0" // of the cluster
			case strings.HasSuffix(o.Stack, "_private"):
				req.Outputs[o.Stack] = driver.RawJSON(`["10.0.0.37", "10.0.0.38"]`)
			default:
				req.Outputs[o.Stack] = driver.RawJSON(`["172.24.4.7", "172.24.4.8"]`)
			}
		}
		got, err := s.Definition().MapOutputs(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		two, addresses := 2, []string{"10.0.0.37", "10.0.0.38"}
		if floating {
			addresses = []string{"172.24.4.7", "172.24.4.8"}
		}
		want := driver.MapOutputsResponse{NodeGroups: []driver.NodeGroupPatch{{Name: "extra", NodeAddresses: addresses, NodeCount: &two}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("floating %v: %s", floating, diff)
		}
	}
}

// labelsOfGroups: a label that a group may have acts in its stack; one of
// the whole cluster is refused there, and does not act.
func (s Suite) labelsOfGroups(t *testing.T) {
	extra := func(name, value string) driver.RenderRequest {
		return s.Extra(func(r *driver.RenderRequest, g *driver.NodeGroup) {
			s.forLabel(name, r)
			g.Labels = Labels(name, value)
		})
	}
	for _, l := range s.Definition().Labels {
		value := s.OtherValue(l)
		r := extra(l.Name, value)
		acts, refused := !cmp.Equal(s.Render(t, extra(l.Name, "")), s.Render(t, r)), len(s.Violations(t, r)) > 0
		if acts != l.PerNodeGroup || refused == l.PerNodeGroup {
			t.Errorf("label %s=%s of a group: per node group %v, acts %v, refused %v: %v",
				l.Name, value, l.PerNodeGroup, acts, refused, s.Violations(t, r))
		}
	}
}
