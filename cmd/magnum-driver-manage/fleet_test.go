package main

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-magnum/magnum/core/state"
)

func TestStatusOfAllHosts(t *testing.T) {
	h := newHost(t)
	h.database()
	db, err := state.Open(t.Context(), state.Config{Connection: "sqlite:///" + filepath.Join(h.dir, "magnum.sqlite")})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	report := func(host string, drivers ...state.HostDriver) {
		t.Helper()
		offers := make([]state.Driver, len(drivers))
		for i, d := range drivers {
			offers[i] = state.Driver{Name: d.Name, Version: d.Version, Digest: d.Digest, Active: d.Active}
		}
		for _, err := range []error{
			db.Heartbeat(t.Context(), host, state.ConductorBinary), db.ReportDrivers(t.Context(), host, drivers), db.PublishDrivers(t.Context(), host, offers),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	old := state.HostDriver{Name: "a", Version: "1.0.0", Digest: "d1", Active: true, Generation: 1, State: "Ready", PID: 7, Since: since}
	idle := state.HostDriver{Name: "a", Version: "1.1.0", Digest: "d2", Generation: 2, State: "Installed"}
	columns := []string{"status", "--all-hosts", "-f", "value", "-c", "Host", "-c", "Version", "-c", "Active", "-c", "New Clusters", "-c", "State", "-c", "PID", "-c", "Since", "-c", "Skew"}
	want := func(code int, want string) {
		t.Helper()
		out, got, err := h.run(columns...)
		if got != code || out != want {
			t.Errorf("exit code %d, want %d, %v; printed:\n%s", got, code, err, out)
		}
	}
	want(0, "")
	report("h1", old, idle)
	report("h2", old)
	same := "h1 1.0.0 active yes Ready 7 2026-01-02T03:04:05Z \nh1 1.1.0   Installed   \nh2 1.0.0 active yes Ready 7 2026-01-02T03:04:05Z \n"
	want(0, same)
	next := idle
	next.Active, next.State = true, "Starting"
	report("h1", next)
	want(48, "h1 1.1.0 active  Starting   skew\nh2 1.0.0 active yes Ready 7 2026-01-02T03:04:05Z skew\n")
	report("h1", idle) // none active there
	want(48, "h1 1.1.0   Installed   skew\nh2 1.0.0 active yes Ready 7 2026-01-02T03:04:05Z skew\n")

	raw, err := sql.Open("sqlite3", filepath.Join(h.dir, "magnum.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "UPDATE driver_host SET seen_at = ? WHERE host = 'h2'", time.Now().Add(-181*time.Second).UnixMicro()); err != nil {
		t.Fatal(err)
	}
	want(0, "h1 1.1.0   Installed   \nh2 1.0.0 active yes Silent  2026-01-02T03:04:05Z \n") // its conductor reports still
	if _, err := raw.ExecContext(t.Context(), "UPDATE magnum_service SET last_seen_up = '2026-01-02 03:04:05.000000' WHERE host = 'h2'"); err != nil {
		t.Fatal(err)
	}
	want(0, "h1 1.1.0   Installed   \nh2 1.0.0 active  Silent  2026-01-02T03:04:05Z \n")
	h.write("magnum.conf", read(t, h.conf)+"[DEFAULT]\nservice_down_time = 1000000000\n")
	want(48, "h1 1.1.0   Installed   skew\nh2 1.0.0 active yes Ready 7 2026-01-02T03:04:05Z skew\n")
}
