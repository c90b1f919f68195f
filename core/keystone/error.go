package keystone

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

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
	var answer *answerError
	if errors.As(err, &answer) {
		return answer.code
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
	return reason(err)
}

// reason tells only what is known to hold nothing of an answer: one that is no
// HTTP at all is quoted in net/http's error, and may repeat what was sent.
func reason(err error) error {
	var login *loginError
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var size *http.MaxBytesError
	var timeout net.Error
	var domain gophercloud.ErrDomainIDOrDomainName
	switch {
	case errors.As(err, &domain):
		return errors.New("one of user_domain_id and user_domain_name must be set")
	case errors.As(err, &login):
		return login
	case errors.Is(err, errAway), errors.Is(err, errBusy):
		return err
	case errors.Is(err, errUnusable):
		return errUnusable
	case errors.As(err, &certificate):
		return fmt.Errorf("no answer: %w", certificate)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("no answer: TLS on one side only: check auth_url")
	case errors.As(err, &size):
		return fmt.Errorf("the answer has more than %d bytes", size.Limit)
	case errors.As(err, &network):
		return fmt.Errorf("no answer: %w", network)
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection was closed before the answer was complete")
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
