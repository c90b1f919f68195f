package hot

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixed answers get_resource and get_attr from maps.
type fixed struct {
	ids   map[string]any
	attrs map[string]any // by "resource attribute"
}

func (f fixed) ResourceID(name string) (any, error) { return f.ids[name], nil }

func (f fixed) Attribute(name, attribute string, _ []any) (any, bool, error) {
	return f.attrs[name+" "+attribute], false, nil
}

// evaluated gives the output "o" of a template whose resources are made up.
func evaluated(t *testing.T, version, sections, value string, params map[string]any) (any, error) {
	t.Helper()
	text := fmt.Sprintf("heat_template_version: %s\n%s\noutputs: {o: {value: %s}}\n", version, sections, value)
	s, err := Load(text, map[string]string{"f.txt": "file text"}, nil)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	sc, err := s.Scope(params, Pseudo{StackName: "st", StackID: "id-1", ProjectID: "pr"})
	if err != nil {
		t.Fatal(err)
	}
	sc.Resolver = fixed{
		ids:   map[string]any{"r": "r-id"},
		attrs: map[string]any{"r value": map[string]any{"a": []any{"x", "y"}}, "r text": `{"k": [1, 2]}`, "r ": map[string]any{"all": 1}},
	}
	return sc.Output("o")
}

const someParameters = `
parameters:
  s: {type: string, default: text}
  n: {type: number, default: 3}
  f: {type: number, default: 1.5}
  b: {type: boolean, default: "yes"}
  l: {type: comma_delimited_list, default: "a, b,c"}
  j: {type: json, default: {k: [1, {d: e}]}}
conditions:
  on: {equals: [{get_param: n}, 3]}
  off: {not: on}
  both: {and: [on, {not: off}]}
  either: {or: [off, {equals: [{get_param: s}, text]}]}
  has: {contains: [b, {get_param: l}]}
  param: {get_param: b}
resources:
  r: {type: "OS::Heat::Value", properties: {value: 1}}
`

func TestFunctions(t *testing.T) {
	list := func(x ...any) any { return x }
	for _, c := range []struct {
		value string
		want  any
	}{
		{`{get_param: s}`, "text"},
		{`{get_param: n}`, 3},
		{`{get_param: f}`, 1.5},
		{`{get_param: b}`, true},
		{`{get_param: l}`, list("a", "b", "c")},
		{`{get_param: [l, 1]}`, "b"},
		{`{get_param: [j, k, 1, d]}`, "e"},
		{`{get_param: [j, nope]}`, ""},
		{`{get_param: "OS::stack_name"}`, "st"},
		{`{get_param: "OS::project_id"}`, "pr"},
		{`{get_resource: r}`, "r-id"},
		{`{get_attr: [r, value, a, 1]}`, "y"},
		{`{get_attr: [r, value, a, -1]}`, "y"},
		{`{get_attr: [r, text, k, 0]}`, 1},
		{`{get_attr: [r, value, a, 9]}`, nil},
		{`{get_attr: [r]}`, map[string]any{"all": 1}},
		{`{get_file: f.txt}`, "file text"},
		{`{get_file: "file:///f.txt"}`, nil}, // another path
		{`{list_join: ["-", [a, b], [c]]}`, "a-b-c"},
		{`{list_join: [",", [{k: 1}, null, [1]]]}`, `{"k": 1},,[1]`},
		{`{str_replace: {template: "a=$a $ab", params: {$a: 1, $ab: true}}}`, "a=1 True"},
		{`{str_replace: {template: "x y", params: {x: y, y: x}}}`, "y x"},
		{`{str_replace: {template: "p", params: {p: {b: [1], a: x}}}}`, `{"a": "x", "b": [1]}`},
		{`{str_replace: {template: "p", params: {p: null}}}`, ""},
		{`{str_replace_strict: {template: "p", params: {p: 1.5}}}`, "1.5"},
		{`{str_split: [",", "a,b"]}`, list("a", "b")},
		{`{str_split: [",", "a,b", 1]}`, "b"},
		{`{map_merge: [{a: 1, b: 2}, null, {b: 3}]}`, map[string]any{"a": 1, "b": 3}},
		{`{map_replace: [{a: x, b: y}, {keys: {a: c}, values: {y: z}}]}`, map[string]any{"c": "x", "b": "z"}},
		{`{list_concat: [[1], null, [2, 1]]}`, list(1, 2, 1)},
		{`{list_concat_unique: [[1], [2, 1]]}`, list(1, 2)},
		{`{contains: [2, [1, 2]]}`, true},
		{`{digest: [sha1, x]}`, "11f6ad8ec52a2984abaafd7c3b516503785c2072"},
		{`{digest: [md5, x]}`, "9dd4e461268c8034f5c8564e155c67a6"},
		{`{repeat: {template: "p-%i%", for_each: {"%i%": [a, b]}}}`, list("p-a", "p-b")},
		{`{repeat: {template: {"%a%": "%b%"}, for_each: {"%a%": [x, y], "%b%": [m, n]}}}`,
			list(map[string]any{"x": "m"}, map[string]any{"x": "n"}, map[string]any{"y": "m"}, map[string]any{"y": "n"})},
		{`{repeat: {template: "%a%%b%", for_each: {"%a%": [x, y], "%b%": [m, n]}, permutations: false}}`, list("xm", "yn")},
		{`{repeat: {template: t, for_each: {"%a%": []}}}`, []any{}},
		{`{if: [on, yes-it-is, {get_resource: nope}]}`, "yes-it-is"}, // the other branch is never looked at
		{`{if: [both, 1, 2]}`, 1},
		{`{if: [either, 1, 2]}`, 1},
		{`{if: [has, 1, 2]}`, 1},
		{`{if: [param, 1, 2]}`, 1},
		{`{if: [{not: on}, 1, 2]}`, 2},
		{`[{get_param: s}, {deep: {get_param: n}}]`, list("text", map[string]any{"deep": 3})},
		{`{get_parm: s}`, map[string]any{"get_parm": "s"}}, // data, to Heat
	} {
		t.Run(c.value, func(t *testing.T) {
			got, err := evaluated(t, "2018-08-31", someParameters, c.value, nil)
			if c.want == nil && err != nil {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnknownPropagates(t *testing.T) {
	for value, want := range map[string]any{
		`{get_attr: [r, value, a]}`:                                        Unknown,
		`{list_join: ["", [a, {get_attr: [r, value]}]]}`:                   Unknown,
		`[a, {get_resource: r}]`:                                           []any{"a", Unknown},
		`{map_merge: [{a: {get_resource: r}}, {b: 1}]}`:                    map[string]any{"a": Unknown, "b": 1},
		`{str_replace: {template: x, params: {x: {get_attr: [r, show]}}}}`: Unknown,
	} {
		s, err := Load("heat_template_version: 2018-08-31\n"+someParameters+"outputs: {o: {value: "+value+"}}\n", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		sc, err := s.Scope(nil, Pseudo{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := sc.Output("o")
		if err != nil || !cmp.Equal(got, want, cmp.AllowUnexported(unknown{})) {
			t.Errorf("%s = %v, %v; want %v", value, got, err, want)
		}
	}
}

// TestLanguageGrew holds functions to the version that brought them: before,
// they are data.
func TestLanguageGrew(t *testing.T) {
	for _, c := range []struct {
		version, value string
		want           any
	}{
		{"2015-10-15", `{map_merge: [{a: 1}]}`, map[string]any{"map_merge": []any{map[string]any{"a": 1}}}},
		{"2016-04-08", `{map_merge: [{a: 1}]}`, map[string]any{"a": 1}},
		{"ocata", `{list_concat: [[1]]}`, map[string]any{"list_concat": []any{[]any{1}}}},
		{"pike", `{list_concat: [[1]]}`, []any{1}},
		{"wallaby", `{x: {if: [false, 1]}, y: 2}`, map[string]any{"y": 2}},
	} {
		got, err := evaluated(t, c.version, "", c.value, nil)
		if err != nil || !cmp.Equal(c.want, got) {
			t.Errorf("%s %s = %v, %v; want %v", c.version, c.value, got, err, c.want)
		}
	}
}

// TestYAMLIsVersionOnePointOne: what Heat's parser reads, not what Go's does.
func TestYAMLIsVersionOnePointOne(t *testing.T) {
	for value, want := range map[string]any{
		"yes": true, "Off": false, "0755": 493, "0x10": 16, "1_000": 1000, "1:30": 90, "~": nil, "2013-05-23": "2013-05-23",
		"1e3": "1e3", "1.5": 1.5, "1.0": 1.0, "'1'": "1", `"yes"`: "yes", "y": "y", "22:22": 1342, "0:1": "0:1", "!!str 1": "1",
	} {
		got, err := evaluated(t, "2018-08-31", "", value, nil)
		if err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s = %#v, %v; want %#v", value, got, err, want)
		}
	}
}
