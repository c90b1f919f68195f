package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
)

// inventory is all that a cluster may leave behind anywhere in the cloud, a line
// each. It is what is there of each kind, not what has a cluster's name: the
// point is what nobody thought of.
func (r *deployment) inventory() []string {
	r.t.Helper()
	var all []string
	for _, kind := range []struct{ service, path, key string }{
		{"orchestration", "/stacks?show_nested=true", "stacks"},
		{"compute", "/servers?all_tenants=1", "servers"},
		{"compute", "/os-server-groups?all_projects=1", "server_groups"},
		{"volumev3", "/volumes?all_tenants=1", "volumes"},
		{"network", "/v2.0/networks", "networks"},
		{"network", "/v2.0/subnets", "subnets"},
		{"network", "/v2.0/routers", "routers"},
		{"network", "/v2.0/ports", "ports"},
		{"network", "/v2.0/security-groups", "security_groups"},
		{"network", "/v2.0/floatingips", "floatingips"},
		{"load-balancer", "/v2.0/lbaas/loadbalancers", "loadbalancers"},
		{"identity", "/OS-TRUST/trusts", "trusts"},
		{"identity", "/users?domain_id=" + r.domain("magnum"), "users"},
		{"identity", "/users?domain_id=" + r.domain("heat"), "users"},
	} {
		for _, thing := range r.list(kind.service, kind.path, kind.key) {
			all = append(all, fmt.Sprint(kind.key, " ", thing["id"], " ", thing["name"]))
		}
	}
	slices.Sort(all)
	return all
}

// nothingLeft compares with an earlier inventory. Heat removes the users of a
// stack a moment after the stack.
func (r *deployment) nothingLeft(before []string) {
	r.t.Helper()
	var diff string
	for range 20 {
		if diff = cmp.Diff(before, r.inventory()); diff == "" {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-r.t.Context().Done():
		}
	}
	r.t.Errorf("what is in the cloud is not what was before (-before +now):\n%s", diff)
}

func (r *deployment) domain(name string) string {
	r.t.Helper()
	return r.list("identity", "/domains?name="+url.QueryEscape(name), "domains")[0]["id"].(string)
}

// list asks a service for all it has of something. Heat and Magnum show only what
// is the project's.
func (r *deployment) list(service, path, key string) []map[string]any {
	r.t.Helper()
	who := r.admin
	if service == "orchestration" || service == "container-infra" {
		who = r.demo
	}
	base, err := who.EndpointLocator(gophercloud.EndpointOpts{
		Type: service, Availability: gophercloud.AvailabilityPublic, Region: r.rc["OS_REGION_NAME"],
	})
	if service == "identity" {
		base, err = r.rc["OS_AUTH_URL"], nil
	}
	if err != nil {
		r.t.Fatal(err)
	}
	var answer map[string]json.RawMessage
	resp, err := who.Request(r.t.Context(), http.MethodGet, strings.TrimSuffix(base, "/")+path, &gophercloud.RequestOpts{
		JSONResponse: &answer, OkCodes: []int{http.StatusOK},
	})
	if err != nil {
		r.t.Fatalf("list %s: %v", key, err)
	}
	defer resp.Body.Close()
	var things []map[string]any
	if err := json.Unmarshal(answer[key], &things); err != nil {
		r.t.Fatalf("list %s: %v", key, err)
	}
	return things
}
