package magnum

import (
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
