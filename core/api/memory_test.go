package api

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// BenchmarkMemory is how much more memory is in use after 100,000 requests
// than after 20,000 of them.
func BenchmarkMemory(b *testing.B) {
	var grown float64
	for b.Loop() {
		grown = newTraffic(b, nil).grown(20_000, 100_000)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(grown, "grown-MiB")
}

// TestMemory is the same for a few of them, and holds that a leak would be
// seen.
func TestMemory(t *testing.T) {
	// MiB, of buffers and caches that fill; 0.64 were seen on a machine with
	// twenty times the work it can do.
	const most = 2
	if grown := newTraffic(t, nil).grown(500, 2500); grown > most {
		t.Errorf("2,000 requests left %.2f MiB", grown)
	}
	var mu sync.Mutex
	var kept [][]byte
	leak := func() {
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, make([]byte, 4096))
	}
	if grown := newTraffic(t, leak).grown(100, 1100); grown < most {
		t.Errorf("a leak of 4 KiB a request shows as %.2f MiB after 1,000", grown)
	}
	runtime.KeepAlive(kept)
}

// traffic is requests of many kinds: for things that are there and that are
// not, from people who may and who may not.
type traffic struct {
	*load
	asks   []func(n int) *http.Request
	wanted []int // their statuses
	sent   atomic.Int64
}

// newTraffic starts a service. each is called with every request, if not nil.
func newTraffic(t testing.TB, each func()) *traffic {
	t.Helper()
	f := newFixture(t, func(c *Config) { c.Options.Quotas.MaxClustersPerProject = 100 })
	template := f.newTemplate(`"name": "t", "labels": {"kube_tag": "v1.15.7"}`)
	ids := make([]string, 20)
	for i := range ids {
		ids[i] = f.newCluster(template, fmt.Sprintf(`"name": "c%d"`, i))
	}
	whole, token := f.behindKeystone()
	served := whole
	if each != nil {
		served = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			each()
			whole.ServeHTTP(w, r)
		})
	}
	g := &traffic{load: newLoad(t, served, nil)}
	add := func(status int, token string, path func(n int) string) {
		g.asks = append(g.asks, func(n int) *http.Request { return get(path(n), token)() })
		g.wanted = append(g.wanted, status)
	}
	for range 4 {
		add(200, token, func(n int) string { return "/v1/clusters/" + ids[n%len(ids)] })
	}
	add(200, token, func(n int) string { return fmt.Sprintf("/v1/clusters/c%d", n%len(ids)) })
	add(200, token, func(n int) string { return fmt.Sprintf("/v1/clusters?limit=%d&sort_key=name", 1+n%9) })
	add(200, token, func(n int) string { return "/v1/clusters/detail?limit=3&marker=" + ids[n%len(ids)] })
	add(200, token, func(int) string { return "/v1/clustertemplates/" + template })
	add(404, token, func(n int) string { return fmt.Sprintf("/v1/clusters/none-%d", n) })
	add(404, token, func(n int) string { return fmt.Sprintf("/v1/nothing-%d", n) })
	add(400, token, func(n int) string { return fmt.Sprintf("/v1/clusters?unknown-%d=1", n) })
	g.asks = append(g.asks, func(n int) *http.Request { return get("/v1/clusters", fmt.Sprintf("stranger-%d", n))() })
	g.wanted = append(g.wanted, 401)
	return g
}

// grown sends requests and returns how many MiB more are in use after the last
// of them than after the first ones, which fill what is meant to be filled.
func (g *traffic) grown(first, last int) float64 {
	g.send(first)
	before := inUse()
	g.send(last - first)
	return float64(inUse()-before) / (1 << 20)
}

func (g *traffic) send(count int) {
	end := g.sent.Load() + int64(count)
	var clients sync.WaitGroup
	for range connections {
		clients.Go(func() {
			for n := g.sent.Add(1); n <= end; n = g.sent.Add(1) {
				i := int(n) % len(g.asks)
				if got := g.one(g.asks[i](int(n))); got != g.wanted[i] {
					g.Errorf("request %d: %d, want %d", n, got, g.wanted[i])
				}
			}
		})
	}
	clients.Wait()
	g.sent.Store(end)
}

// inUse is the memory that is in use after a collection. Twice, since what a
// sync.Pool has is let go by the second.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
