package conductor

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestTraceOf(t *testing.T) {
	const request = "req-0af76519-16cd-43dd-8448-eb211c80319c"
	got := traceOf(&magnum.Operation{ID: "op-1", RequestID: request})
	if got.ID() != "0af7651916cd43dd8448eb211c80319c" || got.RequestID != request {
		t.Errorf("the trace of %s is %+v", request, got)
	}
	if again := traceOf(&magnum.Operation{ID: "op-1", RequestID: request, Attempts: 7}); again != got {
		t.Errorf("at another attempt it is %+v, not %+v", again, got)
	}
	other := traceOf(&magnum.Operation{ID: "op-2", RequestID: request})
	if other.ID() != got.ID() || other.Parent == got.Parent {
		t.Errorf("another operation of the request has %+v", other)
	}
	if odd := traceOf(&magnum.Operation{ID: "op-1", RequestID: "of somebody's own"}); odd.ID() == "" || odd.ID() == got.ID() {
		t.Errorf("of a request id that is no uuid: %+v", odd)
	}
}

// A driver is told which request its calls are for.
func TestDriverIsToldTheTrace(t *testing.T) {
	b := newBench(t)
	b.settled(b.create(nil), b.conductor())
	if len(b.driver.traces) == 0 {
		t.Fatal("the driver was not called")
	}
	for _, got := range b.driver.traces {
		if got.ID() == "" {
			t.Errorf("no trace: %+v", got)
		}
		if d := cmp.Diff(driver.Trace{RequestID: "req-1", Parent: got.Parent}, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}
