package conductor

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

func TestCreate(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.create(nil)
	got := b.settled(uuid, c)

	type view struct {
		Status                                magnum.Status
		Reason, API, COE, Container, Username string
		Refs                                  bool
	}
	want := view{
		Status: magnum.CreateComplete, API: "https://10.0.0.1:6443", COE: "v1.30", Container: "1.12.6",
		Username: uuid + "_" + keystonetest.DemoProj, Refs: true,
	}
	have := view{got.Status, got.StatusReason, got.APIAddress, got.COEVersion, got.ContainerVersion, got.TrusteeUsername,
		got.CACertRef != "" && got.MagnumCertRef != "" && got.EtcdCACertRef != "" && got.FrontProxyCertRef != ""}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	stacks := b.heat.Stacks()
	if len(stacks) != 1 {
		t.Fatalf("%d stacks", len(stacks))
	}
	if got.StackID != stacks[0].ID || !strings.HasPrefix(stacks[0].Name, "my-cluster-") {
		t.Errorf("cluster has stack %q, Heat has %q called %q", got.StackID, stacks[0].ID, stacks[0].Name)
	}
	for _, g := range got.NodeGroups {
		if g.Status != magnum.CreateComplete || g.StackID != got.StackID || len(g.NodeAddresses) == 0 {
			t.Errorf("group %s: %s, stack %q, addresses %v", g.Name, g.Status, g.StackID, g.NodeAddresses)
		}
	}
	sent := stacks[0].Body["parameters"].(map[string]any)
	if sent["password"] != got.TrusteePassword || sent["trust"] != "" || !strings.Contains(sent["key"].(string), "PRIVATE KEY") {
		t.Error("the secrets were not filled in as asked")
	}
	if stacks[0].Body["timeout_mins"] != float64(30) {
		t.Errorf("timeout_mins is %v", stacks[0].Body["timeout_mins"])
	}
	if e := b.driver.renders[0].Endpoints; e.AuthURL != b.keystone.URL+"/v3" || e.MagnumURL != "http://magnum.test/v1" || e.Region != "RegionOne" || e.RegistryRegion != "RegionOne" || e.Octavia {
		t.Errorf("endpoints %+v", e)
	}
}

// The status reason of a cluster in the making says what is waited for.
func TestCreateSaysWhatItWaitsFor(t *testing.T) {
	b := newBench(t)
	b.heat.Hold = true
	c := b.conductor()
	uuid := b.create(nil)
	turn(t.Context(), c)
	got := b.cluster(uuid)
	if want := "waiting for stack " + b.heat.Stacks()[0].Name + " since 2026-03-01T12:00:00Z"; got.StatusReason != want {
		t.Errorf("status reason %q, want %q", got.StatusReason, want)
	}
	b.heat.SetBefore(func(w http.ResponseWriter, _ *http.Request) bool {
		heattest.Refuse(w, http.StatusServiceUnavailable, "busy")
		return true
	})
	b.clock.Advance(5 * time.Second)
	turn(t.Context(), c)
	if got := b.cluster(uuid); !strings.HasSuffix(got.StatusReason, "since 2026-03-01T12:00:00Z: Heat is unavailable") || got.Status != magnum.CreateInProgress {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
	b.heat.SetBefore(nil)
	turn(t.Context(), c)
	if got := b.cluster(uuid); strings.Contains(got.StatusReason, "unavailable") {
		t.Errorf("the outage is over, the reason is still %q", got.StatusReason)
	}
	b.heat.SetHold(false)
	if got := b.settled(uuid, c); got.Status != magnum.CreateComplete || got.StatusReason != "" {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
}

func TestCreateFails(t *testing.T) {
	tests := map[string]struct {
		prepare func(*bench)
		want    string
		faults  map[string]string
	}{
		"Heat refuses the template": {
			func(b *bench) {
				b.heat.Before = func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodPost {
						heattest.Refuse(w, http.StatusBadRequest, "The Parameter (x) was not defined in template.")
					}
					return r.Method == http.MethodPost
				}
			},
			"The Parameter (x) was not defined in template.", nil,
		},
		"a resource fails deep down": {
			func(b *bench) {
				b.heat.New = func(s *heattest.Stack) {
					s.Status, s.Reason = "CREATE_FAILED", "Resource CREATE failed"
					s.Resources = []heattest.Resource{
						{Path: []string{"masters"}, Type: "OS::Heat::ResourceGroup", Status: "CREATE_FAILED", Reason: "resources.masters: 0 failed"},
						{Path: []string{"masters", "0"}, Type: "master.yaml", Status: "CREATE_FAILED", Reason: "resources[0]: failed"},
						{Path: []string{"masters", "0", "server"}, Type: "OS::Nova::Server", Status: "CREATE_FAILED", Reason: "No valid host was found."},
						{Path: []string{"network"}, Type: "OS::Neutron::Net", Status: "CREATE_COMPLETE", Reason: "state changed"},
					}
				}
			},
			"masters.0.server: No valid host was found.",
			map[string]string{"masters.0.server": "No valid host was found."},
		},
		"a resource repeats what it was given": {
			func(b *bench) {
				b.heat.New = func(s *heattest.Stack) {
					s.Status = "CREATE_FAILED"
					password := fmt.Sprint(s.Body["parameters"].(map[string]any)["password"])
					s.Resources = []heattest.Resource{{Path: []string{"x"}, Type: "T", Status: "CREATE_FAILED", Reason: "bad password " + password}}
				}
			},
			"x: bad password ***", map[string]string{"x": "bad password ***"},
		},
		"the stack disappears": {
			func(b *bench) { b.heat.New = func(s *heattest.Stack) { s.Status = "DELETE_IN_PROGRESS" } },
			"Stack with id stack-1 not found in Heat.", nil,
		},
		"no trustee domain": {
			func(b *bench) {
				b.keystone.Fault = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/v3/users" {
						return false
					}
					w.WriteHeader(http.StatusForbidden)
					return true
				}
			},
			"Failed to create trustee ", nil,
		},
		"a network that is not there": {
			func(b *bench) {
				b.options.MagnumClient.RegionName = "Elsewhere"
			},
			"No public endpoint of service container-infra in the catalogue.", nil,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			tc.prepare(b)
			got := b.settled(b.create(nil), b.conductor())
			if got.Status != magnum.CreateFailed || !strings.HasPrefix(got.StatusReason, tc.want) {
				t.Errorf("%s %q, want %q", got.Status, got.StatusReason, tc.want)
			}
			if d := cmp.Diff(tc.faults, got.Faults); d != "" {
				t.Errorf("faults (-want +got):\n%s", d)
			}
			for _, g := range got.NodeGroups {
				reason := ""
				if tc.faults != nil { // it was the stack
					reason = tc.want
				}
				if g.Status != magnum.CreateFailed || g.StatusReason != reason {
					t.Errorf("group %s is %s %q", g.Name, g.Status, g.StatusReason)
				}
			}
		})
	}
}
