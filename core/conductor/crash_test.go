package conductor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
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
				b.wantTold(uuid, "create pending", "create success")
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
				b.wantTold(uuid, "create pending", "create success", "delete pending", "delete success")
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

// deleteAt asks for the cluster's end when an operation on it comes to a point.
func (b *bench) deleteAt(kind magnum.OperationKind, phase string, point Point, uuid *string) *bool {
	accepted := false
	b.hook = func(_ context.Context, op *magnum.Operation, p string, at Point) {
		if op.Kind == kind && p == phase && at == point && !accepted {
			accepted = true
			b.delete(*uuid)
		}
	}
	return &accepted
}

// A delete takes a running create's place and removes what that has made,
// wherever it is.
func TestDeleteDuringCreate(t *testing.T) {
	for _, phase := range createPhases {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				var uuid string
				accepted := b.deleteAt(magnum.OpCreate, phase, point, &uuid)
				uuid = b.create(nil)
				b.destroyed(uuid, b.conductor(), b.conductor())
				b.nothingLeft(uuid)
				if !*accepted {
					t.Error("the delete was never asked for")
				}
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

// survives runs an operation once undisturbed, and then again for each point
// of each of its phases, at which its conductor dies and another goes on.
func survives(t *testing.T, kind magnum.OperationKind, setup func(*bench, *Conductor) string, ask, check func(*bench, string)) {
	t.Helper()
	end := func(b *bench, uuid string, c *Conductor) {
		b.until("the operation ends", func() bool {
			op, err := b.db.ActiveOperation(b.Context(), uuid)
			b.must(err)
			return op == nil
		}, c)
		check(b, uuid)
	}
	var points []string
	t.Run("undisturbed", func(t *testing.T) {
		b := newBench(t)
		b.hook = func(_ context.Context, op *magnum.Operation, phase string, at Point) {
			if op.Kind == kind && at == Before {
				points = append(points, phase)
			}
		}
		c := b.conductor()
		uuid := setup(b, c)
		ask(b, uuid)
		end(b, uuid, c)
	})
	points = slices.Compact(points) // a phase that waits is entered again
	for i, phase := range points {
		for _, point := range []Point{Before, After} {
			name, _, _ := strings.Cut(phase, " ") // a group's uuid is new each time
			t.Run(fmt.Sprintf("%s %s %d", point, name, i), func(t *testing.T) {
				b := newBench(t)
				died, entered := false, -1
				var last string
				b.hook = func(_ context.Context, op *magnum.Operation, p string, at Point) {
					if op.Kind != kind || died {
						return
					}
					if p != last {
						entered, last = entered+1, p
					}
					if entered == i && at == point {
						died = true
						runtime.Goexit()
					}
				}
				dead := b.conductor()
				uuid := setup(b, dead)
				ask(b, uuid)
				b.until("the conductor dies", func() bool { return died }, dead)
				b.hook = nil
				end(b, uuid, b.conductor())
			})
		}
	}
}

func TestNodeGroupOperationsSurviveCrash(t *testing.T) {
	withGroup := func(b *bench, c *Conductor) string { return b.withGroup(c) }
	// complete checks what stands in the rows and at Heat.
	complete := func(b *bench, uuid string, stacks int, want ...magnum.Status) {
		b.Helper()
		b.wantStatuses(b.cluster(uuid), append([]magnum.Status{magnum.UpdateComplete}, want...)...)
		if n := len(b.heat.Stacks()); n != stacks {
			b.Errorf("%d stacks, want %d", n, stacks)
		}
	}
	const made, changed = magnum.CreateComplete, magnum.UpdateComplete
	t.Run("create", func(t *testing.T) {
		survives(t, magnum.OpCreateNodeGroup, func(b *bench, c *Conductor) string { return b.made(c) },
			func(b *bench, uuid string) { b.createGroup(uuid, "gpu") },
			func(b *bench, uuid string) {
				complete(b, uuid, 2, made, made, made)
				if g := b.cluster(uuid).NodeGroup("gpu"); b.stackOf(g) == nil || len(g.NodeAddresses) != 1 {
					b.Errorf("group %+v", g)
				}
			})
	})
	t.Run("update", func(t *testing.T) {
		survives(t, magnum.OpUpdateNodeGroup, withGroup,
			func(b *bench, uuid string) { b.updateGroup(uuid, "gpu") },
			func(b *bench, uuid string) {
				complete(b, uuid, 2, made, made, changed)
				if g := b.cluster(uuid).NodeGroup("gpu"); b.stackOf(g).Updates == 0 || g.MaxNodeCount != 7 {
					b.Errorf("group %+v", g)
				}
			})
	})
	t.Run("resize", func(t *testing.T) {
		survives(t, magnum.OpResize, withGroup,
			func(b *bench, uuid string) {
				b.request(uuid, magnum.OpResize, magnum.ResizeInput{NodeGroup: "gpu", NodeCount: 4, Previous: 2}, nil)
			},
			func(b *bench, uuid string) {
				complete(b, uuid, 2, made, made, changed)
				if g := b.cluster(uuid).NodeGroup("gpu"); b.stackOf(g).Updates == 0 || g.NodeCount != 4 {
					b.Errorf("group %+v", g)
				}
			})
	})
	t.Run("delete", func(t *testing.T) {
		survives(t, magnum.OpDeleteNodeGroup, withGroup,
			func(b *bench, uuid string) { b.deleteGroup(uuid, "gpu") },
			func(b *bench, uuid string) { complete(b, uuid, 1, made, made) })
	})
	t.Run("delete the cluster", func(t *testing.T) {
		survives(t, magnum.OpDelete, withGroup,
			func(b *bench, uuid string) { b.delete(uuid) },
			func(b *bench, uuid string) {
				if _, err := b.db.Cluster(b.Context(), state.Scope{All: true}, uuid); magnum.KindOf(err) != magnum.NotFound {
					b.Errorf("the cluster is still there: %v", err)
				}
				b.nothingLeft(uuid)
			})
	})
}

// A delete that takes the place of the making of a node group removes the
// group's stack, also one whose id was never saved.
func TestDeleteDuringCreateNodeGroup(t *testing.T) {
	for _, phase := range []string{"render", "stack", "follow", "outputs"} {
		for _, point := range []Point{Before, After} {
			t.Run(fmt.Sprintf("%s %s", point, phase), func(t *testing.T) {
				b := newBench(t)
				var uuid string
				accepted := b.deleteAt(magnum.OpCreateNodeGroup, phase, point, &uuid)
				c := b.conductor()
				uuid = b.made(c)
				b.createGroup(uuid, "gpu")
				b.destroyed(uuid, c, b.conductor())
				b.nothingLeft(uuid)
				if !*accepted {
					t.Error("the delete was never asked for")
				}
			})
		}
	}
}
