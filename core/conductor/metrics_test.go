package conductor

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// TestMetrics counts a create that succeeds after its driver was away, one
// that the driver refuses, and one that another conductor takes over.
func TestMetrics(t *testing.T) {
	b := newBench(t)
	reg := prometheus.NewRegistry()
	c, err := New(func() Config { k := b.conductor().Config; k.Metrics = reg; return k }())
	b.must(err)
	compare := func(want string, names ...string) {
		t.Helper()
		if err := testutil.GatherAndCompare(reg, strings.NewReader(want), names...); err != nil {
			t.Error(err)
		}
	}
	away := 2
	b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
		if away--; away == 0 {
			b.driver.render = nil // it is back
		}
		return driver.RenderResponse{}, driver.Errorf(driver.ClassUnavailable, "away")
	}
	b.create(nil)
	compare(`
# HELP magnum_operations_waiting Operations in the database that are due and that no conductor works on; the same from each.
# TYPE magnum_operations_waiting gauge
magnum_operations_waiting 1
`, "magnum_operations_waiting")
	b.heat.SetHold(true)
	b.until("the stack is followed", func() bool { return c.follower.len() == 1 }, c)
	compare(`
# HELP magnum_operations_following Operations of this conductor that wait for their stacks.
# TYPE magnum_operations_following gauge
magnum_operations_following 1
# HELP magnum_operations_held Operations that this conductor works on, those included that wait for their stacks.
# TYPE magnum_operations_held gauge
magnum_operations_held 1
# HELP magnum_operations_waiting Operations in the database that are due and that no conductor works on; the same from each.
# TYPE magnum_operations_waiting gauge
magnum_operations_waiting 0
`, "magnum_operations_following", "magnum_operations_held", "magnum_operations_waiting")
	b.heat.SetHold(false)
	b.until("the create is over", func() bool { return c.held.len() == 0 }, c)

	b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
		return driver.RenderResponse{}, driver.Errorf(driver.ClassInvalidInput, "no such thing")
	}
	b.settled(b.create(func(c *magnum.Cluster) { c.Name = "second" }), c)

	b.driver.render = nil
	b.heat.SetHold(true)
	b.create(func(c *magnum.Cluster) { c.Name = "third" })
	b.until("the stack is followed", func() bool { return c.follower.len() == 1 }, c)
	b.clock.Advance(leaseMax)
	other := b.conductor()
	other.claim(t.Context())
	other.busy.Wait()
	turn(t.Context(), c)
	compare(`
# HELP magnum_operation_leases_lost_total Operations that this conductor held and another took over, or whose lease it could not renew.
# TYPE magnum_operation_leases_lost_total counter
magnum_operation_leases_lost_total 1
# HELP magnum_operation_retries_total Phases of operations that were put off to be tried again, by who can mend it.
# TYPE magnum_operation_retries_total counter
magnum_operation_retries_total{blame="downstream",phase="render"} 2
# HELP magnum_operations_total Operations that this conductor ended, by kind, result and who can mend it.
# TYPE magnum_operations_total counter
magnum_operations_total{blame="none",kind="create",result="complete"} 1
magnum_operations_total{blame="user",kind="create",result="failed"} 1
`, "magnum_operation_leases_lost_total", "magnum_operation_retries_total", "magnum_operations_total")
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	other.giveBack(t.Context())
}

func TestBlame(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want driver.Blame
	}{
		{driver.Errorf(driver.ClassQuota, "q"), driver.BlameUser},
		{driver.Errorf(driver.ClassAuth, "a"), driver.BlameOperator},
		{driver.Errorf(driver.ClassBug, "b"), driver.BlameDriver},
		{&driver.Error{Class: driver.ClassBug, Blame: "a driver's own word"}, driver.BlameDriver},
		{fmt.Errorf("render: %w", driver.Errorf(driver.ClassTimeout, "t")), driver.BlameDownstream},
		{fatal("no"), driver.BlameUser},
		{&overdueError{fatal("too late")}, driver.BlameDownstream},
		{&stackError{reason: "failed"}, driver.BlameDownstream},
		{&laterError{text: "later"}, driver.BlameDownstream},
		{magnum.Errorf(magnum.Unavailable, "Heat is unavailable"), driver.BlameDownstream},
		{magnum.Errorf(magnum.Unauthorized, "no"), driver.BlameOperator},
		{&internalError{errors.New("panic")}, driver.BlameOperator},
		{state.ErrFenced, driver.BlameOperator},
	} {
		if got := blameOf(tc.err); got != tc.want {
			t.Errorf("%v (%T): %s, want %s", tc.err, tc.err, got, tc.want)
		}
	}
}
