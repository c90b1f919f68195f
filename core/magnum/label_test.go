package magnum

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLabelsInherit(t *testing.T) {
	parent := Labels{"a": "1", "b": "2"}
	tests := map[string]struct {
		given  Labels
		parent Labels
		merge  bool
		want   Labels
	}{
		"none given":             {nil, parent, false, Labels{"a": "1", "b": "2"}},
		"an empty map given":     {Labels{}, parent, false, Labels{"a": "1", "b": "2"}},
		"none anywhere":          {nil, nil, false, nil},
		"given replaces":         {Labels{"b": "3"}, parent, false, Labels{"b": "3"}},
		"given merges":           {Labels{"b": "3", "c": "4"}, parent, true, Labels{"a": "1", "b": "3", "c": "4"}},
		"merge with no parent's": {Labels{"c": "4"}, nil, true, Labels{"c": "4"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := tt.given.Inherit(tt.parent, tt.merge)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if got != nil { // upstream once shared one dict among template, cluster and groups
				got["a"] = "changed"
				if parent["a"] != "1" {
					t.Error("a child's labels are its parent's own map")
				}
			}
		})
	}
}

func TestLabelsDiffer(t *testing.T) {
	overridden, added, skipped := Labels{"a": "1", "b": "9", "d": "4"}.Differ(Labels{"a": "1", "b": "2", "c": "3"})
	want := []Labels{{"b": "2"}, {"d": "4"}, {"c": "3"}}
	if d := cmp.Diff(want, []Labels{overridden, added, skipped}); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestLabelsMove(t *testing.T) {
	tests := map[string]struct{ given, from, to, want Labels }{
		"taken over":                     {Labels{"tag": "1"}, Labels{"tag": "1"}, Labels{"tag": "2"}, Labels{"tag": "2"}},
		"over an own value":              {Labels{"tag": "0"}, Labels{"tag": "1"}, Labels{"tag": "2"}, Labels{"tag": "2"}},
		"new in the template":            {Labels{"a": "1"}, nil, Labels{"b": "2"}, Labels{"a": "1", "b": "2"}},
		"over an addition":               {Labels{"b": "9"}, nil, Labels{"b": "2"}, Labels{"b": "2"}},
		"gone from the template":         {Labels{"a": "1", "b": "2"}, Labels{"a": "1", "b": "2"}, Labels{"b": "2"}, Labels{"b": "2"}},
		"gone, in spite of an own value": {Labels{"a": "9"}, Labels{"a": "1"}, nil, Labels{}},
		"an addition stays":              {Labels{"own": "x"}, Labels{"tag": "1"}, Labels{"tag": "1"}, Labels{"own": "x"}},
		"an own value stays":             {Labels{"tag": "0"}, Labels{"tag": "1"}, Labels{"tag": "1"}, Labels{"tag": "0"}},
		"what was left out stays out":    {Labels{"a": "1"}, Labels{"a": "1", "b": "2"}, Labels{"a": "1", "b": "2"}, Labels{"a": "1"}},
		"none":                           {nil, nil, nil, nil},
		"none to some":                   {nil, nil, Labels{"a": "1"}, Labels{"a": "1"}},
		"all at once": {
			Labels{"same": "own", "changed": "own", "gone": "own", "added": "own", "mine": "own"},
			Labels{"same": "1", "changed": "1", "gone": "1"},
			Labels{"same": "1", "changed": "2", "added": "2"},
			Labels{"same": "own", "changed": "2", "added": "2", "mine": "own"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			before := maps.Clone(tc.given)
			if d := cmp.Diff(tc.want, tc.given.Move(tc.from, tc.to)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if d := cmp.Diff(before, tc.given); d != "" {
				t.Errorf("the child's own map was changed:\n%s", d)
			}
		})
	}
}
