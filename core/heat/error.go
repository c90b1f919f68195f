package heat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/go-magnum/magnum/core/magnum"
)

// answer finds what Heat answered; ok is false where there was no answer.
func answer(err error) (code int, text string, ok bool) {
	var again *gophercloud.ErrErrorAfterReauthentication
	if errors.As(err, &again) {
		return answer(again.ErrOriginal)
	}
	// No token to be had: Keystone's answer, not Heat's.
	var reauth *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &reauth) {
		if code, _, ok := answer(reauth.ErrReauth); ok && code < 500 {
			return http.StatusUnauthorized, "", true
		}
		return 0, "", false
	}
	var e gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &e) {
		return 0, "", false
	}
	return e.Actual, explained(e.Body), true
}

// explained reads Heat's error body.
func explained(body []byte) string {
	var b struct {
		Explanation string
		Error       struct{ Message string }
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	if b.Error.Message != "" {
		return strings.TrimSpace(b.Error.Message)
	}
	return b.Explanation
}

// mapped turns a failed call into a magnum.Error. Secrets are taken out of
// Heat's words: it repeats parameters in some of its refusals.
func mapped(what string, err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	var done *magnum.Error
	if errors.As(err, &done) {
		return err
	}
	code, text, ok := answer(err)
	if !ok {
		if errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s: %w", what, context.Canceled)
		}
		return unavailable(what, transport(err))
	}
	text = scrub(text, secrets)
	status := fmt.Errorf("%s: HTTP %d", what, code)
	if text == "" {
		text = fmt.Sprintf("Heat answered %d %s", code, http.StatusText(code))
	}
	switch {
	case code == http.StatusUnauthorized:
		return &magnum.Error{Kind: magnum.Unauthorized, Message: "Heat does not accept the session", Cause: status}
	case code == http.StatusForbidden:
		return &magnum.Error{Kind: magnum.Forbidden, Message: text, Cause: status}
	case code == http.StatusNotFound:
		return &magnum.Error{Kind: magnum.NotFound, Message: text, Cause: status}
	case code == http.StatusConflict:
		return &magnum.Error{Kind: magnum.Conflict, Message: text, Cause: status}
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
		return unavailable(what, status)
	}
	return &magnum.Error{Kind: magnum.Invalid, Message: text, Cause: status}
}

// transport keeps the reason and drops the address.
func transport(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	var reauth *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &reauth) {
		return errors.New("the session could not be renewed")
	}
	return errors.New("no usable answer")
}

func unavailable(what string, cause error) error {
	return &magnum.Error{Kind: magnum.Unavailable, Message: "Heat is unavailable", Cause: fmt.Errorf("%s: %w", what, cause)}
}

func notFound(r Ref) error {
	if r.ID != "" {
		return magnum.Errorf(magnum.NotFound, "Stack with id %s not found in Heat.", r.ID)
	}
	return magnum.Errorf(magnum.NotFound, "Stack %s not found in Heat.", r.Name)
}

// scrub takes secrets out of a text, and of a key each line by itself: Heat shows
// texts as Python writes them, or as a template has made something else of them,
// and neither leaves line breaks as they are.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		for line := range strings.SplitSeq(s, "\n") {
			if line != "" {
				text = strings.ReplaceAll(text, line, "***")
			}
		}
	}
	return text
}
