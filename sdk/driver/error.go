package driver

import (
	"errors"
	"fmt"
	"time"
)

// Class says what kind of failure an error is. Each has one retry rule and
// one effect on the API's answer and on the cluster.
type Class string

// The classes.
const (
	ClassInvalidInput Class = "INVALID_INPUT" // never retried; 400 or *_FAILED
	ClassUnsupported  Class = "UNSUPPORTED"   // never retried; 400
	ClassConflict     Class = "CONFLICT"      // another operation is pending; wait for it
	ClassPrecondition Class = "PRECONDITION"  // not before the input changes; *_FAILED
	ClassNotFound     Class = "NOT_FOUND"     // success for a delete
	ClassQuota        Class = "QUOTA"         // not retried
	ClassThrottled    Class = "THROTTLED"     // retried after Error.RetryAfter
	ClassUnavailable  Class = "UNAVAILABLE"   // retried with backoff
	ClassAuth         Class = "AUTH"          // once more with a fresh token
	ClassTimeout      Class = "TIMEOUT"       // asked after, then resumed
	ClassBug          Class = "BUG"           // panic or malformed answer; once on a fresh process
	ClassRestarted    Class = "RESTARTED"     // made by the core: the process went away
)

// Blame says who can mend it.
type Blame string

// The blames.
const (
	BlameUser       Blame = "user"
	BlameOperator   Blame = "operator"
	BlameDriver     Blame = "driver"
	BlameDownstream Blame = "downstream"
)

// Error is the one error type of the contract.
type Error struct {
	Class Class
	Blame Blame
	// UserMessage is shown to the cluster's owner, OperatorMessage only to
	// operators. Neither holds secrets.
	UserMessage     string
	OperatorMessage string
	RetryAfter      time.Duration // for ClassThrottled
}

func (e *Error) Error() string {
	if e.OperatorMessage != "" && e.OperatorMessage != e.UserMessage {
		return fmt.Sprintf("%s (%s)", e.UserMessage, e.OperatorMessage)
	}
	return e.UserMessage
}

// Errorf makes an error of a class, with the blame that the class implies.
func Errorf(c Class, format string, args ...any) *Error {
	return &Error{Class: c, Blame: c.blame(), UserMessage: fmt.Sprintf(format, args...)}
}

// ClassOf finds the class of an error anywhere in its chain; an error without
// one is ClassBug, because a driver must say what went wrong.
func ClassOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return ClassBug
}

// Retryable reports whether asking again, later or of a fresh process, may
// help.
func (c Class) Retryable() bool {
	switch c {
	case ClassConflict, ClassThrottled, ClassUnavailable, ClassTimeout, ClassBug, ClassRestarted, ClassAuth:
		return true
	default:
		return false
	}
}

func (c Class) blame() Blame {
	switch c {
	case ClassInvalidInput, ClassQuota, ClassPrecondition, ClassUnsupported:
		return BlameUser
	case ClassThrottled, ClassUnavailable, ClassConflict, ClassNotFound, ClassTimeout:
		return BlameDownstream
	case ClassAuth:
		return BlameOperator
	default:
		return BlameDriver
	}
}

// Set is a driver seen from the core: Driver is always there, the others are
// nil where the driver does not have them.
type Set struct {
	Name, Version string
	Driver        Driver
	Templates     Templates
	Scaling       Scaling
	Monitoring    Monitoring
	Lifecycle     Lifecycle
}
