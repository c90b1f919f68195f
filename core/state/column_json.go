package state

// Nearly all maps and lists in the database are short ones of plain texts.
// They are cut out of the column's text; encoding/json takes ten times as
// long, which is felt where hundreds of them make a list. Everything else is
// still its business: a plain reader that finds anything unusual gives up.

// plainText reads a text without escapes, of ASCII, from the start of s.
func plainText(s string) (text, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[1:i], s[i+1:], true
		case c < ' ' || c > '~' || c == '\\':
			return "", "", false
		}
	}
	return "", "", false
}

// plainMark reads a mark and the blanks behind it.
func plainMark(s string, mark byte) (rest string, ok bool) {
	if s == "" || s[0] != mark {
		return s, false
	}
	for s = s[1:]; s != "" && s[0] == ' '; s = s[1:] {
	}
	return s, true
}

// plainMap reads a map that is not empty.
func plainMap(s string) (m map[string]string, ok bool) {
	if s, ok = plainMark(s, '{'); !ok {
		return nil, false
	}
	m = map[string]string{}
	for more := true; more; {
		var k, v string
		if k, s, ok = plainText(s); !ok {
			return nil, false
		}
		if s, ok = plainMark(s, ':'); !ok {
			return nil, false
		}
		if v, s, ok = plainText(s); !ok {
			return nil, false
		}
		m[k] = v
		s, more = plainMark(s, ',')
	}
	return m, s == "}"
}

// plainList reads a list that is not empty.
func plainList(s string) (list []string, ok bool) {
	if s, ok = plainMark(s, '['); !ok {
		return nil, false
	}
	for more := true; more; {
		var v string
		if v, s, ok = plainText(s); !ok {
			return nil, false
		}
		list = append(list, v)
		s, more = plainMark(s, ',')
	}
	return list, s == "]"
}
