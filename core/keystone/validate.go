package keystone

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/go-magnum/magnum/core/magnum"
)

// maxToken is longer than any token: Fernet's have some 250 bytes, JWS' and
// old PKI ones a few thousand.
const maxToken = 16 << 10

// tokenKey is a token's SHA-256: the token itself is not kept as a key, so a
// look into the cache's keys gives nothing away.
type tokenKey [sha256.Size]byte

// validated is what Keystone says of a token.
type validated struct {
	identity *Identity
	catalog  []tokens.CatalogEntry
	until    time.Time
}

var errToken = &magnum.Error{Kind: magnum.Unauthorized, Message: "The request you have made requires authentication."}

// Validate says whose token it is. A token that Keystone does not know is
// magnum.Unauthorized; without an answer from Keystone the caller is unknown
// too, and the error is magnum.Unavailable.
func (k *Client) Validate(ctx context.Context, token string) (*Identity, error) {
	v, err := k.look(ctx, token)
	if err != nil {
		return nil, err
	}
	return v.identity.clone(), nil
}

func (k *Client) look(ctx context.Context, token string) (*validated, error) {
	if token == "" || len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errToken
	}
	key := tokenKey(sha256.Sum256([]byte(token)))
	now := k.cfg.Now()
	if v, ok := k.valid.get(key); ok {
		if now.Before(v.until) {
			return v, nil
		}
		k.valid.remove(key)
	}
	if until, ok := k.refused.get(key); ok && now.Before(until) {
		return nil, errToken
	}
	// One question for all who wait. It must not end with the one who asked
	// first, so it has its own time limit instead of that caller's.
	answer := k.flight.DoChan(string(key[:]), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.cfg.Timeout)
		defer cancel()
		return k.ask(ctx, key, token)
	})
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("validate a token: %w", ctx.Err())
	case r := <-answer:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*validated), nil
	}
}

func (k *Client) ask(ctx context.Context, key tokenKey, token string) (*validated, error) {
	p, _, err := k.service.get(ctx)
	if err != nil {
		k.cfg.Logger.Error("the service cannot log in to Keystone; every request is refused", "error", safe(err))
		return nil, unavailable("log the service in", err)
	}
	c, err := identity(p)
	if err != nil {
		return nil, unavailable("validate a token", err)
	}
	result := tokens.Get(ctx, c, token)
	if code := status(result.Err); result.Err != nil && (code == 0 || code >= 500) {
		result = tokens.Get(ctx, c, token) // reading twice is safe
	}
	now := k.cfg.Now()
	if result.Err != nil {
		if code := status(result.Err); code == http.StatusNotFound || code == http.StatusBadRequest {
			k.refused.put(key, now.Add(k.cfg.NegativeTTL))
			return nil, errToken
		}
		// 401 and 403 are about the service's own token, not the caller's.
		k.cfg.Logger.Warn("Keystone did not validate a token", "error", safe(result.Err))
		return nil, unavailable("validate a token", result.Err)
	}
	v, err := k.read(result, token)
	if err != nil {
		return nil, unavailable("read a token's data", err)
	}
	if !now.Before(v.identity.ExpiresAt) {
		k.refused.put(key, now.Add(k.cfg.NegativeTTL))
		return nil, errToken
	}
	v.until = now.Add(k.cfg.CacheTTL)
	if v.identity.ExpiresAt.Before(v.until) {
		v.until = v.identity.ExpiresAt
	}
	k.valid.put(key, v)
	return v, nil
}

func (k *Client) read(r tokens.GetResult, token string) (*validated, error) {
	var body struct {
		ExpiresAt time.Time             `json:"expires_at"`
		User      tokens.User           `json:"user"`
		Project   *tokens.Project       `json:"project"`
		Roles     []tokens.Role         `json:"roles"`
		Catalog   []tokens.CatalogEntry `json:"catalog"`
		Domain    *tokens.Domain        `json:"domain"`
		System    map[string]any        `json:"system"`
		Trust     map[string]any        `json:"OS-TRUST:trust"`
	}
	if err := r.ExtractIntoStructPtr(&body, "token"); err != nil {
		return nil, err
	}
	if body.User.ID == "" || body.ExpiresAt.IsZero() {
		return nil, errors.New("an answer without user or expiry")
	}
	i := &Identity{
		UserID: body.User.ID, UserName: body.User.Name,
		UserDomainID: body.User.Domain.ID, DomainName: body.User.Domain.Name,
		Roles: roleNames(body.Roles), Token: token, ExpiresAt: body.ExpiresAt,
	}
	if body.Project != nil {
		i.ProjectID, i.ProjectName = body.Project.ID, body.Project.Name
	}
	i.SystemScope = body.System != nil
	if body.Domain != nil {
		i.ScopeDomainID = body.Domain.ID
	}
	scoped := body.Project != nil || body.Domain != nil || body.System != nil || body.Trust != nil
	k.asTrustee(i, scoped, body.User.Domain.Name)
	return &validated{identity: i, catalog: body.Catalog}, nil
}
