package supervise_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/go-magnum/magnum/plugins/supervise"
)

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
	if n, err := testutil.GatherAndCount(reg, "magnum_driver_resident_memory_bytes"); err != nil || n != 1 {
		t.Errorf("%d figures of memory while it runs, %v", n, err)
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
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
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
