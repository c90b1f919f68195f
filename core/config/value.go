package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// assign turns a value's text into a field's type. Its errors say what was
// expected and, for a Secret, never what was found.
func assign(field reflect.Value, tag reflect.StructTag, text string) error {
	switch target := field.Addr().Interface().(type) {
	case *Secret:
		*target = NewSecret(text)
	case *string:
		return assignString(target, tag, text)
	case *bool:
		return assignBool(target, text)
	case *int:
		return assignInt(target, tag, text)
	case *float64:
		return assignFloat(target, tag, text)
	case *[]string:
		list, err := splitList(text)
		if err != nil {
			return err
		}
		*target = list
	default:
		return fmt.Errorf("options of type %s are not supported", field.Type())
	}
	return nil
}

func assignString(target *string, tag reflect.StructTag, text string) error {
	if choices := tag.Get("choices"); choices != "" && text != "" {
		found := false
		for choice := range strings.SplitSeq(choices, ",") {
			found = found || choice == text
		}
		if !found {
			return fmt.Errorf("expected one of %s, found %q", strings.ReplaceAll(choices, ",", ", "), text)
		}
	}
	*target = text
	return nil
}

func assignBool(target *bool, text string) error {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "on", "yes":
		*target = true
	case "false", "0", "off", "no":
		*target = false
	default:
		return fmt.Errorf("expected true or false (also 1, 0, yes, no, on, off), found %q", text)
	}
	return nil
}

func assignInt(target *int, tag reflect.StructTag, text string) error {
	least, most := bound(tag, "min"), bound(tag, "max")
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || (least != nil && n < *least) || (most != nil && n > *most) {
		return fmt.Errorf("expected %s, found %q", describeInt(least, most), text)
	}
	*target = n
	return nil
}

func assignFloat(target *float64, tag reflect.StructTag, text string) error {
	least := bound(tag, "min")
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || (least != nil && n < float64(*least)) {
		if least != nil {
			return fmt.Errorf("expected a number, at least %d, found %q", *least, text)
		}
		return fmt.Errorf("expected a number, found %q", text)
	}
	*target = n
	return nil
}

// bound reads a number from a tag; nil if the tag has none.
func bound(tag reflect.StructTag, key string) *int {
	n, err := strconv.Atoi(tag.Get(key))
	if err != nil {
		return nil
	}
	return &n
}

func describeInt(least, most *int) string {
	switch {
	case least != nil && most != nil:
		return fmt.Sprintf("a whole number from %d to %d", *least, *most)
	case least != nil:
		return fmt.Sprintf("a whole number, at least %d", *least)
	case most != nil:
		return fmt.Sprintf("a whole number, at most %d", *most)
	}
	return "a whole number"
}

// splitList cuts a list at its commas. An item in quotes may hold commas;
// empty items are dropped.
func splitList(text string) ([]string, error) {
	var list []string
	rest := strings.TrimSpace(text)
	for rest != "" {
		var item string
		if quote := rest[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(rest[1:], quote)
			if end < 0 {
				return nil, fmt.Errorf("expected a closing %c in the list", quote)
			}
			item, rest = rest[1:end+1], strings.TrimSpace(rest[end+2:])
			if rest != "" && rest[0] != ',' {
				return nil, fmt.Errorf("expected a comma after the quoted item %q of the list", item)
			}
			rest = strings.TrimPrefix(rest, ",")
		} else {
			item, rest, _ = strings.Cut(rest, ",")
		}
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
		rest = strings.TrimSpace(rest)
	}
	return list, nil
}
