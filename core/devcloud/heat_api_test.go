package devcloud

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const oneValue = hotVersion + "resources: {a: {type: OS::Heat::Value, properties: {value: 1}}}\n"

// TestHeatErrors holds refusals against what a real Heat 19 answers.
func TestHeatErrors(t *testing.T) {
	rig := newHeatRig(t, Config{})
	rig.want(rig.create("taken", oneValue, nil, nil), "CREATE_COMPLETE")
	stack := func(name, template string, more object) object {
		body := object{"stack_name": name, "template": template}
		for k, v := range more {
			body[k] = v
		}
		return body
	}
	param := hotVersion + "parameters: {a: {type: string}}\n"
	missingID := "/stacks/nonesuch/11111111-2222-3333-4444-555555555555"
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		kind, text   string
	}{
		{"POST", "/stacks", stack("taken", oneValue, nil), 409, "StackExists", "The Stack (taken) already exists."},
		{"POST", "/stacks", stack("x", param, object{"parameters": object{"nope": "1", "a": "x"}}), 400, "UnknownUserParameter", "The Parameter (nope) was not defined in template."},
		{"POST", "/stacks", stack("x", param, nil), 400, "UserParameterMissing", "The Parameter (a) was not provided."},
		{"POST", "/stacks", stack("x", param, object{"parameters": object{"a": nil}}), 400, "UserParameterMissing", "The Parameter (a) was not provided."},
		{"POST", "/stacks", stack("1x", oneValue, nil), 400, "StackValidationFailed", `Invalid stack name 1x must contain only alphanumeric or "_-." characters, must start with alpha and must be 255 characters or less.`},
		{"POST", "/stacks", object{"stack_name": "x"}, 400, "HTTPBadRequest", "No template specified"},
		{"POST", "/stacks", object{"template": oneValue}, 400, "HTTPBadRequest", "No stack name specified"},
		{"POST", "/stacks", stack("x", "foo: bar", nil), 400, "HTTPBadRequest", "Template not in valid format: Template format version not found."},
		{"POST", "/stacks", stack("x", oneValue, object{"timeout_mins": "x"}), 400, "HTTPBadRequest", "Only integer is acceptable by 'timeout_mins'."},
		{"POST", "/stacks", stack("x", oneValue, object{"environment": object{"foo": object{}}}), 400, "HTTPBadRequest", `Environment not in valid format: environment has wrong section "foo"`},
		{"GET", "/stacks/nonesuch", nil, 404, "EntityNotFound", "The Stack (nonesuch) could not be found."},
		{"DELETE", "/stacks/nonesuch", nil, 404, "EntityNotFound", "The Stack (nonesuch) could not be found."},
		{"GET", missingID, nil, 404, "EntityNotFound", "The Stack (nonesuch) could not be found."},
		{"DELETE", missingID, nil, 404, "EntityNotFound", "The Stack (nonesuch) could not be found."},
		{"GET", "/stacks?limit=abc", nil, 400, "HTTPBadRequest", "Only integer is acceptable by 'limit'."},
		{"GET", "/stacks?limit=-1", nil, 400, "HTTPBadRequest", "Value '-1' is invalid for 'limit' which only accepts non-negative integer."},
		{"POST", "/validate", object{"template": "x"}, 400, "HTTPBadRequest", "Template not in valid format: The template is not a JSON object or YAML mapping."},
	} {
		status, _, out := rig.call(c.method, c.path, c.body)
		e, _ := out["error"].(map[string]any)
		if status != c.status || e["type"] != c.kind || e["message"] != c.text {
			t.Errorf("%s %s %v: %d %v %v\nwant %d %s %s", c.method, c.path, c.body, status, e["type"], e["message"], c.status, c.kind, c.text)
		}
		if out["explanation"] == nil || out["title"] != http.StatusText(status) || out["code"] != float64(status) {
			t.Errorf("%s %s: the body is not Heat's: %v", c.method, c.path, out)
		}
	}
	if status, _, _ := rig.call("POST", "/stacks", "{"); status != 400 {
		t.Errorf("broken JSON: %d", status)
	}
	if n := len(rig.cloud.Stacks()); n != 1 {
		t.Errorf("%d stacks after refusals, want 1", n)
	}
}

func TestHeatRedirects(t *testing.T) {
	rig := newHeatRig(t, Config{})
	path := rig.create("here", oneValue, nil, nil)
	rig.want(path, "CREATE_COMPLETE")
	id := strings.Split(path, "/")[3]
	base := strings.TrimSuffix(rig.client.Endpoint, "/")
	for _, c := range []struct{ method, from, to string }{
		{"GET", "/stacks/here", path}, {"GET", "/stacks/" + id, path}, {"DELETE", "/stacks/here", path}, {"PUT", "/stacks/here", path}, {"PATCH", "/stacks/here", path},
		{"GET", "/stacks/here?resolve_outputs=False", path + "?resolve_outputs=False"}, {"GET", "/stacks/here/resources", path + "/resources"}, {"GET", "/stacks/here/events", path + "/events"},
	} {
		status, header, out := rig.call(c.method, c.from, nil)
		if status != http.StatusFound || header.Get("Location") != base+c.to || out["code"] != "302 Found" {
			t.Errorf("%s %s: %d %s %v", c.method, c.from, status, header.Get("Location"), out)
		}
	}
	if len(rig.cloud.Stacks()) != 1 {
		t.Error("a redirected DELETE deleted")
	}
}

func TestHeatTenancy(t *testing.T) {
	rig := newHeatRig(t, Config{})
	path := rig.create("mine", oneValue, nil, nil)
	rig.want(path, "CREATE_COMPLETE")
	mine := rig.client
	rig.client = rig.as("alt")
	if status, _, out := rig.call("GET", path, nil); status != http.StatusNotFound {
		t.Errorf("another project's stack: %d %v", status, out)
	}
	if status, _, _ := rig.call("GET", mine.Endpoint+"stacks", nil); status != http.StatusForbidden {
		t.Errorf("another project's path: %d", status)
	}
	if _, _, out := rig.call("GET", "/stacks", nil); len(out["stacks"].([]any)) != 0 {
		t.Errorf("another project's stacks are listed: %v", out)
	}
	rig.create("mine", oneValue, nil, nil) // a name is a project's own
	rig.client.ProviderClient = nil
	req, err := http.NewRequestWithContext(t.Context(), "GET", mine.Endpoint+"stacks", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(string(raw), "The request you have made requires authentication.") {
		t.Errorf("without a token: %d %s", resp.StatusCode, raw)
	}
}

func TestHeatLists(t *testing.T) {
	rig := newHeatRig(t, Config{})
	for _, name := range []string{"s1", "s2", "s3"} {
		rig.want(rig.create(name, oneValue, nil, object{"tags": "t-" + name}), "CREATE_COMPLETE")
	}
	names := func(path string) []string {
		t.Helper()
		var out []string
		for path != "" {
			_, _, body := rig.call("GET", path, nil)
			for _, x := range body["stacks"].([]any) {
				out = append(out, x.(map[string]any)["stack_name"].(string))
			}
			path = ""
			if links, ok := body["links"].([]any); ok {
				path = links[0].(map[string]any)["href"].(string)
			}
		}
		return out
	}
	for path, want := range map[string][]string{
		"/stacks": {"s3", "s2", "s1"}, "/stacks?limit=1": {"s3", "s2", "s1"}, "/stacks?name=s2": {"s2"}, "/stacks?status=CREATE_COMPLETE&name=s1": {"s1"},
		"/stacks?status=COMPLETE": {"s3", "s2", "s1"}, "/stacks?status=FAILED": nil, "/stacks?tags=t-s3": {"s3"},
		"/stacks?id=" + rig.cloud.Stacks()[1].ID: {"s2"},
	} {
		if diff := cmp.Diff(want, names(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// TestHeatRollback replays a real Heat: an update that fails goes back, and so
// do the parameters.
func TestHeatRollback(t *testing.T) {
	rig := newHeatRig(t, Config{})
	template := hotVersion + `
parameters: {v: {type: string, default: a}}
resources:
  x: {type: OS::Heat::Value, properties: {value: {get_param: v}}}
  y: {type: OS::Heat::Value, depends_on: x, properties: {value: {get_param: v}}}
outputs: {o: {value: {get_attr: [x, value]}}}
`
	path := rig.create("back", template, nil, nil)
	rig.want(path, "CREATE_COMPLETE")
	rig.cloud.AddStackFault(StackFault{Name: "y", Action: "UPDATE", Reason: "broken", Count: 1})
	rig.call("PATCH", path, object{"parameters": object{"v": "b"}, "disable_rollback": false})
	stack := rig.want(path, "ROLLBACK_COMPLETE")
	if stack["stack_status_reason"] != "Stack ROLLBACK completed successfully" || outputsOf(stack)["o"] != "a" || stack["parameters"].(map[string]any)["v"] != "a" {
		t.Errorf("after the rollback: %v", stack)
	}
	var reasons []string
	_, _, out := rig.call("GET", path+"/events", nil)
	for _, x := range out["events"].([]any) {
		reasons = append(reasons, x.(map[string]any)["resource_status"].(string)+" "+x.(map[string]any)["resource_status_reason"].(string))
	}
	if want := "UPDATE_FAILED Resource UPDATE failed: ResourceInError: resources.y: broken"; !slices.Contains(reasons, want) {
		t.Errorf("no event %q in %q", want, reasons)
	}

	rig.cloud.AddStackFault(StackFault{Name: "y", Action: "UPDATE", Reason: "broken", Count: 1})
	rig.call("PATCH", path, object{"parameters": object{"v": "c"}, "disable_rollback": true})
	stack = rig.want(path, "UPDATE_FAILED")
	if outputsOf(stack)["o"] != "c" || stack["parameters"].(map[string]any)["v"] != "c" {
		t.Errorf("after a failure without rollback: %v", stack)
	}
	rig.call("PATCH", path, object{"parameters": object{"v": "d"}})
	rig.want(path, "UPDATE_COMPLETE")

	rig.cloud.AddStackFault(StackFault{Name: "y", Reason: "broken", Action: "CREATE", Count: 1})
	failedPath := rig.create("none", template, nil, object{"disable_rollback": false})
	stack = rig.want(failedPath, "ROLLBACK_COMPLETE")
	if _, _, out := rig.call("GET", failedPath+"/resources", nil); len(out["resources"].([]any)) != 0 {
		t.Errorf("a create that went back left %v", out)
	}
	_ = stack
}

// TestHeatReplaces: a property that cannot change in place makes a new resource
// and deletes the old one; what depends on it sees the new id.
func TestHeatReplaces(t *testing.T) {
	rig := newHeatRig(t, Config{})
	path := rig.create("rep", hotVersion+`
parameters: {ud: {type: string, default: a}, key: {type: string, default: k}, flavor: {type: string, default: m1.small}}
resources:
  s: {type: OS::Nova::Server, properties: {flavor: {get_param: flavor}, image: i, key_name: {get_param: key}, user_data: {get_param: ud}, user_data_format: RAW}}
  g: {type: OS::Neutron::SecurityGroup, properties: {name: {get_resource: s}}}
outputs: {s: {value: {get_resource: s}}, g: {value: {get_resource: g}}}
`, nil, nil)
	first := outputsOf(rig.want(path, "CREATE_COMPLETE"))
	for _, c := range []struct {
		param    string
		replaces bool
	}{{"flavor", false}, {"key", true}, {"ud", true}} {
		rig.call("PATCH", path, object{"parameters": object{c.param: "changed"}})
		next := outputsOf(rig.want(path, "UPDATE_COMPLETE"))
		if (next["s"] != first["s"]) != c.replaces {
			t.Errorf("%s: server %v → %v", c.param, first["s"], next["s"])
		}
		if next["g"] != first["g"] {
			t.Errorf("%s: the group was replaced, it can be renamed", c.param)
		}
		first = next
	}
	for _, r := range rig.cloud.Stacks()[0].Resources {
		if r.Path == "g" && r.Properties["name"] != first["s"] {
			t.Errorf("the group is named %v, not after the new server %v", r.Properties["name"], first["s"])
		}
	}
	if n := len(rig.cloud.Stacks()[0].Resources); n != 2 {
		t.Errorf("%d resources: the replaced ones are still there", n)
	}
}

func TestHeatSignals(t *testing.T) {
	rig := newHeatRig(t, Config{})
	template := hotVersion + `
resources:
  h: {type: OS::Heat::WaitConditionHandle}
  w: {type: OS::Heat::WaitCondition, properties: {handle: {get_resource: h}, timeout: 600, count: 2}}
  v: {type: OS::Heat::Value, properties: {value: 1}}
outputs: {d: {value: {get_attr: [w, data]}}, t: {value: {get_attr: [h, token]}}, e: {value: {get_attr: [h, endpoint]}}}
`
	path := rig.create("sig", template, nil, nil)
	var out map[string]any
	eventually(t, func() bool {
		_, _, body := rig.call("GET", path, nil)
		out = outputsOf(body["stack"].(map[string]any))
		return out["t"] != nil
	})
	if status, _, _ := rig.call("POST", path+"/resources/h/signal", object{"status": "SUCCESS", "id": "1", "data": "one"}); status != http.StatusOK {
		t.Fatal(status)
	}
	// The second comes as an instance's curl would send it: with the handle's
	// own token, which opens nothing else.
	token := rig.client.TokenID
	rig.client.ProviderClient.SetToken(out["t"].(string))
	if status, _, _ := rig.call("GET", path, nil); status != http.StatusUnauthorized {
		t.Errorf("a handle's token reads the stack: %d", status)
	}
	if status, _, _ := rig.call("POST", path+"/resources/v/signal", object{}); status != http.StatusUnauthorized {
		t.Errorf("a handle's token signals another resource: %d", status)
	}
	if status, _, _ := rig.call("POST", out["e"].(string), object{"status": "SUCCESS", "id": "2", "data": "two"}); status != http.StatusOK {
		t.Errorf("a handle's token does not signal: %d", status)
	}
	rig.client.ProviderClient.SetToken(token)
	stack := rig.want(path, "CREATE_COMPLETE")
	if got := outputsOf(stack)["d"]; got != `{"1": "one", "2": "two"}` {
		t.Errorf("data %v", got)
	}
	_, _, meta := rig.call("GET", path+"/resources/h/metadata", nil)
	if diff := cmp.Diff(map[string]any{"status": "SUCCESS", "data": "one", "reason": "Signal 1 received"}, meta["metadata"].(map[string]any)["1"]); diff != "" {
		t.Error(diff)
	}
	if status, _, body := rig.call("POST", path+"/resources/v/signal", object{}); status != 400 || body["error"].(map[string]any)["message"] != "signal is not supported for resource." {
		t.Errorf("%d %v", status, body)
	}
	if status, _, body := rig.call("POST", path+"/resources/zz/signal", object{}); status != 404 || body["error"].(map[string]any)["message"] != "The Resource (zz) could not be found in Stack sig." {
		t.Errorf("%d %v", status, body)
	}
	second := rig.create("sig2", template, nil, nil)
	eventually(t, func() bool { return strings.Contains(infoText(rig.cloud), "w CREATE_IN_PROGRESS") })
	rig.call("POST", second+"/resources/h/signal", object{"status": "FAILURE", "reason": "boot broke", "id": "1", "data": "x"})
	if stack := rig.want(second, "CREATE_FAILED"); stack["stack_status_reason"] != "Resource CREATE failed: WaitConditionFailure: resources.w: boot broke" {
		t.Error(stack["stack_status_reason"])
	}
}

// TestHeatSharedHandle: servers in nested stacks call a handle of the stack
// above, because their user data carries its token.
func TestHeatSharedHandle(t *testing.T) {
	rig := newHeatRig(t, Config{})
	path := rig.create("shared", hotVersion+`
resources:
  h: {type: OS::Heat::WaitConditionHandle}
  w: {type: OS::Heat::WaitCondition, depends_on: g, properties: {handle: {get_resource: h}, timeout: 600, count: 3}}
  g: {type: OS::Heat::ResourceGroup, properties: {count: 3, resource_def: {type: n.yaml, properties: {curl: {get_attr: [h, curl_cli]}}}}}
`, stackFiles{"n.yaml": hotVersion + `
parameters: {curl: {type: string}}
resources:
  c: {type: OS::Heat::SoftwareConfig, properties: {group: ungrouped, config: {str_replace: {template: "#!/bin/sh\n$CURL --data-binary x", params: {$CURL: {get_param: curl}}}}}}
  m: {type: OS::Heat::MultipartMime, properties: {parts: [{config: {get_resource: c}}]}}
  s: {type: OS::Nova::Server, properties: {flavor: f, image: i, user_data_format: RAW, user_data: {get_resource: m}}}
`}, nil)
	rig.want(path, "CREATE_COMPLETE")
}

// TestHeatNestedFailsLate: what Heat does not validate before it creates a
// nested stack fails the stack, in its words.
func TestHeatNestedFailsLate(t *testing.T) {
	rig := newHeatRig(t, Config{})
	path := rig.create("late", hotVersion+"resources: {g: {type: OS::Heat::ResourceGroup, properties: {count: 2, resource_def: {type: n.yaml, properties: {}}}}}\n",
		stackFiles{"n.yaml": hotVersion + "parameters: {p: {type: string}}\nresources: {a: {type: OS::Heat::Value, properties: {value: {get_param: p}}}}\n"}, nil)
	stack := rig.want(path, "CREATE_FAILED")
	if want := "Resource CREATE failed: resources.g: Property error: resources[0].properties: Property p not assigned"; stack["stack_status_reason"] != want {
		t.Errorf("got %s\nwant %s", stack["stack_status_reason"], want)
	}
}

// TestHeatDelete: users go before what they use, and addresses are given back.
func TestHeatDelete(t *testing.T) {
	rig := newHeatRig(t, Config{ServerDelay: time.Hour})
	template := hotVersion + `
resources:
  n: {type: OS::Neutron::Net}
  s: {type: OS::Neutron::Subnet, properties: {network: {get_resource: n}, cidr: 10.9.0.0/24}}
  p: {type: OS::Neutron::Port, properties: {network: {get_resource: n}, fixed_ips: [{subnet: {get_resource: s}}]}}
  f: {type: OS::Neutron::FloatingIP, properties: {floating_network: public, port_id: {get_resource: p}}}
outputs:
  ip: {value: {get_attr: [p, fixed_ips, 0, ip_address]}}
  fip: {value: {get_attr: [f, floating_ip_address]}}
  at: {value: {get_attr: [f, fixed_ip_address]}}
`
	path := rig.create("del", template, nil, nil)
	out := outputsOf(rig.want(path, "CREATE_COMPLETE"))
	if out["ip"] != out["at"] || !strings.HasPrefix(out["ip"].(string), "10.9.0.") || !strings.HasPrefix(out["fip"].(string), "127.24.4.") {
		t.Errorf("addresses %v", out)
	}
	if status, _, _ := rig.call("DELETE", path, nil); status != http.StatusNoContent {
		t.Error(status)
	}
	rig.want(path, "DELETE_COMPLETE")
	var order []string
	_, _, body := rig.call("GET", path+"/events?sort_dir=asc", nil)
	for _, x := range body["events"].([]any) {
		if e := x.(map[string]any); e["resource_status"] == "DELETE_COMPLETE" {
			order = append(order, e["resource_name"].(string))
		}
	}
	if diff := cmp.Diff([]string{"f", "p", "s", "n", "del"}, order); diff != "" {
		t.Error(diff)
	}
	if status, _, _ := rig.call("DELETE", path, nil); status != http.StatusNotFound {
		t.Errorf("a second delete: %d", status)
	}
	again := outputsOf(rig.want(rig.create("del", template, nil, nil), "CREATE_COMPLETE"))
	if again["fip"] != out["fip"] {
		t.Errorf("the floating address was not given back: %v, then %v", out["fip"], again["fip"])
	}
	// A server that is still coming up does not hold a delete back.
	half := rig.create("half", hotVersion+"resources: {s: {type: OS::Nova::Server, properties: {flavor: f, image: i}}}\n", nil, nil)
	eventually(t, func() bool { return strings.Contains(infoText(rig.cloud), "s CREATE_IN_PROGRESS") })
	rig.call("DELETE", half, nil)
	rig.want(half, "DELETE_COMPLETE")
}
