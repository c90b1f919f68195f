package k8stest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

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
			if diff := cmp.Diff(want, k.Suite().Violations(t, k.Suite().Extra(tt.change))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A group stays workable when the cluster has moved on to other labels, and
// whatever bounds the cluster's labels set on the default workers.
func (k Kit) nodeGroupOfAClusterThatMovedOn(t *testing.T) {
	r := k.Suite().Extra(func(r *driver.RenderRequest, g *driver.NodeGroup) {
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
