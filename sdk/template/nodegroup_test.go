package template_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

const groupTemplate = `heat_template_version: 2018-08-31
parameters:
  cluster_uuid: {type: string}
  flavor: {type: string}
  nodes: {type: string}
  size: {type: string, default: "1"}
  network: {type: string}
  security_groups: {type: json}
resources:
  node:
    type: node.yaml
    properties:
      flavor: {get_param: flavor}
      uuid: {list_join: ['-', [{get_param: cluster_uuid}, {get_param: nodes}, {get_param: size}, {get_param: network}]]}
      cidrs: {get_param: security_groups}
outputs:
  workers:
    value: {get_attr: [node, address]}
`

// grouped is the definition with a second template, for node groups.
func grouped() *template.Definition {
	d := definition()
	d.Capabilities = append(d.Capabilities, driver.CapNodeGroups)
	d.NodeGroupMain = "group.yaml"
	fs := files()
	fs["group.yaml"] = &fstest.MapFile{Data: []byte(groupTemplate)}
	fs["main.yaml"] = &fstest.MapFile{Data: []byte(mainTemplate + `  workers:
    value: []
  network:
    value: net
  groups:
    value: [a]
`)}
	d.Files = fs
	for i := range d.Labels {
		d.Labels[i].PerNodeGroup = d.Labels[i].Name == "size"
	}
	for i, p := range d.Parameters {
		switch p.Name {
		case "secret", "zone", "cidrs":
			d.Parameters[i].In = template.ClusterStack
		}
	}
	d.Parameters = append(d.Parameters,
		template.Parameter{Name: "network", In: template.NodeGroupStack, From: template.ClusterOutput("network"), Required: true},
		template.Parameter{Name: "security_groups", In: template.NodeGroupStack, From: template.ClusterOutput("groups"), Required: true},
	)
	d.Outputs = append(d.Outputs, template.Output{Stack: "workers", To: template.ToWorkerAddresses})
	return d
}

// groupRequest is about the node group extra.
func groupRequest(clusters, groups map[string]string) driver.RenderRequest {
	req := request(clusters)
	req.Intent, req.NodeGroup = driver.IntentCreateNodeGroup, "extra"
	req.NodeGroups[0].Labels = groups
	req.ClusterOutputs = map[string]driver.RawJSON{
		"network": driver.RawJSON(`"net"`), "groups": driver.RawJSON(`["a", "b"]`), "unused": driver.RawJSON(`1`),
	}
	return req
}

// A node group's stack is of its own template, with the group's values and
// what the cluster's stack says; nothing of the masters' gets there.
func TestRenderNodeGroup(t *testing.T) {
	got := render(t, grouped(), groupRequest(map[string]string{"size": "2"}, map[string]string{"size": "4"}))
	want := driver.RenderResponse{
		Template: groupTemplate,
		Files: map[string]string{
			"node.yaml": nodeTemplate, "private.yaml": none,
			"boot.sh": "#!/bin/sh\n# PROD z1\n# 010-one\none\n# 020-two\ntwo 3 other\n",
		},
		Environments: []string{"resource_registry: {'Acme::Network': private.yaml}\n"},
		Parameters: map[string]driver.Parameter{
			"cluster_uuid": driver.Value("uuid"), "flavor": driver.Value("other"), "nodes": driver.Value("7"), "size": driver.Value("4"),
			"network": driver.Value("net"), "security_groups": driver.Value(`["a", "b"]`),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Which stack a request is about, and whose values it gets.
func TestStackOfARequest(t *testing.T) {
	for _, tt := range []struct {
		name      string
		intent    driver.Intent
		nodeGroup string
		main      string
		flavor    string
		size      string
	}{
		{"the whole cluster", driver.IntentCreate, "", "main", "m1", "2"},
		{"a resize of the default workers", driver.IntentResize, "default-worker", "main", "m1", "2"},
		{"an update of the default masters", driver.IntentUpdateNodeGroup, "default-master", "main", "m1", "2"},
		{"a new group", driver.IntentCreateNodeGroup, "extra", "group", "other", "4"},
		{"a resize of a group", driver.IntentResize, "extra", "group", "other", "4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := grouped()
			req := groupRequest(map[string]string{"size": "2"}, map[string]string{"size": "4"})
			req.Intent, req.NodeGroup = tt.intent, tt.nodeGroup
			got := render(t, d, req)
			if isGroup := got.Template == groupTemplate; isGroup != (tt.main == "group") {
				t.Errorf("the template is\n%s", got.Template)
			}
			if flavor, size := got.Parameters["flavor"].Value, got.Parameters["size"].Value; flavor != tt.flavor || size != tt.size {
				t.Errorf("flavor %s, size %s, want %s, %s", flavor, size, tt.flavor, tt.size)
			}
			v := d.Values(req)
			if want := cmpOr(tt.nodeGroup, "default-worker"); v.Group().Name != want || v.OwnStack() != (tt.main == "group") {
				t.Errorf("the request is about %s, own stack %v; want %s", v.Group().Name, v.OwnStack(), want)
			}
		})
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// What is beyond a driver is a violation before anything is made, and an error
// of the same words if it is asked all the same.
func TestNodeGroupRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*template.Definition, *driver.RenderRequest)
		class  driver.Class
		field  string
		text   string
	}{
		{"no such group", func(_ *template.Definition, r *driver.RenderRequest) { r.NodeGroup = "gone" },
			driver.ClassInvalidInput, "", "Nodegroup gone could not be found."},
		{"a default one", func(_ *template.Definition, r *driver.RenderRequest) { r.NodeGroup = "default-worker" },
			driver.ClassInvalidInput, "name", "The default node groups are made with the cluster."},
		{"no capability", func(d *template.Definition, _ *driver.RenderRequest) { d.Capabilities = d.Capabilities[:1] },
			driver.ClassUnsupported, "", "Operation create-nodegroup is not supported by the cluster driver acme."},
		{"a resize without the capability", func(d *template.Definition, r *driver.RenderRequest) {
			d.Capabilities = d.Capabilities[:1]
			r.Intent = driver.IntentResize
		}, driver.ClassUnsupported, "", "Node groups beyond the default ones are not supported by the cluster driver acme."},
		{"node labels", func(_ *template.Definition, r *driver.RenderRequest) {
			r.NodeGroups[0].NodeLabels = map[string]string{"a": "b"}
		}, driver.ClassUnsupported, "", "Labels and taints of nodes are not supported by the cluster driver acme."},
		{"taints", func(_ *template.Definition, r *driver.RenderRequest) {
			r.NodeGroups[0].NodeTaints = []driver.Taint{{Key: "a", Effect: "NoSchedule"}}
		}, driver.ClassUnsupported, "", "Labels and taints of nodes are not supported by the cluster driver acme."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, r := grouped(), groupRequest(nil, nil)
			tt.change(d, &r)
			out, err := d.Validate(context.Background(), driver.ValidateRequest{
				Intent: r.Intent, Cluster: r.Cluster, NodeGroups: r.NodeGroups, NodeGroup: r.NodeGroup,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]driver.Violation{{Field: tt.field, Message: tt.text, Class: tt.class}}, out.Violations); diff != "" {
				t.Error(diff)
			}
			if _, err := d.Render(context.Background(), r); err == nil || err.Error() != tt.text || driver.ClassOf(err) != tt.class {
				t.Errorf("%v (%s)", err, driver.ClassOf(err))
			}
		})
	}
}

// The labels of a group: of their type, and those of the whole cluster not
// another value than there. A group that is there already keeps what it was
// made with when the cluster moves on.
func TestNodeGroupLabels(t *testing.T) {
	const bad = driver.ClassInvalidInput
	for _, tt := range []struct {
		name   string
		intent driver.Intent
		labels map[string]string
		want   []driver.Violation
	}{
		{"its own", driver.IntentCreateNodeGroup, map[string]string{"size": "9", "mine": "x"}, nil},
		{"the cluster's", driver.IntentCreateNodeGroup, map[string]string{"zone": "z2", "public": "True"}, nil},
		{"the cluster's default", driver.IntentCreateNodeGroup, map[string]string{"cidrs": ""}, nil},
		{"wrong", driver.IntentCreateNodeGroup, map[string]string{"size": "0"}, []driver.Violation{{Field: "labels/size",
			Message: `property "labels/size" with value "0" is not supported, expecting an integer of at least 1`, Class: bad}}},
		{"another than the cluster's", driver.IntentCreateNodeGroup, map[string]string{"zone": "z3"}, []driver.Violation{{Field: "labels/zone",
			Message: `property "labels/zone" with value "z3" is not supported, the label is one of the whole cluster, where it is "z2"`, Class: bad}}},
		{"another than the cluster's by now", driver.IntentResize, map[string]string{"zone": "z3"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := groupRequest(map[string]string{"size": "2", "zone": "z2", "public": "true"}, tt.labels)
			out, err := grouped().Validate(context.Background(), driver.ValidateRequest{
				Intent: tt.intent, Cluster: r.Cluster, NodeGroups: r.NodeGroups, NodeGroup: r.NodeGroup,
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out.Violations); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A cluster of an older driver has not the outputs that its groups need: the
// user is told what to do, not what Heat thinks of it.
func TestNodeGroupOfAnOlderCluster(t *testing.T) {
	for _, outputs := range []map[string]driver.RawJSON{
		nil,
		{"network": driver.RawJSON(`null`), "groups": driver.RawJSON(`[]`)},
		{"network": driver.RawJSON(`""`), "groups": driver.RawJSON(`[]`)},
	} {
		req := groupRequest(nil, nil)
		req.ClusterOutputs = outputs
		_, err := grouped().Render(context.Background(), req)
		if err == nil || driver.ClassOf(err) != driver.ClassPrecondition || !strings.HasPrefix(err.Error(),
			"The cluster's stack has no output network, which its node groups need: it was made by an older version of the driver. Update the cluster first;") {
			t.Errorf("%v (%s)", err, driver.ClassOf(err))
		}
	}
}

// Outputs of a group's stack are the group's: the cluster's address and version
// and its masters are left alone, whatever the stack says.
func TestMapOutputsOfANodeGroup(t *testing.T) {
	req := driver.MapOutputsRequest{
		Cluster: request(nil).Cluster, NodeGroups: request(nil).NodeGroups, NodeGroup: "extra",
		Outputs:    map[string]driver.RawJSON{"address": driver.RawJSON(`"192.0.2.1"`), "workers": driver.RawJSON(`["192.0.2.7"]`)},
		Parameters: map[string]string{"nodes": "1"},
	}
	got, err := grouped().MapOutputs(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	one := 1
	want := driver.MapOutputsResponse{
		NodeGroups: []driver.NodeGroupPatch{{Name: "extra", NodeAddresses: []string{"192.0.2.7"}, NodeCount: &one}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	req.NodeGroup = "gone"
	if _, err := grouped().MapOutputs(context.Background(), req); err == nil || err.Error() != "Nodegroup gone could not be found." {
		t.Error(err)
	}
}

// Both templates are held to the parameters.
func TestCheckNodeGroups(t *testing.T) {
	both := []driver.RenderRequest{request(nil), groupRequest(nil, nil)}
	if errs := grouped().Check(both...); len(errs) != 0 {
		t.Fatal(errs)
	}
	edit := func(name, from, to string) func(*template.Definition) {
		return func(d *template.Definition) {
			fs := d.Files.(fstest.MapFS)
			text := string(fs[name].Data)
			if !strings.Contains(text, from) {
				t.Fatalf("%s has no %q", name, from)
			}
			fs[name] = &fstest.MapFile{Data: []byte(strings.Replace(text, from, to, 1))}
		}
	}
	for text, change := range map[string]func(*template.Definition){
		"request 1: The Parameter (x) was not defined in template": func(d *template.Definition) {
			edit("main.yaml", "  zone:", "  x: {type: string}\n  zone:")(d)
			d.SetParameter(template.Parameter{Name: "x", From: template.Const("1")})
		},
		"request 0: The Parameter (network) was not defined in template": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "network", From: template.Const("1")})
		},
		"request 1: The Parameter (flavor) was not provided": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "flavor", In: template.ClusterStack, From: template.Workers("FlavorID")})
		},
		"request 1: parameter size is declared but nothing feeds it": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "size", In: template.ClusterStack, From: template.LabelOf("size")})
		},
		"parameter flavor is declared twice": func(d *template.Definition) {
			d.Parameters = append(d.Parameters, template.Parameter{Name: "flavor", In: template.NodeGroupStack, From: template.Const("1")})
		},
		"parameter network reads an output of the cluster's stack, but is not of NodeGroupStack alone": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "network", From: template.ClusterOutput("network")})
		},
		"the capability node-groups and NodeGroupMain go together": func(d *template.Definition) { d.NodeGroupMain = "" },
		"request 0: the template has no output network, which parameter network of a node group reads": edit(
			"main.yaml", "  network:\n    value: net\n", ""),
		"request 1: the template has no output workers": edit("group.yaml", "  workers:", "  others:"),
		"size: declared but never used":                 edit("group.yaml", ", {get_param: size}", ""),
	} {
		d := grouped()
		change(d)
		if errs := d.Check(both...); !found(errs, text) {
			t.Errorf("not found: %s\namong %v", text, errs)
		}
	}
	// One parameter, mapped otherwise for each of the stacks, is no slip.
	d := grouped()
	d.SetParameter(template.Parameter{Name: "size", In: template.ClusterStack, From: template.LabelOf("size")})
	d.Parameters = append(d.Parameters, template.Parameter{Name: "size", In: template.NodeGroupStack, From: template.Const("1")})
	if errs := d.Check(both...); len(errs) != 0 {
		t.Error(errs)
	}
}

// A vendor's driver takes over node groups with the rest, and gets a label of
// its own to the servers of both stacks.
func TestExtendNodeGroups(t *testing.T) {
	d := grouped().Clone()
	d.Name = "vendor"
	d.SetLabel(template.Label{Name: "store", Description: "Store.", PerNodeGroup: true})
	d.SetParameter(template.Parameter{Name: "size", From: template.LabelOf("store")})
	d.Files = template.Overlay(d.Files, fstest.MapFS{
		"group.yaml": {Data: []byte(groupTemplate + "# ours\n")},
	})
	req := groupRequest(map[string]string{"store": "local"}, map[string]string{"store": "remote"})
	if errs := d.Check(request(nil), req); len(errs) != 0 {
		t.Fatal(errs)
	}
	got := render(t, d, req)
	if !strings.HasSuffix(got.Template, "# ours\n") || got.Parameters["size"].Value != "remote" {
		t.Errorf("%s\n%v", got.Template, got.Parameters)
	}
	req.NodeGroup, req.Intent = "", driver.IntentUpdate
	if got := render(t, d, req).Parameters["size"].Value; got != "local" {
		t.Errorf("the cluster's nodes have %s", got)
	}
}

// An intent of a newer contract is not taken for one that is known.
func TestUnknownIntent(t *testing.T) {
	req := request(nil)
	req.Intent = "teleport"
	_, err := definition().Render(t.Context(), req)
	if got := driver.ClassOf(err); err == nil || got != driver.ClassUnsupported {
		t.Errorf("%v (%s)", err, got)
	}
}
