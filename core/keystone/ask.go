package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/core/magnum"
)

// maxAnswer bounds what is read of one answer of Keystone's: several times the
// largest catalogue.
const maxAnswer = 4 << 20

var errUnusable = errors.New("the answer is not Keystone's")

// ask asks Keystone about a token, again if there was no answer, within the
// context. The error is errToken where Keystone does not know the token, and
// magnum.Unavailable otherwise.
func (k *Client) ask(ctx context.Context, q question) (*tokenData, error) {
	for attempt := 0; ; attempt++ {
		p, err := k.gate.enter(ctx)
		if err != nil {
			return nil, outage(err)
		}
		data, err := k.try(ctx, q)
		o := judge(err)
		p.leave(o, err)
		code := status(err)
		var login *loginError
		switch {
		case err == nil:
			return data, nil
		case code == http.StatusNotFound:
			return nil, errToken
		case o == undecided, errors.As(err, &login) && refusal(status(login.cause)):
			// Asking again would not help, and a password that is wrong too
			// often locks the account.
			k.cfg.Logger.Warn("Keystone did not validate a token", "error", safe(err))
			return nil, outage(err)
		case attempt >= k.cfg.Tokens.Retries, code != 0 && attempt >= 1, !pause(ctx, attempt):
			return nil, outage(err)
		}
	}
}

// pause waits a little longer each time, and not in step with others.
func pause(ctx context.Context, attempt int) bool {
	d := 50 * time.Millisecond << min(attempt, 4)
	t := time.NewTimer(d + rand.N(d)) //nolint:gosec // a spread of retries is no secret
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// judge tells what an error says of Keystone's health, as far as the one whose
// token it is has no hand in it.
func judge(err error) outcome {
	code := status(err)
	var login *loginError
	switch {
	case err == nil, code == http.StatusNotFound:
		return answered
	case errors.As(err, &login), code == 0, code >= 300 && code < 400, code == http.StatusUnauthorized, code == http.StatusForbidden:
		return unanswered
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests,
		code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		return unanswered
	}
	return undecided
}

// loginError is about the service's own account, not about a caller's token.
type loginError struct{ cause error }

func (e *loginError) Error() string { return "log the service in: " + safe(e.cause).Error() }

// try is one attempt.
func (k *Client) try(ctx context.Context, q question) (*tokenData, error) {
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Tokens.Timeout)
	defer cancel()
	p, _, err := k.service.get(ctx)
	if err != nil {
		return nil, &loginError{err}
	}
	own := p.Token()
	data, err := k.show(ctx, own, q)
	if status(err) != http.StatusUnauthorized {
		return data, err
	}
	// Keystone does not know the service's token any more: once more with
	// another one.
	if err := k.service.drop(ctx, p, own); err != nil {
		return nil, err
	}
	if p, _, err = k.service.get(ctx); err != nil {
		return nil, &loginError{err}
	}
	return k.show(ctx, p.Token(), q)
}

// show asks for a token's data. gophercloud would read however much is
// answered, follow redirects with both tokens, and believe any type of content.
func (k *Client) show(ctx context.Context, own string, q question) (*tokenData, error) {
	url := k.cfg.AuthURL + "/auth/tokens"
	if q.expired {
		url += "?allow_expired=1"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, errUnusable
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "magnum")
	r.Header.Set("X-Auth-Token", own)
	r.Header.Set("X-Subject-Token", q.token)
	// Keystone hides tokens with access rules from services that would not
	// look at them.
	r.Header.Set("OpenStack-Identity-Access-Rules", "1")
	resp, err := k.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotFound {
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
		return nil, &answerError{code: resp.StatusCode}
	}
	body, err := io.ReadAll(resp.Body) // the transport bounds it
	if err != nil {
		return nil, err
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errUnusable
	}
	if resp.StatusCode == http.StatusNotFound {
		// A web server that has no Keystone behind it answers 404 too. That
		// must not send clients off to fetch new tokens.
		var said struct{ Error *struct{ Code int } }
		if json.Unmarshal(body, &said) != nil || said.Error == nil {
			return nil, errUnusable
		}
		return nil, &answerError{code: http.StatusNotFound}
	}
	// Keystone repeats the token. Another one comes from a cache in between
	// that mixes answers up, and then this is somebody else's data.
	if said := resp.Header.Get("X-Subject-Token"); said != "" && said != q.token {
		return nil, errUnusable
	}
	return parse(body)
}

// tokenData is the part of a token's data that is used.
type tokenData struct {
	ExpiresAt  time.Time             `json:"expires_at"`
	User       tokens.User           `json:"user"`
	Project    *tokens.Project       `json:"project"`
	Roles      []tokens.Role         `json:"roles"`
	Catalog    []tokens.CatalogEntry `json:"catalog"`
	Domain     *tokens.Domain        `json:"domain"`
	System     map[string]any        `json:"system"`
	Trust      map[string]any        `json:"OS-TRUST:trust"`
	Bind       map[string]any        `json:"bind"`
	Credential *struct {
		AccessRules *[]accessRule `json:"access_rules"`
	} `json:"application_credential"`

	raw []byte // all of it, as Keystone said it
}

// parse does not say what it found: that may hold anything.
func parse(body []byte) (*tokenData, error) {
	var in struct {
		Token *tokenData `json:"token"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, errUnusable
	}
	if in.Token == nil || in.Token.User.ID == "" || in.Token.ExpiresAt.IsZero() {
		return nil, fmt.Errorf("%w: it has no token with user and expiry", errUnusable)
	}
	in.Token.raw = body
	return in.Token, nil
}

func (k *Client) read(data *tokenData, token string) *validated {
	i := &Identity{
		UserID: data.User.ID, UserName: data.User.Name,
		UserDomainID: data.User.Domain.ID, DomainName: data.User.Domain.Name,
		Roles: roleNames(data.Roles), Token: token, ExpiresAt: data.ExpiresAt,
	}
	if data.Project != nil {
		i.ProjectID, i.ProjectName, i.ProjectDomainID = data.Project.ID, data.Project.Name, data.Project.Domain.ID
	}
	i.SystemScope = data.System != nil
	if data.Domain != nil {
		i.ScopeDomainID = data.Domain.ID
	}
	scoped := data.Project != nil || data.Domain != nil || data.System != nil || data.Trust != nil
	k.asTrustee(i, scoped, data.User.Domain.Name)
	v := &validated{identity: i, catalog: data.Catalog}
	if data.Credential != nil && data.Credential.AccessRules != nil {
		v.rules = &accessRules{rules: *data.Credential.AccessRules}
		for _, entry := range data.Catalog {
			v.rules.services = append(v.rules.services, entry.Type)
		}
	}
	return v
}

// outage refuses a request because nobody can say whose it is, in the words of
// keystonemiddleware.
func outage(err error) error {
	return &magnum.Error{
		Kind: magnum.Unavailable, Message: "The Keystone service is temporarily unavailable.",
		Cause: fmt.Errorf("validate a token: %w", safe(err)),
	}
}
