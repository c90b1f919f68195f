package conductor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/go-magnum/magnum/core/cert"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Drivers gives drivers by name and version; an empty version is the active
// one. Errors have a [driver.Class]; a driver that is not installed is
// ClassNotFound.
type Drivers interface {
	Get(ctx context.Context, name, version string) (driver.Set, error)
}

// Config is what a conductor needs. DB, Drivers, Keystone, Cert and Options
// are required.
type Config struct {
	DB       *state.DB
	Drivers  Drivers
	Keystone *keystone.Client
	Cert     *cert.Authority
	Options  *config.Config
	// Heat is made from Options if nil.
	Heat *heat.Client
	// Host names this conductor in the list of services.
	Host string
	// Wake, if not nil, makes it look for operations before its next poll.
	Wake <-chan struct{}
	// Hook, if not nil, is called around each phase.
	Hook   Hook
	Logger hclog.Logger
	// Metrics takes what is counted; nil: nobody reads it.
	Metrics prometheus.Registerer

	// Workers is how many operations are worked on at a time, not counting
	// those that only wait for their stacks; [conductor] workers, or 8.
	Workers int
	// Poll is the time between two looks for operations; 1 s.
	Poll time.Duration
	// Lease is how long an operation stays with a conductor that went away;
	// 20 s, more while very many are held.
	Lease time.Duration
	// Follow is the shortest time between two looks at the stacks; 1 s.
	Follow time.Duration
	// Backoff is how long to wait before the nth repeat of a phase that could
	// not be done; 1 s doubled each time up to 30 s, with jitter.
	Backoff func(attempt int) time.Duration

	Now  func() time.Time // time.Now
	Rand io.Reader        // crypto/rand; makes passwords
}

// Point is where in a phase a hook is called.
type Point string

// The points. After is after the effect and before it is saved: an operation
// that dies there is repeated with the effect there already.
const (
	Before Point = "before"
	After  Point = "after"
)

// Hook is told what an operation is about to do, or has done.
type Hook func(ctx context.Context, op *magnum.Operation, phase string, point Point)

// Conductor works on operations until it is told to stop.
type Conductor struct {
	Config
	owner    string
	sealKey  []byte
	slots    chan struct{} // one for each busy worker
	nudge    chan struct{} // a worker is free, or a lease was given back
	held     held
	follower follower
	busy     sync.WaitGroup // workers
	streams  sync.WaitGroup // listeners; only workers and listeners begin one
	metrics  *metrics
	outages  *obs.Outages
}

// New checks the configuration and fills in defaults.
func New(c Config) (*Conductor, error) {
	if c.DB == nil || c.Drivers == nil || c.Keystone == nil || c.Cert == nil || c.Options == nil {
		return nil, errors.New("conductor: DB, Drivers, Keystone, Cert and Options are required")
	}
	if c.Heat == nil {
		h := c.Options.HeatClient
		c.Heat = heat.New(heat.Config{Interface: keystone.Interface(h.EndpointType), Region: h.RegionName})
	}
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	if c.Workers == 0 {
		c.Workers = c.Options.Conductor.Workers
	}
	if c.Workers == 0 {
		c.Workers = 8
	}
	setTimes(&c)
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	w := &Conductor{
		Config: c,
		// Unique for each start: a conductor that comes back must not take
		// its former self's leases for its own.
		owner:   c.Host + "/" + uuid.NewString(),
		sealKey: keystone.SealKey(c.Options.KeystoneAuth.Password.Reveal()),
		slots:   make(chan struct{}, c.Workers),
		nudge:   make(chan struct{}, 1),
		held:    held{tasks: map[string]*task{}},
		metrics: newMetrics(c.Metrics),
		outages: obs.NewOutages(c.Logger),
	}
	w.follower = follower{conductor: w, tasks: map[string]*task{}}
	w.measure(c.Metrics)
	return w, nil
}

func setTimes(c *Config) {
	if c.Poll == 0 {
		c.Poll = time.Second
	}
	if c.Lease == 0 {
		c.Lease = 20 * time.Second
	}
	if c.Follow == 0 {
		c.Follow = time.Second
	}
	if c.Backoff == nil {
		c.Backoff = backoff
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// backoff doubles from 1 s to 30 s. The jitter keeps operations that failed
// together from coming back together.
func backoff(attempt int) time.Duration {
	d := 30 * time.Second
	if attempt < 5 {
		d = time.Second << attempt
	}
	return d*3/4 + mathrand.N(d/2) //nolint:gosec // jitter is no secret
}

// Run works until ctx ends. Operations under way are given back then, for
// another conductor, or this one's next start, to take up at once.
func (c *Conductor) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.claimLoop(ctx) })
	g.Go(func() error { return c.leaseLoop(ctx) })
	g.Go(func() error { return c.followLoop(ctx) })
	g.Go(func() error { return c.heartbeatLoop(ctx) })
	err := g.Wait()
	c.busy.Wait()
	c.streams.Wait()
	c.giveBack(context.WithoutCancel(ctx))
	if err != nil {
		return fmt.Errorf("conductor: %w", err)
	}
	return nil
}

func (c *Conductor) claimLoop(ctx context.Context) error {
	poll := time.NewTicker(c.Poll)
	defer poll.Stop()
	for {
		c.claim(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-poll.C:
		case <-c.Wake:
		case <-c.nudge:
		}
	}
}

// claim takes as many operations as there are free workers.
func (c *Conductor) claim(ctx context.Context) {
	free := cap(c.slots) - len(c.slots)
	if free == 0 || ctx.Err() != nil {
		return
	}
	ops, err := c.DB.Claim(ctx, state.Claimant{Host: c.Host, Owner: c.owner}, c.lease(), free)
	if ctx.Err() == nil {
		c.outages.Note("claim operations", err)
	}
	if err != nil {
		return
	}
	for _, op := range ops {
		t := c.newTask(ctx, op)
		c.held.add(t)
		level := hclog.Info
		if op.Attempts > 0 {
			level = hclog.Debug // that it was put off has its line
		}
		t.log.Log(level, "operation claimed", "phase", op.Phase, "attempt", op.Attempts)
		c.start(t)
	}
}

// start works on a task as soon as a worker is free.
func (c *Conductor) start(t *task) {
	c.busy.Go(func() { c.attend(t) })
}

// attend is a worker's turn at a task.
func (c *Conductor) attend(t *task) {
	select {
	case c.slots <- struct{}{}:
	case <-t.ctx.Done():
		c.drop(t)
		return
	}
	defer func() {
		<-c.slots
		c.wakeUp()
	}()
	c.work(t)
}

// wakeUp makes the claim loop look again.
func (c *Conductor) wakeUp() {
	select {
	case c.nudge <- struct{}{}:
	default: // it will look anyway
	}
}
