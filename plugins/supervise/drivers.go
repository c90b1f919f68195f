package supervise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Drivers are all drivers of a host.
type Drivers struct {
	cfg     Config
	metrics *metrics

	mu        sync.Mutex
	instances map[string]*instance // by package digest
	serving   map[string]*instance // by name, for calls that name no version
	closed    bool
	attached  []*attached

	// work counts what goes on beside the calls.
	work sync.WaitGroup
	// dirty asks for another report, quit ends them.
	dirty chan struct{}
	quit  chan struct{}
	// news tells of changes to whoever listens.
	news chan struct{}
}

// New starts no driver yet. It ends what a host that was killed has left.
func New(cfg Config) *Drivers {
	d := &Drivers{
		cfg: cfg.withDefaults(), metrics: newMetrics(), instances: map[string]*instance{}, serving: map[string]*instance{},
		dirty: make(chan struct{}, 1), quit: make(chan struct{}), news: make(chan struct{}, 1),
	}
	if d.cfg.RunDir != "" {
		if err := d.takeOver(); err != nil {
			d.cfg.Logger.Error("how drivers stand cannot be told", "error", err)
		}
	}
	for _, folder := range d.cfg.Attach {
		d.attached = append(d.attached, attachAt(d.cfg, folder, d.changed))
	}
	// What serves already is there from the first request on.
	late := time.After(d.cfg.ProbeTimeout)
	for _, a := range d.attached {
		select {
		case <-a.tried:
		case <-late:
		}
	}
	return d
}

// Get returns a driver, started if it was not. An empty version means the
// active one. The context bounds this caller's wait, not the start: another
// caller may be willing to wait longer. One that is attached is all versions of
// its name.
func (d *Drivers) Get(ctx context.Context, name, version string) (driver.Set, error) {
	for _, a := range d.attached {
		if a.is(name) {
			return a.set()
		}
	}
	i, err := d.instance(name, version)
	if err != nil {
		return driver.Set{}, err
	}
	if version == "" {
		return d.active(ctx, i)
	}
	i.keep()
	if err := i.up(ctx); err != nil {
		return driver.Set{}, err
	}
	return i.set(), nil
}

// instance finds the one for a package. The link in the store is read every
// time, so that an installation takes effect at once.
func (d *Drivers) instance(name, version string) (*instance, error) {
	digest, err := d.cfg.Store.Resolve(name, version)
	if err != nil {
		return nil, missing(name, version, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, driver.Errorf(driver.ClassUnavailable, "driver %s is not available: the service is stopping", name)
	}
	if i, ok := d.instances[digest]; ok {
		return i, nil
	}
	pkg, err := d.cfg.Store.Find(name, version)
	if err != nil {
		return nil, missing(name, version, err)
	}
	i := newInstance(d.cfg, pkg, d.metrics, d.changed)
	i.nth = len(d.instances)
	d.instances[pkg.Digest] = i
	return i, nil
}

// missing tells a driver that is not installed, which asking again does not
// mend, from one that cannot be read.
func missing(name, version string, cause error) error {
	if version != "" {
		name += " " + version
	}
	e := driver.Errorf(driver.ClassUnavailable, "driver %s is not available", name)
	if errors.Is(cause, store.ErrNotFound) {
		e = driver.Errorf(driver.ClassNotFound, "driver %s is not installed", name)
	}
	e.Blame = driver.BlameOperator
	e.OperatorMessage = cause.Error()
	return &causedError{said: e, cause: cause}
}

// causedError is an error of the contract that keeps what is behind it for
// errors.Is.
type causedError struct {
	said  *driver.Error
	cause error
}

func (e *causedError) Error() string { return e.said.Error() }

func (e *causedError) Unwrap() []error { return []error{e.said, e.cause} }

// Descriptions are those of the active drivers, read from the store without
// starting any. A damaged package is logged and left out.
func (d *Drivers) Descriptions() []driver.Description {
	packages, err := d.cfg.Store.Active()
	if err != nil {
		d.cfg.Logger.Error("drivers cannot be listed", "error", err)
		return nil
	}
	var descriptions []driver.Description
	for _, p := range packages {
		if p.Damage != nil {
			d.cfg.Logger.Error("driver cannot be used", "driver", p.Name, "error", p.Damage)
			continue
		}
		descriptions = append(descriptions, p.Description)
	}
	return descriptions
}

// Attached lists the drivers that somebody else has started, as the packages that
// they would be; also those whose process is not there at the moment.
func (d *Drivers) Attached() []store.Package {
	var packages []store.Package
	for _, a := range d.attached {
		if p := a.described(); p.Name != "" {
			packages = append(packages, p)
		}
	}
	return packages
}

// Status lists the drivers that were asked for or are attached, by name and
// version.
func (d *Drivers) Status() []Status {
	instances := d.all()
	statuses := make([]Status, 0, len(instances)+len(d.attached))
	for _, i := range instances {
		statuses = append(statuses, i.status())
	}
	for _, a := range d.attached {
		statuses = append(statuses, a.status())
	}
	slices.SortFunc(statuses, func(a, b Status) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return statuses
}

// Changed gets something after what Status says has changed, once for any
// number of changes. It is for one listener.
func (d *Drivers) Changed() <-chan struct{} { return d.news }

func (d *Drivers) all() []*instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.instances))
}

// Close ends all processes: calls in flight may finish until ctx is done, then
// they are cut off. It returns when nothing is left.
func (d *Drivers) Close(ctx context.Context) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	instances := slices.Collect(maps.Values(d.instances))
	d.mu.Unlock()

	failures := make([]error, len(instances))
	var all sync.WaitGroup
	for _, a := range d.attached {
		all.Go(a.close)
	}
	for n, i := range instances {
		all.Go(func() { failures[n] = i.close(ctx) })
	}
	all.Wait()
	close(d.quit)
	d.work.Wait()
	if err := errors.Join(failures...); err != nil {
		return fmt.Errorf("stop drivers: %w", err)
	}
	return nil
}
