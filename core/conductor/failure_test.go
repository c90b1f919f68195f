package conductor

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// The table of the driver contract: what each class of error does to a create.
func TestDriverErrors(t *testing.T) {
	tests := []struct {
		class driver.Class
		// calls is how often the driver is asked if it never stops failing;
		// 0 is until the deadline.
		calls int
	}{
		{driver.ClassInvalidInput, 1},
		{driver.ClassUnsupported, 1},
		{driver.ClassPrecondition, 1},
		{driver.ClassNotFound, 1},
		{driver.ClassQuota, 1},
		{driver.ClassBug, 2},
		{driver.ClassAuth, 2},
		{driver.ClassConflict, 0},
		{driver.ClassThrottled, 0},
		{driver.ClassUnavailable, 0},
		{driver.ClassTimeout, 0},
		{driver.ClassRestarted, 0},
	}
	for _, tc := range tests {
		t.Run(string(tc.class), func(t *testing.T) {
			b := newBench(t)
			b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
				return driver.RenderResponse{}, driver.Errorf(tc.class, "the driver says %s", tc.class)
			}
			uuid := b.create(func(c *magnum.Cluster) { c.CreateTimeout = 1 })
			got := b.settled(uuid, b.conductor())
			calls := len(b.driver.renders)
			if tc.calls > 0 && (calls != tc.calls || got.StatusReason != "the driver says "+string(tc.class)) {
				t.Errorf("asked %d times, then %q", calls, got.StatusReason)
			}
			if tc.calls == 0 && (calls < 10 || !strings.HasPrefix(got.StatusReason, "Timed out after 1 minutes, waiting for driver fake to describe the stack since 2026-03-01T12:00:") ||
				!strings.HasSuffix(got.StatusReason, "the driver says "+string(tc.class))) {
				t.Errorf("asked %d times, then %q", calls, got.StatusReason)
			}
			if got.Status != magnum.CreateFailed {
				t.Errorf("status %s", got.Status)
			}
		})
	}
}

// A driver that says when to come back is asked then.
func TestThrottledDriver(t *testing.T) {
	b := newBench(t)
	b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) {
		e := driver.Errorf(driver.ClassThrottled, "slow down")
		e.RetryAfter = 90 * time.Second
		return driver.RenderResponse{}, e
	}
	c := b.conductor()
	uuid := b.create(nil)
	for range 89 {
		turn(t.Context(), c)
		b.clock.Advance(time.Second)
	}
	if n := len(b.driver.renders); n != 1 {
		t.Errorf("asked %d times before the time", n)
	}
	b.until("it is asked again", func() bool { return len(b.driver.renders) == 2 }, c)
	if r := b.cluster(uuid).StatusReason; !strings.HasSuffix(r, ": slow down") {
		t.Errorf("status reason %q", r)
	}
}

// Keystone and Heat away for a while delay a create and do not spoil it.
func TestOutages(t *testing.T) {
	b := newBench(t)
	down := true
	b.keystone.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down
	}
	c := b.conductor()
	uuid := b.create(nil)
	for range 30 {
		turn(t.Context(), c)
		b.clock.Advance(time.Second)
	}
	got := b.cluster(uuid)
	if got.Status != magnum.CreateInProgress || got.StatusReason != "waiting for Keystone to make the cluster's trust since 2026-03-01T12:00:00Z: Keystone is unavailable" {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
	down = false
	posts := 0
	b.heat.SetBefore(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			posts++
		}
		if posts > 5 || r.Method != http.MethodPost {
			return false
		}
		heattest.Refuse(w, http.StatusInternalServerError, "database is locked")
		return true
	})
	if got := b.settled(uuid, c); got.Status != magnum.CreateComplete || len(b.heat.Stacks()) != 1 || posts != 6 {
		t.Errorf("%s %q after %d posts, %d stacks", got.Status, got.StatusReason, posts, len(b.heat.Stacks()))
	}
}

// A stack that never ends fails the cluster at its own deadline, with what it
// was that did not come.
func TestDeadline(t *testing.T) {
	b := newBench(t)
	b.heat.Hold = true
	b.heat.New = func(s *heattest.Stack) {
		s.Resources = []heattest.Resource{
			{Path: []string{"masters"}, Type: "OS::Heat::ResourceGroup", Status: "CREATE_IN_PROGRESS"},
			{Path: []string{"masters", "wait"}, Type: "OS::Heat::WaitCondition", Status: "CREATE_IN_PROGRESS"},
		}
	}
	start := b.clock.Now()
	got := b.settled(b.create(func(c *magnum.Cluster) { c.CreateTimeout = 7 }), b.conductor())
	want := "Timed out after 7 minutes, waiting for stack " + b.heat.Stacks()[0].Name + " since 2026-03-01T12:00:00Z: masters.wait is CREATE_IN_PROGRESS"
	if got.Status != magnum.CreateFailed || got.StatusReason != want {
		t.Errorf("%s %q\nwant %q", got.Status, got.StatusReason, want)
	}
	if took := b.clock.Now().Sub(start); took < 7*time.Minute || took > 7*time.Minute+5*time.Second {
		t.Errorf("failed after %s", took)
	}
}

// Zero is no limit of the user's: the operator's holds.
func TestDefaultDeadline(t *testing.T) {
	b := newBench(t)
	b.heat.Hold = true
	b.options.ClusterHeat.CreateTimeout = 3
	got := b.settled(b.create(func(c *magnum.Cluster) { c.CreateTimeout = 0 }), b.conductor())
	if !strings.HasPrefix(got.StatusReason, "Timed out after 3 minutes,") {
		t.Errorf("%q", got.StatusReason)
	}
}

// A panic in a phase is repeated once, and then fails the one operation.
func TestPanic(t *testing.T) {
	b := newBench(t)
	b.driver.render = func(driver.RenderRequest) (driver.RenderResponse, error) { panic("boom") }
	bad := b.create(nil)
	b.driver.noScale = true
	got := b.settled(bad, b.conductor())
	if got.Status != magnum.CreateFailed || got.StatusReason != internalText || len(b.driver.renders) != 2 {
		t.Errorf("%s %q after %d calls", got.Status, got.StatusReason, len(b.driver.renders))
	}
}
