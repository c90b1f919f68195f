package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestFederations(t *testing.T) {
	f := newFixture(t)
	id := f.newCluster(f.newTemplate(""), `"name": "host"`)
	const (
		unknown = "b0c0ffee-0000-4000-8000-000000000009"
		field   = "Invalid input for field/attribute "
	)
	// A federation is accepted, and nothing comes of it.
	before := f.dump()
	for _, host := range []string{id, "host"} {
		got := f.must(202, "demo", "POST", "/v1/federations",
			`{"hostcluster_id": "`+host+`", "name": "f", "member_ids": ["`+unknown+`"], "properties": {"dns-zone": "example.com."}}`)
		if err := uuid.Validate(got.str("uuid")); err != nil || len(got.body) != 1 {
			t.Errorf("answers %s", got.text)
		}
		f.refused(404, "Federation "+got.str("uuid")+" could not be found.", "demo", "GET", "/v1/federations/"+got.str("uuid"), "")
	}
	if diff := cmp.Diff(before, f.dump()); diff != "" {
		t.Errorf("rows (-before +after):\n%s", diff)
	}
	for _, path := range []string{"", "/", "/detail", "?limit=1", "/detail?sort_key=name&sort_dir=desc"} {
		if got := f.must(200, "demo", "GET", "/v1/federations"+path, ""); got.text != `{"federations": []}` {
			t.Errorf("%s: %s", path, got.text)
		}
	}

	for _, c := range []struct {
		status                   int
		method, path, body, want string
	}{
		{400, "GET", "?limit=0", "", "Limit must be positive"},
		{400, "GET", "?sort_key=bogus", "", `The sort_key value "bogus" is an invalid field for sorting`},
		{400, "GET", "?sort_dir=up", "", "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'"},
		{400, "GET", "?marker=nope", "", field + "marker. Value: 'nope'. unable to convert to uuid. Error: Expected a uuid but received nope."},
		{404, "GET", "?marker=" + unknown, "", "Federation " + unknown + " could not be found."},
		{404, "GET", "/detail?marker=" + unknown, "", "Federation " + unknown + " could not be found."},
		{404, "GET", "/nope", "", "Federation nope could not be found."},
		{404, "GET", "/" + unknown + "/detail", "", "The %(name)s resource %(id)s could not be found."},
		{404, "DELETE", "/nope", "", "Federation nope could not be found."},
		{404, "PATCH", "/nope", `[{"op": "add", "path": "/member_ids", "value": "x"}]`, "Federation nope could not be found."},
		{404, "PATCH", "/nope?rollback=True", `[]`, "Federation nope could not be found."},
		{400, "PATCH", "/nope", `{}`, field + "patch. Value: '{}'. Value not a valid list: {}"},
		{400, "PATCH", "/nope", `[{"op": "replace", "path": "/uuid", "value": "x"}]`, "'/uuid' is an internal attribute and can not be updated"},
		{400, "POST", "", "", `Missing argument: "federation"`},
		{400, "POST", "", `{}`, "No hostcluster specified. Please specify a hostcluster_id."},
		{400, "POST", "", `{"hostcluster_id": null}`, "No hostcluster specified. Please specify a hostcluster_id."},
		{404, "POST", "", `{"hostcluster_id": "nope"}`, "Cluster nope could not be found."},
		{400, "POST", "", `{"hostcluster_id": "host"}`, "Please specify a `properties` dict for the federation."},
		{400, "POST", "", `{"hostcluster_id": "host", "properties": {}}`, "No DNS zone specified. Please specify a `dns-zone`."},
		{400, "POST", "", `{"hostcluster_id": "host", "name": ""}`, field + "name. Value: ''. Value should have a minimum character requirement of 1"},
		{400, "POST", "", `{"hostcluster_id": "host", "links": []}`, field + "links. Value: '[]'. Cannot set read only field."},
		{400, "POST", "", `{"hostcluster_id": "host", "foo": 1}`, "Unknown attribute for argument federation: foo"},
	} {
		f.refused(c.status, c.want, "demo", c.method, "/v1/federations"+c.path, c.body)
	}
	f.refused(404, "Cluster "+id+" could not be found.", "alt", "POST", "/v1/federations", `{"hostcluster_id": "`+id+`"}`)
	f.refused(403, "Policy doesn't allow federation:create to be performed.", "reader", "POST", "/v1/federations", `{}`)
}
