package hot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// unknown is the type of Unknown.
type unknown struct{}

// Unknown stands for a value that only a running stack has. A function of an
// unknown value is unknown; a check of one passes.
var Unknown any = unknown{}

// omitted is what a two-armed "if" gives when it has no value to give.
type omitted struct{}

// HasUnknown says whether a value is, or holds, [Unknown].
func HasUnknown(v any) bool {
	switch v := v.(type) {
	case unknown:
		return true
	case []any:
		return slices.ContainsFunc(v, HasUnknown)
	case map[string]any:
		for _, x := range v {
			if HasUnknown(x) {
				return true
			}
		}
	}
	return false
}

// Normalize turns a decoded JSON value into the few types this package works
// with: json.Number becomes int or float64, other integers become int.
func Normalize(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := strconv.Atoi(v.String()); err == nil {
			return i
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int(v)
		}
		return v
	case int64:
		return int(v)
	case int32:
		return int(v)
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case map[string]string:
		out := make(map[string]any, len(v))
		for k, s := range v {
			out[k] = s
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = Normalize(x)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = Normalize(x)
		}
		return out
	}
	return v
}

func decodeJSON(s string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, fmt.Errorf("extra data after the value")
	}
	return Normalize(v), nil
}

// text writes a value as Heat's str() does: True, 3, 1.5, text as it is, and
// collections in Python's notation.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return repr(v)
}

// repr writes a value as Python's repr() does; error texts contain it.
func repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case unknown:
		return "<unknown>"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int:
		return strconv.Itoa(v)
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(s, ".eEIN") {
			s += ".0"
		}
		return s
	case string:
		if strings.Contains(v, "'") && !strings.Contains(v, `"`) {
			return `"` + v + `"`
		}
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`).Replace(v) + "'"
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = repr(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, repr(k)+": "+repr(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// dumps writes JSON as Heat does: sorted keys, ", " and ": " between parts.
func dumps(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = dumps(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, dumps(k)+": "+dumps(v[k]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case float64:
		return repr(v)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return repr(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Text writes a parameter or output value as Heat shows it in a stack's
// parameters: booleans as True and False, json as JSON, lists with commas.
func Text(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return dumps(v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = text(x)
		}
		return strings.Join(parts, ",")
	}
	return text(v)
}

// Copy makes a deep copy, so that an evaluated value can be changed.
func Copy(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = Copy(x)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = Copy(x)
		}
		return out
	}
	return v
}
