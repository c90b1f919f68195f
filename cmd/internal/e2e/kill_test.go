package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/conductor"
	"github.com/go-magnum/magnum/core/state"
)

var createPhases = []string{"trust", "certificates", "render", "stack", "follow", "outputs"}

// TestKillAtEveryPhase kills, with SIGKILL, the conductor or the driver right
// before and right after the effect of each phase of a create. The cluster
// must get there all the same, with exactly one stack.
func TestKillAtEveryPhase(t *testing.T) {
	for _, victim := range []string{"conductor", "driver"} {
		for _, phase := range createPhases {
			for _, point := range []conductor.Point{conductor.Before, conductor.After} {
				at := phase + ":" + string(point)
				t.Run(victim+"/"+phase+"/"+string(point), func(t *testing.T) {
					t.Parallel()
					l := newLab(t, 300*time.Millisecond)
					l.startAPI()
					first := l.start("conductor", victim+":"+at)
					user := l.client("demo")
					id := l.create(user, l.template(user), "phoenix", 1, 1)
					if victim == "conductor" {
						first.died(t, 60*time.Second)
						l.start("conductor", "")
					}
					got := l.waitStatus(user, id, "CREATE_COMPLETE", 3*time.Minute) // a create on its way to Heat is waited out
					if victim == "driver" && !strings.Contains(l.logs.String(), "MARK driver killed at "+at) {
						t.Error("the driver was not killed: the test shows nothing")
					}
					if len(got.NodeAddresses) != 1 || len(got.MasterAddresses) != 1 {
						t.Errorf("the cluster has masters %v and nodes %v, want one of each", got.MasterAddresses, got.NodeAddresses)
					}
					stacks := l.cloud.Stacks()
					if len(stacks) != 1 || stacks[0].ID != got.StackID {
						t.Errorf("there are stacks %+v, want just %s", stacks, got.StackID)
					}
					l.withDB(func(ctx context.Context, db *state.DB) error {
						op, err := db.ActiveOperation(ctx, id)
						if op != nil {
							t.Errorf("operation %s is still active in phase %s", op.ID, op.Phase)
						}
						return err
					})
				})
			}
		}
	}
}
