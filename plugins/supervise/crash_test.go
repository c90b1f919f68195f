package supervise_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// killIdle kills the process and waits until that is known.
func killIdle(t *testing.T, d *supervise.Drivers) supervise.State {
	t.Helper()
	pid := only(t, d).PID
	if pid == 0 {
		t.Fatal("no process")
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the end is noticed", func() bool { return only(t, d).PID == 0 })
	return only(t, d).State
}

func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	e, ok := err.(*driver.Error)
	if !ok || e.Class != driver.ClassUnavailable {
		t.Fatalf("got %v", err)
	}
	return e.RetryAfter
}

func TestCrashLoop(t *testing.T) {
	at := &clock{now: time.Unix(1000, 0)}
	log := &logBuffer{}
	cfg := config(t)
	cfg.Now = at.read
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Info})
	d := drivers(t, cfg)
	for n := 1; n <= 5; n++ {
		get(t, d)
		want := supervise.StateStopped
		if n == 5 {
			want = supervise.StateCrashLoop
		}
		if got := killIdle(t, d); got != want {
			t.Fatalf("after crash %d: %s, want %s", n, got, want)
		}
		at.add(time.Minute)
	}
	_, err := d.Get(t.Context(), "test-driver", "")
	if after := retryAfter(t, err); after != 4*time.Minute {
		t.Errorf("a minute after the fifth crash: retry after %s", after)
	}
	if e := err.(*driver.Error); !strings.Contains(e.OperatorMessage, "crashed 5 times within 10m0s") || strings.Contains(e.UserMessage, "SIGKILL") {
		t.Errorf("user is told %q, operator %q", e.UserMessage, e.OperatorMessage)
	}

	// Half open: one trial, and another pause if that crashes, though only two
	// crashes are within the window by then.
	at.add(8 * time.Minute)
	get(t, d)
	if got := killIdle(t, d); got != supervise.StateCrashLoop {
		t.Errorf("after a crash of the trial: %s", got)
	}
	_, err = d.Get(t.Context(), "test-driver", "")
	if after := retryAfter(t, err); after != 5*time.Minute {
		t.Errorf("after a crash of the trial: retry after %s", after)
	}

	// A trial that lives for longer than the window has closed it.
	at.add(5 * time.Minute)
	get(t, d)
	at.add(11 * time.Minute)
	if got := killIdle(t, d); got != supervise.StateStopped {
		t.Errorf("after a crash later on: %s", got)
	}
	get(t, d)

	// One line for every change of the state.
	var states []string
	for line := range strings.Lines(log.String()) {
		if _, state, ok := strings.Cut(line, "driver is "); ok {
			states = append(states, strings.TrimSuffix(strings.Fields(state)[0], ":"))
		}
	}
	var want []string
	for _, end := range []supervise.State{"Stopped", "Stopped", "Stopped", "Stopped", "CrashLoop", "CrashLoop", "Stopped"} {
		want = append(want, "Starting", "Ready", string(end))
	}
	if diff := cmp.Diff(append(want, "Starting", "Ready"), states); diff != "" {
		t.Errorf("states in the log (-want +got):\n%s", diff)
	}
}

func TestCrashesOfReadyDriverArePaced(t *testing.T) {
	at := &clock{now: time.Unix(1000, 0)}
	cfg := config(t)
	cfg.Now = at.read
	cfg.Rand = func() float64 { return 1 }
	cfg.BackoffBase = time.Hour
	cfg.BackoffLimit = 2 * time.Hour
	cfg.CrashWindow = 24 * time.Hour
	d := drivers(t, cfg)
	get(t, d)
	killIdle(t, d)
	get(t, d) // the first crash costs no caller anything
	killIdle(t, d)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := d.Get(ctx, "test-driver", "")
	if after := retryAfter(t, err); after != time.Hour {
		t.Errorf("after the second crash: retry after %s", after)
	}
	at.add(time.Hour)
	get(t, d)
	killIdle(t, d)
	_, err = d.Get(ctx, "test-driver", "")
	if after := retryAfter(t, err); after != 2*time.Hour {
		t.Errorf("after the third crash: retry after %s", after)
	}
}

func TestRejected(t *testing.T) {
	cfg := config(t)
	cfg.Configuration = func(string) ([]byte, error) { return []byte(`{"kee": 1}`), nil }
	d := drivers(t, cfg)
	if _, err := d.Get(t.Context(), "test-driver", ""); err == nil {
		t.Fatal("it starts")
	}
	if s := only(t, d); s.State != supervise.StateRejected {
		t.Errorf("status %+v", s)
	}
	wantFigures(t, d, "starts_total", map[string]float64{"rejected": 1})
}

func crashes(t *testing.T, dir string, atLeast int) []supervise.Crash {
	t.Helper()
	var all []supervise.Crash
	until(t, "the crash is recorded", func() bool {
		var err error
		if all, err = supervise.Crashes(dir); err != nil {
			t.Fatal(err)
		}
		return len(all) >= atLeast
	})
	return all
}

func TestCrashRecords(t *testing.T) {
	tests := []struct {
		name, command string
		want          supervise.Crash
		words, trace  string
	}{
		{"exit", "exit", supervise.Crash{Cause: "exit", ExitStatus: 3}, "", ""},
		{"signal", "die-once:" + filepath.Join(t.TempDir(), "died"), supervise.Crash{Cause: "signal", Signal: "SIGKILL"}, "", ""},
		{
			"panic", `crash:login with password=sesame and token: "sesame", https://admin:sesame@cloud/`,
			supervise.Crash{Cause: "panic", ExitStatus: 2}, "login with password=[redacted]", "panic: as told, in a goroutine\n\ngoroutine ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t)
			cfg.CrashDir = filepath.Join(t.TempDir(), "crashes")
			d := drivers(t, cfg)
			set := get(t, d)
			first := only(t, d).PID
			_, _ = ask(t.Context(), set, tt.command)
			got := crashes(t, cfg.CrashDir, 1)[0]
			want := tt.want
			want.ID, want.StartedAt, want.EndedAt, want.LastWords, want.Trace = got.ID, got.StartedAt, got.EndedAt, got.LastWords, got.Trace
			want.Driver, want.Version, want.Digest, want.PID = "test-driver", "1.0.0", got.Digest, first
			want.Calls = []supervise.CrashCall{{Method: "/magnum.driver.v1.Templates/Render"}}
			for n := range got.Calls {
				got.Calls[n].Seconds = 0
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(got.LastWords, tt.words) || !strings.HasPrefix(got.Trace, tt.trace) {
				t.Errorf("last words %q, trace %q", got.LastWords, got.Trace)
			}
			file := filepath.Join(cfg.CrashDir, got.ID+".json")
			if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "sesame") {
				t.Errorf("%v, or a secret is recorded:\n%s", err, text)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode: %+v, %v", info, err)
			}
		})
	}
}

func TestCrashRecordsAreBounded(t *testing.T) {
	cfg := config(t)
	cfg.CrashDir = t.TempDir()
	cfg.CrashLimit = 100
	cfg.BackoffBase = time.Millisecond
	cfg.BackoffLimit = time.Millisecond
	other := filepath.Join(cfg.CrashDir, "other-driver-20260101T000000.000000000-1.json")
	if err := os.WriteFile(other, []byte(`{"driver": "other-driver"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for n := range 30 {
		name := fmt.Sprintf("test-driver-20260101T0000%02d.000000000-1.json", n)
		if err := os.WriteFile(filepath.Join(cfg.CrashDir, name), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := drivers(t, cfg)
	get(t, d)
	killIdle(t, d)
	until(t, "old records go", func() bool {
		all, err := supervise.Crashes(cfg.CrashDir)
		return err == nil && len(all) == 21
	})
	all, err := supervise.Crashes(cfg.CrashDir)
	if err != nil || all[len(all)-1].Signal != "SIGKILL" {
		t.Errorf("the newest is %+v, %v", all[len(all)-1], err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("another driver's: %v", err)
	}
}

// logBuffer is written to by many.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
