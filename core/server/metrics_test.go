package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/core/obs"
	"github.com/go-magnum/magnum/core/state"
	"github.com/go-magnum/magnum/sdk/driver"
)

type noDrivers struct{}

func (noDrivers) Get(context.Context, string, string) (driver.Set, error) { return driver.Set{}, nil }

func (noDrivers) Installed() ([]state.Driver, error) { return nil, nil }

func (noDrivers) Standing() ([]state.HostDriver, error) { return nil, nil }

func (noDrivers) Changed() <-chan struct{} { return nil }

// newProcess opens one with a database of its own; more is what its file has
// beside the necessary.
func newProcess(t *testing.T, logger hclog.Logger, more string) (*process, error) {
	t.Helper()
	dir := t.TempDir()
	db := "sqlite:///" + filepath.Join(dir, "magnum.sqlite")
	path := filepath.Join(dir, "magnum.conf")
	text := "[database]\nconnection = " + db + "\n[certificates]\ncert_manager_type = x509keypair\n" +
		"[keystone_authtoken]\nauth_url = http://127.0.0.1:1/v3\nusername = magnum\npassword = p\n" + more
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := state.Open(t.Context(), state.Config{Connection: db})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := schema.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := schema.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := open(t.Context(), Config{Config: conf, Logger: logger, Drivers: noDrivers{}, Build: obs.Build{Version: "1.2.3", Commit: "abc"}})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if err := p.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, nil
}

// both is a process that is API and conductor, before it runs.
func both(t *testing.T) (*process, http.Handler) {
	t.Helper()
	p, err := newProcess(t, hclog.NewNullLogger(), "[oslo_messaging_notifications]\ndriver = log\n")
	if err != nil {
		t.Fatal(err)
	}
	handler, err := p.apiHandler(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.conductor(nil); err != nil {
		t.Fatal(err)
	}
	if p.drain() == nil {
		t.Fatal("nobody sends notifications")
	}
	return p, handler
}

// metric is a line of the table of docs/metrics.md.
type metric struct{ Name, Type, Labels string }

var (
	tableLine = regexp.MustCompile("(?m)^\\| `(magnum_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|")
	descLine  = regexp.MustCompile(`fqName: "([^"]+)".*constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)
)

// TestMetricsAreDocumented holds docs/metrics.md to what is registered: names,
// labels, and types as far as names tell.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []metric
	for _, m := range tableLine.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(m[1], "magnum_driver_") {
			continue // of package supervise, whose test it is
		}
		labels := strings.Fields(strings.ReplaceAll(m[3], "`", ""))
		slices.Sort(labels)
		documented = append(documented, metric{m[1], kind(m[1], m[2]), strings.Join(labels, " ")})
	}
	p, _ := both(t)
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		p.metrics.Describe(descs)
	}()
	var registered []metric
	for d := range descs {
		found := descLine.FindStringSubmatch(d.String())
		if found == nil {
			t.Fatalf("the registry describes %s", d)
		}
		if !strings.HasPrefix(found[1], "magnum_") {
			continue
		}
		var labels []string
		for _, l := range strings.Split(found[2]+","+found[3], ",") {
			if name, _, _ := strings.Cut(l, "="); name != "" {
				labels = append(labels, name)
			}
		}
		slices.Sort(labels)
		registered = append(registered, metric{found[1], kind(found[1], ""), strings.Join(labels, " ")})
	}
	order := func(a, b metric) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(documented, order)
	slices.SortFunc(registered, order)
	if diff := cmp.Diff(slices.Compact(registered), documented); diff != "" {
		t.Errorf("docs/metrics.md is other than what is registered (-registered +documented):\n%s", diff)
	}
}

// kind is what a name promises; where it promises nothing, it is as said.
func kind(name, said string) string {
	switch {
	case strings.HasSuffix(name, "_total"):
		if said == "" || said == "counter" {
			return "counter"
		}
	case strings.HasSuffix(name, "_duration_seconds"):
		if said == "" || said == "histogram" {
			return "histogram"
		}
	case said == "" || said == "gauge":
		return "gauge"
	}
	return "not a " + said
}

// TestMetricsEndpoint reads /metrics as Prometheus does, after a request, and
// has its linter look at it.
func TestMetricsEndpoint(t *testing.T) {
	p, handler := both(t)
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v1", nil))
	server := httptest.NewServer(obs.MetricsHandler(p.metrics, hclog.NewNullLogger()))
	defer server.Close()
	err := testutil.ScrapeAndCompare(server.URL+"/metrics", strings.NewReader(`
# HELP magnum_api_requests_total Requests answered, by route, method and status.
# TYPE magnum_api_requests_total counter
magnum_api_requests_total{code="200",method="GET",route="/v1"} 1
# HELP magnum_operations_waiting Operations in the database that are due and that no conductor works on; the same from each.
# TYPE magnum_operations_waiting gauge
magnum_operations_waiting 0
`), "magnum_api_requests_total", "magnum_operations_waiting")
	if err != nil {
		t.Error(err)
	}
	problems, err := testutil.GatherAndLint(p.metrics)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	for path, want := range map[string]int{"/": http.StatusNotFound, "/metrics/x": http.StatusNotFound} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}
