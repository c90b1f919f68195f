// Command benchtable reads what `go test -bench` prints and shows the figures
// we owe beside their targets, with the machine they were taken on.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/go-magnum/magnum/cmd/internal/table"
)

// figure is one line of the table. Its value is made from metrics, named
// "Benchmark/sub metric".
type figure struct {
	what   string
	target float64
	unit   string
	least  bool // the target is a lower bound
	value  func(metrics) (float64, bool)
}

type metrics map[string]float64

var figures = []figure{
	{"GET one cluster, token cached, 64 connections: rate over bare router and read", 0.6, "x", true, one("Show rate-ratio", 1)},
	{"the same: p99 over the bare one's", 2, "x", false, one("Show p99-ratio", 1)},
	{"the same: requests a second", 0, "1/s", true, one("Show req/s", 1)},
	{"list 100 clusters", 10, "ms", false, one("List/100 ms", 1)},
	{"list 100 clusters in detail", 10, "ms", false, one("List/100-detail ms", 1)},
	{"list 1,000 clusters", 60, "ms", false, one("List/1000 ms", 1)},
	{"list 1,000 clusters in detail", 60, "ms", false, one("List/1000-detail ms", 1)},
	{"memory in use after 100,000 requests over 20,000", 2, "MiB", false, one("Memory grown-MiB", 1)},
	{"driver start to first answer, p50", 30, "ms", false, one("Start p50-ms", 1)},
	{"driver call of 1 KiB over plain gRPC", 1.25, "x", false, one("Call/1KiB ratio", 1)},
	{"driver call of 200 KiB over plain gRPC", 1.7, "x", false, one("Call/200KiB ratio", 1)},
	{"magnum-driver-manage list-drivers, 50 drivers", 50, "ms", false, one("ListDrivers ns/op", 1e-6)},
	{"magnum-api: start to first answer", 200, "ms", false, one("StartToFirstAnswer ns/op", 1e-6)},
	{"1,000 creates at once: all accepted", 10, "s", false, one("Creates accepted-s", 1)},
	{"the same: each has its stack, and one only", 0, "s", true, one("Creates stacks-s", 1)},
	{"a stack's end to the cluster's, p50", 2, "s", false, one("Visible p50-s", 1)},
	{"the same, the slowest", 2, "s", false, one("Visible max-s", 1)},
	{"Heat calls for 100 followed clusters, each look", 1, "", false, one("Follow calls/100", 1)},
	{"API and conductor, idle, resident", 60, "MiB", false, one("IdleMemory services-MiB", 1)},
	{"one idle driver, resident", 20, "MiB", false, one("IdleMemory driver-MiB", 1)},
}

func one(name string, factor float64) func(metrics) (float64, bool) {
	return func(m metrics) (float64, bool) {
		v, ok := m[name]
		return v * factor, ok
	}
}

func main() {
	m, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
	missing, err := show(os.Stdout, m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
	if missing > 0 {
		fmt.Fprintf(os.Stderr, "benchtable: %d figures were not measured: a benchmark failed\n", missing)
		os.Exit(1)
	}
}

var procs = regexp.MustCompile(`-\d+$`)

// read gathers the metrics of every benchmark; of one that ran more than once,
// the last.
func read(r io.Reader) (metrics, error) {
	m := metrics{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(procs.ReplaceAllString(fields[0], ""), "Benchmark")
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", lines.Text(), err)
			}
			m[name+" "+fields[i+1]] = v
		}
	}
	return m, lines.Err()
}

func show(w io.Writer, m metrics) (missing int, err error) {
	var rows [][]string
	for _, f := range figures {
		v, ok := f.value(m)
		switch {
		case !ok:
			missing++
			rows = append(rows, []string{f.what, "-", f.bound(), "not measured"})
		case f.target == 0:
			rows = append(rows, []string{f.what, f.print(v), "-", ""})
		case f.least && v >= f.target, !f.least && v <= f.target:
			rows = append(rows, []string{f.what, f.print(v), f.bound(), "met"})
		default:
			rows = append(rows, []string{f.what, f.print(v), f.bound(), "MISSED"})
		}
	}
	o := table.Options{Format: "table"}
	if err := o.Write(w, []string{"What", "Measured", "Target", ""}, rows); err != nil {
		return missing, err
	}
	_, err = fmt.Fprintf(w, "%s, %d processors, %s\n", cpu(), runtime.NumCPU(), runtime.Version())
	return missing, err
}

func (f figure) print(v float64) string {
	return strconv.FormatFloat(v, 'f', 2, 64) + " " + f.unit
}

func (f figure) bound() string {
	if f.target == 0 {
		return "-"
	}
	sign := "≤ "
	if f.least {
		sign = "≥ "
	}
	return sign + strconv.FormatFloat(f.target, 'f', -1, 64) + " " + f.unit
}

func cpu() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for _, line := range strings.Split(string(text), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
