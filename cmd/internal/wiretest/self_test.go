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
	n := newNames(map[string]string{a: "<uuid:c>", "http://127.0.0.1:9511": "<base>", "p1p1": "<project:demo>"})
	h := http.Header{"Content-Type": {"text/plain; charset=UTF-8"}, "Date": {"now"}, "X-Openstack-Request-Id": {"req-" + b}}
	got := n.normal(200, h, []byte(`{"uuid": "`+a+`", "other": ["`+b+`", "`+b+`"], "id": 7, "name": "beta-12-cluster", "project_id": "p1p1",
		"at": "2026-01-02T03:04:05+00:00", "href": "http://127.0.0.1:9511/v1/`+a+`", "status": "X", "count": 1, "text": "one of: b, a"}`), []string{"status"})
	want := &response{Status: 200,
		Headers: map[string]string{"content-type": "text/plain;charset=utf-8", "x-openstack-request-id": "<req>"},
		Body: map[string]any{
			"uuid": "<uuid:c>", "other": []any{"<uuid:1>", "<uuid:1>"}, "id": "<id>", "name": "<generated:cluster>", "project_id": "<project:demo>",
			"at": "<time>", "href": "<base>/v1/<uuid:c>", "status": "<any>", "count": 1.0, "text": "one of: a, b",
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
		Global: []globalRule{{Path: `body\.(labels|x)`, Expected: &null}, {Path: `body\.new`, Kind: "extra", Steps: []string{"s/*latest*"}}},
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
		{"a", ok(map[string]any{"labels": nil}), ok(map[string]any{"labels": map[string]any{}}), accepted},
		{"a", ok(map[string]any{"labels": "v"}), ok(map[string]any{"labels": nil}), differ},
		{"a", ok(nil), ok(map[string]any{"new": 1.0}), differ},
		{"is-latest-now", ok(map[string]any{}), ok(map[string]any{"new": 1.0}), accepted},
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
