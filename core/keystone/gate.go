package keystone

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// tripAfter is how many questions in a row must go without a usable
	// answer until Keystone counts as away.
	tripAfter = 3
	// probeEvery is how soon somebody may ask again; clients are told to
	// wait as long.
	probeEvery = time.Second
	// queueFor is how many questions may wait for their turn, for each that
	// may be asked at the same time.
	queueFor = 32
)

var (
	errAway = errors.New("no answer to the questions before")
	errBusy = errors.New("too many tokens wait to be validated")
)

// outcome is what a question tells of Keystone's health.
type outcome int

const (
	// undecided: an answer of no use that may be due to what was asked. It
	// must not count, or one odd token would lock everybody out.
	undecided outcome = iota
	answered
	unanswered
)

// gate bounds what is asked of Keystone at the same time. While Keystone is
// away nobody waits: one question a second is let through to see whether it is
// back, with the request that happens to come, so nothing runs in the
// background.
type gate struct {
	now     func() time.Time
	changed func(away bool, err error)
	slots   chan struct{}

	mu       sync.Mutex
	waiting  int
	failures int
	asked    uint64 // questions let through so far
	vouched  uint64 // of these, how many were let through before the last good answer
	away     bool
	probe    time.Time // when the next may be asked while away
}

func newGate(concurrent int, now func() time.Time, changed func(away bool, err error)) *gate {
	return &gate{now: now, changed: changed, slots: make(chan struct{}, concurrent)}
}

// pass is the permission to ask one question; it must be given back.
type pass struct {
	gate   *gate
	number uint64
	slot   bool
}

// enter waits for a turn, no longer than the context lasts.
func (g *gate) enter(ctx context.Context) (*pass, error) {
	g.mu.Lock()
	if g.away {
		defer g.mu.Unlock()
		now := g.now()
		if now.Before(g.probe) {
			return nil, errAway
		}
		// Probes have no slot: the questions that hang may have them all.
		g.probe = now.Add(probeEvery)
		return g.admit(false), nil
	}
	select {
	case g.slots <- struct{}{}:
		defer g.mu.Unlock()
		return g.admit(true), nil
	default:
	}
	if g.waiting >= queueFor*cap(g.slots) {
		g.mu.Unlock()
		return nil, errBusy
	}
	g.waiting++
	g.mu.Unlock()
	select {
	case g.slots <- struct{}{}:
		g.mu.Lock()
		defer g.mu.Unlock()
		g.waiting--
		if g.away {
			// The slot goes on to the next who waits, so that all learn it.
			<-g.slots
			return nil, errAway
		}
		return g.admit(true), nil
	case <-ctx.Done():
		g.mu.Lock()
		g.waiting--
		g.mu.Unlock()
		return nil, ctx.Err()
	}
}

func (g *gate) admit(slot bool) *pass {
	g.asked++
	return &pass{gate: g, number: g.asked, slot: slot}
}

// leave gives the pass back and says how it went.
func (p *pass) leave(o outcome, err error) {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.slot {
		<-g.slots
	}
	switch o {
	case answered:
		g.failures, g.vouched = 0, g.asked
		if g.away {
			g.away = false
			g.changed(false, nil)
		}
	case unanswered:
		// One that was asked before the last good answer says nothing about
		// now: those that hung when Keystone came back time out afterwards.
		if p.number <= g.vouched {
			return
		}
		if g.failures++; g.failures >= tripAfter && !g.away {
			g.away, g.probe = true, g.now().Add(probeEvery)
			g.changed(true, err)
		}
	case undecided:
	}
}
