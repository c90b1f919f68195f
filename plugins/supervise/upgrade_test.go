package supervise_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// ownStore is a store that a test may change.
func ownStore(t *testing.T) (s *store.Store, install func(number int)) {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() { // packages are read-only, which is in the way for all but root
		_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
	})
	s, err := store.Open(filepath.Join(dir, "drivers"))
	if err != nil {
		t.Fatal(err)
	}
	install = func(number int) {
		t.Helper()
		if _, err := s.Install(context.Background(), store.InstallRequest{Source: testPackages[number-1]}); err != nil {
			t.Fatal(err)
		}
	}
	install(1)
	return s, install
}

func of(d *supervise.Drivers, version string) supervise.Status {
	for _, s := range d.Status() {
		if s.Name == "test-driver" && s.Version == version {
			return s
		}
	}
	return supervise.Status{}
}

// callers ask without a pause until the test ends, and have every failure
// reported. They tell how often a version has answered.
func callers(t *testing.T, d *supervise.Drivers, n int) (answered func(version string) int64) {
	t.Helper()
	var (
		all    sync.WaitGroup
		stop   atomic.Bool
		counts sync.Map
	)
	for _, v := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		counts.Store(v, new(atomic.Int64))
	}
	answered = func(version string) int64 {
		c, _ := counts.Load(version)
		return c.(*atomic.Int64).Load()
	}
	for range n {
		all.Go(func() {
			for !stop.Load() {
				set, err := d.Get(context.Background(), "test-driver", "")
				if err == nil {
					_, err = ask(context.Background(), set, "size:1000")
				}
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				c, _ := counts.Load(set.Version)
				c.(*atomic.Int64).Add(1)
			}
		})
	}
	t.Cleanup(func() { stop.Store(true); all.Wait() })
	return answered
}

func TestUpgradeAndRollbackUnderLoad(t *testing.T) {
	s, install := ownStore(t)
	cfg := config(t)
	cfg.Store = s
	cfg.RetireAfter = 50 * time.Millisecond
	d := drivers(t, cfg)

	set := get(t, d)
	file := filepath.Join(t.TempDir(), "go")
	long := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), set, "wait-for:"+file)
		long <- err
	}()
	until(t, "the long call has begun", func() bool { _, err := os.Stat(file + ".begun"); return err == nil })

	answered := callers(t, d, 16)
	until(t, "version 1 answers", func() bool { return answered("1.0.0") > 100 })
	old := of(d, "1.0.0").PID

	install(2)
	until(t, "version 2 answers", func() bool { return answered("2.0.0") > 100 })
	if got := of(d, "1.0.0"); got.State != supervise.StateDraining || !exists(old) {
		t.Errorf("version 1 has a call in flight, and is %+v", got)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-long; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
	until(t, "version 1 is stopped", func() bool { return of(d, "1.0.0").State == supervise.StateStopped })
	if exists(old) {
		t.Error("its process is still there")
	}

	before := answered("1.0.0")
	if _, err := s.Rollback(context.Background(), store.RollbackRequest{Name: "test-driver"}); err != nil {
		t.Fatal(err)
	}
	until(t, "version 1 answers again", func() bool { return answered("1.0.0") > before+100 })
	until(t, "version 2 is stopped", func() bool { return of(d, "2.0.0").State == supervise.StateStopped })
	if got := of(d, "1.0.0"); got.State != supervise.StateReady || got.PID == old {
		t.Errorf("version 1 is %+v", got)
	}
}

func TestUpgradeThatDoesNotComeUp(t *testing.T) {
	s, install := ownStore(t)
	cfg := config(t)
	cfg.Store = s
	cfg.BackoffBase = time.Minute
	d := drivers(t, cfg)
	get(t, d)
	answered := callers(t, d, 4)
	install(3)
	until(t, "version 3 has failed", func() bool { return of(d, "3.0.0").State == supervise.StateStopped })
	seen := answered("1.0.0")
	until(t, "version 1 goes on", func() bool { return answered("1.0.0") > seen+100 })
	if got := of(d, "1.0.0"); got.State != supervise.StateReady || got.Restarts != 0 {
		t.Errorf("version 1 is %+v", got)
	}
	if got := of(d, "3.0.0"); !strings.Contains(got.LastError, "cannot open /etc/test-driver.conf") || got.PID != 0 {
		t.Errorf("version 3 is %+v", got)
	}
	if answered("3.0.0") != 0 {
		t.Error("version 3 answered")
	}
}

// A cluster stays with the version that made it: naming one keeps it up.
func TestPinnedVersionOutlivesUpgrade(t *testing.T) {
	s, install := ownStore(t)
	cfg := config(t)
	cfg.Store = s
	cfg.RetireAfter = time.Hour
	d := drivers(t, cfg)
	get(t, d)
	old := of(d, "1.0.0").PID
	install(2)
	until(t, "version 2 serves", func() bool { return get(t, d).Version == "2.0.0" })
	until(t, "version 1 drains", func() bool { return of(d, "1.0.0").State == supervise.StateDraining })
	set, err := d.Get(t.Context(), "test-driver", "1.0.0")
	if err != nil || set.Version != "1.0.0" {
		t.Fatalf("got %s, %v", set.Version, err)
	}
	if got := of(d, "1.0.0"); got.State != supervise.StateReady || got.PID != old {
		t.Errorf("version 1 is %+v", got)
	}
}
