package devcloud

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const openstackCommand = "/usr/bin/openstack"

// TestOpenstackCommand drives the cloud with the real client, which finds
// its way by discovery and catalogue.
func TestOpenstackCommand(t *testing.T) {
	if testing.Short() {
		t.Skip("the openstack command takes seconds for each call")
	}
	if _, err := os.Stat(openstackCommand); err != nil {
		t.Skipf("%s is not installed: %v", openstackCommand, err)
	}
	var mu sync.Mutex
	var asked []string
	magnum := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("X-Auth-Token") != "" {
			asked = append(asked, r.Method+" "+r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"clusters": []}`))
	}))
	defer magnum.Close()
	c := run(t, Config{})
	c.SetMagnumURL(magnum.URL + "/v1/")

	for _, test := range []struct {
		user, command string
		want          []string // in the output
		refused       string   // the command fails, and says this
	}{
		{"demo", "token issue", []string{"project_id", "user_id", "expires"}, ""},
		{"magnum_domain_admin", "token issue", []string{"domain_id"}, ""},
		{"demo", "image list", []string{"fedora-atomic-latest", "no-distro", "active"}, ""},
		{"demo", "flavor list", []string{"m1.tiny", "m1.large"}, ""},
		{"demo", "network list", []string{"public", "demo-net"}, ""},
		{"demo", "router create x", nil, "The embedded cloud does not do POST /network/v2.0/routers"},
		{"demo", "coe cluster list", nil, ""},
	} {
		output, err := openstackRun(t, c.OpenRC(test.user), test.command)
		if test.refused != "" {
			if err == nil || !strings.Contains(output, test.refused) {
				t.Errorf("%s: %v, no %q in\n%s", test.command, err, test.refused, output)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", test.command, err, output)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(output, want) {
				t.Errorf("%s: no %q in\n%s", test.command, want, output)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) == 0 || strings.TrimSuffix(asked[len(asked)-1], "/") != "GET /v1/clusters" {
		t.Errorf("Magnum was asked %q", asked)
	}
}

func openstackRun(t *testing.T, env map[string]string, command string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, openstackCommand, append(strings.Fields(command), "-f", "json")...)
	run.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "LANG=C.UTF-8", "no_proxy=*"}
	for name, value := range env {
		run.Env = append(run.Env, name+"="+value)
	}
	output, err := run.CombinedOutput()
	if err == nil && !json.Valid(output) {
		t.Logf("%s printed no JSON", command)
	}
	return string(output), err
}
