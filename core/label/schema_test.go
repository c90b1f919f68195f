package label_test

import (
	"testing"

	"github.com/go-magnum/magnum/core/label"
	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

func TestSchema(t *testing.T) {
	var schemas label.Schemas
	s, err := schemas.Compile(&driver.Description{LabelSchema: driver.RawJSON(`{"properties": {
		"size": {"type": "integer", "maximum": 6}, "any": true, "none": false,
		"range": {"type": "string", "default": "10.0.0.0/8", "x-per-node-group": false}, "own": {"x-per-node-group": true}
	}}`)})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"size": true, "any": true, "none": true, "range": true, "unheard": false} {
		if got := s.Knows(name); got != want {
			t.Errorf("knows %s: %t", name, got)
		}
	}
	for _, tt := range []struct {
		check func(magnum.Labels) error
		given magnum.Labels
		want  string
	}{
		{s.Check, magnum.Labels{"size": "6", "any": "x", "unheard": "y"}, ""},
		{s.Check, nil, ""},
		{s.Check, magnum.Labels{"size": "7"}, `property "labels/size" with value "7" is not supported, expecting: integer, at most 6`},
		{s.Check, magnum.Labels{"none": "x"}, `property "labels/none" with value "x" is not supported, expecting: a value of another kind`},
		{group(s, nil), magnum.Labels{"own": "1", "range": "10.0.0.1/8"}, ""},
		{group(s, magnum.Labels{"range": "11.0.0.0/8"}), magnum.Labels{"range": ""}, ""},
		{
			group(s, magnum.Labels{"range": "11.0.0.0/8"}), magnum.Labels{"range": "10.0.0.0/8"},
			`property "labels/range" with value "10.0.0.0/8" is not supported, the label is one of the whole cluster, where it is "11.0.0.0/8"`,
		},
	} {
		err := tt.check(tt.given)
		if got := magnum.KindOf(err); err != nil && got != magnum.Invalid || (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
			t.Errorf("%v: %v, want %q", tt.given, err, tt.want)
		}
	}
	empty, err := schemas.Compile(&driver.Description{})
	if err != nil || empty.Knows("size") || empty.Check(magnum.Labels{"size": "7"}) != nil {
		t.Errorf("without a schema: %v", err)
	}
	for _, text := range []string{`{`, `{"properties": 7}`} {
		if _, err := schemas.Compile(&driver.Description{LabelSchema: driver.RawJSON(text)}); err == nil {
			t.Errorf("%s is a schema", text)
		}
	}
}

func group(s *label.Schema, cluster magnum.Labels) func(magnum.Labels) error {
	return func(labels magnum.Labels) error { return s.CheckGroup(labels, cluster) }
}
