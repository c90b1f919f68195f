package server

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/state"
)

// standing is a source of drivers of which a test says how they stand.
type standing struct {
	Drivers
	mu      sync.Mutex
	state   string
	asked   int
	changed chan struct{}
}

func (s *standing) Standing() ([]state.HostDriver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return []state.HostDriver{{Name: "a", Version: "1.0.0", State: s.state}}, nil
}

func (s *standing) Changed() <-chan struct{} { return s.changed }

func (s *standing) become(state string) {
	s.mu.Lock()
	s.state = state
	s.mu.Unlock()
	s.changed <- struct{}{}
}

func newDB(t *testing.T) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{Connection: "sqlite:///" + filepath.Join(t.TempDir(), "m.sqlite")})
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

// A change is in the database soon, any number of them cost one report a
// second, and a conductor that is stopped leaves nothing behind.
func TestReport(t *testing.T) {
	db := newDB(t)
	s := &standing{state: "Installed", changed: make(chan struct{})}
	r := &reporter{db: db, drivers: s, host: "h", every: time.Hour, logger: hclog.NewNullLogger()}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	begin := time.Now()
	go func() { done <- r.run(ctx) }()
	for _, want := range []string{"Starting", "Ready"} {
		s.become(want)
		deadline := time.After(10 * time.Second)
		for got := ""; got != want; {
			select {
			case <-deadline:
				t.Fatalf("it is reported as %q, want %q", got, want)
			case <-time.After(5 * time.Millisecond):
			}
			all, err := db.Fleet(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(all) == 1 && all[0].Host == "h" {
				got = all[0].State
			}
		}
	}
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if most := 2 + int(time.Since(begin)/reportPause); asked > most {
		t.Errorf("%d reports in %s", asked, time.Since(begin))
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if all, err := db.Fleet(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("it left %v, %v", all, err)
	}
}
