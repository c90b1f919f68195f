package k8s_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/k8s"
)

type object map[string]any

// api is a cluster's API with nodes and pods, in pages of two.
type api struct {
	healthz string
	nodes   []object
	pods    []object
	status  int // of every answer, if set
}

func (a *api) start(t *testing.T) driver.COEAccess {
	t.Helper()
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.status != 0 {
			http.Error(w, "no", a.status)
			return
		}
		all := a.nodes
		switch r.URL.Path {
		case "/healthz":
			fmt.Fprint(w, a.healthz)
			return
		case "/api/v1/pods":
			all = a.pods
			if !strings.Contains(r.URL.Query().Get("fieldSelector"), "status.phase!=Failed") {
				http.Error(w, "finished pods asked for", http.StatusBadRequest)
				return
			}
		case "/api/v1/nodes":
		default:
			http.NotFound(w, r)
			return
		}
		from := 0
		if c := r.URL.Query().Get("continue"); c != "" {
			fmt.Sscan(c, &from)
		}
		meta := object{}
		to := min(from+2, len(all))
		if to < len(all) {
			meta["continue"] = fmt.Sprint(to)
		}
		_ = json.NewEncoder(w).Encode(object{"metadata": meta, "items": all[from:to]})
	}))
	t.Cleanup(s.Close)
	return driver.COEAccess{Endpoint: s.URL, CACert: pemOf(s.Certificate())}
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func node(name, address, ready string) object {
	return object{
		"metadata": object{"name": name},
		"status": object{
			"addresses":  []object{{"type": "InternalIP", "address": address}},
			"conditions": []object{{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}},
		},
	}
}

func pod(on, owner string) object {
	return object{"metadata": object{"ownerReferences": []object{{"kind": owner}}}, "spec": object{"nodeName": on}}
}

func TestSelectNodes(t *testing.T) {
	servers := []driver.Node{
		{Name: "s-node-0", Address: "10.0.0.10", HeatIndex: "0"},
		{Name: "S_node-1", Address: "10.0.0.11", HeatIndex: "1"},
		{Name: "s-node-2", Address: "10.0.0.12", HeatIndex: "2"},
		{Name: "s-node-10", Address: "10.0.0.20", HeatIndex: "10"},
	}
	nodes := []object{
		node("s-node-0", "10.0.0.10", "True"), node("s-node-1", "1.2.3.4", "True"),
		node("other-name", "10.0.0.12", "True"), node("s-node-10", "10.0.0.20", "True"),
	}
	daemons := []object{pod("s-node-0", "DaemonSet"), pod("s-node-1", "DaemonSet"), pod("other-name", "Node")}
	tests := []struct {
		name  string
		nodes []object
		pods  []object
		count int
		want  []driver.Selected
	}{
		{"fewest pods first", nodes, append(slices.Clone(daemons),
			pod("s-node-0", "ReplicaSet"), pod("s-node-1", "ReplicaSet"), pod("s-node-1", "Job"),
			pod("other-name", "ReplicaSet"), pod("other-name", "StatefulSet"), pod("other-name", "ReplicaSet"),
			pod("s-node-10", "ReplicaSet"), pod("s-node-10", "ReplicaSet")), 3, []driver.Selected{
			{HeatIndex: "0", Reason: "1 pod"}, {HeatIndex: "10", Reason: "2 pods"}, {HeatIndex: "1", Reason: "2 pods"},
		}},
		{"highest index among equals", nodes, daemons, 2, []driver.Selected{
			{HeatIndex: "10", Reason: "0 pods"}, {HeatIndex: "2", Reason: "0 pods"},
		}},
		{"one that never joined", nodes[1:], daemons, 1, []driver.Selected{{HeatIndex: "0", Reason: "not a node of the cluster"}}},
		{"more than there are", nodes, nil, 9, []driver.Selected{
			{HeatIndex: "10", Reason: "0 pods"}, {HeatIndex: "2", Reason: "0 pods"}, {HeatIndex: "1", Reason: "0 pods"}, {HeatIndex: "0", Reason: "0 pods"},
		}},
		{"none", nodes, nil, 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			access := (&api{nodes: tt.nodes, pods: tt.pods}).start(t)
			got, err := k8s.Scaling{}.SelectNodes(context.Background(), driver.SelectNodesRequest{Nodes: servers, Count: tt.count, Access: access})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Nodes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSelectNodesErrors(t *testing.T) {
	dead := (&api{}).start(t)
	dead.Endpoint = "https://127.0.0.1:1"
	stranger := (&api{}).start(t)
	stranger.CACert = "no certificate"
	for name, tt := range map[string]struct {
		access driver.COEAccess
		want   driver.Class
	}{
		"nobody there":    {dead, driver.ClassUnavailable},
		"no address":      {driver.COEAccess{}, driver.ClassUnavailable},
		"server error":    {(&api{status: http.StatusInternalServerError}).start(t), driver.ClassUnavailable},
		"refused":         {(&api{status: http.StatusForbidden}).start(t), driver.ClassAuth},
		"unreadable CA":   {stranger, driver.ClassAuth},
		"unreadable cert": {driver.COEAccess{Endpoint: stranger.Endpoint, CACert: dead.CACert, ClientCert: "x"}, driver.ClassAuth},
	} {
		_, err := k8s.Scaling{}.SelectNodes(context.Background(), driver.SelectNodesRequest{
			Nodes: []driver.Node{{HeatIndex: "0"}}, Count: 1, Access: tt.access,
		})
		if err == nil || driver.ClassOf(err) != tt.want {
			t.Errorf("%s: %v (%s), want %s", name, err, driver.ClassOf(err), tt.want)
		}
	}
}

func TestCheckHealth(t *testing.T) {
	two := []object{node("a", "1", "True"), node("b", "2", "False"), node("c", "3", "Unknown")}
	tests := []struct {
		name string
		api  api
		want driver.CheckHealthResponse
	}{
		{"healthy", api{healthz: "ok", nodes: two[:1]}, driver.CheckHealthResponse{
			Status: driver.Healthy, Reasons: map[string]string{"api": "ok", "a.Ready": "True"}}},
		{"node down", api{healthz: "ok", nodes: two}, driver.CheckHealthResponse{
			Status: driver.Unhealthy, Reasons: map[string]string{"api": "ok", "a.Ready": "True", "b.Ready": "False", "c.Ready": "False"}}},
		{"api unwell", api{healthz: "etcd failed", nodes: two[:1]}, driver.CheckHealthResponse{
			Status: driver.Unhealthy, Reasons: map[string]string{"api": "etcd failed", "a.Ready": "True"}}},
		{"api error", api{status: 503}, driver.CheckHealthResponse{
			Status: driver.Unhealthy, Reasons: map[string]string{"api": "The cluster's API answered 503 Service Unavailable: no"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := k8s.Monitoring{}.CheckHealth(context.Background(), driver.CheckHealthRequest{Access: tt.api.start(t)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	got, err := k8s.Monitoring{Reachable: func(driver.Cluster) bool { return false }}.CheckHealth(context.Background(),
		driver.CheckHealthRequest{Cluster: driver.Cluster{Name: "prod"}})
	if err != nil {
		t.Fatal(err)
	}
	want := driver.CheckHealthResponse{Status: driver.HealthUnknown, Reasons: map[string]string{"api": "The cluster prod is not accessible."}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPIAddress(t *testing.T) {
	for _, tt := range []struct {
		address string
		off     bool
		want    string
	}{
		{"192.0.2.1", false, "https://192.0.2.1:6443"},
		{"192.0.2.1", true, "http://192.0.2.1:8080"},
		{"2001:db8::1", false, "https://[2001:db8::1]:6443"},
		{"", false, ""},
	} {
		if got := k8s.APIAddress(tt.address, tt.off); got != tt.want {
			t.Errorf("APIAddress(%q, %v) = %q, want %q", tt.address, tt.off, got, tt.want)
		}
	}
}

func TestCleanupsAreOfThisClusterOnly(t *testing.T) {
	const id = "6f3c6f2e-5a3b-4c1d-9e8f-0a1b2c3d4e5f"
	for _, c := range k8s.Cleanups(driver.Cluster{UUID: id}) {
		whole := regexp.MustCompile("^(?:" + c.DescriptionPattern + ")$")
		text := "Kubernetes external service default/web from cluster "
		if c.Kind == driver.CleanupFloatingIP {
			text = "Floating IP for " + text
		}
		if !whole.MatchString(text + id) {
			t.Errorf("%s does not match its own", c.Kind)
		}
		if whole.MatchString(text+"another") || whole.MatchString(text+id+"0") {
			t.Errorf("%s matches another cluster's", c.Kind)
		}
	}
}
