package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"testing"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// dieAt ends the worker for good at a point, as a kill would: nothing is given
// back, nothing saved.
func dieAt(kind magnum.OperationKind, phase string, point Point) (Hook, *bool) {
	died := false
	return func(_ context.Context, op *magnum.Operation, p string, at Point) {
		if op.Kind == kind && p == phase && at == point && !died {
			died = true
			runtime.Goexit()
		}
	}, &died
}

var createPhases = []string{"trust", "certificates", "render", "stack", "follow", "outputs"}

// Whatever phase of a create a conductor dies in, before or after the effect,
// the next one ends it with one stack, one trustee, one trust.
func TestCreateSurvivesCrash(t *testing.T) {
	for _, phase := range createPhases {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				hook, died := dieAt(magnum.OpCreate, phase, point)
				b.hook = hook
				uuid := b.create(nil)
				dead := b.conductor()
				b.until("the conductor dies", func() bool { return *died }, dead)
				b.hook = nil
				got := b.settled(uuid, b.conductor())
				if got.Status != magnum.CreateComplete {
					t.Errorf("%s %q", got.Status, got.StatusReason)
				}
				if n := len(b.heat.Stacks()); n != 1 {
					t.Errorf("%d stacks", n)
				}
				if u := b.keystone.Users(keystonetest.TrustDom); len(u) != 2 || b.keystone.Trusts() != 1 {
					t.Errorf("users %v, %d trusts", u, b.keystone.Trusts())
				}
				pairs, err := b.db.ClusterKeypairs(t.Context(), uuid)
				if err != nil || len(pairs) != 5 {
					t.Errorf("%d keypairs, %v", len(pairs), err)
				}
			})
		}
	}
}

func TestDeleteSurvivesCrash(t *testing.T) {
	for _, phase := range []string{"pre-delete", "stack", "follow", "trust", "certificates"} {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				hook, died := dieAt(magnum.OpDelete, phase, point)
				b.hook = hook
				dead := b.conductor()
				uuid := b.create(nil)
				b.settled(uuid, dead)
				b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
				b.until("the conductor dies", func() bool { return *died }, dead)
				b.hook = nil
				b.destroyed(uuid, b.conductor())
				b.nothingLeft(uuid)
			})
		}
	}
}

// nothingLeft checks that a deleted cluster has left nothing in the cloud.
func (b *bench) nothingLeft(uuid string) {
	b.Helper()
	if n := len(b.heat.Stacks()); n != 0 {
		b.Errorf("%d stacks are left", n)
	}
	if u := b.keystone.Users(keystonetest.TrustDom); !slices.Equal(u, []string{"magnum_domain_admin"}) || b.keystone.Trusts() != 0 {
		b.Errorf("users %v and %d trusts are left", u, b.keystone.Trusts())
	}
	if pairs, err := b.db.ClusterKeypairs(b.Context(), uuid); err != nil || len(pairs) != 0 {
		b.Errorf("%d keypairs are left, %v", len(pairs), err)
	}
}

func TestResizeSurvivesCrash(t *testing.T) {
	for _, phase := range []string{"select", "render", "stack", "follow", "outputs"} {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				hook, died := dieAt(magnum.OpResize, phase, point)
				b.hook = hook
				dead := b.conductor()
				uuid := b.create(nil)
				b.settled(uuid, dead)
				b.accept(uuid, resizeTo(5, 3), magnum.UpdateInProgress)
				b.until("the conductor dies", func() bool { return *died }, dead)
				b.hook = nil
				got := b.settled(uuid, b.conductor())
				if got.Status != magnum.UpdateComplete || got.NodeCount() != 5 || len(b.heat.Stacks()) != 1 {
					t.Errorf("%s %q, %d nodes, %d stacks", got.Status, got.StatusReason, got.NodeCount(), len(b.heat.Stacks()))
				}
			})
		}
	}
}

func resizeTo(count, previous int, remove ...string) *magnum.Operation {
	in, err := json.Marshal(magnum.ResizeInput{NodeGroup: magnum.DefaultWorker, NodeCount: count, Previous: previous, NodesToRemove: remove})
	if err != nil {
		panic(err)
	}
	return &magnum.Operation{Kind: magnum.OpResize, Input: in}
}

// Heat has made the stack, and nobody hears of it.
func TestLostCreateAnswer(t *testing.T) {
	for name, lose := range map[string]func(http.ResponseWriter){
		"the connection drops": heattest.Lose,
		"a proxy gives up":     func(w http.ResponseWriter) { heattest.Refuse(w, http.StatusGatewayTimeout, "timeout") },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			lost := 0
			b.heat.After = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost {
					return false
				}
				lost++
				lose(w)
				return true
			}
			got := b.settled(b.create(nil), b.conductor())
			if got.Status != magnum.CreateComplete || len(b.heat.Stacks()) != 1 || lost != 1 {
				t.Errorf("%s %q, %d stacks, %d answers lost", got.Status, got.StatusReason, len(b.heat.Stacks()), lost)
			}
		})
	}
}

// A worker whose operation was taken over changes nothing any more.
func TestFenceLost(t *testing.T) {
	b := newBench(t)
	b.heat.Hold = true
	slow, quick := b.conductor(), b.conductor()
	uuid := b.create(nil)
	turn(t.Context(), slow) // follows the stack now
	b.clock.Advance(2 * createWithin)
	turn(t.Context(), quick) // takes it over
	held, err := b.db.ActiveOperation(t.Context(), uuid)
	b.must(err)
	if held.Owner != quick.owner {
		t.Fatal("the second conductor did not take over")
	}
	b.heat.SetHold(false)
	slow.pass(t.Context()) // sees the stack complete, and must not say so
	slow.busy.Wait()
	if got := b.cluster(uuid); got.Status != magnum.CreateInProgress {
		t.Errorf("a conductor without lease wrote %s", got.Status)
	}
	if slow.held.len() != 0 {
		t.Error("the first conductor goes on")
	}
	if got := b.settled(uuid, quick); got.Status != magnum.CreateComplete {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
}

// A delete takes a running create's place and removes what that has made,
// wherever it is.
func TestDeleteDuringCreate(t *testing.T) {
	for _, phase := range createPhases {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				accepted := false
				var uuid string
				b.hook = func(_ context.Context, op *magnum.Operation, p string, at Point) {
					if op.Kind == magnum.OpCreate && p == phase && at == point && !accepted {
						accepted = true
						b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
					}
				}
				uuid = b.create(nil)
				b.destroyed(uuid, b.conductor(), b.conductor())
				b.nothingLeft(uuid)
			})
		}
	}
}

// While the create's owner may still talk to Heat, the delete does not begin.
func TestDeleteWaitsForTheLease(t *testing.T) {
	b := newBench(t)
	b.heat.Hold = true
	uuid := b.create(nil)
	c := b.conductor()
	turn(t.Context(), c)
	b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
	other := b.conductor()
	other.claim(t.Context())
	other.busy.Wait()
	if b.heat.Stacks()[0].Status != "CREATE_IN_PROGRESS" {
		t.Error("the delete began under the create's lease")
	}
	turn(t.Context(), c) // notices
	turn(t.Context(), c) // and stops
	b.heat.SetHold(false)
	b.destroyed(uuid, other)
	b.nothingLeft(uuid)
}

// A cluster whose create died in the middle of asking Heat is deleted with the
// stack that nobody knew of.
func TestDeleteFindsTheStackByName(t *testing.T) {
	b := newBench(t)
	hook, died := dieAt(magnum.OpCreate, "stack", After)
	b.hook = hook
	uuid := b.create(nil)
	b.until("the conductor dies", func() bool { return *died }, b.conductor())
	b.accept(uuid, &magnum.Operation{Kind: magnum.OpDelete}, magnum.DeleteInProgress)
	if c := b.cluster(uuid); c.StackID != "" || len(b.heat.Stacks()) != 1 {
		t.Fatalf("stack id %q, %d stacks", c.StackID, len(b.heat.Stacks()))
	}
	b.hook = nil
	b.destroyed(uuid, b.conductor())
	b.nothingLeft(uuid)
}
