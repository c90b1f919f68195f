package policy

import (
	"fmt"
	"strings"
)

// maxDepth bounds nesting, so that a rule cannot exhaust the stack.
const maxDepth = 100

// parse reads a rule. An empty one allows everybody, as in oslo.policy.
func parse(rule string) (check, []*reference, error) {
	p := parser{tokens: tokenize(rule)}
	if len(p.tokens) == 0 {
		return constant(true), nil, nil
	}
	k, err := p.either(0)
	if err == nil && p.next < len(p.tokens) {
		err = fmt.Errorf("unexpected %q", p.tokens[p.next])
	}
	if err != nil {
		return nil, nil, fmt.Errorf("rule %q: %w", rule, err)
	}
	return k, p.references, nil
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
	tokens     []string
	next       int
	references []*reference
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
	switch word {
	case "@":
		return constant(true), nil
	case "!":
		return constant(false), nil
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
	switch {
	case kind == "role":
		return role{with}, nil
	case kind == "http" || kind == "https":
		return nil, fmt.Errorf("remote checks (%s:) are not supported", kind)
	case len(kind) >= 2 && (kind[0] == '\'' || kind[0] == '"') && kind[len(kind)-1] == kind[0]:
		return literal{kind[1 : len(kind)-1], with}, nil
	case kind == "True" || kind == "False" || kind == "None" || isNumber(kind):
		return literal{kind, with}, nil
	}
	return credential{kind, with}, nil
}

func isNumber(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// parseOperand reads texts with %(name)s in them.
func parseOperand(s string) (operand, error) {
	var o operand
	for s != "" {
		before, rest, found := strings.Cut(s, "%(")
		if before != "" {
			o = append(o, part{text: before})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, ")s")
		if !closed || name == "" {
			return nil, fmt.Errorf("%q has an unfinished %%(name)s", s)
		}
		o = append(o, part{text: name, attribute: true})
		s = after
	}
	return o, nil
}
