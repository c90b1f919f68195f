package supervise_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

// written is an operator's file.
type written struct {
	mu   sync.Mutex
	text string
	err  error
}

func (w *written) write(text string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text, w.err = text, err
}

func (w *written) read(string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return []byte(w.text), w.err
}

func configured(t *testing.T, text string) (*written, *supervise.Drivers) {
	t.Helper()
	file := &written{text: text}
	cfg := config(t)
	cfg.Configuration = file.read
	cfg.ProbeInterval = 10 * time.Millisecond
	return file, drivers(t, cfg)
}

// eventually asks the driver until it answers what is wanted. No call fails.
func eventually(t *testing.T, set driver.Set, command, want string) {
	t.Helper()
	until(t, command+" to be "+want, func() bool {
		got, err := ask(t.Context(), set, command)
		if err != nil {
			t.Fatalf("a call failed: %v", err)
		}
		return got == want
	})
}

func pidOf(t *testing.T, set driver.Set) string {
	t.Helper()
	pid, err := ask(t.Context(), set, "pid")
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestChangedConfigurationIsApplied(t *testing.T) {
	file, d := configured(t, `{"key": "one"}`)
	set := get(t, d)
	eventually(t, set, "config", `{"key": "one"}`)
	first := pidOf(t, set)
	file.write(`{"key": "two"}`, nil)
	eventually(t, set, "config", `{"key": "two"}`)
	if pid := pidOf(t, set); pid != first {
		t.Errorf("the process was replaced: %s, was %s", pid, first)
	}
	// A driver that wants a new process gets it beside the old one.
	file.write(`{"key": "restart"}`, nil)
	eventually(t, set, "config", `{"key": "restart"}`)
	second := pidOf(t, set)
	if second == first {
		t.Error("the process was not replaced")
	}
	// What is taken out is taken back.
	file.write("", nil)
	eventually(t, set, "config", "")
	if pid := pidOf(t, set); pid == second {
		t.Error("the process was not replaced")
	}
}

// A configuration of no use is told and changes nothing, not even where the
// process has to be started again.
func TestBadConfigurationIsNotApplied(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		err        error
		want       string
	}{
		{"does not fit", `{"key": "sesame-open"}`, nil, "config_schema at /key"},
		{"cannot be read", "", errors.New("drivers.d/test-driver.yaml: line 3"), "line 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file, d := configured(t, `{"key": "one"}`)
			set := get(t, d)
			first := pidOf(t, set)
			file.write(tt.text, tt.err)
			told(t, d, tt.want)
			eventually(t, set, "config", `{"key": "one"}`)
			if pid := pidOf(t, set); pid != first {
				t.Errorf("the process was replaced: %s, was %s", pid, first)
			}
			_, _ = ask(t.Context(), set, "exit") // in the middle of the call
			eventually(t, set, "config", `{"key": "one"}`)
			if pid := pidOf(t, set); pid == first {
				t.Error("the process did not end")
			}
			file.write(`{"key": "two"}`, nil)
			eventually(t, set, "config", `{"key": "two"}`)
		})
	}
}

// One that the driver itself refuses is told too, and the process stays.
func TestRefusedConfigurationIsTold(t *testing.T) {
	file, d := configured(t, `{"key": "one"}`)
	set := get(t, d)
	first := pidOf(t, set)
	file.write(`{"key": "refuse"}`, nil)
	told(t, d, "not with me")
	eventually(t, set, "config", `{"key": "one"}`)
	if pid := pidOf(t, set); pid != first {
		t.Errorf("the process was replaced: %s, was %s", pid, first)
	}
}

// told waits until the driver's status has words, and none of a value.
func told(t *testing.T, d *supervise.Drivers, want string) {
	t.Helper()
	until(t, "the status to tell: "+want, func() bool { return strings.Contains(only(t, d).LastError, want) })
	if got := only(t, d).LastError; strings.Contains(got, "sesame") {
		t.Errorf("it tells a value: %s", got)
	}
}

// A level of one driver's own reaches its process and comes through the host's,
// which stays as it is.
func TestLogLevelOfOneDriver(t *testing.T) {
	var level atomic.Int32
	var log logBuffer
	cfg := config(t)
	cfg.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Info, IndependentLevels: true})
	cfg.ProbeInterval = 10 * time.Millisecond
	cfg.LogLevel = func(string) hclog.Level { return hclog.Level(level.Load()) }
	set := get(t, drivers(t, cfg))
	first := pidOf(t, set)
	if strings.Contains(log.String(), "method=/magnum.driver.v1.Templates/Render") {
		t.Errorf("a driver at level info says too much:\n%s", log.String())
	}
	level.Store(int32(hclog.Debug))
	until(t, "the driver to log its calls", func() bool {
		pidOf(t, set) // no call fails
		return strings.Contains(log.String(), "method=/magnum.driver.v1.Templates/Render")
	})
	if pid := pidOf(t, set); pid == first {
		t.Errorf("process %s goes on", pid)
	}
	if cfg.Logger.IsDebug() {
		t.Error("the host logs at level debug too")
	}
}
