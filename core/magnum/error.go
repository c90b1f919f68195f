package magnum

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal an error is. package api turns it into an
// HTTP status, and nothing else does.
type Kind int

// The kinds of error.
const (
	Internal Kind = iota
	Invalid
	Unauthorized
	Forbidden
	NotFound
	NotAcceptable
	Conflict
	Unavailable
)

// Error is the one error type of the core. Message is in upstream's words and
// is shown to users; Cause, if any, only to operators.
type Error struct {
	Kind    Kind
	Message string
	Cause   error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an error that a user may read.
func Errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// KindOf finds the kind of an error anywhere in its chain; Internal if it has
// none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
