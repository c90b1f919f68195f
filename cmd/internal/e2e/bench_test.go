package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-magnum/magnum/plugins/store"
)

// BenchmarkListDrivers is one `magnum-driver-manage list-drivers` of 50 drivers,
// process and all. No driver is started by it.
func BenchmarkListDrivers(b *testing.B) {
	const drivers = 50
	l := newLab(b, 0) // which has one
	for n := range drivers - 1 {
		binary, pack := filepath.Join(b.TempDir(), "driver"), filepath.Join(b.TempDir(), "package")
		err := goBuild("CGO_ENABLED=0", binary, "-ldflags", fmt.Sprintf("-s -w -X main.name=many_%d -X main.coe=engine-%d", n, n),
			module+"plugins/internal/launchtest/driver")
		if err == nil {
			err = store.Pack(b.Context(), pack, binary, store.Asks{})
		}
		if err != nil {
			b.Fatal(err)
		}
		l.install(pack)
	}
	for b.Loop() {
		cmd := exec.Command(executable(b, "magnum-driver-manage"), "list-drivers", "-d", "--config-file", l.conf)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "fedora-atomic") || strings.Count(string(out), "engine-") != drivers-1 {
			b.Fatalf("%v\n%s", err, out)
		}
	}
}

// BenchmarkStartToFirstAnswer is from the start of magnum-api to its first 200.
func BenchmarkStartToFirstAnswer(b *testing.B) {
	l := newLab(b, 0)
	for b.Loop() {
		p := l.run(exec.Command(executable(b, "magnum-api"), "--config-file", l.conf))
		for ok := false; !ok; {
			resp, err := http.Get(l.url + "/")
			if err == nil {
				ok = resp.StatusCode == http.StatusOK
				resp.Body.Close()
			}
		}
		b.StopTimer()
		p.stop(b)
		b.StartTimer()
	}
}

// BenchmarkIdleMemory is what an API, a conductor and a driver that made one
// cluster hold, resident, in MiB.
func BenchmarkIdleMemory(b *testing.B) {
	l := newLab(b, 0)
	api := l.run(exec.Command(executable(b, "magnum-api"), "--config-file", l.conf))
	worker := l.run(exec.Command(executable(b, "magnum-conductor"), "--config-file", l.conf))
	poll(b, 20*time.Second, "the API to answer", func() (bool, error) {
		resp, err := http.Get(l.url + "/")
		if err != nil {
			return false, nil
		}
		return true, resp.Body.Close()
	})
	user := l.client("demo")
	id := l.create(user, l.template(user), "idle", 1, 1)
	l.waitStatus(user, id, "CREATE_COMPLETE", 60*time.Second)
	<-time.After(3 * time.Second) // idle is what has had a moment without work
	for b.Loop() {
		b.ReportMetric(resident(b, api.cmd.Process.Pid)+resident(b, worker.cmd.Process.Pid), "services-MiB")
		drivers := descendants(b, worker.cmd.Process.Pid)[1:]
		if len(drivers) != 1 {
			b.Fatalf("the conductor has children %v, want one driver", drivers)
		}
		b.ReportMetric(resident(b, drivers[0]), "driver-MiB")
	}
}

func resident(tb testing.TB, pid int) float64 {
	tb.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				tb.Fatal(err)
			}
			return kib / 1024
		}
	}
	tb.Fatalf("process %d has no VmRSS", pid)
	return 0
}
