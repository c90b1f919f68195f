package swarm_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/drivers-swarm/swarm"
	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template/templatetest"
)

// manager is the API of a manager with recorded answers, by their paths.
type manager struct {
	answers map[string]string
	status  int
	slow    bool
}

// recorded are answers of a Docker 20.10, of a manager and three workers: with
// none, one and two tasks. A fourth was removed, and the worker with its address
// and name is new.
func recorded(t *testing.T) map[string]string {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile("testdata/docker/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return map[string]string{"/nodes": read("nodes"), "/tasks": read("tasks"), "/_ping": "OK"}
}

func (m manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.slow {
		<-r.Context().Done()
		return
	}
	if m.status != 0 {
		http.Error(w, `{"message":"This node is not a swarm manager."}`, m.status)
		return
	}
	answer, ok := m.answers[r.URL.Path]
	switch {
	case !ok:
		http.NotFound(w, r)
	case r.URL.Path == "/tasks" && r.URL.Query().Get("filters") != `{"desired-state":["running"]}`:
		http.Error(w, "tasks that have ended asked for", http.StatusBadRequest)
	default:
		fmt.Fprint(w, answer)
	}
}

// start serves it with TLS to clients that have a certificate.
func (m manager) start(t *testing.T) driver.COEAccess {
	t.Helper()
	s := httptest.NewUnstartedServer(m)
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	pair := s.TLS.Certificates[0] // as good as any other: the server looks only whether there is one
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return driver.COEAccess{
		Endpoint: strings.Replace(s.URL, "https://", "tcp://", 1), CACert: encode("CERTIFICATE", pair.Certificate[0]),
		ClientCert: encode("CERTIFICATE", pair.Certificate[0]), ClientKey: encode("PRIVATE KEY", key),
	}
}

func servers() []driver.Node {
	return []driver.Node{
		{Name: "s-node-0", Address: "10.77.0.20", HeatIndex: "0"},
		{Name: "S_node-1", Address: "10.77.0.21", HeatIndex: "1"},
		{Name: "s-node-2", Address: "10.77.0.22", HeatIndex: "2"},
	}
}

func TestSelectNodes(t *testing.T) {
	without := func(paths ...string) map[string]string {
		all := recorded(t)
		for _, p := range paths {
			delete(all, p)
		}
		return all
	}
	with := func(path, answer string) map[string]string {
		all := recorded(t)
		all[path] = answer
		return all
	}
	tests := []struct {
		name    string
		manager manager
		change  func(*driver.SelectNodesRequest)
		want    []driver.Selected
		class   driver.Class
	}{
		{"fewest tasks first", manager{answers: recorded(t)}, nil,
			[]driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}}, ""},
		{"all", manager{answers: recorded(t)}, func(r *driver.SelectNodesRequest) { r.Count = 9 },
			[]driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}, {HeatIndex: "0", Reason: "2 tasks"}}, ""},
		{"none", manager{status: 500}, func(r *driver.SelectNodesRequest) { r.Count = 0 }, nil, ""},
		{"one that never joined", manager{answers: recorded(t)}, func(r *driver.SelectNodesRequest) {
			r.Nodes = append(r.Nodes, driver.Node{Name: "s-node-3", HeatIndex: "3"})
		}, []driver.Selected{{HeatIndex: "3", Reason: "not a node of the cluster"}, {HeatIndex: "1", Reason: "0 tasks"}}, ""},
		{"by name", manager{answers: recorded(t)}, func(r *driver.SelectNodesRequest) {
			for i := range r.Nodes {
				r.Nodes[i].Address = ""
			}
		}, []driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}}, ""},
		{"tasks of nobody", manager{answers: with("/tasks", `[{"NodeID":"gone"},{}]`)}, nil,
			[]driver.Selected{{HeatIndex: "2", Reason: "0 tasks"}, {HeatIndex: "1", Reason: "0 tasks"}}, ""},
		{"tasks of one that was removed", manager{answers: with("/tasks", `[{"NodeID":"wnpunz3eqljmi5r4jz7aabhyd"},{"NodeID":"pc5y37rbu5cmhtn98s0t0q6sk"},{"NodeID":"llnf9jr5x57jxs63zvbx5skpp"}]`)}, nil,
			[]driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}, {HeatIndex: "2", Reason: "1 task"}}, ""},

		{"refuses", manager{status: 503}, nil, nil, driver.ClassUnavailable},
		{"wants another certificate", manager{status: 403}, nil, nil, driver.ClassAuth},
		{"has no tasks", manager{answers: without("/tasks")}, nil, nil, driver.ClassUnavailable},
		{"lies: text", manager{answers: with("/nodes", `<html>`)}, nil, nil, driver.ClassUnavailable},
		{"lies: an object", manager{answers: with("/tasks", `{"NodeID": "x"}`)}, nil, nil, driver.ClassUnavailable},
		{"lies: nodes without id", manager{answers: with("/nodes", `[{"Status": {"State": "ready"}}]`)}, nil, nil, driver.ClassUnavailable},
		{"is endless", manager{answers: with("/nodes", strings.Repeat(" ", 33<<20))}, nil, nil, driver.ClassUnavailable},
		{"is not there", manager{}, func(r *driver.SelectNodesRequest) { r.Access.Endpoint = "tcp://127.0.0.1:1" }, nil, driver.ClassUnavailable},
		{"has no address", manager{}, func(r *driver.SelectNodesRequest) { r.Access.Endpoint = "" }, nil, driver.ClassUnavailable},
		{"is another's", manager{answers: recorded(t)}, func(r *driver.SelectNodesRequest) {
			r.Access.CACert = templatetest.StartCloud(t).Authority("")
		}, nil, driver.ClassUnavailable},
		{"has no CA", manager{answers: recorded(t)}, func(r *driver.SelectNodesRequest) { r.Access.CACert = "" }, nil, driver.ClassAuth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := driver.SelectNodesRequest{Nodes: servers(), Count: 2, Access: tt.manager.start(t)}
			if tt.change != nil {
				tt.change(&req)
			}
			got, err := swarm.Scaling{}.SelectNodes(t.Context(), req)
			if tt.class != "" {
				if err == nil || driver.ClassOf(err) != tt.class {
					t.Errorf("%v, class %s", err, driver.ClassOf(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Nodes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestSlowManager: the caller's time is kept.
func TestSlowManager(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := swarm.Scaling{}.SelectNodes(ctx, driver.SelectNodesRequest{Nodes: servers(), Count: 1, Access: manager{slow: true}.start(t)})
	if driver.ClassOf(err) != driver.ClassUnavailable || err.Error() != context.DeadlineExceeded.Error() {
		t.Errorf("%v", err)
	}
}

// TestWithoutTLS: the address is the same, the way is not.
func TestWithoutTLS(t *testing.T) {
	s := httptest.NewServer(manager{answers: recorded(t)})
	t.Cleanup(s.Close)
	req := driver.SelectNodesRequest{Nodes: servers(), Count: 1}
	req.Access.Endpoint = strings.Replace(s.URL, "http://", "tcp://", 1)
	req.Template.TLSDisabled = true
	got, err := swarm.Scaling{}.SelectNodes(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]driver.Selected{{HeatIndex: "1", Reason: "0 tasks"}}, got.Nodes); diff != "" {
		t.Error(diff)
	}
}

func TestCheckHealth(t *testing.T) {
	healthy := recorded(t)
	healthy["/nodes"] = strings.ReplaceAll(healthy["/nodes"], `"State": "down"`, `"State": "ready"`)
	drained := recorded(t)
	drained["/nodes"] = strings.Replace(drained["/nodes"], `"State": "ready"`, `"State": "down"`, 1)
	nodes := map[string]string{"api": "OK", "s-master-0.Ready": "True", "s-node-0.Ready": "True", "s-node-1.Ready": "True", "s-node-2.Ready": "True"}
	for name, tt := range map[string]struct {
		manager manager
		private bool
		status  driver.HealthStatus
		reasons map[string]string
	}{
		"well":         {manager{answers: healthy}, false, driver.Healthy, nodes},
		"one replaced": {manager{answers: recorded(t)}, false, driver.Healthy, nodes},
		"one down": {manager{answers: drained}, false, driver.Unhealthy,
			map[string]string{"api": "OK", "s-master-0.Ready": "True", "s-node-0.Ready": "False", "s-node-1.Ready": "True", "s-node-2.Ready": "True"}},
		"no manager": {manager{status: 503}, false, driver.Unhealthy,
			map[string]string{"api": `The cluster's API answered 503 Service Unavailable: {"message":"This node is not a swarm manager."}`}},
		"private": {manager{status: 503}, true, driver.HealthUnknown, map[string]string{"api": "The cluster prod is not accessible."}},
	} {
		t.Run(name, func(t *testing.T) {
			req := driver.CheckHealthRequest{Cluster: base().Cluster, Access: tt.manager.start(t)}
			req.Cluster.FloatingIP = !tt.private
			got, err := swarm.Monitoring{}.CheckHealth(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(driver.CheckHealthResponse{Status: tt.status, Reasons: tt.reasons}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
