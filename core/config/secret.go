package config

import (
	"fmt"
	"io"
)

// mask is what every way of printing a Secret gives.
const mask = "***"

// Secret is a value that does not print: fmt, JSON, text and the logger all
// show ***. Reveal is the only way to it, so its uses can be searched for.
type Secret struct {
	// A pointer, because fmt prints the unexported fields of a foreign
	// struct without asking their methods: an address tells nothing.
	value *string
}

// NewSecret hides a value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value itself. It must not reach a log, an error, an
// argument list or an environment.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a value at all.
func (s Secret) IsSet() bool { return s.value != nil }

// Equal compares values; go-cmp uses it.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String masks.
func (Secret) String() string { return mask }

// GoString masks.
func (Secret) GoString() string { return mask }

// Format masks, whatever the verb.
func (Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, mask) }

// MarshalText masks: JSON, YAML and the logger ask it.
func (Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }
