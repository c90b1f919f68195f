package main

import (
	"slices"
	"strings"
)

// refName is the last name of a reference, or nothing.
func refName(n node) string {
	ref := n.text("$ref")
	return ref[strings.LastIndexByte(ref, '/')+1:]
}

// follow returns what a node refers to, or itself.
func (p *page) follow(n node) node {
	ref := n.text("$ref")
	if ref == "" {
		return n
	}
	return p.root.get(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

// kind says in words what values a schema lets pass.
func (p *page) kind(s node) string {
	switch {
	case s.text("$ref") != "":
		name := refName(s)
		return "[" + name + "](#value-" + strings.ToLower(name) + ")" + bounds(s)
	case s.get("const").exists():
		return literal(s.get("const"))
	case s.get("enum").exists():
		return p.oneOf(s.get("enum"))
	case s.get("anyOf").exists():
		var all []string
		for _, one := range s.get("anyOf").items() {
			if k := p.kind(one); !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
		return strings.Join(all, " or ")
	}
	var all []string
	for _, t := range s.texts("type") {
		switch {
		case t == "array" && s.get("items").exists():
			all = append(all, "list of "+p.kind(s.get("items")))
		case t == "array":
			all = append(all, "list")
		case t == "object" && s.get("additionalProperties").isMap():
			all = append(all, "map of "+p.kind(s.get("additionalProperties")))
		default:
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return "anything"
	}
	return strings.Join(all, " or ") + bounds(s)
}

func literal(n node) string {
	if n.Value == "" {
		return "an empty text"
	}
	return "`" + n.Value + "`"
}

func (p *page) oneOf(list node) string {
	var all []string
	for _, v := range list.items() {
		all = append(all, literal(v))
	}
	return strings.Join(all, ", ")
}

// bounds are the limits of a value.
func bounds(s node) string {
	var all []string
	low, high := s.text("minimum"), s.text("maximum")
	switch {
	case low != "" && high != "" && high != "2147483647": // what the column holds
		all = append(all, low+" to "+high)
	case low != "":
		all = append(all, "at least "+low)
	}
	short, long := s.text("minLength"), s.text("maxLength")
	switch {
	case short != "" && long != "":
		all = append(all, short+" to "+long+" characters")
	case long != "":
		all = append(all, "at most "+long+" characters")
	case short != "":
		all = append(all, "at least "+short+" characters")
	}
	if f := s.text("format"); f != "" {
		all = append(all, f)
	}
	if r := s.text("pattern"); r != "" && len(r) < 60 { // longer ones are told in words
		all = append(all, "matching `"+r+"`")
	}
	if s.text("maxItems") == "0" {
		all = append(all, "always empty")
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}

// versions tells the range of a part, where it is not every version.
func versions(n node) string {
	low, high := n.text("x-min-version"), n.text("x-max-version")
	switch {
	case low != "" && high != "":
		return "Versions " + low + " to " + high + "."
	case low != "":
		return "From version " + low + "."
	case high != "":
		return "Up to version " + high + "."
	}
	return ""
}

// members writes a row for each member of an object, also of those that an
// object has within it.
func (p *page) members(prefix string, s node) {
	needed := s.texts("required")
	s.get("properties").each(func(name string, v node) {
		need := ""
		if slices.Contains(needed, name) {
			need = "yes"
		}
		p.row("`"+prefix+name+"`", p.kind(v), need, sentence(v.text("description"), versions(v)))
		inner, path := v, prefix+name+"."
		if v.get("items", "properties").exists() {
			inner, path = v.get("items"), prefix+name+"[]."
		}
		p.members(path, inner)
	})
}

// sentence joins what is said of something.
func sentence(parts ...string) string {
	var all []string
	for _, s := range parts {
		if s = strings.Join(strings.Fields(s), " "); s == "" {
			continue
		}
		if !strings.HasSuffix(s, ".") {
			s += "."
		}
		all = append(all, strings.ToUpper(s[:1])+s[1:])
	}
	return strings.Join(all, " ")
}
