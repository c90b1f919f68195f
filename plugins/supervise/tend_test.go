package supervise_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestIdleProcessIsStopped(t *testing.T) {
	at := &clock{now: time.Unix(1000, 0)}
	cfg := config(t)
	cfg.Now = at.read
	cfg.IdleTimeout, cfg.ProbeInterval = 15*time.Minute, 5*time.Millisecond
	cfg.CrashDir = filepath.Join(t.TempDir(), "crashes")
	d := drivers(t, cfg)
	set := get(t, d)
	pid := only(t, d).PID
	at.add(14 * time.Minute)
	if _, err := ask(t.Context(), set, "pid"); err != nil {
		t.Fatal(err)
	}
	at.add(14 * time.Minute) // 28 since the start, 14 since the last call
	if got, err := ask(t.Context(), set, "pid"); err != nil || got != strconv.Itoa(pid) {
		t.Fatalf("process was %d; got %s, %v", pid, got, err)
	}
	at.add(15 * time.Minute)
	until(t, "it is stopped", func() bool { return only(t, d).State == supervise.StateStopped })
	if s := only(t, d); s.PID != 0 || s.LastError != "" || exists(pid) {
		t.Errorf("status %+v", s)
	}
	if got, err := ask(t.Context(), set, "pid"); err != nil || got == strconv.Itoa(pid) {
		t.Errorf("the next call: %s, %v", got, err)
	}
	if all, err := supervise.Crashes(cfg.CrashDir); err != nil || len(all) > 0 {
		t.Errorf("it counts as a crash: %v, %v", all, err)
	}
}

func TestProcessWithCallIsNotIdle(t *testing.T) {
	cfg := config(t)
	cfg.IdleTimeout, cfg.ProbeInterval = 20*time.Millisecond, 5*time.Millisecond
	d := drivers(t, cfg)
	set := get(t, d)
	if out, err := ask(t.Context(), set, "sleep:300ms"); err != nil || out != "slept" {
		t.Errorf("got %s, %v", out, err)
	}
	until(t, "it is stopped", func() bool { return only(t, d).State == supervise.StateStopped })
}

// A process that does not answer probes is asked for its goroutines and
// replaced, though nobody calls it.
func TestHangingProcessIsReplaced(t *testing.T) {
	cfg := config(t)
	cfg.ProbeInterval, cfg.ProbeTimeout = 20*time.Millisecond, 50*time.Millisecond
	cfg.DumpTimeout = 10 * time.Second
	cfg.CrashDir = filepath.Join(t.TempDir(), "crashes")
	d := drivers(t, cfg)
	set := get(t, d)
	pid := only(t, d).PID
	if _, err := ask(t.Context(), set, "mute"); err != nil {
		t.Fatal(err)
	}
	got := crashes(t, cfg.CrashDir, 1)[0]
	if got.Cause != "hang" || got.PID != pid || !strings.HasPrefix(got.Trace, "SIGQUIT: quit") ||
		!strings.Contains(got.Trace, "(*testDriver).Probe") {
		t.Errorf("got %+v", got)
	}
	if s := only(t, d); !strings.Contains(s.LastError, "did not answer 3 probes in a row") {
		t.Errorf("status %+v", s)
	}
	if next, err := ask(t.Context(), set, "pid"); err != nil || next == strconv.Itoa(pid) {
		t.Errorf("the next call: %s, %v", next, err)
	}
	wantFigures(t, d, "crashes_total", map[string]float64{"hang": 1})
}

func TestDriverThatWaitsIsDegraded(t *testing.T) {
	cfg := config(t)
	cfg.ProbeInterval = 5 * time.Millisecond
	d := drivers(t, cfg)
	set := get(t, d)
	if _, err := ask(t.Context(), set, "unready:20"); err != nil {
		t.Fatal(err)
	}
	until(t, "it is degraded", func() bool { return only(t, d).State == supervise.StateDegraded })
	until(t, "it is ready again", func() bool { return only(t, d).State == supervise.StateReady })
	if s := only(t, d); s.Restarts != 0 {
		t.Errorf("status %+v", s)
	}
}

// A driver whose calls all hang is replaced although it answers probes.
func TestWatchdogOnCalls(t *testing.T) {
	cfg := config(t)
	cfg.CallTimeout, cfg.CallMisses, cfg.DumpTimeout = 100*time.Millisecond, 3, 10*time.Second
	cfg.CrashDir = filepath.Join(t.TempDir(), "crashes")
	d := drivers(t, cfg)
	set := get(t, d)
	until(t, "it is replaced", func() bool {
		_, err := ask(t.Context(), set, "stuck")
		if driver.ClassOf(err) != driver.ClassTimeout && driver.ClassOf(err) != driver.ClassRestarted {
			t.Errorf("got %v", err)
		}
		return only(t, d).LastError != ""
	})
	if s := only(t, d); !strings.Contains(s.LastError, "calls in a row hang") {
		t.Errorf("status %+v", s)
	}
	if got := crashes(t, cfg.CrashDir, 1)[0]; got.Cause != "hang" || !strings.Contains(got.Trace, "(*testDriver).Render") {
		t.Errorf("got %+v", got)
	}
}
