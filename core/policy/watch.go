package policy

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

// pause is the least time between two looks at the files.
const pause = time.Second

// Watcher has the rules as the files have them now. It is safe for concurrent
// use and needs no closing: who asks for the rules looks at the files.
type Watcher struct {
	config  Config
	logger  hclog.Logger
	now     func() time.Time
	current atomic.Pointer[Enforcer]
	next    atomic.Int64 // when to look again

	mu     sync.Mutex // held by the one who looks
	stamps []stamp    // of current
	sum    digest     // of what stands in them
	fresh  bool       // a change so near to the last look may hide behind the same time
	broken string     // why the files' newest state is not current
}

// Watch reads the rules; here a broken file is still an error. The logger and
// the clock may be nil.
func Watch(c Config, logger hclog.Logger, now func() time.Time) (*Watcher, error) {
	if logger == nil {
		logger = hclog.NewNullLogger()
	}
	if now == nil {
		now = time.Now
	}
	w := &Watcher{config: c, logger: logger, now: now}
	var err error
	if w.stamps, err = c.survey(); err != nil {
		return nil, err
	}
	e, sum, err := c.read(w.stamps, logger)
	if err != nil {
		return nil, err
	}
	w.current.Store(e)
	w.sum, w.fresh = sum, w.young(w.stamps)
	w.next.Store(now().Add(pause).UnixNano())
	return w, nil
}

// Rules are the rules to apply to one request from its beginning to its end.
func (w *Watcher) Rules() *Enforcer {
	now := w.now().UnixNano()
	if now >= w.next.Load() && w.mu.TryLock() {
		defer w.mu.Unlock()
		// The one who held the lock before may have looked just now.
		if now >= w.next.Load() {
			w.next.Store(now + int64(pause))
			w.look()
		}
	}
	return w.current.Load()
}

// Has reports whether there is a rule of that name.
func (w *Watcher) Has(rule string) bool { return w.Rules().Has(rule) }

// look takes up what changed. Rules that cannot be used leave those in force
// that were, and are tried again: it need not be the file's content.
func (w *Watcher) look() {
	stamps, err := w.config.survey()
	if err == nil {
		if w.broken == "" && !w.fresh && slices.EqualFunc(stamps, w.stamps, stamp.equal) {
			return
		}
		// Before reading: what is written from now on is younger.
		fresh := w.young(stamps)
		var e *Enforcer
		var sum digest
		if e, sum, err = w.config.read(stamps, w.logger); err == nil {
			w.stamps, w.fresh = stamps, fresh
			if w.broken == "" && sum == w.sum {
				return
			}
			w.current.Store(e)
			w.sum, w.broken = sum, ""
			w.logger.Info("policy read again")
			return
		}
	}
	if why := err.Error(); why != w.broken {
		w.broken = why
		w.logger.Error("the new policy cannot be used, the old one stays in force", "error", err)
	}
}

// grain is coarser than any file system's clock.
const grain = 3 * time.Second

// young reports whether a file was written just now: it may be written again
// without its time showing it.
func (w *Watcher) young(stamps []stamp) bool {
	since := w.now().Add(-grain)
	return slices.ContainsFunc(stamps, func(s stamp) bool { return s.info.ModTime().After(since) })
}
