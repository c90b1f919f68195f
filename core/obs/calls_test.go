package obs

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestCalls sends requests to services that fare differently, and reads what
// was counted and what was said.
func TestCalls(t *testing.T) {
	reg := prometheus.NewRegistry()
	var log bytes.Buffer
	calls := NewCalls(reg, hclog.New(&hclog.LoggerOptions{Output: &log}))
	var code int
	var failure error
	tr := calls.Transport(roundTrip(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Body: http.NoBody}, failure
	}), func(r *http.Request) (string, string, bool) { return "keystone", "login", r.URL.Path == "/login" })
	send := func(ctx context.Context, path string, times, answer int, err error) {
		code, failure = answer, err
		for range times {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://cloud"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := tr.RoundTrip(r); err == nil {
				resp.Body.Close()
			}
		}
	}
	heat := WithCall(t.Context(), "heat", "show")
	away := func() int { return strings.Count(log.String(), "does not answer") }
	back := func() int { return strings.Count(log.String(), "answers again") }
	want := func(what string, wantAway, wantBack int, available float64) {
		t.Helper()
		if away() != wantAway || back() != wantBack {
			t.Errorf("%s: %d lines that it is away and %d that it is back, want %d and %d:\n%s", what, away(), back(), wantAway, wantBack, log.String())
		}
		if got := testutil.ToFloat64(calls.available.WithLabelValues("heat")); got != available {
			t.Errorf("%s: available is %v, want %v", what, got, available)
		}
	}
	send(heat, "/", 1, 200, nil)
	send(heat, "/", 2, 503, nil)
	want("two failures", 0, 0, 1)
	send(heat, "/", 1, 404, nil) // a refusal is an answer
	send(heat, "/", 2, 0, errors.New("no route"))
	want("not in a row", 0, 0, 1)
	send(heat, "/", 40, 0, errors.New("no route"))
	want("away", 1, 0, 0)
	send(heat, "/", 3, 0, context.Canceled)
	send(t.Context(), "/login", 1, 201, nil) // another service
	want("still away", 1, 0, 0)
	send(heat, "/", 5, 200, nil)
	want("back", 1, 1, 1)
	send(heat, "/", 5, 500, nil)
	want("away again", 2, 1, 0)
	send(t.Context(), "/elsewhere", 1, 401, nil)

	if err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP magnum_openstack_requests_total HTTP requests to OpenStack's services, by what came of them.
# TYPE magnum_openstack_requests_total counter
magnum_openstack_requests_total{call="login",result="ok",service="keystone"} 1
magnum_openstack_requests_total{call="other",result="refused",service="other"} 1
magnum_openstack_requests_total{call="show",result="abandoned",service="heat"} 3
magnum_openstack_requests_total{call="show",result="failed",service="heat"} 49
magnum_openstack_requests_total{call="show",result="ok",service="heat"} 6
magnum_openstack_requests_total{call="show",result="refused",service="heat"} 1
`), "magnum_openstack_requests_total"); err != nil {
		t.Error(err)
	}
}
