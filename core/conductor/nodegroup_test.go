package conductor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestCreateNodeGroup(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	b.heat.New = func(s *heattest.Stack) {
		s.Outputs = map[string]any{"api_address": "10.0.0.1"}
		s.Parameters = map[string]any{"password": "not hidden", "name": "n"}
	}
	uuid := b.create(nil)
	before := b.settled(uuid, c)
	b.heat.SetHold(true)
	b.createGroup(uuid, "gpu_nodes-1")
	turn(t.Context(), c)
	busy := b.cluster(uuid)
	b.wantStatuses(busy, magnum.UpdateInProgress, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateInProgress)
	if !strings.HasPrefix(busy.StatusReason, "waiting for stack my-cluster-gpu-nodes-") {
		t.Errorf("status reason %q", busy.StatusReason)
	}
	b.heat.SetHold(false)
	got := b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateComplete)
	g := got.NodeGroup("gpu_nodes-1")
	stack := b.stackOf(g)
	if stack == nil || !strings.HasPrefix(stack.Name, "my-cluster-gpu-nodes-") || got.StackID != before.StackID || got.StackID == g.StackID {
		t.Fatalf("stack %+v of the group, %q of the cluster", stack, got.StackID)
	}
	if d := cmp.Diff([]string{"10.0.1.2"}, g.NodeAddresses); d != "" {
		t.Errorf("the group's addresses: %s", d)
	}
	if got.APIAddress != before.APIAddress || cmp.Diff(before.Default(false).NodeAddresses, got.Default(false).NodeAddresses) != "" {
		t.Errorf("the group's stack changed the cluster: %s, %v", got.APIAddress, got.Default(false).NodeAddresses)
	}
	asked := b.driver.renders[len(b.driver.renders)-1]
	if asked.Intent != driver.IntentCreateNodeGroup || asked.NodeGroup != g.Name || len(asked.NodeGroups) != 3 {
		t.Errorf("asked for %s of %s, %d groups", asked.Intent, asked.NodeGroup, len(asked.NodeGroups))
	}
	if d := cmp.Diff(map[string]driver.RawJSON{"api_address": driver.RawJSON(`"10.0.0.1"`)}, asked.ClusterOutputs); d != "" {
		t.Errorf("the cluster's outputs (-want +got):\n%s", d)
	}
	if b.driver.renders[0].ClusterOutputs != nil {
		t.Error("the cluster's own stack is rendered with outputs of it")
	}
	read := b.driver.outputs[len(b.driver.outputs)-1]
	if d := cmp.Diff(map[string]string{"name": "n"}, read.Parameters); d != "" || read.NodeGroup != g.Name {
		t.Errorf("asked to read %q: %s", read.NodeGroup, d)
	}
}

// A group that fails says so, and takes the cluster's status with it until it
// is gone.
func TestCreateNodeGroupFails(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	b.heat.New = func(s *heattest.Stack) {
		s.Status, s.Reason = "CREATE_FAILED", "Resource CREATE failed"
		s.Resources = []heattest.Resource{
			{Path: []string{"kube_minions"}, Type: "OS::Heat::ResourceGroup", Status: "CREATE_FAILED", Reason: "0 failed"},
			{Path: []string{"kube_minions", "0"}, Type: "OS::Nova::Server", Status: "CREATE_FAILED", Reason: "No valid host was found."},
		}
	}
	b.createGroup(uuid, "gpu")
	got := b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateFailed)
	const cause = "kube_minions.0: No valid host was found."
	if got.StatusReason != "gpu failed: "+cause || got.NodeGroup("gpu").StatusReason != cause {
		t.Errorf("%q, the group %q", got.StatusReason, got.NodeGroup("gpu").StatusReason)
	}
	if d := cmp.Diff(map[string]string{"kube_minions.0": "No valid host was found."}, got.Faults); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
	// Another group's success does not make it well.
	b.heat.New = nil
	b.createGroup(uuid, "more")
	got = b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateFailed, magnum.CreateComplete)
	if got.StatusReason != "gpu failed: "+cause || got.Faults != nil {
		t.Errorf("%q, faults %v", got.StatusReason, got.Faults)
	}
	for _, name := range []string{"gpu", "more"} {
		b.deleteGroup(uuid, name)
		got = b.settled(uuid, c)
	}
	b.wantStatuses(got, magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete)
	if got.StatusReason != "" || len(b.heat.Stacks()) != 1 {
		t.Errorf("%q, %d stacks", got.StatusReason, len(b.heat.Stacks()))
	}
}

func TestCreateNodeGroupRefused(t *testing.T) {
	tests := map[string]struct {
		prepare func(*bench)
		want    string
	}{
		"by Heat": {func(b *bench) {
			b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPost {
					heattest.Refuse(w, http.StatusBadRequest, "Property error")
				}
				return r.Method == http.MethodPost
			})
		}, "Property error"},
		"the driver is gone": {func(b *bench) {
			b.driver.get = driver.Errorf(driver.ClassNotFound, "Driver fake 1.0.0 is not installed.")
		}, "Driver fake 1.0.0 is not installed."},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.made(c)
			tc.prepare(b)
			b.createGroup(uuid, "gpu")
			got := b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.CreateFailed)
			if got.StatusReason != "gpu failed: "+tc.want || got.NodeGroup("gpu").StatusReason != tc.want || got.Faults != nil {
				t.Errorf("%q, the group %q, faults %v", got.StatusReason, got.NodeGroup("gpu").StatusReason, got.Faults)
			}
			b.heat.SetBefore(nil)
			b.deleteGroup(uuid, "gpu") // needs no driver
			got = b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete)
		})
	}
}

func TestUpdateNodeGroup(t *testing.T) {
	for _, name := range []string{"gpu", magnum.DefaultWorker} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.withGroup(c)
			b.updateGroup(uuid, name)
			got := b.settled(uuid, c)
			defaults, extra := magnum.CreateComplete, magnum.UpdateComplete
			if name == magnum.DefaultWorker {
				defaults, extra = magnum.UpdateComplete, magnum.CreateComplete
			}
			b.wantStatuses(got, magnum.UpdateComplete, defaults, defaults, extra)
			g := got.NodeGroup(name)
			if g.MinNodeCount != 1 || g.MaxNodeCount != 7 || g.NodeLabels["zone"] != "b" || len(g.NodeTaints) != 1 {
				t.Errorf("group %+v", g)
			}
			for _, s := range b.heat.Stacks() {
				if want := map[bool]int{true: 1}[s.ID == g.StackID]; s.Updates != want {
					t.Errorf("stack %s was updated %d times, want %d", s.Name, s.Updates, want)
				}
			}
			asked := b.driver.renders[len(b.driver.renders)-1]
			if asked.Intent != driver.IntentUpdateNodeGroup || asked.NodeGroup != name || (asked.ClusterOutputs == nil) == (name == "gpu") {
				t.Errorf("asked for %s of %s with outputs %v", asked.Intent, asked.NodeGroup, asked.ClusterOutputs)
			}
		})
	}
}

// An update that fails leaves in the rows what was there before.
func TestUpdateNodeGroupFails(t *testing.T) {
	tests := map[string]struct {
		prepare func(*bench)
		want    string
		faults  map[string]string
	}{
		"the driver is gone": {func(b *bench) {
			b.driver.get = driver.Errorf(driver.ClassNotFound, "Driver fake 1.0.0 is not installed.")
		}, "Driver fake 1.0.0 is not installed.", nil},
		"the stack fails": {func(b *bench) {
			b.heat.SetAfter(func(http.ResponseWriter, *http.Request) bool {
				b.heat.Change("", func(s *heattest.Stack) {
					if s.Updates > 0 {
						s.Status, s.Reason = "UPDATE_FAILED", "no"
						s.Resources = []heattest.Resource{{Path: []string{"x"}, Type: "T", Status: "UPDATE_FAILED", Reason: "no room"}}
					}
				})
				return false
			})
		}, "x: no room", map[string]string{"x": "no room"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.withGroup(c)
			b.request(uuid, magnum.OpUpdateNodeGroup, magnum.NodeGroupInput{NodeGroup: "gpu", Before: b.cluster(uuid).NodeGroup("gpu")},
				func(c *magnum.Cluster) { c.NodeGroup("gpu").MaxNodeCount = 3 })
			b.settled(uuid, c)
			tc.prepare(b)
			b.updateGroup(uuid, "gpu")
			got := b.settled(uuid, c)
			b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.UpdateFailed)
			g := got.NodeGroup("gpu")
			if g.MinNodeCount != 0 || g.MaxNodeCount != 3 || len(g.NodeLabels) != 0 || len(g.NodeTaints) != 0 {
				t.Errorf("not restored: %+v", g)
			}
			if got.StatusReason != "gpu failed: "+tc.want || g.StatusReason != tc.want {
				t.Errorf("%q, the group %q", got.StatusReason, g.StatusReason)
			}
			if d := cmp.Diff(tc.faults, got.Faults); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
		})
	}
}

func TestDeleteNodeGroup(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.withGroup(c)
	b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			b.heat.Change(b.cluster(uuid).NodeGroup("gpu").StackID, func(s *heattest.Stack) {
				s.Status, s.Resources = "DELETE_FAILED", []heattest.Resource{{Path: []string{"port"}, Type: "T", Status: "DELETE_FAILED", Reason: "in use"}}
			})
		}
		return false
	})
	b.deleteGroup(uuid, "gpu")
	got := b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateFailed, magnum.CreateComplete, magnum.CreateComplete, magnum.DeleteFailed)
	if got.StatusReason != "gpu failed: port: in use" || got.Faults["port"] != "in use" {
		t.Errorf("%q, faults %v", got.StatusReason, got.Faults)
	}
	b.heat.SetAfter(nil)
	b.driver.get = driver.Errorf(driver.ClassNotFound, "not installed")
	b.deleteGroup(uuid, "gpu")
	got = b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete)
	if stacks := b.heat.Stacks(); len(stacks) != 1 || stacks[0].ID != got.StackID {
		t.Errorf("%d stacks are left", len(stacks))
	}
}

func TestResizeNodeGroup(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.withGroup(c)
	b.driver.selects = func(r driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
		if r.NodeGroup.Name != "gpu" || len(r.Nodes) != 3 || r.NodeGroup.NodeCount != 2 {
			t.Errorf("asked for nodes of %s: %+v", r.NodeGroup.Name, r.Nodes)
		}
		return driver.SelectNodesResponse{Nodes: []driver.Selected{{HeatIndex: "0"}}}, nil
	}
	before := b.cluster(uuid)
	// The cluster's own stack has other servers.
	b.heat.Change(before.StackID, func(s *heattest.Stack) { s.Resources = s.Resources[:5] })
	in := magnum.ResizeInput{NodeGroup: "gpu", NodeCount: 1, Previous: 2}
	b.request(uuid, magnum.OpResize, in, func(c *magnum.Cluster) { c.NodeGroup("gpu").NodeCount = 1 })
	got := b.settled(uuid, c)
	b.wantStatuses(got, magnum.UpdateComplete, magnum.CreateComplete, magnum.CreateComplete, magnum.UpdateComplete)
	if s := b.stackOf(got.NodeGroup("gpu")); s.Updates != 1 || got.NodeGroup("gpu").NodeCount != 1 {
		t.Errorf("%d updates, %d nodes", s.Updates, got.NodeGroup("gpu").NodeCount)
	}
	asked := b.driver.renders[len(b.driver.renders)-1]
	if d := cmp.Diff([]string{"0"}, asked.NodesToRemove); d != "" || asked.Intent != driver.IntentResize || asked.ClusterOutputs == nil {
		t.Errorf("asked for %s: %s", asked.Intent, d)
	}
}

// A cluster takes the stacks of its node groups with it, before its own.
func TestDeleteWithNodeGroups(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.withGroup(c)
	b.createGroup(uuid, "other")
	b.settled(uuid, c)
	if n := len(b.heat.Stacks()); n != 3 {
		t.Fatalf("%d stacks", n)
	}
	b.driver.get = driver.Errorf(driver.ClassNotFound, "not installed")
	var gone []string
	b.heat.SetBefore(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			gone = append(gone, strings.Split(r.URL.Path, "/")[5])
			if len(gone) == 3 && len(b.heat.Stacks()) != 1 {
				t.Errorf("the cluster's stack is to go, and there are still %d", len(b.heat.Stacks()))
			}
		}
		return false
	})
	row := b.cluster(uuid)
	b.delete(uuid)
	b.destroyed(uuid, c)
	b.nothingLeft(uuid)
	want := []string{row.NodeGroup("gpu").StackID, row.NodeGroup("other").StackID, row.StackID}
	if d := cmp.Diff(want, gone); d != "" {
		t.Errorf("stacks in the order of their removal (-want +got):\n%s", d)
	}
}

// A group whose stack does not go keeps the cluster, and is named.
func TestDeleteFailsInANodeGroup(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.withGroup(c)
	stack := b.cluster(uuid).NodeGroup("gpu").StackID
	b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			b.heat.Change(stack, func(s *heattest.Stack) {
				s.Status, s.Resources = "DELETE_FAILED", []heattest.Resource{{Path: []string{"port"}, Type: "T", Status: "DELETE_FAILED", Reason: "in use"}}
			})
		}
		return false
	})
	b.delete(uuid)
	got := b.settled(uuid, c)
	b.wantStatuses(got, magnum.DeleteFailed, magnum.DeleteFailed, magnum.DeleteFailed, magnum.DeleteFailed)
	if got.StatusReason != "gpu failed: port: in use" || got.NodeGroup("gpu").StatusReason != "port: in use" || got.Default(true).StatusReason != "" {
		t.Errorf("%q, groups %+v", got.StatusReason, got.NodeGroups)
	}
	if len(b.heat.Stacks()) != 2 {
		t.Errorf("%d stacks", len(b.heat.Stacks()))
	}
	b.heat.SetAfter(nil)
	b.delete(uuid)
	b.destroyed(uuid, c)
	b.nothingLeft(uuid)
}

// Groups of the same name, in clusters of the same name, have stacks of their
// own; and so has one that comes after another.
func TestNodeGroupsOfOneName(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	first, second := b.withGroup(c), b.withGroup(c)
	before := b.cluster(first).NodeGroup("gpu").StackID
	b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool { // it does not go yet
		if r.Method == http.MethodDelete {
			b.heat.Change("", func(s *heattest.Stack) {
				if s.Status == "DELETE_IN_PROGRESS" {
					s.Status = "DELETE_FAILED"
				}
			})
		}
		return false
	})
	b.deleteGroup(first, "gpu")
	b.settled(first, c)
	b.heat.SetAfter(nil)
	b.deleteGroup(first, "gpu")
	b.settled(first, c)
	b.createGroup(first, "gpu")
	after := b.settled(first, c).NodeGroup("gpu").StackID
	if n := len(b.heat.Stacks()); n != 4 || after == before || after == b.cluster(second).NodeGroup("gpu").StackID {
		t.Errorf("%d stacks, want 4; the group's is %s, was %s", n, after, before)
	}
	names := map[string]bool{}
	for _, s := range b.heat.Stacks() {
		names[s.Name] = true
	}
	if len(names) != 4 {
		t.Errorf("names %v", names)
	}
}
