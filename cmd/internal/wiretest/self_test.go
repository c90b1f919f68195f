package wiretest

import (
	"net/http"
	"reflect"
	"slices"
	"testing"
)

// The tests of the tool itself, which need no recordings.

func TestNormal(t *testing.T) {
	const a, b = "7b1a9a45-6f2c-4b3e-9c0a-0d7e6f1a2b3c", "00000000-0000-0000-0000-00000000000b"
	const sent = "b0c0ffee-0000-4000-8000-000000000009"
	n := newNames(map[string]string{a: "<uuid:c>", "http://127.0.0.1:9511": "<base>", "p1p1": "<project:demo>"}, "/v1/x?marker="+sent)
	h := http.Header{"Content-Type": {"text/plain; charset=UTF-8"}, "Date": {"now"}, "X-Openstack-Request-Id": {"req-" + b}}
	got := n.normal(200, h, []byte(`{"uuid": "`+a+`", "other": ["`+b+`", "`+b+`"], "id": 7, "name": "beta-12-cluster", "project_id": "p1p1",
		"at": "2026-01-02T03:04:05+00:00", "href": "http://127.0.0.1:9511/v1/`+a+`", "status": "X", "count": 1, "text": "one of: b, a",
		"sent": "no `+sent+`", "csr": "-----BEGIN CERTIFICATE REQUEST-----\nAQID\n-----END CERTIFICATE REQUEST-----\n"}`), []string{"status"})
	want := &response{Status: 200,
		Headers: map[string]string{"content-type": "text/plain;charset=utf-8", "x-openstack-request-id": "<req>"},
		Body: map[string]any{
			"uuid": "<uuid:c>", "other": []any{"<uuid:1>", "<uuid:1>"}, "id": "<id>", "name": "<generated:cluster>", "project_id": "<project:demo>",
			"at": "<time>", "href": "<base>/v1/<uuid:c>", "status": "<any>", "count": 1.0, "text": "one of: a, b",
			"sent": "no " + sent, "csr": "<pem CERTIFICATE REQUEST>",
		}}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("normal:\n%+v\nwant\n%+v", got, want)
	}
	if got := n.normal(200, nil, []byte("OK"), nil).Body; !reflect.DeepEqual(got, map[string]any{"<text>": "OK"}) {
		t.Errorf("a text: %v", got)
	}
}

func TestCompare(t *testing.T) {
	body := func(v any) *response { return &response{Status: 200, Body: v} }
	for _, c := range []struct {
		name      string
		want, got *response
		diffs     []string
	}{
		{"same", body(map[string]any{"a": []any{1.0, nil}}), body(map[string]any{"a": []any{1.0, nil}}), nil},
		{"anything", body(map[string]any{"a": "<any>"}), body(map[string]any{"a": []any{}}), nil},
		{"wild", body("no <handler> at <hex>."), body("no post at 0af."), nil},
		{"not wild enough", body("no <handler>."), body("no post!"), []string{"body: no post!, recorded no <handler>."}},
		{"members", body(map[string]any{"a": 1.0, "b": 2.0}), body(map[string]any{"b": 3.0, "c": 4.0}),
			[]string{"body.a: missing 1", "body.b: 3, recorded 2", "body.c: extra 4"}},
		{"faults follow from the status", body(map[string]any{"status": "<any>"}), body(map[string]any{"status": "X", "faults": "f", "bay_faults": "f"}), nil},
		{"faults", body(map[string]any{"status": "X", "faults": map[string]any{}}), body(map[string]any{"status": "X", "faults": map[string]any{"a": "b"}}),
			[]string{"body.faults.a: extra b"}},
		{"length", body([]any{1.0}), body([]any{}), []string{"body: [], recorded [1]"}},
		{"status", &response{Status: 200}, &response{Status: 404}, []string{"status: 404, recorded 200", "body: null, recorded null"}},
	} {
		var diffs []string
		for _, d := range compare(c.want, c.got) {
			diffs = append(diffs, d.String())
		}
		if !slices.Equal(c.diffs, diffs) {
			t.Errorf("%s: %q, want %q", c.name, diffs, c.diffs)
		}
	}
}

func TestWeigh(t *testing.T) {
	null := "null"
	over := &overlay{
		Global: []globalRule{
			{Path: `body\.(labels|x)`, Expected: &null}, {Path: `body\.new`, Kind: "extra", Steps: []string{"s/*latest*"}},
			{Path: `body\.pem`, Without: "ski; ", ours: true},
		},
		Steps: []stepRule{
			{Step: []string{"s/must"}, Must: true, Status: statuses{400}, Body: []inBody{{"errors.0.detail", "^no"}}},
			{Step: []string{"s/may"}, Status: statuses{200, 404}},
		},
	}
	r := &replay{over: over, name: "s"}
	ok := func(body map[string]any) *response { return &response{Status: 200, Body: body} }
	refusal := func(status int, code, detail string) *response {
		return &response{Status: status, Body: map[string]any{"errors": []any{map[string]any{"code": code, "detail": detail}}}}
	}
	for _, c := range []struct {
		id        string
		want, got *response
		verdict   verdict
	}{
		{"a", ok(map[string]any{"labels": nil}), ok(map[string]any{"labels": nil}), same},
		{"a", ok(map[string]any{"labels": nil}), ok(map[string]any{"labels": map[string]any{}}), same},
		{"a", ok(map[string]any{"labels": "v"}), ok(map[string]any{"labels": nil}), differ},
		{"a", ok(nil), ok(map[string]any{"new": 1.0}), differ},
		{"is-latest-now", ok(map[string]any{}), ok(map[string]any{"new": 1.0}), same},
		{"a", ok(map[string]any{"pem": "ca; x"}), ok(map[string]any{"pem": "ca; ski; x"}), accepted},
		{"a", ok(map[string]any{"pem": "ca; x"}), ok(map[string]any{"pem": "ca; ski; y"}), differ},
		{"must", ok(nil), ok(nil), differ},
		{"must", ok(nil), refusal(400, "client", "no way"), accepted},
		{"must", ok(nil), refusal(400, "client", "why"), differ},
		{"may", ok(nil), ok(nil), same},
		{"may", ok(nil), refusal(404, "client", "gone"), accepted},
		{"a", ok(nil), refusal(404, "", ""), absent},
		{"a", refusal(404, "client", "x"), refusal(405, "", ""), absent},
		{"a", refusal(405, "", "x"), refusal(405, "", ""), differ},
	} {
		if got, notes := r.weigh(step{ID: c.id, Response: c.want}, c.got); got != c.verdict {
			t.Errorf("%s, recorded %v, answered %v: %s %v, want %s", c.id, text(c.want.Body), text(c.got.Body), got, notes, c.verdict)
		}
	}
}

func TestVariables(t *testing.T) {
	r := &replay{lab: &lab{ids: map[string]string{"project.demo": "p"}}, saved: map[string]string{"c": "ab-cd"}, lost: map[string]verdict{"q": absent}}
	if got, why := r.fill("/${c}/${c|upper}/${c|nodash}?p=${project.demo}"); got != "/ab-cd/AB-CD/abcd?p=p" || why != "" {
		t.Errorf("%s (%s)", got, why)
	}
	for name, want := range map[string]verdict{"q": absent, "never": differ} {
		if _, why := r.fill("/${" + name + "}"); why != want {
			t.Errorf("a variable without a value: %s, want %s", why, want)
		}
	}
}

func TestBridges(t *testing.T) {
	resize := func(id, path, body string) step {
		return step{ID: id, Request: request{Method: "POST", Path: "/v1/clusters/" + path, Body: []byte(body)}}
	}
	b := bridge{
		Scenario: "s", Before: []string{"resize-wait", "resized"}, Request: request{Method: "POST"},
		Unless: unless{After: "settled", Path: `/v1/clusters/(\$\{c\}|name)/actions/resize`, Body: "node_count"},
	}
	elsewhere, never, early := b, b, b
	elsewhere.Scenario, never.Before, early.Unless.After = "other", []string{"no such step"}, "no such step"
	for _, c := range []struct {
		name   string
		bridge bridge
		step   step
		status int
		needed bool
	}{
		{"another request", b, resize("x", "${c}/actions/upgrade", "{}"), 202, true},
		{"refused", b, resize("x", "${c}/actions/resize", `{"node_count": 2}`), 400, true},
		{"another body", b, resize("x", "${c}/actions/resize", `{}`), 202, true},
		{"recorded", b, resize("x", "name/actions/resize/?a=b", `{"node_count": 3}`), 202, false},
		{"another scenario", elsewhere, resize("x", "", ""), 202, false},
		{"no such step", never, resize("x", "", ""), 202, false},
	} {
		s := &scenario{Name: "s", Steps: []step{resize("busy", "${c}/actions/resize", `{"node_count": 2}`), {ID: "settled"}, c.step, {ID: "resized"}}}
		all := crossings([]bridge{c.bridge}, s)
		for i := range s.Steps[:3] {
			if got := needed(all, s.Steps[i].ID); got != nil {
				t.Errorf("%s: sent before %s", c.name, s.Steps[i].ID)
			}
			status := 202
			if i == 2 {
				status = c.status
			}
			passed(all, &s.Steps[i], status)
		}
		if got := needed(all, "resized"); (len(got) == 1) != c.needed {
			t.Errorf("%s: bridges %v", c.name, got)
		}
		if got := needed(all, "resized"); got != nil {
			t.Errorf("%s: sent twice", c.name)
		}
	}
	s := &scenario{Name: "s", Steps: []step{resize("first", "${c}/actions/resize", `{"node_count": 2}`), {ID: "resized"}}}
	all := crossings([]bridge{early}, s)
	passed(all, &s.Steps[0], 202)
	if got := needed(all, "resized"); got != nil {
		t.Errorf("from the start: %v", got)
	}
}

// TestBridgeFile holds that the file is one, and each bridge is like the
// requests that make it needless.
func TestBridgeFile(t *testing.T) {
	var all []bridge
	if err := readJSON("bridges.json", &all); err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.Why == "" || len(b.Before) == 0 || b.Request.Who == "" || !b.like(&b.Request) {
			t.Errorf("not complete, or not like itself: %+v", b)
		}
	}
}

func TestForget(t *testing.T) {
	item := func(name, id string) map[string]any {
		return map[string]any{"name": name, "uuid": id, "labels": map[string]any{}, "href": "<base>/" + id}
	}
	r := &replay{name: "s", over: &overlay{Steps: []stepRule{{Why: "needs a right", Step: []string{"s/make"}, Status: statuses{201, 403}}}}}
	made := &response{Status: 201, Body: map[string]any{"name": "hidden", "uuid": "<uuid:1>", "labels": nil}}
	if v, _ := r.weigh(step{ID: "make", Request: request{Method: "POST"}, Response: made}, &response{Status: 403}); v != accepted {
		t.Fatalf("the refusal is %s", v)
	}
	list := func(items ...any) *response { return &response{Status: 200, Body: map[string]any{"all": items}} }
	recorded := list(item("a", "<uuid:m>"), item("hidden", "<uuid:1>"), item("b", "<uuid:2>"))
	s := step{ID: "list", Request: request{Only: "all"}, Response: recorded}
	if v, notes := r.weigh(s, list(item("a", "<uuid:m>"), item("b", "<uuid:1>"))); v != accepted {
		t.Errorf("without what was not made: %s %v", v, notes)
	}
	s.Response = list(item("a", "<uuid:m>"), item("b", "<uuid:1>"))
	if v, _ := r.weigh(s, list(item("a", "<uuid:m>"))); v != differ {
		t.Errorf("without what was made: %s", v)
	}
}

func TestBadEnd(t *testing.T) {
	either, failed := &until{Field: "status", Match: "CREATE_(COMPLETE|FAILED)"}, &until{Field: "status", Match: "CREATE_FAILED"}
	for _, c := range []struct {
		u    *until
		text string
		want bool
	}{
		{either, `{"status": "CREATE_FAILED"}`, true},
		{either, `{"status": "CREATE_COMPLETE"}`, false},
		{failed, `{"status": "CREATE_FAILED"}`, false},
		{&until{Status: 404}, `{"status": "CREATE_FAILED"}`, false},
	} {
		if got := c.u.badEnd([]byte(c.text)); got != c.want {
			t.Errorf("waited for %+v, came %s: %v", c.u, c.text, got)
		}
	}
}
