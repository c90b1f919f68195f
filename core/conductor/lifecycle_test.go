package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// farm is what the clusters of a driver without Heat are made of. It outlives
// the driver's processes, and begins nothing twice.
type farm struct {
	mu       sync.Mutex
	clusters map[string]int                 // nodes by cluster
	pending  map[string]string              // operation by cluster
	requests map[string]driver.BeginRequest // by operation id
	begun    []string                       // intents, each operation once
	hold     bool                           // operations do not get further than their first event
	fail     string
	refuse   error // of Begin
	wake     chan struct{}
}

func newFarm() *farm {
	return &farm{clusters: map[string]int{}, pending: map[string]string{}, requests: map[string]driver.BeginRequest{}, wake: make(chan struct{})}
}

func (f *farm) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = false
	close(f.wake)
}

func (f *farm) Begin(_ context.Context, r driver.BeginRequest) (driver.BeginResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return driver.BeginResponse{}, f.refuse
	}
	out := driver.BeginResponse{Handle: "handle of " + r.OperationID, State: []byte("begun")}
	if _, again := f.requests[r.OperationID]; again {
		return out, nil
	}
	if other := f.pending[r.Cluster.UUID]; other != "" {
		return driver.BeginResponse{}, driver.Errorf(driver.ClassConflict, "operation %s is under way", other)
	}
	if _, there := f.clusters[r.Cluster.UUID]; !there && r.Intent == driver.IntentDelete {
		return driver.BeginResponse{}, driver.Errorf(driver.ClassNotFound, "no such cluster")
	}
	f.requests[r.OperationID], f.pending[r.Cluster.UUID] = r, r.OperationID
	f.begun = append(f.begun, string(r.Intent))
	return out, nil
}

func (f *farm) Resume(_ context.Context, r driver.ResumeRequest) (driver.ResumeResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.requests[r.Begin.OperationID]; !ok || r.Handle != "handle of "+r.Begin.OperationID {
		return driver.ResumeResponse{}, driver.Errorf(driver.ClassNotFound, "operation %q of handle %q is not known", r.Begin.OperationID, r.Handle)
	}
	return driver.ResumeResponse{Handle: r.Handle, State: r.State}, nil
}

// Watch tells of two steps and of the end; the second step needs what the first
// one left in the state.
func (f *farm) Watch(ctx context.Context, r driver.WatchRequest, send func(driver.Event) error) error {
	f.mu.Lock()
	begin := f.requests[r.OperationID]
	f.mu.Unlock()
	if r.FromSeq <= 1 {
		if err := send(driver.Event{Seq: 1, Phase: "nodes", Message: "1 of 2 nodes", Percent: 50, State: []byte("half")}); err != nil {
			return err
		}
		r.State = []byte("half")
	}
	f.mu.Lock()
	hold, wake := f.hold, f.wake
	f.mu.Unlock()
	if hold {
		select {
		case <-wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if string(r.State) != "half" {
		return driver.Errorf(driver.ClassBug, "the state is %q", r.State)
	}
	return send(f.end(begin))
}

// end has the operation's effect, once.
func (f *farm) end(r driver.BeginRequest) driver.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	e := driver.Event{Seq: 2, Done: true}
	if f.pending[r.Cluster.UUID] == r.OperationID {
		delete(f.pending, r.Cluster.UUID)
	}
	if f.fail != "" {
		e.Failed, e.Message = true, f.fail
		return e
	}
	if r.Intent == driver.IntentDelete {
		delete(f.clusters, r.Cluster.UUID)
		return e
	}
	nodes := 0
	for _, g := range r.NodeGroups {
		if g.Name == r.NodeGroup && r.Intent == driver.IntentDeleteNodeGroup {
			continue
		}
		nodes += g.NodeCount
		e.NodeGroups = append(e.NodeGroups, driver.NodeGroupPatch{Name: g.Name, NodeAddresses: slices.Repeat([]string{"192.0.2.1"}, g.NodeCount)})
	}
	f.clusters[r.Cluster.UUID] = nodes
	address := "https://192.0.2.1:6443"
	e.Cluster = driver.ClusterPatch{APIAddress: &address}
	return e
}

func (f *farm) Cancel(_ context.Context, r driver.CancelRequest) (driver.CancelResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	begin, ok := f.requests[r.OperationID]
	if !ok {
		return driver.CancelResponse{}, driver.Errorf(driver.ClassNotFound, "operation %s is not known", r.OperationID)
	}
	if f.pending[begin.Cluster.UUID] != r.OperationID {
		return driver.CancelResponse{}, nil
	}
	delete(f.pending, begin.Cluster.UUID)
	f.begun = append(f.begun, "cancelled")
	if _, there := f.clusters[begin.Cluster.UUID]; !there {
		f.clusters[begin.Cluster.UUID] = 0 // half of it is there
	}
	return driver.CancelResponse{Cancelled: true}, nil
}

// withoutHeat is a bench whose driver has a farm.
func withoutHeat(t *testing.T) (*bench, *farm) {
	t.Helper()
	b, f := newBench(t), newFarm()
	b.driver.lifecycle = f
	return b, f
}

func (b *bench) stackless() string {
	b.Helper()
	return b.create(func(c *magnum.Cluster) { c.Stackless = true })
}

// over turns conductors until an operation has ended, and waits for what they
// hear in between.
func (b *bench) over(uuid string, all ...*Conductor) {
	b.Helper()
	b.until("the operation ends", func() bool {
		for _, c := range all {
			c.streams.Wait()
		}
		op, err := b.db.ActiveOperation(b.Context(), uuid)
		b.must(err)
		return op == nil
	}, all...)
}

// clean checks that nothing is thought to be under way.
func (b *bench) clean(uuid string) {
	b.Helper()
	if left, err := b.db.DriverOperations(b.Context(), uuid); err != nil || len(left) != 0 {
		b.Errorf("records of driver operations are left: %+v, %v", left, err)
	}
}

func (b *bench) want(uuid string, status magnum.Status, nodes int, f *farm) *magnum.Cluster {
	b.Helper()
	got := b.cluster(uuid)
	if got.Status != status || f.clusters[uuid] != nodes || got.StackID != "" || len(b.heat.Stacks()) != 0 {
		b.Errorf("%s %q, want %s; %d nodes, want %d; stack %q, %d stacks", got.Status, got.StatusReason, status,
			f.clusters[uuid], nodes, got.StackID, len(b.heat.Stacks()))
	}
	b.clean(uuid)
	return got
}

func TestLifeWithoutHeat(t *testing.T) {
	b, f := withoutHeat(t)
	c := b.conductor()
	uuid := b.stackless()
	b.over(uuid, c)
	got := b.want(uuid, magnum.CreateComplete, 4, f)
	if got.APIAddress != "https://192.0.2.1:6443" || len(got.Addresses(false)) != 3 || got.CACertRef == "" || got.TrustID == "" {
		t.Errorf("cluster %+v", got)
	}
	b.accept(uuid, resizeTo(5, 3, "node-1"), magnum.UpdateInProgress)
	b.over(uuid, c)
	if got = b.want(uuid, magnum.UpdateComplete, 6, f); got.NodeCount() != 5 {
		t.Errorf("%d nodes", got.NodeCount())
	}
	b.createGroup(uuid, "gpu")
	b.over(uuid, c)
	if got = b.want(uuid, magnum.UpdateComplete, 8, f); got.NodeGroup("gpu").Status != magnum.CreateComplete || got.NodeGroup("gpu").StackID != "" {
		t.Errorf("group %+v", got.NodeGroup("gpu"))
	}
	b.updateGroup(uuid, "gpu")
	b.over(uuid, c)
	b.want(uuid, magnum.UpdateComplete, 8, f)
	b.deleteGroup(uuid, "gpu")
	b.over(uuid, c)
	if got = b.want(uuid, magnum.UpdateComplete, 6, f); got.NodeGroup("gpu") != nil {
		t.Error("the group is still there")
	}
	before := b.certificates(uuid)
	b.rotateCA(uuid)
	b.over(uuid, c)
	b.want(uuid, magnum.UpdateComplete, 6, f)
	if !b.rotated(before, b.certificates(uuid)) {
		t.Error("the certificates are the former ones")
	}
	b.must(b.db.PublishDrivers(t.Context(), "h", []state.Driver{{Name: "fake", Version: "2.0.0", Active: true, Description: driver.Description{
		ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes"}},
	}}}))
	to := b.newTemplate("new", magnum.Labels{"tag": "2"})
	b.upgrade(uuid, magnum.DefaultWorker, to)
	b.over(uuid, c)
	if got = b.want(uuid, magnum.UpdateComplete, 6, f); got.ClusterTemplateID != to.UUID || got.Driver.Version != "2.0.0" || got.Labels["tag"] != "2" {
		t.Errorf("after the upgrade %+v", got)
	}
	b.delete(uuid)
	b.over(uuid, c)
	b.nothingLeft(uuid)
	want := []string{"create", "resize", "create-nodegroup", "update-nodegroup", "delete-nodegroup", "rotate-ca", "upgrade", "delete"}
	if !slices.Equal(f.begun, want) || len(f.clusters) != 0 {
		t.Errorf("begun %v, want %v; left %v", f.begun, want, f.clusters)
	}
	for _, r := range f.requests {
		if r.Intent == driver.IntentResize && (r.NodeGroup != magnum.DefaultWorker || !slices.Equal(r.NodesToRemove, []string{"node-1"})) {
			t.Errorf("the resize was of %q without %v", r.NodeGroup, r.NodesToRemove)
		}
		if r.Intent == driver.IntentCreate && (r.Deadline != 30*time.Minute || r.Endpoints.Region != "RegionOne") {
			t.Errorf("the create had a deadline of %s and endpoints %+v", r.Deadline, r.Endpoints)
		}
	}
}

// Whatever phase a conductor dies in, before or after the effect, the next one
// goes on with what the driver has begun, once.
func TestLifecycleSurvivesCrash(t *testing.T) {
	kinds := map[magnum.OperationKind][]string{
		magnum.OpCreate:          {"trust", "certificates", "begin", "watch"},
		magnum.OpResize:          {"begin", "watch"},
		magnum.OpCreateNodeGroup: {"begin", "watch"},
		magnum.OpRotateCA:        {"certificates", "switch", "begin", "watch"},
		magnum.OpDelete:          {"begin", "watch", "trust", "certificates"},
	}
	for kind, phases := range kinds {
		for _, phase := range phases {
			for _, point := range []Point{Before, After} {
				t.Run(fmt.Sprintf("%s %s %s", kind, point, phase), func(t *testing.T) {
					b, f := withoutHeat(t)
					hook, died := dieAt(kind, phase, point)
					b.hook = hook
					dead := b.conductor()
					uuid := b.stackless()
					if kind != magnum.OpCreate {
						b.over(uuid, dead)
					}
					want := magnum.UpdateComplete
					switch kind {
					case magnum.OpCreate:
						want = magnum.CreateComplete
					case magnum.OpResize:
						b.accept(uuid, resizeTo(5, 3), magnum.UpdateInProgress)
					case magnum.OpCreateNodeGroup:
						b.createGroup(uuid, "gpu")
					case magnum.OpRotateCA:
						b.rotateCA(uuid)
					case magnum.OpDelete:
						b.delete(uuid)
					}
					b.until("the conductor dies", func() bool { dead.streams.Wait(); return *died }, dead)
					b.hook = nil
					b.over(uuid, b.conductor())
					if kind == magnum.OpDelete {
						b.nothingLeft(uuid)
						b.clean(uuid)
					} else {
						b.want(uuid, want, map[magnum.OperationKind]int{magnum.OpResize: 6, magnum.OpCreateNodeGroup: 6}[kind]+
							map[magnum.OperationKind]int{magnum.OpCreate: 4, magnum.OpRotateCA: 4}[kind], f)
					}
					begun := []string{"create", string(kind)}
					if kind == magnum.OpCreate {
						begun = begun[:1]
					}
					if !slices.Equal(f.begun, begun) {
						t.Errorf("begun %v, want %v", f.begun, begun)
					}
				})
			}
		}
	}
}

// The driver's process dies between any two of its answers: what it said last
// is where it goes on.
func TestDriverDiesBetweenEvents(t *testing.T) {
	b, f := withoutHeat(t)
	lost := driver.Errorf(driver.ClassRestarted, "the process is gone")
	deaths := 0
	b.driver.lifecycle = flaky{f, func() error {
		if deaths++; deaths%2 == 1 {
			return lost
		}
		return nil
	}}
	uuid := b.stackless()
	b.over(uuid, b.conductor())
	b.want(uuid, magnum.CreateComplete, 4, f)
	if deaths < 4 || !slices.Equal(f.begun, []string{"create"}) {
		t.Errorf("%d calls, begun %v", deaths, f.begun)
	}
}

// flaky loses answers: of calls after their effect, of a stream after its first
// event.
type flaky struct {
	*farm
	die func() error
}

func (d flaky) Begin(ctx context.Context, r driver.BeginRequest) (driver.BeginResponse, error) {
	out, err := d.farm.Begin(ctx, r)
	if lost := d.die(); lost != nil {
		return driver.BeginResponse{}, lost
	}
	return out, err
}

func (d flaky) Watch(ctx context.Context, r driver.WatchRequest, send func(driver.Event) error) error {
	return d.farm.Watch(ctx, r, func(e driver.Event) error {
		if lost := d.die(); lost != nil {
			return lost
		}
		return send(e)
	})
}

// heardOf waits until the driver's first event is in the cluster's reason.
func (b *bench) heardOf(uuid string, c *Conductor) {
	b.Helper()
	turn(b.Context(), c)
	eventually(b.TB, func() bool { return strings.Contains(b.cluster(uuid).StatusReason, "1 of 2 nodes") })
}

func TestLifecycleSaysWhatItWaitsFor(t *testing.T) {
	b, f := withoutHeat(t)
	f.hold = true
	c := b.conductor()
	uuid := b.stackless()
	b.heardOf(uuid, c)
	if got, want := b.cluster(uuid).StatusReason, "waiting for driver fake: 1 of 2 nodes (50 %) since 2026-03-01T12:00:00Z"; got != want {
		t.Errorf("status reason %q, want %q", got, want)
	}
	own, err := b.db.DriverOperations(t.Context(), uuid)
	if err != nil || len(own) != 1 || own[0].Seq != 1 || string(own[0].State) != "half" {
		t.Errorf("saved %+v, %v", own, err)
	}
	if n := len(c.slots); n != 0 {
		t.Errorf("%d workers are busy while nothing happens", n)
	}
	f.release()
	b.over(uuid, c)
	b.want(uuid, magnum.CreateComplete, 4, f)
}

// A delete cancels a create whose end it does not wait for, wherever it is.
func TestDeleteDuringLifecycleCreate(t *testing.T) {
	for _, phase := range []string{"trust", "certificates", "begin", "watch"} {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b, f := withoutHeat(t)
				var uuid string
				accepted := b.deleteAt(magnum.OpCreate, phase, point, &uuid)
				uuid = b.stackless()
				b.over(uuid, b.conductor())
				if _, err := b.db.Cluster(t.Context(), state.Scope{All: true}, uuid); magnum.KindOf(err) != magnum.NotFound || !*accepted {
					t.Errorf("the cluster is still there: %v", err)
				}
				b.nothingLeft(uuid)
				b.clean(uuid)
				if len(f.clusters)+len(f.pending) != 0 {
					t.Errorf("left %v, pending %v, begun %v", f.clusters, f.pending, f.begun)
				}
			})
		}
	}
	t.Run("while it is watched", func(t *testing.T) {
		b, f := withoutHeat(t)
		f.hold = true
		c, other := b.conductor(), b.conductor()
		uuid := b.stackless()
		b.heardOf(uuid, c)
		b.delete(uuid)
		c.keepAll(t.Context()) // it hears of the delete, and stops listening
		c.streams.Wait()
		f.release()
		b.over(uuid, other)
		b.nothingLeft(uuid)
		if want := []string{"create", "cancelled", "delete"}; !slices.Equal(f.begun, want) || len(f.clusters) != 0 {
			t.Errorf("begun %v, want %v; left %v", f.begun, want, f.clusters)
		}
	})
	t.Run("nobody heard that it had begun", func(t *testing.T) {
		b, f := withoutHeat(t)
		hook, died := dieAt(magnum.OpCreate, "begin", After)
		b.hook = hook
		uuid := b.stackless()
		b.until("the conductor dies", func() bool { return *died }, b.conductor())
		b.hook = nil
		b.delete(uuid)
		b.over(uuid, b.conductor())
		b.nothingLeft(uuid)
		if want := []string{"create", "cancelled", "delete"}; !slices.Equal(f.begun, want) || len(f.clusters) != 0 {
			t.Errorf("begun %v, want %v; left %v", f.begun, want, f.clusters)
		}
	})
}

func TestLifecycleFails(t *testing.T) {
	t.Run("the driver says so", func(t *testing.T) {
		b, f := withoutHeat(t)
		f.fail = "no racks left"
		uuid := b.stackless()
		b.over(uuid, b.conductor())
		got := b.want(uuid, magnum.CreateFailed, 0, f)
		if got.StatusReason != "no racks left" || got.NodeGroups[0].Status != magnum.CreateFailed {
			t.Errorf("%q, group %s", got.StatusReason, got.NodeGroups[0].Status)
		}
		f.fail = ""
		b.delete(uuid)
		b.over(uuid, b.conductor())
		b.nothingLeft(uuid)
	})
	t.Run("the driver refuses", func(t *testing.T) {
		b, f := withoutHeat(t)
		c := b.conductor()
		uuid := b.stackless()
		b.over(uuid, c)
		f.refuse = driver.Errorf(driver.ClassQuota, "no more than 4 nodes")
		before := b.certificates(uuid)
		b.rotateCA(uuid)
		b.over(uuid, c)
		got := b.want(uuid, magnum.UpdateFailed, 4, f)
		if got.StatusReason != "no more than 4 nodes" || b.rotated(before, b.certificates(uuid)) {
			t.Errorf("%q, or the certificates changed", got.StatusReason)
		}
		b.accept(uuid, resizeTo(5, 3), magnum.UpdateInProgress)
		b.over(uuid, c)
		if got := b.want(uuid, magnum.UpdateFailed, 4, f); got.NodeCount() != 3 {
			t.Errorf("%d nodes after a refused resize", got.NodeCount())
		}
	})
	t.Run("time is up", func(t *testing.T) {
		b, f := withoutHeat(t)
		f.hold = true
		c := b.conductor()
		c.Follow = 10 * time.Millisecond
		uuid := b.stackless()
		b.heardOf(uuid, c)
		b.clock.Advance(31 * time.Minute)
		c.streams.Wait() // nobody else is needed to notice
		got := b.cluster(uuid)
		if got.Status != magnum.CreateFailed || !strings.HasPrefix(got.StatusReason, "Timed out after 30 minutes, waiting for driver fake: 1 of 2 nodes (50 %)") {
			t.Errorf("%s %q", got.Status, got.StatusReason)
		}
		if want := []string{"create", "cancelled"}; !slices.Equal(f.begun, want) {
			t.Errorf("begun %v, want %v", f.begun, want)
		}
		f.release()
		b.delete(uuid)
		b.over(uuid, b.conductor())
		b.nothingLeft(uuid)
		b.clean(uuid)
	})
	t.Run("a driver that uses Heat by now", func(t *testing.T) {
		b, _ := withoutHeat(t)
		b.driver.lifecycle = nil
		uuid := b.stackless()
		b.over(uuid, b.conductor())
		if got := b.cluster(uuid); got.Status != magnum.CreateFailed || got.StatusReason != "Driver fake 1.0.0 makes clusters with Heat, and this one was made without." {
			t.Errorf("%s %q", got.Status, got.StatusReason)
		}
	})
}

// Without its driver a cluster cannot be removed, but its record can.
func TestDeleteWithoutLifecycleDriver(t *testing.T) {
	b, f := withoutHeat(t)
	c := b.conductor()
	uuid := b.stackless()
	b.over(uuid, c)
	b.driver.get = driver.Errorf(driver.ClassNotFound, "driver fake 1.0.0 is not installed")
	b.delete(uuid)
	b.over(uuid, c)
	got := b.cluster(uuid)
	if got.Status != magnum.DeleteFailed || !strings.Contains(got.StatusReason, "magnum-db-manage forget-cluster") {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
	in, err := json.Marshal(magnum.DeleteInput{Forget: true})
	b.must(err)
	b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete, Input: in}, magnum.DeleteInProgress)
	b.over(uuid, c)
	b.nothingLeft(uuid)
	if _, err := b.db.Cluster(t.Context(), state.Scope{All: true}, uuid); magnum.KindOf(err) != magnum.NotFound {
		t.Errorf("the cluster is still there: %v", err)
	}
	if f.clusters[uuid] != 4 {
		t.Error("the driver was asked after all")
	}
}

// A conductor that stops listens no more, and the next one goes on at once.
func TestStopWhileWatching(t *testing.T) {
	b, f := withoutHeat(t)
	f.hold = true
	c := b.conductor()
	c.Poll, c.Follow, c.Now = 5*time.Millisecond, 5*time.Millisecond, time.Now
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	uuid := b.stackless()
	eventually(t, func() bool { return strings.Contains(b.cluster(uuid).StatusReason, "1 of 2 nodes") })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	op, err := b.db.ActiveOperation(t.Context(), uuid)
	b.must(err)
	if op == nil || !op.LeaseUntil.IsZero() {
		t.Errorf("the operation is held: %+v", op)
	}
	f.release()
	b.over(uuid, b.conductor())
	b.want(uuid, magnum.CreateComplete, 4, f)
}

// The driver has begun, and the conductor dies before it hears of it.
func TestConductorDiesInBegin(t *testing.T) {
	b, f := withoutHeat(t)
	died := false
	b.driver.lifecycle = flaky{f, func() error {
		if !died {
			died = true
			runtime.Goexit()
		}
		return nil
	}}
	uuid := b.stackless()
	dead := b.conductor()
	turn(t.Context(), dead) // dies in Begin
	dead.streams.Wait()
	b.over(uuid, b.conductor())
	b.want(uuid, magnum.CreateComplete, 4, f)
	if !slices.Equal(f.begun, []string{"create"}) {
		t.Errorf("begun %v", f.begun)
	}
	if u := b.keystone.Users(keystonetest.TrustDom); len(u) != 2 {
		t.Errorf("users %v", u)
	}
}
