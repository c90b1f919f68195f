package api

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBaymodel(t *testing.T) {
	f := newFixture(t)
	got := f.must(201, "demo", "POST", "/v1/baymodels", baymodelBody(`"name": "m", "labels": {"a": "b"}, "dns_nameserver": "8.8.8.8", "tags": "x"`), asked("1.1")...)
	id := got.str("uuid")
	if want := "http://magnum:9511/v1/baymodels/" + id; got.header.Get("Location") != want {
		t.Errorf("Location %q, want %q", got.header.Get("Location"), want)
	}
	// It is a template: the same but for who owns it, its driver, and the links.
	as := f.must(200, "demo", "GET", "/v1/clustertemplates/m", "")
	want := strings.ReplaceAll(as.text, "clustertemplates", "baymodels")
	want = strings.Replace(want, `"project_id": "project-demo", "user_id": "user-demo", `, "", 1)
	want = strings.Replace(want, `"driver": "k8s_fedora_atomic_v1", `, "", 1)
	for name, text := range map[string]string{
		"POST":   got.text,
		"GET":    f.must(200, "demo", "GET", "/v1/baymodels/m", "").text,
		"list":   strings.TrimSuffix(strings.TrimPrefix(f.must(200, "demo", "GET", "/v1/baymodels", "").text, `{"baymodels": [`), "]}"),
		"detail": strings.TrimSuffix(strings.TrimPrefix(f.must(200, "demo", "GET", "/v1/baymodels/detail", "").text, `{"baymodels": [`), "]}"),
	} {
		if text != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
		}
	}
	if list := f.must(200, "alt", "GET", "/v1/baymodels", "").text; list != `{"baymodels": []}` {
		t.Errorf("another project lists %s", list)
	}
	if made := f.must(201, "demo", "POST", "/v1/baymodels", baymodelBody(`"keypair_id": null`)); made.body["keypair_id"] != nil || !strings.HasSuffix(made.str("name"), "-model") {
		t.Errorf("without a key pair and a name: %s", made.text)
	}

	patched := f.must(200, "demo", "PATCH", "/v1/baymodels/m", `[{"op": "replace", "path": "/labels", "value": "{'c': '1'}"}]`)
	if diff := cmp.Diff(map[string]any{"c": "1"}, patched.body["labels"]); diff != "" {
		t.Errorf("patched labels (-want +got):\n%s", diff)
	}
	f.refused(400, "'/keypair_id' is a mandatory attribute and can not be removed", "demo", "PATCH", "/v1/baymodels/m", `[{"op": "remove", "path": "/keypair_id"}]`)
	f.must(201, "demo", "POST", "/v1/bays", `{"baymodel_id": "m"}`, asked("1.1")...)
	inUse := "ClusterTemplate " + id + " is referenced by one or multiple clusters."
	f.refused(400, inUse, "demo", "PATCH", "/v1/baymodels/m", `[{"op": "replace", "path": "/flavor_id", "value": "m1.small"}]`)
	f.refused(400, inUse, "demo", "DELETE", "/v1/baymodels/m", "")
	other := f.newBaymodel("")
	f.must(204, "demo", "DELETE", "/v1/baymodels/"+other, "")
	f.refused(404, "ClusterTemplate "+other+" could not be found.", "demo", "GET", "/v1/baymodels/"+other, "")
	f.refused(400, `Missing argument: "baymodel_ident"`, "demo", "PATCH", "/v1/baymodels", "[]")
}

func TestBaymodelRefused(t *testing.T) {
	f := newFixture(t)
	f.newBaymodel(`"name": "m"`)
	const input = "Invalid input for field/attribute "
	for _, c := range []struct{ body, detail string }{
		{`{"coe": "kubernetes", "image_id": "fedora-atomic-latest"}`, input + "keypair_id. Value: 'None'. Mandatory field missing."},
		{baymodelBody(`"dns_nameserver": "8.8.8.8,1.1.1.1"`), input + "dns_nameserver. Value: '8.8.8.8,1.1.1.1'. Value should be IPv4 format"},
		{baymodelBody(`"dns_nameserver": 8`), input + "dns_nameserver. Value: '8'. Value should be IPv4 format"},
		{baymodelBody(`"labels": {"a": 1}`), input + "labels. Value: '{'a': 1}'. Wrong type. Expected '<class 'str'>', got '<class 'int'>'"},
		{baymodelBody(`"project_id": "p"`), "Unknown attribute for argument baymodel: project_id"},
		{baymodelBody(`"image_id": "nope"`), "Image nope could not be found."},
		{baymodelBody(`"flavor_id": "nope"`), "Unable to find flavor nope."},
		{baymodelBody(`"coe": "nomad"`), input + "coe. Value: 'nomad'. Value should be one of: dcos, kubernetes, mesos, swarm, swarm-mode"},
	} {
		f.refused(400, c.detail, "demo", "POST", "/v1/baymodels", c.body, asked("1.1")...)
	}
	// Upstream asks the right to publish for public only.
	const denied = "Not authorized to set public or hidden flag for cluster template."
	for _, flag := range []string{"public", "hidden"} {
		f.refused(403, denied, "demo", "POST", "/v1/baymodels", baymodelBody(`"`+flag+`": true`), asked("1.1")...)
		f.refused(403, denied, "demo", "PATCH", "/v1/baymodels/m", `[{"op": "replace", "path": "/`+flag+`", "value": true}]`, asked("1.1")...)
		f.must(201, "admin", "POST", "/v1/baymodels", baymodelBody(`"`+flag+`": true`), asked("1.1")...)
	}
}
