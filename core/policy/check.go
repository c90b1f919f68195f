package policy

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// verdict is what a check says. Nobody knows what a remote check that failed
// would have said, so its negation is not known either: in the end what is
// not known denies, whatever stands around it.
type verdict int8

const (
	no verdict = iota
	yes
	unknown
)

func of(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// question is one decision to make.
type question struct {
	ctx    context.Context
	rule   string // by the name that was asked for
	creds  *Credentials
	target Target
}

// check is one node of a rule.
type check interface {
	answer(q *question) verdict
}

type constant verdict

func (k constant) answer(*question) verdict { return verdict(k) }

type all []check

func (l all) answer(q *question) verdict {
	sum := yes
	for _, k := range l {
		switch k.answer(q) {
		case no:
			return no
		case unknown:
			sum = unknown
		}
	}
	return sum
}

type anyOf []check

func (l anyOf) answer(q *question) verdict {
	sum := no
	for _, k := range l {
		switch k.answer(q) {
		case yes:
			return yes
		case unknown:
			sum = unknown
		}
	}
	return sum
}

type negation struct{ check }

func (n negation) answer(q *question) verdict {
	switch n.check.answer(q) {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// reference stands for another rule, or for the default rule where there is
// none of that name; to is nil where there is neither, which denies, as in
// oslo.policy.
type reference struct {
	name string
	to   check
}

func (r *reference) answer(q *question) verdict {
	if r.to == nil {
		return no
	}
	return r.to.answer(q)
}

// role compares without regard to case, as Keystone's role names do.
type role struct{ name operand }

func (r role) answer(q *question) verdict {
	want, ok := r.name.value(q.target)
	return of(ok && slices.ContainsFunc(q.creds.Roles, func(have string) bool { return strings.EqualFold(have, want) }))
}

// credential compares an attribute of the caller. One that has several values
// needs one that fits.
type credential struct {
	name string
	with operand
}

func (k credential) answer(q *question) verdict {
	want, ok := k.with.value(q.target)
	if !ok {
		return no
	}
	// Unlike role:, case counts, as in every comparison but that one.
	switch k.name {
	case "roles":
		return of(slices.Contains(q.creds.Roles, want))
	case "service_roles":
		return of(q.creds.Service != nil && slices.Contains(q.creds.Service.Roles, want))
	}
	have, ok := q.creds.attribute(k.name)
	// What a token does not have, such as a project, is equal to nothing.
	return of(ok && have != "" && have == want)
}

// literal compares a fixed text, such as 'vm':%(server_type)s.
type literal struct {
	text string
	with operand
}

func (k literal) answer(q *question) verdict {
	want, ok := k.with.value(q.target)
	return of(ok && k.text == want)
}

// operand is the right side of a comparison: texts and %(name)s in turn.
type operand []part

type part struct {
	text string
	// attribute is set where text names an attribute of the target.
	attribute bool
}

func (o operand) value(t Target) (string, bool) {
	if len(o) == 1 {
		return o[0].value(t)
	}
	return o.join(t, func(s string) string { return s })
}

// escaped is value for an address, in which an attribute of an object must
// not become more than a part of the path.
func (o operand) escaped(t Target) (string, bool) { return o.join(t, url.PathEscape) }

func (o operand) join(t Target, attribute func(string) string) (string, bool) {
	var b strings.Builder
	for _, p := range o {
		v, ok := p.value(t)
		if !ok {
			return "", false
		}
		if p.attribute {
			v = attribute(v)
		}
		b.WriteString(v)
	}
	return b.String(), true
}

func (p part) value(t Target) (string, bool) {
	if !p.attribute {
		return p.text, true
	}
	if t == nil {
		return "", false
	}
	return t.Attribute(p.text)
}
