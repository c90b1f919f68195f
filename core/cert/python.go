package cert

import (
	"bytes"
	"crypto/x509/pkix"
	"fmt"
	"strings"
)

// Upstream's refusals quote Python objects. Clients show them, and scripts
// look for them, so they are printed here as Python prints them.

// pythonBytes is repr() of bytes.
func pythonBytes(b []byte) string {
	quote := byte('\'')
	if bytes.IndexByte(b, '\'') >= 0 && bytes.IndexByte(b, '"') < 0 {
		quote = '"'
	}
	out := []byte{'b', quote}
	for _, c := range b {
		switch {
		case c == quote || c == '\\':
			out = append(out, '\\', c)
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\r':
			out = append(out, '\\', 'r')
		case c == '\t':
			out = append(out, '\\', 't')
		case c < ' ' || c > '~':
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(append(out, quote))
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func pythonOID(e pkix.Extension) string {
	name, ok := extensionNames()[e.Id.String()]
	if !ok {
		name = "Unknown OID"
	}
	return fmt.Sprintf("<ObjectIdentifier(oid=%s, name=%s)>", e.Id, name)
}

func pythonExtension(e pkix.Extension, value string) string {
	return fmt.Sprintf("<Extension(oid=%s, critical=%s, value=%s)>", pythonOID(e), pythonBool(e.Critical), value)
}

func unrecognized(e pkix.Extension) string {
	return fmt.Sprintf("<UnrecognizedExtension(oid=%s, value=%s)>", pythonOID(e), pythonBytes(e.Value))
}

func pythonUsage(bits int) string {
	fields := make([]string, len(usageFields))
	for i, field := range usageFields {
		fields[i] = field + "=" + pythonBool(bits>>i&1 == 1)
	}
	return "<KeyUsage(" + strings.Join(fields, ", ") + ")>"
}

func pythonConstraints(c basicConstraints) string {
	length := "None"
	if c.MaxPathLen >= 0 {
		length = fmt.Sprint(c.MaxPathLen)
	}
	return fmt.Sprintf("<BasicConstraints(ca=%s, path_length=%s)>", pythonBool(c.IsCA), length)
}
