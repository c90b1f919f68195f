package api

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/core/magnum"
)

func TestClusterPatch(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t", "labels": {"a": "1"}, "flavor_id": "m1.small"`)
	id := f.newCluster("t", `"name": "c", "node_count": 2`)
	patch := func(path, v string) string {
		return `[{"op": "replace", "path": "/` + path + `", "value": ` + v + `}]`
	}
	const path = "/v1/clusters/c"
	for _, s := range []magnum.Status{"CREATE_IN_PROGRESS", "CREATE_FAILED", "UPDATE_IN_PROGRESS", "UPDATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"} {
		f.setStatus(id, s)
		f.refused(400, `Updating a cluster when status is "`+string(s)+`" is not supported.`, "demo", "PATCH", path, patch("node_count", "3"))
		f.refused(400, `Updating a cluster when status is "`+string(s)+`" is not supported.`, "demo", "PATCH", path, patch("health_status", `"HEALTHY"`))
	}
	f.setStatus(id, magnum.CreateComplete)
	const input = "Invalid input for field/attribute "
	for p, refusal := range map[string]string{
		patch("name", `"d"`):                                 "cannot change cluster property(ies) name.",
		patch("status", `"UPDATE_COMPLETE"`):                 "cannot change cluster property(ies) status.",
		patch("master_count", "3"):                           "cannot change cluster property(ies) master_count.",
		patch("create_timeout", "3"):                         "cannot change cluster property(ies) create_timeout.",
		patch("labels", `"{'a': '2'}"`):                      "cannot change cluster property(ies) labels.",
		`[{"op": "add", "path": "/labels/b", "value": "2"}]`: "cannot change cluster property(ies) labels.",
		`[{"op": "remove", "path": "/flavor_id"}, {"op": "add", "path": "/keypair", "value": "k"}]`: "cannot change cluster property(ies) flavor_id, keypair.",
		patch("api_address", `"x"`):                               "'/api_address' is an internal attribute and can not be updated",
		patch("trust_id", `"x"`):                                  "'/trust_id' is an internal attribute and can not be updated",
		`[{"op": "remove", "path": "/cluster_template_id"}]`:      "'/cluster_template_id' is a mandatory attribute and can not be removed",
		`[{"op": "add", "path": "/merge_labels", "value": true}]`: "Adding a new attribute /merge_labels to the root of the resource is not allowed.",
		`[{"op": "add", "path": "/node_count", "value": 3}]`:      "The attribute /node_count has existed, please use 'replace' operation instead.",
		patch("node_count", `"3"`):                                input + "node_count. Value: '3'. '<' not supported between instances of 'str' and 'int'",
		patch("node_count", "-1"):                                 input + "node_count. Value: '-1'. Value should be greater or equal to 0",
		patch("health_status", `"SICK"`):                          input + "health_status. Value: 'SICK'. Value should be one of: HEALTHY, UNHEALTHY, UNKNOWN",
		patch("health_status_reason", `"x"`):                      "Couldn't apply patch '[{'path': '/health_status_reason', 'op': 'replace', 'value': 'x'}]'. Reason: malformed node or string",
	} {
		f.refused(400, refusal, "demo", "PATCH", path, p)
	}
	f.refused(400, "Resizing a nodegroup to zero is not supported in the provided microversion.", "demo", "PATCH", path, patch("node_count", "0"), "OpenStack-API-Version", "container-infra 1.9")
	f.refused(400, `Unknown argument: "rollback"`, "demo", "PATCH", path+"?rollback=True", "[]", "OpenStack-API-Version", "container-infra 1.2")
	f.refused(400, input+"rollback. Value: 'maybe'. unable to convert to boolean. Error: "+notBool("maybe"), "demo", "PATCH", path+"?rollback=maybe", "[]")
	f.refused(404, "Cluster nope could not be found.", "demo", "PATCH", "/v1/clusters/nope", "[]")

	// What changes nothing starts nothing.
	before := f.dump()
	for _, p := range []string{"", "[]", patch("name", `"c"`), patch("labels", `"{'a': '1'}"`), patch("master_lb_enabled", "false"), patch("status", `"CREATE_COMPLETE"`)} {
		if got := f.must(202, "demo", "PATCH", path, p); got.str("uuid") != id {
			t.Errorf("%s: %s", p, got.text)
		}
	}
	if diff := cmp.Diff(before, f.dump()); diff != "" {
		t.Errorf("patches without a change changed (-before +after):\n%s", diff)
	}

	// Health is written at once, by nobody else's doing.
	f.must(202, "demo", "PATCH", path, `[{"op": "replace", "path": "/health_status_reason", "value": "{'api': 'ok'}"}, {"op": "add", "path": "/health_status", "value": "HEALTHY"}]`)
	got := f.must(200, "demo", "GET", path, "")
	if got.str("health_status") != "HEALTHY" || fmt.Sprint(got.body["health_status_reason"]) != "map[api:ok]" || got.str("status") != "CREATE_COMPLETE" {
		t.Errorf("health: %s", got.text)
	}
	if op, err := f.db.ActiveOperation(context.Background(), id); op != nil || err != nil {
		t.Errorf("a report of health started %v, %v", op, err)
	}

	woken := f.woken.Load()
	f.must(202, "friend", "PATCH", "/v1/clusters/"+id+"/?rollback=True", patch("node_count", "5"))
	checkOperation(t, f, id, magnum.OpUpdate, magnum.ResizeInput{NodeGroup: "default-worker", NodeCount: 5, Previous: 2, Rollback: true})
	if f.woken.Load() != woken+1 {
		t.Error("no conductor was woken")
	}
	if got := f.must(200, "demo", "GET", path, ""); got.str("status") != "UPDATE_IN_PROGRESS" || got.body["node_count"] != 5.0 || got.str("health_status") != "HEALTHY" {
		t.Errorf("after the patch: %s", got.text)
	}
	f.setStatus(id, magnum.UpdateComplete)
	f.must(202, "demo", "PATCH", path, `[{"op": "remove", "path": "/node_count"}]`)
	checkOperation(t, f, id, magnum.OpUpdate, magnum.ResizeInput{NodeGroup: "default-worker", NodeCount: 1, Previous: 5})
}

// checkOperation checks the operation under way on a cluster.
func checkOperation(t *testing.T, f *fixture, id string, kind magnum.OperationKind, want magnum.ResizeInput) {
	t.Helper()
	op, err := f.db.ActiveOperation(context.Background(), id)
	if err != nil || op == nil {
		t.Fatalf("no operation: %v", err)
	}
	var in magnum.ResizeInput
	if err := json.Unmarshal(op.Input, &in); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, in); diff != "" || op.Kind != kind || len(op.SealedToken) != 0 {
		t.Errorf("operation %s, input (-want +got):\n%s", op.Kind, diff)
	}
}
