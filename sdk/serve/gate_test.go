package serve

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: a driver rests once, and only when nothing has been asked of it for a
// while.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rests atomic.Int64
		g := &gate{rest: time.AfterFunc(restAfter, func() { rests.Add(1) })}
		expect := func(want int64, what string) {
			t.Helper()
			synctest.Wait()
			if got := rests.Load(); got != want {
				t.Errorf("%s: it rested %d times, want %d", what, got, want)
			}
		}
		<-time.After(restAfter)
		expect(1, "after the start")

		g.enter()
		g.enter()
		g.leave()
		<-time.After(2 * restAfter)
		expect(1, "with a call in flight")

		g.leave()
		<-time.After(restAfter / 2)
		g.enter()
		g.leave()
		<-time.After(restAfter * 3 / 4)
		expect(1, "between calls")

		<-time.After(restAfter)
		expect(2, "after the last one")
		<-time.After(10 * restAfter)
		expect(2, "still without one")
	})
}
