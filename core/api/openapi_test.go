package api

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/go-magnum/magnum/core/api/apitest"
)

var loadDescription = sync.OnceValues(apitest.Load)

// description is docs/api/openapi.yaml.
func description(t testing.TB) *apitest.Document {
	t.Helper()
	d, err := loadDescription()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDescribedRoutes holds that the route table and its description have the
// same routes, at the same versions, under the same rules.
func TestDescribedRoutes(t *testing.T) {
	line := func(method, path, rule string, low, high int) string {
		return fmt.Sprintf("%s %s %s 1.%d to 1.%d", method, path, rule, low, high)
	}
	var described, routed []string
	operations, err := description(t).Operations()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range operations {
		path := strings.TrimPrefix(o.Path, "/v1")
		switch {
		case o.Path == "/healthcheck":
			continue // answered before the router
		case path == "":
			path = "/v1"
		}
		if o.Rule == "" {
			o.Rule = anybody
		}
		described = append(described, line(o.Method, path, o.Rule, o.Min, o.Max))
	}
	for _, rt := range newFixture(t).handler.(*api).table {
		routed = append(routed, line(rt.method, rt.path, rt.rule, int(rt.min), int(rt.max)))
	}
	if diff := cmp.Diff(routed, described, cmpopts.SortSlices(strings.Compare)); diff != "" {
		t.Errorf("(-routes +docs/api/openapi.yaml):\n%s", diff)
	}
	if maxVersion != apitest.Newest {
		t.Errorf("the newest version is %s, the description ends at 1.%d", maxVersion, apitest.Newest)
	}
}
