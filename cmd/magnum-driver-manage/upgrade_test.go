package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/go-magnum/magnum/cmd/internal/command"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestUpgradePlan(t *testing.T) {
	h := newHost(t)
	h.database("1.0.0", "1.0.0")
	h.cluster("foreign", magnum.DriverRef{Name: "other", Version: "1.0.0"}, nil)
	h.must("install", one)
	before := h.installed()
	want := "version 1.0.0 1.1.0 \nclusters 2 of 1.0.0 stay with it \n"
	if out := h.must("upgrade", "plan", two, "-f", "value"); out != want {
		t.Errorf("of a package: %q", out)
	}
	if got := h.installed(); got != before {
		t.Errorf("a plan left %s", got)
	}
	h.must("install", "--no-activate", two)
	for _, arg := range []string{"acme_k8s", "acme_k8s@1.1.0"} {
		if out := h.must("upgrade", "plan", arg, "-f", "value"); out != want {
			t.Errorf("of %s: %q", arg, out)
		}
	}
	h.refused(3, "not installed", "upgrade", "plan", "acme_k8s@7.0.0")
	h.refused(3, "not installed", "upgrade", "plan", "nope")
	h.write("magnum.conf", "[DEFAULT]\nstate_path = "+h.dir+"\n[database]\nconnection = sqlite:///"+filepath.Join(h.dir, "none")+"\n")
	if out := h.must("upgrade", "plan", "acme_k8s", "-f", "value"); !strings.Contains(out, "warning: the clusters are not known") {
		t.Errorf("without a database: %s", out)
	}
}

func TestChanges(t *testing.T) {
	kind := func(os string, priority int) driver.ClusterType {
		return driver.ClusterType{ServerType: "vm", OS: os, COE: "kubernetes", Priority: priority}
	}
	from := driver.Description{
		Version: "1.0.0", Maturity: driver.MaturityStable, ClusterTypes: []driver.ClusterType{kind("fedora", 0), kind("coreos", 0)},
		LabelSchema:  driver.RawJSON(`{"properties": {"gone": {"default": 1}, "moved": {"default": "a"}, "same": {}}}`),
		Capabilities: []driver.Capability{driver.CapResize}, Services: []string{"a", "b"},
	}
	to := driver.Description{
		Version: "2.0.0", Maturity: driver.MaturityBeta, ClusterTypes: []driver.ClusterType{kind("coreos", 3)},
		LabelSchema:  driver.RawJSON(`{"properties": {"moved": {"default": "b"}, "same": {}, "fresh": {}}}`),
		Capabilities: []driver.Capability{driver.CapUpgrade}, Services: []string{"b"}, Limits: driver.Limits{OddMasters: true},
	}
	want := [][]string{
		{"version", "1.0.0", "2.0.0", ""},
		{"maturity", "stable", "beta", ""},
		{"cluster type", "(vm, fedora, kubernetes)", "", "no new clusters of type (vm, fedora, kubernetes)"},
		{"cluster type", "(vm, coreos, kubernetes) priority 0", "(vm, coreos, kubernetes) priority 3", ""},
		{"label", "gone", "", "label gone has no effect any more"},
		{"label", "", "fresh", ""},
		{"label", `moved default "a"`, `moved default "b"`, ""},
		{"capability", "resize", "", "no resize"},
		{"capability", "", "upgrade", ""},
		{"service", "a", "", "no a"},
		{"limits", "masters from 0 to 0 (0: any), odd false", "masters from 0 to 0 (0: any), odd true", "clusters with other numbers of masters"},
	}
	if diff := cmp.Diff(want, changes(from, to)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if same := changes(from, from); len(same) != 0 {
		t.Errorf("nothing differs, but %v", same)
	}
}

func TestUpgradeApplyWithoutService(t *testing.T) {
	h := newHost(t)
	h.database()
	h.must("install", one)
	before := h.installed()
	broken, err := packAs(t.TempDir(), "acme_k8s", "1.2.0", "-X main.broken=yes")
	if err != nil {
		t.Fatal(err)
	}
	const words = "nothing was changed"
	h.refused(46, words, "upgrade", "apply", broken)
	if got := h.installed(); got != before {
		t.Errorf("a failed self-test left %s", got)
	}
	h.must("install", "--no-activate", broken)
	h.refused(46, "cannot open /etc/test-driver.conf", "upgrade", "apply", "acme_k8s")
	h.want("1.0.0 active, 1.2.0 installed")
	h.refused(3, words, "upgrade", "apply", "acme_k8s@3.0.0")

	out := h.must("upgrade", "apply", two, "--reason", "CHG-3")
	if want := "acme_k8s 1.1.0 passed its self-test and is active\nno service runs on this host: only its self-test speaks for it\n"; out != want {
		t.Errorf("got %q", out)
	}
	h.want("1.0.0 installed, 1.1.0 active, 1.2.0 installed")
	if out := h.must("upgrade", "apply", "acme_k8s@1.1.0"); out != "acme_k8s 1.1.0 is active already\n" {
		t.Errorf("once more: %q", out)
	}
	h.refused(40, words, "upgrade", "apply", "acme_k8s@1.0.0")
	if got := h.must("history", "acme_k8s", "-f", "value", "-c", "Version", "-c", "Why"); got != "1.0.0 install\n1.1.0 CHG-3\n" {
		t.Errorf("history: %s", got)
	}
}

// conductor is a service on the host, with 16 callers that never pause. What
// version 1.1.0 is asked is up to the test.
func (h *host) conductor(ask string) (answered func(version string) int64) {
	h.t.Helper()
	s, err := store.Open(filepath.Join(h.dir, "drivers"))
	if err != nil {
		h.t.Fatal(err)
	}
	d := supervise.New(supervise.Config{
		Store: s, CoreVersion: "1", RunDir: filepath.Join(h.dir, "drivers", "run"), CrashDir: filepath.Join(h.dir, "drivers", "crashes"),
	})
	var (
		callers sync.WaitGroup
		stop    atomic.Bool
		counts  sync.Map
	)
	for range 16 {
		callers.Go(func() {
			for !stop.Load() {
				set, err := d.Get(context.Background(), "acme_k8s", "")
				if err != nil {
					h.t.Errorf("a call failed: %v", err)
					return
				}
				name := "size:1000"
				if set.Version == "1.1.0" {
					name = ask
				}
				_, err = set.Templates.Render(context.Background(), driver.RenderRequest{Cluster: driver.Cluster{Name: name}})
				if err != nil && name != "exit" {
					h.t.Errorf("a call of %s failed: %v", set.Version, err)
					return
				}
				n, _ := counts.LoadOrStore(set.Version, new(atomic.Int64))
				n.(*atomic.Int64).Add(1)
			}
		})
	}
	h.t.Cleanup(func() {
		stop.Store(true)
		callers.Wait()
		if err := d.Close(context.Background()); err != nil {
			h.t.Error(err)
		}
	})
	return func(version string) int64 {
		n, ok := counts.Load(version)
		if !ok {
			return 0
		}
		return n.(*atomic.Int64).Load()
	}
}

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestUpgradeApplyUnderLoad(t *testing.T) {
	h := newHost(t)
	h.database()
	h.must("install", one)
	answered := h.conductor("size:1000")
	until(t, "1.0.0 answers", func() bool { return answered("1.0.0") > 50 })
	out := h.must("upgrade", "apply", two, "--watch", "3s")
	if !strings.Contains(out, "1 of 1 services on this host run it, and none had trouble within 3s") {
		t.Errorf("got %s", out)
	}
	until(t, "1.1.0 answers", func() bool { return answered("1.1.0") > 50 })
	before := answered("1.0.0")
	h.must("rollback", "acme_k8s")
	until(t, "1.0.0 answers again", func() bool { return answered("1.0.0") > before+50 })
}

func TestUpgradeApplyGoesBackAfterCrash(t *testing.T) {
	t.Setenv("SUDO_USER", "alice")
	h := newHost(t)
	h.database()
	h.must("install", one)
	answered := h.conductor("exit")
	until(t, "1.0.0 answers", func() bool { return answered("1.0.0") > 50 })
	h.refused(47, "the upgrade was rolled back, acme_k8s 1.0.0 is active: driver acme_k8s 1.1.0 ", "upgrade", "apply", two, "--watch", "1m")
	h.want("1.0.0 active, 1.1.0 installed")
	before := answered("1.0.0")
	until(t, "1.0.0 answers again", func() bool { return answered("1.0.0") > before+50 })
	why := h.must("history", "acme_k8s", "-f", "value", "-c", "Version", "-c", "Who", "-c", "Why")
	last := why[strings.LastIndex(strings.TrimSpace(why), "\n")+1:]
	if !strings.HasPrefix(last, "1.0.0 alice upgrade apply: driver acme_k8s 1.1.0 ") {
		t.Errorf("history: %s", why)
	}
}

// Who is at the keyboard and gives up gets back what was active, also where that
// takes a moment.
func TestUpgradeApplyGoesBackWhenInterrupted(t *testing.T) {
	h := newHost(t)
	h.database()
	h.must("install", one)
	h.reports("1-1.json", identity(t))
	ctx, interrupt := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		c := root()
		c.SetArgs([]string{"upgrade", "apply", two, "--watch", "1h", "--config-file", h.conf})
		c.SetOut(io.Discard)
		c.SetErr(io.Discard)
		done <- c.ExecuteContext(ctx)
	}()
	until(t, "1.1.0 is active", func() bool { return h.versions() == "1.0.0 installed, 1.1.0 active" })
	f, err := os.Open(filepath.Join(h.dir, "drivers", "lock"))
	must(t, err)
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	interrupt()
	<-time.After(100 * time.Millisecond)
	must(t, f.Close())
	if err := <-done; command.ExitCode(err) != 47 || !strings.Contains(err.Error(), "acme_k8s 1.0.0 is active: the watch was interrupted") {
		t.Errorf("exit code %d, %v", command.ExitCode(err), err)
	}
	h.want("1.0.0 active, 1.1.0 installed")
}

// What is taken back is one's own change, and leaves what was before, be it
// nothing.
func TestTakeBack(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	h.must("install", two)
	s, err := store.Open(filepath.Join(h.dir, "drivers"))
	must(t, err)
	before, err := s.Find("acme_k8s", "1.0.0")
	must(t, err)
	after, err := s.Find("acme_k8s", "")
	must(t, err)
	before.Active = true // as it was found then
	trouble := errors.New("trouble")
	for _, tt := range []struct {
		name, versions, want string
		before               store.Package
		rolledBack           bool
		prepare              func()
	}{
		{"another version", "1.0.0 active, 1.1.0 installed", "acme_k8s 1.0.0 is active: trouble", before, true, func() {}},
		{"somebody was faster", "1.0.0 active, 1.1.0 installed", "trouble; and it could not be rolled back: driver acme_k8s was given another active version meanwhile",
			before, false, func() {}},
		{"none before", "1.0.0 installed, 1.1.0 installed", "no version of driver acme_k8s is active: trouble",
			store.Package{}, true, func() { h.must("activate", "acme_k8s@1.1.0") }},
	} {
		tt.prepare()
		err := takeBack(t.Context(), s, tt.before, after, trouble)
		if !errors.Is(err, trouble) || errors.Is(err, errRolledBack) != tt.rolledBack || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		h.want(tt.versions)
	}
}

// Trouble with the version, and since it is active, is what counts.
func TestWatcher(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	status := func(version string, state supervise.State, at time.Time, lastError string) supervise.Status {
		return supervise.Status{Name: "acme_k8s", Version: version, State: state, Since: at, LastError: lastError}
	}
	crash := func(driver, version string, at time.Time) string {
		return fmt.Sprintf(`{"id": "crash", "driver": %q, "version": %q, "ended_at": %q, "cause": "exit"}`, driver, version, at.Format(time.RFC3339))
	}
	before, after := since.Add(-time.Minute), since.Add(time.Minute)
	for _, tt := range []struct {
		name, crash, want string
		status            supervise.Status
	}{
		{"ready", "", "", status("1.1.0", supervise.StateReady, after, "process 7 ended")},
		{"crash loop", "", "acme_k8s 1.1.0 is CrashLoop: it crashes", status("1.1.0", supervise.StateCrashLoop, before, "it crashes")},
		{"rejected", "", "is Rejected", status("1.1.0", supervise.StateRejected, before, "it is changed")},
		{"the other version's", "", "", status("1.0.0", supervise.StateCrashLoop, after, "it crashes")},
		{"stopped by an error", "", "is Stopped: it does not start", status("1.1.0", supervise.StateStopped, after, "it does not start")},
		{"stopped before", "", "", status("1.1.0", supervise.StateStopped, before, "it does not start")},
		{"stopped for want of calls", "", "", status("1.1.0", supervise.StateStopped, after, "")},
		{"crashed", crash("acme_k8s", "1.1.0", after), "acme_k8s 1.1.0 crashed: see magnum-driver-manage crashes crash", supervise.Status{}},
		{"crashed before", crash("acme_k8s", "1.1.0", before), "", supervise.Status{}},
		{"the other version crashed", crash("acme_k8s", "1.0.0", after), "", supervise.Status{}},
		{"another driver crashed", crash("other", "1.1.0", after), "", supervise.Status{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			h.reports("1-1.json", identity(t), tt.status)
			if tt.crash != "" {
				h.write("drivers/crashes/crash.json", tt.crash)
			}
			w := watcher{
				cfg:   supervise.Config{RunDir: filepath.Join(h.dir, "drivers", "run"), CrashDir: filepath.Join(h.dir, "drivers", "crashes")},
				pkg:   store.Package{Name: "acme_k8s", Version: "1.1.0"},
				since: since,
			}
			_, why := w.watch(t.Context(), time.Millisecond)
			if (why == nil) != (tt.want == "") || why != nil && !strings.Contains(why.Error(), tt.want) {
				t.Errorf("got %v, want %q", why, tt.want)
			}
			if seen, why := w.watch(t.Context(), 0); why != nil || !strings.HasPrefix(seen, "it was not watched") {
				t.Errorf("without a watch: %q, %v", seen, why)
			}
		})
	}
}
