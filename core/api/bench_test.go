package api

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"github.com/go-magnum/magnum/core/keystone"
	"github.com/go-magnum/magnum/core/keystone/keystonetest"
	"github.com/go-magnum/magnum/core/magnum"
)

// BenchmarkShow compares GET one cluster, its token in the cache, with the
// least that answers with the same row: a router, a prepared read of what is
// shown, the text of it. Both over real connections, and in turns: what else
// the machine does hits both. One operation is one turn of each.
func BenchmarkShow(b *testing.B) {
	f := newFixture(b)
	template := f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.15.7", "x": "1", "y": "2"}`)
	id := f.newCluster(template, `"name": "c"`)
	f.set(id, func(c *magnum.Cluster) {
		c.Status, c.StackID, c.APIAddress = magnum.CreateComplete, id, "https://10.0.0.5:6443"
		c.NodeGroups[0].NodeAddresses, c.NodeGroups[1].NodeAddresses = []string{"10.0.0.5"}, []string{"10.0.0.6"}
	})
	whole, token := f.behindKeystone()
	ask := get("/v1/clusters/"+id, token)
	ours, theirs := newLoad(b, whole, ask), newLoad(b, bare(b, f.path), ask)
	first, second := ours, theirs
	for b.Loop() {
		first.turn(300 * time.Millisecond)
		second.turn(300 * time.Millisecond)
		first, second = second, first
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours.rate(), "req/s")
	b.ReportMetric(theirs.rate(), "bare-req/s")
	b.ReportMetric(ours.rate()/theirs.rate(), "rate-ratio")
	b.ReportMetric(ours.cost(), "cpu-µs")
	b.ReportMetric(theirs.cost(), "bare-cpu-µs")
	b.ReportMetric(ours.p99(), "p99-ms")
	b.ReportMetric(theirs.p99(), "bare-p99-ms")
	b.ReportMetric(ours.p99()/theirs.p99(), "p99-ratio")
}

// behindKeystone is the handler with the real client of Keystone, whose cache
// is a part of what a request takes, and a token of demo's.
func (f *fixture) behindKeystone() (http.Handler, string) {
	f.Helper()
	server := keystonetest.Start(f)
	client, err := keystone.New(keystone.Config{
		AuthURL: server.URL, Username: "magnum", Password: keystonetest.Password, UserDomainName: "Default",
		ProjectName: "service", ProjectDomainName: "Default", HTTPClient: server.Client(),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(server.Client().CloseIdleConnections)
	c := f.config
	c.Keystone = client
	h, err := New(c)
	if err != nil {
		f.Fatal(err)
	}
	return h, server.Token(keystonetest.DemoUser, "project-demo")
}

// BenchmarkList is GET of lists: a hundred clusters, and a thousand.
func BenchmarkList(b *testing.B) {
	f := newFixture(b, func(c *Config) { c.Options.Quotas.MaxClustersPerProject = 1000 })
	template := f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.15.7", "x": "1", "y": "2"}`)
	for i := range 1000 {
		f.newCluster(template, fmt.Sprintf(`"name": "c%d"`, i))
	}
	for _, list := range []struct{ name, path string }{
		{"100", "/v1/clusters?limit=100"}, {"100-detail", "/v1/clusters/detail?limit=100"},
		{"1000", "/v1/clusters"}, {"1000-detail", "/v1/clusters/detail"},
	} {
		b.Run(list.name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, list.path, nil)
			r.Header.Set("X-Auth-Token", "demo")
			b.ReportAllocs()
			var took []float64
			for b.Loop() {
				w := httptest.NewRecorder()
				started := time.Now()
				f.handler.ServeHTTP(w, r)
				took = append(took, float64(time.Since(started).Microseconds())/1000)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
			b.ReportMetric(median(took), "ms")
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
