package driver

import (
	"net/http"
	"strconv"
	"time"
)

// HTTPError is the error for an answer of a service that is not a success; its
// header tells how long a service that has too much to do wants to be left
// alone. The text is the user's, and the class what the status means to one who
// asked rightly: a status that only a wrong request gets is a bug.
func HTTPError(resp *http.Response, now time.Time, format string, args ...any) *Error {
	e := Errorf(classOfStatus(resp.StatusCode), format, args...)
	if e.Class == ClassThrottled {
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	}
	e.OperatorMessage = e.UserMessage + " (" + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode) + ")"
	if resp.Request != nil {
		// Without the query, which may hold what is secret.
		e.OperatorMessage += " from " + resp.Request.Method + " " + resp.Request.URL.Host + resp.Request.URL.Path
	}
	return e
}

func classOfStatus(status int) Class {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ClassAuth
	case http.StatusNotFound, http.StatusGone:
		return ClassNotFound
	case http.StatusConflict:
		return ClassConflict
	case http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return ClassPrecondition
	case http.StatusRequestEntityTooLarge:
		return ClassQuota // what OpenStack's services say of one
	case http.StatusTooManyRequests:
		return ClassThrottled
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return ClassTimeout
	case http.StatusNotImplemented:
		return ClassUnsupported
	}
	if status >= http.StatusInternalServerError {
		return ClassUnavailable
	}
	return ClassBug
}

// throttle is how long to wait where a service does not say.
const throttle = 10 * time.Second

// retryAfter reads either form of the header.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return throttle
}
