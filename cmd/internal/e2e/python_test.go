package e2e

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"
)

// TestPythonDriver does what docs/drivers/python.md says, and makes a cluster
// with the package that comes of it.
func TestPythonDriver(t *testing.T) {
	t.Parallel()
	needsPython(t)
	r := newReader(t)
	for _, s := range steps(t, "docs/drivers/python.md") {
		out := r.obey(s)
		// What it does not have, and no more, is left out.
		for line := range strings.Lines(out) {
			if strings.Contains(line, "| skipped |") && !strings.Contains(line, "has no magnum.driver.v1.") && !strings.Contains(line, "gets no credentials") {
				t.Errorf("a rule is skipped: %s", line)
			}
		}
	}

	l := newLab(t, 200*time.Millisecond)
	l.install(filepath.Join(r.home, "k8s_python_v1-0.1.0.tar.zst"))
	l.startAPI()
	l.start("conductor", "")
	c := l.client("demo")
	id := l.create(c, l.templateOf(c, "fedora-latest", ""), "python", 1, 2)
	got := l.waitStatus(c, id, "CREATE_COMPLETE", time.Minute)
	if !strings.HasPrefix(got.APIAddress, "https://") || len(got.NodeAddresses) != 2 || len(got.MasterAddresses) != 1 {
		t.Errorf("the cluster's API is at %q, its nodes are %v and %v", got.APIAddress, got.MasterAddresses, got.NodeAddresses)
	}
	// Its lines are the host's, and say which request they belong to.
	if !regexp.MustCompile(`k8s_python_v1: call: .*method=Render .*request_id=req-[0-9a-f-]{36} .*trace_id=[0-9a-f]{32}`).MatchString(l.logs.String()) {
		t.Error("the log does not tell of the driver's call and the request it is for")
	}
	if err := clusters.Delete(t.Context(), c, id).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	l.waitGone(c, id, time.Minute)
}

func needsPython(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("/usr/bin/python3", "-c", "import grpc, google.protobuf").CombinedOutput(); err != nil {
		t.Skipf("Python with grpcio and protobuf is missing, install python3-grpcio and python3-protobuf: %v: %s", err, out)
	}
}
