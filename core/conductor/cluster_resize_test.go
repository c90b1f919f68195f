package conductor

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// workers are the resources of three workers and a master.
func workers(s *heattest.Stack) {
	s.Resources = []heattest.Resource{
		{Path: []string{"kube_masters"}, Type: "OS::Heat::ResourceGroup", Status: "CREATE_COMPLETE"},
		{Path: []string{"kube_masters", "0"}, Type: "m.yaml", Status: "CREATE_COMPLETE"},
		{Path: []string{"kube_masters", "0", "kube-master"}, Type: "OS::Nova::Server", Status: "CREATE_COMPLETE", Server: "m0"},
		{Path: []string{"kube_minions"}, Type: "OS::Heat::ResourceGroup", Status: "CREATE_COMPLETE"},
	}
	for _, i := range []string{"10", "2", "0"} {
		s.Resources = append(s.Resources,
			heattest.Resource{Path: []string{"kube_minions", i}, Type: "n.yaml", Status: "CREATE_COMPLETE"},
			heattest.Resource{
				Path: []string{"kube_minions", i, "kube-minion"}, Type: "OS::Nova::Server", Status: "CREATE_COMPLETE",
				Server: "s" + i, Name: "prod-node-" + i, Address: "10.0.0.10" + i,
			})
	}
}

func (b *bench) made(c *Conductor) string {
	b.Helper()
	b.heat.New = workers
	uuid := b.create(nil)
	if got := b.settled(uuid, c); got.Status != magnum.CreateComplete {
		b.Fatalf("%s %q", got.Status, got.StatusReason)
	}
	return uuid
}

func TestShrink(t *testing.T) {
	tests := map[string]struct {
		named   []string
		selects func(driver.SelectNodesRequest) (driver.SelectNodesResponse, error)
		noScale bool
		want    []string
	}{
		"the user names the node": {named: []string{"10.0.0.3"}, want: []string{"10.0.0.3"}},
		"the driver leaves it":    {noScale: true},
		"the cluster does not answer": {selects: func(driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
			return driver.SelectNodesResponse{}, driver.Errorf(driver.ClassUnavailable, "no answer from the cluster")
		}},
		"the driver chooses": {selects: func(r driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
			want := []driver.Node{
				{Name: "prod-node-0", Address: "10.0.0.100", HeatIndex: "0", ServerID: "s0"},
				{Name: "prod-node-2", Address: "10.0.0.102", HeatIndex: "2", ServerID: "s2"},
				{Name: "prod-node-10", Address: "10.0.0.1010", HeatIndex: "10", ServerID: "s10"},
			}
			if !slices.Equal(r.Nodes, want) || r.Count != 1 || r.Access.Endpoint != "https://10.0.0.1:6443" || r.Access.ClientCert == "" {
				return driver.SelectNodesResponse{}, fmt.Errorf("asked %+v", r)
			}
			return driver.SelectNodesResponse{Nodes: []driver.Selected{{HeatIndex: "7"}, {HeatIndex: "2", Reason: "idle"}, {HeatIndex: "0"}}}, nil
		}, want: []string{"2"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.made(c)
			b.driver.selects, b.driver.noScale = tc.selects, tc.noScale
			b.accept(uuid, resizeTo(2, 3, tc.named...), magnum.UpdateInProgress)
			got := b.settled(uuid, c)
			if got.Status != magnum.UpdateComplete || got.StatusReason != "" || got.NodeCount() != 2 {
				t.Errorf("%s %q %d", got.Status, got.StatusReason, got.NodeCount())
			}
			last := b.driver.renders[len(b.driver.renders)-1]
			if !slices.Equal(last.NodesToRemove, tc.want) || last.Intent != driver.IntentResize || last.NodeGroup != magnum.DefaultWorker {
				t.Errorf("the driver was asked to remove %v of %s (%s), want %v", last.NodesToRemove, last.NodeGroup, last.Intent, tc.want)
			}
		})
	}
}

// A server may be nested deeper than its place in the group.
func TestShrinkServersOnVolumes(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	b.heat.Change(b.cluster(uuid).StackID, func(s *heattest.Stack) {
		for i, r := range s.Resources {
			if r.Type == "OS::Nova::Server" {
				volume := append(slices.Clone(r.Path[:2]), "server_on_volume")
				s.Resources = append(s.Resources, heattest.Resource{Path: volume, Type: "v.yaml", Status: r.Status})
				s.Resources[i].Path = append(slices.Clone(volume), "server")
			}
		}
	})
	var indexes []string
	b.driver.selects = func(r driver.SelectNodesRequest) (driver.SelectNodesResponse, error) {
		for _, n := range r.Nodes {
			indexes = append(indexes, n.HeatIndex)
		}
		return driver.SelectNodesResponse{}, nil
	}
	b.accept(uuid, resizeTo(2, 3), magnum.UpdateInProgress)
	b.settled(uuid, c)
	if want := []string{"0", "2", "10"}; !slices.Equal(indexes, want) {
		t.Errorf("the driver was asked to choose of %v, want %v", indexes, want)
	}
}

// While the stack changes, cluster and groups say so.
func TestResizeInProgress(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	b.heat.SetHold(true)
	b.accept(uuid, resizeTo(5, 3), magnum.UpdateInProgress)
	turn(t.Context(), c)
	got := b.cluster(uuid)
	if got.Status != magnum.UpdateInProgress || got.Default(false).Status != magnum.UpdateInProgress || got.NodeCount() != 5 ||
		!strings.HasPrefix(got.StatusReason, "waiting for stack ") {
		t.Errorf("%s %q, group %s, %d nodes", got.Status, got.StatusReason, got.Default(false).Status, got.NodeCount())
	}
}

func TestResizeFails(t *testing.T) {
	tests := map[string]struct {
		prepare func(*bench)
		status  magnum.Status
		want    string
	}{
		"the driver refuses": {
			func(b *bench) {
				b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
					return driver.RenderResponse{}, driver.Errorf(driver.ClassInvalidInput, "five is too many")
				}
			}, magnum.UpdateFailed, "five is too many",
		},
		"Heat refuses": {
			func(b *bench) {
				b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodPatch {
						heattest.Refuse(w, http.StatusBadRequest, "Property error")
					}
					return r.Method == http.MethodPatch
				})
			}, magnum.UpdateFailed, "Property error",
		},
		"the stack fails": {
			func(b *bench) {
				b.heat.SetAfter(func(http.ResponseWriter, *http.Request) bool {
					b.heat.Change("", func(s *heattest.Stack) {
						if s.Updates > 0 {
							s.Status, s.Reason, s.Resources = "UPDATE_FAILED", "no host for the fifth", nil
						}
					})
					return false
				})
			}, magnum.UpdateFailed, "no host for the fifth",
		},
		"Heat rolls back": {
			func(b *bench) {
				b.heat.SetAfter(func(http.ResponseWriter, *http.Request) bool {
					b.heat.Change("", func(s *heattest.Stack) {
						if s.Updates > 0 {
							s.Status, s.Reason, s.Resources = "ROLLBACK_COMPLETE", "rolled back", nil
						}
					})
					return false
				})
			}, magnum.RollbackComplete, "rolled back",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.made(c)
			tc.prepare(b)
			b.accept(uuid, resizeTo(5, 3), magnum.UpdateInProgress)
			got := b.settled(uuid, c)
			if got.Status != tc.status || got.StatusReason != tc.want || got.NodeCount() != 3 || got.Default(false).Status != tc.status {
				t.Errorf("%s %q, %d nodes, group %s", got.Status, got.StatusReason, got.NodeCount(), got.Default(false).Status)
			}
		})
	}
}

// A stack that still shows the end of an earlier update is not taken for
// finished.
func TestResizeWaitsForItsOwnUpdate(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	b.accept(uuid, resizeTo(4, 3), magnum.UpdateInProgress)
	b.settled(uuid, c)
	before := b.heat.Stacks()[0].Updated
	stale := true
	b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch && stale {
			b.heat.Change("", func(s *heattest.Stack) { s.Status, s.Updated = "UPDATE_COMPLETE", before })
		}
		return false
	})
	b.accept(uuid, resizeTo(5, 4), magnum.UpdateInProgress)
	for range 20 {
		turn(t.Context(), c)
	}
	if got := b.cluster(uuid); got.Status != magnum.UpdateInProgress {
		t.Errorf("%s, but the update has not begun", got.Status)
	}
	b.heat.Change("", func(s *heattest.Stack) { s.Updated = "2020-01-01T00:00:59Z" })
	if got := b.settled(uuid, c); got.Status != magnum.UpdateComplete || got.NodeCount() != 5 {
		t.Errorf("%s, %d nodes", got.Status, got.NodeCount())
	}
}
