package policy

import (
	"fmt"
	"strings"
)

// maxDepth bounds nesting, so that a rule cannot exhaust the stack.
const maxDepth = 100

// text is a rule as it is written: in the language of rules or, in files of
// old, as a list of lists of checks.
type text struct {
	words string
	lists [][]string
	list  bool
}

// String is the rule in the language of rules.
func (t text) String() string {
	if !t.list {
		return t.words
	}
	alternatives := make([]string, 0, len(t.lists))
	for _, l := range t.lists {
		alternatives = append(alternatives, strings.Join(l, " and "))
	}
	switch len(alternatives) {
	case 0:
		return "!"
	case 1:
		return alternatives[0]
	}
	return "(" + strings.Join(alternatives, ") or (") + ")"
}

// parsed is a rule's tree with the references in it, which lead nowhere yet.
type parsed struct {
	check      check
	references []*reference
	size       int // checks in it, without those of other rules
}

// parse reads a rule. An empty one allows everybody, as in oslo.policy.
func (l *language) parse(t text) (parsed, error) {
	p := parser{language: l}
	k, err := p.rule(t)
	if err != nil {
		return parsed{}, fmt.Errorf("rule %q: %w", t.String(), err)
	}
	return parsed{k, p.references, p.size}, nil
}

// language is what the words of a rule may need from outside.
type language struct {
	remote *remote
}

func (p *parser) rule(t text) (check, error) {
	if t.list {
		return p.lists(t.lists)
	}
	p.tokens = tokenize(t.words)
	if len(p.tokens) == 0 {
		return constant(yes), nil
	}
	k, err := p.either(0)
	if err == nil && p.next < len(p.tokens) {
		err = fmt.Errorf("unexpected %q", p.tokens[p.next])
	}
	return k, err
}

// lists reads the form of old: any of the inner lists, of which all must hold.
// Each text there is one check: "and", "or" and parentheses mean nothing.
func (p *parser) lists(lists [][]string) (check, error) {
	var some anyOf
	for _, list := range lists {
		var each all
		for _, word := range list {
			k, err := p.comparison(strings.TrimSpace(word))
			if err != nil {
				return nil, err
			}
			each = append(each, k)
		}
		some = append(some, each)
	}
	return some, nil
}

// tokenize splits at blanks and cuts parentheses off the ends of words. Those
// inside a word belong to it: they are part of %(name)s.
func tokenize(rule string) []string {
	var tokens []string
	for _, word := range strings.Fields(rule) {
		for strings.HasPrefix(word, "(") {
			tokens, word = append(tokens, "("), word[1:]
		}
		closing := 0
		for strings.HasSuffix(word, ")") {
			word = word[:len(word)-1]
			closing++
		}
		// The parenthesis of a final %(name)s without its s is a mistake
		// that operand reports.
		if word != "" {
			tokens = append(tokens, word)
		}
		for range closing {
			tokens = append(tokens, ")")
		}
	}
	return tokens
}

type parser struct {
	*language
	tokens     []string
	next       int
	references []*reference
	size       int
}

func (p *parser) accept(word string) bool {
	if p.next < len(p.tokens) && strings.EqualFold(p.tokens[p.next], word) {
		p.next++
		return true
	}
	return false
}

// either reads checks joined by or, which binds less than and.
func (p *parser) either(depth int) (check, error) {
	k, err := p.both(depth)
	if err != nil {
		return nil, err
	}
	list := anyOf{k}
	for p.accept("or") {
		if k, err = p.both(depth); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

func (p *parser) both(depth int) (check, error) {
	k, err := p.one(depth)
	if err != nil {
		return nil, err
	}
	list := all{k}
	for p.accept("and") {
		if k, err = p.one(depth); err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

func (p *parser) one(depth int) (check, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	switch {
	case p.next == len(p.tokens):
		return nil, fmt.Errorf("a check is missing at the end")
	case p.accept("not"):
		k, err := p.one(depth + 1)
		return negation{k}, err
	case p.accept("("):
		k, err := p.either(depth + 1)
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("a closing parenthesis is missing")
		}
		return k, err
	case p.tokens[p.next] == ")":
		return nil, fmt.Errorf("unexpected \")\"")
	}
	word := p.tokens[p.next]
	p.next++
	return p.comparison(word)
}

func (p *parser) comparison(word string) (check, error) {
	p.size++
	switch word {
	case "@":
		return constant(yes), nil
	case "!":
		return constant(no), nil
	}
	kind, match, ok := strings.Cut(word, ":")
	if !ok || kind == "" {
		return nil, fmt.Errorf("%q is not of the form kind:match", word)
	}
	if kind == "rule" {
		r := &reference{name: match}
		p.references = append(p.references, r)
		return r, nil
	}
	with, err := parseOperand(match)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "role":
		return role{with}, nil
	case "http", "https":
		return p.remote.check(kind, match, with)
	}
	if fixed, ok := literalOf(kind); ok {
		return literal{fixed, with}, nil
	}
	return credential{kind, with}, nil
}

// literalOf reads the left side as one of Python's simple literals and returns
// it as Python would print it.
func literalOf(s string) (string, bool) {
	switch s {
	case "True", "False", "None":
		return s, true
	}
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1], true
	}
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !isNumber(whole) || point && !isNumber(fraction) {
		return "", false
	}
	return s, true
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// parseOperand reads texts with %(name)s in them. A percent sign that begins
// no attribute is written twice.
func parseOperand(s string) (operand, error) {
	var o operand
	fixed := ""
	for s != "" {
		before, rest, found := strings.Cut(s, "%")
		fixed += before
		if !found {
			break
		}
		if after, ok := strings.CutPrefix(rest, "%"); ok {
			fixed += "%"
			s = after
			continue
		}
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "("), ")s")
		if !strings.HasPrefix(rest, "(") || !closed || name == "" {
			return nil, fmt.Errorf("%q has an unfinished %%(name)s; a percent sign itself is written %%%%", s)
		}
		if fixed != "" {
			o = append(o, part{text: fixed})
			fixed = ""
		}
		o = append(o, part{text: name, attribute: true})
		s = after
	}
	if fixed != "" {
		o = append(o, part{text: fixed})
	}
	return o, nil
}
