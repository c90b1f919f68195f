package conductor

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

// hostDrivers are those of one host: some versions of the bench's driver.
type hostDrivers struct {
	*fakeDriver
	has []magnum.DriverRef
}

func (d *hostDrivers) Get(ctx context.Context, name, version string) (driver.Set, error) {
	for _, ref := range d.has {
		if ref == (magnum.DriverRef{Name: name, Version: version}) {
			return d.fakeDriver.Get(ctx, name, version)
		}
	}
	return driver.Set{}, driver.Errorf(driver.ClassNotFound, "driver %s %s is not installed", name, version)
}

// on makes the conductor of a host that is up and has these versions, the last
// of them active.
func (b *bench) on(host string, has ...magnum.DriverRef) *Conductor {
	b.Helper()
	c := b.conductor()
	c.Host, c.owner, c.Drivers = host, host, &hostDrivers{b.driver, has}
	var all []state.Driver
	for i, ref := range has {
		all = append(all, state.Driver{Name: ref.Name, Version: ref.Version, Active: i == len(has)-1, Description: driver.Description{
			ClusterTypes: []driver.ClusterType{{ServerType: "vm", OS: "fedora-atomic", COE: "kubernetes"}},
		}})
	}
	b.beats(host)
	b.must(b.db.PublishDrivers(b.Context(), host, all))
	return c
}

func (b *bench) beats(host string) {
	b.Helper()
	b.must(b.db.Heartbeat(b.Context(), host, state.ConductorBinary))
}

// A cluster is served by a host that has its driver; where none that is up has
// it, another says so.
func TestHostsThatDiffer(t *testing.T) {
	b := newBench(t)
	one, two := b.on("host-1", newDriver), b.on("host-2", oldDriver)
	uuid := b.create(nil)
	turn(t.Context(), one)
	if got := b.cluster(uuid); got.StatusReason != "" {
		t.Fatalf("a host without the driver has begun: %q", got.StatusReason)
	}
	if got := b.settled(uuid, one, two); got.Status != magnum.CreateComplete {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}

	b.clock.Advance(2 * time.Minute)
	b.beats("host-1") // and the other is silent, for a while
	uuid = b.create(func(c *magnum.Cluster) { c.Name = "left" })
	start := b.clock.Now()
	got := b.settled(uuid, one)
	if want := "driver fake 1.0.0 is not installed"; got.Status != magnum.CreateFailed || !strings.Contains(got.StatusReason, want) {
		t.Errorf("%s %q", got.Status, got.StatusReason)
	}
	if waited := b.clock.Now().Sub(start); waited < 50*time.Second {
		t.Errorf("its host was waited for for %s only", waited)
	}
}

// Where an upgrade leads to a version that another host has, it is put off
// until that one takes it up.
func TestUpgradeOfHostsThatDiffer(t *testing.T) {
	b := newBench(t)
	one, two := b.on("host-1", oldDriver), b.on("host-2", oldDriver, newDriver)
	uuid, to := b.upgradable(one)
	b.must(b.db.PublishDrivers(t.Context(), "h", nil))
	b.must(b.db.PublishDrivers(t.Context(), "host-1", []state.Driver{{Name: oldDriver.Name, Version: oldDriver.Version}}))
	b.upgrade(uuid, "", to)
	turn(t.Context(), one)
	if got := b.cluster(uuid); got.Status != magnum.UpdateInProgress || !strings.HasSuffix(got.StatusReason, ": Driver fake 2.0.0 is on another host than this conductor.") {
		t.Fatalf("%s %q", got.Status, got.StatusReason)
	}
	if got := b.settled(uuid, two); got.Status != magnum.UpdateComplete || got.Driver != newDriver {
		t.Errorf("%s %q, by %v", got.Status, got.StatusReason, got.Driver)
	}
}
