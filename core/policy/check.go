package policy

import (
	"slices"
	"strings"
)

// Credentials are what a rule may know of the caller.
type Credentials struct {
	UserID    string
	UserName  string
	DomainID  string // the user's domain
	ProjectID string
	Roles     []string
	// IsAdmin is set by whoever asks, from the rule context_is_admin.
	IsAdmin bool
	// Service is whose X-Service-Token came with the request; nil without one.
	Service *Service
}

// Service is a service that passes on what somebody asked of it.
type Service struct {
	UserID, UserDomainID       string
	ProjectID, ProjectDomainID string
	Roles                      []string
}

// attribute returns a value by the name it has in rules.
func (c Credentials) attribute(name string) (string, bool) {
	switch name {
	case "user_id", "user":
		return c.UserID, true
	case "user_name", "username":
		return c.UserName, true
	case "domain_id", "user_domain_id":
		return c.DomainID, true
	case "project_id", "tenant", "tenant_id":
		return c.ProjectID, true
	case "is_admin":
		if c.IsAdmin {
			return "True", true
		}
		return "False", true
	}
	if c.Service == nil {
		return "", false
	}
	switch name {
	case "service_user_id":
		return c.Service.UserID, true
	case "service_user_domain_id":
		return c.Service.UserDomainID, true
	case "service_project_id":
		return c.Service.ProjectID, true
	case "service_project_domain_id":
		return c.Service.ProjectDomainID, true
	}
	return "", false
}

// Target is the object a request is about.
type Target interface {
	// Attribute returns the value that %(name)s stands for in a rule, and
	// false where the object has no such value: the comparison then fails.
	Attribute(name string) (string, bool)
}

// check is one node of a rule.
type check interface {
	allows(c *Credentials, t Target) bool
}

type constant bool

func (k constant) allows(*Credentials, Target) bool { return bool(k) }

type all []check

func (l all) allows(c *Credentials, t Target) bool {
	for _, k := range l {
		if !k.allows(c, t) {
			return false
		}
	}
	return true
}

type anyOf []check

func (l anyOf) allows(c *Credentials, t Target) bool {
	for _, k := range l {
		if k.allows(c, t) {
			return true
		}
	}
	return false
}

type negation struct{ check }

func (n negation) allows(c *Credentials, t Target) bool { return !n.check.allows(c, t) }

// reference stands for another rule, or for the default rule where there is
// none of that name; to is nil where there is neither, which denies, as in
// oslo.policy.
type reference struct {
	name string
	to   check
}

func (r *reference) allows(c *Credentials, t Target) bool {
	return r.to != nil && r.to.allows(c, t)
}

// role compares without regard to case, as Keystone's role names do.
type role struct{ name operand }

func (r role) allows(c *Credentials, t Target) bool {
	want, ok := r.name.value(t)
	if !ok {
		return false
	}
	for _, have := range c.Roles {
		if strings.EqualFold(have, want) {
			return true
		}
	}
	return false
}

// credential compares an attribute of the caller.
type credential struct {
	name string
	with operand
}

func (k credential) allows(c *Credentials, t Target) bool {
	if k.name == "service_roles" {
		// A list: one of its members has to be the one. Unlike role:, case
		// counts, as in every comparison of oslo.policy's but that one.
		want, ok := k.with.value(t)
		return ok && c.Service != nil && slices.Contains(c.Service.Roles, want)
	}
	have, ok := c.attribute(k.name)
	if !ok {
		return false
	}
	want, ok := k.with.value(t)
	return ok && have == want
}

// literal compares a fixed text, such as 'vm':%(server_type)s.
type literal struct {
	text string
	with operand
}

func (k literal) allows(_ *Credentials, t Target) bool {
	want, ok := k.with.value(t)
	return ok && k.text == want
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
	var b strings.Builder
	for _, p := range o {
		v, ok := p.value(t)
		if !ok {
			return "", false
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
