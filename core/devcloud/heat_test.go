package devcloud

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/orchestration/v1/stackevents"
	"github.com/gophercloud/gophercloud/v2/openstack/orchestration/v1/stackresources"
	"github.com/gophercloud/gophercloud/v2/openstack/orchestration/v1/stacks"
)

const hotVersion = "heat_template_version: 2018-08-31\n"

// testClock is a clock that a test sets forward.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// heatRig is a cloud with a client for its Heat.
type heatRig struct {
	t      *testing.T
	cloud  *Cloud
	client *gophercloud.ServiceClient
	clock  *testClock
}

func newHeatRig(t *testing.T, config Config) *heatRig {
	t.Helper()
	rig := &heatRig{t: t, clock: &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}}
	config.Now = rig.clock.Now
	cloud, err := Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := cloud.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	rig.cloud = cloud
	rig.client = rig.as("demo")
	return rig
}

// as logs a user in and returns a client for Heat.
func (rig *heatRig) as(user string) *gophercloud.ServiceClient {
	rig.t.Helper()
	provider, err := openstack.AuthenticatedClient(rig.t.Context(), gophercloud.AuthOptions{
		IdentityEndpoint: rig.cloud.AuthURL(), Username: user, Password: "secret", DomainName: "Default", TenantName: user,
	})
	if err != nil {
		rig.t.Fatal(err)
	}
	rig.t.Cleanup(provider.HTTPClient.CloseIdleConnections)
	client, err := openstack.NewOrchestrationV1(provider, gophercloud.EndpointOpts{Region: "RegionOne"})
	if err != nil {
		rig.t.Fatal(err)
	}
	return client
}

// call speaks HTTP and decodes the answer; redirects are not followed.
func (rig *heatRig) call(method, path string, body any) (int, http.Header, map[string]any) {
	rig.t.Helper()
	var reader io.Reader
	if text, ok := body.(string); ok {
		reader = strings.NewReader(text)
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			rig.t.Fatal(err)
		}
		reader = strings.NewReader(string(raw))
	}
	url := path
	if strings.HasPrefix(path, "/") {
		url = strings.TrimSuffix(rig.client.Endpoint, "/") + path
	}
	req, err := http.NewRequestWithContext(rig.t.Context(), method, url, reader)
	if err != nil {
		rig.t.Fatal(err)
	}
	req.Header.Set("X-Auth-Token", rig.client.TokenID)
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		rig.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		rig.t.Fatal(err)
	}
	var out map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil && string(raw) != "null" {
			rig.t.Fatalf("%s %s: %v in %q", method, path, err, raw)
		}
	}
	return resp.StatusCode, resp.Header, out
}

type stackFiles = map[string]string

// create makes a stack and returns its path.
func (rig *heatRig) create(name, template string, files stackFiles, more object) string {
	rig.t.Helper()
	body := object{"stack_name": name, "template": template, "files": files}
	for k, v := range more {
		body[k] = v
	}
	status, _, out := rig.call("POST", "/stacks", body)
	if status != http.StatusCreated {
		rig.t.Fatalf("create %s: %d %v", name, status, out)
	}
	return "/stacks/" + name + "/" + out["stack"].(map[string]any)["id"].(string)
}

// settle waits until a stack is no longer in progress, in real time.
func (rig *heatRig) settle(path string) map[string]any {
	rig.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, _, out := rig.call("GET", path, nil)
		stack, ok := out["stack"].(map[string]any)
		if !ok {
			rig.t.Fatalf("%s: %v", path, out)
		}
		if !strings.HasSuffix(stack["stack_status"].(string), inProgress) {
			return stack
		}
		if time.Now().After(deadline) {
			rig.t.Fatalf("%s is still %s", path, stack["stack_status"])
		}
	}
}

func (rig *heatRig) want(path, status string) map[string]any {
	rig.t.Helper()
	stack := rig.settle(path)
	if stack["stack_status"] != status {
		rig.t.Fatalf("%s: %s (%s), want %s", path, stack["stack_status"], stack["stack_status_reason"], status)
	}
	return stack
}

func outputsOf(stack map[string]any) map[string]any {
	out := map[string]any{}
	list, _ := stack["outputs"].([]any)
	for _, x := range list {
		m := x.(map[string]any)
		out[m["output_key"].(string)] = m["output_value"]
		if e, ok := m["output_error"]; ok {
			out[m["output_key"].(string)] = e
		}
	}
	return out
}

// TestHeatThroughGophercloud drives a stack's whole life with the client that
// the core uses.
func TestHeatThroughGophercloud(t *testing.T) {
	rig := newHeatRig(t, Config{})
	ctx := t.Context()
	template := new(stacks.Template)
	template.Bin = []byte(hotVersion + `
parameters:
  size: {type: number, default: 2}
  secret: {type: string, hidden: true}
resources:
  nodes:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: size}
      resource_def: {type: OS::Heat::Value, properties: {value: "node-%index%"}}
outputs:
  names: {value: {get_attr: [nodes, value]}}
`)
	created, err := stacks.Create(ctx, rig.client, stacks.CreateOpts{
		Name: "life", TemplateOpts: template, Parameters: map[string]any{"secret": "s3cret"}, Tags: []string{"a", "b"}, Timeout: 30,
		DisableRollback: gophercloud.Enabled,
	}).Extract()
	if err != nil {
		t.Fatal(err)
	}
	rig.want("/stacks/life/"+created.ID, "CREATE_COMPLETE")

	found, err := stacks.Find(ctx, rig.client, "life").Extract()
	if err != nil {
		t.Fatal(err) // the client follows the redirect
	}
	if found.ID != created.ID || found.Timeout != 30 || !cmp.Equal(found.Tags, []string{"a", "b"}) || !found.DisableRollback {
		t.Errorf("found %+v", found)
	}
	if found.Parameters["secret"] != "******" || found.Parameters["size"] != "2" {
		t.Errorf("parameters %v", found.Parameters)
	}
	if info := rig.cloud.Stacks(); len(info) != 1 || info[0].Parameters["secret"] != "s3cret" || info[0].Parameters["size"] != "2" {
		t.Errorf("Stacks() = %+v", info)
	}

	pages, err := stacks.List(rig.client, stacks.ListOpts{Name: "life"}).AllPages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := stacks.ExtractStacks(pages); err != nil || len(list) != 1 || list[0].Status != "CREATE_COMPLETE" {
		t.Errorf("list %v %v", list, err)
	}
	if err := stacks.UpdatePatch(ctx, rig.client, "life", created.ID, stacks.UpdateOpts{Parameters: map[string]any{"size": 3}}).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	stack := rig.want("/stacks/life/"+created.ID, "UPDATE_COMPLETE")
	if diff := cmp.Diff([]any{"node-0", "node-1", "node-2"}, outputsOf(stack)["names"]); diff != "" {
		t.Error(diff)
	}
	resources, err := stackresources.List(rig.client, "life", created.ID, stackresources.ListOpts{Depth: 2}).AllPages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := stackresources.ExtractResources(resources); err != nil || len(list) != 4 || list[1].ParentResource != "nodes" {
		t.Errorf("resources %v %v", list, err)
	}
	events, err := stackevents.List(rig.client, "life", created.ID, nil).AllPages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := stackevents.ExtractEvents(events); err != nil || len(list) < 8 || list[0].ResourceStatus != "UPDATE_COMPLETE" {
		t.Errorf("events %v %v", list, err)
	}
	if err := stacks.Delete(ctx, rig.client, "life", created.ID).ExtractErr(); err != nil {
		t.Fatal(err)
	}
	rig.want("/stacks/life/"+created.ID, "DELETE_COMPLETE")
	if _, err := stacks.Find(ctx, rig.client, "life").Extract(); !gophercloud.ResponseCodeIs(err, http.StatusNotFound) {
		t.Errorf("find after delete: %v", err)
	}
	if len(rig.cloud.Stacks()) != 0 {
		t.Error("a deleted stack is listed")
	}
}

// TestHeatGroupRemoval replays what a real Heat did with removal policies.
func TestHeatGroupRemoval(t *testing.T) {
	rig := newHeatRig(t, Config{})
	path := rig.create("group", hotVersion+`
parameters: {n: {type: number, default: 3}, rm: {type: comma_delimited_list, default: ""}}
resources:
  g:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: n}
      removal_policies: [{resource_list: {get_param: rm}}]
      resource_def: {type: n.yaml, properties: {i: "idx-%index%"}}
outputs:
  val: {value: {get_attr: [g, val]}}
  refs: {value: {get_attr: [g, refs]}}
  refs_map: {value: {get_attr: [g, refs_map]}}
  one: {value: {get_attr: [g, resource.0.val]}}
  attrs: {value: {get_attr: [g, attributes, val]}}
  removed: {value: {get_attr: [g, removed_rsrc_list]}}
`, stackFiles{"n.yaml": hotVersion + `
parameters: {i: {type: string}}
resources:
  v: {type: OS::Heat::Value, properties: {value: {get_param: i}}}
  r: {type: OS::Heat::RandomString, properties: {salt: {get_param: i}}}
outputs:
  val: {value: {get_attr: [v, value]}}
  OS::stack_id: {value: {get_resource: r}}
`}, nil)
	check := func(status string, vals, removed []any) map[string]any {
		t.Helper()
		out := outputsOf(rig.want(path, status))
		if diff := cmp.Diff(vals, out["val"]); diff != "" {
			t.Errorf("members: %s", diff)
		}
		if diff := cmp.Diff(removed, out["removed"]); diff != "" {
			t.Errorf("removed: %s", diff)
		}
		return out
	}
	update := func(params object) {
		t.Helper()
		if status, _, out := rig.call("PATCH", path, object{"parameters": params}); status != http.StatusAccepted {
			t.Fatalf("%d %v", status, out)
		}
	}
	first := check("CREATE_COMPLETE", []any{"idx-0", "idx-1", "idx-2"}, []any{})
	if first["one"] != "idx-0" {
		t.Errorf("resource.0.val = %v", first["one"])
	}
	update(object{"n": 2})
	second := check("UPDATE_COMPLETE", []any{"idx-0", "idx-1"}, []any{})
	if diff := cmp.Diff(first["refs"].([]any)[:2], second["refs"]); diff != "" {
		t.Errorf("the members that stay are not the same: %s", diff)
	}
	update(object{"rm": "0"})
	third := check("UPDATE_COMPLETE", []any{"idx-1", "idx-2"}, []any{"0"})
	if want := "Member '0' not found in group resource 'g'."; third["one"] != want {
		t.Errorf("resource.0.val = %v, want %s", third["one"], want)
	}
	update(object{"rm": third["refs"].([]any)[0], "n": 1}) // by reference id
	check("UPDATE_COMPLETE", []any{"idx-2"}, []any{"0", "1"})
	update(object{"n": 3})
	check("UPDATE_COMPLETE", []any{"idx-2", "idx-3", "idx-4"}, []any{"0", "1"})
	update(object{"n": 3, "rm": "nonesuch"})
	check("UPDATE_COMPLETE", []any{"idx-2", "idx-3", "idx-4"}, []any{"0", "1"})
	update(object{"nope": 1}) // Heat drops what the template does not declare
	check("UPDATE_COMPLETE", []any{"idx-2", "idx-3", "idx-4"}, []any{"0", "1"})
}

const waiting = `
resources:
  h: {type: OS::Heat::WaitConditionHandle}
  w: {type: OS::Heat::WaitCondition, depends_on: s, properties: {handle: {get_resource: h}, timeout: 600}}
  s:
    type: OS::Nova::Server
    properties: {flavor: m1.small, image: i, networks: [{network: demo-net}], user_data_format: RAW, user_data: {get_attr: [h, curl_cli]}}
outputs:
  ip: {value: {get_attr: [s, networks, demo-net, 0]}}
  d: {value: {get_attr: [w, data]}}
`

func TestHeatServersComeUpAndSignal(t *testing.T) {
	rig := newHeatRig(t, Config{ServerDelay: time.Minute})
	path := rig.create("boot", hotVersion+`
resources:
  g: {type: OS::Heat::ResourceGroup, properties: {count: 2, resource_def: {type: node.yaml}}}
outputs:
  ips: {value: {get_attr: [g, ip]}}
`, stackFiles{"node.yaml": hotVersion + waiting}, nil)
	states := func() map[string]string {
		out := map[string]string{}
		for _, r := range rig.cloud.Stacks()[0].Resources {
			out[r.Path] = r.Status
		}
		return out
	}
	eventually(t, func() bool { return states()["g/1/s"] == "CREATE_IN_PROGRESS" })
	rig.clock.forward(59 * time.Second)
	_, _, _ = rig.call("GET", path, nil)
	if got := states(); got["g/0/w"] != "INIT_COMPLETE" || got["g/0/h"] != "CREATE_COMPLETE" || got["g"] != "CREATE_IN_PROGRESS" {
		t.Errorf("before the servers are up: %v", got)
	}
	rig.clock.forward(time.Second)
	stack := rig.want(path, "CREATE_COMPLETE")
	ips, _ := outputsOf(stack)["ips"].([]any)
	if len(ips) != 2 || ips[0] == ips[1] || !regexp.MustCompile(`^\d+\.\d+\.\d+\.\d+$`).MatchString(ips[0].(string)) {
		t.Errorf("addresses %v", ips)
	}
}

func TestHeatFaults(t *testing.T) {
	files := stackFiles{"node.yaml": hotVersion + waiting}
	group := hotVersion + "resources: {g: {type: OS::Heat::ResourceGroup, properties: {count: 2, resource_def: {type: node.yaml}}}}\n"
	t.Run("a server fails", func(t *testing.T) {
		rig := newHeatRig(t, Config{})
		rule := rig.cloud.AddStackFault(StackFault{Type: "OS::Nova::Server", Reason: "no host", Count: 1})
		stack := rig.want(rig.create("f", group, files, nil), "CREATE_FAILED")
		if want := "Resource CREATE failed: ResourceInError: resources.g.resources[0].resources.s: no host"; stack["stack_status_reason"] != want {
			t.Errorf("got %s\nwant %s", stack["stack_status_reason"], want)
		}
		if rule.Hits() != 1 {
			t.Errorf("%d hits", rule.Hits())
		}
	})
	t.Run("a server never signals", func(t *testing.T) {
		rig := newHeatRig(t, Config{})
		rig.cloud.AddStackFault(StackFault{Type: "OS::Nova::Server", Silent: true})
		path := rig.create("f", group, files, nil)
		eventually(t, func() bool { return strings.Contains(infoText(rig.cloud), "g/1/w CREATE_IN_PROGRESS") })
		rig.clock.forward(10 * time.Minute)
		stack := rig.want(path, "CREATE_FAILED")
		if want := "Resource CREATE failed: WaitConditionTimeout: resources.g.resources[0].resources.w: 0 of 1 received"; stack["stack_status_reason"] != want {
			t.Errorf("got %s\nwant %s", stack["stack_status_reason"], want)
		}
	})
	t.Run("a stall runs into the stack's timeout", func(t *testing.T) {
		rig := newHeatRig(t, Config{})
		rig.cloud.AddStackFault(StackFault{Name: "s", Stall: true})
		path := rig.create("f", group, files, object{"timeout_mins": 5})
		eventually(t, func() bool { return strings.Contains(infoText(rig.cloud), "g/1/s CREATE_IN_PROGRESS") })
		rig.clock.forward(5 * time.Minute)
		if stack := rig.want(path, "CREATE_FAILED"); stack["stack_status_reason"] != "Timed out" {
			t.Errorf("got %s", stack["stack_status_reason"])
		}
	})
	t.Run("a stall ends with its rule", func(t *testing.T) {
		rig := newHeatRig(t, Config{})
		rule := rig.cloud.AddStackFault(StackFault{Name: "s", Stall: true})
		path := rig.create("f", group, files, nil)
		eventually(t, func() bool { return rule.Hits() == 2 })
		rule.Remove()
		rig.want(path, "CREATE_COMPLETE")
	})
	t.Run("a delete fails", func(t *testing.T) {
		rig := newHeatRig(t, Config{})
		path := rig.create("f", group, files, nil)
		rig.want(path, "CREATE_COMPLETE")
		rig.cloud.AddStackFault(StackFault{Name: "s", Action: "DELETE", Reason: "in use", Count: 1})
		rig.call("DELETE", path, nil)
		stack := rig.want(path, "DELETE_FAILED")
		if want := "Resource DELETE failed: ResourceInError: resources.g.resources[0].resources.s: in use"; stack["stack_status_reason"] != want {
			t.Errorf("got %s\nwant %s", stack["stack_status_reason"], want)
		}
		rig.call("DELETE", path, nil)
		rig.want(path, "DELETE_COMPLETE")
	})
}

func infoText(c *Cloud) string {
	var b strings.Builder
	for _, s := range c.Stacks() {
		for _, r := range s.Resources {
			b.WriteString(r.Path + " " + r.Status + "\n")
		}
	}
	return b.String()
}

// eventually polls.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it never came about")
		}
		<-tick.C
	}
}
