package api

import (
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-magnum/magnum/core/magnum"
)

// encoder appends JSON to a buffer. Answers are written field by field: the
// hot ones are read thousands of times a second, and reflection costs more
// than the database.
type encoder struct {
	b     []byte
	comma bool // something stands before the next member
}

func (e *encoder) separate() {
	if e.comma {
		e.b = append(e.b, ", "...)
	}
	e.comma = true
}

func (e *encoder) open(c byte) {
	e.separate()
	e.b = append(e.b, c)
	e.comma = false
}

func (e *encoder) close(c byte) {
	e.b = append(e.b, c)
	e.comma = true
}

func (e *encoder) key(name string) {
	e.separate()
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, `": `...)
	e.comma = false
}

func (e *encoder) str(name, v string) {
	e.key(name)
	e.b = appendString(e.b, v)
	e.comma = true
}

// text writes null for an empty text: zero values stand for upstream's nulls.
func (e *encoder) text(name, v string) {
	if v == "" {
		e.null(name)
		return
	}
	e.str(name, v)
}

func (e *encoder) null(name string) {
	e.key(name)
	e.b = append(e.b, "null"...)
	e.comma = true
}

func (e *encoder) int(name string, v int) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, int64(v), 10)
	e.comma = true
}

// number writes null for zero.
func (e *encoder) number(name string, v int) {
	if v == 0 {
		e.null(name)
		return
	}
	e.int(name, v)
}

func (e *encoder) bool(name string, v bool) {
	e.key(name)
	e.b = strconv.AppendBool(e.b, v)
	e.comma = true
}

// time writes upstream's form, without microseconds; null for the zero time.
func (e *encoder) time(name string, v time.Time) {
	if v.IsZero() {
		e.null(name)
		return
	}
	e.key(name)
	e.b = append(e.b, '"')
	e.b = v.UTC().AppendFormat(e.b, "2006-01-02T15:04:05")
	e.b = append(e.b, `+00:00"`...)
	e.comma = true
}

func (e *encoder) texts(name string, v []string) {
	e.key(name)
	e.open('[')
	for _, s := range v {
		e.separate()
		e.b = appendString(e.b, s)
	}
	e.close(']')
}

// labels writes null for nil, which is not the same as none.
func (e *encoder) labels(name string, v magnum.Labels) {
	if v == nil {
		e.null(name)
		return
	}
	e.stringMap(name, v)
}

// stringMap writes a map in the order of its keys; {} for nil.
func (e *encoder) stringMap(name string, v map[string]string) {
	e.key(name)
	e.open('{')
	switch len(v) {
	case 0:
	case 1:
		for k, s := range v {
			e.pair(k, s)
		}
	default:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			e.pair(k, v[k])
		}
	}
	e.close('}')
}

// pair writes a member whose name is not known to be clean.
func (e *encoder) pair(k, v string) {
	e.separate()
	e.b = appendString(e.b, k)
	e.b = append(e.b, ": "...)
	e.b = appendString(e.b, v)
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Broken UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			b = append(b, "\ufffd"...)
			i++
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// link writes one link object.
func (e *encoder) link(rel string, href ...string) {
	e.open('{')
	e.key("href")
	e.b = append(e.b, '"')
	for _, s := range href {
		e.b = append(e.b, s...)
	}
	e.b = append(e.b, '"')
	e.comma = true
	e.str("rel", rel)
	e.close('}')
}

// links writes the two links of a resource. The base was cleaned when the
// request came in, ids are uuids.
func (e *encoder) links(base, resource, id string) {
	e.key("links")
	e.open('[')
	e.link("self", base, "/v1/", resource, "/", id)
	e.link("bookmark", base, "/", resource, "/", id)
	e.close(']')
}
