package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/go-magnum/magnum/core/magnum"
)

// httpError is a refusal of the plumbing, which has no kind in the domain.
type httpError struct {
	status int
	// code is "client" where upstream's application refuses and "" where its
	// framework does.
	code   string
	detail string
	title  string // only of framework refusals without detail
	allow  *string
}

func (e *httpError) Error() string { return e.detail }

// framework refuses before a resource is asked.
func framework(status int, detail string) *httpError {
	return &httpError{status: status, detail: detail, title: http.StatusText(status)}
}

// invalid is the refusal of a value, in the words of upstream's framework.
func invalid(field, value, reason string) error {
	return magnum.Errorf(magnum.Invalid, "Invalid input for field/attribute %s. Value: '%s'. %s", field, value, reason)
}

func badRequest(format string, args ...any) error {
	return magnum.Errorf(magnum.Invalid, format, args...)
}

// statusOf is the only place where kinds of errors become HTTP statuses.
func statusOf(k magnum.Kind) int {
	switch k {
	case magnum.Invalid:
		return http.StatusBadRequest
	case magnum.Unauthorized:
		return http.StatusUnauthorized
	case magnum.Forbidden:
		return http.StatusForbidden
	case magnum.NotFound:
		return http.StatusNotFound
	case magnum.NotAcceptable:
		return http.StatusNotAcceptable
	case magnum.Conflict:
		return http.StatusConflict
	case magnum.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// fail answers with an error. What users must not read goes to the log.
func (a *api) fail(w http.ResponseWriter, r *http.Request, id string, err error) {
	h := w.Header()
	var plumbing *httpError
	var outside *rangeError
	var tooLarge *http.MaxBytesError
	var domain *magnum.Error
	switch {
	case errors.As(err, &plumbing):
		if plumbing.allow != nil {
			h["Allow"] = []string{*plumbing.allow}
		}
		title := plumbing.title
		if plumbing.code != "" {
			title = titleOf(plumbing.status, plumbing.detail)
		}
		write(w, r, plumbing.status, errorBody(plumbing.code, plumbing.status, title, plumbing.detail))
	case errors.As(err, &outside):
		setVersion(h, []string{service + " " + outside.asked})
		write(w, r, http.StatusNotAcceptable, rangeBody(outside))
	case errors.As(err, &tooLarge):
		const detail = "Request body is too large."
		status := http.StatusRequestEntityTooLarge
		write(w, r, status, errorBody("client", status, titleOf(status, detail), detail))
	case errors.As(err, &domain) && domain.Kind == magnum.Unauthorized:
		h["Www-Authenticate"] = []string{`Keystone uri="` + a.uri + `"`}
		write(w, r, http.StatusUnauthorized, []byte(unauthorizedBody))
	case errors.As(err, &domain) && domain.Kind != magnum.Internal:
		status := statusOf(domain.Kind)
		code := "client"
		if status >= http.StatusInternalServerError {
			code = "server"
			h["Retry-After"] = []string{retryAfter}
			a.Logger.Warn("request failed", "request", id, "method", r.Method, "path", r.URL.Path, "error", err)
		}
		write(w, r, status, errorBody(code, status, titleOf(status, domain.Message), domain.Message))
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		// The client went away, or closed its half of the connection only:
		// then it reads what net/http sends where nothing is written, a 200.
		a.Logger.Debug("request abandoned", "request", id, "method", r.Method, "path", r.URL.Path)
		status := http.StatusServiceUnavailable
		h["Retry-After"] = []string{retryAfter}
		write(w, r, status, errorBody("server", status, http.StatusText(status), ""))
	default:
		a.Logger.Error("request failed", "request", id, "method", r.Method, "path", r.URL.Path, "error", err)
		status := http.StatusInternalServerError
		write(w, r, status, errorBody("server", status, http.StatusText(status), ""))
	}
}

// retryAfter is in seconds; Keystone is asked as often whether it is back.
const retryAfter = "1"

const unauthorizedBody = `{"error": {"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication."}}`

// titleOf is the detail up to its first full stop.
func titleOf(status int, detail string) string {
	if detail == "" {
		return http.StatusText(status)
	}
	title, _, _ := strings.Cut(detail, ".")
	return title
}

func errorBody(code string, status int, title, detail string) []byte {
	var e encoder
	e.open('{')
	e.key("errors")
	e.open('[')
	e.open('{')
	e.str("request_id", "")
	e.str("code", code)
	e.int("status", status)
	e.str("title", title)
	e.str("detail", detail)
	e.key("links")
	e.open('[')
	e.close(']')
	e.close('}')
	e.close(']')
	e.close('}')
	return e.b
}

// rangeBody differs from all other errors: description instead of detail, no
// status, and a link.
func rangeBody(err *rangeError) []byte {
	var e encoder
	e.open('{')
	e.key("errors")
	e.open('[')
	e.open('{')
	e.str("code", "magnum.microversion-unsupported")
	e.str("title", "Requested microversion is unsupported")
	e.str("description", err.Error())
	e.str("max_version", maxVersion.String())
	e.str("min_version", minVersion.String())
	e.key("links")
	e.open('[')
	e.open('{')
	e.str("rel", "help")
	e.str("href", "http://docs.openstack.org/api-guide/compute/microversions.html")
	e.close('}')
	e.close(']')
	e.close('}')
	e.close(']')
	e.close('}')
	return e.b
}
