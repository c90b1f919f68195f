package template_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/go-magnum/magnum/sdk/driver"
	"github.com/go-magnum/magnum/sdk/template"
)

func TestRender(t *testing.T) {
	got := render(t, definition(), request(map[string]string{"size": " 4 ", "unknown": "x", "cidrs": "10.0.0.0/8, 192.0.2.0/24"}))
	want := driver.RenderResponse{
		Template: mainTemplate,
		Files: map[string]string{
			"node.yaml": nodeTemplate, "private.yaml": none,
			"boot.sh": "#!/bin/sh\n# PROD z1\n# 010-one\none\n# 020-two\ntwo 3 m1\n",
		},
		Environments: []string{"resource_registry: {'Acme::Network': private.yaml}\n"},
		Parameters: map[string]driver.Parameter{
			"cluster_uuid": driver.Value("uuid"), "flavor": driver.Value("m1"), "nodes": driver.Value("0"), "size": driver.Value("4"),
			"secret": driver.Secret(driver.SecretTrusteePassword), "cidrs": driver.Value(`["10.0.0.0/8","192.0.2.0/24"]`),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	got = render(t, definition(), request(map[string]string{"size": "9", "public": "Yes"}))
	if _, ok := got.Files["public.yaml"]; !ok || strings.Contains(got.Files["boot.sh"], "two") {
		t.Errorf("conditions do not choose: %v", got.Files)
	}
}

func TestSameRequestSameBytes(t *testing.T) {
	want := render(t, definition(), request(nil))
	for range 20 {
		if diff := cmp.Diff(want, render(t, definition(), request(nil))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestRenderErrors(t *testing.T) {
	broken := func(name, text string) func(*template.Definition) {
		return func(d *template.Definition) {
			d.Files = template.Overlay(d.Files, fstest.MapFS{name: {Data: []byte(text)}})
		}
	}
	for name, tt := range map[string]struct {
		change func(*template.Definition)
		class  driver.Class
		text   string
	}{
		"required": {func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "x", From: template.Cluster("Keypair"), Required: true})
		}, driver.ClassInvalidInput, "Required parameter x not provided."},
		"intent": {func(d *template.Definition) { d.Capabilities = nil }, driver.ClassUnsupported, "Operation resize is not supported by the cluster driver acme."},
		"no such field": {func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "x", From: template.Cluster("Colour")})
		}, driver.ClassBug, "Cluster has no field Colour"},
		"undeclared label": {func(d *template.Definition) { d.Labels = d.Labels[1:] }, driver.ClassBug, "label size is read but not declared"},
		"syntax":           {broken("boot.sh.tmpl", "{{ if }}"), driver.ClassBug, "missing value for if"},
		"random":           {broken("boot.sh.tmpl", "{{ uuidv4 }}"), driver.ClassBug, `function "uuidv4" not defined`},
		"environment":      {broken("boot.sh.tmpl", `{{ env "PATH" }}`), driver.ClassBug, `function "env" not defined`},
		"no such value":    {broken("boot.sh.tmpl", "{{ .Cluster.Colour }}"), driver.ClassBug, "can't evaluate field Colour"},
		"itself":           {broken("step/one.sh.tmpl", `{{ include "boot.sh" }}`), driver.ClassBug, "file boot.sh includes itself"},
		"no such script":   {broken("boot.sh.tmpl", `{{ fragments "shutdown" }}`), driver.ClassBug, "script shutdown is used but not declared"},
		"get_file":         {broken("node.yaml", "resources: {a: {properties: {b: {get_file: gone.sh}}}}"), driver.ClassBug, "node.yaml: line 1: there is no file gone.sh"},
		"nested":           {broken("node.yaml", "resources: {a: {type: gone.yaml}}"), driver.ClassBug, "there is no nested template gone.yaml"},
		"no YAML":          {broken("node.yaml", "a: [}"), driver.ClassBug, "node.yaml: "},
		"no main":          {func(d *template.Definition) { d.Main = "gone.yaml" }, driver.ClassBug, "main template: there is no file gone.yaml"},
		"too large":        {broken("private.yaml", "a: "+strings.Repeat("x", driver.MaxStack)), driver.ClassBug, "is larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			d := definition()
			tt.change(d)
			req := request(nil)
			req.Intent = driver.IntentResize
			_, err := d.Render(context.Background(), req)
			if err == nil || !strings.Contains(err.Error(), tt.text) || driver.ClassOf(err) != tt.class {
				t.Errorf("%v (%s), want %s: %s", err, driver.ClassOf(err), tt.class, tt.text)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	d := definition()
	d.Checks = append(d.Checks, func(v *template.Values) []driver.Violation {
		if v.LabelInt("size") == 13 {
			return []driver.Violation{{Field: "labels/size", Message: "not that one"}}
		}
		return nil
	})
	req := request(map[string]string{"size": "0", "public": "perhaps", "zone": "", "cidrs": "nowhere", "unknown": "x"})
	req.Cluster.UUID = ""
	out, err := d.Validate(context.Background(), driver.ValidateRequest{
		Intent: driver.IntentUpgrade, Cluster: req.Cluster, NodeGroups: req.NodeGroups,
		Template: driver.ClusterTemplate{NetworkDriver: "cilium", VolumeDriver: "rexray"},
	})
	if err != nil {
		t.Fatal(err)
	}
	bad := driver.ClassInvalidInput
	want := []driver.Violation{
		{Message: "Operation upgrade is not supported by the cluster driver acme.", Class: driver.ClassUnsupported},
		{Field: "network_driver", Message: "Network driver type cilium is not supported, expecting a flannel/calico/unspecified network driver.", Class: bad},
		{Field: "volume_driver", Message: "Volume driver type rexray is not supported, expecting a cinder/unspecified volume driver.", Class: bad},
		{Field: "labels/size", Message: `property "labels/size" with value "0" is not supported, expecting an integer of at least 1`, Class: bad},
		{Field: "labels/public", Message: `property "labels/public" with value "perhaps" is not supported, expecting true or false`, Class: bad},
		{Field: "labels/cidrs", Message: `property "labels/cidrs" with value "nowhere" is not supported, expecting CIDRs such as 10.0.0.0/24 with commas between`, Class: bad},
		{Field: "cluster_uuid", Message: "Required parameter cluster_uuid not provided.", Class: bad},
	}
	if diff := cmp.Diff(want, out.Violations); diff != "" {
		t.Error(diff)
	}
	out, err = d.Validate(context.Background(), driver.ValidateRequest{Cluster: request(map[string]string{"size": "13"}).Cluster, NodeGroups: req.NodeGroups})
	if err != nil || len(out.Violations) != 1 || out.Violations[0].Message != "not that one" {
		t.Errorf("%v %v", out, err)
	}
}

func TestMapOutputs(t *testing.T) {
	d := definition()
	req := driver.MapOutputsRequest{
		Cluster: request(nil).Cluster, NodeGroups: request(nil).NodeGroups,
		Outputs:    map[string]driver.RawJSON{"address": driver.RawJSON(`"192.0.2.1"`)},
		Parameters: map[string]string{"nodes": "4"},
	}
	got, err := d.MapOutputs(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	address, version, four := "https://192.0.2.1", "1.2.3", 4
	want := driver.MapOutputsResponse{
		Cluster:    driver.ClusterPatch{APIAddress: &address, ContainerVersion: &version},
		NodeGroups: []driver.NodeGroupPatch{{Name: "default-worker", NodeCount: &four}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{`{"a": 1}`, `{`} {
		req.Outputs["address"] = driver.RawJSON(bad)
		if _, err := d.MapOutputs(context.Background(), req); err == nil || driver.ClassOf(err) != driver.ClassPrecondition {
			t.Errorf("%s: %v", bad, err)
		}
	}
	req.Outputs, req.Parameters = nil, map[string]string{"nodes": "many"}
	if _, err := d.MapOutputs(context.Background(), req); err == nil || !strings.Contains(err.Error(), `parameter nodes: "many" is no count`) {
		t.Error(err)
	}
}

func TestDescribe(t *testing.T) {
	out, err := definition().Describe(context.Background(), driver.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"OS::Nova::Server"}, out.Description.ResourceTypes); diff != "" {
		t.Error(diff)
	}
	var schema struct {
		Properties map[string]map[string]any
		Additional bool `json:"additionalProperties"`
	}
	if err := json.Unmarshal(out.Description.LabelSchema, &schema); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "integer", "default": 3.0, "minimum": 1.0, "description": "Size.", "x-per-node-group": false}
	if diff := cmp.Diff(want, schema.Properties["size"]); diff != "" || !schema.Additional {
		t.Error(diff, schema.Additional)
	}
}

func TestCheck(t *testing.T) {
	if errs := definition().Check(request(nil), request(map[string]string{"public": "true"})); len(errs) != 0 {
		t.Fatal(errs)
	}
	overlay := func(name, from, to string) func(*template.Definition) {
		return func(d *template.Definition) {
			b, err := definition().Files.(fstest.MapFS).ReadFile(name)
			if err != nil || !strings.Contains(string(b), from) {
				t.Fatalf("%s has no %q", name, from)
			}
			d.Files = template.Overlay(d.Files, fstest.MapFS{name: {Data: []byte(strings.Replace(string(b), from, to, 1))}})
		}
	}
	for text, change := range map[string]func(*template.Definition){
		"The Parameter (x) was not defined in template": func(d *template.Definition) { d.SetParameter(template.Parameter{Name: "x", From: template.Const("1")}) },
		"The Parameter (flavor) was not provided":       func(d *template.Definition) { d.Parameters = slices.Delete(d.Parameters, 1, 2) },
		"flavor is declared but nothing feeds it":       func(d *template.Definition) { d.Parameters = slices.Delete(d.Parameters, 1, 2) },
		"parameter flavor is declared twice":            func(d *template.Definition) { d.Parameters = append(d.Parameters, d.Parameters[1]) },
		"parameter x: Cluster has no field Colour": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "x", From: template.Cluster("Colour")})
		},
		"parameter x: Cluster.Labels is a map": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "x", From: template.Cluster("Labels")})
		},
		"parameter x: label colour is not declared": func(d *template.Definition) {
			d.SetParameter(template.Parameter{Name: "x", From: template.LabelOf("colour")})
		},
		"parameter x has no source":    func(d *template.Definition) { d.SetParameter(template.Parameter{Name: "x"}) },
		"label zone is declared twice": func(d *template.Definition) { d.Labels = append(d.Labels, d.Labels[2]) },
		"label new has no description": func(d *template.Definition) { d.SetLabel(template.Label{Name: "new"}) },
		`default: property "labels/new" with value "x"`: func(d *template.Definition) {
			d.SetLabel(template.Label{Name: "new", Type: template.Integer, Default: "x"})
		},
		"there is no file step/gone.sh": func(d *template.Definition) {
			d.Scripts["boot"] = append(d.Scripts["boot"], template.Fragment{Name: "9", File: "step/gone.sh"})
		},
		"environment: there is no file env/gone.yaml": func(d *template.Definition) {
			d.Environments = append(d.Environments, template.Environment{File: "env/gone.yaml"})
		},
		"the template has no output gone": func(d *template.Definition) {
			d.Outputs = append(d.Outputs, template.Output{Stack: "gone", To: template.ToAPIAddress})
		},
		"the template has no parameter gone": func(d *template.Definition) {
			d.Outputs = append(d.Outputs, template.Output{Parameter: "gone", To: template.ToAPIAddress})
		},
		`goes to "nowhere", which is no target`: func(d *template.Definition) {
			d.Outputs = append(d.Outputs, template.Output{Stack: "address", To: "nowhere"})
		},
		"parameter secret holds a secret but is not hidden": overlay("main.yaml", "secret: {type: string, hidden: true}", "secret: {type: string}"),
		"uuid: declared but never used":                     overlay("node.yaml", "name: {get_param: uuid}", "name: x"),
		"no cluster types":                                  func(d *template.Definition) { d.Types = nil },
	} {
		d := definition()
		change(d)
		if errs := d.Check(request(nil)); !found(errs, text) {
			t.Errorf("not found: %s\namong %v", text, errs)
		}
	}
}

// TestExtend is a vendor's driver: another's definition, one more label that
// reaches the servers, one more step and one step of its own.
func TestExtend(t *testing.T) {
	origin := definition()
	d := origin.Clone()
	d.Name = "vendor"
	d.SetLabel(template.Label{Name: "store", Default: "local", Description: "Store."})
	d.SetLabel(template.Label{Name: "zone", Default: "z9", Description: "Zone."})
	d.SetParameter(template.Parameter{Name: "zone", From: template.LabelOf("zone")})
	if err := d.InsertFragment("boot", "020-two", template.Fragment{Name: "015-three", File: "step/three.sh"}); err != nil {
		t.Fatal(err)
	}
	d.Files = template.Overlay(d.Files, fstest.MapFS{
		"step/one.sh.tmpl":  {Data: []byte("ours {{ .Label \"store\" }}\n")},
		"private.yaml.tmpl": {Data: []byte("heat_template_version: 2018-08-31\nresources: {}\n# ours\n")},
		"step/two.sh":       {Data: []byte("plain\n")},
	})
	if errs := d.Check(request(nil)); len(errs) != 0 {
		t.Fatal(errs)
	}
	got := render(t, d, request(nil))
	if want := "#!/bin/sh\n# PROD z9\n# 010-one\nours local\n# 015-three\nthree\n# 020-two\nplain\n"; got.Files["boot.sh"] != want {
		t.Errorf("boot.sh:\n%s", got.Files["boot.sh"])
	}
	if !strings.Contains(got.Files["private.yaml"], "# ours") || got.Parameters["zone"].Value != "z9" {
		t.Errorf("%v", got)
	}
	if diff := cmp.Diff(render(t, definition(), request(nil)), render(t, origin, request(nil))); diff != "" {
		t.Errorf("the origin changed: %s", diff)
	}
	if err := d.InsertFragment("boot", "gone", template.Fragment{}); err == nil {
		t.Error("inserted before a fragment that is not there")
	}
	if err := d.InsertFragment("gone", "", template.Fragment{}); err == nil {
		t.Error("inserted into a script that is not there")
	}
}

func TestOverlayIsAFileSystem(t *testing.T) {
	lower := fstest.MapFS{"a/one": {Data: []byte("1")}, "a/two.tmpl": {Data: []byte("2")}, "b": {Data: []byte("3")}}
	upper := fstest.MapFS{"a/two": {Data: []byte("4")}, "c/d": {Data: []byte("5")}}
	if err := fstest.TestFS(template.Overlay(lower, upper), "a/one", "a/two", "b", "c/d"); err != nil {
		t.Fatal(err)
	}
	if _, err := template.Overlay(lower, upper).Open("a/two.tmpl"); err == nil {
		t.Error("a hidden file can be opened")
	}
}

// TestPureFunctions lists what template files may call, so that a newer sprig
// brings nothing in that nobody has looked at.
func TestPureFunctions(t *testing.T) {
	got := slices.Sorted(maps.Keys(template.Functions()))
	want := strings.Fields(pure)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInclude(t *testing.T) {
	d := definition()
	d.Files = template.Overlay(d.Files, fstest.MapFS{
		"_parts.tmpl":  {Data: []byte(`{{ define "part-a" }}a {{ .x }}{{ end }}{{ define "loop" }}{{ include "loop" . }}{{ end }}`)},
		"boot.sh.tmpl": {Data: []byte(`{{ include (print "part-" "a") (dict "x" "y") | upper }} {{ names (dict "b" 1 "a" 2) }}`)},
	})
	if got := render(t, d, request(nil)).Files["boot.sh"]; got != "A Y [a b]" {
		t.Error(got)
	}
	d.Files = template.Overlay(d.Files, fstest.MapFS{"boot.sh.tmpl": {Data: []byte(`{{ include "loop" 1 }}`)}})
	if _, err := d.Render(context.Background(), request(nil)); err == nil || !strings.Contains(err.Error(), "definition loop includes itself") {
		t.Error(err)
	}
}

// TestResourceTypesInUse: what lies in shared files and is not named does not
// count, what is behind a condition or made of parts does.
func TestResourceTypesInUse(t *testing.T) {
	d := definition()
	d.Files = template.Overlay(d.Files, fstest.MapFS{
		"_parts.tmpl": {Data: []byte(`{{ define "kind-a" }}{type: OS::Heat::Value}{{ end }}
{{ define "kind-b" }}{type: OS::Heat::RandomString}{{ end }}
{{ define "never" }}{type: OS::Heat::Stack}{{ end }}{{ define "hidden" }}{type: sub.yaml}{{ end }}`)},
		"unused.yaml": {Data: []byte("resources: {a: {type: OS::Trove::Instance}}")},
		"sub.yaml":    {Data: []byte("resources: {a: {type: OS::Neutron::Port}}")},
		"main.yaml.tmpl": {Data: []byte(`resources:
  a: {{ include (print "kind-" (dict "k" "a").k) . }}
  {{ if .Cluster.MasterLB }}b: {{ template "hidden" . }}{{ end }}`)},
	})
	d.Environments = nil
	out, err := d.Describe(context.Background(), driver.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"OS::Heat::Value", "OS::Neutron::Port"}, out.Description.ResourceTypes); diff != "" {
		t.Error(diff)
	}
}
