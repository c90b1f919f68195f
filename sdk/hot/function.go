package hot

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// functions by the version that brought them.
var functions = map[string]int{
	"get_param": 0, "get_resource": 0, "get_attr": 0, "get_file": 0, "list_join": 0, "str_replace": 0,
	"resource_facade": 0,
	"repeat":          level2015April, "digest": level2015April,
	"str_split": level2015October,
	"map_merge": levelMapMerge,
	"if":        levelNewton, "map_replace": levelNewton, "yaql": levelNewton,
	"str_replace_strict": levelOcata, "filter": levelOcata,
	"str_replace_vstrict": levelPike, "list_concat": levelPike, "list_concat_unique": levelPike,
	"contains": levelPike, "make_url": levelPike,
}

// unsupported functions are Heat's but not ours; data that uses one is refused
// rather than passed on as data.
var unsupported = map[string]bool{"resource_facade": true, "yaql": true, "filter": true, "make_url": true}

// function tells a function call from data: a mapping of one key that is the
// name of a function in this template's version.
func (t *Template) function(v any) (name string, args any, ok bool) {
	m, isMap := v.(map[string]any)
	if !isMap || len(m) != 1 || t.literal {
		return "", nil, false
	}
	for name, args := range m {
		if level, known := functions[name]; known && t.level >= level {
			return name, args, true
		}
	}
	return "", nil, false
}

func (sc *Scope) call(name string, args any, depth int) (any, error) {
	switch name {
	case "get_param":
		return sc.getParam(args, depth)
	case "get_resource":
		return sc.getResource(args, depth)
	case "get_attr":
		return sc.getAttr(args, depth)
	case "get_file":
		return sc.getFile(args, depth)
	case "if":
		return sc.ifThen(args, depth)
	}
	if msg := sc.Stack.Template.misformed(name, args); msg != "" {
		return nil, errors.New(msg)
	}
	r, err := sc.arguments(args, depth)
	if err != nil {
		return nil, err
	}
	if blurred(name, r) {
		return Unknown, nil
	}
	var out any
	switch name {
	case "str_replace", "str_replace_strict", "str_replace_vstrict":
		out, err = sc.strReplace(name, r)
	case "list_join":
		out, err = sc.listJoin(r)
	case "str_split":
		out, err = strSplit(r)
	case "repeat":
		out, err = sc.repeat(r)
	case "digest":
		out, err = digest(r)
	case "map_merge":
		out, err = mapMerge(r)
	case "map_replace":
		out, err = mapReplace(r)
	case "list_concat", "list_concat_unique":
		out, err = sc.listConcat(name, r)
	case "contains":
		l := r.([]any)
		out, err = contains(l[0], l[1])
	default:
		return nil, fmt.Errorf("the function %q is not supported here", name)
	}
	if err != nil {
		return nil, err
	}
	return out, sc.spend(1, sizeOf(out))
}

// arguments evaluates a call's arguments. A list keeps its length: an argument
// that an "if" left out is null.
func (sc *Scope) arguments(args any, depth int) (any, error) {
	l, ok := args.([]any)
	if !ok {
		return sc.eval(args, depth)
	}
	out := make([]any, len(l))
	for i, x := range l {
		r, err := sc.eval(x, depth+1)
		if err != nil {
			return nil, err
		}
		if _, none := r.(omitted); !none {
			out[i] = r
		}
	}
	return out, nil
}

// blurred says whether a function's result cannot be known because an argument
// is not. Functions that only arrange their arguments keep them as they are.
func blurred(name string, args any) bool {
	l, _ := args.([]any)
	switch name {
	case "map_merge", "list_concat":
		return args == Unknown || slices.Contains(l, Unknown)
	}
	return HasUnknown(args)
}

// sizeOf is a rough count of the bytes of a fresh value's upper levels.
func sizeOf(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		return 16 * len(v)
	case map[string]any:
		return 48 * len(v)
	}
	return 8
}

func (sc *Scope) getParam(args any, depth int) (any, error) {
	r, err := sc.eval(args, depth)
	if err != nil {
		return nil, err
	}
	name, path, err := headAndPath("get_param", r)
	if err != nil {
		return nil, err
	}
	v, ok := sc.Values[name]
	if !ok {
		return nil, missingParameter(name)
	}
	if len(path) == 0 {
		return v, nil
	}
	switch v.(type) {
	case map[string]any, []any:
	case unknown:
		return Unknown, nil
	default:
		return "", nil
	}
	if v = follow(v, path); v == nil {
		v = "" // Heat's answer to a path that leads nowhere
	}
	return v, nil
}

// headAndPath reads the arguments of get_param: a name, or a list of a name and
// a path.
func headAndPath(fn string, args any) (string, []any, error) {
	switch a := args.(type) {
	case string:
		return a, nil, nil
	case []any:
		if len(a) == 0 {
			return "", nil, fmt.Errorf("Function %q must have arguments", fn)
		}
		name, ok := a[0].(string)
		if !ok {
			return "", nil, fmt.Errorf("Parameter name in %q must be string", fn)
		}
		return name, a[1:], nil
	case nil:
		return "", nil, fmt.Errorf("Function %q must have arguments", fn)
	}
	return "", nil, fmt.Errorf("Argument to %q must be string or list", fn)
}

// follow walks a path into a value; nil is where it leads nowhere.
func follow(v any, path []any) any {
	for _, p := range path {
		if s, ok := v.(string); ok {
			// An attribute that is JSON text is entered as Heat does.
			if decoded, err := decodeJSON(s); err == nil {
				v = decoded
			}
		}
		switch c := v.(type) {
		case map[string]any:
			v = c[text(p)]
		case []any:
			i, err := strconv.Atoi(text(p))
			if err != nil || i >= len(c) || -i > len(c) {
				return nil
			}
			if i < 0 {
				i += len(c)
			}
			v = c[i]
		case unknown:
			return Unknown
		default:
			return nil
		}
	}
	return v
}

// Follow walks a path into a value as get_attr does; nil is where it leads
// nowhere.
func Follow(v any, path []any) any { return follow(v, path) }

func (sc *Scope) getResource(args any, depth int) (any, error) {
	r, err := sc.eval(args, depth)
	if err != nil {
		return nil, err
	}
	name := text(r)
	if err := sc.reference(name); err != nil {
		return nil, err
	}
	if sc.Resolver == nil {
		return Unknown, nil
	}
	return sc.Resolver.ResourceID(name)
}

// reference refuses a name that is no resource, or one whose condition does not
// hold.
func (sc *Scope) reference(name string) error {
	res, ok := sc.Stack.Template.Resources[name]
	if !ok {
		return badReference(name, "unknown")
	}
	on, err := sc.Enabled(res)
	if err != nil {
		return err
	}
	if !on {
		return badReference(name, "unknown")
	}
	return nil
}

func (sc *Scope) getAttr(args any, depth int) (any, error) {
	r, err := sc.eval(args, depth)
	if err != nil {
		return nil, err
	}
	name, attribute, path, err := sc.Stack.Template.attributeArgs(r)
	if err != nil {
		return nil, err
	}
	if err := sc.reference(name); err != nil {
		return nil, err
	}
	if sc.Resolver == nil {
		return Unknown, nil
	}
	v, followed, err := sc.Resolver.Attribute(name, attribute, path)
	if err != nil {
		return nil, err
	}
	if !followed {
		v = follow(v, path)
	}
	return v, nil
}

// attributeArgs reads [resource, attribute, path...]; since 2015-10-15 the
// attribute may be left out.
func (t *Template) attributeArgs(args any) (name, attribute string, path []any, err error) {
	if s, ok := args.(string); ok && t.level >= level2015October {
		return s, "", nil, nil
	}
	l, ok := args.([]any)
	if !ok {
		return "", "", nil, errors.New(`Argument to "get_attr" must be a list`)
	}
	switch {
	case len(l) >= 2:
		return text(l[0]), text(l[1]), l[2:], nil
	case len(l) == 1 && t.level >= level2015October:
		return text(l[0]), "", nil, nil
	case t.level >= level2015October:
		return "", "", nil, errors.New(`Arguments to "get_attr" can be of the next forms: [resource_name] or [resource_name, attribute, (path), ...]`)
	}
	return "", "", nil, errors.New(`Arguments to "get_attr" must be of the form [resource_name, attribute, (path), ...]`)
}

func (sc *Scope) getFile(args any, depth int) (any, error) {
	r, err := sc.eval(args, depth)
	if err != nil {
		return nil, err
	}
	name, ok := r.(string)
	if !ok {
		return nil, errors.New(`Argument to "get_file" must be a string`)
	}
	found, ok := sc.Stack.file(name)
	if !ok {
		return nil, fmt.Errorf(`No content found in the "files" section for get_file path: %s`, name)
	}
	body := sc.Stack.Files[found]
	return body, sc.spend(1, len(body))
}

func (sc *Scope) ifThen(args any, depth int) (any, error) {
	if msg := sc.Stack.Template.misformed("if", args); msg != "" {
		return nil, errors.New(msg)
	}
	l := args.([]any)
	var on bool
	var err error
	switch c := l[0].(type) {
	case bool:
		on = c
	case string:
		on, err = sc.condition(c)
	default:
		on, err = sc.operand(c, depth)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case on:
		return sc.eval(l[1], depth)
	case len(l) == 2:
		return omitted{}, nil
	}
	return sc.eval(l[2], depth)
}

// misformed checks the form of a call as far as Heat does before it evaluates
// anything, and gives Heat's complaint.
func (t *Template) misformed(name string, args any) string {
	l, isList := args.([]any)
	switch name {
	case "if":
		if isList && (len(l) == 3 || len(l) == 2 && t.level >= levelWallaby) {
			return ""
		}
		return `Arguments to "if" must be of the form: [condition_name, value_if_true, value_if_false]`
	case "contains":
		if !isList || len(l) == 0 {
			return `Incorrect arguments to "contains" should be: "contains" : [ "value1", [ "value1", "value2"]]`
		}
		if len(l) != 2 {
			return badPair(name)
		}
	case "list_join":
		if !isList || len(l) < 2 || t.level < level2015October && len(l) != 2 {
			more := " ..."
			if t.level < level2015October {
				more = ""
			}
			return fmt.Sprintf(`Incorrect arguments to %q should be: %q : [ " ", [ "str1", "str2"]%s]`, name, name, more)
		}
	case "str_split":
		if _, isMap := args.(map[string]any); !isList && !isMap || isMap && !t.isCall(args) {
			return strSplitUsage
		}
	case "repeat":
		return repeatForm(args)
	case "str_replace", "str_replace_strict", "str_replace_vstrict":
		return t.replaceForm(name, args)
	}
	return ""
}

func (t *Template) isCall(v any) bool {
	_, _, ok := t.function(v)
	return ok
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
