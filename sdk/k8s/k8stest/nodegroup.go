package k8stest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// extra is a request that makes the node group extra.
func (k Kit) extra(change func(*driver.RenderRequest, *driver.NodeGroup)) driver.RenderRequest {
	r := k.Request()
	group(change)(&r)
	return r
}

func asIs(*driver.RenderRequest, *driver.NodeGroup) {}

func (k Kit) nodeGroupRefused(t *testing.T) {
	const bad = driver.ClassInvalidInput
	for _, tt := range []struct {
		name   string
		change func(*driver.RenderRequest, *driver.NodeGroup)
		field  string
		text   string
	}{
		{"flavor", func(_ *driver.RenderRequest, g *driver.NodeGroup) { g.FlavorID = "" }, "minion_flavor",
			"Required parameter minion_flavor not provided."},
		{"a label of the whole cluster", func(r *driver.RenderRequest, g *driver.NodeGroup) {
			g.Labels = templatetest.Labels("etcd_tag", "v3.4.6")
		}, "labels/etcd_tag",
			`property "labels/etcd_tag" with value "v3.4.6" is not supported, the label is one of the whole cluster, where it is "v3.4.13"`},
		{"wrong label", func(_ *driver.RenderRequest, g *driver.NodeGroup) {
			g.Labels = templatetest.Labels("boot_volume_size", "big")
		}, "labels/boot_volume_size",
			`property "labels/boot_volume_size" with value "big" is not supported, expecting an integer`},
		{"newer nodes", func(r *driver.RenderRequest, g *driver.NodeGroup) {
			r.Cluster.Labels, g.Labels = templatetest.Labels("kube_tag", "v1.17.17"), templatetest.Labels("kube_tag", "v1.18.20")
		}, "labels/kube_tag", "kube_tag: nodes of Kubernetes v1.18.20 cannot join a cluster of v1.17.17: they must not be newer."},
		{"nodes much older", func(_ *driver.RenderRequest, g *driver.NodeGroup) {
			g.Labels = templatetest.Labels("kube_tag", "v1.15.7")
		}, "labels/kube_tag",
			"kube_tag: nodes of Kubernetes v1.15.7 cannot join a cluster of v1.18.20: they may be 2 minor versions older."},
		{"taints", func(_ *driver.RenderRequest, g *driver.NodeGroup) {
			g.NodeTaints = []driver.Taint{{Key: "a", Effect: "Never"}}
		}, "node_taints", "node_taints for extra is invalid (node_taints[0].effect must be one of NoSchedule, PreferNoSchedule, NoExecute)."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := []driver.Violation{{Field: tt.field, Message: tt.text, Class: bad}}
			if diff := cmp.Diff(want, k.Suite().Violations(t, k.extra(tt.change))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A group stays workable when the cluster has moved on to other labels, and
// whatever bounds the cluster's labels set on the default workers.
func (k Kit) nodeGroupOfAClusterThatMovedOn(t *testing.T) {
	r := k.extra(func(r *driver.RenderRequest, g *driver.NodeGroup) {
		r.Intent, g.NodeCount = driver.IntentResize, 0
		r.Cluster.Labels = templatetest.Labels("kube_tag", "v1.18.20", "coredns_tag", "1.7.0", "min_node_count", "1")
		g.Labels = templatetest.Labels("kube_tag", "v1.15.7", "coredns_tag", "1.6.5", "min_node_count", "3")
	})
	if got := k.Suite().Violations(t, r); len(got) != 0 {
		t.Error(got)
	}
	if got := k.Suite().Render(t, r).Parameters["kube_tag"].Value; got != "v1.15.7" {
		t.Errorf("new nodes of the group are of %s", got)
	}
}

// Nodes of a group are told the same as the cluster's own where the group says
// nothing else, and their stack makes nothing that belongs to the cluster.
func (k Kit) nodeGroupJoinsTheCluster(t *testing.T) {
	cluster, group := k.Suite().Render(t, k.Request()), k.Suite().Render(t, k.extra(asIs))
	for name, text := range group.Files {
		if cluster.Files[name] != text {
			t.Errorf("%s is not the cluster's", name)
		}
	}
	own := []string{"minion_flavor", "number_of_minions", "worker_nodegroup_name"}
	for name, p := range group.Parameters {
		if c, ok := cluster.Parameters[name]; ok && c != p && !slices.Contains(own, name) {
			t.Errorf("%s is %v, in the cluster's stack %v", name, p, c)
		}
	}
	for _, secret := range []driver.SecretRef{driver.SecretServiceAccountKey, driver.SecretServiceAccountPrivateKey, driver.SecretCAKey} {
		for name, p := range group.Parameters {
			if p.Secret == secret {
				t.Errorf("%s gives workers the masters' secret %s", name, secret)
			}
		}
	}
	for _, kind := range []string{"OS::Neutron::Net", "OS::Neutron::SecurityGroup", "OS::Octavia", "network.yaml", "kube-master.yaml"} {
		if strings.Contains(group.Template, kind) {
			t.Errorf("the group's stack has a %s", kind)
		}
	}
}

func (k Kit) nodeGroupOfAnOlderCluster(t *testing.T) {
	r := k.extra(asIs)
	r.ClusterOutputs = map[string]driver.RawJSON{
		"api_address": driver.RawJSON(`"172.24.4.6"`), "kube_minions": driver.RawJSON(`["172.24.4.7"]`),
	}
	_, err := k.Definition().Render(context.Background(), r)
	want := "The cluster's stack has no output network, which its node groups need: it was made by an older version of the driver. " +
		"Update the cluster first; any resize of it does that, also one to the number of nodes it has."
	if err == nil || err.Error() != want || driver.ClassOf(err) != driver.ClassPrecondition {
		t.Errorf("%v (%s)", err, driver.ClassOf(err))
	}
}

func (k Kit) mapOutputsOfANodeGroup(t *testing.T) {
	for _, tt := range []struct {
		name      string
		floating  bool
		addresses []string
	}{{"floating", true, []string{"172.24.4.7", "172.24.4.8"}}, {"private", false, []string{"10.0.0.37", "10.0.0.38"}}} {
		t.Run(tt.name, func(t *testing.T) {
			r := k.extra(asIs)
			r.Cluster.FloatingIP = tt.floating
			got, err := k.Definition().MapOutputs(context.Background(), driver.MapOutputsRequest{
				Template: r.Template, Cluster: r.Cluster, NodeGroups: r.NodeGroups, NodeGroup: r.NodeGroup,
				Outputs: map[string]driver.RawJSON{
					"kube_minions":         driver.RawJSON(`["172.24.4.7", "172.24.4.8"]`),
					"kube_minions_private": driver.RawJSON(`["10.0.0.37", "10.0.0.38"]`),
				},
				Parameters: map[string]string{"number_of_minions": "2", "kube_tag": "v1.16.15"},
			})
			if err != nil {
				t.Fatal(err)
			}
			two := 2
			want := driver.MapOutputsResponse{NodeGroups: []driver.NodeGroupPatch{
				{Name: "extra", NodeAddresses: tt.addresses, NodeCount: &two},
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// labelsOfGroups: a label that a group may have acts in its stack; one of
// the whole cluster is refused there, and does not act.
func (k Kit) labelsOfGroups(t *testing.T) {
	before := k.Suite().Render(t, k.extra(asIs))
	for _, l := range k.Definition().Labels {
		value := k.Suite().OtherValue(l)
		r := k.extra(func(_ *driver.RenderRequest, g *driver.NodeGroup) { g.Labels = templatetest.Labels(l.Name, value) })
		acts, refused := !cmp.Equal(before, k.Suite().Render(t, r)), len(k.Suite().Violations(t, r)) > 0
		if acts != l.PerNodeGroup || refused == l.PerNodeGroup {
			t.Errorf("label %s=%s of a group: per node group %v, acts %v, refused %v: %v", l.Name, value, l.PerNodeGroup, acts, refused, k.Suite().Violations(t, r))
		}
	}
}
