package state

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3"

	"github.com/go-magnum/magnum/core/magnum"
)

// stamp is a column of upstream's type DATETIME, in seconds since 1970: on
// MariaDB upstream's columns have no fractions, and a database moved from one
// engine to another shall not change what users see. Zero is null.
type stamp int64

// stampText is how SQLAlchemy writes a time into SQLite.
const stampText = "2006-01-02 15:04:05.000000"

func stampOf(t time.Time) stamp {
	if t.IsZero() {
		return 0
	}
	return stamp(t.Unix())
}

func (s stamp) time() time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	if s == 0 {
		return nil, nil
	}
	return s.time().Format(stampText), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s = 0
	case time.Time:
		*s = stampOf(v)
	case string:
		*s = parseStamp(v)
	case []byte:
		*s = parseStamp(string(v))
	default:
		return fmt.Errorf("a time cannot be read from %T", src)
	}
	return nil
}

// parseStamp reads a time that comes as SQLite has it. What is none is null,
// as for go-sqlite3, which reads those of columns whose type it knows.
func parseStamp(text string) stamp {
	if t, err := time.Parse(stampText, text); err == nil {
		return stampOf(t)
	}
	for _, form := range sqlite3.SQLiteTimestampFormats {
		if t, err := time.Parse(form, strings.TrimSuffix(text, "Z")); err == nil {
			return stampOf(t)
		}
	}
	return 0
}

// micros and fromMicros convert the times of our own tables.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// Upstream's JSON columns hold what Python's json.dumps writes: a blank after
// colon and comma, and nothing but ASCII. An unset map is written as {}, an
// unset list as [], as upstream's column types do.

func mapText(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	b := []byte{'{'}
	for i, k := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(b, k)
		b = append(b, ": "...)
		b = appendText(b, m[k])
	}
	return string(append(b, '}'))
}

func listText(list []string) string {
	b := []byte{'['}
	for i, s := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(b, s)
	}
	return string(append(b, ']'))
}

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\b':
			b = append(b, '\\', 'b')
		case r == '\f':
			b = append(b, '\\', 'f')
		case r >= ' ' && r <= '~':
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}

// textMap reads a JSON map of texts; null is nil. Old databases also hold
// numbers and truth values, which are read as Python prints them.
func textMap(text string) (map[string]string, error) {
	switch text {
	case "", "null":
		return nil, nil
	case "{}":
		return map[string]string{}, nil
	}
	plain, ok := plainMap(text)
	if ok {
		return plain, nil
	}
	plain = nil
	if json.Unmarshal([]byte(text), &plain) == nil {
		return plain, nil
	}
	var mixed map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &mixed); err != nil {
		return nil, fmt.Errorf("read a JSON map: %w", err)
	}
	plain = make(map[string]string, len(mixed))
	for k, raw := range mixed {
		plain[k] = pythonText(raw)
	}
	return plain, nil
}

func pythonText(raw json.RawMessage) string {
	switch s := string(raw); s {
	case "true":
		return "True"
	case "false":
		return "False"
	case "null":
		return "None"
	default:
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return text
		}
		return s
	}
}

func textLabels(text string) (magnum.Labels, error) {
	m, err := textMap(text)
	return magnum.Labels(m), err
}

func textList(text string) ([]string, error) {
	switch text {
	case "", "null", "[]":
		return []string{}, nil
	}
	if list, ok := plainList(text); ok {
		return list, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read a JSON list: %w", err)
	}
	return list, nil
}

func taintText(list []magnum.Taint) string {
	b := []byte{'['}
	for i, t := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendText(append(b, `{"key": `...), t.Key)
		if t.Value != "" {
			b = appendText(append(b, `, "value": `...), t.Value)
		}
		b = append(appendText(append(b, `, "effect": `...), t.Effect), '}')
	}
	return string(append(b, ']'))
}

func textTaints(text string) ([]magnum.Taint, error) {
	switch text {
	case "", "null", "[]":
		return nil, nil
	}
	var list []magnum.Taint
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("read a JSON list: %w", err)
	}
	return list, nil
}

// nullable is a text column in which the empty text is not null.
type nullable struct {
	text  string
	valid bool
}

func nullableOf(s *string) nullable {
	if s == nil {
		return nullable{}
	}
	return nullable{*s, true}
}

func (n nullable) pointer() *string {
	if !n.valid {
		return nil
	}
	return &n.text
}

// Value implements driver.Valuer.
func (n nullable) Value() (driver.Value, error) {
	if !n.valid {
		return nil, nil
	}
	return n.text, nil
}

// Scan implements sql.Scanner.
func (n *nullable) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*n = nullable{}
	case string:
		*n = nullable{v, true}
	case []byte:
		*n = nullable{string(v), true}
	default:
		return fmt.Errorf("a text cannot be read from %T", src)
	}
	return nil
}
