package hot

import (
	"crypto/md5"  //nolint:gosec // Heat offers it
	"crypto/sha1" //nolint:gosec // Heat offers it
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

func (t *Template) replaceForm(name string, args any) string {
	m, ok := args.(map[string]any)
	if !ok {
		return fmt.Sprintf("Arguments to %q must be a map", name)
	}
	params, hasParams := m["params"]
	if _, hasTemplate := m["template"]; !hasTemplate || !hasParams {
		return fmt.Sprintf(`'"%s" syntax should be %s:\n              template: This is var1 template var2\n              params:\n                var1: a\n                var2: string'`, name, name)
	}
	if _, isMap := params.(map[string]any); !isMap {
		return fmt.Sprintf("%q parameters must be a mapping", name)
	}
	return ""
}

func (sc *Scope) strReplace(name string, args any) (any, error) {
	m := args.(map[string]any)
	tmpl, ok := m["template"].(string)
	if !ok {
		return nil, fmt.Errorf("%q template must be a string", name)
	}
	params, ok := m["params"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%q params must be a map", name)
	}
	values := make(map[string]string, len(params))
	for k, v := range params {
		s, err := sc.replacement(name, k, v)
		if err != nil {
			return nil, err
		}
		values[k] = s
	}
	// Longer placeholders first, equal ones in their order, and what was put
	// in is never looked at again.
	keys := sortedKeys(values)
	sort.SliceStable(keys, func(i, j int) bool { return len(keys[i]) > len(keys[j]) })
	found := map[string]bool{}
	out, err := sc.substitute(tmpl, keys, values, found)
	if err != nil {
		return nil, err
	}
	if name != "str_replace" {
		if lost := slices.DeleteFunc(keys, func(k string) bool { return found[k] }); len(lost) > 0 {
			return nil, fmt.Errorf("The following params were not found in the template: %s", strings.Join(lost, ","))
		}
	}
	return out, nil
}

func (sc *Scope) substitute(s string, keys []string, values map[string]string, found map[string]bool) (string, error) {
	for len(keys) > 0 && (keys[0] == "" || !strings.Contains(s, keys[0])) {
		if keys[0] == "" {
			return "", errors.New("empty separator")
		}
		keys = keys[1:]
	}
	if len(keys) == 0 {
		return s, nil
	}
	found[keys[0]] = true
	parts := strings.Split(s, keys[0])
	if err := sc.spend(len(parts), len(parts)*len(values[keys[0]])); err != nil {
		return "", err
	}
	for i, p := range parts {
		r, err := sc.substitute(p, keys[1:], values, found)
		if err != nil {
			return "", err
		}
		parts[i] = r
	}
	return strings.Join(parts, values[keys[0]]), nil
}

func (sc *Scope) replacement(name, key string, v any) (string, error) {
	out := ""
	switch v := v.(type) {
	case nil:
	case map[string]any, []any:
		if sc.Stack.Template.level < level2015October {
			return "", fmt.Errorf("%q params must be strings or numbers, param %s is not valid", name, key)
		}
		if n, _ := length(v); n == 0 && name == "str_replace_vstrict" {
			break
		}
		out = dumps(v)
	default:
		out = text(v)
	}
	if out == "" && name == "str_replace_vstrict" {
		return "", fmt.Errorf("%s has an undefined or empty value for param %s, must be a defined non-empty value", name, key)
	}
	return out, nil
}

func (sc *Scope) listJoin(args any) (any, error) {
	l := args.([]any)
	delim, ok := l[0].(string)
	if !ok {
		return nil, errors.New(`"list_join" delimiter must be a string`)
	}
	var parts []string
	for _, x := range l[1:] {
		items, ok := x.([]any)
		if !ok && x != nil && x != "" && x != 0 && x != false {
			return nil, errors.New(`"list_join" must operate on a list`)
		}
		for _, item := range items {
			s, err := sc.joinable(item)
			if err != nil {
				return nil, err
			}
			if err := sc.spend(1, len(s)+len(delim)); err != nil {
				return nil, err
			}
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, delim), nil
}

func (sc *Scope) joinable(v any) (string, error) {
	old := sc.Stack.Template.level < level2015October
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case map[string]any, []any:
		if !old {
			return dumps(v), nil
		}
	}
	shown := repr(v)
	if len(shown) > 200 {
		shown = shown[:200]
	}
	if old {
		return "", fmt.Errorf("Items to join must be strings not %s", shown)
	}
	return "", fmt.Errorf("Items to join must be string, map or list not %s", shown)
}

const strSplitUsage = `Incorrect arguments to "str_split" should be: "str_split" : [ ",", "apples,pears", <index>]`

func strSplit(args any) (any, error) {
	l, ok := args.([]any)
	if !ok || len(l) < 2 {
		return nil, errors.New(strSplitUsage)
	}
	if l[1] == nil {
		return nil, nil
	}
	delim, ok1 := l[0].(string)
	s, ok2 := l[1].(string)
	if !ok1 || !ok2 || delim == "" {
		return nil, errors.New(strSplitUsage)
	}
	parts := strings.Split(s, delim)
	if len(l) == 2 {
		out := make([]any, len(parts))
		for i, p := range parts {
			out[i] = p
		}
		return out, nil
	}
	i, err := strconv.Atoi(text(l[2]))
	if err != nil {
		return nil, errors.New(strings.Replace(strSplitUsage, "arguments", "index", 1))
	}
	if i < 0 {
		i += len(parts)
	}
	if i < 0 || i >= len(parts) {
		return nil, fmt.Errorf(`Incorrect index to "str_split" should be between 0 and %d`, len(parts)-1)
	}
	return parts[i], nil
}

func digest(args any) (any, error) {
	l, ok := args.([]any)
	if ok && len(l) != 2 {
		return nil, errors.New(`Function "digest" usage: ["<algorithm>", "<value>"]`)
	}
	var algorithm, s string
	if ok {
		var ok1, ok2 bool
		algorithm, ok1 = l[0].(string)
		s, ok2 = l[1].(string)
		ok = ok1 && ok2
	}
	if !ok {
		return nil, errors.New(`Argument to function "digest" must be a list of strings`)
	}
	b := []byte(s)
	var sum []byte
	switch strings.ToLower(algorithm) {
	case "md5":
		h := md5.Sum(b) //nolint:gosec // Heat offers it
		sum = h[:]
	case "sha1":
		h := sha1.Sum(b) //nolint:gosec // Heat offers it
		sum = h[:]
	case "sha224":
		h := sha256.Sum224(b)
		sum = h[:]
	case "sha256":
		h := sha256.Sum256(b)
		sum = h[:]
	case "sha384":
		h := sha512.Sum384(b)
		sum = h[:]
	case "sha512":
		h := sha512.Sum512(b)
		sum = h[:]
	case "sha3_256":
		h := sha3.Sum256(b)
		sum = h[:]
	case "sha3_512":
		h := sha3.Sum512(b)
		sum = h[:]
	default:
		return nil, errors.New("Algorithm must be one of {'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3_256', 'sha3_512'}")
	}
	return hex.EncodeToString(sum), nil
}
