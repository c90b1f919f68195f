package api

import "testing"

// TestNUL sends the one character that no text in a database may hold. SQL that
// has it inside ends there.
func TestNUL(t *testing.T) {
	f := newFixture(t)
	f.newTemplate(`"name": "t"`)
	const text = "Request holds a text with a NUL character, which cannot be stored"
	for _, c := range []struct{ method, target, body string }{
		{"POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "name": "a\u0000b"}`},
		{"POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "labels": {"a": "\u0000"}}`},
		{"POST", "/v1/clustertemplates", `{"coe": "kubernetes", "image_id": "fedora-atomic-latest", "labels": {"\u0000": "a"}}`},
		{"POST", "/v1/clusters", `{"cluster_template_id": "t\u0000"}`},
		{"POST", "/v1/certificates", `{"cluster_uuid": "\u0000", "csr": "x"}`},
		{"PATCH", "/v1/clustertemplates/t", `[{"op": "add", "path": "/tags", "value": "\u0000"}]`},
		{"GET", "/v1/clusters?sort_key=%00", ""},
		{"GET", "/v1/clusters?marker=%00", ""},
		{"GET", "/v1/stats?project_id=%00", ""},
	} {
		f.refused(400, text, "demo", c.method, c.target, c.body)
	}
	f.refused(400, `Couldn't apply patch '[{'path': '/labels', 'op': 'replace', 'value': "{'a': '\\x00'}"}]'. Reason: malformed node or string`,
		"demo", "PATCH", "/v1/clustertemplates/t", `[{"op": "replace", "path": "/labels", "value": "{'a': '\\x00'}"}]`)
	for _, target := range []string{"/v1/clusters/\x00", "/v1/clustertemplates/t\x00", "/v1/quotas/\x00/Cluster", "/v1/clusters/c/nodegroups/\x00"} {
		f.refused(404, "", "demo", "GET", target, "")
	}
}
