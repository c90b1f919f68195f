package hot

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

func repeatForm(args any) string {
	m, ok := args.(map[string]any)
	if !ok {
		return `Arguments to "repeat" must be a map`
	}
	_, hasEach := m["for_each"]
	_, hasTemplate := m["template"]
	if !hasEach || !hasTemplate {
		return `'"repeat" syntax should be repeat:\n              template: This is %var%\n              for_each:\n                %var%: [\'a\', \'b\', \'c\']'`
	}
	if p, ok := m["permutations"]; ok {
		if _, isBool := p.(bool); !isBool {
			return `"permutations" should be boolean type for repeat function.`
		}
	}
	return ""
}

func (sc *Scope) repeat(args any) (any, error) {
	m := args.(map[string]any)
	each, ok := m["for_each"].(map[string]any)
	if !ok {
		return nil, errors.New(`The "for_each" argument to "repeat" must contain a map`)
	}
	permute, given := m["permutations"].(bool)
	permute = permute || !given
	keys := sortedKeys(each)
	lists := make([][]any, len(keys))
	lengths := map[int]bool{}
	for i, k := range keys {
		switch v := each[k].(type) {
		case nil:
		case []any:
			lists[i] = v
			lengths[len(v)] = true
		case map[string]any:
			if !permute || sc.Stack.Template.level < levelNewton {
				return nil, errors.New(`The values of the "for_each" argument to "repeat" must be lists`)
			}
			for _, name := range sortedKeys(v) {
				lists[i] = append(lists[i], name)
			}
		default:
			if permute && sc.Stack.Template.level >= levelNewton {
				return nil, errors.New(`The values of the "for_each" argument to "repeat" must be lists or maps`)
			}
			return nil, errors.New(`The values of the "for_each" argument to "repeat" must be lists`)
		}
	}
	if !permute && len(lengths) > 1 {
		return nil, errors.New("For repeat, the length of for_each values should be equal if no nested loop.")
	}
	rows := combine(lists, permute, func() error { return sc.spend(1, 16*len(keys)) })
	out := make([]any, 0, 8)
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		v, err := sc.fill(m["template"], keys, row)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// combine yields the rows of a product, or of a zip if permute is false. It
// counts as it goes: a product of a few lists can be astronomically long.
func combine(lists [][]any, permute bool, count func() error) func(func([]any, error) bool) {
	return func(yield func([]any, error) bool) {
		if len(lists) == 0 {
			return
		}
		for _, l := range lists {
			if len(l) == 0 {
				return
			}
		}
		index := make([]int, len(lists))
		for {
			if err := count(); err != nil {
				yield(nil, err)
				return
			}
			row := make([]any, len(lists))
			for i, l := range lists {
				row[i] = l[index[i]]
			}
			if !yield(row, nil) || !advance(index, lists, permute) {
				return
			}
		}
	}
}

func advance(index []int, lists [][]any, permute bool) bool {
	if !permute {
		for i := range index {
			if index[i]++; index[i] >= len(lists[i]) {
				return false
			}
		}
		return true
	}
	for i := len(index) - 1; i >= 0; i-- {
		if index[i]++; index[i] < len(lists[i]) {
			return true
		}
		index[i] = 0
	}
	return false
}

// fill puts one row into a copy of the template.
func (sc *Scope) fill(v any, keys []string, row []any) (any, error) {
	if err := sc.spend(1, 0); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		for i, k := range keys {
			s, ok := row[i].(string)
			if !ok {
				return nil, fmt.Errorf("replace() argument 2 must be str, not %s", pyTypeName(row[i]))
			}
			if k != "" {
				// Bounded before it is made: n places of len(s) each.
				if err := sc.spend(1, strings.Count(v, k)*len(s)+len(v)); err != nil {
					return nil, err
				}
				v = strings.ReplaceAll(v, k, s)
			}
		}
		return v, nil
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			r, err := sc.fill(x, keys, row)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) {
			name, err := sc.fill(k, keys, row)
			if err != nil {
				return nil, err
			}
			if out[text(name)], err = sc.fill(v[k], keys, row); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

func mapMerge(args any) (any, error) {
	l, ok := args.([]any)
	if !ok {
		return nil, errors.New(`Incorrect arguments to "map_merge" should be: "map_merge" : [ { "key1": "val1" }, { "key2": "val2" } ]`)
	}
	out := map[string]any{}
	for _, x := range l {
		m, ok := x.(map[string]any)
		if !ok && x != nil {
			return nil, errors.New("Incorrect arguments: Items to merge must be maps.")
		}
		for k, v := range m {
			out[k] = v
		}
	}
	return out, nil
}

const mapReplaceExample = `"map_replace" : [ { "key1": "val1" }, {"keys": {"key1": "key2"}, "values": {"val1": "val2"}}]`

func mapReplace(args any) (any, error) {
	usage := errors.New("Incorrect arguments to \"map_replace\" should be: " + mapReplaceExample)
	l, ok := args.([]any)
	if !ok {
		return nil, usage
	}
	maps := make([]map[string]any, len(l))
	for i, x := range l {
		if maps[i], ok = x.(map[string]any); !ok && x != nil {
			return nil, errors.New(`Incorrect arguments: to "map_replace", arguments must be a list of maps. Example:  ` + mapReplaceExample)
		}
	}
	if len(l) != 2 {
		return nil, usage
	}
	in, by := maps[0], maps[1]
	for k := range by {
		if k != "keys" && k != "values" {
			return nil, usage
		}
	}
	keys, _ := by["keys"].(map[string]any)
	values, _ := by["values"].(map[string]any)
	out := make(map[string]any, len(in))
	for _, k := range sortedKeys(in) {
		name := k
		if r, ok := keys[k]; ok && r != nil {
			name = text(r)
			if _, taken := in[name]; taken && name != k {
				return nil, fmt.Errorf("key replacement %s collides with a key in the input map", name)
			}
			if _, taken := out[name]; taken {
				return nil, fmt.Errorf("key replacement %s collides with a key in the output map", name)
			}
		}
		v := in[k]
		if s, ok := v.(string); ok {
			if r, ok := values[s]; ok {
				v = r
			}
		}
		out[name] = v
	}
	return out, nil
}

func (sc *Scope) listConcat(name string, args any) (any, error) {
	l, ok := args.([]any)
	if !ok {
		return nil, fmt.Errorf("Incorrect arguments to %q should be: %q : [ [ <value 1>, <value 2> ], [ <value 3>, <value 4> ] ]", name, name)
	}
	out := []any{}
	for _, x := range l {
		items, ok := x.([]any)
		if !ok && x != nil {
			return nil, fmt.Errorf("Incorrect arguments: Items to concat must be lists. %s contains an item that is not a list: %s", dumps(args), dumps(x))
		}
		if err := sc.spend(len(items), 16*len(items)); err != nil {
			return nil, err
		}
		for _, item := range items {
			if name == "list_concat_unique" {
				if err := sc.spend(len(out), 0); err != nil {
					return nil, err
				}
				if slices.ContainsFunc(out, func(o any) bool { return equal(o, item) }) {
					continue
				}
			}
			out = append(out, item)
		}
	}
	return out, nil
}

func contains(v, in any) (bool, error) {
	switch in := in.(type) {
	case []any:
		return slices.ContainsFunc(in, func(x any) bool { return equal(x, v) }), nil
	case string:
		s, ok := v.(string)
		return ok && strings.Contains(in, s), nil
	case unknown:
		return false, nil
	}
	return false, errors.New(`Second argument to "contains" should be a sequence.`)
}

// equal compares as Python does: 1, 1.0 and True are one, "1" is another.
func equal(a, b any) bool {
	if fa, ok := pyNumber(a); ok {
		fb, ok := pyNumber(b)
		return ok && fa == fb
	}
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, ok := b[k]
			if !ok || !equal(v, w) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// Equal compares two evaluated values as Heat does.
func Equal(a, b any) bool { return equal(a, b) }

func pyNumber(v any) (float64, bool) {
	if b, ok := v.(bool); ok {
		if b {
			return 1, true
		}
		return 0, true
	}
	return numeric(v)
}
