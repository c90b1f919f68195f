package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/go-magnum/magnum/core/magnum"
)

// Admin is the rule that says who is an administrator.
const Admin = "context_is_admin"

// Config says where rules come from.
type Config struct {
	// Path names a YAML or JSON file whose rules take the place of the
	// defaults of the same name. Empty, or a file that does not exist: only
	// the defaults.
	Path string
}

// Enforcer applies a set of rules. It is safe for concurrent use.
type Enforcer struct {
	rules map[string]check
	// admin is the rule Admin, at hand because every request asks.
	admin check
}

// New reads the rules. A file that cannot be read or understood, and rules
// that refer to each other in a circle, are errors: half a policy is worse
// than none.
func New(c Config) (*Enforcer, error) {
	texts := Defaults()
	overrides, err := load(c.Path)
	if err != nil {
		return nil, err
	}
	for name, text := range overrides {
		texts[name] = text
	}
	return compile(texts)
}

func load(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read policy file: %w", err)
	}
	// JSON is YAML, so one reader does for both.
	var file map[string]yaml.Node
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read policy file %s: %w", path, err)
	}
	rules := make(map[string]string, len(file))
	for name, node := range file {
		if rules[name], err = ruleText(node); err != nil {
			return nil, fmt.Errorf("policy file %s, rule %s: %w", path, name, err)
		}
	}
	return rules, nil
}

// ruleText takes a rule as text, or as oslo.policy's old list of lists: any
// of the inner lists, of which all checks must hold.
func ruleText(node yaml.Node) (string, error) {
	var text string
	if node.Tag == "!!null" {
		return "", errors.New("there is no text; write \"@\" to allow everybody, \"!\" nobody")
	}
	if node.Decode(&text) == nil {
		return text, nil
	}
	var lists [][]string
	if err := node.Decode(&lists); err != nil {
		return "", errors.New("a rule is a text or a list of lists of texts")
	}
	if len(lists) == 0 {
		return "@", nil
	}
	alternatives := make([]string, 0, len(lists))
	for _, list := range lists {
		if len(list) > 0 {
			alternatives = append(alternatives, "("+strings.Join(list, " and ")+")")
		}
	}
	if len(alternatives) == 0 {
		return "!", nil
	}
	return strings.Join(alternatives, " or "), nil
}

func compile(texts map[string]string) (*Enforcer, error) {
	e := &Enforcer{rules: make(map[string]check, len(texts))}
	references := make(map[string][]*reference, len(texts))
	for name, text := range texts {
		k, refs, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", name, err)
		}
		e.rules[name], references[name] = k, refs
	}
	for _, refs := range references {
		for _, r := range refs {
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
// A rule that does not exist allows nothing.
func (e *Enforcer) Allowed(rule string, c *Credentials, t Target) bool {
	k := e.rules[rule]
	return k != nil && k.allows(c, t)
}

// Enforce is Allowed with upstream's refusal.
func (e *Enforcer) Enforce(rule string, c *Credentials, t Target) error {
	if e.Allowed(rule, c, t) {
		return nil
	}
	return magnum.Errorf(magnum.Forbidden, "Policy doesn't allow %s to be performed.", rule)
}
