package policy

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/go-magnum/magnum/core/magnum"
)

// Admin is the rule that says who is an administrator.
const Admin = "context_is_admin"

// maxSize bounds the checks that a rule leads to, with those of the rules it
// refers to, each as often as it is referred to: a few short rules can be made
// to need more than a lifetime.
const maxSize = 10000

// Enforcer applies a set of rules. It is safe for concurrent use.
type Enforcer struct {
	rules map[string]*rule
	// fallback stands for every rule that is not there; nil: they deny.
	fallback *rule
	// admin is the rule Admin, at hand because every request asks.
	admin    *rule
	anyScope bool
	warned   sync.Map // of rules: a token of another kind was let
	listed   []Listed
	logger   hclog.Logger
}

// rule is a rule that can be asked.
type rule struct {
	check
	scopes []string
	name   string
	parsed parsed
	size   int // 0: not known yet
}

// compile makes an Enforcer of rules' texts. Rules that refer to each other in
// a circle are an error: half a policy is worse than none. Of several errors
// it is always the same one.
func (l *language) compile(texts []inForce, fallback string) (*Enforcer, error) {
	e := &Enforcer{rules: make(map[string]*rule, len(texts)), logger: hclog.NewNullLogger()}
	for _, t := range texts {
		p, err := l.parse(t.text)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", t.name, err)
		}
		e.rules[t.name] = &rule{check: p.check, scopes: t.scopes, name: t.name, parsed: p}
		e.listed = append(e.listed, Listed{Name: t.name, Check: t.text.String(), Source: t.source, Former: t.former})
	}
	e.fallback = e.rules[fallback]
	for _, t := range texts {
		for _, r := range e.rules[t.name].parsed.references {
			to := e.rules[r.name]
			if to == nil {
				to = e.fallback
			}
			if to != nil {
				r.name, r.to = to.name, to.check
			}
		}
	}
	for _, t := range texts {
		if err := e.measure(e.rules[t.name]); err != nil {
			return nil, err
		}
	}
	e.admin = e.rules[Admin]
	return e, nil
}

// beingMeasured marks the rules on the way from the first to this one.
const beingMeasured = -1

func (e *Enforcer) measure(r *rule) error {
	switch {
	case r.size == beingMeasured:
		return fmt.Errorf("policy %s refers to itself", r.name)
	case r.size > 0:
		return nil
	}
	r.size = beingMeasured
	size := r.parsed.size + 1
	for _, ref := range r.parsed.references {
		if ref.to == nil {
			continue
		}
		to := e.rules[ref.name]
		if err := e.measure(to); err != nil {
			return err
		}
		if size += to.size; size > maxSize {
			return fmt.Errorf("policy %s leads to more than %d checks", r.name, maxSize)
		}
	}
	r.size = size
	return nil
}

// Has reports whether there is a rule of that name.
func (e *Enforcer) Has(rule string) bool { return e.rules[rule] != nil }

// List returns all rules as they are in force: those of the service first, in
// their order, then what only files know.
func (e *Enforcer) List() []Listed { return slices.Clone(e.listed) }

// IsAdmin reports whether the caller is an administrator.
func (e *Enforcer) IsAdmin(ctx context.Context, c *Credentials) bool {
	return e.admin.answer(&question{ctx: ctx, rule: Admin, creds: c}) == yes
}

// Allowed reports whether a rule lets the caller do something to the target.
// For a rule that does not exist the default rule answers; where that does not
// exist either, nothing is allowed. Nor is it by a token of a kind that the
// rule is not open to.
func (e *Enforcer) Allowed(ctx context.Context, rule string, c *Credentials, t Target) bool {
	r := e.rules[rule]
	if r == nil {
		r = e.fallback
	}
	if r == nil {
		return false
	}
	if len(r.scopes) > 0 && !slices.Contains(r.scopes, c.scope()) {
		if !e.anyScope {
			return false
		}
		if _, again := e.warned.LoadOrStore(rule, true); !again {
			e.logger.Warn("a token of a kind that the rule is not meant for; enforce_scope would refuse it",
				"rule", rule, "scope", c.scope(), "meant", r.scopes)
		}
	}
	return r.answer(&question{ctx: ctx, rule: rule, creds: c, target: t}) == yes
}

// Enforce is Allowed with upstream's refusal.
func (e *Enforcer) Enforce(ctx context.Context, rule string, c *Credentials, t Target) error {
	if e.Allowed(ctx, rule, c, t) {
		return nil
	}
	return magnum.Errorf(magnum.Forbidden, "Policy doesn't allow %s to be performed.", rule)
}
