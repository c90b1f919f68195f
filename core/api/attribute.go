package api

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/go-magnum/magnum/core/magnum"
)

// attribute is one member of a body. The order of a resource's attributes is
// upstream's order of declaration: it decides which of two mistakes is named.
type attribute struct {
	name      string
	readOnly  bool
	mandatory bool
	present   bool // mandatory, but null will do
	integer   bool
	// set checks a value that is not null and keeps it. A *typeError is
	// blamed on the argument as a whole, as upstream's framework does for
	// what it cannot even convert.
	set func(v value) error
}

// typeError is a value of another JSON type than the attribute's.
type typeError struct{ reason string }

func (e *typeError) Error() string { return e.reason }

// blame turns a typeError into a refusal of the field.
func blame(err error, field string, v value) error {
	var t *typeError
	if errors.As(err, &t) {
		return invalid(field, v.str(), t.reason)
	}
	return err
}

// decode reads a body into attributes. argument is the name under which
// upstream's framework knows the body.
func decode(argument string, body []byte, attributes []attribute) error {
	if body == nil {
		return badRequest("Missing argument: %q", argument)
	}
	v, err := parseJSON(body)
	if err != nil {
		return err
	}
	return v.into(argument, attributes)
}

func (v value) into(argument string, attributes []attribute) error {
	if v.kind != object {
		return invalid(argument, v.str(), "Value not a valid dict: "+v.str())
	}
	if err := v.unknown(argument, attributes); err != nil {
		return err
	}
	for _, a := range attributes {
		i := slices.IndexFunc(v.members, func(m member) bool { return m.name == a.name })
		switch {
		case i < 0 && (a.mandatory || a.present):
			return invalid(a.name, "None", "Mandatory field missing.")
		case i < 0:
			continue
		}
		sent := v.members[i].value
		switch {
		case a.readOnly:
			if a.set != nil && sent.kind != null {
				if err := a.set(sent); err != nil {
					return blame(err, argument, v)
				}
			}
			return invalid(a.name, sent.str(), "Cannot set read only field.")
		case sent.kind == null && a.mandatory:
			return invalid(a.name, "None", "Mandatory field missing.")
		case sent.kind == null:
			continue
		}
		if err := a.set(sent); err != nil {
			return blame(err, argument, v)
		}
	}
	return nil
}

func (v value) unknown(argument string, attributes []attribute) error {
	var unknown []string
	for _, name := range v.names() {
		if !slices.ContainsFunc(attributes, func(a attribute) bool { return a.name == name }) {
			unknown = append(unknown, name)
		}
	}
	switch len(unknown) {
	case 0:
		return nil
	case 1:
		return badRequest("Unknown attribute for argument %s: %s", argument, unknown[0])
	}
	return badRequest("Unknown attributes for argument %s: %s", argument, strings.Join(unknown, ", "))
}

func readOnly(name string) attribute { return attribute{name: name, readOnly: true} }

// stampAttribute is a read-only time; what is no time at all is refused as
// such first.
func stampAttribute(name string) attribute {
	return attribute{name: name, readOnly: true, set: func(v value) error {
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly} {
			if _, err := time.Parse(layout, v.text); err == nil {
				return nil
			}
		}
		return &typeError{"Unknown string format: %s"}
	}}
}

// textAttribute is a text of at least low and at most high characters.
func textAttribute(name string, low, high int, pattern *regexp.Regexp, keep func(string)) attribute {
	return attribute{name: name, set: func(v value) error {
		if err := checkText(v, low, high, pattern); err != "" {
			return invalid(name, v.str(), err)
		}
		keep(v.text)
		return nil
	}}
}

func checkText(v value, low, high int, pattern *regexp.Regexp) string {
	n := utf8.RuneCountInString(v.text)
	switch {
	case v.kind != text:
		return "Value should be string"
	case n < low:
		return "Value should have a minimum character requirement of " + strconv.Itoa(low)
	case n > high:
		return "Value should have a maximum character requirement of " + strconv.Itoa(high)
	case pattern != nil && !pattern.MatchString(v.text):
		return "Value should match the pattern " + pattern.String()
	}
	return ""
}

// identAttribute is a text of 1 to 255 characters, the most frequent kind.
func identAttribute(name string, to *string) attribute {
	return textAttribute(name, 1, 255, nil, func(s string) { *to = s })
}

// freeAttribute is a text without bounds.
func freeAttribute(name string, keep func(string)) attribute {
	return attribute{name: name, set: func(v value) error {
		if v.kind != text {
			return invalid(name, v.str(), wrongType("'<class 'str'>'", v))
		}
		keep(v.text)
		return nil
	}}
}

func wrongType(expected string, v value) string {
	return "Wrong type. Expected " + expected + ", got '<class '" + v.typeName() + "'>'"
}

// intAttribute is an integer in JSON, a text of digits, or a float cut off.
func intAttribute(name string, low, high int, keep func(int)) attribute {
	return attribute{name: name, integer: true, set: func(v value) error {
		n, ok := v.integer()
		switch {
		case !ok && v.kind == text:
			return &typeError{"invalid literal for int() with base 10: " + quote(v.text)}
		case !ok:
			return &typeError{"int() argument must be a string, a bytes-like object or a real number, not '" + v.typeName() + "'"}
		}
		if err := checkInt(n, low, high); err != "" {
			shown := strconv.Itoa(n)
			if v.kind == number && !v.isFloat() {
				shown = v.text
			}
			return invalid(name, shown, err)
		}
		keep(n)
		return nil
	}}
}

func checkInt(n, low, high int) string {
	switch {
	case n < low:
		return "Value should be greater or equal to " + strconv.Itoa(low)
	case n > high:
		return "Value should be lower or equal to " + strconv.Itoa(high)
	}
	return ""
}

// maxInt is what the integer columns of all engines hold.
const maxInt = math.MaxInt32

func boolAttribute(name string, keep func(bool)) attribute {
	return attribute{name: name, set: func(v value) error {
		b, ok := v.boolean()
		if !ok {
			return invalid(name, v.str(), notBool(v.str()))
		}
		keep(b)
		return nil
	}}
}

// boolean takes true and false, and what upstream takes for them.
func (v value) boolean() (truth, ok bool) {
	switch v.kind {
	case boolean:
		return v.truth, true
	case text, number:
		return magnum.ParseBool(v.text)
	}
	return false, false
}

func notBool(s string) string {
	return "Unrecognized value '" + s + "', acceptable values are: '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
}

func enumAttribute(name string, allowed []string, keep func(string)) attribute {
	return attribute{name: name, set: func(v value) error {
		if v.kind != text || !slices.Contains(allowed, v.text) {
			return invalid(name, v.str(), oneOf(allowed))
		}
		keep(v.text)
		return nil
	}}
}

func oneOf(allowed []string) string {
	sorted := slices.Sorted(slices.Values(allowed))
	return "Value should be one of: " + strings.Join(sorted, ", ")
}

// uuidAttribute keeps the canonical form, so that two spellings of one uuid
// cannot be two rows.
func uuidAttribute(name string, to *string) attribute {
	return attribute{name: name, set: func(v value) error {
		if v.kind != text || !isUUID(v.text) {
			return badRequest("Expected a uuid but received %s.", v.str())
		}
		*to = uuid.MustParse(v.text).String()
		return nil
	}}
}

// isUUID takes the forms with and without hyphens, in any case.
func isUUID(s string) bool {
	return (len(s) == 36 || len(s) == 32) && uuid.Validate(s) == nil
}

// labelAttribute is a map of texts, numbers and truth values, all kept as
// texts in Python's words: that is how upstream stores them.
func labelAttribute(name string, to *magnum.Labels) attribute {
	return attribute{name: name, set: func(v value) error {
		labels, err := readLabels(name, v)
		if err == nil {
			*to = labels
		}
		return err
	}}
}

func readLabels(name string, v value) (magnum.Labels, error) {
	if v.kind != object {
		return nil, &typeError{"Value not a valid dict: " + v.str()}
	}
	labels := make(magnum.Labels, len(v.members))
	for _, m := range v.members {
		switch m.value.kind {
		case text, number, boolean:
			labels[m.name] = m.value.str()
		default:
			return nil, invalid(name, v.str(),
				wrongType("'(<class 'str'>, (<class 'int'>,), <class 'bool'>, <class 'float'>)'", m.value))
		}
	}
	return labels, nil
}

// mapAttribute is a map of texts.
func mapAttribute(name string, keep func(map[string]string)) attribute {
	return attribute{name: name, set: func(v value) error {
		if v.kind != object {
			return &typeError{"Value not a valid dict: " + v.str()}
		}
		all := make(map[string]string, len(v.members))
		for _, m := range v.members {
			if m.value.kind != text {
				return invalid(name, v.str(), wrongType("'<class 'str'>'", m.value))
			}
			all[m.name] = m.value.text
		}
		keep(all)
		return nil
	}}
}

// listAttribute is a list of texts.
func listAttribute(name string, keep func([]string)) attribute {
	return attribute{name: name, set: func(v value) error {
		if v.kind != list {
			return &typeError{"Value not a valid list: " + v.str()}
		}
		all := make([]string, 0, len(v.items))
		for _, item := range v.items {
			if item.kind != text {
				return invalid(name, v.str(), wrongType("'<class 'str'>'", item))
			}
			all = append(all, item.text)
		}
		keep(all)
		return nil
	}}
}
