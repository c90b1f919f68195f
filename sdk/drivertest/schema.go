package drivertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
)

// schema is as much of JSON Schema as the contract uses.
type schema struct {
	Type       string              `json:"type"`
	Properties map[string]property `json:"properties"`
	Required   []string            `json:"required"`
}

type property struct {
	Type    string   `json:"type"`
	Format  string   `json:"format"`
	Default any      `json:"default"`
	Enum    []any    `json:"enum"`
	Pattern string   `json:"pattern"`
	Minimum *float64 `json:"minimum"`
	Maximum *float64 `json:"maximum"`
}

// parseSchema reads a schema; nil where there is none.
func parseSchema(text []byte) (*schema, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	s := &schema{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	if s.Type != "object" {
		return nil, fmt.Errorf("its type is %q, not object", s.Type)
	}
	return s, nil
}

// check looks for what would mislead whoever reads the schema.
func (s *schema) check() error {
	if s == nil {
		return nil
	}
	for _, name := range s.Required {
		if _, ok := s.Properties[name]; !ok {
			return fmt.Errorf("it requires %s, which it does not describe", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if err := s.Properties[name].check(); err != nil {
			return fmt.Errorf("property %s: %w", name, err)
		}
	}
	return nil
}

func (p property) check() error {
	if p.Type != "" && !slices.Contains([]string{"string", "integer", "number", "boolean", "array", "object", "null"}, p.Type) {
		return fmt.Errorf("%q is no type", p.Type)
	}
	if _, err := regexp.Compile(p.Pattern); err != nil {
		return fmt.Errorf("pattern: %w", err)
	}
	if p.Minimum != nil && p.Maximum != nil && *p.Minimum > *p.Maximum {
		return errors.New("its minimum is above its maximum")
	}
	if p.Default == nil {
		return nil
	}
	return p.admits(p.Default)
}

// admits reports why a value of JSON is not one of the property's.
func (p property) admits(value any) error {
	ok := true
	switch p.Type {
	case "string":
		_, ok = value.(string)
	case "boolean":
		_, ok = value.(bool)
	case "number":
		_, ok = value.(float64)
	case "integer":
		n, is := value.(float64)
		ok = is && n == math.Trunc(n)
	}
	text, isText := value.(string)
	number, isNumber := value.(float64)
	switch {
	case !ok:
		return fmt.Errorf("the default %v is not of type %s", value, p.Type)
	case len(p.Enum) > 0 && !slices.Contains(p.Enum, value):
		return fmt.Errorf("the default %v is not in the enumeration", value)
	case isText && p.Pattern != "" && !regexp.MustCompile(p.Pattern).MatchString(text):
		return fmt.Errorf("the default %q does not match %s", text, p.Pattern)
	case isNumber && (p.Minimum != nil && number < *p.Minimum || p.Maximum != nil && number > *p.Maximum):
		return fmt.Errorf("the default %v is out of bounds", value)
	}
	return nil
}

// values are texts that the schema allows, as labels carry them: all of an
// enumeration, the default, or, where there is neither, one that is made up. A
// text for a pattern is not made up. Bounds are not tried beside a default,
// since what is within them may still not go with the other labels.
func (p property) values() []string {
	var out []string
	add := func(v any) {
		if text := fmt.Sprint(v); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	for _, v := range p.Enum {
		add(v)
	}
	if p.Type == "boolean" {
		add(true)
		add(false)
	}
	if p.Default != nil {
		add(p.Default)
	}
	if len(out) > 0 || p.Pattern != "" {
		return out
	}
	switch {
	case p.Minimum != nil:
		add(strconv.FormatFloat(*p.Minimum, 'f', -1, 64))
	case p.Maximum != nil:
		add(strconv.FormatFloat(*p.Maximum, 'f', -1, 64))
	case p.Type == "integer" || p.Type == "number":
		add("1")
	case p.Format == "cidr" || p.Format == "cidrs":
		add("10.96.0.0/16")
	case p.Type == "string":
		add("conform")
	}
	return out
}

// wrong is a text that the schema forbids; false where it allows all.
func (p property) wrong() (string, bool) {
	switch {
	case len(p.Enum) > 0:
		return "conform-not-listed", true
	case p.Type == "boolean" || p.Type == "integer" || p.Type == "number":
		return "conform-no-" + p.Type, true
	case p.Format == "cidr" || p.Format == "cidrs":
		return "conform-no-cidr", true
	case p.Pattern != "" && !regexp.MustCompile(p.Pattern).MatchString("\n\t conform"):
		return "\n\t conform", true
	}
	return "", false
}
