package wiretest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// forget takes out of a recorded list what this service rightly refused to
// make, and counts the uuids of the rest anew.
func (r *replay) forget(body any, list string) bool {
	items, _ := at(body, list)
	all, _ := items.([]any)
	kept := slices.DeleteFunc(slices.Clone(all), func(item any) bool {
		return slices.ContainsFunc(r.unmade, func(one map[string]any) bool { return alike(one, item) })
	})
	if len(kept) == len(all) {
		return false
	}
	body.(map[string]any)[list] = renumber(kept)
	return true
}

// alike compares what a recorded thing said of itself when it was made with an
// item of a list, but for its uuid and what is not a plain value.
func alike(made map[string]any, item any) bool {
	other, ok := item.(map[string]any)
	for name, v := range made {
		switch v.(type) {
		case string, bool, float64:
			ok = ok && (name == "uuid" || other[name] == v)
		}
	}
	return ok
}

var numbered = regexp.MustCompile(`<uuid:\d+>`)

func renumber(items []any) []any {
	text, err := json.Marshal(items)
	if err != nil {
		return items
	}
	var seen []string
	escaped := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(text))
	escaped = numbered.ReplaceAllStringFunc(escaped, func(word string) string {
		i := slices.Index(seen, word)
		if i < 0 {
			i = len(seen)
			seen = append(seen, word)
		}
		return fmt.Sprintf("<uuid:%d>", i+1)
	})
	var renumbered []any
	if err := json.Unmarshal([]byte(escaped), &renumbered); err != nil {
		return items
	}
	return renumbered
}
