package keystone

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func testGate(concurrent int) (*gate, *[]bool) {
	var changes []bool
	g := newGate(concurrent, time.Now, func(away bool, _ error) { changes = append(changes, away) })
	return g, &changes
}

func enter(t *testing.T, g *gate) *pass {
	t.Helper()
	p, err := g.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestGateTripsAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, changes := testGate(2)
		for _, o := range []outcome{unanswered, unanswered, answered, unanswered, unanswered, undecided} {
			enter(t, g).leave(o, nil) // never three in a row
		}
		enter(t, g).leave(unanswered, nil)
		for range 3 {
			if _, err := g.enter(t.Context()); !errors.Is(err, errAway) {
				t.Fatalf("away: %v", err)
			}
		}
		time.Sleep(probeEvery) //nolint:forbidigo // of a bubble's clock
		probe := enter(t, g)
		if _, err := g.enter(t.Context()); !errors.Is(err, errAway) {
			t.Fatalf("a second probe at once: %v", err)
		}
		time.Sleep(probeEvery)           //nolint:forbidigo // of a bubble's clock
		enter(t, g).leave(answered, nil) // though the first probe hangs
		enter(t, g).leave(undecided, nil)
		for range tripAfter {
			probe.leave(unanswered, nil) // asked before the good answer
		}
		enter(t, g).leave(answered, nil)
		if len(*changes) != 2 || !(*changes)[0] || (*changes)[1] {
			t.Errorf("said %v", *changes)
		}
	})
}

func TestGateQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := testGate(1)
		inside := enter(t, g)
		errs := make(chan error, queueFor)
		passes := make(chan *pass, queueFor)
		ctx, cancel := context.WithCancel(t.Context())
		wait := func(ctx context.Context) {
			p, err := g.enter(ctx)
			if err == nil {
				passes <- p
			}
			errs <- err
		}
		go wait(ctx)
		for range queueFor - 1 {
			go wait(t.Context())
		}
		synctest.Wait()
		if _, err := g.enter(t.Context()); !errors.Is(err, errBusy) {
			t.Errorf("one too many: %v", err)
		}
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
		inside.leave(answered, nil)
		next := <-passes
		if err := <-errs; err != nil {
			t.Errorf("next: %v", err)
		}
		// Keystone goes away: nobody waits for its time to run out.
		next.leave(unanswered, nil)
		for range tripAfter - 1 {
			p := <-passes
			<-errs
			p.leave(unanswered, nil)
		}
		for range queueFor - 1 - tripAfter {
			if err := <-errs; !errors.Is(err, errAway) {
				t.Errorf("who waited: %v", err)
			}
		}
		if len(passes) != 0 || len(g.slots) != 0 || g.waiting != 0 {
			t.Errorf("left: %d passes, %d slots, %d waiting", len(passes), len(g.slots), g.waiting)
		}
	})
}
