package conductor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func (b *bench) delete(uuid string) {
	b.Helper()
	b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
}

func TestDelete(t *testing.T) {
	tests := map[string]func(*bench, string){
		"all is well":           func(*bench, string) {},
		"the driver is missing": func(b *bench, _ string) { b.driver.get = driver.Errorf(driver.ClassNotFound, "not installed") },
		"the trust is broken":   func(b *bench, _ string) { b.keystone.BreakTrusts() },
		"the stack is gone": func(b *bench, _ string) {
			b.heat.Change("", func(s *heattest.Stack) { s.Status = "DELETE_IN_PROGRESS" })
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.conductor()
			uuid := b.made(c)
			prepare(b, uuid)
			b.delete(uuid)
			b.destroyed(uuid, c)
			b.nothingLeft(uuid)
		})
	}
}

// What failed before it had anything is deleted without a stack.
func TestDeleteOfNothing(t *testing.T) {
	b := newBench(t)
	b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
		return driver.RenderResponse{}, driver.Errorf(driver.ClassInvalidInput, "no")
	}
	c := b.conductor()
	uuid := b.create(nil)
	b.settled(uuid, c)
	b.delete(uuid)
	b.destroyed(uuid, c)
	b.nothingLeft(uuid)
}

func TestDeleteFails(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	b.heat.SetAfter(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			b.heat.Change("", func(s *heattest.Stack) {
				s.Status, s.Resources = "DELETE_FAILED", []heattest.Resource{{Path: []string{"net"}, Type: "OS::Neutron::Net", Status: "DELETE_FAILED", Reason: "ports still in use"}}
			})
		}
		return false
	})
	b.delete(uuid)
	got := b.settled(uuid, c)
	if got.Status != magnum.DeleteFailed || got.StatusReason != "net: ports still in use" {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
	b.heat.SetAfter(nil)
	b.delete(uuid)
	b.destroyed(uuid, c)
	b.nothingLeft(uuid)
}

// octavia is as much of it as a clean-up needs.
type octavia struct {
	mu    sync.Mutex
	lbs   map[string]map[string]string
	asked []string
}

func (o *octavia) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Method == http.MethodDelete {
		o.asked = append(o.asked, r.URL.RequestURI())
		delete(o.lbs, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		w.WriteHeader(http.StatusNoContent)
		return
	}
	all := []any{}
	for _, lb := range o.lbs {
		all = append(all, lb)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"loadbalancers": all}) // the client went away
}

// Load balancers that Kubernetes made go before the stack; others stay.
func TestPreDelete(t *testing.T) {
	b := newBench(t)
	o := &octavia{}
	srv := httptest.NewServer(o)
	t.Cleanup(srv.Close)
	b.keystone.Catalog["load-balancer"] = srv.URL
	c := b.conductor()
	uuid := b.made(c)
	if !b.driver.renders[0].Endpoints.Octavia {
		t.Error("the driver was not told of Octavia")
	}
	o.lbs = map[string]map[string]string{
		"ours":  {"id": "ours", "project_id": keystonetest.DemoProj, "description": "Kubernetes external service a from cluster " + uuid, "provisioning_status": "ACTIVE"},
		"other": {"id": "other", "project_id": keystonetest.DemoProj, "description": "Kubernetes external service a from cluster other", "provisioning_status": "ACTIVE"},
		"more":  {"id": "more", "project_id": keystonetest.DemoProj, "description": "Kubernetes x from cluster " + uuid + " and more", "provisioning_status": "ACTIVE"},
		"alien": {"id": "alien", "project_id": "another", "description": "Kubernetes external service a from cluster " + uuid, "provisioning_status": "ACTIVE"},
	}
	b.driver.cleanups = []driver.Cleanup{{Kind: driver.CleanupLoadBalancer, DescriptionPattern: "Kubernetes .+ from cluster " + uuid, Cascade: true}}
	b.delete(uuid)
	b.destroyed(uuid, c)
	if len(o.asked) != 1 || o.asked[0] != "/v2.0/lbaas/loadbalancers/ours?cascade=true" {
		t.Errorf("deleted %v", o.asked)
	}
}

// A pattern that does not name the cluster would reach into others.
func TestPreDeletePattern(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	uuid := b.made(c)
	b.driver.cleanups = []driver.Cleanup{{Kind: driver.CleanupLoadBalancer, DescriptionPattern: ".*"}}
	b.delete(uuid)
	got := b.settled(uuid, c)
	if got.Status != magnum.DeleteFailed || !strings.Contains(got.StatusReason, "does not name the cluster") || len(b.heat.Stacks()) != 1 {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
}

// Heat takes a delete and forgets about it, while the stack is still being
// made: it is asked again.
func TestDeleteIsAskedForAgain(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	b.heat.SetHold(true)
	uuid := b.create(nil)
	turn(t.Context(), c)
	asked := 0
	b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodDelete {
			return false
		}
		asked++
		if asked == 1 {
			w.WriteHeader(http.StatusNoContent)
			return true
		}
		b.heat.SetHold(false)
		return false
	})
	b.delete(uuid)
	b.destroyed(uuid, c)
	b.nothingLeft(uuid)
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
