// Package label checks labels against what a driver says of them.
package label

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/go-magnum/magnum/core/magnum"
	"github.com/go-magnum/magnum/sdk/driver"
)

// Schema is what a driver says of its labels. Of those that it does not name
// nothing is known, and nothing refused.
type Schema struct {
	properties map[string]*jsonschema.Schema
	// whole are the labels of the whole cluster and their defaults.
	whole map[string]string
}

// Knows reports whether the driver names a label.
func (s *Schema) Knows(name string) bool { return s.properties[name] != nil }

// Check refuses the first label, by name, whose value is not what the driver
// says it may be.
func (s *Schema) Check(labels magnum.Labels) error {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		property := s.properties[name]
		if property == nil {
			continue
		}
		if err := property.Validate(asTyped(property, labels[name])); err != nil {
			return magnum.Errorf(magnum.Invalid, "property \"labels/%s\" with value \"%s\" is not supported, %s", name, labels[name], expected(property))
		}
	}
	return nil
}

// CheckGroup refuses a node group another value for a label of the whole
// cluster.
func (s *Schema) CheckGroup(group, cluster magnum.Labels) error {
	for _, name := range slices.Sorted(maps.Keys(group)) {
		standard, isWhole := s.whole[name]
		given, whole := group[name], cmp.Or(cluster[name], standard)
		if isWhole && given != "" && !sameValue(s.properties[name], given, whole) {
			return magnum.Errorf(magnum.Invalid, "property \"labels/%s\" with value \"%s\" is not supported, the label is one of the whole cluster, where it is \"%s\"",
				name, given, whole)
		}
	}
	return nil
}

// sameValue reports whether a driver reads two texts of a label as one value.
func sameValue(property *jsonschema.Schema, one, other string) bool {
	if x, err := netip.ParsePrefix(one); err == nil {
		if y, err := netip.ParsePrefix(other); err == nil {
			return x.Masked() == y.Masked()
		}
	}
	return asTyped(property, one) == asTyped(property, other)
}

// readWhole finds the labels that say of themselves that no node group can have
// its own value. One that says nothing is left to the driver.
func readWhole(schema string) (map[string]string, error) {
	var labels struct {
		Properties map[string]any // a property may be true or false
	}
	decoder := json.NewDecoder(strings.NewReader(schema))
	decoder.UseNumber() // as the schema writes it
	if err := decoder.Decode(&labels); err != nil {
		return nil, err
	}
	whole := map[string]string{}
	for name, property := range labels.Properties {
		l, _ := property.(map[string]any)
		if per, says := l["x-per-node-group"].(bool); !says || per {
			continue
		}
		whole[name] = ""
		if standard := l["default"]; standard != nil {
			whole[name] = fmt.Sprint(standard)
		}
	}
	return whole, nil
}

// Schemas keeps compiled schemas by their text. Drivers are few and change
// seldom; what is kept is dropped when it has become too much. The zero value
// has none yet.
type Schemas struct {
	mu   sync.Mutex
	kept map[string]*Schema
}

const maxSchemas = 64

// Compile reads a driver's schema.
func (s *Schemas) Compile(d *driver.Description) (*Schema, error) {
	key := string(d.LabelSchema)
	if key == "" {
		return &Schema{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema := s.kept[key]; schema != nil {
		return schema, nil
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(key))
	if err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("labels.json", document); err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	compiled, err := c.Compile("labels.json")
	if err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	schema := &Schema{properties: compiled.Properties}
	if schema.whole, err = readWhole(key); err != nil {
		return nil, fmt.Errorf("label schema of driver %s %s: %w", d.Name, d.Version, err)
	}
	if s.kept == nil || len(s.kept) >= maxSchemas {
		s.kept = map[string]*Schema{}
	}
	s.kept[key] = schema
	return schema, nil
}

// asTyped reads a label's text as the type the schema wants. A text that is
// none of it stays one, and is refused for that.
func asTyped(s *jsonschema.Schema, v string) any {
	for _, t := range typesOf(s) {
		switch t {
		case "integer":
			if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
				return json.Number(strconv.FormatInt(n, 10))
			}
		case "number":
			// Written anew, so that an exponent of a million digits, which
			// is as good as 0 or infinite, does not reach exact arithmetic.
			if f, err := strconv.ParseFloat(strings.TrimSpace(v), 64); err == nil && f-f == 0 {
				return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
			}
		case "boolean":
			if b, ok := magnum.ParseBool(v); ok {
				return b
			}
		case "null":
			if v == "" {
				return nil
			}
		}
	}
	return v
}

func typesOf(s *jsonschema.Schema) []string {
	for s.Types == nil && s.Ref != nil {
		s = s.Ref
	}
	if s.Types == nil {
		return nil
	}
	return s.Types.ToStrings()
}

// expected says what a label's schema wants.
func expected(s *jsonschema.Schema) string {
	for s.Ref != nil && s.Enum == nil && s.Types == nil {
		s = s.Ref
	}
	if s.Enum != nil {
		var values []string
		for _, v := range s.Enum.Values {
			values = append(values, fmt.Sprint(v))
		}
		return "supported values are: " + strings.Join(append(values, "unspecified"), ", ")
	}
	what := "a value of another kind"
	if types := typesOf(s); len(types) > 0 {
		what = strings.Join(types, " or ")
	}
	if s.Minimum != nil {
		what += ", at least " + s.Minimum.RatString()
	}
	if s.Maximum != nil {
		what += ", at most " + s.Maximum.RatString()
	}
	if s.Pattern != nil {
		what += ", matching " + s.Pattern.String()
	}
	if s.Format != nil {
		what += ", in the format " + s.Format.Name
	}
	if s.MinLength != nil {
		what += ", of at least " + strconv.Itoa(*s.MinLength) + " characters"
	}
	if s.MaxLength != nil {
		what += ", of at most " + strconv.Itoa(*s.MaxLength) + " characters"
	}
	return "expecting: " + what
}
