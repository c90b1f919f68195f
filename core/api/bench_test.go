package api

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/go-magnum/magnum/core/magnum"
)

// connections is how many clients ask at the same time.
const connections = 64

// BenchmarkShow compares GET one cluster with the least that answers with the
// same row: a router, a prepared read of what is shown, the text of it. Both
// over real connections.
func BenchmarkShow(b *testing.B) {
	f := newFixture(b)
	template := f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.15.7", "x": "1", "y": "2"}`)
	id := f.newCluster(template, `"name": "c"`)
	f.set(id, func(c *magnum.Cluster) {
		c.Status, c.StackID, c.APIAddress = magnum.CreateComplete, id, "https://10.0.0.5:6443"
		c.NodeGroups[0].NodeAddresses, c.NodeGroups[1].NodeAddresses = []string{"10.0.0.5"}, []string{"10.0.0.6"}
	})
	b.Run("magnum", func(b *testing.B) { load(b, f.handler, "/v1/clusters/"+id) })
	b.Run("bare", func(b *testing.B) { load(b, bare(b, f.path), "/v1/clusters/"+id) })
}

// BenchmarkList is GET /clusters with a hundred.
func BenchmarkList(b *testing.B) {
	f := newFixture(b, func(c *Config) { c.Options.Quotas.MaxClustersPerProject = 1000 })
	template := f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.15.7", "x": "1", "y": "2"}`)
	for i := range 100 {
		f.newCluster(template, fmt.Sprintf(`"name": "c%d"`, i))
	}
	for _, path := range []string{"/v1/clusters", "/v1/clusters/detail"} {
		b.Run(path, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("X-Auth-Token", "demo")
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				f.handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// bare is a router and one prepared read, without tokens, tenants, node groups
// and versions.
func bare(b *testing.B, path string) http.Handler {
	db, err := sql.Open("sqlite3", "file:"+path+"?_query_only=on&_journal_mode=WAL")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxIdleConns(8)
	db.SetMaxOpenConns(8)
	const shown = "uuid, name, cluster_template_id, keypair, docker_volume_size, labels, master_flavor_id, flavor_id, create_timeout, stack_id, " +
		"status, health_status, status_reason, health_status_reason, discovery_url, api_address, coe_version, container_version, project_id, user_id, " +
		"fixed_network, fixed_subnet, floating_ip_enabled, master_lb_enabled, created_at, updated_at"
	names := strings.Split(shown, ", ")
	read, err := db.Prepare("SELECT " + shown + " FROM cluster WHERE uuid = ? AND project_id = ?")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = read.Close() })
	r := mux.NewRouter()
	r.HandleFunc("/v1/clusters/{id}", func(w http.ResponseWriter, r *http.Request) {
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := read.QueryRowContext(r.Context(), mux.Vars(r)["id"], "project-demo").Scan(into...); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body := []byte("{")
		for i, name := range names {
			body = append(body, '"')
			body = append(body, name...)
			body = append(body, `": `...)
			body = appendString(body, values[i].String)
			body = append(body, ", "...)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(body[:len(body)-2], '}'))
	}).Methods("GET")
	return r
}

func load(b *testing.B, h http.Handler, path string) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	b.Cleanup(func() {
		client.CloseIdleConnections()
		_ = srv.Close()
		<-done
	})
	var failed atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(max(1, connections/runtime.GOMAXPROCS(0)))
	var mu sync.Mutex
	var took []time.Duration
	b.RunParallel(func(pb *testing.PB) {
		var mine []time.Duration
		defer func() {
			mu.Lock()
			took = append(took, mine...)
			mu.Unlock()
		}()
		for pb.Next() {
			started := time.Now()
			r, err := http.NewRequest(http.MethodGet, "http://"+l.Addr().String()+path, nil)
			if err != nil {
				failed.Add(1)
				continue
			}
			r.Header.Set("X-Auth-Token", "demo")
			r.Header.Set("OpenStack-API-Version", "container-infra latest")
			r.Header.Set("Accept", "application/json")
			resp, err := client.Do(r)
			if err != nil {
				failed.Add(1)
				continue
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				failed.Add(1)
			}
			mine = append(mine, time.Since(started))
		}
	})
	if n := failed.Load(); n > 0 {
		b.Errorf("%d requests failed", n)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
