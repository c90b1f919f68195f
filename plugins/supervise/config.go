package supervise

import (
	"math/rand/v2"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/attach"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
)

// Config says what to supervise. Store is required.
type Config struct {
	Store  *store.Store
	Logger hclog.Logger
	// CoreVersion is what drivers are told in the handshake.
	CoreVersion string
	// Configuration is the operator's for a driver, a JSON object; empty for
	// none. It is asked at every start and again every ProbeInterval. By
	// default there is none.
	Configuration func(name string) ([]byte, error)
	// LogLevel is what a driver logs at, asked as often; hclog.NoLevel, the
	// default, is as Logger does. It takes a Logger with IndependentLevels.
	LogLevel func(name string) hclog.Level

	// Launch is the pattern for starting a process: directories, environment
	// and the times of its start and its end. The package fills in the rest.
	Launch launch.Config
	// Unconfined names drivers that are not confined, Granted those whose
	// manifests are given what they ask for; "*" is all.
	Unconfined, Granted []string

	// Attach has the folders of drivers that somebody else starts, and ends. As
	// soon as one serves there, it takes the place of all that the store has of
	// its name.
	Attach []*attach.Folder

	// CallTimeout bounds every call but Watch, from the wait for a place to
	// the answer; 30 s by default. A caller's own deadline may be nearer.
	CallTimeout time.Duration
	// ProbeTimeout is how long a driver that let a deadline pass may take to
	// show that it lives; 2 s by default.
	ProbeTimeout time.Duration
	// Concurrency is how many calls one driver has at once, 64 by default,
	// and Queue how many more may wait, 256 by default.
	Concurrency, Queue int
	// BackoffBase and BackoffLimit pace the starts of a driver that does not
	// start, or crashes again and again: 1 s, doubled each time, to 60 s.
	BackoffBase, BackoffLimit time.Duration
	// CrashLimit is how many crashes within CrashWindow make a crash loop: 5
	// in 10 min. The driver is then not started for CrashPause, 5 min.
	CrashLimit              int
	CrashWindow, CrashPause time.Duration
	// CrashDir is where crashes are recorded; empty for nowhere.
	CrashDir string
	// RunDir is where the state of the drivers is written for others to read,
	// and what a former host left is swept up from; empty for nowhere.
	RunDir string
	// IdleTimeout is how long a process without calls is kept; 0 for ever.
	IdleTimeout time.Duration
	// ProbeInterval is how often a ready driver is asked whether it lives,
	// 10 s by default; after ProbeMisses failures in a row, 3 by default, it
	// is replaced. So it is after CallMisses calls in a row, 8 by default,
	// that had all of CallTimeout and no answer, whatever a probe says.
	ProbeInterval           time.Duration
	ProbeMisses, CallMisses int
	// DumpTimeout is how long a hung process may take to write down its
	// goroutines; 2 s by default.
	DumpTimeout time.Duration
	// RetireAfter is how long the process of a version that another has taken
	// the place of must have been without a call to be stopped; 1 s by
	// default. At the latest it is stopped after CallTimeout.
	RetireAfter time.Duration

	// AttachInterval is how often the process of an attached driver is looked
	// for while there is none; 500 ms by default.
	AttachInterval time.Duration

	// Now is the clock, Rand the source of jitter in [0, 1).
	Now  func() time.Time
	Rand func() float64
}

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.Launch.StartTimeout, 10 * time.Second},
		{&c.CallTimeout, 30 * time.Second},
		{&c.ProbeTimeout, 2 * time.Second},
		{&c.BackoffBase, time.Second},
		{&c.BackoffLimit, time.Minute},
		{&c.CrashWindow, 10 * time.Minute},
		{&c.CrashPause, 5 * time.Minute},
		{&c.ProbeInterval, 10 * time.Second},
		{&c.DumpTimeout, 2 * time.Second},
		{&c.RetireAfter, time.Second},
		{&c.AttachInterval, 500 * time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	for _, n := range []struct {
		value    *int
		standard int
	}{
		{&c.Concurrency, 64},
		{&c.Queue, 256},
		{&c.CrashLimit, 5},
		{&c.ProbeMisses, 3},
		{&c.CallMisses, 8},
	} {
		if *n.value == 0 {
			*n.value = n.standard
		}
	}
	if c.Configuration == nil {
		c.Configuration = func(string) ([]byte, error) { return nil, nil }
	}
	if c.LogLevel == nil {
		c.LogLevel = func(string) hclog.Level { return hclog.NoLevel }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	return c
}

// backoff is how long to wait after a number of failures in a row: half of it
// fixed, half of it chance, so that several hosts do not start in step.
func (c Config) backoff(failures int) time.Duration {
	d := c.BackoffBase
	for range failures - 1 {
		if d *= 2; d >= c.BackoffLimit {
			d = c.BackoffLimit
			break
		}
	}
	return d/2 + time.Duration(c.Rand()*float64(d/2))
}
