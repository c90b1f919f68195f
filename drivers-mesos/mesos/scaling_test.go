package mesos_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-mesos/mesos"
	"github.com/go-magnum/magnum/sdk/driver"
)

// recorded is an answer of Marathon 1.4: two tasks on the first worker, one on the
// second, of which another has ended, none on the third.
const recorded = `{"tasks": [
  {"id": "web.1", "appId": "/web", "host": "10.0.0.20", "ports": [31001], "slaveId": "S0", "state": "TASK_RUNNING", "ipAddresses": [{"ipAddress": "172.17.0.3", "protocol": "IPv4"}]},
  {"id": "web.2", "appId": "/web", "host": "10.0.0.20", "ports": [31002], "slaveId": "S0", "state": "TASK_STAGING", "startedAt": null},
  {"id": "web.3", "appId": "/web", "host": "10.0.0.21", "ports": [31001], "slaveId": "S1", "state": "TASK_RUNNING"},
  {"id": "web.4", "appId": "/web", "host": "10.0.0.21", "ports": [], "slaveId": "S1", "state": "TASK_FAILED"},
  {"id": "web.5", "appId": "/web", "host": "10.9.9.9", "ports": [], "slaveId": "S9", "state": "TASK_RUNNING"}]}`

// marathon serves at port 8080 of an address of this machine's own.
func marathon(t *testing.T, address string, h http.HandlerFunc) {
	t.Helper()
	l, err := net.Listen("tcp", address+":8080")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

func selectRequest(address string, count int) driver.SelectNodesRequest {
	return driver.SelectNodesRequest{
		Count: count, Access: driver.COEAccess{Endpoint: address},
		Nodes: []driver.Node{
			{Name: "a", Address: "10.0.0.20", HeatIndex: "0"}, {Name: "b", Address: "10.0.0.21", HeatIndex: "1"},
			{Name: "c", Address: "10.0.0.22", HeatIndex: "2"},
		},
	}
}

func TestSelectNodes(t *testing.T) {
	marathon(t, "127.0.7.1", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/tasks" || !strings.HasPrefix(r.Header.Get("Accept"), "application/json") {
			http.Error(w, "app\tport\thost", http.StatusNotAcceptable)
			return
		}
		_, _ = io.WriteString(w, recorded)
	})
	for count, want := range map[int][]driver.Selected{
		0: nil,
		1: {{HeatIndex: "2", Reason: "0 tasks"}},
		9: {{HeatIndex: "2", Reason: "0 tasks"}, {HeatIndex: "1", Reason: "1 task"}, {HeatIndex: "0", Reason: "2 tasks"}},
	} {
		got, err := mesos.Scaling{}.SelectNodes(t.Context(), selectRequest("127.0.7.1", count))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Nodes); diff != "" {
			t.Errorf("%d: %s", count, diff)
		}
	}
}

// TestMarathonCannotBeAsked: no answer is better than a wrong one.
func TestMarathonCannotBeAsked(t *testing.T) {
	answer := ""
	status := http.StatusOK
	marathon(t, "127.0.7.2", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	})
	for _, tt := range []struct {
		name, endpoint, answer string
		status                 int
		want                   string
	}{
		{"no address", "", "", 200, "The cluster has no API address."},
		{"refuses connections", "127.0.7.3", "", 200, "connection refused"},
		{"no leader", "127.0.7.2", "Could not determine the current leader", 503, "503 Service Unavailable: Could not determine"},
		{"a page", "127.0.7.2", "<html>", 200, "no list of tasks: <html>"},
		{"cut short", "127.0.7.2", recorded[:200], 200, "no list of tasks"},
		{"no list", "127.0.7.2", `{"apps": []}`, 200, "no list of tasks"},
		{"null", "127.0.7.2", `{"tasks": null}`, 200, "no list of tasks"},
		{"another type", "127.0.7.2", `{"tasks": [{"host": 1}]}`, 200, "no list of tasks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer, status = tt.answer, tt.status
			_, err := mesos.Scaling{}.SelectNodes(t.Context(), selectRequest(tt.endpoint, 1))
			if driver.ClassOf(err) != driver.ClassUnavailable || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestSlowMarathon(t *testing.T) {
	marathon(t, "127.0.7.4", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (mesos.Scaling{}).SelectNodes(ctx, selectRequest("127.0.7.4", 1)); driver.ClassOf(err) != driver.ClassUnavailable {
		t.Error(err)
	}
}
