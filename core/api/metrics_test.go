package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestMetrics asks for this and that and reads what was counted: every path
// under a name from the table or one of three words, whatever clients make up.
func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	f := newFixture(t, func(c *Config) { c.Metrics = reg })
	template := f.newTemplate(`"name": "t"`)
	ask := func(method, path, token string) {
		r := httptest.NewRequest(method, path, nil)
		if token != "" {
			r.Header.Set("X-Auth-Token", token)
		}
		f.handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	for range 3 {
		ask("GET", "/v1/clustertemplates/"+template, "demo")
	}
	ask("GET", "/clustertemplates/t", "demo") // without the prefix it is the same
	ask("GET", "/v1/clustertemplates/none", "demo")
	ask("GET", "/v1/clustertemplates/"+template, "wrong")
	ask("GET", "/v1/clustertemplates/"+template, "")
	ask("GET", "/v1/nonsense/"+template, "demo")
	ask("BREW", "/v1/clustertemplates", "demo")
	ask("OPTIONS", "/v1/anything/"+template, "")
	ask("GET", "/healthcheck/deep", "")
	ask("GET", "/", "")

	want := `
# HELP magnum_api_requests_total Requests answered, by route, method and status.
# TYPE magnum_api_requests_total counter
magnum_api_requests_total{code="200",method="GET",route="/"} 1
magnum_api_requests_total{code="200",method="GET",route="/healthcheck"} 1
magnum_api_requests_total{code="200",method="GET",route="/v1/clustertemplates/{cluster_template_ident}"} 4
magnum_api_requests_total{code="200",method="OPTIONS",route="preflight"} 1
magnum_api_requests_total{code="201",method="POST",route="/v1/clustertemplates"} 1
magnum_api_requests_total{code="401",method="GET",route="none"} 2
magnum_api_requests_total{code="404",method="GET",route="/v1/clustertemplates/{cluster_template_ident}"} 1
magnum_api_requests_total{code="404",method="GET",route="none"} 1
magnum_api_requests_total{code="405",method="other",route="none"} 1
# HELP magnum_api_requests_in_flight Requests that are being answered.
# TYPE magnum_api_requests_in_flight gauge
magnum_api_requests_in_flight 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "magnum_api_requests_total", "magnum_api_requests_in_flight"); err != nil {
		t.Error(err)
	}
	// As many times as there were requests, with no label of a client's making.
	if got, err := testutil.GatherAndCount(reg, "magnum_api_request_duration_seconds"); err != nil || got < 7 {
		t.Errorf("%d series of durations, %v", got, err)
	}
}

// TestCutOff: a handler that cuts the connection has no status to count, and
// is no longer in flight.
func TestCutOff(t *testing.T) {
	f := newFixture(t)
	a := f.handler.(*api)
	router, err := newRouter(a, []route{{"GET", "/x", "get", "cluster:get", always, newest, func(*request) (*answer, error) {
		panic(http.ErrAbortHandler)
	}}})
	if err != nil {
		t.Fatal(err)
	}
	a.router = router
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	r.Header.Set("X-Auth-Token", "demo")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		a.ServeHTTP(httptest.NewRecorder(), r)
	}()
	if n := a.metrics.inFlight.Load(); n != 0 {
		t.Errorf("%d requests in flight", n)
	}
}

// BenchmarkCounted is what counting costs a request.
func BenchmarkCounted(b *testing.B) {
	m := newMetrics(prometheus.NewRegistry())
	rt := m.of("/v1/clusters/{cluster_ident}", "GET")
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := httptest.NewRecorder()
		for pb.Next() {
			begin := time.Now()
			m.inFlight.Add(1)
			out := &measured{ResponseWriter: w, other: routeNone}
			out.WriteHeader(http.StatusOK)
			m.inFlight.Add(-1)
			rt.done(out.code, time.Since(begin))
		}
	})
}
