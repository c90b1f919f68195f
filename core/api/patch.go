package api

import (
	"regexp"
	"slices"
	"strings"
)

// operation is one step of a patch document.
type operation struct {
	op, path string
	value    value
	given    bool // a value was sent
}

// dialect is what a resource lets a patch do.
type dialect struct {
	internal  []string // attributes that no patch changes
	permanent []string // attributes that are not removed
	literals  []string // attributes whose value may come as a map or list written as text
}

// internalAttributes are those of every resource.
var internalAttributes = []string{"created_at", "id", "links", "updated_at", "uuid", "project_id", "user_id"}

var (
	pathPattern = regexp.MustCompile(`^(/[\pL\pN_-]+)+$`)
	operations  = []string{"add", "replace", "remove"}
)

// readPatch reads a patch document. No body and null are no steps.
func readPatch(rq *request, d dialect) ([]operation, error) {
	body, err := rq.content()
	if err != nil || body == nil {
		return nil, err
	}
	v, err := parseJSON(body)
	switch {
	case err != nil:
		return nil, err
	case v.kind == null:
		return nil, nil
	case v.kind != list:
		return nil, invalid("patch", v.str(), "Value not a valid list: "+v.str())
	}
	steps := make([]operation, len(v.items))
	for i, item := range v.items {
		if steps[i], err = d.step(item); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

func (d dialect) step(item value) (operation, error) {
	var o operation
	err := item.into("patch", []attribute{
		{name: "path", mandatory: true, set: func(v value) error {
			switch {
			case v.kind != text:
				return invalid("path", v.str(), "Value should be string")
			case !pathPattern.MatchString(v.text):
				return invalid("path", v.str(), `Value should match the pattern ^(/[\w-]+)+$`)
			}
			o.path = v.text
			return nil
		}},
		{name: "op", mandatory: true, set: enumAttribute("op", operations, func(s string) { o.op = s }).set},
		{name: "value", set: func(v value) error {
			// What is sent as a text because upstream takes nothing else may
			// be sent as what it is.
			whole := (v.kind == list || v.kind == object) && !slices.Contains(d.literals, strings.TrimPrefix(o.path, "/"))
			if whole || v.isFloat() && v.kind == number {
				return invalid("value", v.str(), wrongType("'(<class 'str'>, <class 'int'>)'", v))
			}
			o.value, o.given = v, true
			return nil
		}},
	})
	if err != nil {
		return o, err
	}
	attribute := o.path[1:]
	switch {
	case slices.Contains(d.internal, attribute):
		return o, badRequest("'%s' is an internal attribute and can not be updated", o.path)
	case o.op == "remove" && slices.Contains(d.permanent, attribute):
		return o, badRequest("'%s' is a mandatory attribute and can not be removed", o.path)
	case o.op != "remove" && !o.given:
		return o, badRequest("'add' and 'replace' operations needs value")
	}
	return o, nil
}

// apply carries out the steps on a document. The document of the caller stays
// as it is.
func (d dialect) apply(doc value, steps []operation) (value, error) {
	for _, o := range steps {
		root, sub := strings.CutPrefix(o.path, "/")
		if !sub || o.op != "add" || strings.Contains(root, "/") {
			continue
		}
		switch m := doc.member(root); {
		case m == nil:
			return doc, badRequest("Adding a new attribute %s to the root of the resource is not allowed.", o.path)
		case m.value.kind != null:
			return doc, badRequest("The attribute %s has existed, please use 'replace' operation instead.", o.path)
		}
	}
	doc.members = slices.Clone(doc.members)
	for _, o := range steps {
		if reason := d.one(&doc, o); reason != "" {
			return doc, badRequest("Couldn't apply patch '%s'. Reason: %s", describe(steps), reason)
		}
	}
	return doc, nil
}

// one carries out a step and returns why it cannot.
func (d dialect) one(doc *value, o operation) (reason string) {
	keys := strings.Split(o.path[1:], "/")
	v := o.value
	if len(keys) == 1 && o.op != "remove" && slices.Contains(d.literals, keys[0]) && v.kind == text {
		parsed, err := parseLiteral(v.text)
		if err != nil {
			return err.Error()
		}
		v = parsed
	}
	at := doc
	for _, key := range keys[:len(keys)-1] {
		m := at.member(key)
		if m == nil {
			return "member '" + key + "' not found in " + at.str()
		}
		if m.value.kind != object {
			return "'" + key + "' has no members"
		}
		m.value.members = slices.Clone(m.value.members)
		at = &m.value
	}
	last := keys[len(keys)-1]
	i := slices.IndexFunc(at.members, func(m member) bool { return m.name == last })
	switch {
	case o.op == "remove" && i < 0:
		return "can't remove a non-existent object '" + last + "'"
	case o.op == "remove":
		at.members = slices.Delete(at.members, i, i+1)
	case o.op == "replace" && i < 0:
		return "can't replace a non-existent object '" + last + "'"
	case i < 0:
		at.members = append(at.members, member{last, v})
	default:
		at.members[i].value = v
	}
	return ""
}

func (v *value) member(name string) *member {
	for i := range v.members {
		if v.members[i].name == name {
			return &v.members[i]
		}
	}
	return nil
}

// describe repeats a patch in Python's words.
func describe(steps []operation) string {
	all := value{kind: list}
	for _, o := range steps {
		step := value{kind: object, members: []member{{"path", textValue(o.path)}, {"op", textValue(o.op)}}}
		if o.given {
			step.members = append(step.members, member{"value", o.value})
		}
		all.items = append(all.items, step)
	}
	return all.str()
}

// accept reads a patched document into attributes. Types are checked, not
// converted: a text of digits is no number here, as in upstream.
func (v value) accept(attributes []attribute) error {
	for _, a := range attributes {
		m := v.member(a.name)
		if m == nil || m.value.kind == null || a.readOnly {
			continue
		}
		if a.integer && m.value.kind == text {
			return invalid(a.name, m.value.text, "'<' not supported between instances of 'str' and 'int'")
		}
		if err := a.set(m.value); err != nil {
			return blame(err, a.name, m.value)
		}
	}
	return nil
}

// touches reports whether a step is about an attribute.
func touches(steps []operation, attribute string) bool {
	return slices.ContainsFunc(steps, func(o operation) bool {
		return o.path == "/"+attribute || strings.HasPrefix(o.path, "/"+attribute+"/")
	})
}
