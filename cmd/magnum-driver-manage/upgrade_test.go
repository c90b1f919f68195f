package main

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestUpgradePlan(t *testing.T) {
	h := newHost(t)
	h.database("1.0.0", "1.0.0")
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
