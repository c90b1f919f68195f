package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/containerinfra/v1/clusters"

	"github.com/go-magnum/magnum/core/devcloud"
)

// TestRefusedByHeat creates a cluster whose stack Heat will not have: the user
// reads Heat's reason, and the cluster can be deleted.
func TestRefusedByHeat(t *testing.T) {
	t.Parallel()
	l := newLab(t, 0)
	l.startAPI()
	l.start("conductor", "")
	user := l.client("demo")
	template := l.template(user)
	l.cloud.Faults().Add(devcloud.Fault{
		Service: "heat", Method: http.MethodPost, Path: regexp.MustCompile(`/stacks$`), Status: http.StatusBadRequest,
		Body: `{"code": 400, "title": "Bad Request", "explanation": "The server could not comply with the request since it is either malformed or otherwise incorrect.", "error": {"type": "StackValidationFailed", "message": "no room in the inn", "traceback": null}}`,
	})
	id := l.create(user, template, "refused", 1, 1)
	var failed *clusters.Cluster
	poll(t, 30*time.Second, "the cluster to fail", func() (bool, error) {
		failed = l.cluster(user, id)
		return failed.Status == "CREATE_FAILED", nil
	})
	if !strings.Contains(failed.StatusReason, "no room in the inn") {
		t.Errorf("status_reason is %q, without Heat's own words", failed.StatusReason)
	}
	if err := clusters.Delete(t.Context(), user, id).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	poll(t, 30*time.Second, "the cluster to be gone", func() (bool, error) {
		got, err := clusters.Get(t.Context(), user, id).Extract()
		if gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
			return true, nil
		}
		if err == nil && strings.HasSuffix(got.Status, "FAILED") {
			t.Logf("%s: %s", got.Status, got.StatusReason)
		}
		return false, err
	})
}
