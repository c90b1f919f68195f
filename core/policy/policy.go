package policy

import (
	"fmt"

	"github.com/go-magnum/magnum/core/magnum"
)

// Admin is the rule that says who is an administrator.
const Admin = "context_is_admin"

// Enforcer applies a set of rules. It is safe for concurrent use.
type Enforcer struct {
	rules map[string]check
	// fallback stands for every rule that is not there; nil: they deny.
	fallback check
	// admin is the rule Admin, at hand because every request asks.
	admin check
}

// compile makes an Enforcer of rules' texts. Rules that refer to each other in
// a circle are an error: half a policy is worse than none.
func compile(texts map[string]string, fallback string) (*Enforcer, error) {
	e := &Enforcer{rules: make(map[string]check, len(texts))}
	references := make(map[string][]*reference, len(texts))
	for name, text := range texts {
		k, refs, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		e.rules[name], references[name] = k, refs
	}
	e.fallback = e.rules[fallback]
	for _, refs := range references {
		for _, r := range refs {
			if e.rules[r.name] == nil {
				r.name = fallback
			}
			r.to = e.rules[r.name]
		}
	}
	const visiting, done = 1, 2
	seen := make(map[string]int, len(texts))
	var visit func(name string) error
	visit = func(name string) error {
		switch seen[name] {
		case visiting:
			return fmt.Errorf("policy %s refers to itself", name)
		case done:
			return nil
		}
		seen[name] = visiting
		for _, r := range references[name] {
			if err := visit(r.name); err != nil {
				return err
			}
		}
		seen[name] = done
		return nil
	}
	for name := range texts {
		if err := visit(name); err != nil {
			return nil, err
		}
	}
	e.admin = e.rules[Admin]
	return e, nil
}

// Has reports whether there is a rule of that name.
func (e *Enforcer) Has(rule string) bool { return e.rules[rule] != nil }

// IsAdmin reports whether the caller is an administrator.
func (e *Enforcer) IsAdmin(c *Credentials) bool { return e.admin.allows(c, nil) }

// Allowed reports whether a rule lets the caller do something to the target.
// For a rule that does not exist the default rule answers; where that does not
// exist either, nothing is allowed.
func (e *Enforcer) Allowed(rule string, c *Credentials, t Target) bool {
	k := e.rules[rule]
	if k == nil {
		k = e.fallback
	}
	return k != nil && k.allows(c, t)
}

// Enforce is Allowed with upstream's refusal.
func (e *Enforcer) Enforce(rule string, c *Credentials, t Target) error {
	if e.Allowed(rule, c, t) {
		return nil
	}
	return magnum.Errorf(magnum.Forbidden, "Policy doesn't allow %s to be performed.", rule)
}
