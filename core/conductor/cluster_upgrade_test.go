package conductor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// upgradable is a cluster with the node group gpu, made from a template with
// labels, and the template to go to. The active driver is a newer one.
func (b *bench) upgradable(c *Conductor) (cluster string, to *magnum.ClusterTemplate) {
	b.Helper()
	b.template = b.newTemplate("old", magnum.Labels{"kube_tag": "v1.18", "dashboard": "true", "gone": "x"})
	to = b.newTemplate("new", magnum.Labels{"kube_tag": "v1.19", "dashboard": "true", "fresh": "y"})
	labels := magnum.Labels{"kube_tag": "v1.18", "dashboard": "false", "gone": "x", "own": "z"}
	cluster = b.create(func(c *magnum.Cluster) {
		c.Labels = labels
		for i := range c.NodeGroups {
			c.NodeGroups[i].Labels = labels
		}
	})
	b.settled(cluster, c)
	b.request(cluster, magnum.OpCreateNodeGroup, magnum.NodeGroupInput{NodeGroup: "gpu"}, func(c *magnum.Cluster) {
		c.NodeGroups = append(c.NodeGroups, magnum.NodeGroup{
			Name: "gpu", Role: magnum.RoleWorker, NodeCount: 2, Status: magnum.CreateInProgress, Labels: magnum.Labels{"kube_tag": "v1.18", "gpu": "yes"},
		})
	})
	if got := b.settled(cluster, c); got.Status != magnum.UpdateComplete {
		b.Fatalf("%s %q", got.Status, got.StatusReason)
	}
	b.must(b.db.PublishDrivers(b.Context(), "h", []state.Driver{{Name: "fake", Version: "2.0.0", Active: true, Description: driver.Description{
		ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes"}},
	}}}))
	return cluster, to
}

func (b *bench) upgrade(cluster, group string, to *magnum.ClusterTemplate) {
	b.Helper()
	b.request(cluster, magnum.OpUpgrade, magnum.UpgradeInput{NodeGroup: group, ClusterTemplate: to.UUID, MaxBatchSize: 3}, func(c *magnum.Cluster) {
		if g := c.NodeGroup(group); g != nil {
			g.Status = magnum.UpdateInProgress
		}
	})
}

var (
	upgradedLabels = magnum.Labels{"kube_tag": "v1.19", "dashboard": "false", "fresh": "y", "own": "z"}
	oldDriver      = magnum.DriverRef{Name: "fake", Version: "1.0.0"}
	newDriver      = magnum.DriverRef{Name: "fake", Version: "2.0.0"}
)

// is checks what an upgrade moves.
func (b *bench) is(c *magnum.Cluster, template *magnum.ClusterTemplate, labels magnum.Labels, driver magnum.DriverRef) {
	b.Helper()
	if c.ClusterTemplateID != template.UUID || c.Driver != driver {
		b.Errorf("template %s, driver %v; want %s, %v", c.ClusterTemplateID, c.Driver, template.UUID, driver)
	}
	for what, have := range map[string]magnum.Labels{"cluster": c.Labels, "master": c.Default(true).Labels, "worker": c.Default(false).Labels} {
		if d := cmp.Diff(labels, have); d != "" {
			b.Errorf("labels of the %s (-want +got):\n%s", what, d)
		}
	}
}

func TestUpgrade(t *testing.T) {
	for name, group := range map[string]string{"the default worker": magnum.DefaultWorker, "the whole cluster": ""} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid, to := b.upgradable(c)
			old := *b.cluster(uuid)
			b.heat.SetHold(true)
			b.upgrade(uuid, group, to)
			turn(t.Context(), c)
			// Heat has it: so it is in the rows.
			busy := b.cluster(uuid)
			b.is(busy, to, upgradedLabels, newDriver)
			b.wantStatuses(busy, magnum.UpdateInProgress, magnum.UpdateInProgress, magnum.UpdateInProgress, magnum.CreateComplete)
			b.heat.SetHold(false)
			got := b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateComplete, magnum.UpdateComplete, magnum.UpdateComplete, magnum.CreateComplete)
			b.is(got, to, upgradedLabels, newDriver)
			if d := cmp.Diff(old.NodeGroup("gpu").Labels, got.NodeGroup("gpu").Labels); d != "" {
				t.Errorf("the group beside changed: %s", d)
			}
			asked := b.driver.renders[len(b.driver.renders)-1]
			if asked.Intent != driver.IntentUpgrade || asked.Template.UUID != to.UUID || asked.NodeGroup != group || asked.MaxBatchSize != 3 ||
				asked.Cluster.Labels["kube_tag"] != "v1.19" || asked.NodeGroups[1].Labels["kube_tag"] != "v1.19" || asked.ClusterOutputs != nil {
				t.Errorf("asked %+v", asked)
			}
			if read := b.driver.outputs[len(b.driver.outputs)-1]; read.Template.UUID != to.UUID {
				t.Errorf("the outputs were read with template %s", read.Template.Name)
			}
			if v := b.driver.got[len(b.driver.got)-1]; v != newDriver {
				t.Errorf("driver %v was asked", v)
			}
		})
	}
}

// A group beside the default ones follows the cluster.
func TestUpgradeNodeGroup(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid, to := b.upgradable(c)
	b.upgrade(uuid, "gpu", to)
	got := b.settled(uuid, c)
	const want = "Nodegroup gpu can be upgraded only to match cluster's template (old)."
	b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.UpdateFailed)
	if got.StatusReason != "gpu failed: "+want {
		t.Errorf("ahead of the cluster: %q", got.StatusReason)
	}
	b.upgrade(uuid, magnum.DefaultWorker, to)
	b.settled(uuid, c)
	b.upgrade(uuid, "gpu", to)
	got = b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateComplete, magnum.UpdateComplete, magnum.UpdateComplete, magnum.UpdateComplete)
	b.is(got, to, upgradedLabels, newDriver)
	if d := cmp.Diff(magnum.Labels{"kube_tag": "v1.19", "dashboard": "false", "fresh": "y", "gpu": "yes"}, got.NodeGroup("gpu").Labels); d != "" {
		t.Errorf("labels of the group (-want +got):\n%s", d)
	}
	if s := b.stackOf(got.NodeGroup("gpu")); s.Updates != 1 {
		t.Errorf("the group's stack was updated %d times", s.Updates)
	}
	asked := b.driver.renders[len(b.driver.renders)-1]
	if asked.NodeGroups[2].Labels["kube_tag"] != "v1.19" || asked.ClusterOutputs == nil || asked.Template.UUID != to.UUID {
		t.Errorf("asked %+v", asked)
	}
}

func TestUpgradeFails(t *testing.T) {
	tests := map[string]struct {
		prepare func(*bench, *magnum.ClusterTemplate)
		want    string
		late    bool
	}{
		"no driver for it": {func(b *bench, _ *magnum.ClusterTemplate) {
			b.must(b.db.PublishDrivers(b.Context(), "h", nil))
		}, "Cluster type (vm, fedora-atomic, kubernetes) not supported.", false},
		"the driver refuses": {func(b *bench, _ *magnum.ClusterTemplate) {
			b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
				return driver.RenderResponse{}, driver.Errorf(driver.ClassInvalidInput, "too new")
			}
		}, "too new", false},
		"Heat refuses": {func(b *bench, _ *magnum.ClusterTemplate) {
			b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					heattest.Refuse(w, http.StatusBadRequest, "Property error")
				}
				return r.Method == http.MethodPatch
			})
		}, "Property error", false},
		"the stack fails": {func(b *bench, _ *magnum.ClusterTemplate) {
			b.heat.SetAfter(func(http.ResponseWriter, *http.Request) bool {
				b.heat.Change("", func(s *heattest.Stack) {
					if s.Updates > 0 {
						s.Status, s.Reason = "UPDATE_FAILED", "broken"
					}
				})
				return false
			})
		}, "broken", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid, to := b.upgradable(c)
			before := b.cluster(uuid)
			tc.prepare(b, to)
			b.upgrade(uuid, magnum.DefaultWorker, to)
			got := b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateFailed, magnum.UpdateFailed, magnum.UpdateFailed, magnum.CreateComplete)
			if got.StatusReason != tc.want {
				t.Errorf("reason %q, want %q", got.StatusReason, tc.want)
			}
			if tc.late {
				b.is(got, to, upgradedLabels, newDriver)
			} else {
				b.is(got, b.template, before.Labels, before.Driver)
			}
		})
	}
}

// While an upgrade goes on, what it waits for is said.
func TestUpgradeSaysWhatItWaitsFor(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid, to := b.upgradable(c)
	b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			heattest.Refuse(w, http.StatusServiceUnavailable, "busy")
		}
		return r.Method == http.MethodPatch
	})
	b.upgrade(uuid, magnum.DefaultWorker, to)
	turn(t.Context(), c)
	got := b.cluster(uuid).StatusReason
	if !strings.HasPrefix(got, "waiting for Heat to take the update of stack my-cluster-") || !strings.HasSuffix(got, "Heat is unavailable") {
		t.Errorf("%q", got)
	}
	b.is(b.cluster(uuid), b.template, magnum.Labels{"kube_tag": "v1.18", "dashboard": "false", "gone": "x", "own": "z"}, magnum.DriverRef{Name: "fake", Version: "1.0.0"})
}

func TestUpgradeSurvivesCrash(t *testing.T) {
	var to *magnum.ClusterTemplate
	survives(t, magnum.OpUpgrade, func(b *bench, c *Conductor) (uuid string) {
		uuid, to = b.upgradable(c)
		return uuid
	}, func(b *bench, uuid string) {
		b.upgrade(uuid, magnum.DefaultWorker, to)
	}, func(b *bench, uuid string) {
		got := b.cluster(uuid)
		b.wantStatuses(got, magnum.UpdateComplete, magnum.UpdateComplete, magnum.UpdateComplete, magnum.CreateComplete)
		b.is(got, to, upgradedLabels, newDriver)
		if n := len(b.heat.Stacks()); n != 2 {
			b.Errorf("%d stacks", n)
		}
	})
}
