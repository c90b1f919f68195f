package template_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

const mainTemplate = `heat_template_version: 2018-08-31
parameters:
  cluster_uuid: {type: string}
  flavor: {type: string}
  nodes: {type: string}
  size: {type: string, default: "1"}
  secret: {type: string, hidden: true}
  zone: {type: string, default: ''}
  cidrs: {type: json, default: []}
resources:
  node:
    type: node.yaml
    properties:
      flavor: {get_param: flavor}
      uuid: {list_join: ['-', [{get_param: cluster_uuid}, {get_param: nodes}, {get_param: size}, {get_param: secret}, {get_param: zone}]]}
      cidrs: {get_param: cidrs}
  network:
    type: Acme::Network
outputs:
  address:
    value: {get_attr: [node, address]}
`

const nodeTemplate = `heat_template_version: 2018-08-31
parameters:
  flavor: {type: string}
  uuid: {type: string}
  cidrs: {type: json}
resources:
  server:
    type: OS::Nova::Server
    properties:
      name: {get_param: uuid}
      flavor: {get_param: flavor}
      image: cirros
      metadata: {cidrs: {get_param: cidrs}}
      user_data: {get_file: boot.sh}
outputs:
  address:
    value: {get_attr: [server, first_address]}
`

const none = `heat_template_version: 2018-08-31
resources: {}
`

func files() fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"main.yaml":         file(mainTemplate),
		"node.yaml":         file(nodeTemplate),
		"private.yaml":      file(none),
		"public.yaml":       file(none),
		"env/private.yaml":  file("resource_registry: {'Acme::Network': private.yaml}\n"),
		"env/public.yaml":   file("resource_registry: {'Acme::Network': public.yaml}\n"),
		"_greet.tmpl":       file(`{{ define "greet" }}# {{ .Cluster.Name | upper }}{{ end }}`),
		"boot.sh.tmpl":      file("#!/bin/sh\n{{ template \"greet\" . }} {{ .Label \"zone\" }}\n{{ range fragments \"boot\" }}# {{ .Name }}\n{{ .Body }}{{ end }}"),
		"step/one.sh":       file("one\n"),
		"step/two.sh.tmpl":  file("two {{ .Masters.NodeCount }} {{ .Workers.FlavorID }}\n"),
		"step/three.sh":     file("three\n"),
		"unused/secret.txt": file("never passed on"),
	}
}

func definition() *template.Definition {
	small := func(v *template.Values) bool { return v.LabelInt("size") < 5 }
	return &template.Definition{
		Name: "acme", Types: []driver.ClusterType{{ServerType: "vm", OS: "acme", COE: "kubernetes"}},
		NetworkDrivers: []string{"flannel", "calico"}, VolumeDrivers: []string{"cinder"},
		Capabilities: []driver.Capability{driver.CapResize},
		Labels: []template.Label{
			{Name: "size", Type: template.Integer, Default: "3", Minimum: template.Int(1), Description: "Size."},
			{Name: "public", Type: template.Boolean, Description: "Public."},
			{Name: "zone", Default: "z1", Description: "Zone."},
			{Name: "cidrs", Type: template.CIDRs, Description: "CIDRs."},
		},
		Parameters: []template.Parameter{
			{Name: "cluster_uuid", From: template.Cluster("UUID"), Required: true},
			{Name: "flavor", From: template.Workers("FlavorID"), Required: true},
			{Name: "nodes", From: template.Workers("NodeCount")},
			{Name: "size", From: template.LabelOf("size")},
			{Name: "secret", From: template.Secret(driver.SecretTrusteePassword)},
			{Name: "zone", From: template.Endpoint("Region")},
			{Name: "cidrs", From: template.ListOf("cidrs")},
		},
		Outputs: []template.Output{
			{Stack: "address", To: template.ToAPIAddress, Format: func(_ *template.Values, s string) string { return "https://" + s }},
			{Parameter: "nodes", To: template.ToWorkerCount},
			{Const: "1.2.3", To: template.ToContainerVersion},
		},
		Environments: []template.Environment{
			{File: "env/public.yaml", When: func(v *template.Values) bool { return v.LabelBool("public") }},
			{File: "env/private.yaml", When: func(v *template.Values) bool { return !v.LabelBool("public") }},
		},
		Scripts: map[string][]template.Fragment{"boot": {
			{Name: "010-one", File: "step/one.sh"},
			{Name: "020-two", File: "step/two.sh", When: small},
		}},
		Files: files(), Main: "main.yaml",
	}
}

func request(labels map[string]string) driver.RenderRequest {
	return driver.RenderRequest{
		Intent:  driver.IntentCreate,
		Cluster: driver.Cluster{UUID: "uuid", Name: "prod", Labels: labels},
		NodeGroups: []driver.NodeGroup{
			{Name: "extra", Role: "worker", FlavorID: "other", NodeCount: 7},
			{Name: "default-worker", Role: "worker", IsDefault: true, FlavorID: "m1"},
			{Name: "default-master", Role: "master", IsDefault: true, NodeCount: 3},
		},
	}
}

func render(t *testing.T, d *template.Definition, req driver.RenderRequest) driver.RenderResponse {
	t.Helper()
	out, err := d.Render(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// found reports whether one of the errors has the text.
func found(errs []error, text string) bool {
	for _, err := range errs {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}
