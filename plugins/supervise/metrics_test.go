package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/store"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// figures are what one metric says of the only driver, or how often it was
// observed, by the other labels.
func figures(t *testing.T, d *supervise.Drivers, name string) map[string]float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(d)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "magnum_driver_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				if l.GetName() != "driver" && l.GetName() != "version" {
					labels = append(labels, l.GetValue())
				}
			}
			if h := m.GetHistogram(); h != nil && h.GetSampleSum() <= 0 {
				t.Errorf("%s of %v: %d times nothing", name, labels, h.GetSampleCount())
			}
			got[strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return got
}

func wantFigures(t *testing.T, d *supervise.Drivers, name string, want map[string]float64) {
	t.Helper()
	if diff := cmp.Diff(want, figures(t, d, name)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestMetrics lets a driver answer, refuse and crash, and reads what was
// counted.
func TestMetrics(t *testing.T) {
	d := drivers(t, config(t))
	reg := prometheus.NewRegistry()
	reg.MustRegister(d)
	set := get(t, d)
	for range 3 {
		if _, err := ask(t.Context(), set, "hello"); err != nil {
			t.Fatal(err)
		}
	}
	if got := figures(t, d, "resident_memory_bytes")[""]; got < 1<<20 || got > 1<<28 { // address space would be more, pages less
		t.Errorf("it has %g bytes of memory", got)
	}
	if _, err := ask(t.Context(), set, "exit"); err == nil {
		t.Error("a driver that ends at every call gives an answer")
	}
	until(t, "the crashes are counted", func() bool {
		n, err := testutil.GatherAndCount(reg, "magnum_driver_crashes_total")
		return err == nil && n == 1 && d.Status()[0].State == supervise.StateStopped
	})
	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP magnum_driver_calls_in_flight Calls that a driver has.
# TYPE magnum_driver_calls_in_flight gauge
magnum_driver_calls_in_flight{driver="test-driver",version="1.0.0"} 0
# HELP magnum_driver_calls_refused_total Calls refused because too many waited for a place.
# TYPE magnum_driver_calls_refused_total counter
magnum_driver_calls_refused_total{driver="test-driver",version="1.0.0"} 0
# HELP magnum_driver_calls_repeated_total Calls that were cut off and made again to a fresh process.
# TYPE magnum_driver_calls_repeated_total counter
magnum_driver_calls_repeated_total{driver="test-driver",version="1.0.0"} 1
# HELP magnum_driver_calls_total Calls of a driver that ended, by the class of their error and who can mend it.
# TYPE magnum_driver_calls_total counter
magnum_driver_calls_total{blame="driver",class="RESTARTED",driver="test-driver",method="Templates/Render",version="1.0.0"} 1
magnum_driver_calls_total{blame="none",class="OK",driver="test-driver",method="Templates/Render",version="1.0.0"} 3
# HELP magnum_driver_crashes_total Processes that ended without being told to, or hung.
# TYPE magnum_driver_crashes_total counter
magnum_driver_crashes_total{cause="exit",driver="test-driver",version="1.0.0"} 2
# HELP magnum_driver_starts_total Attempts to start a driver's process, by what came of them.
# TYPE magnum_driver_starts_total counter
magnum_driver_starts_total{driver="test-driver",result="ready",version="1.0.0"} 2
# HELP magnum_driver_state 1 for the state that a driver is in, 0 for the others.
# TYPE magnum_driver_state gauge
magnum_driver_state{driver="test-driver",state="CrashLoop",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Degraded",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Draining",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Installed",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Ready",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Rejected",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Starting",version="1.0.0"} 0
magnum_driver_state{driver="test-driver",state="Stopped",version="1.0.0"} 1
`), "magnum_driver_calls_in_flight", "magnum_driver_calls_refused_total", "magnum_driver_calls_repeated_total", "magnum_driver_calls_total",
		"magnum_driver_crashes_total", "magnum_driver_starts_total", "magnum_driver_state", "magnum_driver_resident_memory_bytes"); err != nil {
		t.Error(err)
	}
	wantFigures(t, d, "call_duration_seconds", map[string]float64{"Templates/Render": 4})
	wantFigures(t, d, "start_duration_seconds", map[string]float64{"": 2})
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

// Of a version that was installed anew, with other bytes, the later one's state is
// told, also when something happens to the former one.
func TestMetricsOfVersionInstalledAnew(t *testing.T) {
	s, install := ownStore(t)
	cfg := config(t)
	cfg.Store = s
	d := drivers(t, cfg)
	set, err := d.Get(t.Context(), "test-driver", "1.0.0")
	if err == nil {
		_, err = ask(t.Context(), set, "hello")
	}
	if err != nil {
		t.Fatal(err)
	}
	pid := only(t, d).PID
	install(2)
	anew := filepath.Join(t.TempDir(), "package")
	nobody := func(context.Context, string, string) ([]string, error) { return nil, nil }
	if err := errors.Join(s.Remove(t.Context(), "test-driver", "1.0.0", nobody),
		store.Pack(t.Context(), anew, testBinary(1), store.Asks{Sandbox: launch.Sandbox{Exec: []string{"/bin/sh"}}})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Install(t.Context(), store.InstallRequest{Source: anew, Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), "test-driver", "1.0.0"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the former one has crashed", func() bool { return figures(t, d, "crashes_total")["signal"] == 1 })
	if got := figures(t, d, "state"); got["Ready"] != 1 || got["Stopped"] != 0 {
		t.Errorf("it is %v", got)
	}
	wantFigures(t, d, "calls_total", map[string]float64{"none OK Templates/Render": 1})
}

// TestMetricsAreDocumented holds the drivers' lines of docs/metrics.md to what
// is described.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, described []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(magnum_driver_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1]+" "+strings.Join(strings.Fields(strings.ReplaceAll(m[3], "`", "")), " "))
		if counter := strings.HasSuffix(m[1], "_total"); counter != (m[2] == "counter") {
			t.Errorf("%s is said to be a %s", m[1], m[2])
		}
	}
	descs := make(chan *prometheus.Desc)
	d := drivers(t, config(t))
	go func() {
		defer close(descs)
		d.Describe(descs)
	}()
	line := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for desc := range descs {
		m := line.FindStringSubmatch(desc.String())
		if m == nil {
			t.Fatalf("drivers describe %s", desc)
		}
		described = append(described, m[1]+" "+strings.ReplaceAll(m[2], ",", " "))
	}
	slices.Sort(documented)
	slices.Sort(described)
	if diff := cmp.Diff(described, documented); diff != "" {
		t.Errorf("docs/metrics.md is other than what is described (-described +documented):\n%s", diff)
	}
}

// TestFault: how a driver stands tells the last error and who can mend it, but
// not what users got wrong.
func TestFault(t *testing.T) {
	d := drivers(t, config(t))
	set := get(t, d)
	want := func(after string, fault *supervise.Fault) {
		t.Helper()
		got := only(t, d).Fault
		if got != nil {
			got.At = time.Time{}
		}
		if diff := cmp.Diff(fault, got); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", after, diff)
		}
	}
	want("its start", nil)
	if _, err := ask(t.Context(), set, "refuse"); err == nil {
		t.Fatal("no error")
	}
	want("a user's error", nil)
	_, err := ask(t.Context(), set, "error:THROTTLED")
	if err == nil {
		t.Fatal("no error")
	}
	want("an error that an operator can mend", &supervise.Fault{Class: "THROTTLED", Blame: "operator", Message: err.Error()})
	pid := only(t, d).PID
	killIdle(t, d)
	want("a crash", &supervise.Fault{Class: "RESTARTED", Blame: "driver", Message: fmt.Sprintf("process %d ended: killed by SIGKILL", pid)})
}
