package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// loader is one Load under way.
type loader struct {
	options  []option
	known    map[optionKey]*option // by name, not by alias
	set      map[optionKey][]entry // as the files have it, in order
	taken    map[optionKey]bool    // set, and understood
	warnings []string
	budget   int // how much more one option's references may come to
}

// largestValue is how long references may make one option's value. Without a
// limit, thirty options that each name the one before twice fill the memory.
const largestValue = 1 << 20

func newLoader(c *Config, entries []entry) *loader {
	l := &loader{
		options: fields(c),
		known:   map[optionKey]*option{},
		set:     map[optionKey][]entry{},
		taken:   map[optionKey]bool{},
	}
	for i := range l.options {
		l.known[l.options[i].optionKey] = &l.options[i]
	}
	for _, e := range entries {
		key := optionKey{e.section, e.option}
		l.set[key] = append(l.set[key], e)
	}
	return l
}

// fill gives an option's field its value: the last of its own name, else the
// last of an alias, else the default.
func (l *loader) fill(o *option) error {
	l.budget = largestValue
	found := l.lookup(o)
	if len(found) == 0 {
		return l.assign(o, o.initial, nil)
	}
	if o.tag.Get("multi") == "true" {
		return l.fillMulti(o, found)
	}
	last := found[len(found)-1]
	return l.assign(o, last.value, &last)
}

// fillMulti collects an option that may be repeated.
func (l *loader) fillMulti(o *option, found []entry) error {
	list := make([]string, 0, len(found))
	for _, e := range found {
		value, err := l.substitute(e.value, e.section, nil)
		if err != nil {
			return e.fail(err)
		}
		if value != "" {
			list = append(list, value)
		}
	}
	o.field.Set(reflect.ValueOf(list))
	return nil
}

func (l *loader) lookup(o *option) []entry {
	l.taken[o.optionKey] = true
	for _, alias := range o.aliases {
		l.taken[alias] = true
	}
	if found := l.set[o.optionKey]; len(found) > 0 {
		return found
	}
	for _, alias := range o.aliases {
		found := l.set[alias]
		if len(found) == 0 {
			continue
		}
		last := found[len(found)-1]
		l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: %s is an old name, use %s",
			last.file, last.line, alias, o.optionKey))
		return found
	}
	return nil
}

// assign resolves and converts a value; from is nil for a default.
func (l *loader) assign(o *option, text string, from *entry) error {
	value, err := l.substitute(text, o.section, nil)
	number := o.field.Kind() == reflect.Int || o.field.Kind() == reflect.Bool || o.field.Kind() == reflect.Float64
	if err == nil && from != nil && number && strings.TrimSpace(value) == "" {
		return l.assign(o, o.initial, nil) // as oslo.config: `port =` is no port at all
	}
	if err == nil {
		err = assign(o.field, o.tag, value)
	}
	if err == nil {
		return nil
	}
	if from == nil {
		return fmt.Errorf("default of %s: %w", o.optionKey, err)
	}
	return from.fail(err)
}

func (e *entry) fail(err error) error {
	return &Error{File: e.file, Line: e.line, Section: e.section, Option: e.option, Message: err.Error()}
}

// reference is $$, $name, ${name} or ${section.name}.
var reference = regexp.MustCompile(`\$(?:(\$)|([_a-zA-Z][._a-zA-Z0-9]*)|\{([_a-zA-Z][._a-zA-Z0-9]*)\})`)

// substitute replaces references to other options. A dollar sign that starts
// none of the forms stays; $$ and \$ are a dollar sign.
func (l *loader) substitute(text, section string, within []optionKey) (string, error) {
	if !strings.Contains(text, "$") {
		return text, nil
	}
	var failed error
	done := reference.ReplaceAllStringFunc(strings.ReplaceAll(text, `\$`, "$$"), func(match string) string {
		if match == "$$" || failed != nil {
			return "$"
		}
		value, err := l.resolve(strings.Trim(match, "${}"), section, within)
		if err != nil {
			failed = err
		}
		return value
	})
	return done, failed
}

// resolve finds what a reference stands for: an option of the same section,
// else of [DEFAULT]; or of the section it names.
func (l *loader) resolve(name, section string, within []optionKey) (string, error) {
	candidates := []optionKey{{section, name}, {sectionDefault, name}}
	if in, rest, ok := strings.Cut(name, "."); ok {
		candidates = []optionKey{{normalSection(in), rest}}
	}
	for _, key := range candidates {
		text, ok := l.text(key)
		if !ok {
			continue
		}
		if slices.Contains(within, key) {
			return "", fmt.Errorf("refers to itself by way of $%s", name)
		}
		value, err := l.substitute(text, key.section, append(slices.Clone(within), key))
		if l.budget -= len(value) + 1; err == nil && l.budget < 0 {
			err = fmt.Errorf("comes to more than %d bytes with all it refers to", largestValue)
		}
		return value, err
	}
	return "", fmt.Errorf("refers to $%s, which is no option: expected the name of one, or $$ for a dollar sign", name)
}

// text is an option's value as written, or its default.
func (l *loader) text(key optionKey) (string, bool) {
	if found := l.set[key]; len(found) > 0 {
		return found[len(found)-1].value, true
	}
	if o, ok := l.known[key]; ok {
		return o.initial, true
	}
	return "", false
}

// warnUnknown reports options that nothing here knows, in the files' order.
func (l *loader) warnUnknown() {
	var unknown []entry
	for key, found := range l.set {
		if !l.taken[key] && !ofLibrary(key) {
			unknown = append(unknown, found[len(found)-1])
		}
	}
	slices.SortFunc(unknown, func(a, b entry) int {
		if c := strings.Compare(a.file, b.file); c != 0 {
			return c
		}
		return a.line - b.line
	})
	for _, e := range unknown {
		l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: %s is not known and has no effect",
			e.file, e.line, optionKey{e.section, e.option}))
	}
}
