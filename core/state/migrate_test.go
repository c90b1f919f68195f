package state

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestNoSchema(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "empty.sqlite"))
	if version, err := db.Version(t.Context()); err != nil || version != 0 {
		t.Errorf("version %d, %v", version, err)
	}
	_, err := db.Cluster(t.Context(), Scope{All: true}, "c")
	wantUnavailable(t, err, "run magnum-db-manage upgrade")
	wantUnavailable(t, db.Heartbeat(t.Context(), "h", "b"), "run magnum-db-manage upgrade")
}

func TestUpgradeAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.sqlite")
	var group sync.WaitGroup
	for range 6 {
		db, err := Open(t.Context(), Config{Connection: "sqlite:///" + path})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			defer func() { _ = db.Close() }()
			if _, to, err := db.Upgrade(t.Context()); err != nil || to != db.Latest() {
				t.Errorf("to %d, %v", to, err)
			}
		})
	}
	group.Wait()
}

func TestUpgradeWaitsForItsTurn(t *testing.T) {
	db, _ := openNew(t)
	taken, err := db.takeLease(t.Context(), "migration", "somebody", time.Minute)
	if err != nil || !taken {
		t.Fatal(taken, err)
	}
	start := db.now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tries := 0
	db.now = func() time.Time {
		if tries++; tries == 3 {
			cancel()
		}
		return start
	}
	if _, _, err := db.Upgrade(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "another process is upgrading") {
		t.Errorf("got %v", err)
	}
	// A process that died does not block for ever.
	db.now = func() time.Time { return start.Add(2 * time.Minute) }
	if _, _, err := db.Upgrade(t.Context()); err != nil {
		t.Errorf("after the lease: %v", err)
	}
}

func TestUpgradeRefuses(t *testing.T) {
	t.Run("upstream's database", func(t *testing.T) {
		db := openFile(t, filepath.Join(t.TempDir(), "m.sqlite"))
		if _, err := db.write.ExecContext(t.Context(), "CREATE TABLE alembic_version (version_num VARCHAR(32))"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.Upgrade(t.Context()); err == nil || !strings.Contains(err.Error(), "has to be adopted") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a newer one", func(t *testing.T) {
		db, _ := openNew(t)
		if _, err := db.write.ExecContext(t.Context(), "INSERT INTO schema_history (version_id, is_applied) VALUES (99, 1)"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := db.Upgrade(t.Context()); err == nil || !strings.Contains(err.Error(), "version 99, newer than this build's") {
			t.Errorf("got %v", err)
		}
	})
}

// Two changes may each bring the next migration: then one has to make way.
func TestMigrationsHaveNumbersOfTheirOwn(t *testing.T) {
	entries, err := migrations.ReadDir("migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		if other, taken := seen[number]; taken {
			t.Errorf("%s and %s have one number: give the one that is newer the next", other, e.Name())
		}
		seen[number] = e.Name()
	}
}

// Drivers that were published before hosts were told apart are known until a
// conductor publishes its own.
func TestUpgradeKeepsDrivers(t *testing.T) {
	db, _ := openNew(t)
	p, err := db.provider()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	_, err = db.write.ExecContext(t.Context(),
		"INSERT INTO driver (name, version, digest, active, description) VALUES ('d', '1.0.0', 'x', 1, '{\"Name\": \"d\"}')")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		got, err := db.Drivers(t.Context())
		if err != nil || len(got) != want || want > 0 && (!got[0].Active || got[0].Description.Name != "d") {
			t.Errorf("drivers %v, %v", got, err)
		}
		if err := db.PublishDrivers(t.Context(), "h", nil); err != nil {
			t.Fatal(err)
		}
	}
}
