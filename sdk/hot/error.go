package hot

import (
	"fmt"
	"strings"
)

// The kinds of error, by the names Heat puts in an answer's error.type.
const (
	KindValidation       = "StackValidationFailed"
	KindUnknownParameter = "UnknownUserParameter"
	KindMissingParameter = "UserParameterMissing"
	KindReference        = "InvalidTemplateReference"
	KindSchema           = "InvalidSchemaError"
	KindVersion          = "InvalidTemplateVersion"
	KindFormat           = "HTTPBadRequest"
	KindLimit            = "RequestLimitExceeded"
	KindCircular         = "CircularDependencyException"
	KindNotFound         = "NotFound"
)

// Error is a refusal in Heat's own words.
type Error struct {
	Kind string
	// Summary and Path say where, Message what; the first two may be empty.
	Summary string
	Path    []string
	Message string
}

// Error joins the parts as Heat does, which looks odd ("Property error: :
// resources.a.properties: : …") and is what users find when they search.
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	if e.Summary != "" {
		parts = append(parts, e.Summary)
	}
	if len(e.Path) > 0 {
		parts = append(parts, PathString(e.Path))
	}
	return strings.Join(append(parts, e.Message), ": : ")
}

// PathString writes a path as Heat does: numbers in brackets, all else with
// dots.
func PathString(path []string) string {
	var b strings.Builder
	for _, p := range path {
		switch {
		case isDigits(p):
			b.WriteString("[" + p + "]")
		case b.Len() > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	return b.String()
}

func isDigits(s string) bool {
	if s == "" {
		return false
	}
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

func invalidf(format string, args ...any) *Error {
	return &Error{Kind: KindValidation, Message: fmt.Sprintf(format, args...)}
}

func schemaf(format string, args ...any) *Error {
	return &Error{Kind: KindSchema, Message: fmt.Sprintf(format, args...)}
}

func limitf(format string, args ...any) *Error {
	return &Error{Kind: KindLimit, Message: "Request limit exceeded: " + fmt.Sprintf(format, args...)}
}

func missingParameter(name string) *Error {
	return &Error{Kind: KindMissingParameter, Message: fmt.Sprintf("The Parameter (%s) was not provided.", name)}
}

func badReference(name, where string) *Error {
	return &Error{Kind: KindReference, Message: fmt.Sprintf("The specified reference %q (in %s) is incorrect.", name, where)}
}

// within puts an error of a nested place behind a path.
func within(err error, summary string, path ...string) *Error {
	e, ok := err.(*Error)
	if !ok {
		return &Error{Kind: KindValidation, Summary: summary, Path: path, Message: err.Error()}
	}
	out := *e
	if out.Summary == "" {
		out.Summary = summary
	}
	out.Path = append(append([]string{}, path...), e.Path...)
	if out.Kind != KindCircular {
		out.Kind = KindValidation
	}
	return &out
}
