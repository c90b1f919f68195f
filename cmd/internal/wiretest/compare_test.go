package wiretest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// difference is one place where an answer is not the recorded one.
type difference struct {
	path             string
	kind             string // extra, missing or changed
	expected, actual any
}

func (d difference) String() string {
	switch d.kind {
	case "extra":
		return fmt.Sprintf("%s: extra %.300s", d.path, text(d.actual))
	case "missing":
		return fmt.Sprintf("%s: missing %.300s", d.path, text(d.expected))
	}
	return fmt.Sprintf("%s: %.300s, recorded %.300s", d.path, text(d.actual), text(d.expected))
}

// compare walks two normalised answers.
func compare(want, got *response) []difference {
	var all []difference
	if want.Status != got.Status {
		all = append(all, difference{"status", "changed", float64(want.Status), float64(got.Status)})
		if (want.Status < 400) != (got.Status < 400) {
			// one is a refusal: member by member there is nothing to learn
			return append(all, difference{"body", "changed", want.Body, got.Body})
		}
	}
	all = append(all, compareValues("headers", anyMap(want.Headers), anyMap(got.Headers))...)
	return append(all, compareValues("body", want.Body, got.Body)...)
}

func anyMap(m map[string]string) map[string]any {
	all := make(map[string]any, len(m))
	for k, v := range m {
		all[k] = v
	}
	return all
}

func compareValues(path string, want, got any) []difference {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return compareMembers(path, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			var all []difference
			for i := range w {
				all = append(all, compareValues(path+"."+strconv.Itoa(i), w[i], g[i])...)
			}
			return all
		}
	case string:
		if g, ok := got.(string); w == "<any>" || ok && fits(w, g) {
			return nil
		}
	default:
		if want == got {
			return nil
		}
	}
	return []difference{{path, "changed", want, got}}
}

func compareMembers(path string, want, got map[string]any) []difference {
	var all []difference
	follows := func(name string) bool {
		// There are faults in some statuses only: where the one is not
		// compared, the others cannot be.
		return want["status"] == "<any>" && (name == "faults" || name == "bay_faults")
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		g, ok := got[name]
		if follows(name) {
			continue
		}
		if !ok {
			all = append(all, difference{path + "." + name, "missing", want[name], nil})
			continue
		}
		all = append(all, compareValues(path+"."+name, want[name], g)...)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok && !follows(name) {
			all = append(all, difference{path + "." + name, "extra", nil, got[name]})
		}
	}
	return all
}

// wild are the words of the recording that stand for a part of a text.
var wild = strings.NewReplacer("<any>", ".*", "<hex>", "[0-9a-f]+", "<handler>", `\w+`)

func fits(want, got string) bool {
	if want == got {
		return true
	}
	pattern := wild.Replace(regexp.QuoteMeta(want))
	return pattern != regexp.QuoteMeta(want) && whole("(?s)"+pattern, got)
}

// at follows a path such as errors.0.detail.
func at(value any, path string) (any, bool) {
	if path == "" {
		return value, true
	}
	name, rest, _ := strings.Cut(path, ".")
	switch v := value.(type) {
	case map[string]any:
		if member, ok := v[name]; ok {
			return at(member, rest)
		}
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
			return at(v[i], rest)
		}
	}
	return nil, false
}
