package main

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-magnum/magnum/plugins/launch"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// identity is that of the test's own process.
func identity(t *testing.T) launch.Identity {
	t.Helper()
	self, err := launch.Identify(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// reports has a service on the host tell how its drivers stand.
func (h *host) reports(name string, service launch.Identity, drivers ...supervise.Status) {
	h.t.Helper()
	text, err := json.Marshal(supervise.Host{Host: service, Drivers: drivers})
	if err != nil {
		h.t.Fatal(err)
	}
	h.write("drivers/run/"+name, string(text))
}

func TestStatus(t *testing.T) {
	h := newHost(t)
	h.must("install", one)
	if out := h.must("status", "-f", "value", "-c", "Name", "-c", "State"); out != "acme_k8s Installed\n" {
		t.Errorf("without a service: %q", out)
	}
	self := identity(t)
	gone := self
	gone.StartTime--
	for name, host := range map[string]launch.Identity{"1-1.json": self, "1-2.json": gone} {
		h.reports(name, host, supervise.Status{
			Name: "acme_k8s", Version: "1.1.0", State: supervise.StateCrashLoop, Restarts: 4, Confinement: "landlock 4, rlimits",
			Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), LastError: "process 7 ended: exit status 3",
		})
	}
	want := strconv.Itoa(self.PID) + " acme_k8s 1.1.0 CrashLoop  4 2026-01-02T03:04:05Z landlock 4, rlimits   process 7 ended: exit status 3\n" +
		" acme_k8s 1.0.0 Installed       \n"
	if out := h.must("status", "-f", "value"); out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	h.write("magnum.conf", "[DEFAULT]\nstate_path = "+h.dir+"\n[drivers]\ndisabled_drivers = acme_k8s\n")
	if out := h.must("status", "-f", "value", "-c", "Version", "-c", "State"); out != "1.1.0 CrashLoop\n1.0.0 Disabled\n" {
		t.Errorf("got %q", out)
	}
}
