package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/go-magnum/magnum/cmd/internal/wire"
	"github.com/go-magnum/magnum/core/config"
	"github.com/go-magnum/magnum/plugins/supervise"
)

// TestMetrics scrapes both services after a request, an operation and a
// driver's crash.
func TestMetrics(t *testing.T) {
	t.Parallel()
	l := newLab(t, 200*time.Millisecond)
	ports := map[string]int{"api": freePort(t), "conductor": freePort(t)}
	conf, err := os.OpenFile(l.conf, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conf, "\n[metrics]\napi_port = %d\nconductor_port = %d\n", ports["api"], ports["conductor"])
	if err := errors.Join(err, conf.Close()); err != nil {
		t.Fatal(err)
	}
	l.startAPI()
	l.start("conductor", "")
	user := l.client("demo")
	id := l.create(user, l.template(user), "counted", 1, 1)
	l.waitStatus(user, id, "CREATE_COMPLETE", 90*time.Second)
	killDriver(t, l)

	scrape := func(service string) string {
		text, err := get(t, fmt.Sprintf("http://127.0.0.1:%d/metrics", ports[service]))
		if err != nil {
			t.Fatal(err)
		}
		problems, err := promlint.New(strings.NewReader(text)).Lint()
		if err != nil || len(problems) > 0 {
			t.Errorf("lint of %s: %v, %v", service, problems, err)
		}
		if strings.Contains(text, id) {
			t.Errorf("%s counts by cluster", service)
		}
		return text
	}
	has := func(text string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !strings.Contains(text, "\n"+line) {
				t.Errorf("there is no line %s…\n%s", line, ours(text))
			}
		}
	}
	has(scrape("api"),
		`magnum_build_info{`,
		`magnum_api_requests_total{code="202",method="POST",route="/v1/clusters"} 1`,
		`magnum_api_requests_total{code="200",method="GET",route="/v1/clusters/{cluster_ident}"} `,
		`magnum_api_request_duration_seconds_count{method="POST",route="/v1/clusters"} 1`,
		`magnum_token_lookups_total{from="keystone"} 1`,
		`magnum_openstack_requests_total{call="validate-token",result="ok",service="keystone"} 1`,
		`magnum_openstack_requests_total{call="look-up",result="ok",service="nova"} `,
		`magnum_database_errors_total 0`,
	)
	poll(t, 20*time.Second, "the crash to be counted", func() (bool, error) {
		return strings.Contains(scrape("conductor"), `magnum_driver_crashes_total{cause="signal",driver="k8s_fedora_atomic_v1"`), nil
	})
	has(scrape("conductor"),
		`magnum_operations_total{blame="none",kind="create",result="complete"} 1`,
		`magnum_operation_duration_seconds_count{kind="create",result="complete"} 1`,
		`magnum_operations_held 0`,
		`magnum_operations_waiting 0`,
		`magnum_openstack_requests_total{call="create",result="ok",service="heat"} 1`,
		`magnum_openstack_available{service="heat"} 1`,
		`magnum_follow_pass_duration_seconds_count `,
		`magnum_driver_starts_total{driver="k8s_fedora_atomic_v1",result="ready"`,
		`magnum_driver_calls_total{blame="none",class="OK",driver="k8s_fedora_atomic_v1",method="Templates/Render"`,
	)
}

// killDriver ends the driver's process as a crash would.
func killDriver(t *testing.T, l *lab) {
	t.Helper()
	hosts, err := supervise.Hosts(wire.RunDir(load(t, l)))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		for _, d := range h.Drivers {
			if d.PID != 0 {
				if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				return
			}
		}
	}
	t.Fatalf("no driver runs: %+v", hosts)
}

func load(t *testing.T, l *lab) *config.Config {
	t.Helper()
	c, err := config.Load(l.conf)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, url string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := io.Copy(&text, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", url, resp.Status)
	}
	return text.String(), nil
}

// ours are the lines that are not the library's.
func ours(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "magnum_") && !strings.Contains(line, "_bucket{") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}
