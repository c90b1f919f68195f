package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/plugins/internal/launchtest"
	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

// testStore has the test driver installed. The tests only read it.
var testStore *store.Store

// testPackages are versions 1, 2 and 3 of it, of which the third does not come
// up, and another driver.
var testPackages [4]string

const otherDriver = 4

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "supervise")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func prepare(dir string) error {
	for n, d := range []launchtest.Driver{{}, {Version: "2.0.0"}, {Version: "3.0.0", Broken: true}, {Name: "other-driver", COE: "swarm"}} {
		binary, err := launchtest.Build(dir, d)
		if err != nil {
			return err
		}
		testPackages[n] = filepath.Join(dir, "package"+strconv.Itoa(n+1))
		if err := store.Pack(context.Background(), testPackages[n], binary, store.Asks{}); err != nil {
			return err
		}
	}
	var err error
	if testStore, err = store.Open(filepath.Join(dir, "drivers")); err != nil {
		return err
	}
	_, err = testStore.Install(context.Background(), store.InstallRequest{Source: testPackages[0]})
	return err
}

// config is for a test; its runtime directory must be empty at the end.
func config(t testing.TB, env ...string) supervise.Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "rt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if entries, _ := os.ReadDir(dir); len(entries) > 0 {
			t.Errorf("left in the runtime directory: %v", entries)
		}
		_ = os.RemoveAll(dir)
	})
	return supervise.Config{
		Store:       testStore,
		CoreVersion: "1",
		BackoffBase: 10 * time.Millisecond,
		Launch: launch.Config{
			RuntimeDir: dir, Env: env, DrainTimeout: time.Second, TermTimeout: time.Second,
			// What the test driver is told to do.
			Sandbox: launch.Sandbox{Write: []string{os.TempDir()}, Exec: []string{"/bin", "/usr/bin"}},
		},
	}
}

// drivers are closed at the end of the test.
func drivers(t testing.TB, cfg supervise.Config) *supervise.Drivers {
	t.Helper()
	d := supervise.New(cfg)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := d.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return d
}

func get(t testing.TB, d *supervise.Drivers) driver.Set {
	t.Helper()
	set, err := d.Get(t.Context(), "test-driver", "")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func ask(ctx context.Context, set driver.Set, command string) (string, error) {
	out, err := set.Templates.Render(ctx, driver.RenderRequest{Cluster: driver.Cluster{Name: command}})
	return out.Template, err
}

func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

func only(t testing.TB, d *supervise.Drivers) supervise.Status {
	t.Helper()
	all := d.Status()
	if len(all) != 1 {
		t.Fatalf("status of %d drivers", len(all))
	}
	return all[0]
}

func exists(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestConcurrentGetsStartOneProcess(t *testing.T) {
	d := drivers(t, config(t))
	var all sync.WaitGroup
	pids := make([]string, 32)
	for n := range pids {
		all.Go(func() {
			set, err := d.Get(t.Context(), "test-driver", "1.0.0")
			if err == nil {
				pids[n], err = ask(t.Context(), set, "pid")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, pid := range pids {
		if pid != pids[0] {
			t.Fatalf("processes %s and %s", pid, pids[0])
		}
	}
	s := only(t, d)
	want := supervise.Status{Name: "test-driver", Version: "1.0.0", PID: s.PID, State: supervise.StateReady, Since: s.Since, Confinement: s.Confinement}
	if diff := cmp.Diff(want, s); diff != "" || strconv.Itoa(s.PID) != pids[0] {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if !strings.Contains(s.Confinement, "no_new_privs, rlimits") {
		t.Errorf("confinement is %q", s.Confinement)
	}
}

func TestAllServices(t *testing.T) {
	set := get(t, drivers(t, config(t)))
	ctx := t.Context()
	if out, err := set.Driver.Describe(ctx, driver.DescribeRequest{}); err != nil || out.Description.DisplayName != "Test driver" {
		t.Errorf("Describe: %+v, %v", out, err)
	}
	if out, err := set.Templates.Validate(ctx, driver.ValidateRequest{
		Cluster: driver.Cluster{Labels: map[string]string{"size": strconv.Itoa(15 << 20)}},
	}); err != nil || len(out.Violations[0].Message) != 15<<20 {
		t.Errorf("Validate with an answer of 15 MiB: %v", err)
	}
	if out, err := set.Templates.MapOutputs(ctx, driver.MapOutputsRequest{
		Outputs: map[string]driver.RawJSON{"o": make(driver.RawJSON, 15<<20)},
	}); err != nil || *out.Cluster.APIAddress != strconv.Itoa(15<<20) {
		t.Errorf("MapOutputs with a request of 15 MiB: %v", err)
	}
	if out, err := set.Templates.PreDelete(ctx, driver.PreDeleteRequest{}); err != nil || len(out.Cleanups) != 1 {
		t.Errorf("PreDelete: %+v, %v", out, err)
	}
	if out, err := set.Scaling.SelectNodes(ctx, driver.SelectNodesRequest{Nodes: []driver.Node{{HeatIndex: "3"}}}); err != nil || out.Nodes[0].HeatIndex != "3" {
		t.Errorf("SelectNodes: %+v, %v", out, err)
	}
	if out, err := set.Monitoring.CheckHealth(ctx, driver.CheckHealthRequest{}); err != nil || out.Status != driver.Healthy {
		t.Errorf("CheckHealth: %+v, %v", out, err)
	}
	if out, err := set.Lifecycle.Begin(ctx, driver.BeginRequest{OperationID: "1"}); err != nil || out.Handle != "handle-1" {
		t.Errorf("Begin: %+v, %v", out, err)
	}
	if out, err := set.Lifecycle.Cancel(ctx, driver.CancelRequest{}); err != nil || !out.Cancelled {
		t.Errorf("Cancel: %+v, %v", out, err)
	}
	if out, err := set.Lifecycle.Resume(ctx, driver.ResumeRequest{Handle: "h"}); err != nil || out.Handle != "h" {
		t.Errorf("Resume: %+v, %v", out, err)
	}
}

func TestErrorsOfTheDriver(t *testing.T) {
	set := get(t, drivers(t, config(t)))
	_, err := ask(t.Context(), set, "error:UNAVAILABLE")
	var got *driver.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v", err)
	}
	want := &driver.Error{
		Class: driver.ClassUnavailable, Blame: driver.BlameOperator,
		UserMessage: "for the user", OperatorMessage: "for the operator", RetryAfter: 7 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := ask(t.Context(), set, "panic"); driver.ClassOf(err) != driver.ClassBug {
		t.Errorf("panic: %v", err)
	}
	if _, err := ask(t.Context(), set, "pid"); err != nil {
		t.Errorf("after a panic: %v", err)
	}
}

func TestCallIsRepeatedAfterCrash(t *testing.T) {
	d := drivers(t, config(t))
	set := get(t, d)
	first := only(t, d).PID
	pid, err := ask(t.Context(), set, "die-once:"+filepath.Join(t.TempDir(), "died"))
	if err != nil || pid == strconv.Itoa(first) {
		t.Errorf("the first process was %d; got %s, %v", first, pid, err)
	}
	if s := only(t, d); s.Restarts != 1 || s.State != supervise.StateReady || strconv.Itoa(s.PID) != pid {
		t.Errorf("status %+v", s)
	}
}

func TestCallThatAlwaysCrashes(t *testing.T) {
	d := drivers(t, config(t))
	set := get(t, d)
	if _, err := ask(t.Context(), set, "exit"); driver.ClassOf(err) != driver.ClassRestarted {
		t.Errorf("got %v", err)
	}
	if s := only(t, d); s.Restarts != 1 {
		t.Errorf("%d restarts", s.Restarts)
	}
	if _, err := ask(t.Context(), set, "pid"); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

func TestCrashWhileIdleIsNoticed(t *testing.T) {
	d := drivers(t, config(t))
	set := get(t, d)
	if err := syscall.Kill(only(t, d).PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the end is noticed", func() bool { return only(t, d).State == supervise.StateStopped })
	if s := only(t, d); s.PID != 0 || !strings.Contains(s.LastError, "killed by SIGKILL") {
		t.Errorf("status %+v", s)
	}
	if _, err := ask(t.Context(), set, "pid"); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

// A driver that somebody else sends SIGTERM drains; a call that comes then goes
// to the next process.
func TestCallWhileDraining(t *testing.T) {
	d := drivers(t, config(t))
	set := get(t, d)
	file := filepath.Join(t.TempDir(), "go")
	first := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), set, "wait-for:"+file)
		first <- err
	}()
	until(t, "the call has begun", func() bool { _, err := os.Stat(file + ".begun"); return err == nil })
	old := only(t, d).PID
	if err := syscall.Kill(old, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "a call goes to another process", func() bool {
		pid, err := ask(t.Context(), set, "pid")
		if err != nil {
			t.Fatal(err)
		}
		return pid != strconv.Itoa(old)
	})
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Errorf("the call in flight: %v", err)
	}
}

func TestStoppedProcessIsReplaced(t *testing.T) {
	cfg := config(t)
	cfg.ProbeTimeout = 100 * time.Millisecond
	d := drivers(t, cfg)
	set := get(t, d)
	old := only(t, d).PID
	if err := syscall.Kill(old, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "it is stopped", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", old))
		return err == nil && strings.Contains(string(stat), ") T ")
	})
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := ask(ctx, set, "pid")
	if driver.ClassOf(err) != driver.ClassTimeout {
		t.Errorf("got %v", err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	pid, err := ask(context.Background(), set, "pid")
	if err != nil || pid == strconv.Itoa(old) {
		t.Errorf("the next call: %s, %v", pid, err)
	}
	until(t, "the stopped process is gone", func() bool { return !exists(old) })
}

func TestSlowCallKeepsItsProcess(t *testing.T) {
	d := drivers(t, config(t))
	set := get(t, d)
	old := only(t, d).PID
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := ask(ctx, set, "sleep:400ms"); driver.ClassOf(err) != driver.ClassTimeout {
		t.Errorf("got %v", err)
	}
	if pid, err := ask(t.Context(), set, "pid"); err != nil || pid != strconv.Itoa(old) {
		t.Errorf("process was %d; got %s, %v", old, pid, err)
	}
}

func TestWatch(t *testing.T) {
	tests := []struct {
		name, handle string
		want         []int64
		class        driver.Class
		restarts     int
		counted      string
	}{
		{"to the end", "h", []int64{1, 2, 3, 4}, "", 0, "none OK Lifecycle/Watch"},
		{"ends with the process", "die-once:" + filepath.Join(t.TempDir(), "died"), []int64{1, 2}, driver.ClassRestarted, 0, "driver RESTARTED Lifecycle/Watch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := drivers(t, config(t))
			set := get(t, d)
			var got []int64
			err := set.Lifecycle.Watch(t.Context(), driver.WatchRequest{Handle: tt.handle}, func(e driver.Event) error {
				got = append(got, e.Seq)
				return nil
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if (err == nil) != (tt.class == "") || (err != nil && driver.ClassOf(err) != tt.class) {
				t.Errorf("got %v", err)
			}
			if s := only(t, d); s.Restarts > tt.restarts {
				t.Errorf("%d restarts, expected %d", s.Restarts, tt.restarts)
			}
			wantFigures(t, d, "calls_total", map[string]float64{tt.counted: 1})
			wantFigures(t, d, "call_duration_seconds", map[string]float64{}) // it lasts as long as an operation
		})
	}
}

func TestBulkhead(t *testing.T) {
	cfg := config(t)
	cfg.Concurrency, cfg.Queue = 2, 1
	d := drivers(t, cfg)
	set := get(t, d)
	dir := t.TempDir()
	var all sync.WaitGroup
	for n := range 2 {
		all.Go(func() {
			if _, err := ask(context.Background(), set, "wait-for:"+filepath.Join(dir, strconv.Itoa(n))); err != nil {
				t.Error(err)
			}
		})
	}
	for n := range 2 {
		until(t, "the calls have begun", func() bool {
			_, err := os.Stat(filepath.Join(dir, strconv.Itoa(n)+".begun"))
			return err == nil
		})
	}
	// Who gives up while waiting for a place has had no trouble with the driver.
	given, giveUp := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := ask(given, set, "pid")
		left <- err
	}()
	until(t, "a call waits", func() bool { return figures(t, d, "calls_waiting")[""] == 1 })
	wantFigures(t, d, "calls_in_flight", map[string]float64{"": 2})
	giveUp()
	if err := <-left; err == nil || !strings.Contains(err.Error(), "was cancelled") {
		t.Errorf("a call that was given up: %v", err)
	}
	wantFigures(t, d, "calls_total", map[string]float64{"none CANCELLED Templates/Render": 1})
	wantFigures(t, d, "calls_refused_total", map[string]float64{"": 0})
	short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	var waited error
	all.Go(func() {
		// The calls below may take the place in the queue first.
		for ok := true; ok; ok = driver.ClassOf(waited) == driver.ClassUnavailable {
			_, waited = ask(short, set, "pid")
		}
	})
	until(t, "a call too many is refused", func() bool {
		at, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := ask(at, set, "pid")
		return driver.ClassOf(err) == driver.ClassUnavailable && strings.Contains(err.Error(), "busy")
	})
	if got := figures(t, d, "calls_refused_total")[""]; got < 1 {
		t.Errorf("%g calls refused", got)
	}
	<-short.Done()
	for n := range 2 {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if driver.ClassOf(waited) != driver.ClassTimeout {
		t.Errorf("the call that waited for a place: %v", waited)
	}
	if _, err := ask(t.Context(), set, "pid"); err != nil {
		t.Errorf("the places are not free again: %v", err)
	}
}

func TestFailedStartsArePaced(t *testing.T) {
	now := time.Unix(1000, 0)
	cfg := config(t, "TESTDRIVER_MODE=exit")
	cfg.BackoffBase = time.Second
	cfg.Now = func() time.Time { return now }
	cfg.Rand = func() float64 { return 1 }
	d := drivers(t, cfg)
	fail := func() *driver.Error {
		_, err := d.Get(t.Context(), "test-driver", "")
		var e *driver.Error
		if !errors.As(err, &e) || e.Class != driver.ClassUnavailable {
			t.Fatalf("got %v", err)
		}
		if !strings.Contains(e.OperatorMessage, "cannot open /etc/test-driver.conf") || strings.Contains(e.UserMessage, "/etc") {
			t.Errorf("user is told %q, operator %q", e.UserMessage, e.OperatorMessage)
		}
		return e
	}
	if e := fail(); e.RetryAfter != 0 {
		t.Errorf("the first time: retry after %s", e.RetryAfter)
	}
	if e := fail(); e.RetryAfter != time.Second {
		t.Errorf("at once again: retry after %s", e.RetryAfter)
	}
	now = now.Add(time.Second)
	fail()
	if e := fail(); e.RetryAfter != 2*time.Second {
		t.Errorf("after the second failure: retry after %s", e.RetryAfter)
	}
	wantFigures(t, d, "starts_total", map[string]float64{"failed": 2})
}

func TestWaitersKeepTheirOwnDeadline(t *testing.T) {
	cfg := config(t, "TESTDRIVER_PROBES=8") // ready after 400 ms
	d := drivers(t, cfg)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := d.Get(short, "test-driver", ""); driver.ClassOf(err) != driver.ClassTimeout {
		t.Errorf("got %v", err)
	}
	get(t, d)
	if s := only(t, d); s.Restarts != 0 {
		t.Errorf("the impatient caller ended the start: %d restarts", s.Restarts)
	}
}

func TestNotReadyInTime(t *testing.T) {
	cfg := config(t, "TESTDRIVER_PROBES=1000000")
	cfg.Launch.StartTimeout = 2 * time.Second
	_, err := drivers(t, cfg).Get(t.Context(), "test-driver", "")
	if driver.ClassOf(err) != driver.ClassUnavailable || !strings.Contains(err.Error(), "cloud: no answer yet") {
		t.Errorf("got %v", err)
	}
}

func TestConfiguration(t *testing.T) {
	tests := []struct {
		name, config, want string
	}{
		{"good", `{"key": "short"}`, ""},
		{"too long", `{"key": "sesame-open"}`, "does not fit the driver's config_schema at /key"},
		{"unknown", `{"kee": "sesame"}`, "does not fit the driver's config_schema at /"},
		{"no JSON", `{"key": "sesame`, "not valid JSON"},
		{"no object", `"sesame"`, "not a JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := config(t)
			cfg.Configuration = func(string) ([]byte, error) { return []byte(tt.config), nil }
			set, err := drivers(t, cfg).Get(t.Context(), "test-driver", "")
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got, err := ask(t.Context(), set, "config"); got != tt.config || err != nil {
					t.Errorf("the driver got %q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestUnknownDriver(t *testing.T) {
	d := drivers(t, config(t))
	for ref, want := range map[[2]string]driver.Class{
		{"nobody", ""}:           driver.ClassNotFound,
		{"test-driver", "9.9.9"}: driver.ClassNotFound,
		{"../../etc", ""}:        driver.ClassUnavailable,
	} {
		_, err := d.Get(t.Context(), ref[0], ref[1])
		if got := driver.ClassOf(err); got != want {
			t.Errorf("%v: %s, want %s: %v", ref, got, want, err)
		}
	}
	if _, err := d.Get(t.Context(), "nobody", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestDescriptionsStartNothing(t *testing.T) {
	d := drivers(t, config(t))
	all := d.Descriptions()
	if len(all) != 1 || all[0].Name != "test-driver" {
		t.Errorf("got %+v", all)
	}
	if s := d.Status(); len(s) != 0 {
		t.Errorf("started: %+v", s)
	}
}

func TestClose(t *testing.T) {
	d := supervise.New(config(t))
	set := get(t, d)
	pid := only(t, d).PID
	begun := filepath.Join(t.TempDir(), "never")
	cut := make(chan error, 1)
	go func() {
		_, err := ask(context.Background(), set, "wait-for:"+begun)
		cut <- err
	}()
	until(t, "the call has begun", func() bool { _, err := os.Stat(begun + ".begun"); return err == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	if exists(pid) {
		t.Error("the process is still there")
	}
	if err := <-cut; err == nil {
		t.Error("the call that could not end was answered")
	}
	if _, err := d.Get(t.Context(), "test-driver", ""); driver.ClassOf(err) != driver.ClassUnavailable {
		t.Errorf("after Close: %v", err)
	}
	if _, err := ask(t.Context(), set, "pid"); driver.ClassOf(err) != driver.ClassUnavailable {
		t.Errorf("a call after Close: %v", err)
	}
	before := figures(t, d, "calls_total")["downstream UNAVAILABLE Lifecycle/Watch"]
	err := set.Lifecycle.Watch(t.Context(), driver.WatchRequest{Handle: "h"}, func(driver.Event) error { return nil })
	if after := figures(t, d, "calls_total")["downstream UNAVAILABLE Lifecycle/Watch"]; driver.ClassOf(err) != driver.ClassUnavailable || after != before+1 {
		t.Errorf("a stream after Close: %v, counted %g times", err, after-before)
	}
}

func TestCloseWhileStarting(t *testing.T) {
	d := supervise.New(config(t, "TESTDRIVER_MODE=silent"))
	failed := make(chan error, 1)
	go func() {
		_, err := d.Get(context.Background(), "test-driver", "")
		failed <- err
	}()
	until(t, "the start has begun", func() bool { s := d.Status(); return len(s) == 1 && s[0].State == supervise.StateStarting })
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil {
		t.Error("started after Close")
	}
}
