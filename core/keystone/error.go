package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/go-magnum/magnum/core/magnum"
)

// status finds the HTTP status that Keystone answered with; 0 where there was
// no answer.
func status(err error) int {
	var again *gophercloud.ErrErrorAfterReauthentication
	if errors.As(err, &again) {
		return status(again.ErrOriginal)
	}
	var reauth *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &reauth) {
		return status(reauth.ErrReauth)
	}
	var code gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &code) {
		return code.Actual
	}
	return 0
}

// said is Keystone's own explanation, empty where it gave none.
func said(err error) string {
	var again *gophercloud.ErrErrorAfterReauthentication
	if errors.As(err, &again) {
		return said(again.ErrOriginal)
	}
	var code gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &code) {
		return ""
	}
	var body struct {
		Error struct{ Message string }
	}
	if json.Unmarshal(code.Body, &body) != nil {
		return ""
	}
	return body.Error.Message
}

// safe takes everything out of an error that could hold a secret: gophercloud
// puts whole answers and addresses (with a trust's id) into its own.
func safe(err error) error {
	if err == nil {
		return nil
	}
	if code := status(err); code != 0 {
		return &answerError{code: code}
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("no answer: %w", u.Err)
	}
	return errors.New("no usable answer")
}

// answerError is an answer of Keystone's that was not the one wanted.
type answerError struct{ code int }

func (e *answerError) Error() string {
	return fmt.Sprintf("HTTP %d %s", e.code, http.StatusText(e.code))
}

// refusal reports whether asking again cannot help: Keystone understood and
// said no.
func refusal(code int) bool {
	return code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests
}

// unavailable is an error that goes away by itself, or that only the operator
// can mend. Either way the request cannot be trusted: it is refused.
func unavailable(what string, err error) error {
	return &magnum.Error{Kind: magnum.Unavailable, Message: "Keystone is unavailable", Cause: fmt.Errorf("%s: %w", what, safe(err))}
}

// mapped tells a refusal, which becomes an error of kind k with message, from
// an outage.
func mapped(err error, k magnum.Kind, what, message string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) && status(err) == 0 {
		return fmt.Errorf("%s: %w", what, context.Canceled)
	}
	var done *magnum.Error
	if errors.As(err, &done) {
		return err
	}
	if refusal(status(err)) {
		return &magnum.Error{Kind: k, Message: message, Cause: fmt.Errorf("%s: %w", what, safe(err))}
	}
	return unavailable(what, err)
}
