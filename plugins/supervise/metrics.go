package supervise

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/serve"
)

// metrics is what is counted of drivers. Their labels are names and versions
// of installed packages, and words of the contract: never what a driver says.
type metrics struct {
	starts        *prometheus.CounterVec
	startDuration *prometheus.HistogramVec
	crashes       *prometheus.CounterVec
	calls         *prometheus.CounterVec
	callDuration  *prometheus.HistogramVec
	repeats       *prometheus.CounterVec

	// What is read from the instances when it is asked for.
	state, inFlight, waiting, memory, refused *prometheus.Desc
}

// states are those that an instance can be in.
var states = [...]State{
	StateInstalled, StateStarting, StateReady, StateDegraded, StateDraining, StateStopped, StateCrashLoop, StateRejected,
}

func newMetrics() *metrics {
	who := func(more ...string) []string { return append([]string{"driver", "version"}, more...) }
	desc := func(name, help string, more ...string) *prometheus.Desc {
		return prometheus.NewDesc("magnum_driver_"+name, help, who(more...), nil)
	}
	counter := func(name, help string, more ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "magnum_driver_" + name, Help: help}, who(more...))
	}
	histogram := func(name, help string, buckets []float64, more ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "magnum_driver_" + name, Help: help, Buckets: buckets}, who(more...))
	}
	return &metrics{
		starts: counter("starts_total", "Attempts to start a driver's process, by what came of them.", "result"),
		startDuration: histogram("start_duration_seconds", "Time until a process that came up took calls.",
			[]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}),
		crashes: counter("crashes_total", "Processes that ended without being told to, or hung.", "cause"),
		calls:   counter("calls_total", "Calls of a driver that ended, by the class of their error and who can mend it.", "method", "class", "blame"),
		callDuration: histogram("call_duration_seconds", "Time of a call, the wait for a place and for a start included.",
			[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}, "method"),
		repeats:  counter("calls_repeated_total", "Calls that were cut off and made again to a fresh process."),
		state:    desc("state", "1 for the state that a driver is in, 0 for the others.", "state"),
		inFlight: desc("calls_in_flight", "Calls that a driver has."),
		waiting:  desc("calls_waiting", "Calls that wait for a place."),
		memory:   desc("resident_memory_bytes", "Resident memory of the process that takes calls."),
		refused:  desc("calls_refused_total", "Calls refused because too many waited for a place."),
	}
}

func (m *metrics) vectors() []prometheus.Collector {
	return []prometheus.Collector{m.starts, m.startDuration, m.crashes, m.calls, m.callDuration, m.repeats}
}

// Describe and Collect make drivers a [prometheus.Collector].
func (d *Drivers) Describe(ch chan<- *prometheus.Desc) {
	m := d.metrics
	for _, v := range m.vectors() {
		v.Describe(ch)
	}
	for _, desc := range []*prometheus.Desc{m.state, m.inFlight, m.waiting, m.memory, m.refused} {
		ch <- desc
	}
}

// Collect reads what there is. A version that was installed anew, with other
// bytes under the same number, counts as one, and how it stands is the later one's.
func (d *Drivers) Collect(ch chan<- prometheus.Metric) {
	m := d.metrics
	for _, v := range m.vectors() {
		v.Collect(ch)
	}
	newest := map[string]*instance{}
	refused := map[string]int64{}
	for _, i := range d.all() {
		key := i.pkg.Name + " " + i.pkg.Version
		refused[key] += i.calls.refused.Load()
		if other := newest[key]; other == nil || other.nth < i.nth {
			newest[key] = i
		}
	}
	for key, i := range newest {
		s := i.status()
		gauge := func(desc *prometheus.Desc, value float64, more ...string) {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{s.Name, s.Version}, more...)...)
		}
		for _, state := range states {
			value := 0.0
			if state == s.State {
				value = 1
			}
			gauge(m.state, value, string(state))
		}
		gauge(m.inFlight, float64(len(i.calls.places)))
		gauge(m.waiting, float64(i.calls.waiting.Load()))
		if bytes, ok := resident(s.PID); ok {
			gauge(m.memory, bytes)
		}
		ch <- prometheus.MustNewConstMetric(m.refused, prometheus.CounterValue, float64(refused[key]), s.Name, s.Version)
	}
}

// resident is the memory of a process; ok is false if there is none.
func resident(pid int) (bytes float64, ok bool) {
	if pid == 0 {
		return 0, false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, false
	}
	var total, pages int64
	if _, err := fmt.Sscan(string(text), &total, &pages); err != nil {
		return 0, false
	}
	return float64(pages) * float64(os.Getpagesize()), true
}

// The words for calls that have no error of the contract.
const (
	classOK        = "OK"
	classCancelled = "CANCELLED" // the caller gave up
	blameNone      = "none"
)

// called counts the end of a call.
func (i *instance) called(method string, err error) {
	class, blame := verdict(err)
	i.metrics.calls.WithLabelValues(i.pkg.Name, i.pkg.Version, methodName(method), class, blame).Inc()
}

// took is how long it was; that of a stream is for the operation to say.
func (i *instance) took(method string, d time.Duration) {
	i.metrics.callDuration.WithLabelValues(i.pkg.Name, i.pkg.Version, methodName(method)).Observe(d.Seconds())
}

// methodName is service and method without the package of the protocol.
func methodName(full string) string {
	return strings.TrimPrefix(strings.TrimPrefix(full, "/"), "magnum.driver.v1.")
}

// verdict is the class of a call's error and who can mend it, in the words of
// the contract whatever the driver said.
func verdict(err error) (class, blame string) {
	if err == nil {
		return classOK, blameNone
	}
	if errors.Is(err, context.Canceled) {
		return classCancelled, blameNone
	}
	e, ok := serve.FromError(err)
	if !ok {
		e = driver.Errorf(driver.ClassBug, "")
		if status.Code(err) == codes.Unimplemented {
			e = driver.Errorf(driver.ClassUnsupported, "")
		}
	}
	class, blame = string(driver.ClassBug), string(driver.BlameDriver)
	switch e.Class {
	case driver.ClassInvalidInput, driver.ClassUnsupported, driver.ClassConflict, driver.ClassPrecondition, driver.ClassNotFound,
		driver.ClassQuota, driver.ClassThrottled, driver.ClassUnavailable, driver.ClassAuth, driver.ClassTimeout, driver.ClassRestarted:
		class = string(e.Class)
	case driver.ClassBug:
	}
	switch e.Blame {
	case driver.BlameUser, driver.BlameOperator, driver.BlameDownstream:
		blame = string(e.Blame)
	case driver.BlameDriver:
	}
	return class, blame
}
