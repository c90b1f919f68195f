package hot

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const version = "heat_template_version: 2018-08-31\n"

func mustLoad(t *testing.T, main string, files map[string]string, envs ...string) *Stack {
	t.Helper()
	s, err := Load(main, files, envs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func texts(errs []error) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Error())
	}
	return out
}

// TestCheckGivesAll: every fault at once, in nested templates too, where Heat
// itself stops at the first or looks only later.
func TestCheckGivesAll(t *testing.T) {
	s := mustLoad(t, version+`
parameters: {a: {type: string}, n: {type: number}}
resources:
  g:
    type: OS::Heat::ResourceGroup
    properties: {count: 5, resource_def: {type: Node, properties: {size: big}}}
  x: {type: Node, properties: {size: 1, name: n, colour: red}}
`, map[string]string{"node.yaml": version + `
parameters: {size: {type: number}, name: {type: string}}
resources: {v: {type: "OS::Heat::Value", properties: {value: {get_param: name}, type: nonsense}}}
`}, "resource_registry: {Node: file://node.yaml}")
	got := texts(s.Check(map[string]any{"zz": 1, "n": "x"}))
	want := []string{
		"The Parameter (zz) was not defined in template.",
		"The Parameter (a) was not provided.",
		"Parameter 'n' is invalid: could not convert string to float: 'x'",
		"Property error: : resources.g<nested_stack>.resources[0].properties: : Property name not assigned",
		"Property error: : resources.g<nested_stack>.resources[0].properties.size: : could not convert string to float: 'big'",
		"Property error: : resources.x.properties: : Unknown Property colour",
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("missing: %s", w)
		}
	}
	if !strings.Contains(strings.Join(got, "\n"), `"nonsense" is not an allowed value`) {
		t.Errorf("the nested property was not checked: %s", strings.Join(got, "\n"))
	}
	if errs := mustLoad(t, version+"parameters: {a: {type: string}}\n", nil).Check(map[string]any{"a": "x"}); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestLint(t *testing.T) {
	s := mustLoad(t, version+`
parameters: {used: {type: string}, idle: {type: string, default: x}}
conditions: {never: false}
resources:
  a: {type: n.yaml, condition: never, properties: {p: {get_param: used}, q: 1}}
  b: {type: OS::Heat::Value, depends_on: c, properties: {value: {get_atr: [a, o]}}}
  c: {type: OS::Heat::Value, properties: {value: {get_resource: b}}}
  d: {type: OS::Heat::Value, properties: {value: {get_attr: [a, nope]}}}
  e: {type: "OS::Heat::ResourceGroup", properties: {resource_def: {type: n.yaml}}}
  f: {type: OS::Heat::Value, properties: {value: [{get_attr: [e, nope]}, {get_attr: [e, o]}, {get_file: gone.sh}, {get_param: undeclared}]}}
`, map[string]string{"n.yaml": version + "parameters: {p: {type: string}}\noutputs: {o: {value: {get_param: p}}}\n"})
	var got []string
	for _, f := range s.Lint() {
		got = append(got, f.String())
	}
	want := []string{
		"[root stack]: parameters.idle: declared but never used",
		`[root stack]: resources.b.properties.value: "get_atr" is no function`,
		`[root stack]: resources.d.properties.value: n.yaml has no output "nope"`,
		`[root stack]: resources.f.properties.value[0]: n.yaml has no output "nope"`,
		`[root stack]: resources.f.properties.value[2]: no file is named "gone.sh"`,
		`[root stack]: resources.f.properties.value[3]: get_param of "undeclared", which is not declared`,
		"[root stack]: resources: Circular Dependency Found: b -> c -> b",
		"[root stack]: resources.a: Unknown Property q",
		"[root stack]: resources.e: resource_def: Property p not assigned",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestStaticView(t *testing.T) {
	tmpl, err := Parse("t", []byte(version+`
parameters: {b: {type: string}, a: {type: string, default: null}, c: {type: string, default: ""}}
resources:
  z: {type: OS::Heat::Value, properties: {value: {list_join: ["", [{get_param: [b, x]}, {get_attr: [y, value]}]]}}}
  y: {type: OS::Heat::Value, depends_on: [x], properties: {value: 1}}
  x: {type: OS::Heat::Value, properties: {value: {get_param: c}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	order, err := tmpl.Order()
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2][]string{
		"declared": {{"b", "a", "c"}, tmpl.ParameterNames()},
		"required": {{"b", "a"}, tmpl.Required()}, // a null default is none
		"used":     {{"b", "c"}, tmpl.UsedParameters()},
		"unused":   {{"a"}, tmpl.UnusedParameters()},
		"order":    {{"x", "y", "z"}, order},
		"z needs":  {{"y"}, tmpl.Dependencies()["z"]},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func TestRegistry(t *testing.T) {
	files := map[string]string{"a.yaml": version}
	for typ, want := range map[string]string{"X": "a.yaml", "Y": "a.yaml", "P::Q": None, "OS::Heat::Value": "OS::Heat::Value", "file:///a.yaml": "", "Loop": "", "W::Value": "OS::Heat::Value"} {
		s := mustLoad(t, version, files, "resource_registry: {X: nowhere.yaml, Y: X, 'P::*': 'OS::Heat::None', Loop: Loop2, Loop2: Loop, 'W::*': 'OS::Heat::*', resources: {h: {hooks: pre-create}}}",
			"resource_registry: {X: file://a.yaml}")
		final, _, err := s.Resolve(typ)
		if final != want || (err != nil) != (want == "") {
			t.Errorf("%s → %s, %v; want %s", typ, final, err, want)
		}
	}
}

// TestAliases: what Heat still takes though it no longer documents it.
func TestAliases(t *testing.T) {
	s := mustLoad(t, version+`
resources:
  p: {type: OS::Neutron::Port, properties: {network_id: n, fixed_ips: [{subnet_id: s}]}}
  i: {type: OS::Neutron::RouterInterface, properties: {router_id: r, subnet_id: s}}
  s: {type: OS::Nova::Server, properties: {flavor: f, networks: [{port: {get_resource: p}}]}}
outputs: {o: {value: {get_attr: [s, first_address]}}}
`, nil)
	if errs := s.Check(nil); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestGroupNames(t *testing.T) {
	g := NewGroup(map[string]any{"count": 3, "removal_policies": []any{map[string]any{"resource_list": []any{1, "x"}}}})
	if diff := cmp.Diff([]string{"1", "x"}, g.Remove); diff != "" {
		t.Error(diff)
	}
	names, err := g.Names(map[string]bool{"0": true, "2": true})
	if err != nil || !cmp.Equal(names, []string{"1", "3", "4"}) {
		t.Error(names, err)
	}
	if _, err := NewGroup(map[string]any{"count": 1 << 40}).Names(nil); err == nil {
		t.Error("a group of 2^40 is possible")
	}
}
