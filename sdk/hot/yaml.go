package hot

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ordered is a mapping that remembers the order of its keys; only the upper
// levels of a template need it.
type ordered struct {
	keys   []string
	values map[string]*yaml.Node
}

// decoder turns YAML nodes into plain values: nil, bool, int, float64, string,
// []any and map[string]any. It follows YAML 1.1 as Heat's parser does ("yes" is
// a boolean, 0755 is octal, a date is a string) and counts every node it makes,
// so that a few aliases cannot become a gigabyte.
type decoder struct {
	nodes int
}

func parseYAML(text []byte) (*yaml.Node, error) {
	if len(text) > MaxTemplateBytes {
		return nil, limitf("Template size (%d bytes) exceeds maximum allowed size (%d bytes).", len(text), MaxTemplateBytes)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

var errTooDeep = errors.New("nested too deeply")

func (d *decoder) value(n *yaml.Node, depth int) (any, error) {
	if d.nodes++; d.nodes > maxYAMLNodes {
		return nil, fmt.Errorf("more than %d values", maxYAMLNodes)
	}
	if depth > maxYAMLDepth {
		return nil, errTooDeep
	}
	switch n.Kind {
	case yaml.AliasNode:
		return d.value(n.Alias, depth+1)
	case yaml.ScalarNode:
		return scalar(n)
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := d.value(c, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case yaml.MappingNode:
		o, err := d.mapping(n, depth)
		if err != nil {
			return nil, err
		}
		out := make(map[string]any, len(o.keys))
		for _, k := range o.keys {
			if out[k], err = d.value(o.values[k], depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("unexpected YAML at line %d", n.Line)
}

// mapping reads the keys of a mapping, later duplicates winning, with "<<"
// merged behind the mapping's own keys.
func (d *decoder) mapping(n *yaml.Node, depth int) (*ordered, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: not a mapping", n.Line)
	}
	if depth > maxYAMLDepth {
		return nil, errTooDeep
	}
	o := &ordered{values: make(map[string]*yaml.Node, len(n.Content)/2)}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if d.nodes++; d.nodes > maxYAMLNodes {
			return nil, fmt.Errorf("more than %d values", maxYAMLNodes)
		}
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.Tag == "!!merge" {
			merged = append(merged, mergeSources(v)...)
			continue
		}
		key, err := d.value(k, depth+1)
		if err != nil {
			return nil, err
		}
		switch key.(type) {
		case map[string]any, []any:
			return nil, fmt.Errorf("line %d: found unhashable key", k.Line)
		}
		name := text(key)
		if k.Kind == yaml.ScalarNode {
			name = k.Value
		}
		if _, ok := o.values[name]; !ok {
			o.keys = append(o.keys, name)
		}
		o.values[name] = v
	}
	for _, m := range merged {
		sub, err := d.mapping(m, depth+1)
		if err != nil {
			return nil, err
		}
		for _, k := range sub.keys {
			if _, ok := o.values[k]; !ok {
				o.keys = append(o.keys, k)
				o.values[k] = sub.values[k]
			}
		}
	}
	return o, nil
}

func mergeSources(n *yaml.Node) []*yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

var (
	yamlInt   = regexp.MustCompile(`^[-+]?(0b[0-1_]+|0[0-7_]+|(0|[1-9][0-9_]*)|0x[0-9a-fA-F_]+)$`)
	yamlSixty = regexp.MustCompile(`^[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+$`)
	yamlFloat = regexp.MustCompile(`^[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|\.(inf|Inf|INF))$|^\.(nan|NaN|NAN)$`)
)

func scalar(n *yaml.Node) (any, error) {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return n.Value, nil
	}
	if n.Style&yaml.TaggedStyle != 0 {
		switch n.ShortTag() {
		case "!!str":
			return n.Value, nil
		case "!!int", "!!float", "!!bool", "!!null", "!!timestamp":
		default:
			return nil, fmt.Errorf("line %d: could not determine a constructor for the tag %q", n.Line, n.Tag)
		}
	}
	return plain(n.Value), nil
}

// plain reads an unquoted scalar by the rules of YAML 1.1.
func plain(s string) any {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false
	}
	if !strings.ContainsRune("+-.0123456789", rune(s[0])) {
		return s // no number, as nearly all are; the patterns are slow
	}
	switch {
	case yamlInt.MatchString(s):
		digits := strings.ReplaceAll(s, "_", "")
		if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
			return int(i)
		}
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			return f
		}
	case yamlSixty.MatchString(s):
		return sexagesimal(s)
	case yamlFloat.MatchString(s):
		t := strings.ToLower(strings.ReplaceAll(s, "_", ""))
		switch strings.TrimLeft(t, "+-") {
		case ".inf":
			if t[0] == '-' {
				return math.Inf(-1)
			}
			return math.Inf(1)
		case ".nan":
			return math.NaN()
		}
		if f, err := strconv.ParseFloat(t, 64); err == nil {
			return f
		}
	}
	return s
}

func sexagesimal(s string) any {
	sign, rest := 1, strings.ReplaceAll(strings.TrimPrefix(s, "+"), "_", "")
	if strings.HasPrefix(rest, "-") {
		sign, rest = -1, rest[1:]
	}
	n := 0
	for _, part := range strings.Split(rest, ":") {
		i, err := strconv.Atoi(part)
		if err != nil || n > math.MaxInt/100 {
			return s
		}
		n = n*60 + i
	}
	return sign * n
}
