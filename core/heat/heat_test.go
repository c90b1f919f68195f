package heat_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2"
	"go.uber.org/goleak"

	"github.com/go-magnum/magnum/core/heat"
	"github.com/go-magnum/magnum/core/heat/heattest"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStackName(t *testing.T) {
	tests := []struct{ name, want string }{
		{"k8s", "k8s-abcdefghijkl"},
		{"My_Cluster.Name", "my-cluster-name-abcdefghijkl"},
		{"a234567890b234567890c234567890d2", "a234567890b234567890c234567890-abcdefghijkl"},
		{"we!rd nämé", "werdnm-abcdefghijkl"},
		// Cut first, cleaned then.
		{"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!abc", "-abcdefghijkl"},
	}
	for _, tc := range tests {
		if got := heat.StackName(tc.name, "abcdefghijkl"); got != tc.want {
			t.Errorf("StackName(%q) = %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestNodeGroupStackName(t *testing.T) {
	tests := []struct{ cluster, group, want string }{
		{"k8s", "gpu", "k8s-gpu-abcdefghijkl"},
		{"My_Cluster.Name", "GPU_1", "my-cluster-name-gpu-1-abcdefghijkl"},
		{"a234567890b234567890c", "a23456789b", "a234567890b234567890-a23456789-abcdefghijkl"},
		{"nämé", "ß", "nm--abcdefghijkl"},
	}
	for _, tc := range tests {
		if got := heat.NodeGroupStackName(tc.cluster, tc.group, "abcdefghijkl"); got != tc.want {
			t.Errorf("NodeGroupStackName(%q, %q) = %q, want %q", tc.cluster, tc.group, got, tc.want)
		}
	}
}

func TestShortID(t *testing.T) {
	a, b := heat.ShortID("00000000-0000-0000-0000-000000000001"), heat.ShortID("00000000-0000-0000-0000-000000000002")
	if a == b || len(a) != 12 || strings.Trim(a, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("%q and %q", a, b)
	}
	if a != heat.ShortID("00000000-0000-0000-0000-000000000001") {
		t.Error("not the same twice")
	}
}

// session is a login that needs no Keystone.
func session(t *testing.T, srv *heattest.Server) heat.Session {
	t.Cleanup(srv.Client().CloseIdleConnections)
	return heat.Session{ProjectID: "p1", Provider: &gophercloud.ProviderClient{
		TokenID: "token", HTTPClient: *srv.Client(),
		EndpointLocator: func(gophercloud.EndpointOpts) (string, error) { return srv.URL + "/v1/another-project/", nil },
	}}
}

func request() heat.Request {
	return heat.Request{
		Name: "demo-abc", TimeoutMinutes: 30,
		Stack: driver.RenderResponse{
			Template: "heat_template_version: 2018-08-31\nparameters:\n  hosts: {type: comma_delimited_list}\n  text: {type: string}\n  map: {type: json}\n",
			Files:    map[string]string{"node.yaml": "heat_template_version: 2018-08-31\n"},
			Environments: []string{
				"resource_registry:\n  A: a.yaml\n  B: b.yaml\nparameter_defaults: {x: 1}\n",
				"resource_registry:\n  B: c.yaml\n",
			},
			Parameters: map[string]driver.Parameter{
				"hosts": driver.Value(`["a","b"]`), "text": driver.Value(`["a"]`), "map": driver.Value(`{"k":"v"}`),
				"password": driver.Secret(driver.SecretTrusteePassword),
			},
			Tags: []string{"one", "two"},
		},
		Secret: func(_ context.Context, ref driver.SecretRef) (string, error) { return "s3cret of " + string(ref), nil },
	}
}

func TestEnsureSends(t *testing.T) {
	srv := heattest.Start(t)
	c, s := heat.New(heat.Config{}), session(t, srv)
	id, err := c.Ensure(t.Context(), s, request())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"stack_name": "demo-abc", "timeout_mins": 30.0, "disable_rollback": true, "tags": "one,two",
		"template": request().Stack.Template, "files": map[string]any{"node.yaml": "heat_template_version: 2018-08-31\n"},
		"environment": map[string]any{
			"resource_registry": map[string]any{"A": "a.yaml", "B": "c.yaml"}, "parameter_defaults": map[string]any{"x": 1.0},
		},
		"parameters": map[string]any{
			"hosts": []any{"a", "b"}, "text": `["a"]`, "map": map[string]any{"k": "v"}, "password": "s3cret of trustee-password",
		},
	}
	if d := cmp.Diff(want, srv.Stacks()[0].Body); d != "" {
		t.Error(d)
	}
	if again, err := c.Ensure(t.Context(), s, request()); err != nil || again != id || len(srv.Stacks()) != 1 {
		t.Errorf("again: %q, %v, %d stacks", again, err, len(srv.Stacks()))
	}
	if srv.Stacks()[0].Project != "p1" {
		t.Errorf("made in project %q", srv.Stacks()[0].Project)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		code int
		kind magnum.Kind
		text string
	}{
		{400, magnum.Invalid, "parameters: ***"},
		{403, magnum.Forbidden, "parameters: ***"},
		{401, magnum.Unauthorized, "Heat does not accept the session"},
		{404, magnum.NotFound, "parameters: ***"},
		{429, magnum.Unavailable, "Heat is unavailable"},
		{500, magnum.Unavailable, "Heat is unavailable"},
		{503, magnum.Unavailable, "Heat is unavailable"},
		{0, magnum.Unavailable, "Heat is unavailable"},
	}
	for _, tc := range tests {
		t.Run(http.StatusText(tc.code), func(t *testing.T) {
			srv := heattest.Start(t)
			srv.Before = func(w http.ResponseWriter, r *http.Request) bool {
				switch {
				case r.Method != http.MethodPost:
					return false
				case tc.code == 0:
					heattest.Lose(w)
				default:
					heattest.Refuse(w, tc.code, "parameters: s3cret of trustee-password")
				}
				return true
			}
			_, err := heat.New(heat.Config{}).Ensure(t.Context(), session(t, srv), request())
			var e *magnum.Error
			if !errors.As(err, &e) || e.Kind != tc.kind || e.Message != tc.text {
				t.Errorf("%v", err)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

// TestKeysAreNotTold: Heat repeats a value that it does not like as Python writes
// it, with a key's line breaks as two letters.
func TestKeysAreNotTold(t *testing.T) {
	srv := heattest.Start(t)
	const key = "-----BEGIN KEY-----\nMIIE+/=\nabcdef\n-----END KEY-----\n"
	srv.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			heattest.Refuse(w, http.StatusBadRequest, `"[{'content': '`+strings.ReplaceAll(key, "\n", `\n`)+`'}]" is not a map`)
		}
		return r.Method == http.MethodPost
	}
	req := request()
	req.Secret = func(context.Context, driver.SecretRef) (string, error) { return key, nil }
	_, err := heat.New(heat.Config{}).Ensure(t.Context(), session(t, srv), req)
	if want := `"[{'content': '***\n***\n***\n***\n'}]" is not a map`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// Somebody else made the stack between our look and our create.
func TestEnsureConflict(t *testing.T) {
	srv := heattest.Start(t)
	c, s := heat.New(heat.Config{}), session(t, srv)
	first := ""
	looks := 0
	srv.Before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || looks > 0 {
			return false
		}
		looks++
		var err error
		if first, err = c.Ensure(t.Context(), s, request()); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"stacks":[]}`)) // what was true before
		return true
	}
	id, err := c.Ensure(t.Context(), s, request())
	if err != nil || id != first || len(srv.Stacks()) != 1 {
		t.Errorf("%q, %v, %d stacks; the first is %q", id, err, len(srv.Stacks()), first)
	}
}

func TestUpdateAndDelete(t *testing.T) {
	srv := heattest.Start(t)
	c, s := heat.New(heat.Config{}), session(t, srv)
	id, err := c.Ensure(t.Context(), s, request())
	if err != nil {
		t.Fatal(err)
	}
	ref := heat.Ref{ID: id} // the name is looked up
	r := request()
	r.Rollback = true
	if err := c.Update(t.Context(), s, ref, r); err != nil {
		t.Fatal(err)
	}
	if st := srv.Stacks()[0]; st.Updates != 1 || st.Body["disable_rollback"] != false {
		t.Errorf("%d updates, body %v", st.Updates, st.Body)
	}
	st, err := c.Status(t.Context(), s, ref)
	if err != nil || st.Status != "UPDATE_COMPLETE" {
		t.Errorf("%+v, %v", st, err)
	}
	for range 2 {
		if err := c.Delete(t.Context(), s, ref); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Status(t.Context(), s, ref); magnum.KindOf(err) != magnum.NotFound || err.Error() != "Stack with id "+id+" not found in Heat." {
			t.Errorf("after delete: %v", err)
		}
	}
	if err := c.Delete(t.Context(), s, heat.Ref{Name: "never-was"}); err != nil {
		t.Error(err)
	}
}

func TestOutputs(t *testing.T) {
	srv := heattest.Start(t)
	srv.New = func(st *heattest.Stack) {
		st.Outputs = map[string]any{"api": "10.0.0.1", "nodes": []string{"a"}, "none": nil}
		st.Parameters = map[string]any{"n": "3", "secret": "******", "OS::stack_id": "x", "list": "a,b"}
	}
	c, s := heat.New(heat.Config{}), session(t, srv)
	id, err := c.Ensure(t.Context(), s, request())
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Outputs(t.Context(), s, heat.Ref{ID: id})
	want := heat.Result{
		Outputs:    map[string]driver.RawJSON{"api": driver.RawJSON(`"10.0.0.1"`), "nodes": driver.RawJSON(`["a"]`), "none": driver.RawJSON("null")},
		Parameters: map[string]string{"n": "3", "list": "a,b"},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestWhyFailed(t *testing.T) {
	failed := func(reason string, path ...string) heattest.Resource {
		return heattest.Resource{Path: path, Type: "T", Status: "CREATE_FAILED", Reason: reason}
	}
	many := func(names string) (all []heattest.Resource) {
		for _, name := range names {
			all = append(all, failed("x", string(name)))
		}
		return all
	}
	tests := map[string]struct {
		resources []heattest.Resource
		want      string
		faults    map[string]string
	}{
		"nothing failed by itself": {nil, "whole", map[string]string{}},
		"members of different groups have the same names": {
			[]heattest.Resource{
				failed("r", "masters"), failed("r", "masters", "0"), {Path: []string{"masters", "0", "vm"}, Type: "T", Status: "CREATE_COMPLETE"},
				failed("r", "minions"), failed("r", "minions", "0"), failed("No valid host", "minions", "0", "vm"),
			},
			"masters.0: r; minions.0.vm: No valid host",
			map[string]string{"masters.0": "r", "minions.0.vm": "No valid host"},
		},
		"neighbours that were called off": {
			[]heattest.Resource{failed("CREATE aborted (Task create)", "a"), failed("quota exceeded", "b")},
			"b: quota exceeded",
			map[string]string{"b": "quota exceeded"},
		},
		"more than anybody reads": {
			many("abcdefghijkl"),
			"a: x; b: x; c: x; and 9 more",
			map[string]string{"a": "x", "b": "x", "c": "x", "d": "x", "e": "x", "f": "x", "g": "x", "h": "x", "i": "x", "j": "x"},
		},
		"a whole page": {
			[]heattest.Resource{failed(strings.Repeat("é", 600), "a")},
			"a: " + strings.Repeat("é", 600),
			map[string]string{"a": strings.Repeat("é", 497) + " […]"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			srv := heattest.Start(t)
			srv.New = func(st *heattest.Stack) { st.Status, st.Reason, st.Resources = "CREATE_FAILED", "whole", tc.resources }
			c, s := heat.New(heat.Config{}), session(t, srv)
			id, err := c.Ensure(t.Context(), s, request())
			if err != nil {
				t.Fatal(err)
			}
			st, err := c.Status(t.Context(), s, heat.Ref{ID: id})
			if err != nil {
				t.Fatal(err)
			}
			got := c.WhyFailed(t.Context(), s, st)
			if d := cmp.Diff(heat.Failure{Reason: tc.want, Faults: tc.faults}, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
