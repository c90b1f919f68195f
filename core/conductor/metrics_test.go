package conductor

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

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
	b.clock.Advance(7 * time.Second)
	compare(`
# HELP magnum_operations_waiting Operations in the database that are due and that no conductor works on; the same from each.
# TYPE magnum_operations_waiting gauge
magnum_operations_waiting 1
# HELP magnum_operations_waiting_seconds How long the first of the waiting operations has been due; the same from each conductor.
# TYPE magnum_operations_waiting_seconds gauge
magnum_operations_waiting_seconds 7
`, "magnum_operations_waiting", "magnum_operations_waiting_seconds")
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
	second := b.create(func(c *magnum.Cluster) { c.Name = "second" })
	b.settled(second, c)
	b.delete(second)
	b.destroyed(second, c)

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
magnum_operations_total{blame="none",kind="delete",result="complete"} 1
magnum_operations_total{blame="user",kind="create",result="failed"} 1
`, "magnum_operation_leases_lost_total", "magnum_operation_retries_total", "magnum_operations_total")
	families, err := reg.Gather()
	b.must(err)
	took := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil {
				took[f.GetName()] += h.GetSampleSum()
			}
		}
	}
	// By the bench's clock, but for the passes, which are not about operations.
	if got := took["magnum_operation_duration_seconds"]; got < 7 || got != math.Trunc(got) {
		t.Errorf("operations took %g s", got)
	}
	if took["magnum_follow_pass_duration_seconds"] <= 0 {
		t.Error("no look at the stacks was timed")
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	other.giveBack(t.Context())
}

// A lease that the database keeps from being renewed is lost once it has run out.
func TestLeaseThatRanOutIsCounted(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	b.heat.SetHold(true)
	b.create(nil)
	b.until("the stack is followed", func() bool { return c.follower.len() == 1 }, c)
	back := b.withoutOperations()
	c.keepAll(t.Context())
	if n := testutil.ToFloat64(c.metrics.leasesLost); n != 0 {
		t.Errorf("%g leases lost while there is time", n)
	}
	b.clock.Advance(leaseMax)
	c.keepAll(t.Context())
	c.keepAll(t.Context())
	if n := testutil.ToFloat64(c.metrics.leasesLost); n != 1 {
		t.Errorf("%g leases lost, want one", n)
	}
	back()
	c.giveBack(t.Context())
}

// A failure that is not saved is found out once more, and counted then.
func TestFailureIsCountedOnce(t *testing.T) {
	b := newBench(t)
	c := b.conductor()
	var back func()
	tries := 0
	b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
		if tries++; tries == 1 {
			back = b.withoutOperations()
		}
		return driver.RenderResponse{}, driver.Errorf(driver.ClassInvalidInput, "no such thing")
	}
	failed := c.metrics.operations.WithLabelValues("create", "failed", string(driver.BlameUser))
	uuid := b.create(nil)
	b.until("the driver was asked", func() bool { return tries == 1 }, c)
	if n := testutil.ToFloat64(failed); n != 0 {
		t.Errorf("%g failures that nobody knows of", n)
	}
	back()
	b.settled(uuid, c)
	if n := testutil.ToFloat64(failed); n != 1 || tries != 2 {
		t.Errorf("%g failures after %d tries", n, tries)
	}
}

// What a phase is about is no label.
func TestRetriesAreCountedByPhase(t *testing.T) {
	c := newBench(t).conductor()
	for _, phase := range []string{"group one", "group two", "group"} {
		c.putOff(&task{op: &magnum.Operation{Phase: phase}}, driver.Errorf(driver.ClassAuth, "later"))
	}
	if n := testutil.ToFloat64(c.metrics.retries.WithLabelValues("group", string(driver.BlameOperator))); n != 3 || testutil.CollectAndCount(c.metrics.retries) != 1 {
		t.Errorf("%g retries of the phase", n)
	}
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
		{magnum.Errorf(magnum.Conflict, "not now"), driver.BlameDownstream},
		{magnum.Errorf(magnum.Unauthorized, "no"), driver.BlameOperator},
		{&internalError{errors.New("panic")}, driver.BlameOperator},
		{state.ErrFenced, driver.BlameOperator},
	} {
		if got := blameOf(tc.err); got != tc.want {
			t.Errorf("%v (%T): %s, want %s", tc.err, tc.err, got, tc.want)
		}
	}
}
