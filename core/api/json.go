package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is a JSON value's.
type kind int

const (
	null kind = iota
	boolean
	number
	text
	list
	object
)

// value is a JSON value that remembers the order of its members and the form
// of its numbers, because upstream's refusals repeat what was sent.
type value struct {
	kind    kind
	truth   bool
	text    string // of a text, or of a number as it was written
	items   []value
	members []member
}

type member struct {
	name  string
	value value
}

// maxNesting bounds the depth of a body, far above any honest one.
const maxNesting = 64

var errJSON = badRequest("Request is not in valid JSON format")

// errNUL refuses what no database keeps in a text, and what would cut a
// statement short that has the text in it.
var errNUL = badRequest("Request holds a text with a NUL character, which cannot be stored")

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

func parseJSON(b []byte) (value, error) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return value{}, errJSON
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return decodeValue(d, 0)
}

func decodeValue(d *json.Decoder, depth int) (value, error) {
	t, err := d.Token()
	if err != nil || depth > maxNesting {
		return value{}, errJSON
	}
	switch t := t.(type) {
	case bool:
		return value{kind: boolean, truth: t}, nil
	case json.Number:
		return value{kind: number, text: t.String()}, nil
	case string:
		if hasNUL(t) {
			return value{}, errNUL
		}
		return value{kind: text, text: t}, nil
	case json.Delim:
		if t == '[' {
			return decodeList(d, depth)
		}
		return decodeObject(d, depth)
	}
	return value{}, nil
}

func decodeList(d *json.Decoder, depth int) (value, error) {
	v := value{kind: list}
	for d.More() {
		item, err := decodeValue(d, depth+1)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.Token()
	return v, err
}

// decodeObject keeps the first place and the last value of a name that comes
// twice, as Python does.
func decodeObject(d *json.Decoder, depth int) (value, error) {
	v := value{kind: object}
	at := map[string]int{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return value{}, errJSON
		}
		item, err := decodeValue(d, depth+1)
		if err != nil {
			return value{}, err
		}
		key, _ := name.(string) // a JSON object's names are texts
		if hasNUL(key) {
			return value{}, errNUL
		}
		if i, twice := at[key]; twice {
			v.members[i].value = item
			continue
		}
		at[key] = len(v.members)
		v.members = append(v.members, member{key, item})
	}
	_, err := d.Token()
	return v, err
}

// typeName is the value's type in Python's words.
func (v value) typeName() string {
	switch v.kind {
	case boolean:
		return "bool"
	case number:
		if v.isFloat() {
			return "float"
		}
		return "int"
	case text:
		return "str"
	case list:
		return "list"
	case object:
		return "dict"
	}
	return "NoneType"
}

func (v value) isFloat() bool { return strings.ContainsAny(v.text, ".eE") }

// integer converts as Python's int() does: texts of digits, floats cut off,
// truth values. What does not fit is the greatest or least int.
func (v value) integer() (int, bool) {
	switch v.kind {
	case boolean:
		if v.truth {
			return 1, true
		}
		return 0, true
	case text:
		return parseInt(strings.TrimSpace(v.text))
	case number:
		if !v.isFloat() {
			return parseInt(v.text)
		}
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			return 0, false
		}
		n, _ := big.NewFloat(f).Int(nil)
		return parseInt(n.String())
	}
	return 0, false
}

func parseInt(s string) (int, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return int(n), err == nil || errors.Is(err, strconv.ErrRange)
}

// str is what Python's str() makes of the value, as refusals quote it.
func (v value) str() string {
	if v.kind == text {
		return v.text
	}
	var b strings.Builder
	v.repr(&b)
	return b.String()
}

func (v value) repr(b *strings.Builder) {
	switch v.kind {
	case null:
		b.WriteString("None")
	case boolean:
		if v.truth {
			b.WriteString("True")
		} else {
			b.WriteString("False")
		}
	case number:
		b.WriteString(v.pythonNumber())
	case text:
		b.WriteString(quote(v.text))
	case list:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			item.repr(b)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, m := range v.members {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quote(m.name))
			b.WriteString(": ")
			m.value.repr(b)
		}
		b.WriteByte('}')
	}
}

func (v value) pythonNumber() string {
	if !v.isFloat() {
		return v.text
	}
	f, err := strconv.ParseFloat(v.text, 64)
	if err != nil {
		return "inf"
	}
	form := byte('f')
	if a := max(f, -f); a != 0 && (a < 1e-4 || a >= 1e16) {
		form = 'e'
	}
	s := strconv.FormatFloat(f, form, -1, 64)
	if form == 'f' && !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote is Python's repr() of a text.
func quote(s string) string {
	q := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.WriteByte(q)
	for _, r := range s {
		switch {
		case r == rune(q) || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			b.WriteString(`\x` + pad(r, 2))
		case r < 0x10000:
			b.WriteString(`\u` + pad(r, 4))
		default:
			b.WriteString(`\U` + pad(r, 8))
		}
	}
	b.WriteByte(q)
	return b.String()
}

func pad(r rune, width int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, width-len(s))) + s
}

// names lists an object's members in order of name.
func (v value) names() []string {
	all := make([]string, 0, len(v.members))
	for _, m := range v.members {
		all = append(all, m.name)
	}
	slices.Sort(all)
	return all
}
