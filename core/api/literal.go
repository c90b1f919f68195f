package api

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseLiteral reads a map or list that a client sends as text: JSON, or
// Python's own notation, which is what the command line tools send.
func parseLiteral(s string) (value, error) {
	if v, err := parseJSON([]byte(s)); err == nil {
		return v, nil
	}
	if hasNUL(s) {
		return value{}, errLiteral
	}
	p := literalParser{rest: s}
	v, err := p.value(0)
	if err == nil {
		if p.blank(); p.rest != "" {
			err = errLiteral
		}
	}
	return v, err
}

var errLiteral = errors.New("malformed node or string")

type literalParser struct{ rest string }

func (p *literalParser) blank() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *literalParser) accept(c byte) bool {
	p.blank()
	if p.rest != "" && p.rest[0] == c {
		p.rest = p.rest[1:]
		return true
	}
	return false
}

func (p *literalParser) value(depth int) (value, error) {
	if depth > maxNesting {
		return value{}, errLiteral
	}
	switch p.blank(); {
	case p.rest == "":
		return value{}, errLiteral
	case p.accept('{'):
		return p.dict(depth)
	case p.accept('['):
		return p.list(depth, ']')
	case p.accept('('):
		return p.list(depth, ')')
	case p.rest[0] == '\'' || p.rest[0] == '"':
		s, err := p.text()
		return value{kind: text, text: s}, err
	}
	end := strings.IndexAny(p.rest, " \t\r\n,:]})")
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch word {
	case "True", "False":
		return value{kind: boolean, truth: word == "True"}, nil
	case "None":
		return value{}, nil
	}
	return literalNumber(word)
}

func literalNumber(word string) (value, error) {
	if n, err := strconv.ParseInt(word, 10, 64); err == nil {
		return value{kind: number, text: strconv.FormatInt(n, 10)}, nil
	}
	if f, err := strconv.ParseFloat(word, 64); err == nil && strings.Trim(word, "+-.0123456789eE") == "" {
		return value{kind: number, text: strconv.FormatFloat(f, 'e', -1, 64)}, nil
	}
	return value{}, errLiteral
}

func (p *literalParser) dict(depth int) (value, error) {
	v := value{kind: object}
	at := map[string]int{}
	for !p.accept('}') {
		if len(v.members) > 0 && !p.accept(',') {
			return value{}, errLiteral
		}
		if p.accept('}') { // after a last comma
			break
		}
		key, err := p.value(depth + 1)
		if err != nil || key.kind == list || key.kind == object || !p.accept(':') {
			return value{}, errLiteral
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return value{}, err
		}
		name := key.str()
		if i, twice := at[name]; twice {
			v.members[i].value = item
			continue
		}
		at[name] = len(v.members)
		v.members = append(v.members, member{name, item})
	}
	return v, nil
}

func (p *literalParser) list(depth int, end byte) (value, error) {
	v := value{kind: list}
	for !p.accept(end) {
		if len(v.items) > 0 && !p.accept(',') {
			return value{}, errLiteral
		}
		if p.accept(end) {
			break
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	return v, nil
}

// escapes are Python's one-letter ones.
var escapes = map[byte]string{
	'n': "\n", 't': "\t", 'r': "\r", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\\': "\\", '\'': "'", '"': `"`, '\n': "",
}

func (p *literalParser) text() (string, error) {
	q := p.rest[0]
	s := p.rest[1:]
	var b strings.Builder
	for s != "" {
		switch c := s[0]; {
		case c == q:
			p.rest = s[1:]
			if !utf8.ValidString(b.String()) {
				return "", errLiteral
			}
			return b.String(), nil
		case c == '\n':
			return "", errLiteral
		case c == '\\' && len(s) > 1:
			rest, err := escape(&b, s[1:])
			if err != nil {
				return "", err
			}
			s = rest
		default:
			b.WriteByte(c)
			s = s[1:]
		}
	}
	return "", errLiteral
}

func escape(b *strings.Builder, s string) (rest string, err error) {
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if width == 0 {
		plain, ok := escapes[s[0]]
		if !ok {
			plain = `\` + s[:1] // Python keeps what it does not know
		}
		b.WriteString(plain)
		return s[1:], nil
	}
	if len(s) <= width {
		return "", errLiteral
	}
	n, err := strconv.ParseUint(s[1:1+width], 16, 32)
	if err != nil || n == 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return "", errLiteral
	}
	b.WriteRune(rune(n))
	return s[1+width:], nil
}
