package supervise

import "time"

// breaker counts how often a driver crashed, or did not start, and says when it
// may be started again. It is guarded by the instance's lock.
type breaker struct {
	cfg     Config
	crashes []time.Time // those within the window
	// notBefore is when the next start may be, patient whether callers may
	// wait for it: a driver that has run before is likely to run again.
	notBefore time.Time
	patient   bool
	// open says that the driver is in a crash loop: the next start is a trial,
	// and one more failure puts the next off again.
	open bool
}

// failed counts the end of a process that had been ready, or else of a start.
// A trial is a start after a crash loop, or a process from it that did not live
// for long. It reports whether the driver is in a crash loop now.
func (b *breaker) failed(now time.Time, ready, trial bool) (loop bool) {
	kept := b.crashes[:0]
	for _, c := range b.crashes {
		if now.Sub(c) < b.cfg.CrashWindow {
			kept = append(kept, c)
		}
	}
	b.crashes = append(kept, now)
	count := len(b.crashes)
	b.open = trial || count >= b.cfg.CrashLimit
	b.patient = ready && !b.open
	switch {
	case b.open:
		b.notBefore = now.Add(b.cfg.CrashPause)
	case !ready:
		b.notBefore = now.Add(b.cfg.backoff(count))
	case count == 1:
		b.notBefore = time.Time{} // most crashes are the only one: no call need wait
	default:
		b.notBefore = now.Add(b.cfg.backoff(count - 1))
	}
	return b.open
}

// pause is how long there must be no start yet.
func (b *breaker) pause(now time.Time) time.Duration { return max(b.notBefore.Sub(now), 0) }

// started takes note of a start that begins, and reports whether it is a trial.
func (b *breaker) started() (trial bool) {
	trial = b.open
	b.open = false
	return trial
}
