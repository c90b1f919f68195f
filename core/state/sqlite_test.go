package state_test

import (
	"path/filepath"
	"testing"

	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/core/state/statetest"
)

func TestSQLite(t *testing.T) {
	statetest.Run(t, func(t *testing.T, c state.Config) *state.DB {
		c.Connection = "sqlite:///" + filepath.Join(t.TempDir(), "magnum.sqlite")
		return open(t, c)
	})
}

// open opens a database, brings it to the latest schema and closes it with
// the test.
func open(t testing.TB, c state.Config) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := db.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}
