package state

import (
	"strings"

	"github.com/uptrace/bun/dialect/sqlitedialect"
)

// textDialect writes texts that a database can keep. The API refuses a NUL
// character, but a text may come from elsewhere: the last words of a failed
// script, a driver's outputs, a name in Keystone. An operation that could not
// be saved for it would be tried for ever.
type textDialect struct{ *sqlitedialect.Dialect }

// AppendString puts U+FFFD in the place of each NUL.
func (d textDialect) AppendString(b []byte, s string) []byte {
	return d.Dialect.AppendString(b, strings.ReplaceAll(s, "\x00", "\uFFFD"))
}
